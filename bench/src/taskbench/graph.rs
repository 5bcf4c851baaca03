//! The dependences of tasks: pure arithmetic, the same in `bench/peers/taskbench.c`.

use super::kernel::Kernel;
use serde::{Deserialize, Serialize};

/// How a point depends on the row before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pattern {
    /// On nothing.
    Trivial,
    /// On itself.
    NoComm,
    /// On itself and its neighbours.
    Stencil,
    /// The same on a ring.
    StencilPeriodic,
    /// On itself and its left neighbour, in rows that grow and shrink: a wavefront.
    Dom,
    /// On the point of half its number, in rows that double.
    Tree,
    /// On itself and the two points at a power of two, another one each step.
    Fft,
    /// On the whole row.
    AllToAll,
    /// On the nearest few.
    Nearest,
    /// On a few spread over the row, others each step.
    Spread,
    /// On itself and some of the nearest, others each step.
    RandomNearest,
}

/// Points that `nearest` and `spread` depend on.
const RADIX: u32 = 3;

/// Points that `random_nearest` chooses from, and the part of them that it takes.
const RADIX_RANDOM: u32 = 5;
const PART: f64 = 0.5;

/// Steps after which `spread` and `random_nearest` repeat.
const PERIOD: u32 = 3;

impl Pattern {
    /// All of them.
    pub const ALL: [Pattern; 11] = [
        Pattern::Trivial,
        Pattern::NoComm,
        Pattern::Stencil,
        Pattern::StencilPeriodic,
        Pattern::Dom,
        Pattern::Tree,
        Pattern::Fft,
        Pattern::AllToAll,
        Pattern::Nearest,
        Pattern::Spread,
        Pattern::RandomNearest,
    ];

    /// Task Bench's name.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Trivial => "trivial",
            Pattern::NoComm => "no_comm",
            Pattern::Stencil => "stencil_1d",
            Pattern::StencilPeriodic => "stencil_1d_periodic",
            Pattern::Dom => "dom",
            Pattern::Tree => "tree",
            Pattern::Fft => "fft",
            Pattern::AllToAll => "all_to_all",
            Pattern::Nearest => "nearest",
            Pattern::Spread => "spread",
            Pattern::RandomNearest => "random_nearest",
        }
    }
}

/// Rows of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// How they depend on each other.
    pub pattern: Pattern,
    /// What they do.
    pub kernel: Kernel,
    /// Points of a row, at most.
    pub width: u32,
    /// Rows.
    pub steps: u32,
    /// Iterations of the kernel in a task; of an imbalanced one, on average.
    pub iterations: u32,
    /// The seed of random choices.
    pub seed: u64,
}

/// The output of a task: its own step and point, which its dependents check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The row.
    pub step: u32,
    /// The point in it.
    pub point: u32,
}

impl Graph {
    /// The points that a row has.
    pub fn row(&self, step: u32) -> std::ops::Range<u32> {
        let (width, steps) = (self.width, self.steps);
        match self.pattern {
            Pattern::Dom => {
                let first = (step + width).saturating_sub(steps);
                first..first + width.min(step + 1).min(steps - step)
            }
            Pattern::Tree => 0..width.min(1u32.checked_shl(step).unwrap_or(u32::MAX)),
            _ => 0..width,
        }
    }

    /// Tasks in all.
    pub fn tasks(&self) -> u64 {
        (0..self.steps).map(|step| u64::from(self.row(step).end - self.row(step).start)).sum()
    }

    /// The points of the row before that a task depends on, in order, each once.
    pub fn dependencies(&self, step: u32, point: u32) -> Vec<u32> {
        if step == 0 {
            return Vec::new();
        }
        let width = self.width;
        let nearest = |radix: u32| point.saturating_sub(radix / 2)..(point + radix.div_ceil(2)).min(width);
        let mut points: Vec<u32> = match self.pattern {
            Pattern::Trivial => Vec::new(),
            Pattern::NoComm => vec![point],
            Pattern::Stencil => nearest(3).collect(),
            Pattern::StencilPeriodic => vec![(point + width - 1) % width, point, (point + 1) % width],
            Pattern::Dom => (point.saturating_sub(1)..point + 1).collect(),
            Pattern::Tree => vec![point / 2],
            Pattern::Fft => {
                let levels = width.next_power_of_two().ilog2().max(1);
                let distance = 1 << ((step - 1) % levels);
                [point.checked_sub(distance), Some(point), Some(point + distance)].into_iter().flatten().collect()
            }
            Pattern::AllToAll => (0..width).collect(),
            Pattern::Nearest => nearest(RADIX).collect(),
            Pattern::Spread => {
                let shift = step % PERIOD;
                let spread = |arm: u32| (point + arm * width / RADIX + if arm > 0 { shift } else { 0 }) % width;
                (0..RADIX).map(spread).collect()
            }
            Pattern::RandomNearest => {
                let set = u64::from(step % PERIOD);
                let taken = |other: &u32| {
                    *other == point || uniform(self.seed, [set, u64::from(*other), u64::from(point)]) < PART
                };
                nearest(RADIX_RANDOM).filter(taken).collect()
            }
        };
        let before = self.row(step - 1);
        points.retain(|other| before.contains(other));
        points.sort_unstable();
        points.dedup();
        points
    }

    /// The points of the next row that depend on a task.
    pub fn dependents(&self, step: u32, point: u32) -> Vec<u32> {
        if step + 1 >= self.steps {
            return Vec::new();
        }
        self.row(step + 1).filter(|other| self.dependencies(step + 1, *other).contains(&point)).collect()
    }

