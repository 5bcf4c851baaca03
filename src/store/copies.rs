//! The copies that a host has of blocks in other hosts' stores: brought once, however many tasks ask.
//!
//! ```text
//!   rank of the host          its keeper of the block           owner             a holder
//!        | ---- Want ---------------> |                            |                  |
//!        |                            | ---- Where --------------> |                  |
//!        |                            | <--- Holders ------------- |                  |     the original itself, or who
//!        |                            | ---- Share -------------------------------->  |     has a copy or will have one
//!        |                            | <--- Have ----------------------------------  |     when its copy is whole
//!        |                            | ==== reads, in chunks ======================  |
//!        | <--- Have ---------------- | ---- Holds --------------> |                  |
//! ```
//! Each rank of a host would name the same one of them the keeper of a block. A copy is an ordinary block of the keeper's
//! store: ranks of the host map it, and keepers of other hosts read it. Up to a size the keeper reads the original without
//! asking its owner, and what is smaller still, or needed by one rank only, is read by who needs it (`Way::Alone`).
//!
//! - Y1: a copy that is read lives, whoever dies meanwhile: its reader holds a grant for it that its holder gave for that read
//!   (`Holders`, `Have`), returned afterwards. An original that is read without asking lives while anybody who waits for
//!   it has the grant that came with its name. When all of those are gone the read may bring other bytes; nobody will see
//!   them, because who comes to wait for the block later has a grant, and then it never went: numbers are used once, and
//!   sealed bytes never change.
//! - Y2: a copy holds no grant of its original. When the original goes its owner says so (`Gone`), and the copy lives on only
//!   while somebody uses it. Until then the last ones are kept, up to a share of the store, also while nobody uses them.
//! - Y3: who waits is told once: bytes or an error. A keeper that dies is followed by the next one, a holder that dies by
//!   another one; the owner's death is an error, unless a holder was found already.
//! - Y4: a rank waits for another of its host only where that one is nearer to be the keeper, and for one of another host
//!   only as the owner says (W1): so nobody waits in a circle, also while not all have heard of a death.

mod coming;
mod kept;
mod message;

pub use message::{CopyMessage, Holders, Source};

use crate::base::{Error, ObjectId, Rank};
use coming::{Coming, Stage, no_copy, refusal};
use kept::{Here, SWEEP_MIN};
use rustc_hash::FxHashMap as HashMap;
use std::sync::Arc;

/// How a block is brought here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Read from its owner, for this rank alone.
    Alone,
    /// Asked of this rank of the host, perhaps this one itself.
    Keeper(Rank),
}

/// What a rank lent.
pub enum Loan<M: ?Sized> {
    /// Memory that is mapped here.
    Mapped(Arc<M>),
    /// A block to be read, with a grant.
    Counted(Source),
}

/// What is to be done.
pub enum CopyAction<M: ?Sized, W> {
    /// Send it.
    Send(Rank, CopyMessage),
    /// Answer `Have`, with a grant for this memory.
    Lend {
        /// To whom.
        to: Rank,
        /// As it was asked for.
        block: ObjectId,
        /// The copy.
        memory: Arc<M>,
    },
    /// Read into a new block of this store, from any of the sources, and tell [`Copies::read_done`].
    Read {
        /// For the answer.
        token: u64,
        /// The length.
        bytes: u64,
        /// Where the bytes lie.
        sources: Vec<Source>,
    },
    /// The grant for this block is not needed any more.
    Return(ObjectId),
    /// Tell who waits.
    Deliver {
        /// Who.
        waiter: W,
        /// The block that it asked for.
        block: ObjectId,
        /// Its memory.
        outcome: Result<Arc<M>, Error>,
    },
    /// Drop this where no lock is held.
    Drop(#[allow(dead_code)] Arc<M>),
}

/// What a table knows of other ranks.
pub trait Peers {
    /// Whether that rank was declared gone.
    fn is_dead(&self, rank: Rank) -> bool;
    /// The error of what needs a rank that is gone.
    fn death_of(&self, rank: Rank) -> Error;
    /// The rank of this host, alive, that keeps copies of that block.
    fn keeper_of(&self, block: ObjectId) -> Rank;
}

/// What a rank has of a block of another host.
enum Entry<M: ?Sized, W> {
    Coming(Coming<W>),
    Here(Here<M>),
}

/// The copies of one rank: those that it keeps for its host, and those that it uses. `M` is a block's memory, `W` who waits.
pub struct Copies<M: ?Sized, W> {
    me: Rank,
    table: HashMap<ObjectId, Entry<M, W>>,
    reading: HashMap<u64, ObjectId>,
    next_token: u64,
    clock: u64,
    kept_bytes: u64,
    kept_bytes_max: u64,
    sweep_at: usize,
}

type Actions<M, W> = Vec<CopyAction<M, W>>;

impl<M: ?Sized, W> Copies<M, W> {
    /// Of rank `me`.
    pub fn new(me: Rank) -> Copies<M, W> {
        Copies {
            me,
            table: HashMap::default(),
            reading: HashMap::default(),
            next_token: 0,
            clock: 0,
            kept_bytes: 0,
            kept_bytes_max: u64::MAX,
            sweep_at: SWEEP_MIN,
        }
    }

