//! The messages that one poll finds, sender by sender.

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::protocol::environment::Environment;
use crate::protocol::wire::header::{ReceiveStatus, SenderState};

/// Messages of other ranks that one thread receives one after the other. Until those of a sender end, no owner is told
/// that messages of that rank are drained: that is recorded once for all of them, not for each.
pub struct InboundBatch<'a, E: Environment> {
    env: &'a E,
    /// Whose messages are being received.
    sender: Option<(Rank, &'a SenderState)>,
}

impl<'a, E: Environment> InboundBatch<'a, E> {
    /// With no message yet.
    pub fn new(env: &'a E) -> InboundBatch<'a, E> {
        InboundBatch { env, sender: None }
    }

    /// Receives bytes from `from`, with their header. A message that was received before is dropped.
    #[inline]
    pub fn receive(&mut self, from: Rank, bytes: &[u8]) {
        let sender = match self.sender {
            Some((known, sender)) if known == from => sender,
            _ => self.begin(from),
        };
        // After `begin_processing`: either this thread sees that the rank is dead, or who drains sees that this thread
        // processes its messages.
        if self.env.is_dead(from) {
            return self.env.notify_declared_dead(from);
        }
        match sender.accept(bytes) {
            ReceiveStatus::New(message, load) => {
                if sender.load_changed(load) {
                    self.env.protocol().stealing.on_load(from, load);
                }
                self.env.protocol().inbound.handle(self.env, from, message);
            }
            other => self.drop_message(from, bytes.len(), &other),
        }
    }

    fn begin(&mut self, from: Rank) -> &'a SenderState {
        self.end();
        let sender = self.env.protocol().inbound.sequence.sender(from);
        sender.begin_processing();
        self.sender = Some((from, sender));
        sender
    }

    #[cold]
    fn drop_message(&self, from: Rank, bytes: usize, status: &ReceiveStatus<'_>) {
        match status {
            ReceiveStatus::New(..) | ReceiveStatus::Duplicate => {}
            ReceiveStatus::Gap => {
                let reason = "one of its messages is missing, which its transport should have delivered";
                self.env.report_link_failure(from, reason);
            }
            ReceiveStatus::Corrupt => {
                log(Level::Error, || format!("rank {} dropped {bytes} bytes of rank {from}", self.env.rank()));
            }
        }
    }

    /// The messages of the sender end; others may follow.
    pub fn end(&mut self) {
        let Some((from, sender)) = self.sender.take() else { return };
        sender.end_processing();
        if self.env.is_dead(from) {
            self.env.protocol().recovery.process_pending_drains(self.env);
        }
    }
}

impl<E: Environment> Drop for InboundBatch<'_, E> {
    fn drop(&mut self) {
        self.end();
    }
}
