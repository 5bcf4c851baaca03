//! TODO

pub mod fiber;
mod idle;
pub mod overflow;
mod part;
mod progress;
mod queues;
pub mod worker;
mod worker_cpus;
mod worker_watch;

pub use part::Workers;
pub use progress::progress;
pub use queues::Work;
