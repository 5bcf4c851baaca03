//! What threads and fibers wait for: objects, responses, deadlines, and nothing that ever comes.
//!
//! Owns: requests without a response, deadlines, the count of suspended fibers, what is known of a stall. Never: completes
//! an object, or makes a wait for free space longer than its caller asked.
//!
//! - A wake-up is neither lost nor delivered to a fiber that still runs (`event`).
//! - Every wait ends when the cluster stops.

mod block;
mod blocked_fibers;
mod event;
mod futures;
mod part;
mod pending_requests;
mod stall;
mod timers;
mod wait;

pub use blocked_fibers::report_blocked_fibers;
pub use event::WaitEvent;
pub use futures::block_on;
pub use part::Waiting;
pub use pending_requests::on_request;
pub use wait::{get, wait_for};
