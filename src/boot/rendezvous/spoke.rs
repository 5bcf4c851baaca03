//! The other ranks' end of the collectives: one connection to rank 0, on which this rank's thread blocks.

use super::frame::{Fault, Frame, Kind, PART_BYTES_MAX, Reader, part};
use super::vigil::Ends;
use crate::base::limits::NEVER;
use crate::base::{Error, Result};
use crate::boot::{Exchange, Vigil};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// A rank's end.
pub struct Spoke {
    stream: TcpStream,
    reader: Reader,
    /// Collectives so far.
    round: u32,
    size: u32,
    /// Rank 0 and where it is, for errors.
    zero: String,
    /// How long rank 0 may wait for others when the ranks part.
    patience: Duration,
}

impl Spoke {
    /// On a connection over which rank 0 took this rank's card; the stream blocks.
    pub fn new(stream: TcpStream, size: u32, zero: String, patience: Duration) -> Spoke {
        let payload_bytes_max = (u64::from(size) + 1) * (PART_BYTES_MAX + 8);
        Spoke { stream, reader: Reader::new(payload_bytes_max), round: 0, size, zero, patience }
    }

    /// Waits for a frame of this kind.
    ///
    /// # Errors
    /// `Error::Fabric` with rank 0's words where it says why nobody goes on; where it is gone; where it is out of step.
    pub fn hear(&mut self, kind: Kind) -> Result<Vec<u8>> {
        let frame = match self.reader.read(&mut self.stream) {
            Ok(Some(frame)) => frame,
            // The stream blocks: its time is over.
            Ok(None) => return Err(self.lost(&Fault::Gone("it has not answered in time".to_string()))),
            Err(fault) => return Err(self.lost(&fault)),
        };
        match frame {
            Frame { kind: Kind::Failed, payload, .. } => Err(Error::fabric(String::from_utf8_lossy(&payload))),
            Frame { kind: theirs, round, payload } if theirs == kind && round == self.round => Ok(payload),
            Frame { kind: theirs, round, .. } => Err(Error::fabric(format!(
                "{} is at step {round} of the start ({theirs:?}) and this rank at step {} ({kind:?}): start the same binary \
                 on every rank",
                self.zero, self.round
            ))),
        }
    }

    fn lost(&self, fault: &Fault) -> Error {
        Error::fabric(format!("{} was lost, through which the ranks start and part: {fault}", self.zero))
    }

    fn exchange(&mut self, kind: Kind, payload: &[u8]) -> Result<Vec<u8>> {
        if payload.len() as u64 > PART_BYTES_MAX {
            let most = PART_BYTES_MAX;
            return Err(Error::fabric(format!("{} bytes are more than the {most} of a rank at start", payload.len())));
        }
        // Where this fails, rank 0 may have said why before it left: the read tells.
        let _ = self.stream.write_all(&Frame::encode(kind, self.round, payload));
        let answer = self.hear(kind)?;
        self.round = self.round.wrapping_add(1);
        Ok(answer)
    }
}

impl Exchange for Spoke {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let all = self.exchange(Kind::Gather, mine)?;
        part(&all, self.size as usize)
            .ok_or_else(|| self.lost(&Fault::Malformed("an allgather of other than all ranks".to_string())))
    }

    fn barrier(&mut self) -> Result<()> {
        // Rank 0 waits so long for who does not come; if it has not answered by then, it stands still itself.
        let patience = self.patience.saturating_mul(2).min(NEVER);
        let _ = self.stream.set_read_timeout(Some(patience).filter(|patience| *patience < NEVER));
        self.exchange(Kind::Barrier, &[]).map(drop)
    }

    fn vigil(&mut self) -> Option<Box<dyn Vigil>> {
        Ends::of([(0, &self.stream)].into_iter(), "this rank")
    }
}
