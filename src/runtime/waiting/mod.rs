//! TODO

mod blocked_fibers;
mod event;
mod pending_requests;
mod stall;
mod timers;
mod wait;

pub use blocked_fibers::BlockedFibers;
pub use event::WaitEvent;
pub use pending_requests::PendingRequests;
pub use stall::StallWatch;
pub use timers::Timers;
pub use wait::{block_on, get, wait_for};
