//! A connection at rank 0 that is authenticated and has not sent its participant's info yet.

use super::frame::{FrameReader, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind};
use crate::base::Rank;
use crate::transport::tcp::handshake::HandshakeError;
use crate::transport::tcp::incoming::AuthenticatedConnection;
use crate::transport::tcp::set_peer_timeout;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A rank that joins.
pub struct JoiningRank {
    pub rank: Rank,
    pub stream: TcpStream,
    pub from: SocketAddr,
    /// When its connection was accepted.
    pub since: Instant,
    reader: FrameReader,
}

impl JoiningRank {
    /// A rank just authenticated, whose connection fails when its host has not responded for `peer_timeout`.
    ///
    /// # Errors
    /// An error of the system.
    pub fn new(connection: AuthenticatedConnection, peer_timeout: Duration) -> std::io::Result<JoiningRank> {
        let AuthenticatedConnection { peer: rank, socket, address: from, since } = connection;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        set_peer_timeout(&stream, peer_timeout)?;
        Ok(JoiningRank { rank, stream, from, since, reader: FrameReader::new(ParticipantInfo::BYTES_MAX) })
    }

    /// Processes the bytes that have come; `None` until the info is complete.
    ///
    /// # Errors
    /// Why the rank is refused: malformed data, or it closed the connection.
    pub fn advance(&mut self) -> Result<Option<ParticipantInfo>, RendezvousFault> {
        let Some(RendezvousFrame { kind, payload, .. }) = self.reader.read(&mut self.stream)? else { return Ok(None) };
        let info = ParticipantInfo::decode(&payload).filter(|_| kind == RendezvousKind::Join);
        let malformed = || RendezvousFault::Malformed("a first frame that is no info of a rank".to_string());
        info.map(Some).ok_or_else(malformed)
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
