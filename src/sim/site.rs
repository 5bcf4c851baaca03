//! One rank: its protocol, its queues, its workers, and the scripts and calls that run or wait on it.

use crate::base::Rank;
use crate::base::sync::{AtomicU32, lock};
use crate::objects::{ArrayMemory, Links};
use crate::protocol::{ActorHome, Driver, Message, Protocol, ProtocolLinks};
use crate::registry::{Phase, Runnable};
use crate::scheduling::Stealing;
use crate::sim::acting::Acting;
use crate::sim::gravity::SentAfter;
use crate::sim::memory::Store;
use crate::sim::naming::Asked;
use crate::sim::running::Running;
use crate::sim::setting::Setting;
use crate::sim::world::{Event, Here};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

mod waiting;

pub use waiting::Awaited;

/// A simulated rank.
pub struct Site {
    /// What the runtime decides there.
    pub protocol: Protocol,
    /// Its arrays.
    pub store: Arc<Store>,
    /// The ranks of its host.
    pub host: Box<[Rank]>,
    /// How many times slower than others it computes.
    pub slowness: u64,
    /// Tasks that it sent after their arguments.
    pub sent_after: SentAfter,
    /// How many tasks went to the ranks in turn.
    pub spread: AtomicU32,
    desk: Mutex<Desk>,
    links: Mutex<Option<Arc<dyn Links>>>,
}

/// Whether a rank does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Well,
    /// It stands still.
    Stopped,
    /// Its process is gone.
    Gone,
}

struct Desk {
    health: Health,
    /// What happened to it while it stood still.
    missed: Vec<Event>,
    /// Ranks that it knows to be gone.
    mourned: FxHashSet<Rank>,
    free_workers: u32,
    /// Tasks that any rank may run, newest last.
    queue: VecDeque<Arc<dyn Runnable>>,
    /// Tasks that stay here.
    bound: VecDeque<Arc<dyn Runnable>>,
    /// Actors that have something to do.
    actors: VecDeque<Arc<ActorHome>>,
    /// Scripts that can go on, by slot.
    ready: VecDeque<usize>,
    /// What was begun, by slot. The slot of what is being run is empty.
    jobs: Vec<Option<Job>>,
    free_slots: Vec<usize>,
    /// What jobs that can go on were waiting for, by slot: it stays where it is until they do.
    held: FxHashMap<usize, Vec<Arc<dyn ArrayMemory>>>,
    /// What it asks about names.
    asked: Asked,
    /// It will look for work.
    roused: bool,
    tally: Tally,
}

/// Copies that nobody uses take at most this part of a store, as the node has it.
const IDLE_COPIES_PART: u64 = 4;

/// What a worker began and put aside.
pub enum Job {
    /// A script.
    Script(Running),
    /// A call of an actor.
    Actor(Acting),
    /// A task that waits for an argument's bytes.
    Task(Arc<dyn Runnable>),
}

/// What a rank did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Scripts and calls that it ran.
    pub tasks: u64,
    /// Nanoseconds that its workers computed.
    pub busy_ns: u64,
}

/// What a free worker takes up.
enum Piece {
    Ready(usize),
    Actor(Arc<ActorHome>),
    Task(Arc<dyn Runnable>),
}

impl Site {
    /// Rank `rank` of that setting.
    pub fn new(setting: &Setting, rank: Rank) -> Site {
        let host: Vec<Rank> = setting.weather.host_of(rank).filter(|other| *other < setting.ranks).collect();
        let stealing = Stealing::new(rank, setting.ranks, setting.seed).on_host(&host);
        let slow = setting.slow.iter().find(|(slow, _)| *slow == rank);
        let desk = Desk {
            health: Health::Well,
            missed: Vec::new(),
            mourned: FxHashSet::default(),
            free_workers: setting.workers,
            queue: VecDeque::new(),
            bound: VecDeque::new(),
            actors: VecDeque::new(),
            ready: VecDeque::new(),
            jobs: Vec::new(),
            free_slots: Vec::new(),
            held: FxHashMap::default(),
            asked: Asked::default(),
            roused: false,
            tally: Tally::default(),
        };
        let protocol = Protocol::new(rank, setting.ranks, setting.hosts() > 1, stealing);
        protocol.copies.keep_at_most(setting.store.bytes / IDLE_COPIES_PART);
        Site {
            protocol,
            store: Store::new(rank, setting.store.bytes),
            host: host.into(),
            slowness: slow.map_or(1, |(_, times)| u64::from(*times)),
            sent_after: SentAfter::default(),
            spread: AtomicU32::new(0),
            desk: Mutex::new(desk),
            links: Mutex::default(),
        }
    }

