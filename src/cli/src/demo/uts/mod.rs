//! The Unbalanced Tree Search benchmark: how fast an unpredictable tree can be counted by many.
//!
//! Olivier, Huan, Liu, Prins, Dinan, Sadayappan, Tseng: *UTS: An Unbalanced Tree Search Benchmark*, LCPC 2006. A node is
//! a 20-byte SHA-1 state that its children are hashed from, so that the tree needs no memory and nobody can tell the size
//! of a subtree without walking it. Counts of the sample trees are published, which makes a run its own test.
//!
//! Owns: the generator, its parameters, one search in sequence and one as tasks. Never: a thread.
//!
//! - U1: every node is counted once, whoever visits it, so that all searches of one tree agree in every number.
//! - U2: a task is given away only after its giver has visited `grain` nodes: there are at most `nodes / grain` tasks.

mod command;
mod parameters;
mod sequential;
mod sharing;
mod tasks;
mod tree;

pub use command::{Options, run};
