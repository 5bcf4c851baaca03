//! All ranks, and the one loop that moves the clock on.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Rank};
use crate::sim::agenda::Agenda;
use crate::sim::setting::Setting;
use crate::sim::site::Site;
use std::sync::{Arc, Mutex};

/// Something that happens at its time.
pub enum Event {
    /// A rank looks for work.
    Work(Rank),
    /// A script of a rank has computed for long enough.
    Continue(Rank, usize),
}

/// What all ranks share.
pub struct World {
    /// What it is made of.
    pub setting: Setting,
    agenda: Mutex<Agenda<Event>>,
    sites: Box<[Site]>,
    /// Numbers for callers: a task that is started again is another caller.
    callers: AtomicU64,
    /// What the driver came to.
    answer: Mutex<Option<Answer>>,
    /// What must not happen and did.
    violations: Mutex<Vec<String>>,
}

/// A digest of each result, or the code of the failure that was made on purpose; or what went wrong.
pub type Answer = Result<Vec<Result<u64, u64>>, Error>;

/// A rank of a world: what the runtime's own code asks of its rank goes through it.
#[derive(Clone)]
pub struct Here {
    /// The world.
    pub world: Arc<World>,
    /// The rank.
    pub rank: Rank,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The driver's answer; `None` where it never came.
    pub answer: Option<Answer>,
    /// What must not happen and did.
    pub violations: Vec<String>,
    /// Events until nothing was left to happen.
    pub events: u64,
}

/// Events of a run of random work, at most: more is work that never ends.
const EVENTS_MAX: u64 = 5_000_000_000;

impl World {
    /// Before anything happened.
    pub fn new(setting: Setting) -> Arc<World> {
        let sites = (0..setting.ranks).map(|rank| Site::new(&setting, rank)).collect();
        Arc::new(World {
            setting,
            agenda: Mutex::new(Agenda::new()),
            sites,
            callers: AtomicU64::new(0),
            answer: Mutex::new(None),
            violations: Mutex::default(),
        })
    }

    /// Lets the driver work until nothing is left to happen.
    pub fn run(self: &Arc<Self>) -> Outcome {
        self.here(0).drive();
        let mut events = 0;
        while events < EVENTS_MAX {
            let Some(event) = lock(&self.agenda).next() else { break };
            events += 1;
            match event {
                Event::Work(rank) => self.here(rank).work(),
                Event::Continue(rank, slot) => self.here(rank).go_on(slot),
            }
        }
        if events == EVENTS_MAX {
            self.violated("it never ends".to_string());
        }
        let answer = lock(&self.answer).take();
        if answer.is_none() {
            self.violated("the driver waits for something that never comes".to_string());
        }
        Outcome { answer, violations: std::mem::take(&mut *lock(&self.violations)), events }
    }

    /// That rank.
    pub fn here(self: &Arc<Self>, rank: Rank) -> Here {
        Here { world: self.clone(), rank }
    }

    /// What a rank is made of.
    pub fn site(&self, rank: Rank) -> &Site {
        &self.sites[rank as usize]
    }

    /// The time.
    pub fn now_ns(&self) -> u64 {
        lock(&self.agenda).now_ns()
    }

    /// Something happens so much later.
    pub fn later(&self, delay_ns: u64, event: Event) {
        let mut agenda = lock(&self.agenda);
        let at_ns = agenda.now_ns() + delay_ns;
        agenda.note(at_ns, event);
    }

    /// A number for a caller.
    pub fn fresh_caller(&self) -> u64 {
        self.callers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The driver is through.
    pub fn answered(&self, answer: Answer) {
        *lock(&self.answer) = Some(answer);
    }

    /// Something happened that must not.
    pub fn violated(&self, what: String) {
        let now_ns = self.now_ns();
        lock(&self.violations).push(format!("at {now_ns} ns: {what}"));
    }
}
