//! Task Bench: graphs of tasks that depend on each other in known patterns, beside a plain MPI program of the same
//! graph.
//!
//! Slaughter, Wu, Fu, Brandenburg, Garcia, Kautz, Marx, Morris, Cao, Bosilca, Mirchandaney, Lee, Treichler, McCormick,
//! Aiken: *Task Bench: A Parameterized Benchmark for Evaluating Parallel Runtime Performance*, SC 2020. A graph is rows
//! of points, one row a step; a point depends on some of the row before. METG(50%), the minimum effective task
//! granularity, is the shortest mean task with which half of the cores' time still goes into the kernel.
//!
//! Owns: the graphs, the kernels, the sweep, and two ways to run a graph: tasks with references, and an actor a core
//! that sends messages.
//! Never: starts ranks.
//!
//! - BENCH-TASKBENCH-1: every task compares its inputs with the pattern, and a graph with one wrong input has no
//!   number.
//! - BENCH-TASKBENCH-2: the peer (`bench/peers/taskbench.c`) has the same graphs, kernels and sweep, number by number.
//! - BENCH-TASKBENCH-3: a row has two points a core (`all_to_all`: four), and a core has the same points in every step.

mod actors;
mod graph;
mod kernel;
mod sweep;
mod tasks;

use crate::case::{Bar, Case, Run, case};
use crate::failure::{Failure, Result};
use crate::peers::mpi;
use crate::suite::Bench;
use graph::{Graph, Pattern};
use kernel::Kernel;
use std::ops::Range;
use sweep::Sweep;

/// Points of a row for each core.
const POINTS_A_CORE: u32 = 2;
const POINTS_A_CORE_ALL_TO_ALL: u32 = 4;

/// Every case.
pub fn cases() -> Vec<Case> {
    let by_tasks = Pattern::ALL.into_iter().flat_map(|pattern| Kernel::ALL.map(|kernel| by_tasks(pattern, kernel)));
    let by_actors = [Pattern::Stencil, Pattern::AllToAll].into_iter().flat_map(|pattern| {
        [Kernel::Empty, Kernel::Compute].map(|kernel| {
            let name = format!("{}, actors", name(pattern, kernel));
            Case { name, ..beside_mpi(pattern, kernel, actors::run).bar(bar(pattern, kernel)) }
        })
    });
    by_tasks.chain(by_actors).collect()
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

fn by_tasks(pattern: Pattern, kernel: Kernel) -> Case {
    beside_mpi(pattern, kernel, tasks::run).bar(bar(pattern, kernel))
}

fn bar(pattern: Pattern, kernel: Kernel) -> Bar {
    match (pattern, kernel) {
        (Pattern::Stencil, Kernel::Compute) => Bar::RatioAtMost(3.0),
        (Pattern::AllToAll, Kernel::Compute) => Bar::RatioAtMost(1.0),
        _ => Bar::Open,
    }
}

/// For an empty kernel the name of the time a task, for the others that of METG(50%).
fn name(pattern: Pattern, kernel: Kernel) -> String {
    match kernel {
        Kernel::Empty => format!("{}, empty", pattern.name()),
        _ => format!("{}, METG {}", pattern.name(), kernel.name()),
    }
}

fn unit(kernel: Kernel) -> &'static str {
    if kernel == Kernel::Empty { "us a task" } else { "us" }
}

/// A way to run a graph: returns the seconds from the first task to the end of the last.
type Runner = fn(&Graph) -> Result<f64>;

fn beside_mpi(pattern: Pattern, kernel: Kernel, runner: Runner) -> Case {
    let ours = move |run: &Run| {
        let cores = cores()?;
        let (graph, sweep) = (graph(pattern, kernel, cores, run), Sweep::of(run));
        if kernel == Kernel::Empty { sweep.us_a_task(graph, runner) } else { sweep.metg_us(graph, cores, runner) }
    };
    let theirs = move |run: &Run| {
        let cores = cores()?;
        let (graph, sweep) = (graph(pattern, kernel, cores, run), Sweep::of(run));
        let (width, seed) = (graph.width.to_string(), graph.seed.to_string());
        let (target, steps) = (sweep.target_s.to_string(), sweep.steps_max.to_string());
        mpi::taskbench(cores, &[pattern.name(), kernel.name(), &width, &seed, &target, &steps])
    };
    case(name(pattern, kernel), unit(kernel), ours).peer("MPI nonblocking", theirs)
}

/// A graph whose steps and grain the sweep decides.
fn graph(pattern: Pattern, kernel: Kernel, cores: u32, run: &Run) -> Graph {
    let a_core = if pattern == Pattern::AllToAll { POINTS_A_CORE_ALL_TO_ALL } else { POINTS_A_CORE };
    Graph { pattern, kernel, width: cores * a_core, steps: 0, iterations: 0, seed: run.seed }
}

/// Cores that run tasks.
fn cores() -> Result<u32> {
    let cores = mobula::cluster_resources().get("CPU").copied().unwrap_or_default() as u32;
    if cores == 0 { Err(Failure::Usage("the cluster has no CPUs".to_string())) } else { Ok(cores) }
}

/// The owner, of so many, of a point or a block: points are distributed in blocks.
fn owner(point: u32, width: u32, owners: u32) -> u32 {
    (u64::from(point) * u64::from(owners) / u64::from(width)) as u32
}

/// The points of each core.
fn blocks(graph: &Graph, cores: u32) -> Vec<Range<u32>> {
    let begin =
        |block: u32| (0..graph.width).find(|point| owner(*point, graph.width, cores) >= block).unwrap_or(graph.width);
    (0..cores).map(|block| begin(block)..begin(block + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that decides a graph, in one number.
    fn checksum(graph: &Graph) -> u64 {
        let mut sum = 0u64;
        let mut add = |number: u64| sum = (sum.wrapping_mul(31).wrapping_add(number)) & ((1 << 48) - 1);
        for step in 0..graph.steps {
            for point in graph.row(step) {
                add(u64::from(point));
                graph.dependencies(step, point).iter().for_each(|other| add(u64::from(*other) + 1));
                add(graph.iterations(step, point));
            }
        }
        sum
    }

    #[test]
    fn blocks_share_a_row_out() {
        let graph = Graph { pattern: Pattern::Dom, kernel: Kernel::Empty, width: 5, steps: 1, iterations: 0, seed: 0 };
        assert_eq!(blocks(&graph, 2), [0..3, 3..5]);
        assert!(blocks(&graph, 1).into_iter().eq(std::iter::once(0..5)));
        assert_eq!((0..5).map(|point| owner(point, 5, 2)).collect::<Vec<_>>(), [0, 0, 0, 1, 1]);
    }

    #[test]
    fn the_peer_makes_the_same_graphs() {
        for pattern in Pattern::ALL {
            for (width, kernel) in [(8, Kernel::Imbalance), (5, Kernel::Compute)] {
                let graph = Graph { pattern, kernel, width, steps: 40, iterations: 1000, seed: 9 };
                let peers =
                    mpi::taskbench(1, &[pattern.name(), kernel.name(), &width.to_string(), "9", "checksum", "40"]);
                match peers {
                    Ok(sum) => {
                        assert_eq!(sum, checksum(&graph) as f64, "{pattern:?}, {width} points (BENCH-TASKBENCH-2)")
                    }
                    Err(failure) => {
                        assert!(std::env::var("CI").is_err(), "{failure}");
                        return println!("left out: {failure}");
                    }
                }
            }
        }
    }
}
