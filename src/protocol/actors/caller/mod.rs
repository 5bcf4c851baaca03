//! Actors as their callers see them: handles, and calls on their way.
//!
//! Owns: for each actor with a handle here, its last known location and this rank's unfinished calls to it. That state
//! is in the handle (`handles::ActorRef`), which the reference tables find by the actor's id.
//!
//! Invariants:
//! - CALLER-1: calls to one actor are sent in the order in which they were made, also after the actor moved
//!   (SCHEDULING-3).
//! - CALLER-2: only a call with retries left is sent a second time.

pub mod calls;
pub mod handles;
pub mod route;
#[cfg(test)]
mod tests;
