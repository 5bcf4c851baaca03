//! From the launcher's ranks to a running cluster, and back.
//!
//! Owns: how far a rank is between its start and its end, and the shutdown protocol. Never: runs while the cluster
//! works; every rank starts or none does (`assemble`), and a live rank waits for all others before it stops
//! (`shutdown`).

mod assemble;
mod at_exit;
mod hello;
mod join;
mod launcher_watch;
mod local;
mod part;
mod preempt;
mod session;
mod shutdown;

pub use assemble::start;
#[cfg(test)]
pub(super) use assemble::start_rank;
pub use at_exit::{end_at_exit, is_exiting, take_session};
pub use part::Lifecycle;
pub use preempt::{Preempt, ignore_sigusr1, on_preempt};
pub use session::Session;
pub use shutdown::{on_shutdown_ready, stop_when_all_done};
