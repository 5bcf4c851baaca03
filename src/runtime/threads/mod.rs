//! The threads of a task that are not workers: what they are, and the pools that a task gets for its CPUs.
//!
//! | of such a thread | is |
//! |---|---|
//! | the CPUs it may run on | those of the task when it started it (`workers::task_cores`); they stay |
//! | the CPUs it is counted for | the task's |
//! | `context()` | the task's in the pools of this module, and where it was entered (`tasks::thread_context`) |
//! | `get`, `wait`, calls | as on a driver's thread: they block the thread, no fiber |
//! | its end | its own affair: the task may end before it |
//!
//! `docs/guide/threads.md` is the page for users.
//!
//! Owns: the pools, and which task has which. Never: starts a thread that no task or driver asked for.

mod pool;
mod pool_cache;

pub use pool::{Pool, pool};
pub use pool_cache::PoolCache;
