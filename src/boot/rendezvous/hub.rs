//! Rank 0's end of the collectives: takes a frame from each rank and sends one to each. Acts only while rank 0 calls.
//!
//! It reads what comes also while it writes: a rank that has its result may already be in the next collective. At most
//! one frame a rank is kept.

use super::frame::{Card, Fault, Frame, Kind, PART_BYTES_MAX, Reader, join, write_on};
use super::meet::{rank_of, token_of};
use super::sockets::Watch;
use super::vigil::Ends;
use crate::base::{Error, Rank, Result};
use crate::boot::{Exchange, Vigil};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Another rank, as rank 0 holds it.
pub struct Member {
    stream: TcpStream,
    from: SocketAddr,
    card: Card,
    reader: Reader,
    /// What it said and rank 0 has not used yet.
    frame: Option<Frame>,
    /// Bytes of the frame under way that it has.
    sent: usize,
    /// Whether its socket is watched for room to write.
    waits_for_room: bool,
    /// Why it is lost, where it is.
    lost: Option<Fault>,
}

impl Member {
    /// Whose handshake is over; the stream does not block.
    pub fn new(stream: TcpStream, from: SocketAddr, card: Card) -> Member {
        Member {
            stream,
            from,
            card,
            reader: Reader::new(PART_BYTES_MAX),
            frame: None,
            sent: 0,
            waits_for_room: false,
            lost: None,
        }
    }

    /// For errors.
    pub fn shown(&self, rank: Rank) -> String {
        format!("rank {rank} (host {}, pid {}, {})", self.card.host, self.card.pid, self.from)
    }

    /// Reads what has come; whether a frame is whole now.
    ///
    /// # Errors
    /// Where the rank is gone, or says what it should not.
    pub fn take_in(&mut self) -> Result<bool, Fault> {
        match self.reader.read(&mut self.stream)? {
            None => Ok(false),
            Some(_) if self.frame.is_some() => Err(Fault::Malformed("two frames where one was awaited".to_string())),
            Some(frame) => {
                self.frame = Some(frame);
                Ok(true)
            }
        }
    }

    /// Sends a frame that is small enough to go out at once.
    pub fn tell(&mut self, frame: &[u8]) {
        // Where it is not taken, the connection is broken, and the next read says so.
        let _ = write_on(&mut self.stream, frame, &mut 0);
    }
}

/// Rank 0's end.
pub struct Hub {
    /// By rank; none for rank 0.
    members: Vec<Option<Member>>,
    watch: Watch,
    /// Collectives so far.
    round: u32,
    /// Members that have said something that is not used yet, or are lost.
    heard: usize,
    lost: usize,
    /// How long the ranks wait for each other when they part.
    patience: Duration,
}

impl Hub {
    /// Of members whose sockets are watched by their tokens.
    pub fn new(members: Vec<Option<Member>>, watch: Watch, patience: Duration) -> Hub {
        Hub { members, watch, round: 0, heard: 0, lost: 0, patience }
    }

    fn present(&mut self) -> impl Iterator<Item = (Rank, &mut Member)> {
        let members = self.members.iter_mut().enumerate();
        members
            .filter_map(|(rank, member)| Some((rank as Rank, member.as_mut()?)))
            .filter(|(_, member)| member.lost.is_none())
    }

    fn others(&self) -> usize {
        self.members.len() - 1
    }

    fn member(&mut self, rank: Rank) -> Option<&mut Member> {
        self.members.get_mut(rank as usize)?.as_mut().filter(|member| member.lost.is_none())
    }

    fn lose(&mut self, rank: Rank, fault: Fault) {
        let Some(member) = self.member(rank) else { return };
        let unheard = member.frame.is_none();
        member.lost = Some(fault);
        let _ = member.stream.shutdown(std::net::Shutdown::Both);
        self.lost += 1;
        self.heard += usize::from(unheard);
        if let Some(member) = &self.members[rank as usize] {
            // It would say that it is at its end for ever.
            let _ = self.watch.remove(&member.stream);
        }
    }

    fn hear(&mut self, rank: Rank) {
        match self.member(rank).map(Member::take_in) {
            Some(Ok(true)) => self.heard += 1,
            Some(Err(fault)) => self.lose(rank, fault),
            Some(Ok(false)) | None => {}
        }
    }

    /// The first rank that is lost.
    fn first_lost(&self) -> Option<String> {
        let members = self.members.iter().enumerate();
        members.filter_map(|(rank, member)| Some((rank, member.as_ref()?))).find_map(|(rank, member)| {
            Some(format!("{} was lost: {}", member.shown(rank as Rank), member.lost.as_ref()?))
        })
    }

