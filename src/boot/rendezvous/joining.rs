//! A connection at rank 0 that is authenticated and has not sent its participant's info yet.

use super::frame::{FrameReader, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind};
use crate::base::Rank;
use crate::transport::tcp::handshake::HandshakeError;
use std::net::{SocketAddr, TcpStream};

/// Why a rank that has authenticated is refused.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("rank {rank} sent a malformed info")]
    MalformedInfo { rank: Rank },
    #[error("rank {rank} sent another frame instead of its info")]
    UnexpectedFrame { rank: Rank },
    #[error("rank {rank}: {fault}")]
    MalformedFrame { rank: Rank, fault: RendezvousFault },
}

/// A rank that joins.
pub struct JoiningRank {
    pub rank: Rank,
    pub stream: TcpStream,
    pub from: SocketAddr,
    reader: FrameReader,
}

impl JoiningRank {
    /// A rank just authenticated; the stream is non-blocking.
    pub fn new(rank: Rank, stream: TcpStream, from: SocketAddr) -> JoiningRank {
        JoiningRank { rank, stream, from, reader: FrameReader::new(ParticipantInfo::BYTES_MAX) }
    }

    /// Processes the bytes that have come; `None` until the info is complete.
    ///
    /// # Errors
    /// Why the rank is refused: malformed data, or it closed the connection.
    pub fn advance(&mut self) -> Result<Option<ParticipantInfo>, JoinError> {
        let rank = self.rank;
        match self.reader.read(&mut self.stream) {
            Ok(None) => Ok(None),
            Ok(Some(RendezvousFrame { kind: RendezvousKind::Join, payload, .. })) => {
                let info = ParticipantInfo::decode(&payload);
                info.map(Some).ok_or(JoinError::MalformedInfo { rank })
            }
            Ok(Some(_)) => Err(JoinError::UnexpectedFrame { rank }),
            Err(fault) => Err(JoinError::MalformedFrame { rank, fault }),
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
