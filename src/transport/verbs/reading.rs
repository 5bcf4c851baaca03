//! Bulk reads, from the call to the filled block.

use super::connection::VerbsConnection;
use super::transport::{VerbsEvent, VerbsLink, VerbsTransport};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::lock;
use crate::memory::Block;
use crate::transport::{ReadError, Refusal, RemoteAddress};

impl VerbsTransport {
    /// As `Transport::read`. A read that finishes or fails at once is reported by the next poll.
    pub(super) fn begin_read(
        &self,
        peer: Rank,
        from: RemoteAddress,
        into: Block,
        token: u64,
    ) -> Result<(), (Refusal, Block)> {
        let mut link = lock(&self.links[peer as usize]);
        let connection = match self.open_link(peer, &mut link) {
            Ok(connection) => connection,
            Err(refusal) => return Err((refusal, into)),
        };
        let end = |block| {
            self.queue_event(VerbsEvent::ReadDone { token, block });
            Ok(())
        };
        let Some(keys) = connection.regions.iter().find(|keys| keys.number == from.region) else {
            return end(Err(ReadError::NoRegion { peer, region: from.region, device: self.device().to_string() }));
        };
        if !keys.contains(from.offset, into.len() as u64) {
            let RemoteAddress { region, offset } = from;
            return end(Err(ReadError::OutsideRegion { bytes: into.len(), offset, region, peer }));
        }
        if into.is_empty() {
            return end(Ok(into));
        }
        let Some(store) = self.store_keys() else {
            return end(Err(ReadError::NotRegistered { rank: self.me, device: self.device().to_string() }));
        };
        if !connection.reads.has_capacity() {
            return Err((Refusal::Full, into));
        }
        if !connection.awaits_completions() {
            connection.last_progress_ns = now_ns();
        }
        let VerbsConnection { reads, pair, regions, .. } = &mut *connection;
        if reads.start(into, token, (from.region, from.offset), &store).is_err() {
            return end(Err(ReadError::BlockOutsideStore { rank: self.me }));
        }
        if let Err(reason) = reads.advance(pair, regions, &store) {
            self.fail_link(peer, connection, reason);
        }
        Ok(())
    }

    /// Handles the completion of a piece: posts the next pieces; returns the token and block of a read that is
    /// finished.
    pub(super) fn on_piece_read(&self, peer: Rank, slot: u32) -> Option<(u64, Block)> {
        let mut link = lock(&self.links[peer as usize]);
        let VerbsLink::Live(connection) = &mut *link else { return None };
        connection.last_progress_ns = now_ns();
        let over = connection.reads.completed(slot);
        if let Some(store) = self.store_keys().filter(|_| connection.failed.is_none()) {
            let VerbsConnection { reads, pair, regions, .. } = &mut **connection;
            if let Err(reason) = reads.advance(pair, regions, &store) {
                self.fail_link(peer, connection, reason);
            }
        }
        over
    }
}