    /// Waits until every rank has said something or is lost; at a loss returns at once where `strict`. Otherwise the ranks
    /// part: who has said nothing when its time is over is lost as well, because it may have been stopped.
    fn listen(&mut self, strict: bool) -> Result<()> {
        let until = if strict { None } else { Some(Instant::now() + self.patience) };
        while self.heard < self.others() && !(strict && self.lost > 0) {
            if until.is_some_and(|until| Instant::now() >= until) {
                let silent: Vec<Rank> =
                    self.present().filter(|(_, member)| member.frame.is_none()).map(|(rank, _)| rank).collect();
                let fault = || Fault::Gone("it did not part from the others in time".to_string());
                silent.into_iter().for_each(|rank| self.lose(rank, fault()));
                break;
            }
            for ready in self.watch.wait(until).map_err(|error| waits_no_more(&error))? {
                if let Some(rank) = rank_of(ready.token) {
                    self.hear(rank);
                }
            }
        }
        Ok(())
    }

    /// Sends the frame to all that are there; returns when it is out.
    fn send(&mut self, frame: &[u8]) -> Result<()> {
        let ranks: Vec<Rank> = self.present().map(|(rank, _)| rank).collect();
        let mut unsent = 0;
        for rank in ranks {
            let Some(member) = self.member(rank) else { continue };
            member.sent = 0;
            unsent += usize::from(!self.send_on(rank, frame));
        }
        while unsent > 0 {
            for ready in self.watch.wait(None).map_err(|error| waits_no_more(&error))? {
                let Some(rank) = rank_of(ready.token) else { continue };
                let was_unsent = self.member(rank).is_some_and(|member| member.sent < frame.len());
                let out = ready.writable && was_unsent && self.send_on(rank, frame);
                if ready.readable {
                    self.hear(rank);
                }
                let is_lost = was_unsent && !out && self.member(rank).is_none();
                unsent -= usize::from(out || is_lost);
            }
        }
        Ok(())
    }

    /// Whether nothing is left to send to this rank; where something is, its socket is watched for room.
    fn send_on(&mut self, rank: Rank, frame: &[u8]) -> bool {
        let member = self.members.get_mut(rank as usize).and_then(Option::as_mut);
        let Some(member) = member.filter(|member| member.lost.is_none()) else { return true };
        let mut written = write_on(&mut member.stream, frame, &mut member.sent);
        if let Ok(out) = written
            && member.waits_for_room == out
        {
            member.waits_for_room = !out;
            if let Err(error) = self.watch.set_writing(&member.stream, token_of(rank), !out) {
                written = Err(Fault::Gone(format!("its socket cannot be watched: {error}")));
            }
        }
        written.unwrap_or_else(|fault| {
            self.lose(rank, fault);
            true
        })
    }

    /// Everybody's frames of this collective; none from ranks that are lost.
    fn collect(&mut self, kind: Kind, strict: bool) -> Result<Vec<Vec<u8>>> {
        self.listen(strict)?;
        if strict && let Some(lost) = self.first_lost() {
            return Err(self.fail(format!("{lost}; it happened while the ranks were starting")));
        }
        let round = self.round;
        let mut parts = vec![Vec::new(); self.members.len()];
        let mut out_of_step = None;
        for (rank, member) in self.present() {
            match member.frame.take() {
                Some(frame) if frame.kind == kind && frame.round == round => parts[rank as usize] = frame.payload,
                Some(frame) => {
                    let (theirs, at) = (frame.kind, frame.round);
                    let shown = member.shown(rank);
                    out_of_step = Some(format!(
                        "{shown} is at step {at} of the start ({theirs:?}) and rank 0 at step {round} ({kind:?}): start the \
                         same binary on every rank"
                    ));
                }
                None => {}
            }
        }
        self.heard = self.lost;
        match out_of_step {
            Some(text) => Err(self.fail(text)),
            None => Ok(parts),
        }
    }

    /// Tells all why nobody goes on.
    fn fail(&mut self, text: String) -> Error {
        let frame = Frame::encode(Kind::Failed, self.round, text.as_bytes());
        self.present().for_each(|(_, member)| member.tell(&frame));
        Error::fabric(text)
    }
}

fn waits_no_more(error: &std::io::Error) -> Error {
    Error::fabric(format!("rank 0 cannot wait for the other ranks any more: {error}"))
}

impl Exchange for Hub {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut parts = self.collect(Kind::Gather, true)?;
        parts[0] = mine.to_vec();
        let frame = Frame::encode(Kind::Gather, self.round, &join(&parts));
        self.send(&frame)?;
        self.round = self.round.wrapping_add(1);
        Ok(parts)
    }

    fn barrier(&mut self) -> Result<()> {
        self.collect(Kind::Barrier, false)?;
        let frame = Frame::encode(Kind::Barrier, self.round, &[]);
        self.send(&frame)?;
        self.round = self.round.wrapping_add(1);
        Ok(())
    }

    fn forget(&mut self, rank: Rank) {
        self.lose(rank, Fault::Gone("the others gave it up".to_string()));
    }

    fn vigil(&mut self) -> Option<Box<dyn Vigil>> {
        Ends::of(self.present().map(|(rank, member)| (rank, &member.stream)), "rank 0")
    }
}
