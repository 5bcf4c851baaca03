//! Blocks of other hosts' stores that are needed here, and copies for the ranks of this host: drives the pure table
//! (`store::Copies`) and, for this rank's own blocks, the owner's list of holders (`store::Whereabouts`).

use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, ObjectId, Rank, Result};
use crate::objects::ArrayMemory;
use crate::protocol::blocks::Pulled;
use crate::protocol::driver::{Driver, Purpose};
use crate::protocol::{Message, Protocol, WirePlace};
use crate::store::{
    CHUNK_BYTES, Copies, CopyAction, CopyMessage, Holders, Loan, Peers, Source, Way, Whereabouts, keeper,
};
use std::sync::{Arc, Mutex};

/// Below so many bytes each rank reads a block for itself: to ask another rank of the host would take longer.
const SHARED_BYTES_MIN: u64 = 64 << 10;

/// What is done, once the table has decided.
type Deed = CopyAction<dyn ArrayMemory, Purpose>;

/// The copies of a rank, and who has copies of its own blocks.
pub struct HostCopies {
    table: Mutex<Copies<dyn ArrayMemory, Purpose>>,
    whereabouts: Mutex<Whereabouts>,
    /// Whether anybody was ever told where a block of this rank is.
    spreads: AtomicBool,
}

impl HostCopies {
    /// Of rank `me`.
    pub fn new(me: Rank) -> HostCopies {
        HostCopies {
            table: Mutex::new(Copies::new(me)),
            whereabouts: Mutex::new(Whereabouts::new(me)),
            spreads: AtomicBool::new(false),
        }
    }

    /// Copies that nobody uses take at most so many bytes of this rank's store.
    pub fn keep_at_most(&self, bytes: u64) {
        lock(&self.table).keep_at_most(bytes);
    }

    /// Names the ranks of which blocks that are needed here, or word of them, are awaited.
    pub(super) fn awaited(&self, note: &mut impl FnMut(Rank)) {
        lock(&self.table).awaited(note);
    }

    /// Forgets everything: the end.
    pub fn clear(&self) {
        let kept = lock(&self.table).clear();
        drop(kept);
    }
}

/// The other ranks, as a driver knows them.
struct Others<'a, D>(&'a D);

impl<D: Driver> Peers for Others<'_, D> {
    fn is_dead(&self, rank: Rank) -> bool {
        self.0.is_dead(rank)
    }
    fn death_of(&self, rank: Rank) -> Error {
        self.0.death_of(rank)
    }
    fn keeper_of(&self, block: ObjectId) -> Rank {
        let me = self.0.rank();
        let shares = |rank: &Rank| *rank == me || (self.0.is_mapped(*rank) && !self.0.is_dead(*rank));
        keeper(block, self.0.host_ranks().iter().copied().filter(shares)).unwrap_or(me)
    }
}

impl Protocol {
    /// Brings a block of another host's store here: `fetched` is told, perhaps before this returns. Whoever waits holds what
    /// came with the block's name until then. `shared` where other ranks of this host may need the block too.
    pub(super) fn fetch(&self, driver: &impl Driver, place: WirePlace, shared: bool, purpose: Purpose) {
        let peers = Others(driver);
        let source = Source { block: place.block, offset: place.offset };
        let way = if shared && place.bytes >= SHARED_BYTES_MIN {
            Way::Keeper(peers.keeper_of(place.block))
        } else {
            Way::Alone
        };
        self.with_copies(driver, |copies| copies.want(source, place.bytes, way, purpose, &peers));
    }

    /// A block came, or will not.
    fn fetched(&self, driver: &impl Driver, purpose: Purpose, id: ObjectId, memory: Result<Arc<dyn ArrayMemory>>) {
        match purpose {
            Purpose::Message(from) => self.came(driver, from, id, memory),
            Purpose::Value(token) => self.block_came(driver, token, id, memory),
        }
    }

    /// What `Driver::pull` was asked for is here, or will not be.
    pub fn pulled(&self, driver: &impl Driver, token: u64, memory: Result<Arc<dyn ArrayMemory>>) {
        self.with_copies(driver, |copies| copies.read_done(token, memory, &Others(driver)));
    }

    /// Copies that nobody uses leave this rank's store until `bytes` are free; how many were.
    pub fn evict_copies(&self, driver: &impl Driver, bytes: u64) -> u64 {
        let mut freed = 0;
        self.with_copies(driver, |copies| {
            let (bytes, actions) = copies.evict(bytes);
            freed = bytes;
            actions
        });
        freed
    }

    /// A block of this rank that had a number is gone: copies of it are not kept any more.
    pub fn freed(&self, driver: &impl Driver, number: u64) {
        if !self.copies.spreads.load(Ordering::Acquire) {
            return;
        }
        let block = ObjectId { owner: self.rank, number };
        let mut whereabouts = lock(&self.copies.whereabouts);
        for holder in whereabouts.freed(number) {
            driver.send(holder, &Message::Copy(CopyMessage::Gone { block }));
        }
    }

    /// A rank is gone.
    pub(super) fn copies_lost(&self, driver: &impl Driver, rank: Rank) {
        lock(&self.copies.whereabouts).lost(rank);
        let in_vain = |purpose: &Purpose| *purpose == Purpose::Message(rank);
        self.with_copies(driver, |copies| copies.lost(rank, in_vain, &Others(driver)));
    }

