//! One rank: its protocol, its queues, its workers, and the scripts and calls that run or wait on it.

use crate::base::Rank;
use crate::base::sync::{AtomicU32, lock};
use crate::objects::{ArrayMemory, Links};
use crate::protocol::{ActorInstance, Environment, Protocol, ProtocolLinks};
use crate::registry::{Runnable, TaskPhase};
use crate::scheduling::StealState;
use crate::sim::actors::RunningCall;
use crate::sim::locality::SentToData;
use crate::sim::memory::Store;
use crate::sim::names::NameOutcome;
use crate::sim::scripts::{Awaited, RunningScript};
use crate::sim::setting::SimSetting;
use crate::sim::world::{Event, SimEnvironment};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

mod failures;
mod waiting;

pub use waiting::JobWaker;

/// A simulated rank.
pub struct SimNode {
    /// The protocol of the runtime.
    pub protocol: Protocol,
    /// Its arrays.
    pub store: Arc<Store>,
    /// The ranks of its host.
    pub host: Box<[Rank]>,
    /// How many times slower than others it computes.
    pub slowness: u64,
    /// Tasks that it sent to their arguments.
    pub sent_after: SentToData,
    /// How many tasks were spread over the ranks.
    pub spread: AtomicU32,
    /// The state of its process.
    pub state: Mutex<NodeState>,
    links: Mutex<Option<Arc<dyn Links>>>,
}

/// The state of the process.
#[derive(Default)]
enum Health {
    #[default]
    Running,
    /// It stands still. These events came meanwhile.
    Stopped(Vec<Event>),
    /// It has died.
    Dead,
}

/// The state of its process, which is lost when that dies.
#[derive(Default)]
pub struct NodeState {
    health: Health,
    /// Ranks that it knows to be dead.
    known_dead: FxHashSet<Rank>,
    free_workers: u32,
    /// Tasks that any rank may run, newest last.
    queue: VecDeque<Arc<dyn Runnable>>,
    /// Tasks that stay here.
    pinned_tasks: VecDeque<Arc<dyn Runnable>>,
    /// Actors that have something to do.
    actors: VecDeque<Arc<ActorInstance>>,
    /// Scripts that can go on, by slot.
    ready: VecDeque<usize>,
    /// Started jobs, by slot, and the arrays that they waited for: pinned until the job goes on. The slot of a job that
    /// runs is empty.
    jobs: Vec<Option<(SimJob, Vec<Arc<dyn ArrayMemory>>)>>,
    free_slots: Vec<usize>,
    /// How many requests about names it has sent.
    name_tokens: u64,
    /// Those without a response, by token: the slot of the script that waits, and the directory rank.
    pub pending_names: Vec<(u64, usize, Rank)>,
    /// An event that looks for work is scheduled.
    work_scheduled: bool,
    counters: Counters,
}

/// Idle copies take at most this part of a store, as in the runtime.
const IDLE_COPIES_PART: u64 = 4;

/// What a worker started and suspended.
pub enum SimJob {
    /// A script.
    Script(RunningScript),
    /// A call of an actor.
    Actor(RunningCall),
    /// A task that waits for an argument's bytes.
    Task(Arc<dyn Runnable>),
}

/// What a rank has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Scripts and calls that it ran.
    pub tasks: u64,
    /// Nanoseconds that its workers computed.
    pub busy_ns: u64,
}

/// What a free worker does next.
enum WorkItem {
    Ready(usize),
    Actor(Arc<ActorInstance>),
    Task(Arc<dyn Runnable>),
}

impl SimNode {
    /// Rank `rank` of that setting.
    pub fn new(setting: &SimSetting, rank: Rank) -> SimNode {
        let host: Vec<Rank> = setting.network.ranks_of_host(rank).filter(|other| *other < setting.ranks).collect();
        let stealing = StealState::new(rank, setting.ranks, setting.seed).on_host(&host);
        let slow = setting.slow.iter().find(|(slow, _)| *slow == rank);
        let state = NodeState { free_workers: setting.workers, ..NodeState::default() };
        let protocol = Protocol::new(rank, setting.ranks, setting.hosts() > 1, setting.short_calls, stealing);
        protocol.objects.copies.set_cache_bytes_max(setting.store.bytes / IDLE_COPIES_PART);
        SimNode {
            protocol,
            store: Store::new(rank, setting.store.bytes),
            host: host.into(),
            slowness: slow.map_or(1, |(_, times)| u64::from(*times)),
            sent_after: SentToData::default(),
            spread: AtomicU32::new(0),
            state: Mutex::new(state),
            links: Mutex::default(),
        }
    }

