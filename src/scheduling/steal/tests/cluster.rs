//! A cluster of [`Stealing`]s with one worker each, under a clock of its own: every message takes the same time.

use crate::base::Rank;
use crate::scheduling::steal::{Stealing, Verdict};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// How long a message is under way.
const LATENCY_NS: u64 = 10_000;

/// What a rank is busy with to send or take a task, many of which share a message.
const HANDLING_NS: u64 = 100;

/// The mean length of a task.
const TASK_NS: f64 = 1_000_000.0;

/// Tasks that go to a thief at once, at most.
const LOOT_TASKS_MAX: usize = 256;

/// How long tasks are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// All alike.
    Uniform,
    /// Pareto, cut off at so many times the mean.
    HeavyTailed(f64),
    /// A few tasks are there at first; each makes others.
    Tree,
}

/// Where tasks are born.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    OnOneRank,
    Spread,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub makespan_ns: u64,
    /// All work divided by the ranks.
    pub mean_ns: u64,
    pub longest_ns: u64,
    /// What one queue for all ranks would take, that costs nothing: who does not know how long a task is can do no better.
    pub one_queue_ns: u64,
    tasks: u64,
    steals: u64,
    vain: u64,
    unasked: u64,
    pub remembered_max: usize,
    /// Whether it ended, and nothing was left undone.
    pub all_done: bool,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ideal_ns = self.mean_ns.max(self.longest_ns);
        let each = |count: u64| count as f64 / self.tasks as f64;
        write!(
            formatter,
            "{:.3} of the ideal {:.1} ms, {:.3} of one queue's; a task: {:.3} steals, {:.3} requests in vain, {:.3} sent unasked; at most {} remembered",
            self.makespan_ns as f64 / ideal_ns as f64,
            ideal_ns as f64 / 1e6,
            self.makespan_ns as f64 / self.one_queue_ns as f64,
            each(self.steals),
            each(self.vain),
            each(self.unasked),
            self.remembered_max
        )
    }
}

/// A task: how long it is, and how many come to be below it.
#[derive(Clone, Copy, Debug)]
struct Task {
    ns: u64,
    below: u32,
}

enum What {
    Steal { from: Rank, remember: bool },
    Loot { from: Rank, load: u8, tasks: Vec<Task>, answer: bool },
    TaskOver { made: u32 },
}

struct One {
    stealing: Stealing,
    queue: VecDeque<Task>,
    busy: bool,
    /// Until when its worker handles messages.
    free_at_ns: u64,
}

pub struct Cluster {
    ranks: Vec<One>,
    /// By time, then by number: who, and what.
    events: BinaryHeap<Reverse<(u64, u64, Rank, usize)>>,
    whats: Vec<Option<What>>,
    now_ns: u64,
    random: u64,
    shape: Shape,
    outcome: Outcome,
    total_ns: u64,
}

impl Cluster {
    pub fn new(size: u32, host_ranks: u32, seed: u64, shape: Shape, work: Work, tasks_a_rank: u32) -> Cluster {
        let one = |rank: Rank| {
            let host: Vec<Rank> = (0..size).filter(|other| other / host_ranks == rank / host_ranks).collect();
            let stealing = Stealing::new(rank, size, seed).on_host(&host);
            One { stealing, queue: VecDeque::new(), busy: false, free_at_ns: 0 }
        };
        let outcome = Outcome {
            makespan_ns: 0,
            mean_ns: 0,
            longest_ns: 0,
            one_queue_ns: 0,
            tasks: 0,
            steals: 0,
            vain: 0,
            unasked: 0,
            remembered_max: 0,
            all_done: false,
        };
        let ranks = (0..size).map(one).collect();
        let mut cluster = Cluster {
            ranks,
            events: BinaryHeap::new(),
            whats: Vec::new(),
            now_ns: 0,
            random: seed | 1,
            shape,
            outcome,
            total_ns: 0,
        };
        let born = size * tasks_a_rank;
        // Below each of the first there are 999 more.
        let (born, below) = if shape == Shape::Tree { (born / 1000, 999) } else { (born, 0) };
        let mut lengths = Vec::new();
        for number in 0..born {
            let rank = match work {
                Work::OnOneRank => 0,
                Work::Spread => number % size,
            };
            let task = cluster.task(below);
            lengths.push(task.ns);
            cluster.ranks[rank as usize].queue.push_back(task);
        }
        cluster.outcome.one_queue_ns = one_queue_ns(&lengths, size);
        cluster
    }

