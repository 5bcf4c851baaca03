//! The receiving side of a connection: reads the socket, checks each frame, and handles it.

use super::frame::{FrameError, FrameKind, ReadRange, window_bytes};
use super::frame_buffer::{Frame, FrameBuffer, FreeBuffers};
use super::peers::{Connection, Link, Peers};
use super::reads::ReadInFlight;
use super::send_queue::CREDIT_BYTES_MIN;
use crate::base::Rank;
use crate::base::limits::POLL_BATCH_MAX;
use crate::transport::credits::OwedCredits;
use crate::transport::{Deliver, ReadError, TransportEvent};
use rustix::io::Errno;
use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Read from one peer before others have their turn.
const READ_BYTES: usize = 4 << 20;

/// The events that one poll delivers.
pub struct Turn<'a> {
    /// The receiver of the events.
    pub deliver: Deliver<'a>,
    /// Number of events delivered.
    pub events: usize,
}

impl Turn<'_> {
    /// True if the poll has delivered its maximum of events.
    pub fn is_over(&self) -> bool {
        self.events >= POLL_BATCH_MAX
    }

    /// Delivers the queued events besides messages.
    pub fn deliver_queued(&mut self, peers: &Peers) {
        self.events += peers.events.deliver(POLL_BATCH_MAX.saturating_sub(self.events), self.deliver);
    }
}

/// How a connection ended.
pub enum LinkEnd {
    /// The peer sent a goodbye.
    Closed,
    /// The connection failed, with the reason.
    Failed(String),
}

impl From<FrameError> for LinkEnd {
    fn from(fault: FrameError) -> LinkEnd {
        LinkEnd::Failed(format!("it sent {fault}"))
    }
}

/// The receiving side of a connection.
pub struct Receiver {
    /// The connection.
    pub stream: Arc<OwnedFd>,
    peer: Rank,
    /// Its other end.
    pub address: SocketAddr,
    frames: FrameBuffer,
    /// The read whose data is arriving, and its slot.
    filling: Option<(u32, ReadInFlight)>,
    /// True if the poller has it on its list of peers with frames left.
    pub listed: bool,
    /// Bytes of the peer's window.
    owed: OwedCredits<{ CREDIT_BYTES_MIN as u32 }>,
}

const _: () = {
    assert!(size_of::<Mutex<Link>>() <= 24, "what a peer costs before the first send");
    assert!(size_of::<Connection>() + size_of::<Receiver>() <= 600, "what a connected peer costs while it is idle");
};

impl Receiver {
    /// The receiver of a connection on which nothing has arrived yet.
    pub fn new(stream: Arc<OwnedFd>, peer: Rank, address: SocketAddr) -> Receiver {
        let (frames, owed) = (FrameBuffer::default(), OwedCredits::default());
        Receiver { stream, peer, address, frames, filling: None, listed: false, owed }
    }

    /// The read whose data was arriving when the connection ended.
    pub fn into_read(self) -> Option<ReadInFlight> {
        self.filling.map(|(_, reading)| reading)
    }

    /// Handles what arrived, until nothing is left or the turn is over; true where frames wait here for the next turn.
    ///
    /// # Errors
    /// How the connection ended. Everything that arrived before was handled.
    pub fn receive(
        &mut self,
        peers: &Peers,
        free_buffers: &mut FreeBuffers,
        turn: &mut Turn<'_>,
    ) -> Result<bool, LinkEnd> {
        let (mut read_bytes, mut drained) = (0, false);
        loop {
            while self.filling.is_none() && !turn.is_over() && self.next_frame(peers, turn)? {}
            if drained || read_bytes >= READ_BYTES || turn.is_over() {
                break;
            }
            let (count, all) = self.read(peers, free_buffers)?;
            if self.filling.is_some() && self.frames.raw_bytes() == 0 {
                self.on_piece(peers);
            }
            read_bytes += count;
            // Where less arrived than fits, the socket is empty: reading again would return nothing.
            drained = !all;
        }
        self.frames.release_if_empty(free_buffers);
        Ok(turn.is_over() && self.filling.is_none() && !self.frames.is_between_frames())
    }

