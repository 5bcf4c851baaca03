//! `mobula demo`: programs whose answers are known, each checked.
//!
//! Owns: the demos, their options, their progress bars. Never: a thread or a process; those are the library's.
//!
//! - DEMO-1: a demo runs alone and under a launcher; rank 0 runs its body and every other rank serves.
//! - DEMO-2: a wrong answer ends in an exit code that is not zero, on rank 0.

mod cholesky;
mod command;
mod heat;
mod progress;
mod sqrt_sum;
mod uts;
mod walkthrough;

pub use command::{Demo, list, on_rank_0, run};
