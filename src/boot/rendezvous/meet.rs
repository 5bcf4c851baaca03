//! Rank 0 waits for the other ranks. Connections from unknown peers are refused and do not keep ranks out.
//!
//! How many unauthenticated connections may wait, and for how long, is bounded by [`LIMITS`]. One that loses its place to
//! others may be of a rank, which connects again.

use super::coordinator::{Coordinator, Member};
use super::descriptor_limit::allow_descriptors;
use super::frame::{ParticipantInfo, RendezvousFrame, RendezvousKind};
use super::joining::{JoiningRank, explain};
use super::rank_spec::{self, RankSpec};
use crate::base::log::{Level, log};
use crate::base::{Error, Rank, Result};
use crate::transport::epoll::{EpollSet, Interest, Watched};
use crate::transport::tcp::handshake::{ConnectionPurpose, Secret};
use crate::transport::tcp::incoming::{Incoming, IncomingFault, IncomingLimits, ListeningRank};
use crate::transport::tcp::{set_backlog, set_peer_timeout};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A rank that holds the secret needs less time than the least of these.
const LIMITS: IncomingLimits = IncomingLimits {
    pending_max: 256,
    handshake: Duration::from_secs(5),
    handshake_if_full: Duration::from_millis(250),
};

/// The most missing ranks that an error names.
const NAMED_MAX: usize = 8;

