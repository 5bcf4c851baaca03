//! The Unbalanced Tree Search benchmark: how fast many workers can count an unpredictable tree.
//!
//! Olivier, Huan, Liu, Prins, Dinan, Sadayappan, Tseng: *UTS: An Unbalanced Tree Search Benchmark*, LCPC 2006. A node
//! is a 20-byte SHA-1 state from which its children are hashed, so that the tree needs no memory and the size of a
//! subtree cannot be known without walking it. Counts of the sample trees are published, which makes a run its own
//! test.
//!
//! Owns: the generator, its parameters, one search in sequence and one as tasks. Never: a thread.
//!
//! - UTS-1: every node is counted once, by any worker, so that all searches of one tree agree in every number.
//! - UTS-2: a task gives nodes away only after it has visited `grain` nodes: there are at most `nodes / grain` tasks.

mod command;
mod parameters;
mod sequential;
mod sharing;
mod tasks;
mod tree;

pub use command::{Options, run};
