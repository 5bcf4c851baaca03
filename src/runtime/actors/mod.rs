//! TODO

mod handles;
mod turn;

pub use handles::{RawHandle, call, create, get_actor};
pub use turn::{run_actor, run_call};
