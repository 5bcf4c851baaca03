//! Rank 0's end of the collectives: receives a frame from each rank and sends one to each. Runs only inside rank 0's
//! calls.
//!
//! It also reads while it writes: a rank that has its result may already be in the next collective. At most one frame
//! of each rank is queued.

use super::frame::{
    FrameReader, PART_BYTES_MAX, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind, encode_parts,
    write_remaining,
};
use super::hangup::HangupNotifier;
use crate::base::{Error, Rank, Result};
use crate::boot::{DeathNotifier, Exchange};
use crate::transport::epoll::{EpollSet, Interest, Ready, Watched};
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
    /// Why the connection was lost, if it was.
    failed: Option<RendezvousFault>,
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
            failed: None,
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
    /// By rank; `None` for rank 0.
    members: Vec<Option<Member>>,
    watch: EpollSet,
    /// What the last wait found; kept for its memory.
    ready: Vec<Ready>,
    /// The number of collectives so far.
    round: u32,
    /// Members with an unused frame or a lost connection.
    answered: usize,
    failed: usize,
    /// How long the ranks wait for each other in a barrier.
    shutdown_timeout: Duration,
}

impl Coordinator {
    /// A coordinator of members whose sockets `watch` watches.
    pub fn new(members: Vec<Option<Member>>, watch: EpollSet, shutdown_timeout: Duration) -> Coordinator {
        Coordinator { members, watch, ready: Vec::new(), round: 0, answered: 0, failed: 0, shutdown_timeout }
    }

    fn live_members(&mut self) -> impl Iterator<Item = (Rank, &mut Member)> {
        let members = self.members.iter_mut().enumerate();
        members
            .filter_map(|(rank, member)| Some((rank as Rank, member.as_mut()?)))
            .filter(|(_, member)| member.failed.is_none())
    }

    fn other_count(&self) -> usize {
        self.members.len() - 1
    }

    fn live_member(&mut self, rank: Rank) -> Option<&mut Member> {
        self.members.get_mut(rank as usize)?.as_mut().filter(|member| member.failed.is_none())
    }

    fn on_member_failed(&mut self, rank: Rank, fault: RendezvousFault) {
        let Some(member) = self.live_member(rank) else { return };
        let unanswered = member.frame.is_none();
        member.failed = Some(fault);
        let _ = member.stream.shutdown(std::net::Shutdown::Both);
        self.failed += 1;
        self.answered += usize::from(unanswered);
        if let Some(member) = &self.members[rank as usize] {
            // It would report the hang-up for ever.
            let _ = self.watch.remove(&member.stream);
        }
    }

    fn on_readable(&mut self, rank: Rank) {
        match self.live_member(rank).map(Member::read_frame) {
            Some(Ok(true)) => self.answered += 1,
            Some(Err(fault)) => self.on_member_failed(rank, fault),
            Some(Ok(false)) | None => {}
        }
    }

    /// The first member whose connection was lost.
    fn first_failure(&self) -> Option<String> {
        let members = self.members.iter().enumerate();
        members.filter_map(|(rank, member)| Some((rank, member.as_ref()?))).find_map(|(rank, member)| {
            Some(format!("the connection to {} was lost: {}", member.describe(rank as Rank), member.failed.as_ref()?))
        })
    }

