//! What this road needs of another one.

use crate::base::Rank;

/// A way to a peer that exists already, for the few words that join two queue pairs.
pub trait SideRoad: Send + Sync {
    /// Brings `bytes` to `peer`, which hands them to its road's `side_message`, in order, each once. Does not wait, and
    /// does not call the road back: a link of it is locked meanwhile. What it cannot bring it may drop: a link that is
    /// not joined within the road's silence is lost.
    fn send(&self, peer: Rank, bytes: &[u8]);
}
