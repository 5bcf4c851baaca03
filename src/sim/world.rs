//! All ranks, and the one loop that moves the clock on.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Rank};
use crate::protocol::{ABOUT_ROADS, Departures, Message};
use crate::sim::agenda::Agenda;
use crate::sim::feats::{Feat, Feats};
use crate::sim::network::{Network, Traffic};
use crate::sim::random::mix;
use crate::sim::setting::Setting;
use crate::sim::site::Site;
use crate::store::Source;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

mod event;

/// Something that happens at its time.
pub enum Event {
    /// A rank looks for work.
    Work(Rank),
    /// What a rank is busy with has taken long enough.
    Continue(Rank, usize),
    /// A message arrives.
    Arrives {
        /// Who sent it.
        from: Rank,
        /// To whom.
        to: Rank,
        /// In its envelope.
        bytes: Vec<u8>,
    },
    /// A block that was to be brought is there, or a part of it cannot be.
    Pulled {
        /// Who brings it.
        rank: Rank,
        /// Its number.
        token: u64,
        /// How much.
        bytes: u64,
        /// From where: each has all of it.
        sources: Vec<Source>,
    },
    /// Something of the setting's goes wrong, by its place in the list.
    Fault(usize),
    /// A rank finds out that another is gone.
    Noticed {
        /// Who finds out.
        by: Rank,
        /// Who is gone.
        gone: Rank,
    },
    /// A rank that stood still goes on.
    Resumes(Rank),
    /// A rank that was given up while it stood still finds that out.
    Fenced(Rank),
}

/// What all ranks share.
pub struct World {
    /// What it is made of.
    pub setting: Setting,
    agenda: Mutex<Agenda<Event>>,
    roads: Mutex<Roads>,
    sites: Box<[Site]>,
    /// Numbers for callers: a task that is started again is another caller.
    callers: AtomicU64,
    /// Scripts that were begun.
    scripts: AtomicU64,
    /// What the driver came to, and when.
    answer: Mutex<Option<(Answer, u64)>>,
    /// What must not happen and did.
    violations: Mutex<Vec<String>>,
    feats: Feats,
}

struct Roads {
    network: Network,
    departures: FxHashMap<(Rank, Rank), Departures>,
    /// Ranks whose process is gone, and since when: what was on its way by then arrives in part.
    gone_ns: FxHashMap<Rank, u64>,
    traffic: Traffic,
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
    /// When it came.
    pub answered_ns: u64,
    /// What must not happen and did.
    pub violations: Vec<String>,
    /// Scripts and calls that were begun.
    pub begun: u64,
    /// Events until nothing was left to happen.
    pub events: u64,
    /// All events in one number: two runs of a seed have the same.
    pub trace: u64,
    /// What went over the roads.
    pub traffic: Traffic,
    /// What occurred, and how often.
    pub feats: BTreeMap<&'static str, u64>,
}

/// Events of a run for each task, at most: more is work that never ends.
const TASK_EVENTS_MAX: u64 = 20_000;

/// How long after it goes on a rank that was given up finds that out, at most.
const FENCED_NS_MAX: u64 = 20_000;

impl World {
    /// Before anything happened.
    pub fn new(setting: Setting) -> Arc<World> {
        let sites = (0..setting.ranks).map(|rank| Site::new(&setting, rank)).collect();
        let roads = Roads {
            network: Network::new(setting.weather, setting.seed),
            departures: FxHashMap::default(),
            gone_ns: FxHashMap::default(),
            traffic: Traffic::default(),
        };
        let world = Arc::new(World {
            setting,
            agenda: Mutex::new(Agenda::new()),
            roads: Mutex::new(roads),
            sites,
            callers: AtomicU64::new(0),
            scripts: AtomicU64::new(0),
            answer: Mutex::new(None),
            violations: Mutex::default(),
            feats: Feats::default(),
        });
        for rank in 0..world.setting.ranks {
            let of = Arc::downgrade(&world);
            world.site(rank).store.told_of_the_freed(move |number| {
                if let Some(world) = of.upgrade() {
                    let here = world.here(rank);
                    world.site(rank).protocol.freed(&here, number);
                }
            });
        }
        world
    }

