//! The one module that acts: workers, fibers, transports, actors, and the start and stop of a rank.
//!
//! Owns: threads, queues, all work in progress. Never: makes a decision that belongs to a pure module.
//!
//! Invariants:
//! - RUNTIME-1: a fiber runs only on the thread that created it.
//! - RUNTIME-2: work that the host has resources for waits neither for a thread (`worker_watch`) nor for a sleeping
//!   worker (`idle`).
//! - RUNTIME-3: tasks that run at the same time on a host never use more than the host has (`table`).
//! - RUNTIME-4: no lock is held across user code; a panic of user code below a handler is logged and goes no further.
//! - RUNTIME-5: a waiting thread polls the transports for a moment, then blocks; `stop` wakes it.

mod actors;
mod remote_watch;
mod allocate;
mod assemble;
mod backpressure;
mod banner;
mod shared_table;
mod bundles;
mod transport_choice;
mod transport_table;
mod context;
mod rank_failures;
mod failover;
mod environment;
mod event;
mod refetch;
mod fiber;
mod groups;
mod handles;
mod hello;
mod holders;
mod worker_cpus;
mod resident_blocks;
mod idle;
mod in_place;
mod queries;
mod join;
#[cfg(test)]
mod kill_tests;
mod remote_load;
mod local;
mod memory;
mod allocation_tags;
mod output;
mod overflow;
mod shutdown;
mod placement;
mod preempt;
mod progress;
mod pulls;
mod heartbeat;
mod pending_requests;
mod queues;
mod rank;
mod host_report;
mod reports;
mod router;
mod space;
mod waiting_reads;
mod scratch;
mod bundle_lookup;
mod fd_poller;
mod suspicion;
mod spill;
mod stall;
mod session;
mod table;
mod tasks;
mod stealing;
mod timers;
mod traces;
mod arbitration;
mod wait;
mod blocked_fibers;
mod worker_watch;
mod worker;

pub use allocate::{create_array, put_array};
pub use assemble::start;
pub use context::{Snapshot, snapshot};
pub use handles::{RawHandle, call, create, get_actor};
pub use preempt::{Preempt, on_preempt, ignore_sigusr1};
pub use rank::{HostInfo, Runtime};
pub use host_report::{HostReport, ReportSection, host_report};
pub use session::Session;
pub use tasks::submit;
pub use transport_table::{TransportReason, TransportRow, Transports};
pub use wait::{block_on, get, wait_for};

pub use crate::scheduling::Strategy;
