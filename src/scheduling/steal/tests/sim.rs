//! A cluster of [`StealState`]s with one worker each, under a simulated clock: every message takes the same time.

use crate::base::Rank;
use crate::scheduling::steal::{StealDecision, StealState};
use fastrand::Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// How long a message is in flight.
const LATENCY_NS: u64 = 10_000;

/// The time that a rank takes to send or receive a task, many of which share a message.
const HANDLING_NS: u64 = 100;

/// The mean length of a task.
const TASK_NS: f64 = 1_000_000.0;

/// Tasks that are sent to a stealer at once, at most.
const STOLEN_TASKS_MAX: usize = 256;

/// How long tasks are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TaskLengths {
    /// All alike.
    Uniform,
    /// Pareto, cut off at this many times the mean.
    HeavyTailed(f64),
    /// A few tasks exist at first; each submits others.
    Tree,
}

/// Where tasks are submitted.
#[derive(Clone, Copy, Debug)]
pub enum TaskOrigin {
    OnOneRank,
    Spread,
}

/// The result of a run.
#[derive(Debug)]
pub struct RunResult {
    pub makespan_ns: u64,
    /// All work divided by the ranks.
    pub mean_ns: u64,
    pub longest_ns: u64,
    /// The time that one queue for all ranks without overhead would take: without knowing the task lengths no order is
    /// better.
    pub one_queue_ns: u64,
    tasks: u64,
    steals: u64,
    failed_requests: u64,
    lifeline_sends: u64,
    pub waiting_max: usize,
    /// True if it ended, and no task was left.
    pub all_done: bool,
}

impl fmt::Display for RunResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ideal_ns = self.mean_ns.max(self.longest_ns);
        let each = |count: u64| count as f64 / self.tasks as f64;
        write!(
            formatter,
            "{:.3} of the ideal {:.1} ms, {:.3} of one queue's; a task: {:.3} steals, {:.3} requests in vain, {:.3} \
             sent without a request; at most {} remembered",
            self.makespan_ns as f64 / ideal_ns as f64,
            ideal_ns as f64 / 1e6,
            self.makespan_ns as f64 / self.one_queue_ns as f64,
            each(self.steals),
            each(self.failed_requests),
            each(self.lifeline_sends),
            self.waiting_max
        )
    }
}

/// A task: its length, and how many tasks it submits.
#[derive(Clone, Copy, Debug)]
struct StealSimTask {
    ns: u64,
    below: u32,
}

enum StealEvent {
    Steal { from: Rank, remember: bool },
    StealReply { from: Rank, load: u8, tasks: Vec<StealSimTask>, answer: bool },
    TaskFinished { submitted: u32 },
}

struct SimWorker {
    stealing: StealState,
    queue: VecDeque<StealSimTask>,
    busy: bool,
    /// Until when its worker handles messages.
    free_at_ns: u64,
}

pub struct StealSim {
    ranks: Vec<SimWorker>,
    /// By time, then by number: the rank, and the index of the event.
    events: BinaryHeap<Reverse<(u64, u64, Rank, usize)>>,
    payloads: Vec<Option<StealEvent>>,
    now_ns: u64,
    random: Rng,
    shape: TaskLengths,
    outcome: RunResult,
    total_ns: u64,
}

impl StealSim {
    pub fn new(
        size: u32,
        host_ranks: u32,
        seed: u64,
        shape: TaskLengths,
        work: TaskOrigin,
        tasks_a_rank: u32,
    ) -> StealSim {
        let one = |rank: Rank| {
            let host: Vec<Rank> = (0..size).filter(|other| other / host_ranks == rank / host_ranks).collect();
            let stealing = StealState::new(rank, size, seed).on_host(&host);
            SimWorker { stealing, queue: VecDeque::new(), busy: false, free_at_ns: 0 }
        };
        let outcome = RunResult {
            makespan_ns: 0,
            mean_ns: 0,
            longest_ns: 0,
            one_queue_ns: 0,
            tasks: 0,
            steals: 0,
            failed_requests: 0,
            lifeline_sends: 0,
            waiting_max: 0,
            all_done: false,
        };
        let ranks = (0..size).map(one).collect();
        let mut cluster = StealSim {
            ranks,
            events: BinaryHeap::new(),
            payloads: Vec::new(),
            now_ns: 0,
            random: Rng::with_seed(seed),
            shape,
            outcome,
            total_ns: 0,
        };
        let born = size * tasks_a_rank;
        // Each of the first tasks submits 999 more.
        let (born, below) = if shape == TaskLengths::Tree { (born / 1000, 999) } else { (born, 0) };
        let mut lengths = Vec::new();
        for number in 0..born {
            let rank = match work {
                TaskOrigin::OnOneRank => 0,
                TaskOrigin::Spread => number % size,
            };
            let task = cluster.task(below);
            lengths.push(task.ns);
            cluster.ranks[rank as usize].queue.push_back(task);
        }
        cluster.outcome.one_queue_ns = one_queue_ns(&lengths, size);
        cluster
    }

