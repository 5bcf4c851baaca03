//! Actors: the calls of a user's handles, and the turns that an actor of this rank takes on a worker.
//!
//! Owns: no state; actors and their mailboxes are the protocol's. Never: decides the order of an actor's calls.

mod handles;
mod turn;

pub use handles::{ActorKind, RawHandle, call, call_with, create, create_of_kind, find, get_actor};
pub use turn::{run_actor, run_call};