    /// Lets the driver work until nothing is left to happen.
    pub fn run(self: &Arc<Self>) -> Outcome {
        for (index, fault) in self.setting.faults.iter().enumerate() {
            self.later(fault.at_ns, Event::Fault(index));
        }
        self.here(0).drive();
        (1..self.setting.ranks).for_each(|rank| self.here(rank).rouse());
        let (mut events, mut trace) = (0, 0);
        self.settle(&mut events, &mut trace);
        let answer = lock(&self.answer).take();
        if answer.is_some() {
            self.check_names();
            // Actors that hold each other's handles live until somebody ends them.
            (0..self.setting.ranks).for_each(|rank| self.here(rank).end_actors());
            self.settle(&mut events, &mut trace);
            self.take_stock();
        } else if self.site(0).is_gone() {
            self.take_stock();
        } else {
            self.violated("the driver waits for something that never comes".to_string());
        }
        let (answer, answered_ns) = answer.map_or((None, 0), |(answer, at_ns)| (Some(answer), at_ns));
        let traffic = lock(&self.roads).traffic;
        Outcome {
            answer,
            answered_ns,
            violations: std::mem::take(&mut *lock(&self.violations)),
            begun: self.scripts_begun(),
            events,
            trace,
            traffic,
            feats: self.feats.counts(),
        }
    }

    /// Lets happen what is to come, until that is nothing.
    fn settle(self: &Arc<Self>, events: &mut u64, trace: &mut u64) {
        while *events < TASK_EVENTS_MAX * (1 + self.scripts_begun()) {
            let Some((event, now_ns)) = ({
                let mut agenda = lock(&self.agenda);
                agenda.next().map(|event| (event, agenda.now_ns()))
            }) else {
                return;
            };
            *events += 1;
            *trace = mix(*trace, mix(now_ns, event.digest()));
            self.occurs(event);
        }
        self.violated("it never ends".to_string());
    }

    /// An event's time has come: it happens, unless the rank that it happens to stands still or is gone.
    fn occurs(self: &Arc<Self>, event: Event) {
        let rank = event.rank();
        let event = match rank {
            Some(rank) => self.site(rank).takes(event),
            None => Some(event),
        };
        if let Some(event) = event {
            if self.setting.aloud && !self.is_lost(&event) {
                println!("{:>9} ns  {}", self.now_ns(), event.told());
            }
            match rank.filter(|rank| self.site(0).mourns(*rank)) {
                Some(given_up) => self.happens_there(given_up, event),
                None => self.happens(event),
            }
            rank.into_iter().for_each(|rank| self.check(rank));
        }
    }

    /// To a rank that was given up and does not know it yet. Others have the memory of what it refers to: what it reads there
    /// is worth nothing to it, as to nobody who refuses to hear it.
    fn happens_there(self: &Arc<Self>, given_up: Rank, event: Event) {
        if catch_unwind(AssertUnwindSafe(|| self.happens(event))).is_err() {
            self.dies(given_up);
        }
    }

    fn happens(self: &Arc<Self>, event: Event) {
        match event {
            Event::Work(rank) => self.here(rank).work(),
            Event::Continue(rank, slot) => self.here(rank).go_on(slot),
            Event::Arrives { from, to, bytes } => {
                if self.still_arrives(from, to) {
                    let here = self.here(to);
                    here.site().protocol.receive(&here, from, &bytes);
                }
            }
            Event::Pulled { rank, token, bytes, sources } => self.here(rank).pulled(token, bytes, &sources),
            Event::Fault(index) => self.goes_wrong(&self.setting.faults[index]),
            Event::Noticed { by, gone } => self.here(by).lost(gone),
            Event::Resumes(rank) => {
                // Before what comes only now, which may be of the same sender.
                self.site(rank).resume().into_iter().for_each(|event| self.occurs(event));
            }
            Event::Fenced(rank) => {
                if !self.site(rank).is_gone() {
                    self.saw(Feat::Fenced);
                }
                self.dies(rank);
            }
        }
    }

