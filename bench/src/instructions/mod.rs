//! Instructions that an operation takes, counted by callgrind: unlike times, they repeat on a busy machine.
//!
//! Owns: building the counted programs (`bench/measured`, and with a part in C `bench/measured-native`), counting, the
//! numbers that are kept in the tree and the comparison with them. Never: measures times of other suites' cases.
//!
//! - BENCH-INSTRUCTIONS-1: the program is a user's crate: no profile of this project applies to it, and no feature of
//!   the crate that only benches use.
//! - BENCH-INSTRUCTIONS-2: what is compared repeats to 1 %. A worker runs the whole path, because a thread of the
//!   program beside it would share the work as it comes to it; and ranks take turns, because a rank that polls while it
//!   waits counts how long the other one takes.

mod callgrind;
mod cases;
mod kept;
mod native;
mod program;
mod turns;

pub use callgrind::total;
pub use cases::{cases, run};
