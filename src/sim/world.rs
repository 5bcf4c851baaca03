//! All ranks, and the one loop that moves the clock forward.

use crate::base::panic::catch;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Rank};
use crate::protocol::{Message, SendSequence, UNNUMBERED_HEADER};
use crate::sim::coverage::{Coverage, CoverageCounts};
use crate::sim::event_queue::EventQueue;
use crate::sim::network::{Network, Partition, Traffic};
use crate::sim::node::SimNode;
use crate::sim::random::mix;
use crate::sim::setting::SimSetting;
use crate::store::CopySource;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

mod event;

/// Something that happens at its time.
pub enum Event {
    /// A rank looks for work.
    Work(Rank),
    /// The time that a rank's job takes is over.
    Continue(Rank, usize),
    /// A message arrives.
    MessageArrives {
        /// The sender.
        from: Rank,
        /// The receiver.
        to: Rank,
        /// With its header.
        bytes: Vec<u8>,
    },
    /// A block that was to be fetched is there, or a source of it has died.
    ReadDone {
        /// The rank that fetches it.
        rank: Rank,
        /// Its number.
        token: u64,
        /// How much.
        bytes: u64,
        /// The sources: each has all of it.
        sources: Vec<CopySource>,
    },
    /// A fault of the setting, by its index.
    Fault(usize),
    /// A rank notices that another is dead.
    DeathNoticed {
        /// The rank that notices.
        by: Rank,
        /// The dead rank.
        dead: Rank,
    },
    /// A rank that stood still goes on.
    Resumes(Rank),
    /// A rank that was declared dead while it stood still learns of it.
    Fenced(Rank),
}

/// What all ranks share.
pub struct Simulation {
    /// The parameters of the run.
    pub setting: SimSetting,
    events: Mutex<EventQueue<Event>>,
    network: Mutex<NetworkState>,
    nodes: Box<[SimNode]>,
    /// Scripts that were started: a task that is retried is another one.
    scripts: AtomicU64,
    /// The driver's answer, and when it came.
    answer: Mutex<Option<(RunAnswer, u64)>>,
    /// Violations of invariants.
    violations: Mutex<Vec<String>>,
    coverage: CoverageCounts,
}

struct NetworkState {
    network: Network,
    departures: FxHashMap<(Rank, Rank), SendSequence>,
    /// Dead ranks, and since when: their messages that were in flight by then arrive in part.
    died_ns: FxHashMap<Rank, u64>,
    traffic: Traffic,
}

/// A digest of each result, or the code of the failure that was made on purpose; or the error.
pub type RunAnswer = Result<Vec<Result<u64, u64>>, Error>;

/// A rank of a world, as the environment of its protocol.
#[derive(Clone)]
pub struct SimEnvironment {
    /// The world.
    pub world: Arc<Simulation>,
    /// The rank.
    pub rank: Rank,
}

/// The outcome of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// The driver's answer; `None` if it never came.
    pub answer: Option<RunAnswer>,
    /// When it came.
    pub answered_ns: u64,
    /// Violations of invariants.
    pub violations: Vec<String>,
    /// Scripts and calls that were started.
    pub begun: u64,
    /// Events until none was left.
    pub events: u64,
    /// All events in one number: two runs of a seed have the same.
    pub trace: u64,
    /// Messages between ranks.
    pub traffic: Traffic,
    /// How often each item of the coverage occurred.
    pub coverage: BTreeMap<&'static str, u64>,
}

/// Events of a run for each task, at most: more is work that never ends.
const TASK_EVENTS_MAX: u64 = 20_000;

impl Simulation {
    /// A world in which nothing has happened yet.
    pub fn new(setting: SimSetting) -> Arc<Simulation> {
        let nodes = (0..setting.ranks).map(|rank| SimNode::new(&setting, rank)).collect();
        let (network, departures) = (Network::new(setting.network, setting.seed), FxHashMap::default());
        let (died_ns, traffic) = (FxHashMap::default(), Traffic::default());
        let network = NetworkState { network, departures, died_ns, traffic };
        let world = Arc::new(Simulation {
            setting,
            events: Mutex::new(EventQueue::new()),
            network: Mutex::new(network),
            nodes,
            scripts: AtomicU64::new(0),
            answer: Mutex::new(None),
            violations: Mutex::default(),
            coverage: CoverageCounts::default(),
        });
        for rank in 0..world.setting.ranks {
            let of = Arc::downgrade(&world);
            world.node(rank).store.set_on_freed(move |number| {
                if let Some(env) = of.upgrade().map(|world| world.env(rank)) {
                    env.node().protocol.objects.copies.on_block_freed(&env, number);
                }
            });
        }
        world
    }

