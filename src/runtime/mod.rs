//! The one room that acts: workers, fibers, roads, actors, and the start and stop of a rank.
//!
//! Owns: threads, queues, everything that is under way. Never: decides what the pure rooms decide.
//!
//! Invariants:
//! - N1: a fiber runs only on the thread that made it.
//! - N2: work that the host has resources for waits neither for a thread (`watch`) nor for a sleeper (`idle`).
//! - N3: what runs at once on a host never asks for more than the host has (`table`).
//! - N4: no lock is held across user code; user code that panics below a handler is said and goes no further.
//! - N5: everything that waits looks at the roads for a moment, then blocks; `stop` wakes it.

mod actors;
mod afar;
mod allocate;
mod assemble;
mod backpressure;
mod banner;
mod board;
mod bundles;
mod choice;
mod context;
mod deaths;
mod detours;
mod driver;
mod event;
mod fetches;
mod fiber;
mod groups;
mod handles;
mod hello;
mod holders;
mod holding;
mod holdings;
mod idle;
mod in_place;
mod inquire;
mod join;
#[cfg(test)]
mod killed;
mod load;
mod local;
mod memory;
mod notes;
mod output;
mod overflow;
mod parting;
mod placing;
mod preempt;
mod progress;
mod pulls;
mod pulse;
mod questions;
mod queues;
mod rank;
mod report;
mod reports;
mod roads;
mod room;
mod roomless;
mod scratch;
mod seats;
mod sentry;
mod silence;
mod spill;
mod stall;
mod stop;
mod table;
mod tasks;
mod thief;
mod timers;
mod traces;
mod verdicts;
mod wait;
mod waits;
mod watch;
mod worker;

pub use allocate::{create_array, put_array};
pub use assemble::start;
pub use context::{Snapshot, snapshot};
pub use handles::{RawHandle, call, create, get_actor};
pub use preempt::{Preempt, on_preempt, outlive};
pub use rank::{HostInfo, Runtime};
pub use report::host_report;
pub use stop::Session;
pub use tasks::submit;
pub use wait::{block_on, get, wait_for};

pub use crate::scheduling::Strategy;