    /// The links that its references to objects of other ranks use.
    pub fn links(&self, env: &SimEnvironment) -> Arc<dyn Links> {
        lock(&self.links).get_or_insert_with(|| Arc::new(ProtocolLinks(env.clone()))).clone()
    }

    /// Its counters so far.
    pub fn counters(&self) -> Counters {
        lock(&self.state).counters
    }

    /// Returns true if its process has died.
    pub fn is_dead(&self) -> bool {
        matches!(lock(&self.state).health, Health::Dead)
    }

    /// Returns true if it knows that rank to be dead.
    pub fn knows_dead(&self, rank: Rank) -> bool {
        lock(&self.state).known_dead.contains(&rank)
    }

    /// Records that a rank is dead; returns false if it knew.
    pub fn mark_dead(&self, rank: Rank) -> bool {
        lock(&self.state).known_dead.insert(rank)
    }

    /// The event, if it may happen now. An event of a rank that stands still is deferred, one of a dead rank is
    /// dropped.
    pub fn accept(&self, event: Event) -> Option<Event> {
        match &mut lock(&self.state).health {
            Health::Running => return Some(event),
            Health::Stopped(deferred) => deferred.push(event),
            Health::Dead => {}
        }
        None
    }

    /// It stands still from now on.
    pub fn stop(&self) {
        let health = &mut lock(&self.state).health;
        if matches!(health, Health::Running) {
            *health = Health::Stopped(Vec::new());
        }
    }

    /// It goes on; returns the events that came meanwhile.
    pub fn resume(&self) -> Vec<Event> {
        let health = &mut lock(&self.state).health;
        match std::mem::take(health) {
            Health::Stopped(deferred) => return deferred,
            other => *health = other,
        }
        Vec::new()
    }

    /// The process dies and its state is lost. Its store stays mapped by the ranks of its host.
    pub fn die(&self) {
        lock(&self.state).health = Health::Dead;
        self.store.abandon();
        self.end();
    }

    /// The cluster ends for this rank.
    pub fn end(&self) {
        let dropped = {
            let mut state = lock(&self.state);
            let NodeState { counters, free_workers, .. } = *state;
            let known_dead = std::mem::take(&mut state.known_dead);
            let ended = NodeState { health: Health::Dead, known_dead, counters, free_workers, ..NodeState::default() };
            std::mem::replace(&mut *state, ended)
        };
        // Outside of the lock: a drop may call back into this node.
        drop(dropped);
        drop(self.store.resident_blocks.take_misses());
        self.protocol.clear();
        let _dropped_outside_of_the_lock = lock(&self.links).take();
    }

    /// Queues a task that may run here.
    pub fn push(&self, task: Arc<dyn Runnable>, stealable: bool) {
        let mut state = lock(&self.state);
        if stealable { state.queue.push_back(task) } else { state.pinned_tasks.push_back(task) }
    }

    /// Queues an actor that has something to do.
    pub fn push_actor(&self, instance: Arc<ActorInstance>) {
        lock(&self.state).actors.push_back(instance);
    }

    /// How many tasks could run on another rank.
    pub fn surplus(&self) -> usize {
        lock(&self.state).queue.len()
    }

    /// Takes the oldest of them.
    pub fn oldest(&self) -> Option<Arc<dyn Runnable>> {
        lock(&self.state).queue.pop_front()
    }

    /// Returns true if a worker is free and nothing is queued.
    pub fn is_idle(&self) -> bool {
        let state = lock(&self.state);
        state.free_workers > 0 && !state.has_work()
    }

    /// How many workers are free.
    pub fn free_workers(&self) -> usize {
        lock(&self.state).free_workers as usize
    }

    /// Returns true if anything is queued.
    pub fn has_work(&self) -> bool {
        lock(&self.state).has_work()
    }

    /// How many jobs were started and are not finished.
    pub fn running_jobs(&self) -> usize {
        lock(&self.state).jobs.iter().flatten().count()
    }

    /// A slot for a job.
    pub fn reserve(&self) -> usize {
        let mut state = lock(&self.state);
        state.free_slots.pop().unwrap_or_else(|| {
            state.jobs.push(None);
            state.jobs.len() - 1
        })
    }

    /// Suspends a job in its slot.
    pub fn suspend(&self, slot: usize, job: SimJob) {
        lock(&self.state).jobs[slot] = Some((job, Vec::new()));
    }

