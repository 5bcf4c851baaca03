//! An incoming connection that is not authenticated yet.

use super::handshake::{ConnectionPurpose, HELLO_BYTES, HandshakeError, PROOF_BYTES, Server};
use super::peers::Peers;
use super::socket::{FixedRead, write_whole};
use crate::base::Rank;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long a handshake may take; shorter in tests, which wait for connections that never prove anything.
pub const PROOF_WAIT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

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
    /// When it is refused if it has not authenticated.
    pub due: Instant,
    stage: HandshakeStage,
}

/// The result of a step of the handshake.
#[derive(Debug, PartialEq, Eq)]
pub enum HandshakeStatus {
    /// More bytes are needed.
    Incomplete,
    /// The other end is this rank of the job.
    Authenticated(Rank),
    /// The other end disconnected before it authenticated.
    Disconnected,
    /// The other end is no rank of the job, with the reason.
    Rejected(String),
}

impl PendingConnection {
    /// A connection that was just accepted.
    pub fn new(socket: OwnedFd, address: SocketAddr, now: Instant) -> PendingConnection {
        PendingConnection { socket, address, due: now + PROOF_WAIT, stage: HandshakeStage::Hello(FixedRead::new()) }
    }

    /// Continues the handshake with the bytes that have arrived.
    pub fn advance(&mut self, peers: &Peers) -> HandshakeStatus {
        self.try_advance(peers).unwrap_or(HandshakeStatus::Disconnected)
    }

    fn try_advance(&mut self, peers: &Peers) -> io::Result<HandshakeStatus> {
        if let HandshakeStage::Hello(gather) = &mut self.stage {
            let Some(hello) = gather.read(&self.socket)? else { return Ok(HandshakeStatus::Incomplete) };
            match Server::new(&peers.secret, ConnectionPurpose::Transport, peers.me, &hello) {
                Ok(server) => {
                    write_whole(&self.socket, server.response())?;
                    self.stage = HandshakeStage::Proof(Box::new(server), FixedRead::new());
                }
                Err((error, response)) => {
                    if let Some(response) = response {
                        // The connection is closed, whether the response arrives or not.
                        let _ = write_whole(&self.socket, &response);
                    }
                    return Ok(HandshakeStatus::Rejected(error.to_string()));
                }
            }
        }
        let HandshakeStage::Proof(server, gather) = &mut self.stage else { return Ok(HandshakeStatus::Incomplete) };
        let Some(proof) = gather.read(&self.socket)? else { return Ok(HandshakeStatus::Incomplete) };
        Ok(match server.verify_proof(&proof) {
            Ok(endpoints) if endpoints.client == peers.me || endpoints.client as usize >= peers.links.len() => {
                HandshakeStatus::Rejected(format!("it claims to be rank {}, which is impossible", endpoints.client))
            }
            Ok(endpoints) => HandshakeStatus::Authenticated(endpoints.client),
            Err(error @ HandshakeError::Secret) => HandshakeStatus::Rejected(error.to_string()),
            Err(error) => HandshakeStatus::Rejected(format!("its proof is wrong: {error}")),
        })
    }
}
