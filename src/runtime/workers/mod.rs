//! TODO

pub mod fiber;
mod idle;
pub mod overflow;
mod progress;
mod queues;
pub mod worker;
mod worker_cpus;
mod worker_watch;

pub use idle::IdleWorkers;
pub use queues::{Queues, Work, steal_one};
pub use worker_watch::WorkerWatch;