    /// The same for a job that waits: its worker is free meanwhile.
    pub fn suspend_waiting(&self, slot: usize, job: SimJob) {
        self.suspend(slot, job);
        self.free_worker();
    }

    /// The job of the slot is finished.
    pub fn release_slot(&self, slot: usize) {
        let mut state = lock(&self.state);
        state.free_slots.push(slot);
        state.counters.tasks += 1;
    }

    /// The script of a slot sends a request about a name to that directory rank; returns its token, which is never 0.
    pub fn add_name_request(&self, slot: usize, directory_rank: Rank) -> u64 {
        let mut state = lock(&self.state);
        state.name_tokens += 1;
        let token = state.name_tokens;
        state.pending_names.push((token, slot, directory_rank));
        token
    }

    /// Adds the response to a request about a name; returns the slot of the script, if it waits.
    pub fn complete_name_request(&self, token: u64, outcome: NameOutcome) -> Option<usize> {
        let mut state = lock(&self.state);
        let index = state.pending_names.iter().position(|(pending, ..)| *pending == token)?;
        let (_, slot, directory_rank) = state.pending_names.swap_remove(index);
        match state.jobs.get_mut(slot)? {
            Some((SimJob::Script(RunningScript { awaited: Awaited::Name(request), .. }), _)) => {
                request.response = Some(Box::new((directory_rank, outcome)));
                Some(slot)
            }
            _ => None,
        }
    }

    /// A worker has nothing more to do for a job.
    pub fn free_worker(&self) {
        lock(&self.state).free_workers += 1;
    }

    /// The next item for a free worker, which is no longer free.
    fn next_item(&self) -> Option<WorkItem> {
        let mut state = lock(&self.state);
        state.work_scheduled = false;
        let free_workers = state.free_workers.checked_sub(1)?;
        let NodeState { ready, actors, pinned_tasks, queue, .. } = &mut *state;
        let item = ready.pop_front().map(WorkItem::Ready);
        let item = item.or_else(|| actors.pop_front().map(WorkItem::Actor));
        let item = item.or_else(|| pinned_tasks.pop_front().or_else(|| queue.pop_back()).map(WorkItem::Task))?;
        state.free_workers = free_workers;
        Some(item)
    }
}

impl NodeState {
    fn has_work(&self) -> bool {
        !(self.ready.is_empty() && self.actors.is_empty() && self.pinned_tasks.is_empty() && self.queue.is_empty())
    }
}

impl SimEnvironment {
    /// The state of this rank.
    pub fn node(&self) -> &SimNode {
        self.world.node(self.rank)
    }

    /// Suspends a job whose worker computes for so long.
    pub fn compute_for(&self, slot: usize, compute_ns: u64, job: SimJob) {
        let busy_ns = compute_ns * self.node().slowness;
        {
            let mut state = lock(&self.node().state);
            state.counters.busy_ns += busy_ns;
            state.jobs[slot] = Some((job, Vec::new()));
        }
        self.world.schedule_after(busy_ns, Event::Continue(self.rank, slot));
    }

    /// Schedules one event in which the rank looks for work, if none is scheduled.
    pub fn schedule_work(&self) {
        if !std::mem::replace(&mut lock(&self.node().state).work_scheduled, true) {
            self.world.schedule_after(0, Event::Work(self.rank));
        }
    }

    /// Free workers take what is queued; if nothing is, the rank sends a steal request.
    pub fn work(&self) {
        while let Some(piece) = self.node().next_item() {
            match piece {
                WorkItem::Ready(slot) => self.resume_slot(slot),
                WorkItem::Actor(instance) => self.step_actor(instance),
                // A task cancelled meanwhile is not run.
                WorkItem::Task(task) if task.header().phase() == TaskPhase::Queued && task.header().claim() => {
                    self.begin_task(task);
                }
                WorkItem::Task(_) => self.node().free_worker(),
            }
        }
        if self.node().is_idle() {
            self.protocol().stealing.request_work(self);
        }
    }

    /// A worker goes on with the job of that slot.
    pub fn resume_slot(&self, slot: usize) {
        let job = lock(&self.node().state).jobs.get_mut(slot).and_then(Option::take);
        match job {
            Some((SimJob::Script(running), _pinned)) => self.advance(slot, running),
            Some((SimJob::Actor(call), _pinned)) => self.finish_call(slot, call),
            Some((SimJob::Task(task), _pinned)) => self.begin_task_in(slot, task),
            None => self.world.report_violation(format!("rank {} goes on with a job that is not there", self.rank)),
        }
    }
}
