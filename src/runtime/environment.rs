//! The runtime as the environment of its rank's protocol: carries out the protocol's requests with transports, queues
//! and memory.

use crate::base::limits::DEATH_BYTES_MAX;
use crate::base::sync::Ordering;
use crate::base::text::one_line;
use crate::base::{Error, Rank, Result, TaskId};
use crate::objects::{ArrayMemory, Attachment, Links, StoreRun};
use crate::protocol::{
    ActorInstance, ActorRef, Blame, BlockAddress, BlockStore, Environment, LastWork, Liveness, Message, Messenger,
    NameError, Observer, Protocol, RankSelection, WorkId, WorkQueue, assert_may_send,
};
use crate::registry::{Options, Runnable, TableEntry, functions};
use crate::rpc::PlainBytes;
use crate::runtime::memory::{self, OwnMemory, PeerMemory};
use crate::runtime::workers::{Work, worker};
use crate::runtime::{Runtime, lifecycle, membership, resources, router, tasks, waiting};
use crate::scheduling::Grant;
use crate::store::CopySource;
use std::borrow::Cow;
use std::sync::Arc;

impl Messenger for &'static Runtime {
    fn rank(&self) -> Rank {
        self.cluster.rank
    }
    fn size(&self) -> u32 {
        self.cluster.size
    }
    fn is_stopping(&self) -> bool {
        self.stopping()
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        assert_may_send();
        Runtime::send(self, to, message);
    }
}

impl Liveness for &'static Runtime {
    fn is_dead(&self, rank: Rank) -> bool {
        Runtime::is_dead(self, rank)
    }
    fn death_error(&self, rank: Rank) -> Error {
        Runtime::death_of(self, rank)
    }
    fn blame(&self, dead: Rank, work: WorkId) -> Blame {
        self.membership.blame(dead, work)
    }
    fn report_link_failure(&self, rank: Rank, reason: &str) {
        membership::on_unreachable(self, rank, reason);
    }
    fn declare_dead(&self, rank: Rank, reason: &str) {
        membership::on_peer_failed(self, rank, reason, LastWork::Unknown);
    }
    fn notify_declared_dead(&self, rank: Rank) {
        membership::reject_dead_rank(self, rank);
    }
}

impl BlockStore for &'static Runtime {
    fn write_block(&self, bytes: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<Arc<dyn ArrayMemory>> {
        let mut block = memory::allocate(self, bytes)?;
        write(&mut block.as_mut_slice()[..bytes]);
        Ok(Arc::new(OwnMemory::new(self, block)))
    }
    fn try_store_block(&self, bytes: &[u8]) -> Option<Arc<dyn ArrayMemory>> {
        memory::try_store(self, bytes)
    }
    fn store_run(&self) -> Option<StoreRun> {
        Some(memory::store_run)
    }
    fn ensure_in_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        memory::in_the_store(self, attachments)
    }
    fn address_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<BlockAddress> {
        if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
            if !own.is_of(self) {
                return None;
            }
            let (offset, bytes) = own.span();
            let block = crate::base::ObjectId { owner: self.cluster.rank, number: own.number_or(fresh) };
            return Some(BlockAddress { block, offset, bytes });
        }
        let peer = memory.as_any().downcast_ref::<PeerMemory>().filter(|peer| peer.is_of(self))?;
        Some(BlockAddress { block: peer.id, offset: peer.offset, bytes: peer.length })
    }
    fn is_mapped(&self, rank: Rank) -> bool {
        self.memory.arena_of(rank).is_some()
    }
    fn map_block(&self, address: BlockAddress) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        let arena = self.memory.arena_of(address.block.owner).ok_or("its store is not mapped here")?;
        let memory = PeerMemory::new(self, address.block, arena, address.offset, address.bytes);
        Ok(Arc::new(memory.ok_or("it lies outside of its store")?))
    }
    fn host_ranks(&self) -> &[Rank] {
        self.cluster.host_ranks()
    }
    fn pull(&self, token: u64, bytes: u64, sources: &[CopySource]) -> Result<()> {
        memory::pull_when_space(self, token, bytes as usize, sources)
    }
    fn wake_space_waiters(&self) {
        self.memory.on_space_maybe_freed();
    }
}

