//! Actors on the rank that runs them.
//!
//! Owns: the actors that run here, and those that ended here for as long as a caller may have a handle; of each, its
//! state, its mailbox, and the results that are not released yet.
//!
//! Invariants:
//! - INSTANCE-1: one call at a time runs on an actor, in the order of each caller.
//! - INSTANCE-2: no lock is held while a constructor, a call or a `Drop` of the user's runs.
//!
//! Results of an actor with checkpoints also obey the invariants of `commits`.

pub mod actor_instance;
pub mod commits;
pub mod end;
pub mod local_actors;
pub mod send_commit;
#[cfg(test)]
mod tests;