    /// A process is gone.
    pub fn dies(&self, rank: Rank) {
        let now_ns = self.now_ns();
        if !self.site(rank).is_gone() {
            lock(&self.roads).gone_ns.insert(rank, now_ns);
            self.site(rank).die();
        }
    }

    /// Since when a process is gone.
    pub fn gone_ns(&self, rank: Rank) -> Option<u64> {
        lock(&self.roads).gone_ns.get(&rank).copied()
    }

    /// Of what a process had sent when it died, some may be lost, but then everything that it sent to the same rank later.
    fn still_arrives(&self, from: Rank, to: Rank) -> bool {
        let gone_ns = lock(&self.roads).gone_ns.get(&from).copied();
        gone_ns.is_none_or(|gone_ns| {
            let draw = mix(self.setting.seed, u64::from(from) << 32 | u64::from(to));
            self.now_ns() <= gone_ns + draw % (2 * self.setting.weather.latency_ns)
        })
    }

    fn is_lost(&self, event: &Event) -> bool {
        matches!(event, Event::Arrives { from, to, .. } if !self.still_arrives(*from, *to))
    }

    /// Sends a message.
    pub fn send(&self, from: Rank, to: Rank, message: &Message<'_>, load: impl FnOnce() -> u8) {
        let now_ns = self.now_ns();
        let mut roads = lock(&self.roads);
        let envelope = match message.is_about_roads() {
            true => ABOUT_ROADS,
            false => roads.departures.entry((from, to)).or_default().next(load),
        };
        let bytes = message.encode(envelope.to_vec());
        roads.traffic.count(message, bytes.len());
        Feat::of(message).into_iter().for_each(|feat| self.saw(feat));
        let arrivals = roads.network.sent(now_ns, from, to, bytes.len());
        let mut agenda = lock(&self.agenda);
        if let Some(again_ns) = arrivals.again_ns {
            agenda.note(arrivals.first_ns, Event::Arrives { from, to, bytes: bytes.clone() });
            agenda.note(again_ns, Event::Arrives { from, to, bytes });
        } else {
            agenda.note(arrivals.first_ns, Event::Arrives { from, to, bytes });
        }
    }

    /// The roads, for what goes wrong with them.
    pub fn with_network(&self, change: impl FnOnce(&mut Network)) {
        change(&mut lock(&self.roads).network);
    }

    /// When a rank that goes on finds out that it was given up.
    pub fn fenced_after_ns(&self, rank: Rank) -> u64 {
        mix(self.setting.seed, u64::from(rank)) % FENCED_NS_MAX
    }

    /// Forgets everything, so that nothing of it stays in memory.
    pub fn end(self: &Arc<Self>) {
        (0..self.setting.ranks).for_each(|rank| self.here(rank).end());
        let _dropped_outside_of_the_lock = lock(&self.agenda).clear();
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

    /// A script begins.
    pub fn script_begins(&self) {
        self.scripts.fetch_add(1, Ordering::Relaxed);
    }

    /// How many scripts were begun, that of the driver included.
    pub fn scripts_begun(&self) -> u64 {
        self.scripts.load(Ordering::Relaxed)
    }

    /// The driver is through.
    pub fn answered(&self, answer: Answer) {
        let now_ns = self.now_ns();
        *lock(&self.answer) = Some((answer, now_ns));
    }

    /// Something occurred.
    pub fn saw(&self, feat: Feat) {
        self.feats.saw(feat);
    }

    /// Something happened that must not.
    pub fn violated(&self, what: String) {
        let now_ns = self.now_ns();
        if self.setting.aloud {
            println!("{now_ns:>9} ns  WRONG: {what}");
        }
        lock(&self.violations).push(format!("at {now_ns} ns: {what}"));
    }
}