impl RankSelection for &'static Runtime {
    fn select_rank_without(&self, options: Option<&Options>, excluded: [Rank; 2]) -> Option<Rank> {
        resources::choose_rank_without(self, options, excluded)
    }
    fn select_rank(&self, options: &Options, name: &str) -> Result<Option<Rank>> {
        resources::choose_rank(self, options, name)
    }
    fn locate_bundle(&self, actor: &Arc<ActorRef>, options: &Options, error: &Error) -> Option<Result<Rank>> {
        resources::find_location_of(self, actor, options, error)
    }
    fn try_accept(&self, task: &Arc<dyn Runnable>) -> bool {
        let slot = task.header().options.as_deref().and_then(Options::bundle_slot);
        slot.is_none_or(|slot| resources::dispatch_to_slot(self, task, slot))
    }
    fn has_capacity(&self, rank: Rank) -> bool {
        tasks::can_run(self, rank)
    }
}

impl WorkQueue for &'static Runtime {
    fn run_leaf(
        &self,
        id: TaskId,
        entry: &'static TableEntry,
        args: &[u8],
        value: &mut PlainBytes,
    ) -> Option<Result<()>> {
        tasks::run_leaf(self, id, entry, args, value)
    }
    fn enqueue(&self, task: Arc<dyn Runnable>) {
        self.push(Work::Task(task));
    }
    fn enqueue_actor(&self, actor: Arc<ActorInstance>) {
        self.push(Work::Actor(actor));
    }
    fn release_grant(&self, grant: Grant, cpu: i64) {
        Runtime::give_back(self, &grant);
        self.give_back_cpu(cpu);
    }
    fn surplus(&self) -> usize {
        self.workers.surplus_tasks()
    }
    fn take_tasks_for(&self, stealer: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        tasks::take_for_stealer(self, stealer, count)
    }
    fn is_idle(&self) -> bool {
        self.workers.idle.any() || worker::here().is_some_and(|worker| worker.accepts_directly())
    }
    fn idle_workers(&self) -> usize {
        self.workers.list().iter().filter(|worker| worker.idle.load(Ordering::Relaxed)).count()
    }
    fn has_work(&self) -> bool {
        self.workers.queues.has_any()
    }
}

impl Observer for &'static Runtime {
    fn report_failure(&self, error: Error) {
        Runtime::report(self, error);
    }
    fn handle_other(&self, from: Rank, message: Message<'_>) {
        match message {
            Message::Request { token, request } => waiting::on_request(self, from, token, request),
            Message::Line { task, text, is_overprinted } => {
                let end = if is_overprinted { '\r' } else { '\n' };
                self.output.reports.print_line(&self.cluster, from, &task, &text, end);
            }
            Message::Failed(error) => self.output.reports.on_task_failed(error),
            Message::Control { bytes } => self.router.on_control(from, bytes),
            Message::Resume { transport_index, delivered } => router::on_resume(self, from, transport_index, delivered),
            // Rank 0 alone declares other ranks dead; that this rank is dead, any notified rank may tell it.
            Message::Died { rank, reason, last_work } if from == 0 || rank == self.cluster.rank => {
                let reason = one_line(&reason, DEATH_BYTES_MAX);
                membership::on_peer_failed(self, rank, &reason, last_work.bounded());
            }
            Message::Suspect { rank, reason, kind, last_work } => {
                let reason = one_line(&reason, DEATH_BYTES_MAX);
                membership::on_suspect(self, from, rank, (&reason, kind), last_work.bounded());
            }
            Message::Probe { round } => Runtime::send(self, from, &Message::Alive { round }),
            Message::Alive { round } => membership::on_alive(self, from, round),
            Message::ShutdownReady => lifecycle::on_shutdown_ready(self, from),
            Message::Shutdown => self.stop(),
            Message::EvictRequest { bytes } => memory::on_evict_request(self, from, bytes),
            Message::Group(message) => resources::on_group(self, from, message),
            _ => {}
        }
    }
    fn on_response(&self, token: u64, response: Result<Vec<u8>>) {
        self.waiting.requests.complete(token, response);
    }
    fn on_name_reply(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, NameError>) {
        self.waiting.names.complete(token, outcome);
    }
}

impl Environment for &'static Runtime {
    fn protocol(&self) -> &Protocol {
        &self.protocol
    }
    fn links(&self) -> Arc<dyn Links> {
        Runtime::links(self)
    }
    fn table_entry(&self, key: u64) -> Option<&'static TableEntry> {
        functions().get(key)
    }
}
