//! The workers of a rank: threads that run tasks on fibers, and the thread that keeps the rank alive beside them.
//!
//! Owns: worker threads and their fibers, the queues of work that is in no worker's own queue, which workers sleep, the
//! progress thread. Never: decides whether a task may run here (`tasks`), or what resources it gets (`resources`).
//!
//! - A worker that finds nothing announces itself, checks once more, and parks; work that is queued wakes it (`idle`).
//! - A thread that a task blocks is replaced while there is work that has its resources (`worker_watch`).

pub mod crash;
pub mod fiber;
mod idle;
pub mod overflow;
mod part;
mod progress;
mod queues;
pub mod worker;
mod worker_cpus;
mod worker_shared;
mod worker_watch;

pub use part::Workers;
pub use progress::progress;
pub use queues::{Work, steal_one};
pub use worker_shared::WorkerShared;
