//! A rank without threads and transports: what it sends and requests of its surroundings is recorded.

use crate::base::sync::{AtomicBool, AtomicU32, Ordering, lock};
use crate::base::{Error, ObjectId, Rank, Result};
use crate::objects::{ArrayMemory, Attachment, Links};
use crate::protocol::environment::{BlockStore, Environment, Liveness, Messenger, Observer, RankSelection, WorkQueue};
use crate::protocol::tests::functions::table_entry;
use crate::protocol::{ActorInstance, ActorRef, ActorStep, BegunWork, Blame, BlockAddress, LastWork, Message};
use crate::protocol::{NameError, Protocol, ProtocolLinks, WorkId};
use crate::registry::{ActorState, Options, Runnable, TableEntry};
use crate::scheduling::{Grant, StealState};
use crate::store::CopySource;
use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

/// What a rank requests of its surroundings, other than messages and work.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A task's failure was reported.
    Failure(Error),
    /// A link to that rank is broken.
    LinkFailure(Rank),
    /// That rank was declared dead.
    DeclaredDead(Rank),
    /// That rank was told that it is dead.
    NotifiedDead(Rank),
    /// The response to a request arrived.
    Response(u64, Result<Vec<u8>>),
    /// The reply to a name request arrived, with the actor.
    NameReply(u64, Result<Option<ObjectId>, NameError>),
    /// A message from that rank arrived that the protocol does not handle.
    Other(Rank),
    /// Tasks that wait for space were told to try again.
    SpaceWaitersWoken,
}

/// Rank `rank` of 4: ranks 0 and 1 share a host, and so do 2 and 3.
#[derive(Clone)]
pub struct MockEnvironment(Arc<MockState>);

struct MockState {
    protocol: Protocol,
    host: [Rank; 2],
    sent: Mutex<Vec<(Rank, Vec<u8>)>>,
    ready: Mutex<Vec<Arc<ActorInstance>>>,
    queued: Mutex<Vec<Arc<dyn Runnable>>>,
    pulls: Mutex<Vec<(u64, u64, Vec<CopySource>)>>,
    effects: Mutex<Vec<Effect>>,
    dead: Mutex<BTreeSet<Rank>>,
    /// The rank that the next task or actor is sent to.
    selected: AtomicU32,
    /// True if it has nothing to run once no task is queued.
    idle: AtomicBool,
    /// What dead ranks ran.
    last_works: Mutex<BTreeMap<Rank, LastWork>>,
}

impl MockEnvironment {
    pub fn new(rank: Rank) -> MockEnvironment {
        let protocol = Protocol::new(rank, 4, true, true, StealState::new(rank, 4, 1));
        MockEnvironment(Arc::new(MockState {
            protocol,
            host: [rank / 2 * 2, rank / 2 * 2 + 1],
            sent: Mutex::default(),
            ready: Mutex::default(),
            queued: Mutex::default(),
            pulls: Mutex::default(),
            effects: Mutex::default(),
            dead: Mutex::default(),
            selected: AtomicU32::new(rank),
            idle: AtomicBool::new(false),
            last_works: Mutex::default(),
        }))
    }

    /// Handles a message from `from`, then checks the invariants.
    pub fn receive(&self, from: Rank, message: &Message<'_>) {
        self.0.protocol.handle(self, from, &message.encode(Vec::new()));
        assert_eq!(self.0.protocol.check(), Ok(()), "after {message:?}");
    }

    /// Rank `rank` is dead from now on, and this rank has not noticed.
    pub fn kill_unnoticed(&self, rank: Rank) {
        lock(&self.0.dead).insert(rank);
    }

    /// Rank `rank` dies, and this rank notices.
    pub fn kill(&self, rank: Rank) {
        self.kill_unnoticed(rank);
        self.0.protocol.on_peer_failed(self, rank, &self.death_error(rank));
        assert_eq!(self.0.protocol.check(), Ok(()), "after the death of rank {rank}");
    }

    /// Rank `rank` dies while it runs these, and this rank notices.
    pub fn kill_running(&self, rank: Rank, begun: &[WorkId], is_witnessed: bool) {
        let begun = begun.iter().map(|id| BegunWork { id: Some(*id), function: 0 }).collect();
        lock(&self.0.last_works).insert(rank, LastWork::Known { begun, is_witnessed, is_complete: true });
        self.kill(rank);
    }