    /// Copies that nobody uses take at most so many bytes of the store from now on.
    pub fn keep_at_most(&mut self, bytes: u64) {
        self.kept_bytes_max = bytes;
    }

    /// A block is needed here.
    pub fn want(&mut self, original: Source, bytes: u64, way: Way, waiter: W, peers: &impl Peers) -> Actions<M, W> {
        let (block, mut actions) = (original.block, Vec::new());
        if let Some(memory) = self.here(block, &mut actions) {
            actions.push(CopyAction::Deliver { waiter, block, outcome: Ok(memory) });
            return actions;
        }
        if let Some(Entry::Coming(coming)) = self.table.get_mut(&block) {
            coming.waiters.push(waiter);
            return actions;
        }
        self.begin(original, bytes, way, peers, &mut actions);
        if let Some(Entry::Coming(coming)) = self.table.get_mut(&block) {
            coming.waiters.push(waiter);
        }
        self.fail_where_owner_is_dead(block, peers, &mut actions);
        actions
    }

    /// A rank of this host takes this one for the block's keeper.
    pub fn wanted(&mut self, original: Source, bytes: u64, from: Rank, peers: &impl Peers) -> Actions<M, W> {
        let (block, mut actions) = (original.block, Vec::new());
        if peers.is_dead(from) {
            return actions;
        }
        if let Some(memory) = self.here(block, &mut actions) {
            actions.push(CopyAction::Lend { to: from, block, memory });
            return actions;
        }
        if !self.table.contains_key(&block) {
            self.begin(original, bytes, Way::Keeper(self.me), peers, &mut actions);
        }
        self.add_asker(block, from);
        self.fail_where_owner_is_dead(block, peers, &mut actions);
        actions
    }

    /// A rank of another host was sent here by the owner.
    pub fn shared(&mut self, block: ObjectId, from: Rank, peers: &impl Peers) -> Actions<M, W> {
        let mut actions = Vec::new();
        if peers.is_dead(from) {
            return actions;
        }
        if let Some(memory) = self.here(block, &mut actions) {
            actions.push(CopyAction::Lend { to: from, block, memory });
            return actions;
        }
        match self.table.get(&block) {
            // Only what the owner knows of is waited for (Y4).
            Some(Entry::Coming(coming)) if coming.is_located() => self.add_asker(block, from),
            _ => actions.push(refusal(from, block, no_copy(block, self.me))),
        }
        actions
    }

    /// The owner says who has a block, or why nobody does.
    pub fn holders(&mut self, block: ObjectId, holders: Result<Holders, Error>, peers: &impl Peers) -> Actions<M, W> {
        let mut actions = Vec::new();
        let original = |holders: &Holders| holders.original.map(|offset| Source { block, offset });
        let coming = match self.table.get_mut(&block) {
            Some(Entry::Coming(coming)) if matches!(coming.stage, Stage::Locating) => coming,
            _ => {
                // Nobody waits for this answer any more.
                actions.extend(holders.ok().and_then(|holders| original(&holders)).map(|_| CopyAction::Return(block)));
                return actions;
            }
        };
        match holders {
            Err(error) => self.fail(block, &error, &mut actions),
            Ok(holders) => {
                let (dead, alive): (Vec<Rank>, Vec<Rank>) =
                    holders.others.iter().partition(|rank| peers.is_dead(**rank) || **rank == self.me);
                coming.without.extend(dead);
                actions.extend(alive.iter().map(|rank| CopyAction::Send(*rank, CopyMessage::Share { block })));
                let sources = original(&holders).into_iter().collect();
                coming.stage = Stage::Borrowing { asked: alive, sources };
                self.borrowed(block, peers, &mut actions);
            }
        }
        actions
    }

