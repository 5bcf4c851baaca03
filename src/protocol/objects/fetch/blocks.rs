//! Blocks of other hosts' stores that this rank needs, and copies for the ranks of this host: performs what the pure
//! table ([`Copies`]) and, for this rank's own blocks, the list of their holders ([`ObjectLocations`]) decide.

use crate::base::sync::{AtomicBool, Ordering};
use crate::base::{Error, ObjectId, Rank, Result};
use crate::objects::ArrayMemory;
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::fetch::unfetched::UnfetchedValue;
use crate::protocol::{BlockAddress, Message};
use crate::store::{
    CHUNK_BYTES, Copies, CopyAction, CopyMessage, CopySource, FetchRoute, Holders, HostPeers, ObjectLocations,
    ServedCopy, cache_rank,
};
use std::sync::{Arc, Mutex};

/// Below this length each rank reads a block for itself: a request to another rank of the host would take longer.
const SHARED_BYTES_MIN: u64 = 64 << 10;

/// What a block is fetched for.
pub enum FetchPurpose {
    /// The first of the deferred messages of that rank.
    Message(Rank),
    /// An unfetched value, which lives until its blocks have come.
    Value(Arc<UnfetchedValue>),
}

/// An action that the table decided on.
type TableAction = CopyAction<dyn ArrayMemory, FetchPurpose>;

/// The table, and the messages that it decided on while a thread sends those before them, in order.
struct CopyTable {
    copies: Copies<dyn ArrayMemory, FetchPurpose>,
    unsent: Vec<(Rank, CopyMessage)>,
    is_sending: bool,
}

/// The copies that a rank has, and the ranks that have copies of its own blocks.
pub struct HostCopies {
    table: Mutex<CopyTable>,
    locations: Mutex<ObjectLocations>,
    /// True once this rank has sent the location of one of its blocks.
    has_sent_locations: AtomicBool,
}

impl HostCopies {
    /// The copies of rank `rank`.
    pub fn new(rank: Rank) -> HostCopies {
        HostCopies {
            table: Mutex::new(CopyTable { copies: Copies::new(rank), unsent: Vec::new(), is_sending: false }),
            locations: Mutex::new(ObjectLocations::new(rank)),
            has_sent_locations: AtomicBool::new(false),
        }
    }

    /// Limits the bytes of this rank's store that unused copies occupy.
    pub fn set_cache_bytes_max(&self, bytes: u64) {
        lock(&self.table).copies.set_cache_limit(bytes);
    }

    /// Visits the ranks from which blocks, or replies about blocks, are awaited.
    pub(in crate::protocol) fn awaited(&self, visit: &mut impl FnMut(Rank)) {
        lock(&self.table).copies.visit_awaited(visit);
    }

    /// How many blocks are being fetched.
    pub(in crate::protocol) fn fetching_count(&self) -> usize {
        lock(&self.table).copies.fetching_count()
    }

    /// Forgets everything at shutdown.
    pub fn clear(&self) {
        let entries = lock(&self.table).copies.clear();
        drop(entries);
    }
}

/// The other ranks, as the environment knows them.
struct EnvPeers<'a, D>(&'a D);

impl<D: Environment> HostPeers for EnvPeers<'_, D> {
    fn is_dead(&self, rank: Rank) -> bool {
        self.0.is_dead(rank)
    }
    fn death_of(&self, rank: Rank) -> Error {
        self.0.death_error(rank)
    }
    fn cache_rank(&self, block: ObjectId) -> Rank {
        let me = self.0.rank();
        let shares = |rank: &Rank| *rank == me || (self.0.is_mapped(*rank) && !self.0.is_dead(*rank));
        cache_rank(block, self.0.host_ranks().iter().copied().filter(shares)).unwrap_or(me)
    }
}

impl HostCopies {
    /// Fetches a block of another host's store, and hands it to its purpose, perhaps before this returns. Until then
    /// the caller retains the grants that came with the address. `shared` is true where other ranks of this host may
    /// need the block too.
    pub(in crate::protocol) fn fetch(
        &self,
        env: &impl Environment,
        address: BlockAddress,
        shared: bool,
        purpose: FetchPurpose,
    ) {
        let peers = EnvPeers(env);
        let source = CopySource { block: address.block, offset: address.offset };
        let route = if shared && address.bytes >= SHARED_BYTES_MIN {
            FetchRoute::Cached(peers.cache_rank(address.block))
        } else {
            FetchRoute::Direct
        };
        self.update(env, |copies| copies.fetch(source, address.bytes, route, purpose, &peers));
    }