    /// Tasks and actors that may run anywhere are sent to `rank` from now on.
    pub fn select(&self, rank: Rank) {
        self.0.selected.store(rank, Ordering::Relaxed);
    }

    /// From now on this rank has nothing to run while no task is queued. Before, it is busy and requests no work.
    pub fn set_idle(&self) {
        self.0.idle.store(true, Ordering::Relaxed);
    }

    /// The messages sent since the last call.
    pub fn sent(&self) -> Vec<(Rank, Message<'static>)> {
        let sent = std::mem::take(&mut *lock(&self.0.sent));
        sent.into_iter().map(|(to, bytes)| (to, Message::decode(bytes.leak()).expect("it was encoded"))).collect()
    }

    /// The actors that were queued since the last call.
    pub fn ready(&self) -> Vec<Arc<ActorInstance>> {
        std::mem::take(&mut *lock(&self.0.ready))
    }

    /// The tasks that were queued since the last call.
    pub fn queued(&self) -> Vec<Arc<dyn Runnable>> {
        std::mem::take(&mut *lock(&self.0.queued))
    }

    /// Runs the queued tasks, one after the other.
    pub fn run_queued(&self) {
        for task in self.queued() {
            assert!(task.header().claim(), "a queued task can be claimed");
            task.invoke(&mut None, &|failure| Error::config(format!("{failure:?}")));
            self.0.protocol.tasks.on_finished(self, &task);
        }
    }

    /// Runs the constructors and calls of the queued actors; returns how many calls.
    pub fn run_actors(&self) -> usize {
        let mut calls = 0;
        let run = |task: &Arc<dyn Runnable>, state: &mut ActorState| {
            assert!(task.header().claim_waiting());
            task.invoke(state, &|failure| Error::config(format!("{failure:?}")));
        };
        for instance in self.ready() {
            loop {
                match instance.next_step(self) {
                    ActorStep::Admit(_) => assert!(instance.on_admitted(Grant::default()).is_none()),
                    ActorStep::Construct(task) => {
                        let mut state = None;
                        run(&task, &mut state);
                        instance.on_constructed(self, &task, state);
                    }
                    ActorStep::Call(task, mut state) => {
                        run(&task, &mut state);
                        instance.on_called(self, &task, state);
                        calls += 1;
                    }
                    ActorStep::Idle => break,
                }
            }
        }
        calls
    }

    /// The reads that were started since the last call: token, bytes, sources.
    pub fn pulls(&self) -> Vec<(u64, u64, Vec<CopySource>)> {
        std::mem::take(&mut *lock(&self.0.pulls))
    }

    /// What else was requested since the last call.
    pub fn effects(&self) -> Vec<Effect> {
        std::mem::take(&mut *lock(&self.0.effects))
    }

    fn record(&self, effect: Effect) {
        lock(&self.0.effects).push(effect);
    }

    fn block(&self, owner: Rank, bytes: &[u8]) -> MockBlock {
        MockBlock { env: self.clone(), owner, number: OnceLock::new(), bytes: bytes.to_vec() }
    }
}

/// A block of some rank's store. One of another rank consists of zeros.
struct MockBlock {
    env: MockEnvironment,
    owner: Rank,
    number: OnceLock<u64>,
    bytes: Vec<u8>,
}

impl ArrayMemory for MockBlock {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for MockBlock {
    fn drop(&mut self) {
        if let Some(number) = self.number.get()
            && self.owner != self.env.rank()
        {
            let id = ObjectId { owner: self.owner, number: *number };
            self.env.links().on_dropped(id, std::ptr::from_ref(self).addr());
        }
    }
}

impl Messenger for MockEnvironment {
    fn rank(&self) -> Rank {
        self.0.protocol.rank
    }
    fn size(&self) -> u32 {
        4
    }
    fn is_stopping(&self) -> bool {
        false
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        crate::protocol::assert_may_send();
        if !self.is_dead(to) {
            lock(&self.0.sent).push((to, message.encode(Vec::new())));
        }
    }
}

impl Liveness for MockEnvironment {
    fn is_dead(&self, rank: Rank) -> bool {
        lock(&self.0.dead).contains(&rank)
    }
    fn death_error(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: "mock".to_string(), reason: "it was killed".to_string() }
    }
    fn blame(&self, dead: Rank, work: WorkId) -> Blame {
        lock(&self.0.last_works).get(&dead).map_or(Blame::None, |last_work| last_work.blame_of(work))
    }
    fn report_link_failure(&self, rank: Rank, _: &str) {
        self.record(Effect::LinkFailure(rank));
    }
    fn declare_dead(&self, rank: Rank, _: &str) {
        self.record(Effect::DeclaredDead(rank));
        self.kill(rank);
    }
    fn notify_declared_dead(&self, rank: Rank) {
        self.record(Effect::NotifiedDead(rank));
    }
}