    fn task(&mut self, below: u32) -> Task {
        let drawn = self.draw();
        let ns = match self.shape {
            Shape::Uniform | Shape::Tree => TASK_NS,
            // Pareto with shape 1.5: the mean is three times the least.
            Shape::HeavyTailed(most) => (TASK_NS / 3.0 / (1.0 - drawn).powf(1.0 / 1.5)).min(TASK_NS * most),
        } as u64;
        self.outcome.tasks += 1;
        self.total_ns += ns;
        self.outcome.longest_ns = self.outcome.longest_ns.max(ns);
        Task { ns, below }
    }

    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }

    fn at(&mut self, ns: u64, rank: Rank, what: What) {
        self.whats.push(Some(what));
        self.events.push(Reverse((ns, self.whats.len() as u64, rank, self.whats.len() - 1)));
    }

    pub fn run(mut self) -> Outcome {
        for rank in 0..self.ranks.len() as u32 {
            self.go_on(rank);
        }
        while let Some(Reverse((ns, _, rank, index))) = self.events.pop() {
            self.now_ns = ns;
            if let Some(what) = self.whats[index].take() {
                self.act(rank, what);
            }
        }
        let size = self.ranks.len() as u64;
        self.outcome.mean_ns = self.total_ns / size;
        self.outcome.all_done = self.ranks.iter().all(|one| one.queue.is_empty() && !one.busy);
        self.outcome
    }

    fn act(&mut self, rank: Rank, what: What) {
        let one = &mut self.ranks[rank as usize];
        match what {
            What::TaskOver { made } => {
                one.busy = false;
                self.outcome.makespan_ns = self.now_ns;
                for _ in 0..made.min(50) {
                    let share = made.saturating_sub(50) / 50;
                    let task = self.task(share);
                    self.ranks[rank as usize].queue.push_back(task);
                }
            }
            What::Steal { from, remember } => {
                let surplus = one.queue.len();
                let tasks = match one.stealing.asked(from, remember, surplus) {
                    Verdict::Give(count) => one.queue.drain(..count.min(LOOT_TASKS_MAX)).collect(),
                    Verdict::Nothing => Vec::new(),
                };
                if tasks.is_empty() {
                    self.outcome.vain += 1;
                } else {
                    self.outcome.steals += 1;
                }
                self.outcome.remembered_max = self.outcome.remembered_max.max(one.stealing.thieves.len());
                self.send(rank, from, tasks, true);
            }
            What::Loot { from, load, tasks, answer } => {
                one.stealing.heard(from, load);
                if answer {
                    one.stealing.answered(tasks.len());
                } else {
                    one.stealing.found_work();
                }
                one.free_at_ns = one.free_at_ns.max(self.now_ns) + tasks.len() as u64 * HANDLING_NS;
                one.queue.extend(tasks);
            }
        }
        self.go_on(rank);
    }

    fn send(&mut self, from: Rank, to: Rank, tasks: Vec<Task>, answer: bool) {
        let one = &mut self.ranks[from as usize];
        let load = Stealing::my_load(one.queue.len());
        one.free_at_ns = one.free_at_ns.max(self.now_ns) + tasks.len() as u64 * HANDLING_NS;
        let arrives_ns = one.free_at_ns + LATENCY_NS;
        self.at(arrives_ns, to, What::Loot { from, load, tasks, answer });
    }

    /// Begins the next task where the worker is free, gives to who is remembered, asks where there is nothing.
    fn go_on(&mut self, rank: Rank) {
        let now_ns = self.now_ns;
        let one = &mut self.ranks[rank as usize];
        if !one.busy
            && let Some(task) = one.queue.pop_back()
        {
            one.busy = true;
            let over_ns = now_ns.max(one.free_at_ns) + task.ns;
            self.at(over_ns, rank, What::TaskOver { made: task.below });
        }
        loop {
            let one = &mut self.ranks[rank as usize];
            let surplus = one.queue.len();
            let Some((thief, count)) = one.stealing.surplus(surplus) else { break };
            let tasks: Vec<Task> = one.queue.drain(..count.min(LOOT_TASKS_MAX)).collect();
            self.outcome.unasked += 1;
            self.send(rank, thief, tasks, false);
        }
        let one = &mut self.ranks[rank as usize];
        if !one.busy
            && one.queue.is_empty()
            && let Some((victim, remember)) = one.stealing.idle()
        {
            self.at(now_ns + LATENCY_NS, victim, What::Steal { from: rank, remember });
        }
    }
}

/// How long ranks take that share one queue without a cost.
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
