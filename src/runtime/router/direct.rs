//! When a message to a rank of this host goes straight to its ring, past the outbox and its lock.
//!
//! ```text
//!   sender                                        who holds the outbox's lock
//!   D1  allowed? -> push to the ring, done        Q1  push to the ring, or queue the message and forbid
//!   else: take the outbox's lock, Q1              Q2  push the queued messages to the ring; none left? allow
//! ```
//!
//! Messages stay in the order in which they were sent: if a message was queued, D1 of every send that begins later
//! reads "forbidden" until Q2 has pushed the message, and where it then reads "allowed", it pushes behind it. A message
//! that is sent at the same time as another has no order with it. The ring's own lock orders all pushes.

use crate::base::sync::{AtomicBool, Ordering};

/// Whether messages to one peer may go straight to its ring: none waits in its outbox, and it is not declared dead.
/// Changed under the outbox's lock.
pub struct DirectSends(AtomicBool);

impl Default for DirectSends {
    fn default() -> DirectSends {
        DirectSends(AtomicBool::new(true))
    }
}

impl DirectSends {
    /// True if a message may go straight to the ring.
    #[inline]
    pub fn allowed(&self) -> bool {
        // Acquire: pairs with the Release in `allow`: the queued messages are in the ring.
        self.0.load(Ordering::Acquire)
    }

    /// A message was queued, or the peer was declared dead.
    pub fn forbid(&self) {
        // Relaxed: only sends that the queued one happens before must read it.
        self.0.store(false, Ordering::Relaxed);
    }

    /// The last queued message was pushed.
    pub fn allow(&self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(all(test, loom))]
mod loom;
