//! Rank 0 waits for the other ranks. Connections from unknown peers are refused and do not keep ranks out.
//!
//! How many unauthenticated connections may wait, and for how long, is bounded by [`LIMITS`]. One that loses its place
//! to others may be of a rank, which connects again.

use super::Met;
use super::coordinator::{Coordinator, Member};
use super::frame::{FrameReader, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind};
use super::rank_spec::{self, RankSpec};
use crate::base::log::{Level, log};
use crate::base::process_limits::allow_descriptors;
use crate::base::{Error, Rank, Result};
use crate::transport::epoll::{EpollSet, Interest, Watched};
use crate::transport::tcp::handshake::{ConnectionPurpose, HandshakeError, Secret};
use crate::transport::tcp::incoming::{
    AuthenticatedConnection, Incoming, IncomingFault, IncomingLimits, ListeningRank,
};
use crate::transport::tcp::{set_backlog, set_peer_timeout};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A rank that holds the secret needs less time than the least of these from its connect to its first frame. Shorter in
/// tests, which wait for ranks that send none.
const LIMITS: IncomingLimits = IncomingLimits {
    pending_max: 256,
    handshake: Duration::from_secs(if cfg!(test) { 2 } else { 5 }),
    handshake_if_full: Duration::from_millis(250),
};

/// The most missing ranks that an error names.
const NAMED_MAX: usize = 8;

/// Rank 0's part: returns when all ranks have come.
///
/// # Errors
/// `Error::Fabric`, on every rank that came, if a rank does not come in time, two processes have the same rank, or a
/// connection is lost.
pub fn meet(listener: TcpListener, spec: &RankSpec, secret: &Secret, meeting_point: &str) -> Result<Met> {
    let listen = || {
        // A connection for each rank; few descriptors let few unknown peers wait at once.
        let pending = allow_descriptors(u64::from(spec.size), LIMITS.pending_max as u64)?;
        let limits = IncomingLimits { pending_max: pending as usize, ..LIMITS };
        set_backlog(&listener)?;
        listener.set_nonblocking(true)?;
        let watch = EpollSet::new()?;
        let rank = ListeningRank { me: 0, purpose: ConnectionPurpose::Rendezvous, secret: secret.clone() };
        Ok((Incoming::open(vec![listener.into()], rank, limits, &watch)?, watch))
    };
    let (incoming, watch) = listen().map_err(|error| cannot_wait(meeting_point, &error))?;
    let mut meeting = Meeting {
        spec,
        meeting_point,
        incoming,
        watch,
        joining: BTreeMap::new(),
        members: (0..spec.size).map(|_| None).collect(),
        joined: 1,
        refused: 0,
        refusal: String::new(),
    };
    if let Err(error) = meeting.run() {
        meeting.broadcast(&RendezvousFrame::encode(RendezvousKind::Failed, 0, error.to_string().as_bytes()));
        return Err(error);
    }
    // Public, and new for each meeting: ranks of an earlier one under the same secret cannot connect to these.
    let nonce = *Secret::random().bytes();
    meeting.broadcast(&RendezvousFrame::encode(RendezvousKind::AllMet, 0, &nonce));
    let coordinator = Coordinator::new(meeting.members, meeting.watch, spec.timeout);
    Ok((Box::new(coordinator), rank_spec::meeting_secret(secret, &nonce)))
}

fn cannot_wait(meeting_point: &str, error: &std::io::Error) -> Error {
    Error::fabric(format!("rank 0 cannot wait for the other ranks at {meeting_point}: {error}")).caused_by(error)
}

/// A rank that is authenticated and has not sent its participant's info yet.
struct JoiningRank {
    rank: Rank,
    stream: TcpStream,
    from: SocketAddr,
    /// When its connection was accepted.
    since: Instant,
    reader: FrameReader,
}

