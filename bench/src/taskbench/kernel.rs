//! The work of a task: the same arithmetic and the same memory as in `bench/peers/taskbench.c`.

use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The work of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kernel {
    /// Nothing.
    Empty,
    /// Multiplies and adds in a block that stays in registers and the nearest cache.
    Compute,
    /// Copies within a block that does not fit into the nearest cache.
    Memory,
    /// Computes, some tasks three times as long as others.
    Imbalance,
}

/// Numbers of the block that is computed on.
const NUMBERS: usize = 64;

/// Bytes of the block that is copied within, from one half to the other, and those of an iteration.
const SCRATCH_BYTES: usize = 1 << 20;
const PIECE_BYTES: usize = 4096;

thread_local! {
    /// A thread's block for copying.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![1; SCRATCH_BYTES]);
}

impl Kernel {
    /// All of them.
    pub const ALL: [Kernel; 4] = [Kernel::Empty, Kernel::Compute, Kernel::Memory, Kernel::Imbalance];

    /// Task Bench's name.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Empty => "empty",
            Kernel::Compute => "compute_bound",
            Kernel::Memory => "memory_bound",
            Kernel::Imbalance => "load_imbalance",
        }
    }

    /// Does so many iterations of it.
    pub fn execute(self, iterations: u64) {
        match self {
            Kernel::Empty => {}
            Kernel::Compute | Kernel::Imbalance => compute(iterations),
            Kernel::Memory => SCRATCH.with_borrow_mut(|scratch| copy(scratch, iterations)),
        }
    }

    /// Seconds of an iteration on this thread: the least of a few turns of some milliseconds.
    pub fn iteration_s(self) -> f64 {
        let mut iterations = 64;
        loop {
            let time = self.timed(iterations);
            if time > Duration::from_millis(2) {
                let turns = (0..4).map(|_| self.timed(iterations)).chain([time]);
                return turns.min().unwrap_or(time).as_secs_f64() / iterations as f64;
            }
            iterations *= 2;
        }
    }

    fn timed(self, iterations: u64) -> Duration {
        let start = Instant::now();
        self.execute(iterations);
        start.elapsed()
    }
}

fn compute(iterations: u64) {
    let mut block = black_box([1.25f64; NUMBERS]);
    for _ in 0..iterations {
        for number in &mut block {
            // It tends to 1, so that it takes the same time for ever.
            *number = *number * 0.5 + 0.5;
        }
    }
    black_box(block);
}

fn copy(scratch: &mut [u8], iterations: u64) {
    let (from, to) = scratch.split_at_mut(SCRATCH_BYTES / 2);
    let pieces = (SCRATCH_BYTES / 2 / PIECE_BYTES) as u64;
    for iteration in 0..iterations {
        let start = (iteration % pieces) as usize * PIECE_BYTES;
        to[start..start + PIECE_BYTES].copy_from_slice(&from[start..start + PIECE_BYTES]);
        black_box(&mut *to);
    }
}