    /// The links that its references of other ranks use.
    pub fn links(&self, here: &Here) -> Arc<dyn Links> {
        lock(&self.links).get_or_insert_with(|| Arc::new(ProtocolLinks(here.clone()))).clone()
    }

    /// What it did so far.
    pub fn tally(&self) -> Tally {
        lock(&self.desk).tally
    }

    /// Whether its process is gone.
    pub fn is_gone(&self) -> bool {
        lock(&self.desk).health == Health::Gone
    }

    /// Whether it knows that rank to be gone.
    pub fn mourns(&self, rank: Rank) -> bool {
        lock(&self.desk).mourned.contains(&rank)
    }

    /// It hears that a rank is gone; false where it knew.
    pub fn mourn(&self, rank: Rank) -> bool {
        lock(&self.desk).mourned.insert(rank)
    }

    /// Whether something may happen to it now; what happens to a rank that stands still is kept, and what happens to one
    /// that is gone is not.
    pub fn takes(&self, event: Event) -> Option<Event> {
        let mut desk = lock(&self.desk);
        match desk.health {
            Health::Well => return Some(event),
            Health::Stopped => desk.missed.push(event),
            Health::Gone => {}
        }
        None
    }

    /// It stands still from now on.
    pub fn stop(&self) {
        let mut desk = lock(&self.desk);
        if desk.health == Health::Well {
            desk.health = Health::Stopped;
        }
    }

    /// It goes on: what happened meanwhile.
    pub fn resume(&self) -> Vec<Event> {
        let mut desk = lock(&self.desk);
        if desk.health == Health::Stopped {
            desk.health = Health::Well;
        }
        std::mem::take(&mut desk.missed)
    }

    /// The process is gone, with everything that it knew. Its store stays mapped by its host.
    pub fn die(&self) {
        lock(&self.desk).health = Health::Gone;
        self.store.abandon();
        self.clear();
    }

    fn clear(&self) {
        // Dropped outside of the lock: it may lead back here.
        let dropped = {
            let mut desk = lock(&self.desk);
            desk.ready.clear();
            let Desk { queue, bound, actors, jobs, missed, held, asked, .. } = &mut *desk;
            let queues = (std::mem::take(queue), std::mem::take(bound), std::mem::take(actors));
            (queues, std::mem::take(jobs), std::mem::take(missed), std::mem::take(held), std::mem::take(asked))
        };
        drop(dropped);
        drop(self.store.holdings.missed());
        self.protocol.clear();
        let _dropped_outside_of_the_lock = lock(&self.links).take();
    }

    /// A task that may run here.
    pub fn push(&self, task: Arc<dyn Runnable>, stealable: bool) {
        let mut desk = lock(&self.desk);
        if stealable { desk.queue.push_back(task) } else { desk.bound.push_back(task) }
    }

    /// An actor has something to do.
    pub fn push_actor(&self, home: Arc<ActorHome>) {
        lock(&self.desk).actors.push_back(home);
    }

    /// Tasks that could go elsewhere.
    pub fn surplus(&self) -> usize {
        lock(&self.desk).queue.len()
    }

    /// The oldest of them.
    pub fn oldest(&self) -> Option<Arc<dyn Runnable>> {
        lock(&self.desk).queue.pop_front()
    }

    /// Whether a worker has nothing to do and nothing is queued.
    pub fn rests(&self) -> bool {
        let desk = lock(&self.desk);
        desk.free_workers > 0 && !desk.has_work()
    }

    /// How many workers have nothing to do.
    pub fn free_workers(&self) -> usize {
        lock(&self.desk).free_workers as usize
    }

    /// Whether anything is queued.
    pub fn has_work(&self) -> bool {
        lock(&self.desk).has_work()
    }

    /// How many jobs were begun and are not over.
    pub fn under_way(&self) -> usize {
        lock(&self.desk).jobs.iter().flatten().count()
    }

    /// A place for a job.
    pub fn reserve(&self) -> usize {
        let mut desk = lock(&self.desk);
        desk.free_slots.pop().unwrap_or_else(|| {
            desk.jobs.push(None);
            desk.jobs.len() - 1
        })
    }

