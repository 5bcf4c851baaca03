//! Rank 0's end of the collectives: receives a frame from each rank and sends one to each. Runs only inside rank 0's
//! calls.
//!
//! It also reads while it writes: a rank that has its result may already be in the next collective. At most one frame
//! of each rank is queued.

use super::frame::{
    FrameReader, PART_BYTES_MAX, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind, encode_parts,
    write_remaining,
};
use crate::base::{Error, Rank, Result};
use crate::boot::{DeathNotifier, Exchange};
use crate::transport::epoll::{EpollSet, Interest, Ready, Watched};
use std::fmt::Display;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Another rank, as seen by rank 0.
pub struct Member {
    stream: TcpStream,
    from: SocketAddr,
    info: ParticipantInfo,
    reader: FrameReader,
    /// A frame that was received and not used yet.
    frame: Option<RendezvousFrame>,
    /// Bytes sent of the frame being broadcast.
    sent: usize,
    /// True if the epoll watches its socket for writability.
    awaits_writable: bool,
}

impl Member {
    /// A rank whose handshake is complete; the stream is non-blocking.
    pub fn new(stream: TcpStream, from: SocketAddr, info: ParticipantInfo) -> Member {
        Member {
            stream,
            from,
            info,
            reader: FrameReader::new(PART_BYTES_MAX),
            frame: None,
            sent: 0,
            awaits_writable: false,
        }
    }

    /// The rank, for errors.
    pub fn describe(&self, rank: Rank) -> String {
        format!("rank {rank} (host {}, pid {}, {})", self.info.host, self.info.pid, self.from)
    }

    /// Reads from the socket; true if a frame is complete now.
    ///
    /// # Errors
    /// If the connection is lost, or the rank sends what it should not.
    pub fn read_frame(&mut self) -> Result<bool, RendezvousFault> {
        match self.reader.read(&mut self.stream)? {
            None => Ok(false),
            Some(_) if self.frame.is_some() => {
                Err(RendezvousFault::Malformed("two frames where one was expected".to_string()))
            }
            Some(frame) => {
                self.frame = Some(frame);
                Ok(true)
            }
        }
    }

    /// Sends a frame small enough to be written at once.
    pub fn send_small(&mut self, frame: &[u8]) {
        // If it is not written, the connection is broken, and the next read reports it.
        let _ = write_remaining(&mut self.stream, frame, &mut 0);
    }
}

/// Rank 0's end.
pub struct Coordinator {
    /// By rank; `None` for rank 0 and for members whose connections were lost.
    members: Vec<Option<Member>>,
    /// The members whose connections were lost, and why.
    lost: Vec<String>,
    watch: EpollSet,
    /// What the last wait found; kept for its memory.
    ready: Vec<Ready>,
    /// The number of collectives so far.
    round: u32,
    /// Lost members, and members with an unused frame.
    answered: usize,
    /// How long the ranks wait for each other in a barrier.
    shutdown_timeout: Duration,
}

impl Coordinator {
    /// A coordinator of members whose sockets `watch` watches.
    pub fn new(members: Vec<Option<Member>>, watch: EpollSet, shutdown_timeout: Duration) -> Coordinator {
        Coordinator { members, lost: Vec::new(), watch, ready: Vec::new(), round: 0, answered: 0, shutdown_timeout }
    }

    fn live_members(&mut self) -> impl Iterator<Item = (Rank, &mut Member)> {
        (0..).zip(&mut self.members).filter_map(|(rank, member)| Some((rank, member.as_mut()?)))
    }

    fn live_member(&mut self, rank: Rank) -> Option<&mut Member> {
        self.members.get_mut(rank as usize)?.as_mut()
    }

    /// Drops a member, which closes its connection.
    fn on_member_lost(&mut self, rank: Rank, how: &dyn Display) {
        let Some(member) = self.members.get_mut(rank as usize).and_then(Option::take) else { return };
        self.answered += usize::from(member.frame.is_none());
        self.lost.push(format!("the connection to {} was lost: {how}", member.describe(rank)));
    }

    fn on_readable(&mut self, rank: Rank) {
        match self.live_member(rank).map(Member::read_frame) {
            Some(Ok(true)) => self.answered += 1,
            Some(Err(fault)) => self.on_member_lost(rank, &fault),
            Some(Ok(false)) | None => {}
        }
    }

    /// Waits until every member has sent a frame or is lost. If `strict`, returns as soon as one is lost. Otherwise a
    /// member that has sent nothing when the time is over counts as lost too, because its process may be stopped.
    fn await_answers(&mut self, strict: bool) {
        let until = if strict { None } else { Some(Instant::now() + self.shutdown_timeout) };
        while self.answered < self.members.len() - 1 && (!strict || self.lost.is_empty()) {
            let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
            if wait == Some(Duration::ZERO) {
                let silent = self.live_members().filter(|(_, member)| member.frame.is_none()).map(|(rank, _)| rank);
                for rank in silent.collect::<Vec<_>>() {
                    self.on_member_lost(rank, &"it did not enter the barrier in time");
                }
                break;
            }
            self.wait(wait, |coordinator, rank, _| coordinator.on_readable(rank));
        }
    }