    /// Reads once; returns how many bytes arrived, and true if they fill the space. 0 where there is nothing now.
    fn read(&mut self, peers: &Peers, free_buffers: &mut FreeBuffers) -> Result<(usize, bool), LinkEnd> {
        let direct = self.frames.raw_bytes();
        let space = self.frames.space(free_buffers);
        let most = direct + space.len();
        let result = match &mut self.filling {
            Some((_, reading)) => {
                let mut slices = [IoSliceMut::new(reading.next_bytes(direct)), IoSliceMut::new(space)];
                rustix::io::readv(&self.stream, &mut slices)
            }
            None => rustix::io::read(&self.stream, space),
        };
        match result {
            Ok(0) => {
                let position = if self.frames.is_between_frames() { "" } else { ", in the middle of a frame" };
                Err(LinkEnd::Failed(format!("it closed the connection without a goodbye{position}: its process ended")))
            }
            Ok(count) => {
                let raw = self.frames.on_received(count);
                if let Some((_, reading)) = &mut self.filling {
                    reading.received += raw;
                }
                Ok((count, count == most))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok((0, false)),
            Err(Errno::TIMEDOUT) => {
                Err(LinkEnd::Failed(format!("it did not respond for {} s", peers.peer_timeout.as_secs_f64())))
            }
            Err(error) => Err(LinkEnd::Failed(std::io::Error::from(error).to_string())),
        }
    }

    /// Handles the next frame; false where it has not arrived whole.
    fn next_frame(&mut self, peers: &Peers, turn: &mut Turn<'_>) -> Result<bool, LinkEnd> {
        let Some(Frame { header, body }) = self.frames.next()? else { return Ok(false) };
        let (peer, slot) = (self.peer, header.slot);
        if header.credit > 0 {
            peers
                .with_connection(peer, |connection| connection.send_queue.on_credit(header.credit))
                .unwrap_or(Ok(()))?;
        }
        match header.kind {
            FrameKind::Message => {
                let due = self.owed.add(window_bytes(header.body_bytes()) as u32);
                (turn.deliver)(TransportEvent::Message { from: peer, bytes: body });
                turn.events += 1;
                if due {
                    let owed = self.owed.take();
                    peers.with_connection(peer, |connection| {
                        connection.send_queue.give_credit(owed);
                        peers.mark(peer, connection);
                    });
                }
            }
            FrameKind::Credit => {}
            FrameKind::Goodbye => return Err(LinkEnd::Closed),
            FrameKind::ReadRequest => {
                let request = ReadRange::decode(body)?;
                let serve = |connection: &mut Connection| {
                    peers.mark(peer, connection);
                    connection
                        .send_queue
                        .serve(slot, header.region, request, &|offset, length| peers.bytes(offset, length))
                };
                peers.with_connection(peer, serve).unwrap_or(Ok(()))?;
            }
            FrameKind::ReadData => {
                let mut reading = self.take(peers, slot, header.body_bytes())?;
                let taken = self.frames.take_raw(reading.next_bytes(header.body_bytes()));
                reading.received += taken;
                self.filling = Some((slot, reading));
                if self.frames.raw_bytes() == 0 {
                    self.on_piece(peers);
                }
            }
            FrameKind::ReadRefused => {
                let reason = String::from_utf8_lossy(body).into_owned();
                let ReadInFlight { token, .. } = self.take(peers, slot, 0)?;
                let block = Err(ReadError::Refused { peer: peers.named(peer), reason });
                peers.events.push(TransportEvent::ReadDone { token, block });
            }
            FrameKind::Welcome | FrameKind::Yield => return Err(FrameError::Unexpected(header.kind).into()),
        }
        Ok(true)
    }

    fn take(&self, peers: &Peers, slot: u32, length: usize) -> Result<ReadInFlight, FrameError> {
        peers
            .with_connection(self.peer, |connection| connection.reads.take(slot, length))
            .unwrap_or(Err(FrameError::Read(slot)))
    }

    /// Called when the announced data has arrived: the read is complete, or more data follows in a later frame.
    fn on_piece(&mut self, peers: &Peers) {
        let Some((slot, reading)) = self.filling.take() else { return };
        if reading.is_whole() {
            peers.events.push(TransportEvent::ReadDone { token: reading.token, block: Ok(reading.block) });
        } else {
            peers.with_connection(self.peer, |connection| connection.reads.put_back(slot, reading));
        }
    }
}