    /// The read that `Environment::pull` started is done, or failed.
    pub fn on_pulled(&self, env: &impl Environment, token: u64, memory: Result<Arc<dyn ArrayMemory>>) {
        self.update(env, |copies| copies.on_read_done(token, memory, &EnvPeers(env)));
    }

    /// Evicts unused copies from this rank's store until `bytes` are free; returns how many bytes it freed.
    pub fn evict(&self, env: &impl Environment, bytes: u64) -> u64 {
        let mut freed = 0;
        self.update(env, |copies| {
            let (bytes, actions) = copies.evict(bytes);
            freed = bytes;
            actions
        });
        freed
    }

    /// A numbered block of this rank was freed: its copies are no longer retained.
    pub fn on_block_freed(&self, env: &impl Messenger, number: u64) {
        if !self.has_sent_locations.load(Ordering::Acquire) {
            return;
        }
        let block = ObjectId { owner: env.rank(), number };
        let holders = lock(&self.locations).on_freed(number);
        for holder in holders {
            env.send(holder, &Message::Copy(CopyMessage::Freed { block }));
        }
    }

    /// A rank died.
    pub(in crate::protocol) fn on_peer_failed(&self, env: &impl Environment, rank: Rank) {
        lock(&self.locations).on_rank_failed(rank);
        let is_obsolete = |purpose: &FetchPurpose| matches!(purpose, FetchPurpose::Message(from) if *from == rank);
        self.update(env, |copies| copies.on_rank_failed(rank, is_obsolete, &EnvPeers(env)));
    }

    /// A message about copies.
    pub(in crate::protocol) fn on_message(&self, env: &impl Environment, from: Rank, message: CopyMessage) {
        let peers = EnvPeers(env);
        match message {
            CopyMessage::Request { original, bytes } if original.block.owner != env.rank() => {
                self.update(env, |copies| copies.on_request(original, bytes, from, &peers));
            }
            CopyMessage::ShareRequest { block } => {
                self.update(env, |copies| copies.on_share_request(block, from, &peers));
            }
            CopyMessage::CopyReply { block, bytes, copy } => {
                let served = copy.and_then(|source| self.import_copy(env, source, bytes, from));
                self.update(env, |copies| copies.on_copy_reply(block, from, served, &peers));
            }
            CopyMessage::Holders { block, holders } => {
                if let Ok(Holders { original: Some(_), .. }) = &holders {
                    env.protocol().objects.references.retain_grants(env, block, from);
                }
                self.update(env, |copies| copies.on_holders(block, holders, &peers));
            }
            CopyMessage::Freed { block } => self.update(env, |copies| copies.on_freed(block)),
            CopyMessage::Locate { block, bytes, excluded } => self.on_locate(env, from, (block, bytes), &excluded),
            CopyMessage::CopyComplete { block } => {
                let memory = env.protocol().objects.references.own_memory(block.number);
                self.has_sent_locations.store(true, Ordering::Release);
                let mut locations = lock(&self.locations);
                let is_freed = !env.is_dead(from) && !locations.on_copy_complete(block.number, from, memory.is_some());
                drop(locations);
                // The sender's next messages are handled after this one, so it cannot have a newer copy of the block.
                if is_freed {
                    env.send(from, &Message::Copy(CopyMessage::Freed { block }));
                }
            }
            CopyMessage::CopyDropped { block } => lock(&self.locations).on_copy_dropped(block.number, from),
            CopyMessage::Request { .. } => {}
        }
    }

    /// The rank that caches a block for another host requests a location of a block of this rank.
    fn on_locate(&self, env: &impl Environment, from: Rank, (block, bytes): (ObjectId, u64), excluded: &[Rank]) {
        let memory =
            if block.owner == env.rank() { env.protocol().objects.references.own_memory(block.number) } else { None };
        let holders = match &memory {
            None => Err(Error::ObjectLost {
                object: block.to_string(),
                reason: format!("its owner, rank {}, does not know it any more", env.rank()),
            }),
            Some(memory) => {
                let mut locations = lock(&self.locations);
                if env.is_dead(from) {
                    return;
                }
                self.has_sent_locations.store(true, Ordering::Release);
                let mut others = locations.locate(block.number, from, bytes > CHUNK_BYTES as u64, excluded);
                let has_own = others.contains(&env.rank());
                others.retain(|rank| *rank != env.rank());
                let address =
                    has_own.then(|| env.protocol().objects.references.export_memory(env, memory, from)).transpose();
                address.map(|address| Holders { original: address.map(|address| address.offset), others })
            }
        };
        env.send(from, &Message::Copy(CopyMessage::Holders { block, holders }));
    }