    /// Waits until every member has sent a frame or is lost. If `strict`, returns as soon as one is lost. Otherwise a
    /// member that has sent nothing when the time is over counts as lost too, because its process may be stopped.
    fn await_answers(&mut self, strict: bool) {
        let until = if strict { None } else { Some(Instant::now() + self.shutdown_timeout) };
        while self.answered < self.other_count() && !(strict && self.failed > 0) {
            let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
            if wait == Some(Duration::ZERO) {
                let silent: Vec<Rank> =
                    self.live_members().filter(|(_, member)| member.frame.is_none()).map(|(rank, _)| rank).collect();
                let fault = || RendezvousFault::Closed("it did not enter the barrier in time".to_string());
                silent.into_iter().for_each(|rank| self.on_member_failed(rank, fault()));
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

    /// Sends the frame to all live members; returns when it is written.
    fn broadcast(&mut self, frame: &[u8]) {
        let ranks: Vec<Rank> = self.live_members().map(|(rank, _)| rank).collect();
        let mut unsent = 0;
        for rank in ranks {
            let Some(member) = self.live_member(rank) else { continue };
            member.sent = 0;
            unsent += usize::from(!self.continue_send(rank, frame));
        }
        while unsent > 0 {
            self.wait(None, |coordinator, rank, ready| {
                let was_unsent = coordinator.live_member(rank).is_some_and(|member| member.sent < frame.len());
                let out = ready.writes && was_unsent && coordinator.continue_send(rank, frame);
                if ready.reads {
                    coordinator.on_readable(rank);
                }
                let has_failed = was_unsent && !out && coordinator.live_member(rank).is_none();
                unsent -= usize::from(out || has_failed);
            });
        }
    }

    /// True if nothing is left to be sent to this rank; otherwise its socket is watched for writability.
    fn continue_send(&mut self, rank: Rank, frame: &[u8]) -> bool {
        let member = self.members.get_mut(rank as usize).and_then(Option::as_mut);
        let Some(member) = member.filter(|member| member.failed.is_none()) else { return true };
        let mut written = write_remaining(&mut member.stream, frame, &mut member.sent);
        if let Ok(out) = written
            && member.awaits_writable == out
        {
            member.awaits_writable = !out;
            let interest = if out { Interest::Read } else { Interest::Both };
            if let Err(error) = self.watch.change(&member.stream, Watched::Peer(rank), interest) {
                written = Err(RendezvousFault::Closed(format!("its socket cannot be watched: {error}")));
            }
        }
        written.unwrap_or_else(|fault| {
            self.on_member_failed(rank, fault);
            true
        })
    }

    /// The payloads of this collective, by rank; empty for ranks that are lost.
    fn collect(&mut self, kind: RendezvousKind, strict: bool) -> Result<Vec<Vec<u8>>> {
        self.await_answers(strict);
        if strict && let Some(failure) = self.first_failure() {
            return Err(self.fail(format!("{failure}; it happened while the ranks were starting")));
        }
        let round = self.round;
        let mut parts = vec![Vec::new(); self.members.len()];
        let mut out_of_step = None;
        for (rank, member) in self.live_members() {
            match member.frame.take() {
                Some(frame) if frame.kind == kind && frame.round == round => parts[rank as usize] = frame.payload,
                Some(frame) => {
                    let (theirs, at) = (frame.kind, frame.round);
                    let described = member.describe(rank);
                    out_of_step = Some(format!(
                        "{described} is at step {at} of the start ({theirs:?}) and rank 0 at step {round} ({kind:?}): \
                        start the \
                         same binary on every rank"
                    ));
                }
                None => {}
            }
        }
        self.answered = self.failed;
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
        let frame = RendezvousFrame::encode(RendezvousKind::Gather, self.round, &encode_parts(&parts));
        self.broadcast(&frame);
        self.round = self.round.wrapping_add(1);
        Ok(parts)
    }

    fn barrier(&mut self) -> Result<()> {
        self.collect(RendezvousKind::Barrier, false)?;
        let frame = RendezvousFrame::encode(RendezvousKind::Barrier, self.round, &[]);
        self.broadcast(&frame);
        self.round = self.round.wrapping_add(1);
        Ok(())
    }

    fn exclude(&mut self, rank: Rank) {
        self.on_member_failed(rank, RendezvousFault::Closed("the other ranks declared it dead".to_string()));
    }

    fn death_notifier(&mut self) -> Option<Box<dyn DeathNotifier>> {
        HangupNotifier::of(self.live_members().map(|(rank, member)| (rank, &member.stream)), "rank 0")
    }
}
