//! TODO

mod blocked_fibers;
mod event;
mod part;
mod pending_requests;
mod stall;
mod timers;
mod wait;

pub use blocked_fibers::report_blocked_fibers;
pub use event::WaitEvent;
pub use part::Waiting;
pub use pending_requests::on_request;
pub use wait::{block_on, get, wait_for};
