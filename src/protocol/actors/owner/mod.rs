//! Actors on the rank that created them, where it has to know of them: those that it restarts, and those that have a
//! name.
//!
//! Owns: the location and incarnation of each such actor, how to construct it, and the last state that its location
//! committed.
//!
//! Invariants:
//! - OWNER-1: only the owner decides where an actor runs, and it numbers the incarnations.
//! - OWNER-2: messages of any but the current incarnation change nothing.
//! - OWNER-3: a commit is saved whole or not at all, and acknowledged after it is saved.

pub mod checkpoints;
pub mod owned_actors;
#[cfg(test)]
mod tests;
