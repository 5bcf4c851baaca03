//! The collectives at ranks other than 0: one connection to rank 0, on which this rank's thread blocks.

use super::frame::{FrameReader, PART_BYTES_MAX, RendezvousFault, RendezvousFrame, RendezvousKind, decode_parts};
use crate::base::limits::NEVER;
use crate::base::{Error, Result};
use crate::boot::{DeathNotifier, Exchange};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// The end of one rank.
pub struct Participant {
    stream: TcpStream,
    reader: FrameReader,
    /// The number of collectives so far.
    round: u32,
    size: u32,
    /// Rank 0 and its address, for errors.
    zero: String,
    /// How long rank 0 may wait for other ranks in a barrier.
    shutdown_timeout: Duration,
}

impl Participant {
    /// A participant on a connection over which rank 0 accepted this rank; the stream blocks.
    pub fn new(stream: TcpStream, size: u32, zero: String, shutdown_timeout: Duration) -> Participant {
        let payload_bytes_max = (u64::from(size) + 1) * (PART_BYTES_MAX + 8);
        Participant { stream, reader: FrameReader::new(payload_bytes_max), round: 0, size, zero, shutdown_timeout }
    }

    /// Receives a frame of this kind.
    ///
    /// # Errors
    /// `Error::Fabric` with rank 0's text if it reports a failure; if its connection is lost; if it is out of step.
    pub fn receive(&mut self, kind: RendezvousKind) -> Result<Vec<u8>> {
        // The stream blocks: where there is no frame, its time-out has passed.
        let late = || RendezvousFault::Closed("it has not answered in time".to_string());
        let frame = self.reader.read(&mut self.stream).and_then(|frame| frame.ok_or_else(late));
        let frame = frame.map_err(|fault| self.coordinator_failed(&fault))?;
        match frame {
            RendezvousFrame { kind: RendezvousKind::Failed, payload, .. } => {
                Err(Error::fabric(String::from_utf8_lossy(&payload)))
            }
            RendezvousFrame { kind: theirs, round, payload } if theirs == kind && round == self.round => Ok(payload),
            RendezvousFrame { kind: theirs, round, .. } => Err(Error::fabric(format!(
                "{} is at step {round} of the start ({theirs:?}) and this rank at step {} ({kind:?}): start the same \
                 binary on every rank",
                self.zero, self.round
            ))),
        }
    }

    fn coordinator_failed(&self, fault: &RendezvousFault) -> Error {
        Error::fabric(format!(
            "the connection to {} was lost, over which the ranks start and shut down: {fault}",
            self.zero
        ))
    }

    fn exchange(&mut self, kind: RendezvousKind, payload: &[u8]) -> Result<Vec<u8>> {
        if payload.len() as u64 > PART_BYTES_MAX {
            let most = PART_BYTES_MAX;
            return Err(Error::fabric(format!("{} bytes are more than the {most} of a rank at start", payload.len())));
        }
        // If this fails, rank 0 may have sent a reason before: the read returns it.
        let _ = self.stream.write_all(&RendezvousFrame::encode(kind, self.round, payload));
        let response = self.receive(kind)?;
        self.round = self.round.wrapping_add(1);
        Ok(response)
    }
}

impl Exchange for Participant {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let all = self.exchange(RendezvousKind::Gather, mine)?;
        decode_parts(&all, self.size as usize).ok_or_else(|| {
            self.coordinator_failed(&RendezvousFault::Malformed("an allgather of other than all ranks".to_string()))
        })
    }

    fn barrier(&mut self) -> Result<()> {
        // Rank 0 waits that long for missing ranks; if it has not answered by then, it hangs itself.
        let timeout = Some(self.shutdown_timeout.saturating_mul(2)).filter(|timeout| *timeout < NEVER);
        let _ = self.stream.set_read_timeout(timeout);
        self.exchange(RendezvousKind::Barrier, &[]).map(drop)
    }

    fn death_notifier(&mut self) -> Option<DeathNotifier> {
        DeathNotifier::of([(0, &self.stream)].into_iter(), "this rank")
    }
}
