//! What comes from one connected peer: reads its socket, checks each frame, and acts on it.

use super::frame::{Fault, Kind, Request, window_bytes};
use super::inbox::{Frame, Inbox, Spares};
use super::outbox::{CREDIT_BYTES_MIN, WINDOW_BYTES};
use super::peers::{Ending, Link, Peers, Talk};
use super::reads::Reading;
use crate::base::Rank;
use crate::base::limits::POLL_BATCH_MAX;
use crate::transport::Event;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Read from one peer before others have their turn.
const READ_BYTES: usize = 4 << 20;

/// What one poll hands over.
pub struct Turn<'a> {
    /// Whom to.
    pub deliver: &'a mut dyn FnMut(Event<'_>),
    /// How much it was.
    pub events: usize,
    /// What is to be handed over besides messages.
    pub endings: VecDeque<Ending>,
}

impl Turn<'_> {
    /// Whether the poll has handed over enough.
    pub fn is_over(&self) -> bool {
        self.events >= POLL_BATCH_MAX
    }

    fn hand_over(&mut self, event: Event<'_>) {
        (self.deliver)(event);
        self.events += 1;
    }

    /// Hands over what waits besides messages.
    pub fn hand_over_endings(&mut self) {
        while !self.is_over()
            && let Some(ending) = self.endings.pop_front()
        {
            self.hand_over(match ending {
                Ending::Read { token, block } => Event::ReadDone { token, block },
                Ending::Lost { peer, reason } => Event::Lost { peer, reason },
            });
        }
    }
}

/// How a connection ended.
pub enum End {
    /// The peer said goodbye.
    Left,
    /// The connection failed, and how.
    Lost(String),
}

/// The receiving side of a connection.
pub struct Incoming {
    /// The connection.
    pub stream: Arc<OwnedFd>,
    peer: Rank,
    address: SocketAddr,
    inbox: Inbox,
    /// The read whose data comes, and its slot.
    filling: Option<(u32, Reading)>,
    /// Whether the poller has it on its list of those with frames left.
    pub listed: bool,
    /// Bytes of the peer's window that were handled here and not given back.
    owed: usize,
}

const _: () = {
    assert!(size_of::<Mutex<Link>>() <= 24, "what a peer costs to whom nothing was said");
    assert!(size_of::<Talk>() + size_of::<Incoming>() <= 600, "what a connected peer costs while it is silent");
};

impl Incoming {
    /// Of a connection on which nothing came yet.
    pub fn new(stream: Arc<OwnedFd>, peer: Rank, address: SocketAddr) -> Incoming {
        Incoming { stream, peer, address, inbox: Inbox::default(), filling: None, listed: false, owed: 0 }
    }

    /// The read whose data was coming when the connection ended.
    pub fn give_up(self) -> Option<Reading> {
        self.filling.map(|(_, reading)| reading)
    }

    /// Takes what came, until nothing is left or the turn is over; true where frames wait here for the next turn.
    ///
    /// # Errors
    /// How the connection ended. Everything that came before was handled.
    pub fn receive(&mut self, peers: &Peers, spares: &mut Spares, turn: &mut Turn<'_>) -> Result<bool, End> {
        let (mut read_bytes, mut drained) = (0, false);
        loop {
            while self.filling.is_none() && !turn.is_over() && self.next_frame(peers, turn)? {}
            if drained || read_bytes >= READ_BYTES || turn.is_over() {
                break;
            }
            let (count, all) = self.read(peers, spares)?;
            if self.filling.is_some() && self.inbox.raw_bytes() == 0 {
                self.piece_came(peers, turn);
            }
            read_bytes += count;
            // Where less came than fits, the socket is empty: asking again would only say so.
            drained = !all;
        }
        self.inbox.rest(spares);
        Ok(turn.is_over() && self.filling.is_none() && !self.inbox.is_between_frames())
    }