impl JoiningRank {
    /// A rank just authenticated, whose connection fails when its host has not responded for `peer_timeout`.
    ///
    /// # Errors
    /// An error of the system.
    fn new(connection: AuthenticatedConnection, peer_timeout: Duration) -> std::io::Result<JoiningRank> {
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
    fn advance(&mut self) -> Result<Option<ParticipantInfo>, RendezvousFault> {
        let Some(RendezvousFrame { kind, payload, .. }) = self.reader.read(&mut self.stream)? else { return Ok(None) };
        let info = ParticipantInfo::decode(&payload).filter(|_| kind == RendezvousKind::Join);
        let malformed = || RendezvousFault::Malformed("a first frame that is no info of a rank".to_string());
        info.map(Some).ok_or_else(malformed)
    }
}

struct Meeting<'a> {
    spec: &'a RankSpec,
    meeting_point: &'a str,
    incoming: Incoming,
    watch: EpollSet,
    /// Authenticated connections, by number: that of the lowest has waited longest.
    joining: BTreeMap<u32, JoiningRank>,
    /// By rank.
    members: Vec<Option<Member>>,
    /// Rank 0 and the members so far.
    joined: u32,
    refused: u32,
    /// Why the last connection was refused.
    refusal: String,
}

impl Meeting<'_> {
    fn run(&mut self) -> Result<()> {
        let mut deadline = Instant::now() + self.spec.timeout;
        let mut ready = Vec::new();
        while self.joined < self.spec.size {
            let oldest = self.joining.values().next().map(|joining| joining.since + LIMITS.handshake);
            let until = [oldest, self.incoming.next_deadline()].into_iter().flatten().fold(deadline, Instant::min);
            self.watch.wait(&mut ready, Some(until.saturating_duration_since(Instant::now())));
            let before = self.joined;
            for found in &ready {
                match found.source {
                    Watched::Listener(number) => {
                        let accepted = self.incoming.accept(number, &self.watch);
                        accepted.map_err(|error| cannot_wait(self.meeting_point, &error))?;
                    }
                    Watched::Pending(number) => self.on_pending_ready(number)?,
                    Watched::Peer(rank) => self.on_member_readable(rank)?,
                    _ => {}
                }
            }
            let now = Instant::now();
            self.expire(now);
            if self.joined > before {
                deadline = now + self.spec.timeout;
            } else if now >= deadline {
                return Err(self.missing_ranks());
            }
        }
        Ok(())
    }

    /// Closes the connections on which no rank has joined in time.
    fn expire(&mut self, now: Instant) {
        for (from, fault) in self.incoming.expire(now, &self.watch) {
            self.count_refused(from, &fault);
        }
        while let Some(joining) = self.joining.first_entry() {
            let waited = now.saturating_duration_since(joining.get().since);
            if waited < LIMITS.handshake {
                break;
            }
            let from = joining.remove().from;
            self.count_refused(from, &IncomingFault::Late(waited));
        }
    }

    fn count_refused(&mut self, from: SocketAddr, why: &dyn Display) {
        self.refused += 1;
        self.refusal = format!("from {from}: {why}");
        log(Level::Debug, || format!("rank 0 refused a connection {}", self.refusal));
    }

    /// Continues with a connection that is not a member's yet. Where it fails, its rank detects that, and connects
    /// again.
    fn on_pending_ready(&mut self, number: u32) -> Result<()> {
        match self.incoming.on_ready(number, &self.watch) {
            None => {}
            Some(Err((from, IncomingFault::Handshake(error)))) => self.count_refused(from, &explain(error)),
            Some(Err((from, fault))) => self.count_refused(from, &fault),
            Some(Ok(connection)) => {
                let from = connection.address;
                match JoiningRank::new(connection, self.spec.timeout) {
                    Ok(joining) => drop(self.joining.insert(number, joining)),
                    Err(error) => self.count_refused(from, &error),
                }
            }
        }
        let Some(joining) = self.joining.get_mut(&number) else { return Ok(()) };
        let info = joining.advance().transpose();
        match info.and_then(|info| Some((info, self.joining.remove(&number)?))) {
            None => Ok(()),
            Some((Ok(info), joining)) => self.admit(info, joining),
            Some((Err(fault), JoiningRank { rank, from, .. })) => {
                self.count_refused(from, &format!("rank {rank}: {fault}"));
                Ok(())
            }
        }
    }

    /// Admits a rank. It holds the secret, so a mismatch is an error of the launch and ends the meeting.
    fn admit(&mut self, info: ParticipantInfo, joining: JoiningRank) -> Result<()> {
        let JoiningRank { rank, mut stream, from, .. } = joining;
        if let Some(error) = self.check_member(rank, &info, from) {
            let failed = RendezvousFrame::encode(RendezvousKind::Failed, 0, error.to_string().as_bytes());
            let _ = stream.write_all(&failed);
            return Err(error);
        }
        let taken = RendezvousFrame::encode(RendezvousKind::Taken, 0, &[]);
        let welcomed =
            stream.write_all(&taken).and_then(|()| self.watch.change(&stream, Watched::Peer(rank), Interest::Read));
        match welcomed {
            Ok(()) => {
                self.members[rank as usize] = Some(Member::new(stream, from, info));
                self.joined += 1;
            }
            Err(error) => self.count_refused(from, &format!("rank {rank}: {error}")),
        }
        Ok(())
    }

    fn check_member(&self, rank: Rank, info: &ParticipantInfo, from: SocketAddr) -> Option<Error> {
        let (host, pid, theirs, size) = (&info.host, info.pid, info.size, self.spec.size);
        let described = format!("rank {rank} (host {host}, pid {pid}, {from})");
        if theirs != size {
            return Some(Error::fabric(format!(
                "rank 0 (host {}, pid {}) waits at {} for {size} ranks in all, and {described} counts {theirs}: start \
                 all with the same number",
                self.spec.host,
                std::process::id(),
                self.meeting_point
            )));
        }
        if rank == 0 || rank >= size {
            return Some(Error::fabric(format!(
                "{described} came to rank 0 at {}, where ranks 1 to {} are awaited: give each process a number of its \
                own",
                self.meeting_point,
                size - 1
            )));
        }
        let other = self.members[rank as usize].as_ref()?;
        Some(Error::fabric(format!(
            "two processes are rank {rank}: {} and {described}: give each a number of its own (MOBULA_RANK), and see \
             that no earlier run is left",
            other.describe(rank)
        )))
    }

    /// Handles a readable member: before all ranks have met, it must not send anything.
    fn on_member_readable(&mut self, rank: Rank) -> Result<()> {
        let Some(member) = self.members.get_mut(rank as usize).and_then(Option::as_mut) else { return Ok(()) };
        match member.read_frame() {
            Ok(false) => Ok(()),
            Ok(true) => Err(Error::fabric(format!("{} sent a frame before all ranks had met", member.describe(rank)))),
            Err(fault) => {
                let described = member.describe(rank);
                self.members[rank as usize] = None;
                Err(Error::fabric(format!(
                    "the connection to {described} was lost while the ranks met at {}: {fault}",
                    self.meeting_point
                )))
            }
        }
    }

    fn missing_ranks(&self) -> Error {
        let absent: Vec<String> = (1..self.spec.size)
            .filter(|rank| self.members[*rank as usize].is_none())
            .map(|rank| rank.to_string())
            .collect();
        let named = absent[..absent.len().min(NAMED_MAX)].join(", ");
        let more =
            if absent.len() > NAMED_MAX { format!(" and {} more", absent.len() - NAMED_MAX) } else { String::new() };
        let refusals = match self.refused {
            0 => String::new(),
            count => format!("; {count} connections were refused, the last {}", self.refusal),
        };
        Error::fabric(format!(
            "{} {named}{more} did not come within {} s: {} of {} ranks met at {} of host {}{refusals}. Start all \
             ranks, see that they reach this host, or raise MOBULA_PEER_TIMEOUT_S",
            if absent.len() == 1 { "rank" } else { "ranks" },
            self.spec.timeout.as_secs(),
            self.joined,
            self.spec.size,
            self.meeting_point,
            self.spec.host
        ))
    }

    /// Sends a small frame to every member; a member that cannot receive it is detected in the first collective.
    fn broadcast(&mut self, frame: &[u8]) {
        for member in self.members.iter_mut().flatten() {
            member.send_small(frame);
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
