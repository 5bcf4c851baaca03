//! The environment of a simulated rank's protocol.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank, Result};
use crate::objects::{ArrayMemory, Attachment, Links};
use crate::protocol::{
    ActorInstance, ActorRef, BlockAddress, BlockStore, Environment, LastWork, Liveness, Message, Messenger, NameError,
    Observer, Protocol, RankSelection, WorkQueue, assert_may_send,
};
use crate::registry::{Options, Placement, Runnable, TableEntry};
use crate::scheduling::StealState;
use crate::sim::coverage::Coverage;
use crate::sim::memory::SimMemory;
use crate::sim::task::function;
use crate::sim::world::{Event, SimEnvironment};
use crate::store::CopySource;
use std::borrow::Cow;
use std::sync::Arc;

impl Messenger for SimEnvironment {
    fn rank(&self) -> Rank {
        self.rank
    }
    fn size(&self) -> u32 {
        self.world.setting.ranks
    }
    fn is_stopping(&self) -> bool {
        self.node().is_dead()
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        assert_may_send();
        if self.node().is_dead() {
            return;
        }
        if to == self.rank {
            if self.world.setting.verbose {
                println!("{:>9} ns  rank {to} to itself: {message:?}", self.world.now_ns());
            }
            self.protocol().handle(self, to, &message.encode(Vec::new()));
        } else if !self.is_dead(to) {
            self.world.send(self.rank, to, message, || StealState::load_class(self.node().surplus()));
        }
    }
}

impl Liveness for SimEnvironment {
    fn is_dead(&self, rank: Rank) -> bool {
        self.node().knows_dead(rank)
    }
    fn death_error(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: "simulated".to_string(), reason: "it died while the cluster ran".to_string() }
    }
    fn report_link_failure(&self, rank: Rank, reason: &str) {
        self.world.report_violation(format!("rank {} lost every transport to rank {rank}: {reason}", self.rank));
    }
    fn declare_dead(&self, rank: Rank, reason: &str) {
        if !self.world.setting.failing_ranks().contains(&rank) {
            self.world.report_violation(format!("rank {} gives rank {rank} up: {reason}", self.rank));
        }
        self.on_rank_dead(rank);
    }
    fn notify_declared_dead(&self, rank: Rank) {
        let reason = "it was declared dead before".to_string();
        self.world.send(self.rank, rank, &Message::Died { rank, reason, last_work: LastWork::Uninvolved }, || 0);
    }
}

impl BlockStore for SimEnvironment {
    fn write_block(&self, bytes: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<Arc<dyn ArrayMemory>> {
        let mut block = vec![0; bytes];
        write(&mut block);
        Ok(self.block(block, bytes as u64))
    }
    fn ensure_in_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Ok(Cow::Owned(self.move_all_to_store(attachments)))
    }
    fn address_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<BlockAddress> {
        Some(memory.as_any().downcast_ref::<SimMemory>()?.address(fresh))
    }
    fn is_mapped(&self, rank: Rank) -> bool {
        self.world.setting.network.share_a_host(self.rank, rank)
    }
    fn map_block(&self, address: BlockAddress) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        if let Some(memory) =
            self.world.node(address.block.owner).store.mapped(address, self.links(), &self.node().store)
        {
            return Ok(memory);
        }
        self.on_late_read(address);
        Err("it was freed")
    }
    fn host_ranks(&self) -> &[Rank] {
        &self.node().host
    }
    fn pull(&self, token: u64, bytes: u64, sources: &[CopySource]) -> Result<()> {
        if !self.make_space(bytes) && self.world.setting.store.strict {
            self.world.covered(Coverage::StoreFull);
            return Err(self.store_full(bytes));
        }
        self.node().store.reserve(bytes);
        self.start_read(token, bytes, sources.to_vec());
        Ok(())
    }
}

impl RankSelection for SimEnvironment {
    fn select_rank(&self, options: &Options, _: &str) -> Result<Option<Rank>> {
        let size = self.size();
        match &options.place {
            Placement::Rank(rank) if self.is_dead(*rank) => Err(self.death_error(*rank)),
            Placement::Rank(rank) => Ok(Some(*rank)),
            Placement::Spread => {
                let first = self.node().spread.fetch_add(1, Ordering::Relaxed) + self.rank;
                Ok((0..size).map(|step| (first + step) % size).find(|rank| !self.is_dead(*rank)))
            }
            _ => Ok(None),
        }
    }
}

