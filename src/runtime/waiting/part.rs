//! What the threads and fibers of a rank wait for.

use crate::base::sync::AtomicUsize;
use crate::base::{Error, Rank, Result};
use crate::protocol::{ActorRef, NameError};
use crate::runtime::waiting::blocked_fibers::BlockedFibers;
use crate::runtime::waiting::pending_requests::PendingRequests;
use crate::runtime::waiting::stall::StallWatch;
use crate::runtime::waiting::timers::Timers;
use std::sync::Arc;

/// What the threads and fibers of a rank wait for.
#[derive(Default)]
pub struct Waiting {
    /// Requests for information of other ranks.
    pub requests: PendingRequests<Result<Vec<u8>>>,
    /// Requests for actors' names, by token.
    pub names: PendingRequests<Result<Option<Arc<ActorRef>>, NameError>>,
    /// Waits with a deadline.
    pub timers: Timers,
    /// Suspended fibers.
    pub blocked_count: AtomicUsize,
    pub(super) blocked_fibers: BlockedFibers,
    pub(super) stall: StallWatch,
}

impl Waiting {
    /// Visits the ranks of which a response is awaited.
    pub fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
        self.requests.each_awaited_rank(visit);
        self.names.each_awaited_rank(visit);
    }

    /// `rank` is dead: its requests have no other response than that.
    pub fn on_peer_failed(&self, rank: Rank, error: &Error) {
        self.requests.on_peer_failed(rank, || Err(error.clone()));
        self.names.on_peer_failed(rank, || Err(error.clone().into()));
    }
}
