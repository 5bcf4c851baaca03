//! The workers of a rank: threads that run tasks on fibers, and the thread that keeps the rank alive beside them.
//!
//! Owns: worker threads and their fibers, the queues of work that is in no worker's own queue, which workers sleep, on
//! which cores workers and tasks run, the progress thread. Never: decides whether a task may run here (`tasks`), or
//! what resources it gets (`resources`).
//!
//! - A worker that finds nothing announces itself, checks once more, and parks; work that is queued wakes it (`idle`).
//! - A task of several CPUs has that many cores while it runs; before, after and while it waits, its worker's thread
//!   has the worker's own (`task_cores`).
//! - A thread that a task blocks is replaced while there is work that has its resources (`worker_watch`).
//! - A task whose thread is blocked keeps no CPU that a thread outside of the workers waits for (`lending`).

pub mod crash;
mod debug_watch;
pub mod fiber;
mod held_cpus;
mod idle;
mod lending;
pub mod overflow;
mod part;
mod progress;
mod queues;
mod sanitizer;
mod task_cores;
mod task_queue;
mod thread_state;
pub mod worker;
mod worker_cpus;
mod worker_shared;
mod worker_watch;

pub use held_cpus::HeldCpus;
pub use lending::{InPlaceThread, OutsideWait};
pub use part::Workers;
pub use progress::progress;
pub use queues::Work;
pub use sanitizer::has_address_sanitizer;
pub use task_cores::TaskCores;
pub use thread_state::{blocked_call, own_thread_number};
pub use worker_shared::WorkerShared;
