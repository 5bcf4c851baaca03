//! One rank: its queue, its workers, and the scripts that run or wait on it.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::object::Waiter;
use crate::registry::{Phase, Runnable};
use crate::sim::running::Running;
use crate::sim::setting::Setting;
use crate::sim::world::{Event, Here};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A simulated rank.
pub struct Site {
    /// How many times slower than others it computes.
    pub slowness: u64,
    desk: Mutex<Desk>,
}

struct Desk {
    free_workers: u32,
    /// Tasks that may run, newest last.
    queue: VecDeque<Arc<dyn Runnable>>,
    /// Scripts that can go on, by slot.
    ready: VecDeque<usize>,
    /// Scripts that were begun, by slot. A slot whose script is being run is empty.
    scripts: Vec<Option<Running>>,
    free_slots: Vec<usize>,
    /// It will look for work.
    roused: bool,
    tally: Tally,
}

/// What a rank did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Tasks that it ran.
    pub tasks: u64,
    /// Nanoseconds that its workers computed.
    pub busy_ns: u64,
}

/// What a free worker takes up.
enum Piece {
    Ready(usize),
    Task(Arc<dyn Runnable>),
}

impl Site {
    /// Rank `rank` of that setting.
    pub fn new(setting: &Setting, rank: Rank) -> Site {
        let slow = setting.slow.iter().find(|(slow, _)| *slow == rank);
        let desk = Desk {
            free_workers: setting.workers,
            queue: VecDeque::new(),
            ready: VecDeque::new(),
            scripts: Vec::new(),
            free_slots: Vec::new(),
            roused: false,
            tally: Tally::default(),
        };
        Site { slowness: slow.map_or(1, |(_, times)| u64::from(*times)), desk: Mutex::new(desk) }
    }

    /// What it did so far.
    pub fn tally(&self) -> Tally {
        lock(&self.desk).tally
    }

    /// A task that may run here.
    pub fn push(&self, task: Arc<dyn Runnable>) {
        lock(&self.desk).queue.push_back(task);
    }

    /// A place for a script.
    pub fn reserve(&self) -> usize {
        let mut desk = lock(&self.desk);
        desk.free_slots.pop().unwrap_or_else(|| {
            desk.scripts.push(None);
            desk.scripts.len() - 1
        })
    }

    /// Puts a script aside in its slot.
    pub fn put_aside(&self, slot: usize, running: Running) {
        lock(&self.desk).scripts[slot] = Some(running);
    }

    /// Takes the script of a slot to run it.
    pub fn take_up(&self, slot: usize) -> Option<Running> {
        lock(&self.desk).scripts.get_mut(slot)?.take()
    }

    /// The script of the slot is over.
    pub fn vacate(&self, slot: usize) {
        let mut desk = lock(&self.desk);
        desk.free_slots.push(slot);
        desk.tally.tasks += 1;
    }

    /// A worker has nothing more to do for a script.
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
        let piece = match desk.ready.pop_front() {
            Some(slot) => Piece::Ready(slot),
            None => Piece::Task(desk.queue.pop_back()?),
        };
        desk.free_workers -= 1;
        Some(piece)
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

    /// Free workers take up what there is.
    pub fn work(&self) {
        while let Some(piece) = self.site().next_piece() {
            match piece {
                Piece::Ready(slot) => self.go_on(slot),
                // What was cancelled meanwhile is not run.
                Piece::Task(task) if task.header().phase() == Phase::Queued && task.header().claim() => {
                    self.begin(task);
                }
                Piece::Task(_) => self.site().free_worker(),
            }
        }
    }

    /// A worker goes on with the script of that slot.
    pub fn go_on(&self, slot: usize) {
        match self.site().take_up(slot) {
            Some(running) => self.advance(slot, running),
            None => self.world.violated(format!("rank {} goes on with a script that is not there", self.rank)),
        }
    }
}

/// Wakes the script of a slot when a value is there. It holds no script: one that waits for a value that it holds
/// itself would keep itself alive.
pub struct Awaited {
    here: Here,
    slot: usize,
}

impl Awaited {
    /// For the script of that slot.
    pub fn new(here: &Here, slot: usize) -> Arc<Awaited> {
        Arc::new(Awaited { here: here.clone(), slot })
    }
}

impl Waiter for Awaited {
    fn ready(self: Arc<Self>) {
        lock(&self.here.site().desk).ready.push_back(self.slot);
        self.here.rouse();
    }
}
