//! Rank 0 waits for the other ranks. Connections from unknown peers are refused and do not keep ranks out.
//!
//! An unauthenticated connection may wait for at most [`HANDSHAKE_LIMIT`], and at most [`PENDING_MAX`] of them wait at
//! once. If all slots are in use, the connection that has waited longest loses its slot once it has waited for
//! [`GRACE`]: a rank that holds the secret needs less, and connects again.

use super::coordinator::{Coordinator, Member};
use super::descriptor_limit::allow_descriptors;
use super::frame::{ParticipantInfo, RendezvousFrame, RendezvousKind};
use super::pending::{HandshakeProgress, PendingMember, RefusedMember};
use super::rank_spec::{self, RankSpec};
use crate::base::log::{Level, log};
use crate::base::{Error, Rank, Result};
use crate::transport::epoll::{EpollSet, Interest, Watched};
use crate::transport::tcp::handshake::Secret;
use crate::transport::tcp::{set_backlog, set_peer_timeout};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// The most unauthenticated connections.
const PENDING_MAX: usize = 256;

/// The longest time of a handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// The time after which a pending connection may be evicted for another.
const GRACE: Duration = Duration::from_millis(250);

/// What the listener is watched as.
const LISTENER: Watched = Watched::Listener(0);

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
    allow_descriptors(u64::from(spec.size) + PENDING_MAX as u64).map_err(|error| failed("connections", error))?;
    set_backlog(&listener).map_err(|error| failed("listening", error))?;
    listener.set_nonblocking(true).map_err(|error| failed("listening", error))?;
    let watch = EpollSet::new().map_err(|error| failed("waiting", error))?;
    watch.add(&listener, LISTENER, Interest::Read).map_err(|error| failed("waiting", error))?;
    let mut meeting = Meeting {
        spec,
        secret,
        meeting_point,
        listener,
        watch,
        accepting: true,
        next_number: 0,
        pending: BTreeMap::new(),
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
    secret: &'a Secret,
    meeting_point: &'a str,
    listener: TcpListener,
    watch: EpollSet,
    /// True if the listener is watched: not while all slots are in use.
    accepting: bool,
    /// The number of the next connection; numbers grow, so the lowest has waited longest.
    next_number: u32,
    pending: BTreeMap<u32, PendingMember>,
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
            let oldest = self
                .pending
                .values()
                .next()
                .map(|pending| pending.since + if self.accepting { HANDSHAKE_LIMIT } else { GRACE });
            let until = oldest.map_or(deadline, |oldest| oldest.min(deadline));
            self.watch.wait(&mut ready, Some(until.saturating_duration_since(Instant::now())));
            let before = self.joined;
            for found in &ready {
                match found.source {
                    LISTENER => self.accept()?,
                    Watched::Peer(rank) => self.on_member_readable(rank)?,
                    Watched::Pending(number) => self.advance(number)?,
                    _ => {}
                }
            }
            let now = Instant::now();
            self.expire_pending(now)?;
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

    fn accept(&mut self) -> Result<()> {
        while self.pending.len() < PENDING_MAX {
            let (stream, from) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // The peer closed it before it was accepted.
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
                Err(error) => return Err(self.wait_failed(&error)),
            };
            let number = self.next_number;
            self.next_number += 1;
            let ready = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true))
                .and_then(|()| self.watch.add(&stream, Watched::Pending(number), Interest::Read));
            if ready.is_ok() {
                self.pending.insert(number, PendingMember::new(stream, from, Instant::now()));
            }
        }
        self.accepting = false;
        self.watch.remove(&self.listener).map_err(|error| self.wait_failed(&error))
    }

    /// Ends handshakes that take too long, and watches the listener again if there is a free slot.
    fn expire_pending(&mut self, now: Instant) -> Result<()> {
        while let Some((number, pending)) = self.pending.first_key_value() {
            let waited = now.saturating_duration_since(pending.since);
            if waited < HANDSHAKE_LIMIT && (self.pending.len() < PENDING_MAX || waited < GRACE) {
                break;
            }
            let number = *number;
            self.refuse(number, RefusedMember::Late { waited });
        }
        if !self.accepting && self.pending.len() < PENDING_MAX {
            self.accepting = true;
            self.watch.add(&self.listener, LISTENER, Interest::Read).map_err(|error| self.wait_failed(&error))?;
        }
        Ok(())
    }

    fn refuse(&mut self, number: u32, why: RefusedMember) {
        let Some(pending) = self.pending.remove(&number) else { return };
        self.refused += 1;
        self.refusal = format!("from {}: {why}", pending.from);
        log(Level::Debug, || format!("rank 0 refused a connection {}", self.refusal));
    }

    fn advance(&mut self, number: u32) -> Result<()> {
        let Some(pending) = self.pending.get_mut(&number) else { return Ok(()) };
        match pending.advance(self.secret) {
            HandshakeProgress::Waiting => Ok(()),
            HandshakeProgress::Refused(why) => {
                self.refuse(number, why);
                Ok(())
            }
            HandshakeProgress::Joined(rank, info) => match self.pending.remove(&number) {
                Some(pending) => self.admit(rank, info, pending),
                None => Ok(()),
            },
        }
    }

    /// Admits a rank. It holds the secret, so a mismatch is an error of the launch and ends the meeting.
    fn admit(&mut self, rank: Rank, info: ParticipantInfo, pending: PendingMember) -> Result<()> {
        let PendingMember { mut stream, from, .. } = pending;
        let fault = self.check_member(rank, &info, from);
        let taken = match &fault {
            None => RendezvousFrame::encode(RendezvousKind::Taken, 0, &[]),
            Some(error) => RendezvousFrame::encode(RendezvousKind::Failed, 0, error.to_string().as_bytes()),
        };
        let welcome = stream
            .write_all(&taken)
            .and_then(|()| set_peer_timeout(&stream, self.spec.timeout))
            .and_then(|()| self.watch.change(&stream, Watched::Peer(rank), Interest::Read));
        if let Some(error) = fault {
            return Err(error);
        }
        match welcome {
            Ok(()) => {
                self.members[rank as usize] = Some(Member::new(stream, from, info));
                self.joined += 1;
            }
            // The rank detects it, and connects again.
            Err(error) => {
                log(Level::Debug, || format!("rank {rank} connected from {from} and its connection failed: {error}"))
            }
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