    /// Puts a job aside in its slot.
    pub fn put_aside(&self, slot: usize, job: Job) {
        lock(&self.desk).jobs[slot] = Some(job);
    }

    /// Takes the job of a slot to go on with it.
    fn take_up(&self, slot: usize) -> Option<Job> {
        lock(&self.desk).jobs.get_mut(slot)?.take()
    }

    /// The job of the slot is over.
    pub fn vacate(&self, slot: usize) {
        let mut desk = lock(&self.desk);
        desk.free_slots.push(slot);
        desk.tally.tasks += 1;
    }

    /// A worker has nothing more to do for a job.
    pub fn free_worker(&self) {
        lock(&self.desk).free_workers += 1;
    }

    /// A worker computes.
    pub fn computes(&self, busy_ns: u64) {
        lock(&self.desk).tally.busy_ns += busy_ns;
    }

    /// What a free worker does next; it is not free any more.
    fn next_piece(&self) -> Option<Piece> {
        let mut desk = lock(&self.desk);
        desk.roused = false;
        if desk.free_workers == 0 {
            return None;
        }
        let piece = desk.next_piece()?;
        desk.free_workers -= 1;
        Some(piece)
    }
}

impl Desk {
    fn next_piece(&mut self) -> Option<Piece> {
        if let Some(slot) = self.ready.pop_front() {
            return Some(Piece::Ready(slot));
        }
        if let Some(home) = self.actors.pop_front() {
            return Some(Piece::Actor(home));
        }
        self.bound.pop_front().or_else(|| self.queue.pop_back()).map(Piece::Task)
    }

    fn has_work(&self) -> bool {
        !(self.ready.is_empty() && self.actors.is_empty() && self.bound.is_empty() && self.queue.is_empty())
    }
}

impl Here {
    /// What this rank is made of.
    pub fn site(&self) -> &Site {
        self.world.site(self.rank)
    }

    /// There is something to do: the rank looks for it, now and once.
    pub fn rouse(&self) {
        if !std::mem::replace(&mut lock(&self.site().desk).roused, true) {
            self.world.later(0, Event::Work(self.rank));
        }
    }

    /// Free workers take up what there is; where that is nothing, others are asked.
    pub fn work(&self) {
        while let Some(piece) = self.site().next_piece() {
            match piece {
                Piece::Ready(slot) => self.go_on(slot),
                Piece::Actor(home) => self.step(home),
                // What was cancelled meanwhile is not run.
                Piece::Task(task) if task.header().phase() == Phase::Queued && task.header().claim() => {
                    self.begin(task);
                }
                Piece::Task(_) => self.site().free_worker(),
            }
        }
        if self.site().rests() {
            self.protocol().ask_for_work(self);
        }
    }

    /// A worker goes on with the job of that slot.
    pub fn go_on(&self, slot: usize) {
        let _until_it_was_read = self.site().take_held(slot);
        match self.site().take_up(slot) {
            Some(Job::Script(running)) => self.advance(slot, running),
            Some(Job::Actor(acting)) => self.acted(slot, acting),
            Some(Job::Task(task)) => self.begin_at(slot, task),
            None => self.world.violated(format!("rank {} goes on with a job that is not there", self.rank)),
        }
    }

    /// Hears that a rank is gone, and sees to what that means here.
    pub fn lost(&self, gone: Rank) {
        if gone != self.rank && !self.site().mourn(gone) {
            return;
        }
        if gone == self.rank {
            // The others go on without this rank.
            return self.world.dies(gone);
        }
        if gone == 0 {
            // The rank whose driver decides when the cluster ends: without it there is none.
            return self.world.dies(self.rank);
        }
        if self.rank == 0 {
            let died = Message::Died { rank: gone, reason: "it was silent".to_string() };
            (1..self.size()).filter(|other| *other != gone).for_each(|other| self.send(other, &died));
            self.world.send(self.rank, gone, &died, || 0);
        }
        let unanswered = lock(&self.site().desk).asked.lost(gone);
        unanswered.into_iter().for_each(|token| self.named_as(token, Err("who was asked is gone".to_string())));
        self.protocol().lost(self, gone, &self.death_of(gone));
    }

    /// The cluster is over for this rank.
    pub fn end(&self) {
        lock(&self.site().desk).health = Health::Gone;
        self.site().clear();
    }
}
