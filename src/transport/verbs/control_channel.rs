//! What this transport needs of another one.

use crate::base::Rank;

/// A channel to peers that works before a queue pair exists, for the few control messages that connect two queue pairs.
pub trait ControlChannel: Send + Sync {
    /// Sends `bytes` to `peer`, which passes them to its transport's `on_control_message`, in order, each once. Does
    /// not block and does not call this transport back, because one of its links is locked during the call. It may drop
    /// what it cannot send: a link that is not connected within the peer time-out fails.
    fn send(&self, peer: Rank, bytes: &[u8]);
}