    /// A message about copies.
    pub(super) fn on_copy(&self, driver: &impl Driver, from: Rank, message: CopyMessage) {
        let peers = Others(driver);
        match message {
            CopyMessage::Want { original, bytes } if original.block.owner != self.rank => {
                self.with_copies(driver, |copies| copies.wanted(original, bytes, from, &peers));
            }
            CopyMessage::Share { block } => {
                self.with_copies(driver, |copies| copies.shared(block, from, &peers));
            }
            CopyMessage::Have { block, bytes, copy } => {
                let loan = copy.and_then(|source| self.borrowed(driver, source, bytes, from));
                self.with_copies(driver, |copies| copies.have(block, from, loan, &peers));
            }
            CopyMessage::Holders { block, holders } => {
                if let Ok(Holders { original: Some(_), .. }) = &holders {
                    self.references.granted(driver, block, from);
                }
                self.with_copies(driver, |copies| copies.holders(block, holders, &peers));
            }
            CopyMessage::Gone { block } => self.with_copies(driver, |copies| copies.gone(block)),
            CopyMessage::Where { block, bytes, without } => self.on_copy_where(driver, from, (block, bytes), &without),
            CopyMessage::Holds { block } => {
                let known = self.references.own_memory(block.number);
                let mut whereabouts = lock(&self.copies.whereabouts);
                self.copies.spreads.store(true, Ordering::Release);
                if !driver.is_dead(from) && !whereabouts.holds(block.number, from, known.is_some()) {
                    driver.send(from, &Message::Copy(CopyMessage::Gone { block }));
                }
                // Before `known`, whose end may say that the block is gone.
                drop(whereabouts);
            }
            CopyMessage::Left { block } => lock(&self.copies.whereabouts).left(block.number, from),
            CopyMessage::Want { .. } => {}
        }
    }

    /// A keeper of another host asks where a block of this rank can be had.
    fn on_copy_where(&self, driver: &impl Driver, from: Rank, (block, bytes): (ObjectId, u64), without: &[Rank]) {
        let memory = if block.owner == self.rank { self.references.own_memory(block.number) } else { None };
        let holders = match &memory {
            None => Err(Error::ObjectLost {
                object: block.to_string(),
                reason: format!("its owner, rank {}, does not know it any more", self.rank),
            }),
            Some(memory) => {
                let mut whereabouts = lock(&self.copies.whereabouts);
                if driver.is_dead(from) {
                    return;
                }
                self.copies.spreads.store(true, Ordering::Release);
                let mut others = whereabouts.locate(block.number, from, bytes > CHUNK_BYTES as u64, without);
                let mine = others.contains(&self.rank);
                others.retain(|rank| *rank != self.rank);
                let place = mine.then(|| self.references.export_memory(driver, memory, from)).transpose();
                place.map(|place| Holders { original: place.map(|place| place.offset), others })
            }
        };
        driver.send(from, &Message::Copy(CopyMessage::Holders { block, holders }));
    }

    /// What a rank lent, counted: mapped where it can be.
    fn borrowed(&self, driver: &impl Driver, source: Source, bytes: u64, from: Rank) -> Result<Loan<dyn ArrayMemory>> {
        let owner = source.block.owner;
        if owner == self.rank || driver.is_mapped(owner) {
            let place = WirePlace { block: source.block, offset: source.offset, bytes };
            return self.references.import_memory(driver, place, from, &Pulled::default()).map(Loan::Mapped);
        }
        self.references.granted(driver, source.block, from);
        Ok(Loan::Counted(source))
    }

    /// Lets the table decide, and does what it says: messages go under its lock (P3), all else after.
    fn with_copies(
        &self,
        driver: &impl Driver,
        decide: impl FnOnce(&mut Copies<dyn ArrayMemory, Purpose>) -> Vec<Deed>,
    ) {
        let deeds: Vec<Deed> = {
            let mut table = lock(&self.copies.table);
            let send = |deed: Deed| match deed {
                CopyAction::Send(to, message) => {
                    driver.send(to, &Message::Copy(message));
                    None
                }
                deed => Some(deed),
            };
            decide(&mut table).into_iter().filter_map(send).collect()
        };
        deeds.into_iter().for_each(|deed| self.do_deed(driver, deed));
    }

    fn do_deed(&self, driver: &impl Driver, deed: Deed) {
        match deed {
            CopyAction::Send(to, message) => driver.send(to, &Message::Copy(message)),
            CopyAction::Lend { to, block, memory } => {
                let place = self.references.export_memory(driver, &memory, to);
                let bytes = place.as_ref().map_or(0, |place| place.bytes);
                let copy = place.map(|place| Source { block: place.block, offset: place.offset });
                driver.send(to, &Message::Copy(CopyMessage::Have { block, bytes, copy }));
            }
            CopyAction::Read { token, bytes, sources } => {
                if let Err(error) = driver.pull(token, bytes, &sources) {
                    self.pulled(driver, token, Err(error));
                }
            }
            CopyAction::Return(block) => self.references.settled(driver, block),
            CopyAction::Deliver { waiter, block, outcome } => self.fetched(driver, waiter, block, outcome),
            CopyAction::Drop(memory) => drop(memory),
        }
    }
}