    /// A rank lends its copy, or says why not.
    pub fn have(
        &mut self,
        block: ObjectId,
        from: Rank,
        loan: Result<Loan<M>, Error>,
        peers: &impl Peers,
    ) -> Actions<M, W> {
        let mut actions = Vec::new();
        let Some(Entry::Coming(coming)) = self.table.get_mut(&block) else {
            return_loan(loan, &mut actions);
            return actions;
        };
        match (&mut coming.stage, loan) {
            (Stage::Asked(keeper), loan) if *keeper == from => match loan {
                Ok(Loan::Mapped(memory)) => self.arrived(block, memory, peers, &mut actions),
                Ok(Loan::Counted(source)) => self.read(block, vec![source], &mut actions),
                // What the keeper could not bring, it has no room for perhaps, this rank may.
                Err(_) => self.locate(block, peers, &mut actions),
            },
            (Stage::Borrowing { asked, sources }, loan) if asked.contains(&from) => {
                asked.retain(|other| *other != from);
                match loan {
                    Ok(Loan::Mapped(memory)) => {
                        actions.extend(sources.iter().map(|source| CopyAction::Return(source.block)));
                        self.arrived(block, memory, peers, &mut actions);
                    }
                    Ok(Loan::Counted(source)) => {
                        sources.push(source);
                        self.borrowed(block, peers, &mut actions);
                    }
                    Err(_) => {
                        coming.without.push(from);
                        self.borrowed(block, peers, &mut actions);
                    }
                }
            }
            (_, loan) => return_loan(loan, &mut actions),
        }
        actions
    }

    /// A read is over.
    pub fn read_done(&mut self, token: u64, outcome: Result<Arc<M>, Error>, peers: &impl Peers) -> Actions<M, W> {
        let mut actions = Vec::new();
        let block = self.reading.remove(&token);
        let coming = block.and_then(|block| match self.table.get_mut(&block) {
            Some(Entry::Coming(coming)) => Some((block, coming)),
            _ => None,
        });
        let Some((block, coming)) = coming else {
            actions.extend(outcome.ok().map(CopyAction::Drop));
            return actions;
        };
        let (sources, counted) = match &coming.stage {
            Stage::Reading { token: current, sources, counted } if *current == token => (sources.clone(), *counted),
            _ => {
                actions.extend(outcome.ok().map(CopyAction::Drop));
                return actions;
            }
        };
        if counted {
            actions.extend(sources.iter().map(|source| CopyAction::Return(source.block)));
        }
        match outcome {
            Ok(memory) => self.arrived(block, memory, peers, &mut actions),
            Err(error) => {
                let read_original = sources.iter().any(|source| source.block == block);
                if !counted || read_original || matches!(error, Error::StoreFull { .. }) {
                    self.fail(block, &error, &mut actions);
                } else {
                    coming.without.extend(sources.iter().map(|source| source.block.owner));
                    self.locate(block, peers, &mut actions);
                }
            }
        }
        actions
    }

    /// The owner says that a block is gone: its copy is not kept any more.
    pub fn gone(&mut self, block: ObjectId) -> Actions<M, W> {
        let mut actions = Vec::new();
        if matches!(self.table.get(&block), Some(Entry::Here(_))) {
            self.forget(block, false, &mut actions);
        }
        actions
    }

    /// A rank is gone, and with it those who wait that `waits_in_vain` names: they had their grants from it.
    pub fn lost(&mut self, rank: Rank, waits_in_vain: impl Fn(&W) -> bool, peers: &impl Peers) -> Actions<M, W> {
        let mut actions = Vec::new();
        let blocks: Vec<ObjectId> = self.table.keys().copied().collect();
        for block in blocks {
            match self.table.get_mut(&block) {
                Some(Entry::Coming(coming)) => {
                    coming.waiters.retain(|waiter| !waits_in_vain(waiter));
                    coming.askers.retain(|asker| *asker != rank);
                    self.lost_for(block, rank, peers, &mut actions);
                }
                // Nobody will say when it goes; who uses it may.
                Some(Entry::Here(here)) if block.owner == rank => {
                    here.listed = false;
                    self.let_go(block, &mut actions);
                }
                _ => {}
            }
        }
        actions
    }

    /// Forgets everything: the end. What was kept is to be dropped where no lock is held.
    pub fn clear(&mut self) -> Vec<Arc<M>> {
        self.kept_bytes = 0;
        let entries = std::mem::take(&mut self.table).into_values();
        entries.filter_map(|entry| if let Entry::Here(here) = entry { here.kept } else { None }).collect()
    }
}

/// The rank among `alive`, those of one host, that keeps copies of a block: the one with the highest hash of both. So where two
/// ranks disagree about who is alive, each still asks one that is nearer to it (Y4).
pub fn keeper(block: ObjectId, alive: impl Iterator<Item = Rank>) -> Option<Rank> {
    let weight = |rank: Rank| {
        let mixed = (u64::from(block.owner) << 32 | u64::from(rank)) ^ block.number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The finalizer of splitmix64.
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    alive.max_by_key(|rank| (weight(*rank), *rank))
}

fn return_loan<M: ?Sized, W>(loan: Result<Loan<M>, Error>, actions: &mut Actions<M, W>) {
    match loan {
        Ok(Loan::Mapped(memory)) => actions.push(CopyAction::Drop(memory)),
        Ok(Loan::Counted(source)) => actions.push(CopyAction::Return(source.block)),
        Err(_) => {}
    }
}

#[cfg(test)]
#[path = "copies/tests.rs"]
mod tests;
