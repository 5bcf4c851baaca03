//! The runtime as the environment of its rank's protocol: carries out the protocol's requests with transports, queues
//! and memory.

use crate::base::{Error, Rank, Result};
use crate::memory::PeerArena;
use crate::objects::{ArrayMemory, Attachment, Links};
use crate::protocol::{ActorInstance, ActorRef, Environment, Message, Protocol, BlockAddress};
use crate::registry::{Options, Runnable, TableEntry, functions};
use crate::runtime::Runtime;
use crate::runtime::memory::{OwnMemory, PeerMemory};
use crate::runtime::workers::{worker, Work};
use crate::scheduling::Grant;
use crate::store::CopySource;
use std::borrow::Cow;
use std::sync::Arc;

impl Runtime {
    /// The store of `rank`, if it is mapped here.
    fn arena_of(&self, rank: Rank) -> Option<Arc<PeerArena>> {
        crate::base::sync::lock(&self.arenas).get(rank as usize)?.clone()
    }

    /// Returns true if the store of `rank` can be read here as memory.
    pub(super) fn is_readable_here(&self, rank: Rank) -> bool {
        rank == self.rank || self.arena_of(rank).is_some()
    }
}

impl Environment for &'static Runtime {
    fn protocol(&self) -> &Protocol {
        &self.protocol
    }
    fn rank(&self) -> Rank {
        self.rank
    }
    fn size(&self) -> u32 {
        self.size
    }
    fn is_stopping(&self) -> bool {
        Runtime::current().is_none() || Runtime::stopping(self)
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        Runtime::send(self, to, message);
    }
    fn is_dead(&self, rank: Rank) -> bool {
        Runtime::is_dead(self, rank)
    }
    fn death_error(&self, rank: Rank) -> Error {
        Runtime::death_of(self, rank)
    }
    fn report_link_failure(&self, rank: Rank, reason: &str) {
        Runtime::on_unreachable(self, rank, reason);
    }
    fn declare_dead(&self, rank: Rank, reason: &str) {
        self.on_peer_failed(rank, reason);
    }
    fn notify_declared_dead(&self, rank: Rank) {
        self.reject_dead_rank(rank);
    }
    fn report_failure(&self, error: Error) {
        Runtime::report(self, error);
    }
    fn handle_other(&self, from: Rank, message: Message<'_>) {
        match message {
            Message::Request { token, request } => self.on_request(from, token, request),
            Message::Line { task, text } => self.reports.print_line(self, from, &task, &text),
            Message::Failed(error) => self.reports.on_task_failed(self, error),
            Message::Control { bytes } => self.router.on_control(from, bytes),
            Message::Resume { transport_index, delivered } => self.on_resume(from, transport_index, delivered),
            // Rank 0 alone declares other ranks dead; that this rank is dead, any notified rank may tell it.
            Message::Died { rank, reason } if from == 0 || rank == self.rank => self.on_peer_failed(rank, &reason),
            Message::Suspect { rank, reason, kind } => self.on_suspect(from, rank, &reason, kind),
            Message::Probe { round } => Runtime::send(self, from, &Message::Alive { round }),
            Message::Alive { round } => self.on_alive(from, round),
            Message::ShutdownReady => self.on_shutdown_ready(from),
            Message::Shutdown => self.stop(),
            Message::EvictRequest { bytes } => self.on_evict_request(from, bytes),
            Message::Group(message) => self.on_group(from, message),
            _ => {}
        }
    }
    fn on_response(&self, token: u64, response: Result<Vec<u8>>) {
        self.requests.complete(token, response);
    }
    fn links(&self) -> Arc<dyn Links> {
        Runtime::links(self)
    }
    fn table_entry(&self, key: u64) -> Option<&'static TableEntry> {
        functions().get(key)
    }
    fn store_block(&self, bytes: &[u8]) -> Result<Arc<dyn ArrayMemory>> {
        let mut block = self.allocate(bytes.len())?;
        block.as_mut_slice()[..bytes.len()].copy_from_slice(bytes);
        Ok(Arc::new(OwnMemory::new(block)))
    }
    fn ensure_in_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Runtime::in_the_store(self, attachments)
    }
    fn address_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<BlockAddress> {
        if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
            let (offset, bytes) = own.span();
            let block = crate::base::ObjectId { owner: self.rank, number: own.number_or(fresh) };
            return Some(BlockAddress { block, offset, bytes });
        }
        let peer = memory.as_any().downcast_ref::<PeerMemory>()?;
        Some(BlockAddress { block: peer.id, offset: peer.offset, bytes: peer.length })
    }
    fn is_mapped(&self, rank: Rank) -> bool {
        self.arena_of(rank).is_some()
    }
    fn map_block(&self, address: BlockAddress) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        let arena = self.arena_of(address.block.owner).ok_or("its store is not mapped here")?;
        let memory = PeerMemory::new(address.block, arena, address.offset, address.bytes, Runtime::links(self));
        Ok(Arc::new(memory.ok_or("it lies outside of its store")?))
    }
    fn host_ranks(&self) -> &[Rank] {
        Runtime::host_ranks(self)
    }
    fn pull(&self, token: u64, bytes: u64, sources: &[CopySource]) -> Result<()> {
        self.pull_when_space(token, bytes as usize, sources)
    }
    fn wake_space_waiters(&self) {
        self.space_waiters.on_space_maybe_freed();
    }
    fn select_rank(&self, options: &Options, name: &str) -> Result<Option<Rank>> {
        Runtime::choose_rank(self, options, name)
    }
    fn locate_bundle(&self, actor: &Arc<ActorRef>, options: &Options, error: &Error) {
        self.find_location_of(actor, options, error);
    }
    fn try_accept(&self, task: &Arc<dyn Runnable>) -> bool {
        let slot = task.header().options.as_deref().and_then(Options::bundle_slot);
        slot.is_none_or(|slot| self.dispatch_to_slot(task, slot))
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
    fn on_name_reply(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, String>) {
        self.handle_requests.complete(token, outcome);
    }
    fn surplus(&self) -> usize {
        self.surplus_tasks()
    }
    fn has_capacity(&self, rank: Rank) -> bool {
        self.can_run(rank)
    }
    fn take_tasks_for(&self, stealer: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        self.take_for_stealer(stealer, count)
    }
    fn is_idle(&self) -> bool {
        self.idle_workers.any() || worker::here().is_some_and(|worker| worker.accepts_directly())
    }
    fn idle_workers(&self) -> usize {
        self.workers().iter().filter(|worker| worker.is_idle()).count()
    }
    fn has_work(&self) -> bool {
        self.queues.has_any()
    }
}