    /// Runs the driver until no event is left.
    pub fn run(self: &Arc<Self>) -> RunOutcome {
        for (index, fault) in self.setting.faults.iter().enumerate() {
            self.schedule_after(fault.at_ns, Event::Fault(index));
        }
        self.env(0).start_driver();
        (1..self.setting.ranks).for_each(|rank| self.env(rank).schedule_work());
        let (mut events, mut trace) = (0, 0);
        self.run_until_quiet(&mut events, &mut trace);
        let answer = lock(&self.answer).take();
        if answer.is_some() {
            self.check_names();
            // Actors that hold each other's handles live until they are ended.
            (0..self.setting.ranks).for_each(|rank| self.env(rank).end_actors());
            self.run_until_quiet(&mut events, &mut trace);
            self.check_quiescent();
        } else if self.node(0).is_dead() {
            self.check_quiescent();
        } else {
            self.report_violation("the driver waits for something that never comes".to_string());
        }
        let (answer, answered_ns) = answer.map_or((None, 0), |(answer, at_ns)| (Some(answer), at_ns));
        let traffic = lock(&self.network).traffic;
        RunOutcome {
            answer,
            answered_ns,
            violations: std::mem::take(&mut *lock(&self.violations)),
            begun: self.scripts_begun(),
            events,
            trace,
            traffic,
            coverage: self.coverage.counts(),
        }
    }

    /// Handles events until none is left.
    fn run_until_quiet(self: &Arc<Self>, events: &mut u64, trace: &mut u64) {
        while *events < TASK_EVENTS_MAX * (1 + self.scripts_begun()) {
            let next = lock(&self.events).pop();
            let Some(event) = next else { return };
            *events += 1;
            *trace = mix(*trace, mix(self.now_ns(), event.digest()));
            self.deliver(event);
        }
        self.report_violation("it never ends".to_string());
    }

    /// The time of an event has come: handles it, unless its rank stands still or is dead.
    fn deliver(self: &Arc<Self>, event: Event) {
        let rank = event.rank();
        let event = match rank {
            Some(rank) => self.node(rank).accept(event),
            None => Some(event),
        };
        if let Some(event) = event {
            if self.setting.verbose && !self.is_lost(&event) {
                println!("{:>9} ns  {}", self.now_ns(), event.describe());
            }
            match rank.filter(|rank| self.node(0).knows_dead(*rank)) {
                Some(fenced) => self.handle_on_fenced(fenced, event),
                None => self.handle(event),
            }
            rank.into_iter().for_each(|rank| self.check(rank));
        }
    }

    /// Handles an event of a rank that was declared dead and does not know it yet. Other ranks have reused the memory
    /// that it refers to: what it reads there is meaningless, and no rank accepts its messages.
    fn handle_on_fenced(self: &Arc<Self>, fenced: Rank, event: Event) {
        if catch(|| self.handle(event)).is_err() {
            self.kill_rank(fenced);
        }
    }

    fn handle(self: &Arc<Self>, event: Event) {
        match event {
            Event::Work(rank) => self.env(rank).work(),
            Event::Continue(rank, slot) => self.env(rank).resume_slot(slot),
            Event::MessageArrives { from, to, bytes } => {
                if self.still_arrives(from, to) {
                    let env = self.env(to);
                    env.node().protocol.receive(&env, from, &bytes);
                }
            }
            Event::ReadDone { rank, token, bytes, sources } => self.env(rank).on_read_done(token, bytes, &sources),
            Event::Fault(index) => self.inject_fault(&self.setting.faults[index]),
            Event::DeathNoticed { by, dead } => self.env(by).on_rank_dead(dead),
            Event::Resumes(rank) => {
                // Before any new event, which may be of the same sender.
                self.node(rank).resume().into_iter().for_each(|event| self.deliver(event));
            }
            Event::Fenced(rank) => {
                if !self.node(rank).is_dead() {
                    self.covered(Coverage::Fenced);
                }
                self.kill_rank(rank);
            }
        }
    }

