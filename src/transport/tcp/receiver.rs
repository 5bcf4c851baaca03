//! The receiving side of a connection: reads the socket, checks each frame, and handles it.

use super::frame::{FrameError, FrameKind, ReadRange, window_bytes};
use super::frame_buffer::{Frame, FrameBuffer, FreeBuffers};
use super::peers::{Connection, Link, Peers, QueuedEvent};
use super::reads::ReadInFlight;
use super::send_queue::{CREDIT_BYTES_MIN, WINDOW_BYTES};
use crate::base::Rank;
use crate::base::limits::POLL_BATCH_MAX;
use crate::transport::{ReadError, TransportEvent};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Read from one peer before others have their turn.
const READ_BYTES: usize = 4 << 20;

/// The events that one poll delivers.
pub struct Turn<'a> {
    /// The receiver of the events.
    pub deliver: &'a mut dyn FnMut(TransportEvent<'_>),
    /// Number of events delivered.
    pub events: usize,
    /// Events to be delivered besides messages.
    pub queued: VecDeque<QueuedEvent>,
}

impl Turn<'_> {
    /// True if the poll has delivered its maximum of events.
    pub fn is_over(&self) -> bool {
        self.events >= POLL_BATCH_MAX
    }

    fn deliver_event(&mut self, event: TransportEvent<'_>) {
        (self.deliver)(event);
        self.events += 1;
    }

    /// Delivers the queued events besides messages.
    pub fn deliver_queued(&mut self) {
        while !self.is_over()
            && let Some(ending) = self.queued.pop_front()
        {
            self.deliver_event(match ending {
                QueuedEvent::Read { token, block } => TransportEvent::ReadDone { token, block },
                QueuedEvent::LinkDown { peer, reason } => TransportEvent::LinkDown { peer, reason },
            });
        }
    }
}

/// How a connection ended.
pub enum LinkEnd {
    /// The peer sent a goodbye.
    Closed,
    /// The connection failed, with the reason.
    Failed(String),
}

/// The receiving side of a connection.
pub struct Receiver {
    /// The connection.
    pub stream: Arc<OwnedFd>,
    peer: Rank,
    address: SocketAddr,
    frames: FrameBuffer,
    /// The read whose data is arriving, and its slot.
    filling: Option<(u32, ReadInFlight)>,
    /// True if the poller has it on its list of peers with frames left.
    pub listed: bool,
    /// Bytes of the peer's window that were handled here and not yet returned as credit.
    uncredited: usize,
}

const _: () = {
    assert!(size_of::<Mutex<Link>>() <= 24, "what a peer costs before the first send");
    assert!(size_of::<Connection>() + size_of::<Receiver>() <= 600, "what a connected peer costs while it is idle");
};

impl Receiver {
    /// The receiver of a connection on which nothing has arrived yet.
    pub fn new(stream: Arc<OwnedFd>, peer: Rank, address: SocketAddr) -> Receiver {
        Receiver { stream, peer, address, frames: FrameBuffer::default(), filling: None, listed: false, uncredited: 0 }
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
                self.on_piece(peers, turn);
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
                Err(self
                    .failed(peers, &format!("it closed the connection without a goodbye{position}: its process ended")))
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
                Err(self.failed(peers, &format!("it did not respond for {} s", peers.peer_timeout.as_secs_f64())))
            }
            Err(error) => Err(self.failed(peers, &std::io::Error::from(error).to_string())),
        }
    }

    fn failed(&self, peers: &Peers, what: &str) -> LinkEnd {
        LinkEnd::Failed(format!("{} at {}: {what}", peers.named(self.peer), self.address))
    }

    /// Handles the next frame; false where it has not arrived whole.
    fn next_frame(&mut self, peers: &Peers, turn: &mut Turn<'_>) -> Result<bool, LinkEnd> {
        match self.try_next_frame(peers, turn) {
            Ok(Some(FrameKind::Goodbye)) => Err(LinkEnd::Closed),
            Ok(kind) => Ok(kind.is_some()),
            Err(fault) => Err(self.failed(peers, &format!("it sent {fault}"))),
        }
    }

    fn try_next_frame(&mut self, peers: &Peers, turn: &mut Turn<'_>) -> Result<Option<FrameKind>, FrameError> {
        let Some(Frame { header, body }) = self.frames.next()? else { return Ok(None) };
        let (peer, slot) = (self.peer, header.slot);
        if header.credit > 0 {
            peers
                .with_connection(peer, |connection| connection.send_queue.on_credit(header.credit))
                .unwrap_or(Ok(()))?;
        }
        match header.kind {
            FrameKind::Message => {
                self.uncredited += window_bytes(header.body_bytes());
                if self.uncredited > WINDOW_BYTES {
                    return Err(FrameError::Window);
                }
                turn.deliver_event(TransportEvent::Message { from: peer, bytes: body });
                if self.uncredited >= CREDIT_BYTES_MIN {
                    let uncredited = std::mem::take(&mut self.uncredited);
                    peers.with_connection(peer, |connection| {
                        connection.send_queue.give_credit(uncredited);
                        peers.mark(peer, connection);
                    });
                }
            }
            FrameKind::Credit | FrameKind::Goodbye => {}
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
                    self.on_piece(peers, turn);
                }
            }
            FrameKind::ReadRefused => {
                let reason = String::from_utf8_lossy(body).into_owned();
                let ReadInFlight { token, .. } = self.take(peers, slot, 0)?;
                peers.with_connection(peer, |connection| connection.reads.end(slot));
                let block = Err(ReadError::Refused { peer: peers.named(peer), reason });
                turn.queued.push_back(QueuedEvent::Read { token, block });
            }
            FrameKind::Welcome | FrameKind::Yield => return Err(FrameError::Unexpected(header.kind)),
        }
        Ok(Some(header.kind))
    }

    fn take(&self, peers: &Peers, slot: u32, length: usize) -> Result<ReadInFlight, FrameError> {
        peers
            .with_connection(self.peer, |connection| connection.reads.take(slot, length))
            .unwrap_or(Err(FrameError::Slot(slot)))
    }

    /// Called when the announced data has arrived: the read is complete, or more data follows in a later frame.
    fn on_piece(&mut self, peers: &Peers, turn: &mut Turn<'_>) {
        let Some((slot, reading)) = self.filling.take() else { return };
        if reading.is_whole() {
            peers.with_connection(self.peer, |connection| connection.reads.end(slot));
            turn.queued.push_back(QueuedEvent::Read { token: reading.token, block: Ok(reading.block) });
        } else {
            peers.with_connection(self.peer, |connection| connection.reads.put_back(slot, reading));
        }
    }
}
