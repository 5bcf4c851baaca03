//! TODO

mod arbitration;
mod failures;
mod heartbeat;
mod part;
mod remote_watch;
mod suspicion;

pub use failures::{
    any_rank_died, detect_failures, flush_final_messages, on_alive, on_peer_failed, on_suspect, on_unreachable,
    reject_dead_rank, start_failure_detector,
};
pub use part::Membership;