    /// Reads once; how much came, and whether all that fits did. 0 where there is nothing now.
    fn read(&mut self, peers: &Peers, spares: &mut Spares) -> Result<(usize, bool), End> {
        let direct = self.inbox.raw_bytes();
        let room = self.inbox.room(spares);
        let most = direct + room.len();
        let result = match &mut self.filling {
            Some((_, reading)) => {
                let mut places = [IoSliceMut::new(reading.next_bytes(direct)), IoSliceMut::new(room)];
                rustix::io::readv(&self.stream, &mut places)
            }
            None => rustix::io::read(&self.stream, room),
        };
        match result {
            Ok(0) => {
                let place = if self.inbox.is_between_frames() { "" } else { ", in the middle of a frame" };
                Err(self.lost(peers, &format!("it closed the connection without a goodbye{place}: its process ended")))
            }
            Ok(count) => {
                let raw = self.inbox.came(count);
                if let Some((_, reading)) = &mut self.filling {
                    reading.received += raw;
                }
                Ok((count, count == most))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok((0, false)),
            Err(Errno::TIMEDOUT) => {
                Err(self.lost(peers, &format!("it did not answer for {} s", peers.silence.as_secs_f64())))
            }
            Err(error) => Err(self.lost(peers, &std::io::Error::from(error).to_string())),
        }
    }

    fn lost(&self, peers: &Peers, what: &str) -> End {
        End::Lost(format!("{} at {}: {what}", peers.named(self.peer), self.address))
    }

    /// Handles the next frame; false where it has not come whole.
    fn next_frame(&mut self, peers: &Peers, turn: &mut Turn<'_>) -> Result<bool, End> {
        match self.try_next_frame(peers, turn) {
            Ok(Some(Kind::Goodbye)) => Err(End::Left),
            Ok(kind) => Ok(kind.is_some()),
            Err(fault) => Err(self.lost(peers, &format!("it sent {fault}"))),
        }
    }

    fn try_next_frame(&mut self, peers: &Peers, turn: &mut Turn<'_>) -> Result<Option<Kind>, Fault> {
        let Some(Frame { header, body }) = self.inbox.next()? else { return Ok(None) };
        let (peer, slot) = (self.peer, header.slot);
        if header.credit > 0 {
            peers.with_talk(peer, |talk| talk.outbox.credited(header.credit)).unwrap_or(Ok(()))?;
        }
        match header.kind {
            Kind::Message => {
                self.owed += window_bytes(header.length);
                if self.owed > WINDOW_BYTES {
                    return Err(Fault::Window);
                }
                turn.hand_over(Event::Message { from: peer, bytes: body });
                if self.owed >= CREDIT_BYTES_MIN {
                    let owed = std::mem::take(&mut self.owed);
                    peers.with_talk(peer, |talk| {
                        talk.outbox.give_credit(owed);
                        peers.mark(peer, talk);
                    });
                }
            }
            Kind::Credit | Kind::Goodbye => {}
            Kind::ReadRequest => {
                let request = Request::decode(body)?;
                let serve = |talk: &mut Talk| {
                    peers.mark(peer, talk);
                    talk.outbox.serve(slot, header.region, request, &|offset, length| peers.bytes(offset, length))
                };
                peers.with_talk(peer, serve).unwrap_or(Ok(()))?;
            }
            Kind::ReadData => {
                let mut reading = self.take(peers, slot, header.length)?;
                let taken = self.inbox.take_raw(reading.next_bytes(header.length));
                reading.received += taken;
                self.filling = Some((slot, reading));
                if self.inbox.raw_bytes() == 0 {
                    self.piece_came(peers, turn);
                }
            }
            Kind::ReadRefused => {
                let reason = String::from_utf8_lossy(body).into_owned();
                let Reading { token, .. } = self.take(peers, slot, 0)?;
                peers.with_talk(peer, |talk| talk.reads.end(slot));
                let block = Err(format!("{} refused a read: {reason}", peers.named(peer)));
                turn.endings.push_back(Ending::Read { token, block });
            }
            Kind::Welcome | Kind::Yield => return Err(Fault::Unexpected(header.kind)),
        }
        Ok(Some(header.kind))
    }

    fn take(&self, peers: &Peers, slot: u32, length: usize) -> Result<Reading, Fault> {
        peers.with_talk(self.peer, |talk| talk.reads.take(slot, length)).unwrap_or(Err(Fault::Slot(slot)))
    }

    /// The data that was announced is there: more may be, or the read is over.
    fn piece_came(&mut self, peers: &Peers, turn: &mut Turn<'_>) {
        let Some((slot, reading)) = self.filling.take() else { return };
        if reading.is_whole() {
            peers.with_talk(self.peer, |talk| talk.reads.end(slot));
            turn.endings.push_back(Ending::Read { token: reading.token, block: Ok(reading.block) });
        } else {
            peers.with_talk(self.peer, |talk| talk.reads.put_back(slot, reading));
        }
    }
}
