//! The one module that acts: workers, fibers, transports, actors, and the start and stop of a rank.
//!
//! Owns: threads, queues, all work in progress. Never: makes a decision that belongs to a pure module.
//!
//! A rank is a [`Runtime`]: a struct of parts, one a folder, whose `mod.rs` lists what other parts may call. A part's
//! fields are private to its folder, but for those that other parts use as they are (`workers.queues`).
//! What one part can do by itself is a method of it; what needs several is a function of the folder whose work it is,
//! with the `Runtime` as its first argument; `Runtime` itself has the few operations that tie the parts together.
//! `environment` is what the protocol sees of all this.
//!
//! Invariants:
//! - RUNTIME-1: a fiber runs only on the thread that created it.
//! - RUNTIME-2: work that the host has resources for waits neither for a thread (`worker_watch`) nor for a sleeping
//!   worker (`workers::idle`).
//! - RUNTIME-3: tasks that run at the same time on a host never use more than the host has (`resources::table`), but
//!   for a short time when one continues whose CPUs were lent while it was blocked (`workers::lending`).
//! - RUNTIME-4: no lock is held across user code; a panic of user code below a handler is logged and goes no further.
//! - RUNTIME-5: a waiting thread polls the transports for a moment, then blocks; `stop` wakes it.

mod actors;
mod cluster;
mod current;
mod environment;
mod lifecycle;
mod membership;
mod memory;
mod output;
mod rank;
mod resources;
mod router;
mod tasks;
mod threads;
#[cfg(test)]
mod two_ranks_tests;
mod waiting;
mod workers;

pub use actors::{ActorKind, RawHandle, call, call_with, create, create_of_kind, find, get_actor};
pub use cluster::HostInfo;
pub use lifecycle::{Preempt, Session, end_at_exit, ignore_sigusr1, on_preempt, start, take_session};
pub use memory::{create_array, put_array};
pub use output::{
    HostReport, ReportSection, all_records, available_on, error_count_of, errors_of, host_report, living_hosts,
};
pub use rank::Runtime;
pub use resources::{create_group, remove_group};
pub use router::{TransportReason, TransportRow, Transports};
pub use tasks::{
    EnteredContext, Snapshot, at_end_of_tasks, cancel, current_number, enter, runs_task, snapshot, submit, submit_plain,
};
pub use threads::{Pool, pool};
pub use waiting::{block_on, get, wait_for};
pub use workers::has_address_sanitizer;

pub use crate::scheduling::Strategy;
