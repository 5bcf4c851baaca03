//! TODO

mod assemble;
mod hello;
mod join;
mod local;
mod preempt;
mod session;
mod shutdown;

pub use assemble::start;
pub use preempt::{Preempt, ignore_sigusr1, on_preempt};
pub use session::Session;
pub use shutdown::Shutdown;