/// Rank 0's part: returns when all ranks have come.
///
/// # Errors
/// `Error::Fabric`, on every rank that came, if a rank does not come in time, two processes have the same rank, or a
/// connection is lost.
pub fn meet(
    listener: TcpListener,
    spec: &RankSpec,
    secret: &Secret,
    meeting_point: &str,
) -> Result<(Coordinator, Secret)> {
    let failed = |what: &str, error: std::io::Error| {
        Error::fabric(format!("rank 0 cannot wait for the other ranks at {meeting_point}: {what}: {error}"))
            .caused_by(&error)
    };
    allow_descriptors(u64::from(spec.size) + LIMITS.pending_max as u64)
        .map_err(|error| failed("connections", error))?;
    set_backlog(&listener).map_err(|error| failed("listening", error))?;
    listener.set_nonblocking(true).map_err(|error| failed("listening", error))?;
    let watch = EpollSet::new().map_err(|error| failed("waiting", error))?;
    let rank = ListeningRank { me: 0, purpose: ConnectionPurpose::Rendezvous, secret: secret.clone() };
    let incoming = Incoming::open(vec![listener.into()], rank, LIMITS, &watch);
    let mut meeting = Meeting {
        spec,
        meeting_point,
        incoming: incoming.map_err(|error| failed("waiting", error))?,
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
    Ok((Coordinator::new(meeting.members, meeting.watch, spec.timeout), rank_spec::meeting_secret(secret, &nonce)))
}

struct Meeting<'a> {
    spec: &'a RankSpec,
    meeting_point: &'a str,
    incoming: Incoming,
    watch: EpollSet,
    /// By the number of the connection.
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
            let until = self.incoming.next_deadline().map_or(deadline, |next| next.min(deadline));
            self.watch.wait(&mut ready, Some(until.saturating_duration_since(Instant::now())));
            let before = self.joined;
            for found in &ready {
                match found.source {
                    Watched::Listener(number) => {
                        self.incoming.accept(number, &self.watch).map_err(|error| self.wait_failed(&error))?;
                    }
                    Watched::Pending(number) => self.on_pending_ready(number)?,
                    Watched::Joining(number) => self.on_joining_ready(number)?,
                    Watched::Peer(rank) => self.on_member_readable(rank)?,
                    _ => {}
                }
            }
            let now = Instant::now();
            for (from, fault) in self.incoming.expire(now, &self.watch) {
                self.count_refused(from, fault.to_string());
            }
            if self.joined > before {
                deadline = now + self.spec.timeout;
            } else if now >= deadline {
                return Err(self.missing_ranks());
            }
        }
        Ok(())
    }

    fn wait_failed(&self, error: &std::io::Error) -> Error {
        Error::fabric(format!("rank 0 cannot wait for the other ranks at {} any more: {error}", self.meeting_point))
            .caused_by(error)
    }

    fn count_refused(&mut self, from: SocketAddr, why: String) {
        self.refused += 1;
        self.refusal = format!("from {from}: {why}");
        log(Level::Debug, || format!("rank 0 refused a connection {}", self.refusal));
    }

    fn on_pending_ready(&mut self, number: u32) -> Result<()> {
        let connection = match self.incoming.on_ready(number, &self.watch) {
            None => return Ok(()),
            Some(Ok(connection)) => connection,
            Some(Err((from, fault))) => {
                let why = match fault {
                    IncomingFault::Handshake(error) => explain(error),
                    other => other.to_string(),
                };
                self.count_refused(from, why);
                return Ok(());
            }
        };
        let (rank, from, stream) = (connection.peer, connection.address, TcpStream::from(connection.socket));
        let ready = stream
            .set_nodelay(true)
            .and_then(|()| set_peer_timeout(&stream, self.spec.timeout))
            .and_then(|()| self.watch.change(&stream, Watched::Joining(number), Interest::Read));
        match ready {
            Ok(()) => {
                self.joining.insert(number, JoiningRank::new(rank, stream, from));
                self.on_joining_ready(number)
            }
            Err(error) => {
                self.log_failed_connection(rank, from, &error);
                Ok(())
            }
        }
    }

    fn on_joining_ready(&mut self, number: u32) -> Result<()> {
        let Some(joining) = self.joining.get_mut(&number) else { return Ok(()) };
        let info = match joining.advance() {
            Ok(None) => return Ok(()),
            Ok(Some(info)) => Ok(info),
            Err(why) => Err(why),
        };
        match (self.joining.remove(&number), info) {
            (Some(joining), Ok(info)) => self.admit(info, joining),
            (Some(joining), Err(why)) => {
                self.count_refused(joining.from, why.to_string());
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// The rank detects it, and connects again.
    fn log_failed_connection(&self, rank: Rank, from: SocketAddr, error: &std::io::Error) {
        log(Level::Debug, || format!("rank {rank} connected from {from} and its connection failed: {error}"));
    }

    /// Admits a rank. It holds the secret, so a mismatch is an error of the launch and ends the meeting.
    fn admit(&mut self, info: ParticipantInfo, joining: JoiningRank) -> Result<()> {
        let JoiningRank { rank, mut stream, from, .. } = joining;
        let fault = self.check_member(rank, &info, from);
        let taken = match &fault {
            None => RendezvousFrame::encode(RendezvousKind::Taken, 0, &[]),
            Some(error) => RendezvousFrame::encode(RendezvousKind::Failed, 0, error.to_string().as_bytes()),
        };
        let welcome =
            stream.write_all(&taken).and_then(|()| self.watch.change(&stream, Watched::Peer(rank), Interest::Read));
        if let Some(error) = fault {
            return Err(error);
        }
        match welcome {
            Ok(()) => {
                self.members[rank as usize] = Some(Member::new(stream, from, info));
                self.joined += 1;
            }
            Err(error) => self.log_failed_connection(rank, from, &error),
        }
        Ok(())
    }

    fn check_member(&self, rank: Rank, info: &ParticipantInfo, from: SocketAddr) -> Option<Error> {
        let (host, pid, theirs, size) = (&info.host, info.pid, info.size, self.spec.size);
        let described = format!("rank {rank} (host {host}, pid {pid}, {from})");
        if theirs != size {
            return Some(Error::fabric(format!(
                "rank 0 (host {}, pid {}) waits at {} for {size} ranks in all, and {described} counts {theirs}: start \
                all with the \
                 same number",
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
            that no earlier \
             run is left",
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
            ranks, see \
             that they reach this host, or raise MOBULA_PEER_TIMEOUT_S",
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