    /// Kills a process.
    pub fn kill_rank(&self, rank: Rank) {
        let now_ns = self.now_ns();
        if !self.node(rank).is_dead() {
            lock(&self.network).died_ns.insert(rank, now_ns);
            self.node(rank).die();
        }
    }

    /// Since when a process is dead.
    pub fn died_ns(&self, rank: Rank) -> Option<u64> {
        lock(&self.network).died_ns.get(&rank).copied()
    }

    /// Of the messages that a process had sent when it died some may be lost, but then every later one to the same rank
    /// is lost too.
    fn still_arrives(&self, from: Rank, to: Rank) -> bool {
        self.died_ns(from).is_none_or(|died_ns| {
            let draw = mix(self.setting.seed, u64::from(from) << 32 | u64::from(to));
            self.now_ns() <= died_ns + draw % (2 * self.setting.network.latency_ns)
        })
    }

    fn is_lost(&self, event: &Event) -> bool {
        matches!(event, Event::MessageArrives { from, to, .. } if !self.still_arrives(*from, *to))
    }

    /// Sends a message.
    pub fn send(&self, from: Rank, to: Rank, message: &Message<'_>, load: impl FnOnce() -> u8) {
        let now_ns = self.now_ns();
        let mut network = lock(&self.network);
        let header = match message.is_link_control() {
            true => UNNUMBERED_HEADER,
            false => network.departures.entry((from, to)).or_default().next(load),
        };
        let bytes = message.encode(header.to_vec());
        network.traffic.count(message, bytes.len());
        Coverage::of(message).into_iter().for_each(|item| self.covered(item));
        let times = network.network.delivery_times(now_ns, from, to, bytes.len());
        let mut queue = lock(&self.events);
        let duplicate = times.duplicate_ns.map(|duplicate_ns| (duplicate_ns, bytes.clone()));
        for (at_ns, bytes) in std::iter::once((times.first_ns, bytes)).chain(duplicate) {
            queue.push(at_ns, Event::MessageArrives { from, to, bytes });
        }
    }

    /// Separates these ranks from all others for so long.
    pub fn partition(&self, side: Vec<Rank>, lasts_ns: u64) {
        let until_ns = self.now_ns() + lasts_ns;
        lock(&self.network).network.partition(Partition { side, until_ns });
    }

    /// Drops everything, so that nothing of it stays in memory.
    pub fn end(self: &Arc<Self>) {
        self.nodes.iter().for_each(SimNode::end);
        let _dropped_outside_of_the_lock = lock(&self.events).clear();
    }

    /// The environment of that rank.
    pub fn env(self: &Arc<Self>, rank: Rank) -> SimEnvironment {
        SimEnvironment { world: self.clone(), rank }
    }

    /// The state of a rank.
    pub fn node(&self, rank: Rank) -> &SimNode {
        &self.nodes[rank as usize]
    }

    /// The time.
    pub fn now_ns(&self) -> u64 {
        lock(&self.events).now_ns()
    }

    /// Schedules an event so much later.
    pub fn schedule_after(&self, delay_ns: u64, event: Event) {
        let mut queue = lock(&self.events);
        let at_ns = queue.now_ns() + delay_ns;
        queue.push(at_ns, event);
    }

    /// A script starts: its number, as a caller of actors.
    pub fn begin_script(&self) -> u64 {
        self.scripts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many scripts were started, that of the driver included.
    pub fn scripts_begun(&self) -> u64 {
        self.scripts.load(Ordering::Relaxed)
    }

    /// Records the driver's answer.
    pub fn set_answer(&self, answer: RunAnswer) {
        let now_ns = self.now_ns();
        *lock(&self.answer) = Some((answer, now_ns));
    }

    /// Counts an item of the coverage.
    pub fn covered(&self, item: Coverage) {
        self.coverage.covered(item);
    }

    /// Records a violation of an invariant unless it holds.
    pub fn ensure(&self, holds: bool, violation: impl FnOnce() -> String) {
        if !holds {
            self.report_violation(violation());
        }
    }

    /// Records a violation of an invariant.
    pub fn report_violation(&self, what: String) {
        let now_ns = self.now_ns();
        if self.setting.verbose {
            println!("{now_ns:>9} ns  WRONG: {what}");
        }
        lock(&self.violations).push(format!("at {now_ns} ns: {what}"));
    }
}