    /// Iterations of a task's kernel: an imbalanced one takes from half of the mean to one and a half.
    pub fn iterations(&self, step: u32, point: u32) -> u64 {
        let mean = f64::from(self.iterations);
        match self.kernel {
            Kernel::Empty => 0,
            Kernel::Imbalance => {
                (mean * (0.5 + uniform(self.seed, [u64::from(step), u64::from(point), 1]))).round() as u64
            }
            Kernel::Compute | Kernel::Memory => u64::from(self.iterations),
        }
    }

    /// Iterations of all tasks.
    pub fn total_iterations(&self) -> u64 {
        (0..self.steps).flat_map(|step| self.row(step).map(move |point| self.iterations(step, point))).sum()
    }

    /// Checks a task's inputs (BENCH-TASKBENCH-1).
    ///
    /// # Errors
    /// A text that names the task, the inputs that it got and those that it should have got.
    pub fn validate(&self, step: u32, point: u32, inputs: &[Output]) -> Result<(), String> {
        let expected = self.dependencies(step, point);
        let same = inputs.len() == expected.len()
            && inputs.iter().zip(&expected).all(|(input, point)| *input == Output { step: step - 1, point: *point });
        if same {
            Ok(())
        } else {
            Err(format!("task {point} of step {step} was given {inputs:?} and not {expected:?}"))
        }
    }
}

/// A number in `0..1` that depends on its arguments alone (splitmix64, Steele, Lea and Flood 2014).
fn uniform(seed: u64, parts: [u64; 3]) -> f64 {
    let mixed = parts.into_iter().fold(mix(seed), |state, part| mix(state ^ part));
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(pattern: Pattern) -> Graph {
        Graph { pattern, kernel: Kernel::Empty, width: 8, steps: 20, iterations: 10, seed: 3 }
    }

    #[test]
    fn dependencies_are_the_pattern_s() {
        let of = |pattern, step, point| graph(pattern).dependencies(step, point);
        assert_eq!(of(Pattern::AllToAll, 0, 3), [] as [u32; 0], "the first row depends on nothing");
        assert_eq!(of(Pattern::Trivial, 5, 3), [] as [u32; 0]);
        assert_eq!(of(Pattern::NoComm, 5, 3), [3]);
        assert_eq!((of(Pattern::Stencil, 5, 0), of(Pattern::Stencil, 5, 3)), (vec![0, 1], vec![2, 3, 4]));
        assert_eq!(of(Pattern::StencilPeriodic, 5, 0), [0, 1, 7]);
        assert_eq!((of(Pattern::Dom, 10, 0), of(Pattern::Dom, 10, 3)), (vec![0], vec![2, 3]));
        assert_eq!((of(Pattern::Tree, 3, 7), of(Pattern::Tree, 9, 7)), (vec![3], vec![3]));
        assert_eq!((of(Pattern::Fft, 1, 3), of(Pattern::Fft, 3, 3)), (vec![2, 3, 4], vec![3, 7]));
        assert_eq!(of(Pattern::AllToAll, 5, 3), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(of(Pattern::Nearest, 5, 7), [6, 7]);
        assert_eq!((of(Pattern::Spread, 3, 0), of(Pattern::Spread, 4, 0)), (vec![0, 2, 5], vec![0, 3, 6]));
        assert!(of(Pattern::RandomNearest, 5, 3).contains(&3));
    }

    #[test]
    fn rows_of_a_wavefront_and_of_a_tree_change() {
        let dom = graph(Pattern::Dom);
        assert_eq!((dom.row(0), dom.row(2), dom.row(10), dom.row(19)), (0..1, 0..3, 0..8, 7..8));
        let tree = graph(Pattern::Tree);
        assert_eq!((tree.row(0), tree.row(2), tree.row(3), tree.row(19)), (0..1, 0..4, 0..8, 0..8));
        assert_eq!(graph(Pattern::Fft).tasks(), 160);
    }

    #[test]
    fn dependencies_and_dependents_agree() {
        for pattern in Pattern::ALL {
            let graph = graph(pattern);
            for step in 0..graph.steps - 1 {
                for (point, other) in
                    graph.row(step).flat_map(|point| graph.row(step + 1).map(move |next| (point, next)))
                {
                    let there = graph.dependencies(step + 1, other).contains(&point);
                    assert_eq!(
                        graph.dependents(step, point).contains(&other),
                        there,
                        "{pattern:?} {step} {point} {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_wrong_input_is_named() {
        let graph = graph(Pattern::Stencil);
        let inputs = |points: &[u32]| points.iter().map(|point| Output { step: 4, point: *point }).collect::<Vec<_>>();
        assert_eq!(graph.validate(5, 3, &inputs(&[2, 3, 4])), Ok(()));
        for wrong in [&[2, 3][..], &[2, 4, 3], &[2, 3, 5], &[]] {
            assert!(graph.validate(5, 3, &inputs(wrong)).unwrap_err().contains("task 3 of step 5"));
        }
    }

    #[test]
    fn an_imbalanced_kernel_keeps_its_mean() {
        let graph = Graph { kernel: Kernel::Imbalance, iterations: 1000, ..graph(Pattern::Trivial) };
        let all: Vec<u64> = (0..20).flat_map(|step| (0..8).map(move |point| graph.iterations(step, point))).collect();
        assert!(all.iter().all(|iterations| (500..=1500).contains(iterations)));
        let mean = graph.total_iterations() as f64 / graph.tasks() as f64;
        assert!((900.0..1100.0).contains(&mean), "{mean}");
    }
}