    fn task(&mut self, below: u32) -> StealSimTask {
        let drawn = self.random.f64();
        let ns = match self.shape {
            TaskLengths::Uniform | TaskLengths::Tree => TASK_NS,
            // Pareto with shape 1.5: the mean is three times the least.
            TaskLengths::HeavyTailed(most) => (TASK_NS / 3.0 / (1.0 - drawn).powf(1.0 / 1.5)).min(TASK_NS * most),
        } as u64;
        self.outcome.tasks += 1;
        self.total_ns += ns;
        self.outcome.longest_ns = self.outcome.longest_ns.max(ns);
        StealSimTask { ns, below }
    }

    fn at(&mut self, ns: u64, rank: Rank, what: StealEvent) {
        self.payloads.push(Some(what));
        self.events.push(Reverse((ns, self.payloads.len() as u64, rank, self.payloads.len() - 1)));
    }

    pub fn run(mut self) -> RunResult {
        for rank in 0..self.ranks.len() as u32 {
            self.advance(rank);
        }
        while let Some(Reverse((ns, _, rank, index))) = self.events.pop() {
            self.now_ns = ns;
            if let Some(what) = self.payloads[index].take() {
                self.handle(rank, what);
            }
        }
        let size = self.ranks.len() as u64;
        self.outcome.mean_ns = self.total_ns / size;
        self.outcome.all_done = self.ranks.iter().all(|one| one.queue.is_empty() && !one.busy);
        self.outcome
    }

    fn handle(&mut self, rank: Rank, what: StealEvent) {
        let one = &mut self.ranks[rank as usize];
        match what {
            StealEvent::TaskFinished { submitted } => {
                one.busy = false;
                self.outcome.makespan_ns = self.now_ns;
                for _ in 0..submitted.min(50) {
                    let share = submitted.saturating_sub(50) / 50;
                    let task = self.task(share);
                    self.ranks[rank as usize].queue.push_back(task);
                }
            }
            StealEvent::Steal { from, remember } => {
                let surplus = one.queue.len();
                let tasks = match one.stealing.on_request(from, remember, surplus) {
                    StealDecision::Give(count) => one.queue.drain(..count.min(STOLEN_TASKS_MAX)).collect(),
                    StealDecision::Nothing => Vec::new(),
                };
                if tasks.is_empty() {
                    self.outcome.failed_requests += 1;
                } else {
                    self.outcome.steals += 1;
                }
                self.outcome.waiting_max = self.outcome.waiting_max.max(one.stealing.waiting.len());
                self.send(rank, from, tasks, true);
            }
            StealEvent::StealReply { from, load, tasks, answer } => {
                one.stealing.record_load(from, load);
                if answer {
                    one.stealing.on_reply(tasks.len());
                } else {
                    one.stealing.found_work();
                }
                one.free_at_ns = one.free_at_ns.max(self.now_ns) + tasks.len() as u64 * HANDLING_NS;
                one.queue.extend(tasks);
            }
        }
        self.advance(rank);
    }

    fn send(&mut self, from: Rank, to: Rank, tasks: Vec<StealSimTask>, answer: bool) {
        let one = &mut self.ranks[from as usize];
        let load = StealState::load_class(one.queue.len());
        one.free_at_ns = one.free_at_ns.max(self.now_ns) + tasks.len() as u64 * HANDLING_NS;
        let arrives_ns = one.free_at_ns + LATENCY_NS;
        self.at(arrives_ns, to, StealEvent::StealReply { from, load, tasks, answer });
    }

    /// Begins the next task if the worker is free, gives to remembered stealers, asks for work if there is none.
    fn advance(&mut self, rank: Rank) {
        let now_ns = self.now_ns;
        let one = &mut self.ranks[rank as usize];
        if !one.busy
            && let Some(task) = one.queue.pop_back()
        {
            one.busy = true;
            let end_ns = now_ns.max(one.free_at_ns) + task.ns;
            self.at(end_ns, rank, StealEvent::TaskFinished { submitted: task.below });
        }
        loop {
            let one = &mut self.ranks[rank as usize];
            let surplus = one.queue.len();
            let Some((stealer, count)) = one.stealing.next_share(surplus) else { break };
            let tasks: Vec<StealSimTask> = one.queue.drain(..count.min(STOLEN_TASKS_MAX)).collect();
            self.outcome.lifeline_sends += 1;
            self.send(rank, stealer, tasks, false);
        }
        let one = &mut self.ranks[rank as usize];
        if !one.busy
            && one.queue.is_empty()
            && let Some((victim, remember)) = one.stealing.next_victim()
        {
            self.at(now_ns + LATENCY_NS, victim, StealEvent::Steal { from: rank, remember });
        }
    }
}

/// How long ranks that share one queue without overhead take.
fn one_queue_ns(lengths: &[u64], ranks: u32) -> u64 {
    let mut free_at: BinaryHeap<Reverse<u64>> = (0..ranks).map(|_| Reverse(0)).collect();
    let mut last = 0;
    for length in lengths {
        let begins = free_at.pop().map_or(0, |Reverse(ns)| ns);
        last = last.max(begins + length);
        free_at.push(Reverse(begins + length));
    }
    last
}
