//! METG(50%): grains are doubled until half of the cores' time goes into the kernel. The same in
//! `bench/peers/taskbench.c`.

use super::Runner;
use super::graph::{Graph, Pattern};
use super::kernel::Kernel;
use crate::case::Run;
use crate::failure::{Failure, Result};

/// The part of the cores' time that has to go into the kernel.
const EFFICIENCY: f64 = 0.5;

/// Seconds of the kernel in a task that the sweep begins and ends with.
const GRAIN_LEAST_S: f64 = 0.25e-6;
const GRAIN_MOST_S: f64 = 0.02;

/// Turns of each graph, of which the fastest counts: a disturbance of one is the machine's, not the runtime's.
const TURNS: u32 = 3;

/// Steps of a graph at least, so that its first and last rows do not count for much.
const STEPS_MIN: u32 = 20;

/// How long the graphs of a sweep are.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// Seconds that a graph should take.
    pub target_s: f64,
    /// Steps that it has at most.
    pub steps_max: u32,
}

/// One grain of a sweep.
#[derive(Clone, Copy, Debug)]
struct Point {
    /// The mean time of a task: that of all cores over the number of tasks.
    granularity_s: f64,
    /// The part of it that the kernel takes.
    efficiency: f64,
}

impl Sweep {
    /// Long graphs, or short ones in a quick run.
    pub fn of(run: &Run) -> Sweep {
        if run.quick { Sweep { target_s: 0.005, steps_max: 60 } } else { Sweep { target_s: 0.05, steps_max: 1000 } }
    }

    /// Steps of a graph whose tasks take so long on so many cores.
    fn steps(&self, graph: &Graph, task_s: f64, cores: u32) -> u32 {
        let steps = self.target_s * f64::from(cores) / (f64::from(graph.width) * task_s);
        (steps as u32).clamp(STEPS_MIN, self.steps_max)
    }

    /// Microseconds a task of a graph with an empty kernel: the time of the graph over the number of tasks.
    ///
    /// # Errors
    /// The runner's.
    pub fn us_a_task(&self, graph: Graph, runner: Runner) -> Result<f64> {
        let graph = Graph { steps: self.steps_max, ..graph };
        runner(&Graph { steps: STEPS_MIN, ..graph })?;
        Ok(runner(&graph)? / graph.tasks() as f64 * 1e6)
    }

    /// Microseconds of the shortest mean task with which half of the cores' time goes into the kernel.
    ///
    /// # Errors
    /// The runner's, and `Failure::Unsteady` where no grain is long enough.
    pub fn metg_us(&self, graph: Graph, cores: u32, runner: Runner) -> Result<f64> {
        runner(&Graph { steps: STEPS_MIN, kernel: Kernel::Empty, ..graph })?;
        let iteration_s = self.peak_iteration_s(&graph, cores, runner)?;
        let mut before: Option<Point> = None;
        let mut grain_s = GRAIN_LEAST_S;
        while grain_s < GRAIN_MOST_S {
            let iterations = (grain_s / iteration_s).ceil().max(1.0) as u32;
            let task_s = before.map_or(grain_s, |point| point.granularity_s).max(grain_s);
            let graph = Graph { iterations, steps: self.steps(&graph, task_s, cores), ..graph };
            let core_s = fastest_s(&graph, runner)? * f64::from(cores);
            let point = Point {
                granularity_s: core_s / graph.tasks() as f64,
                efficiency: graph.total_iterations() as f64 * iteration_s / core_s,
            };
            if point.efficiency >= EFFICIENCY {
                return Ok(crossing_s(before, point) * 1e6);
            }
            before = Some(point);
            // If an iteration is longer than the grain, the next grain is the next number of iterations.
            grain_s = (f64::from(iterations) * iteration_s * 2.0).max(grain_s * 2.0);
        }
        let best = before.map_or(0.0, |point| point.efficiency);
        let (pattern, kernel) = (graph.pattern.name(), graph.kernel.name());
        Err(Failure::Unsteady(format!(
            "{pattern} with {kernel}: tasks of {GRAIN_MOST_S} s still leave {:.0} % of the cores idle",
            100.0 * (1.0 - best)
        )))
    }
}

impl Sweep {
    /// Seconds that a core takes for an iteration while all of them compute and nothing depends on anything: the
    /// reference for efficiency, so that any other load of the machine affects both.
    fn peak_iteration_s(&self, graph: &Graph, cores: u32, runner: Runner) -> Result<f64> {
        let grain_s = self.target_s * f64::from(cores) / f64::from(graph.width * STEPS_MIN);
        let iterations = (grain_s / graph.kernel.iteration_s()).ceil().max(1.0) as u32;
        let free = Graph { pattern: Pattern::Trivial, steps: STEPS_MIN, iterations, ..*graph };
        Ok(fastest_s(&free, runner)? * f64::from(cores) / free.total_iterations() as f64)
    }
}

/// Seconds of the fastest of a few turns.
fn fastest_s(graph: &Graph, runner: Runner) -> Result<f64> {
    let seconds = (0..TURNS).map(|_| runner(graph)).collect::<Result<Vec<f64>>>()?;
    Ok(seconds.into_iter().fold(f64::INFINITY, f64::min))
}

/// The granularity at which the line through two points of the sweep, granularities by their logarithm, reaches the
/// efficiency.
fn crossing_s(below: Option<Point>, above: Point) -> f64 {
    let Some(below) = below.filter(|below| below.efficiency < above.efficiency) else { return above.granularity_s };
    let part = (EFFICIENCY - below.efficiency) / (above.efficiency - below.efficiency);
    let (low, high) = (below.granularity_s.ln(), above.granularity_s.ln());
    (low + part * (high - low)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crossing_lies_between() {
        let below = Point { granularity_s: 1e-6, efficiency: 0.25 };
        let above = Point { granularity_s: 4e-6, efficiency: 0.75 };
        assert!((crossing_s(Some(below), above) - 2e-6).abs() < 1e-12);
        assert_eq!(crossing_s(None, above), 4e-6);
    }

    /// Two cores that lose ten microseconds wherever a task depends on another spend half of their time in tasks of
    /// twenty.
    #[test]
    fn a_known_overhead_has_a_known_metg() {
        fn runner(graph: &Graph) -> Result<f64> {
            let lost_s = if graph.pattern == Pattern::Trivial { 0.0 } else { 10e-6 };
            Ok((graph.total_iterations() as f64 * 1e-7 + graph.tasks() as f64 * lost_s) / 2.0)
        }
        let (pattern, kernel) = (Pattern::Stencil, Kernel::Compute);
        let graph = Graph { pattern, kernel, width: 4, steps: 0, iterations: 0, seed: 0 };
        let metg = Sweep { target_s: 0.001, steps_max: 100 }.metg_us(graph, 2, runner).unwrap();
        assert!((19.0..21.0).contains(&metg), "{metg}");
    }
}
