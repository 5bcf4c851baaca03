//! Which ranks live: how a failure is noticed, who decides, and what follows.
//!
//! Owns: suspicions, the arbitration of rank 0, the launcher's notifier of deaths. The marks themselves are the
//! router's and the shared table's. Never: takes a rank back that was declared dead.

mod arbitration;
mod begun;
mod death_text;
mod failures;
mod hangups;
mod heartbeat;
mod part;
mod remote_watch;
mod suspicion;

pub use begun::{OwnEntry, WORK_CELLS, begin, leave_note, withdraw_note};
pub use failures::{
    any_rank_died, detect_failures, flush_final_messages, on_alive, on_peer_failed, on_suspect, on_unreachable,
    reject_dead_rank, start_failure_detector,
};
pub use part::Membership;
