//! The node as what drives its rank's protocol: what is asked for is done with roads, queues and memory.

use crate::base::{Error, Rank, Result};
use crate::memory::PeerArena;
use crate::objects::{ArrayMemory, Attachment, Links};
use crate::protocol::{ActorHome, ActorRef, Driver, Message, Protocol, WirePlace};
use crate::registry::{Options, Runnable, TableEntry, functions};
use crate::runtime::memory::{OwnMemory, PeerMemory};
use crate::runtime::queues::Work;
use crate::runtime::{Runtime, worker};
use crate::scheduling::Grant;
use crate::store::Source;
use std::borrow::Cow;
use std::sync::Arc;

impl Runtime {
    /// The store of `rank`, where it is mapped here.
    fn arena_of(&self, rank: Rank) -> Option<Arc<PeerArena>> {
        crate::base::sync::lock(&self.arenas).get(rank as usize)?.clone()
    }

    /// Whether the store of `rank` can be read here as memory.
    pub(super) fn is_readable_here(&self, rank: Rank) -> bool {
        rank == self.rank || self.arena_of(rank).is_some()
    }
}

impl Driver for &'static Runtime {
    fn protocol(&self) -> &Protocol {
        &self.protocol
    }
    fn rank(&self) -> Rank {
        self.rank
    }
    fn size(&self) -> u32 {
        self.size
    }
    fn stopping(&self) -> bool {
        Runtime::current().is_none() || Runtime::stopping(self)
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        Runtime::send(self, to, message);
    }
    fn is_dead(&self, rank: Rank) -> bool {
        Runtime::is_dead(self, rank)
    }
    fn death_of(&self, rank: Rank) -> Error {
        Runtime::death_of(self, rank)
    }
    fn lost_touch(&self, rank: Rank, reason: &str) {
        Runtime::lost_touch(self, rank, reason);
    }
    fn give_up(&self, rank: Rank, reason: &str) {
        self.lost(rank, reason);
    }
    fn refuse_dead(&self, rank: Rank) {
        self.refuse_the_dead(rank);
    }
    fn report(&self, error: Error) {
        Runtime::report(self, error);
    }
    fn other(&self, from: Rank, message: Message<'_>) {
        match message {
            Message::Ask { token, question } => self.on_ask(from, token, question),
            Message::Line { task, text } => self.reports.print_line(self, from, &task, &text),
            Message::Failed(error) => self.reports.failed(self, error),
            Message::Beside { words } => self.roads.heard_beside(from, words),
            Message::Resume { leg, delivered } => self.on_resume(from, leg, delivered),
            // Rank 0 alone declares others dead; that this rank is given up, who has been told says.
            Message::Died { rank, reason } if from == 0 || rank == self.rank => self.lost(rank, &reason),
            Message::Suspect { rank, reason, evidence } => self.on_suspect(from, rank, &reason, evidence),
            Message::Probe { round } => Runtime::send(self, from, &Message::Alive { round }),
            Message::Alive { round } => self.on_alive(from, round),
            Message::Leave => self.on_leave(from),
            Message::Stop => self.stop(),
            Message::Shed { bytes } => self.on_shed(from, bytes),
            Message::Group(message) => self.on_group(from, message),
            _ => {}
        }
    }
    fn answered(&self, token: u64, answer: Result<Vec<u8>>) {
        self.questions.answer(token, answer);
    }
    fn links(&self) -> Arc<dyn Links> {
        Runtime::links(self)
    }
    fn entry(&self, key: u64) -> Option<&'static TableEntry> {
        functions().get(key)
    }
    fn store(&self, bytes: &[u8]) -> Result<Arc<dyn ArrayMemory>> {
        let mut block = self.allocate(bytes.len())?;
        block.as_mut_slice()[..bytes.len()].copy_from_slice(bytes);
        Ok(Arc::new(OwnMemory::new(block)))
    }
    fn in_the_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Runtime::in_the_store(self, attachments)
    }
    fn place_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<WirePlace> {
        if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
            let (offset, bytes) = own.place();
            let block = crate::base::ObjectId { owner: self.rank, number: own.number_or(fresh) };
            return Some(WirePlace { block, offset, bytes });
        }
        let peer = memory.as_any().downcast_ref::<PeerMemory>()?;
        Some(WirePlace { block: peer.id, offset: peer.offset, bytes: peer.length })
    }
    fn is_mapped(&self, rank: Rank) -> bool {
        self.arena_of(rank).is_some()
    }
    fn map(&self, place: WirePlace) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        let arena = self.arena_of(place.block.owner).ok_or("its store is not mapped here")?;
        let memory = PeerMemory::new(place.block, arena, place.offset, place.bytes, Runtime::links(self));
        Ok(Arc::new(memory.ok_or("it lies outside of its store")?))
    }
    fn host_ranks(&self) -> &[Rank] {
        Runtime::host_ranks(self)
    }
    fn pull(&self, token: u64, bytes: u64, sources: &[Source]) -> Result<()> {
        self.pull_when_room(token, bytes as usize, sources)
    }
    fn room_may_have_grown(&self) {
        self.room.may_have_grown();
    }
    fn place(&self, options: &Options, name: &str) -> Result<Option<Rank>> {
        Runtime::place(self, options, name)
    }
    fn find_seat(&self, actor: &Arc<ActorRef>, options: &Options, error: &Error) {
        self.find_home_of(actor, options, error);
    }
    fn takes(&self, task: &Arc<dyn Runnable>) -> bool {
        let seat = task.header().options.as_deref().and_then(Options::seat);
        seat.is_none_or(|seat| self.is_seated(task, seat))
    }
    fn enqueue(&self, task: Arc<dyn Runnable>) {
        self.push(Work::Task(task));
    }
    fn enqueue_actor(&self, home: Arc<ActorHome>) {
        self.push(Work::Actor(home));
    }
    fn give_back(&self, grant: Grant, cpu: i64) {
        Runtime::give_back(self, &grant);
        self.give_back_cpu(cpu);
    }
    fn named(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, String>) {
        self.handles.answer(token, outcome);
    }
    fn surplus(&self) -> usize {
        self.surplus_tasks()
    }
    fn has_room(&self, rank: Rank) -> bool {
        self.can_run(rank)
    }
    fn take_for(&self, thief: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        self.take_for_thief(thief, count)
    }
    fn rests(&self) -> bool {
        self.idle.any() || worker::here().is_some_and(|worker| worker.takes_it_up())
    }
    fn resting(&self) -> usize {
        self.workers().iter().filter(|worker| worker.is_resting()).count()
    }
    fn has_work(&self) -> bool {
        self.queues.has_any()
    }
}
