//! What the threads and fibers of a rank wait for.

use crate::base::sync::{AtomicUsize, Ordering};
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
    pub(super) requests: PendingRequests<Result<Vec<u8>>>,
    /// Requests for actors' names.
    pub(super) names: PendingRequests<Result<Option<Arc<ActorRef>>, NameError>>,
    pub(super) timers: Timers,
    /// Suspended fibers.
    pub(super) blocked_count: AtomicUsize,
    pub(super) blocked_fibers: BlockedFibers,
    pub(super) stall: StallWatch,
}

impl Waiting {
    /// Requests for actors' names, by token.
    pub fn names(&self) -> &PendingRequests<Result<Option<Arc<ActorRef>>, NameError>> {
        &self.names
    }

    /// The response to a request for information.
    pub fn on_response(&self, token: u64, response: Result<Vec<u8>>) {
        self.requests.complete(token, response);
    }

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

    /// Ends the waits that are due; returns the time until the next deadline, if there is one.
    pub fn fire_due(&self) -> Option<std::time::Duration> {
        self.timers.fire_due()
    }

    /// True if any fiber is suspended.
    pub fn any_fiber(&self) -> bool {
        self.blocked_count.load(Ordering::Relaxed) > 0
    }
}