    /// Waits for sockets of members, and calls `act` for each that is ready.
    fn wait(&mut self, wait: Option<Duration>, mut act: impl FnMut(&mut Coordinator, Rank, Ready)) {
        let mut found = std::mem::take(&mut self.ready);
        self.watch.wait(&mut found, wait);
        for ready in found.drain(..) {
            if let Watched::Peer(rank) = ready.source {
                act(self, rank, ready);
            }
        }
        self.ready = found;
    }

    /// Ends a collective: sends its result to all live members; returns when it is written.
    fn answer(&mut self, kind: RendezvousKind, result: &[u8]) {
        let frame = RendezvousFrame::encode(kind, self.round, result);
        let is_unsent = |coordinator: &mut Coordinator, rank| {
            coordinator.live_member(rank).is_some_and(|member| member.sent < frame.len())
        };
        let mut unsent = 0;
        for rank in 0..self.members.len() as Rank {
            self.live_member(rank).into_iter().for_each(|member| member.sent = 0);
            self.continue_send(rank, &frame);
            unsent += usize::from(is_unsent(self, rank));
        }
        while unsent > 0 {
            self.wait(None, |coordinator, rank, ready| {
                let was_unsent = is_unsent(coordinator, rank);
                if ready.writes && was_unsent {
                    coordinator.continue_send(rank, &frame);
                }
                if ready.reads {
                    coordinator.on_readable(rank);
                }
                unsent -= usize::from(was_unsent && !is_unsent(coordinator, rank));
            });
        }
        self.round = self.round.wrapping_add(1);
    }

    /// Sends what the member's socket takes now; the socket is watched for writability if anything is left.
    fn continue_send(&mut self, rank: Rank, frame: &[u8]) {
        let Some(Some(member)) = self.members.get_mut(rank as usize) else { return };
        let mut written = write_remaining(&mut member.stream, frame, &mut member.sent);
        if let Ok(out) = written
            && member.awaits_writable == out
        {
            member.awaits_writable = !out;
            let interest = if out { Interest::Read } else { Interest::Both };
            let watched = self.watch.change(&member.stream, Watched::Peer(rank), interest);
            let unwatched = |error| RendezvousFault::Closed(format!("its socket cannot be watched: {error}"));
            written = watched.map(|()| out).map_err(unwatched);
        }
        if let Err(fault) = written {
            self.on_member_lost(rank, &fault);
        }
    }

    /// The payloads of this collective, by rank; empty for ranks that are lost.
    fn collect(&mut self, kind: RendezvousKind, strict: bool) -> Result<Vec<Vec<u8>>> {
        self.await_answers(strict);
        if strict && let Some(lost) = self.lost.first() {
            let text = format!("{lost}; it happened while the ranks were starting");
            return Err(self.fail(text));
        }
        let round = self.round;
        let mut parts = vec![Vec::new(); self.members.len()];
        let mut out_of_step = None;
        for (rank, member) in self.live_members() {
            let Some(RendezvousFrame { kind: theirs, round: at, payload }) = member.frame.take() else { continue };
            if theirs == kind && at == round {
                parts[rank as usize] = payload;
            } else {
                out_of_step = Some(format!(
                    "{} is at step {at} of the start ({theirs:?}) and rank 0 at step {round} ({kind:?}): start the \
                     same binary on every rank",
                    member.describe(rank)
                ));
            }
        }
        self.answered = self.lost.len();
        match out_of_step {
            Some(text) => Err(self.fail(text)),
            None => Ok(parts),
        }
    }

    /// Sends the reason to all members; returns it as an error.
    fn fail(&mut self, text: String) -> Error {
        let frame = RendezvousFrame::encode(RendezvousKind::Failed, self.round, text.as_bytes());
        self.live_members().for_each(|(_, member)| member.send_small(&frame));
        Error::fabric(text)
    }
}

impl Exchange for Coordinator {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut parts = self.collect(RendezvousKind::Gather, true)?;
        parts[0] = mine.to_vec();
        self.answer(RendezvousKind::Gather, &encode_parts(&parts));
        Ok(parts)
    }

    fn barrier(&mut self) -> Result<()> {
        self.collect(RendezvousKind::Barrier, false)?;
        self.answer(RendezvousKind::Barrier, &[]);
        Ok(())
    }

    fn exclude(&mut self, rank: Rank) {
        self.on_member_lost(rank, &"the other ranks declared it dead");
    }

    fn death_notifier(&mut self) -> Option<DeathNotifier> {
        DeathNotifier::of(self.live_members().map(|(rank, member)| (rank, &member.stream)), "rank 0")
    }
}