impl WorkQueue for SimEnvironment {
    fn enqueue(&self, task: Arc<dyn Runnable>) {
        let header = task.header();
        let stealable = header.stealable && header.options.as_ref().is_none_or(|options| options.is_free());
        self.node().push(task, stealable);
        self.schedule_work();
        if stealable && self.protocol().stealing.has_stealers() {
            self.protocol().stealing.serve_stealers(self);
        }
    }
    fn enqueue_actor(&self, instance: Arc<ActorInstance>) {
        self.node().push_actor(instance);
        self.schedule_work();
    }
    fn surplus(&self) -> usize {
        self.node().surplus()
    }
    fn take_tasks_for(&self, _: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        let mut stolen = Vec::new();
        while stolen.len() < count {
            let Some(task) = self.node().oldest() else { break };
            if task.header().claim() {
                stolen.push(task);
            }
        }
        stolen
    }
    fn is_idle(&self) -> bool {
        self.node().is_idle()
    }
    fn idle_workers(&self) -> usize {
        self.node().free_workers()
    }
    fn has_work(&self) -> bool {
        self.node().has_work()
    }
}

impl Observer for SimEnvironment {
    fn report_failure(&self, _: Error) {}
    fn handle_other(&self, from: Rank, message: Message<'_>) {
        match message {
            // Rank 0 alone declares other ranks dead; any rank that knows it may tell this rank of its own death.
            Message::Died { rank, .. } if from == 0 || rank == self.rank => self.on_rank_dead(rank),
            Message::EvictRequest { bytes } => drop(self.evict_resident(from, bytes)),
            other => self.world.report_violation(format!("rank {} received {other:?} from rank {from}", self.rank)),
        }
    }
    fn on_response(&self, token: u64, _: Result<Vec<u8>>) {
        self.world.report_violation(format!(
            "rank {} received a response to request {token}, which it never sent",
            self.rank
        ));
    }
    fn on_name_reply(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, NameError>) {
        self.on_name_response(token, outcome);
    }
}

impl Environment for SimEnvironment {
    fn protocol(&self) -> &Protocol {
        &self.node().protocol
    }
    fn links(&self) -> Arc<dyn Links> {
        self.node().links(self)
    }
    fn table_entry(&self, key: u64) -> Option<&'static TableEntry> {
        function(key)
    }
}

impl SimEnvironment {
    /// A block was freed before this rank could read it. That is legitimate for a rank that was declared dead: no other
    /// rank accepts its messages.
    fn on_late_read(&self, address: BlockAddress) {
        if !self.world.node(address.block.owner).knows_dead(self.rank) {
            self.world.report_violation(format!("rank {} reads {}, which was freed", self.rank, address.block));
        }
    }

    /// Begins to read from all sources, from each its part.
    fn start_read(&self, token: u64, bytes: u64, sources: Vec<CopySource>) {
        let part = bytes.div_ceil(sources.len().max(1) as u64);
        let delay_ns = self.world.setting.network.read_ns(part);
        self.world.schedule_after(delay_ns, Event::ReadDone { rank: self.rank, token, bytes, sources });
    }

    /// The time that a read takes is over: its bytes are here, unless a source died meanwhile.
    pub fn on_read_done(&self, token: u64, bytes: u64, sources: &[CopySource]) {
        let is_there = |source: &CopySource| {
            let owner = source.block.owner;
            !self.world.node(owner).is_dead() && !self.is_dead(owner)
        };
        let alive: Vec<CopySource> = sources.iter().copied().filter(is_there).collect();
        if alive.is_empty() {
            self.node().store.unreserve(bytes);
            let CopySource { block, .. } = sources[0];
            let reason = format!("rank {}, whose store had it, has died", block.owner);
            let error = Error::ObjectLost { object: block.to_string(), reason };
            return self.protocol().objects.copies.on_pulled(self, token, Err(error));
        }
        if alive.len() < sources.len() {
            // The parts of the dead sources are read from the others.
            return self.start_read(token, bytes, alive);
        }
        self.node().store.unreserve(bytes);
        let memory = self.bytes_at(&alive, bytes);
        self.protocol().objects.copies.on_pulled(self, token, Ok(memory));
    }

    /// The bytes at the sources now. A block that has been freed by then is read all the same and yields other bytes,
    /// which no task may see.
    fn bytes_at(&self, sources: &[CopySource], bytes: u64) -> Arc<dyn ArrayMemory> {
        let store = &self.node().store;
        let mut found = None;
        for source in sources {
            let lies = self.world.node(source.block.owner).store.read(source.offset);
            if lies.is_none() && self.protocol().objects.references.has_grants(source.block) {
                self.on_late_read(BlockAddress { block: source.block, offset: source.offset, bytes });
            }
            found = found.or(lies);
        }
        match found {
            Some((bytes, length)) => store.block(bytes, length),
            None => store.block(vec![OVERWRITTEN; bytes.min(OVERWRITTEN_BYTES_MAX) as usize], bytes),
        }
    }
}

/// The bytes at the address of a freed block, and how many of them the simulation stores.
const OVERWRITTEN: u8 = 0xee;
const OVERWRITTEN_BYTES_MAX: u64 = 1 << 16;
