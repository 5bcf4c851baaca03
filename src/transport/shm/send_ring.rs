//! The sending side towards one peer: its ring, in the peer's inbox, and the peer's doorbell.

use crate::base::spin_lock::SpinLock;
use crate::base::sync::{AtomicBool, Ordering};
use crate::memory::{Doorbell, RingProducer};
use crate::transport::Refusal;
use std::sync::Arc;

/// The ring to one peer. Its lock is the only one that a send takes, and orders the sends of all threads.
#[repr(align(128))]
pub struct SendRing {
    producer: SpinLock<RingProducer>,
    /// The link to the peer failed.
    failed: AtomicBool,
    doorbell: Arc<Doorbell>,
}

impl SendRing {
    pub(super) fn new(producer: RingProducer, doorbell: Doorbell) -> SendRing {
        SendRing { producer: SpinLock::new(producer), failed: AtomicBool::new(false), doorbell: Arc::new(doorbell) }
    }

    /// The doorbell that wakes the peer when it sleeps.
    pub fn doorbell(&self) -> &Arc<Doorbell> {
        &self.doorbell
    }

    /// Nothing more is sent to the peer.
    pub(super) fn fail(&self) {
        // Relaxed: a send that misses it goes to a ring on which no rank relies any more.
        self.failed.store(true, Ordering::Relaxed);
    }

    /// True if the link to the peer failed.
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// As [`Transport::send`](crate::transport::Transport::send), of a front and a body.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn send<const FRONT: usize>(&self, front: &[u8; FRONT], body: &[u8]) -> Result<(), Refusal> {
        self.push(|producer| producer.push_line(front, body))
    }

    #[inline]
    pub(super) fn push(&self, push: impl FnOnce(&mut RingProducer) -> bool) -> Result<(), Refusal> {
        if self.has_failed() {
            return Err(Refusal::Lost);
        }
        if !push(&mut self.producer.lock()) {
            return Err(Refusal::Full);
        }
        self.doorbell.notify();
        Ok(())
    }
}