impl BlockStore for MockEnvironment {
    fn write_block(&self, bytes: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<Arc<dyn ArrayMemory>> {
        let mut block = vec![0; bytes];
        write(&mut block);
        Ok(Arc::new(self.block(self.rank(), &block)))
    }
    fn ensure_in_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Ok(Cow::Borrowed(attachments))
    }
    fn address_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<BlockAddress> {
        let memory = memory.as_any().downcast_ref::<MockBlock>()?;
        let block = ObjectId { owner: memory.owner, number: *memory.number.get_or_init(fresh) };
        Some(BlockAddress { block, offset: 0, bytes: memory.bytes.len() as u64 })
    }
    fn is_mapped(&self, rank: Rank) -> bool {
        self.0.host.contains(&rank)
    }
    fn map_block(&self, address: BlockAddress) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        if !self.is_mapped(address.block.owner) {
            return Err("its store is not mapped here");
        }
        let block = self.block(address.block.owner, &vec![0; address.bytes as usize]);
        block.number.get_or_init(|| address.block.number);
        Ok(Arc::new(block))
    }
    fn host_ranks(&self) -> &[Rank] {
        &self.0.host
    }
    fn pull(&self, token: u64, bytes: u64, sources: &[CopySource]) -> Result<()> {
        lock(&self.0.pulls).push((token, bytes, sources.to_vec()));
        Ok(())
    }
    fn wake_space_waiters(&self) {
        self.record(Effect::SpaceWaitersWoken);
    }
}

impl RankSelection for MockEnvironment {
    fn select_rank(&self, _: &Options, _: &str) -> Result<Option<Rank>> {
        Ok(Some(self.0.selected.load(Ordering::Relaxed)))
    }
    fn select_rank_without(&self, _: Option<&Options>, excluded: [Rank; 2]) -> Option<Rank> {
        (0..self.size()).find(|rank| !excluded.contains(rank) && !self.is_dead(*rank))
    }
}

impl WorkQueue for MockEnvironment {
    fn enqueue(&self, task: Arc<dyn Runnable>) {
        lock(&self.0.queued).push(task);
    }
    fn enqueue_actor(&self, instance: Arc<ActorInstance>) {
        lock(&self.0.ready).push(instance);
    }
    fn surplus(&self) -> usize {
        lock(&self.0.queued).len()
    }
    fn take_tasks_for(&self, _: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        let mut queued = lock(&self.0.queued);
        let count = count.min(queued.len());
        queued.drain(..count).filter(|task| task.header().claim()).collect()
    }
    fn is_idle(&self) -> bool {
        !self.has_work()
    }
    fn idle_workers(&self) -> usize {
        1
    }
    fn has_work(&self) -> bool {
        !self.0.idle.load(Ordering::Relaxed) || !lock(&self.0.queued).is_empty()
    }
}

impl Observer for MockEnvironment {
    fn report_failure(&self, error: Error) {
        self.record(Effect::Failure(error));
    }
    fn handle_other(&self, from: Rank, _: Message<'_>) {
        self.record(Effect::Other(from));
    }
    fn on_response(&self, token: u64, response: Result<Vec<u8>>) {
        self.record(Effect::Response(token, response));
    }
    fn on_name_reply(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, NameError>) {
        self.record(Effect::NameReply(token, outcome.map(|actor| actor.map(|actor| actor.id))));
    }
}

impl Environment for MockEnvironment {
    fn protocol(&self) -> &Protocol {
        &self.0.protocol
    }
    fn links(&self) -> Arc<dyn Links> {
        Arc::new(ProtocolLinks(self.clone()))
    }
    fn table_entry(&self, key: u64) -> Option<&'static TableEntry> {
        table_entry(key)
    }
}
