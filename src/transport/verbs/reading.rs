//! Bulk reads, from the call to the block that comes back.

use super::connection::Connection;
use super::road::{Link, Notice, VerbsFabric};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::lock;
use crate::memory::Block;
use crate::transport::{Place, Refusal};

impl VerbsFabric {
    /// As `Fabric::read`. What is over at once, well or not, is noted for the next poll.
    pub(super) fn begin_read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let mut link = lock(&self.links[peer as usize]);
        let connection = match self.open_link(peer, &mut link) {
            Ok(connection) => connection,
            Err(refusal) => return Err((refusal, into)),
        };
        let end = |block| {
            self.notify(Notice::ReadDone { token, block });
            Ok(())
        };
        let Some(keys) = connection.regions.iter().find(|keys| keys.number == from.region) else {
            return end(Err(format!("rank {peer} offers no region {} over {}", from.region, self.device())));
        };
        if !keys.holds(from.offset, into.len() as u64) {
            let (bytes, offset) = (into.len(), from.offset);
            return end(Err(format!("{bytes} bytes at {offset} are outside region {} of rank {peer}", from.region)));
        }
        if into.is_empty() {
            return end(Ok(into));
        }
        let Some(store) = self.store_keys() else {
            return end(Err(format!("the store of rank {} is not registered with {}", self.me, self.device())));
        };
        if !connection.reads.fits() {
            return Err((Refusal::Full, into));
        }
        if !connection.awaits() {
            connection.heard_ns = now_ns();
        }
        let Connection { reads, pair, regions, .. } = &mut *connection;
        if reads.start(into, token, (from.region, from.offset), &store).is_err() {
            return end(Err(format!("the block to read into is not in the store of rank {}", self.me)));
        }
        if let Err(reason) = reads.advance(pair, regions, &store) {
            self.fail_link(peer, connection, reason);
        }
        Ok(())
    }

    /// A piece of a read is there: the token and block of a read that is over, and the next piece.
    pub(super) fn piece_read(&self, peer: Rank, slot: u32) -> Option<(u64, Block)> {
        let mut link = lock(&self.links[peer as usize]);
        let Link::Live(connection) = &mut *link else { return None };
        connection.heard_ns = now_ns();
        let over = connection.reads.completed(slot);
        if let Some(store) = self.store_keys().filter(|_| connection.failed.is_none()) {
            let Connection { reads, pair, regions, .. } = &mut **connection;
            if let Err(reason) = reads.advance(pair, regions, &store) {
                self.fail_link(peer, connection, reason);
            }
        }
        over
    }
}
