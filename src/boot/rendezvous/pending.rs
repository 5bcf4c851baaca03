//! A connection at rank 0 that is not authenticated yet: processes the handshake and the participant's info as bytes
//! come.

use super::frame::{FrameReader, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind};
use crate::base::Rank;
use crate::transport::tcp::handshake::{ConnectionPurpose, HELLO_BYTES, HandshakeError, PROOF_BYTES, Secret, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The state of the handshake.
enum PendingState {
    /// No hello was received.
    Hello,
    /// The hello was answered; the proof is missing.
    Answered(Box<Server>),
    /// The peer has proven that it is this rank.
    Authenticated(Rank, FrameReader),
}

/// How a connection ended while bytes of it were missing.
#[derive(Debug, thiserror::Error)]
pub enum StreamEnd {
    #[error("it closed the connection")]
    Closed,
    #[error("the connection broke ({0})")]
    Broken(#[source] std::io::Error),
}

/// Why a connection is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedMember {
    #[error("{0} before it sent anything")]
    Silent(#[source] StreamEnd),
    #[error("{0} before it proved that it holds this job's secret")]
    Unproven(#[source] StreamEnd),
    #[error("{}", explain(*.0))]
    Handshake(HandshakeError),
    #[error("it did not authenticate within {waited:.1?}")]
    Late { waited: Duration },
    #[error("it does not accept a response: {0}")]
    NoResponse(#[source] std::io::Error),
    #[error("rank {rank} sent a malformed info")]
    MalformedInfo { rank: Rank },
    #[error("rank {rank} sent another frame instead of its info")]
    UnexpectedFrame { rank: Rank },
    #[error("rank {rank}: {fault}")]
    MalformedFrame { rank: Rank, fault: RendezvousFault },
}

/// The progress of a pending connection.
pub enum HandshakeProgress {
    /// More bytes must come.
    Waiting,
    /// It is refused, and why: not one of the job's ranks, or malformed data.
    Refused(RefusedMember),
    /// A rank of the job, with its info.
    Joined(Rank, ParticipantInfo),
}

/// A connection that is not trusted yet.
pub struct PendingMember {
    pub stream: TcpStream,
    pub from: SocketAddr,
    pub since: Instant,
    state: PendingState,
    bytes: Vec<u8>,
}

impl PendingMember {
    /// A connection just accepted, which is non-blocking.
    pub fn new(stream: TcpStream, from: SocketAddr, now: Instant) -> PendingMember {
        PendingMember { stream, from, since: now, state: PendingState::Hello, bytes: Vec::new() }
    }

    /// Processes the bytes that have come.
    pub fn advance(&mut self, secret: &Secret) -> HandshakeProgress {
        loop {
            let outcome = match &mut self.state {
                PendingState::Hello => match read_exactly::<HELLO_BYTES>(&mut self.stream, &mut self.bytes) {
                    Ok(None) => return HandshakeProgress::Waiting,
                    Ok(Some(hello)) => respond(&mut self.stream, secret, &hello),
                    Err(end) => Err(RefusedMember::Silent(end)),
                },
                PendingState::Answered(server) => {
                    match read_exactly::<PROOF_BYTES>(&mut self.stream, &mut self.bytes) {
                        Ok(None) => return HandshakeProgress::Waiting,
                        Ok(Some(proof)) => match server.verify_proof(&proof) {
                            Ok(endpoints) => Ok(PendingState::Authenticated(
                                endpoints.client,
                                FrameReader::new(ParticipantInfo::BYTES_MAX),
                            )),
                            Err(error) => Err(RefusedMember::Handshake(error)),
                        },
                        Err(end) => Err(RefusedMember::Unproven(end)),
                    }
                }
                PendingState::Authenticated(rank, reader) => match reader.read(&mut self.stream) {
                    Ok(None) => return HandshakeProgress::Waiting,
                    Ok(Some(RendezvousFrame { kind: RendezvousKind::Join, payload, .. })) => {
                        match ParticipantInfo::decode(&payload) {
                            Some(info) => return HandshakeProgress::Joined(*rank, info),
                            None => Err(RefusedMember::MalformedInfo { rank: *rank }),
                        }
                    }
                    Ok(Some(_)) => Err(RefusedMember::UnexpectedFrame { rank: *rank }),
                    Err(fault) => Err(RefusedMember::MalformedFrame { rank: *rank, fault }),
                },
            };
            match outcome {
                Ok(state) => self.state = state,
                Err(why) => return HandshakeProgress::Refused(why),
            }
        }
    }
}

/// The text of a handshake error, with what the user can do.
pub fn explain(error: HandshakeError) -> String {
    match error {
        HandshakeError::Secret => {
            format!("{error} (ranks without a common home directory need the same MOBULA_SECRET)")
        }
        other => other.to_string(),
    }
}

fn respond(stream: &mut TcpStream, secret: &Secret, hello: &[u8; HELLO_BYTES]) -> Result<PendingState, RefusedMember> {
    let (response, outcome) = match Server::new(secret, ConnectionPurpose::Rendezvous, 0, hello) {
        Ok(server) => (Some(*server.response()), Ok(PendingState::Answered(Box::new(server)))),
        Err((error, response)) => (response, Err(RefusedMember::Handshake(error))),
    };
    // The send buffer of a new connection has space for a response: a write that would block is an error.
    match response.map(|response| stream.write_all(&response)) {
        Some(Err(error)) => Err(RefusedMember::NoResponse(error)),
        _ => outcome,
    }
}

/// Reads this many bytes; `None` until they have come. Never reads past them.
fn read_exactly<const BYTES: usize>(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
) -> Result<Option<[u8; BYTES]>, StreamEnd> {
    while bytes.len() < BYTES {
        let mut buffer = [0; BYTES];
        let missing = BYTES - bytes.len();
        match stream.read(&mut buffer[..missing]) {
            Ok(0) => return Err(StreamEnd::Closed),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(StreamEnd::Broken(error)),
        }
    }
    let whole = bytes.as_slice().try_into().ok();
    bytes.clear();
    Ok(whole)
}
