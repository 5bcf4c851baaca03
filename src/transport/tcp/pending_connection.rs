//! An incoming connection that is not authenticated yet.

use super::handshake::{HELLO_BYTES, PROOF_BYTES, Server};
use super::incoming::{IncomingFault, ListeningRank};
use super::socket::{FixedRead, write_whole};
use crate::base::Rank;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

enum HandshakeStage {
    Hello(FixedRead<HELLO_BYTES>),
    Proof(Box<Server>, FixedRead<PROOF_BYTES>),
}

/// An unauthenticated connection.
pub struct PendingConnection {
    /// The connection.
    pub socket: OwnedFd,
    /// The address of its other end.
    pub address: SocketAddr,
    /// When it was accepted.
    pub since: Instant,
    stage: HandshakeStage,
}

impl PendingConnection {
    /// A connection that was just accepted.
    pub fn new(socket: OwnedFd, address: SocketAddr, now: Instant) -> PendingConnection {
        PendingConnection { socket, address, since: now, stage: HandshakeStage::Hello(FixedRead::new()) }
    }

    /// Continues the handshake with the bytes that have arrived; `None` while more are needed. Returns the rank that
    /// the other end has proven to be.
    ///
    /// # Errors
    /// Why the other end is refused.
    pub fn advance(&mut self, rank: &ListeningRank) -> Result<Option<Rank>, IncomingFault> {
        let disconnected = |_: io::Error| IncomingFault::Disconnected;
        if let HandshakeStage::Hello(gather) = &mut self.stage {
            let Some(hello) = gather.read(&self.socket).map_err(disconnected)? else { return Ok(None) };
            match Server::new(&rank.secret, rank.purpose, rank.me, &hello) {
                Ok(server) => {
                    write_whole(&self.socket, server.response()).map_err(disconnected)?;
                    self.stage = HandshakeStage::Proof(Box::new(server), FixedRead::new());
                }
                Err((error, response)) => {
                    if let Some(response) = response {
                        // The connection is closed, whether the response arrives or not.
                        let _ = write_whole(&self.socket, &response);
                    }
                    return Err(error.into());
                }
            }
        }
        let HandshakeStage::Proof(server, gather) = &mut self.stage else { return Ok(None) };
        let Some(proof) = gather.read(&self.socket).map_err(disconnected)? else { return Ok(None) };
        Ok(Some(server.verify_proof(&proof)?.client))
    }
}
