//! TODO

mod assemble;
mod hello;
mod join;
mod local;
mod part;
mod preempt;
mod session;
mod shutdown;

pub use assemble::start;
pub use part::Lifecycle;
pub use preempt::{Preempt, ignore_sigusr1, on_preempt};
pub use session::Session;
pub use shutdown::{on_shutdown_ready, stop_when_all_done};
