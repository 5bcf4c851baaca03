//! Work of known shape for large runs, in which the spread of the work and its cost are measured.

use crate::sim::network::NetworkModel;
use crate::sim::random::mix;
use crate::sim::script::{Length, Program, Spec};
use crate::sim::setting::{Costs, SimSetting, StoreLimit};

/// A shape of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Tasks of 20 us, all alike, all created by rank 0.
    Uniform,
    /// Tasks of 200 us on average, a few much longer, the longest a quarter of a rank's share; every rank creates as
    /// many. A scheduler that does not know the lengths cannot spread these evenly: one of the longest is started last.
    Heavy,
    /// The same, the longest a sixteenth of a rank's share.
    HeavyBounded,
    /// The same, all created by rank 0.
    HeavyFromOne,
    /// A tree whose shape only its nodes know.
    Tree,
    /// Many results into one task, again and again.
    Fan,
    /// Tasks that each read one block of 1 MiB; every rank has some of the blocks.
    Near,
}

impl Scenario {
    /// All of them, by name.
    pub const ALL: [(&'static str, Scenario); 7] = [
        ("uniform", Scenario::Uniform),
        ("heavy", Scenario::Heavy),
        ("heavy-bounded", Scenario::HeavyBounded),
        ("heavy-from-one", Scenario::HeavyFromOne),
        ("uts", Scenario::Tree),
        ("fan", Scenario::Fan),
        ("near", Scenario::Near),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Scenario::ALL.iter().find(|(_, scenario)| *scenario == self).map_or("?", |(name, _)| name)
    }

    /// Its work, of `tasks_a_rank` tasks for each of `ranks`, as nearly as its shape allows.
    pub fn work(self, seed: u64, ranks: u32, tasks_a_rank: u32) -> Spec {
        let tasks = ranks * tasks_a_rank;
        let share_ns = 200_000 * u64::from(tasks_a_rank);
        let parts = if self == Scenario::HeavyBounded { 16 } else { 4 };
        let heavy = Length::Heavy { mean_ns: 200_000, most_ns: share_ns / parts };
        let leaf = |length| Box::new(Program::Leaf(length));
        let program = match self {
            Scenario::Uniform => {
                Program::Fan { children: tasks, placed: false, child: leaf(Length::Even { mean_ns: 20_000 }) }
            }
            Scenario::HeavyFromOne => Program::Fan { children: tasks, placed: false, child: leaf(heavy) },
            Scenario::Heavy | Scenario::HeavyBounded => {
                let each = Program::Fan { children: tasks_a_rank, placed: false, child: leaf(heavy) };
                Program::Fan { children: ranks, placed: true, child: Box::new(each) }
            }
            Scenario::Tree => tree(tasks),
            Scenario::Fan => {
                let rounds = 10;
                let child = leaf(Length::Even { mean_ns: 50_000 });
                Program::Rounds { width: (tasks / rounds).max(1), rounds, child }
            }
            Scenario::Near => {
                let length = Length::Even { mean_ns: 100_000 };
                Program::Near { blocks: ranks, bytes: 1 << 20, uses: tasks_a_rank.saturating_sub(1), length }
            }
        };
        Spec::new(mix(seed, 0x7363_656e), program)
    }

    /// The run of that scenario: ranks of one worker, sixteen on a host, a network without duplicates, no faults.
    pub fn setting(self, seed: u64, ranks: u32, tasks_a_rank: u32) -> SimSetting {
        SimSetting {
            seed,
            ranks,
            workers: 1,
            network: NetworkModel {
                latency_ns: 1_500,
                latency_host_ns: 300,
                jitter_ns: 200,
                bytes_per_us: 10_000,
                duplicates_per_mille: 0,
                ranks_per_host: 16,
            },
            faults: Vec::new(),
            slow: Vec::new(),
            store: StoreLimit::NONE,
            costs: Costs { spawn_ns: 140, begin_ns: 60, resume_ns: 100 },
            work: self.work(seed, ranks, tasks_a_rank),
            short_calls: true,
            store_pressure: false,
            verbose: false,
        }
    }
}

/// Trees of so many nodes in all, on average: with a mean of two children for each, one more level doubles a tree.
fn tree(nodes: u32) -> Program {
    let depth = (nodes / TREES).max(4).ilog2() - 1;
    let child = Box::new(Program::Tree { mean_milli: 2_000, depth, length: Length::Even { mean_ns: 20_000 } });
    Program::Fan { children: TREES, placed: false, child }
}

/// How many trees: one alone may be its root and no more.
const TREES: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::reference_model::reference_answer;

    #[test]
    fn a_scenario_has_about_as_many_tasks_as_requested() {
        for (name, scenario) in Scenario::ALL {
            let answer = reference_answer(&scenario.work(2, 64, 100));
            let expected = 6_400;
            let bounds =
                if scenario == Scenario::Tree { expected / 5..expected * 5 } else { expected - 100..expected + 200 };
            assert!(bounds.contains(&answer.tasks), "{name}: {} tasks", answer.tasks);
            assert!(answer.results[0].is_ok());
        }
    }
}