    /// Imports a copy that another rank serves, and counts it; maps it where possible.
    fn import_copy(
        &self,
        env: &impl Environment,
        source: CopySource,
        bytes: u64,
        from: Rank,
    ) -> Result<ServedCopy<dyn ArrayMemory>> {
        let owner = source.block.owner;
        if owner == env.rank() || env.is_mapped(owner) {
            let address = BlockAddress { block: source.block, offset: source.offset, bytes };
            return env
                .protocol()
                .objects
                .references
                .import_memory(env, address, from, &FetchedBlocks::default())
                .map(ServedCopy::Mapped);
        }
        env.protocol().objects.references.retain_grants(env, source.block, from);
        Ok(ServedCopy::Granted(source))
    }

    /// Lets the table decide, sends its messages, and performs its other actions. A thread that decides while another
    /// one sends leaves its messages to that one, which sends them in the order of the decisions (PROTOCOL-FETCH-3): an
    /// owner that heard of a new fetch first, and then of the end of the copy before it, would not know that this rank
    /// waits (LOCATIONS-1). What the thread does after this may overtake its messages: that may cost a cached copy,
    /// which the owner then does not know and has dropped (`Freed`), and nothing else.
    fn update(
        &self,
        env: &impl Environment,
        decide: impl FnOnce(&mut Copies<dyn ArrayMemory, FetchPurpose>) -> Vec<TableAction>,
    ) {
        let (actions, mut unsent) = {
            let mut guard = lock(&self.table);
            let table = &mut *guard;
            let (mut actions, mut unsent) = (Vec::new(), Vec::new());
            for action in decide(&mut table.copies) {
                match action {
                    CopyAction::Send(to, message) => unsent.push((to, message)),
                    action => actions.push(action),
                }
            }
            if table.is_sending {
                table.unsent.append(&mut unsent);
            }
            table.is_sending |= !unsent.is_empty();
            (actions, unsent)
        };
        while !unsent.is_empty() {
            for (to, message) in unsent {
                env.send(to, &Message::Copy(message));
            }
            unsent = self.next_unsent();
        }
        actions.into_iter().for_each(|action| self.perform(env, action));
    }

    /// What was decided while the calling thread sent; if there is nothing, it stops sending.
    fn next_unsent(&self) -> Vec<(Rank, CopyMessage)> {
        let mut table = lock(&self.table);
        table.is_sending = !table.unsent.is_empty();
        std::mem::take(&mut table.unsent)
    }

    fn perform(&self, env: &impl Environment, action: TableAction) {
        match action {
            CopyAction::Send(to, message) => env.send(to, &Message::Copy(message)),
            CopyAction::Serve { to, block, memory } => {
                let address = env.protocol().objects.references.export_memory(env, &memory, to);
                let bytes = address.as_ref().map_or(0, |address| address.bytes);
                let copy = address.map(|address| CopySource { block: address.block, offset: address.offset });
                env.send(to, &Message::Copy(CopyMessage::CopyReply { block, bytes, copy }));
            }
            CopyAction::Read { token, bytes, sources } => {
                if let Err(error) = env.pull(token, bytes, &sources) {
                    self.on_pulled(env, token, Err(error));
                }
            }
            CopyAction::ReleaseGrant(block) => env.protocol().objects.references.on_decoded(env, block),
            CopyAction::Deliver { waiter: FetchPurpose::Message(from), block, outcome } => {
                env.protocol().inbound.on_message_block(env, from, block, outcome);
            }
            CopyAction::Deliver { waiter: FetchPurpose::Value(value), block, outcome } => {
                let step = value.on_block(env, block, outcome);
                env.protocol().objects.advance(env, &value, step);
            }
            CopyAction::Drop(memory) => drop(memory),
        }
    }
}
