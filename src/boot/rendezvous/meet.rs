//! Rank 0 waits for the others: strangers are kept out, and keep nobody out.
//!
//! A connection that has proven nothing waits at most [`HANDSHAKE_LIMIT`]; at most [`PENDING_MAX`] wait at once. When all
//! of these places are taken, the connection that has waited longest gives its place up, once it has waited for
//! [`GRACE`]: one that holds the secret needs less, and comes again.

use super::frame::{Card, Frame, Kind};
use super::hub::{Hub, Member};
use super::party::{self, Party};
use super::pending::{Pending, Step};
use super::sockets::{Watch, allow_descriptors, widen};
use crate::base::log::{Level, say};
use crate::base::{Error, Rank, Result};
use crate::transport::tcp::handshake::Secret;
use crate::transport::tcp::notice_silence;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// Connections that have proven nothing yet.
const PENDING_MAX: usize = 256;

/// How long such a connection may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// How long it is safe from another that wants its place.
const GRACE: Duration = Duration::from_millis(250);

/// The listener's token; connections have smaller ones, by number while they are pending and then by rank.
const LISTENER: u64 = u64::MAX;
const MEMBERS: u64 = 1 << 32;

/// How many missing ranks an error names.
const NAMED_MAX: usize = 8;

/// Rank 0's part: returns when every rank has come.
///
/// # Errors
/// `Error::Fabric`, on every rank that came, where one does not come in time, two have the same number, or one is gone.
pub fn meet(listener: TcpListener, party: &Party, secret: &Secret, place: &str) -> Result<(Hub, Secret)> {
    let failed = |what: &str, error: std::io::Error| {
        Error::fabric(format!("rank 0 cannot wait for the other ranks at {place}: {what}: {error}"))
    };
    allow_descriptors(u64::from(party.size) + PENDING_MAX as u64).map_err(|error| failed("connections", error))?;
    widen(&listener).map_err(|error| failed("listening", error))?;
    listener.set_nonblocking(true).map_err(|error| failed("listening", error))?;
    let watch = Watch::new().map_err(|error| failed("waiting", error))?;
    watch.add(&listener, LISTENER).map_err(|error| failed("waiting", error))?;
    let mut meeting = Meeting {
        party,
        secret,
        place,
        listener,
        watch,
        accepting: true,
        next: 0,
        pending: BTreeMap::new(),
        members: (0..party.size).map(|_| None).collect(),
        came: 1,
        refused: 0,
        refusal: String::new(),
    };
    if let Err(error) = meeting.run() {
        meeting.tell_all(&Frame::encode(Kind::Failed, 0, error.to_string().as_bytes()));
        return Err(error);
    }
    // Public, and new for each meeting: ranks of an earlier one under the same secret cannot meet these later.
    let chance = *Secret::random().bytes();
    meeting.tell_all(&Frame::encode(Kind::Met, 0, &chance));
    Ok((Hub::new(meeting.members, meeting.watch, party.timeout), party::secret_after(secret, &chance)))
}

/// Of a rank's socket, also after the meeting.
pub fn token_of(rank: Rank) -> u64 {
    MEMBERS + u64::from(rank)
}

/// The other way round.
pub fn rank_of(token: u64) -> Option<Rank> {
    token.checked_sub(MEMBERS).and_then(|rank| Rank::try_from(rank).ok())
}

struct Meeting<'a> {
    party: &'a Party,
    secret: &'a Secret,
    place: &'a str,
    listener: TcpListener,
    watch: Watch,
    /// Whether the listener is watched: not while all places are taken.
    accepting: bool,
    /// The next number of a connection; they grow, so the lowest has waited longest.
    next: u64,
    pending: BTreeMap<u64, Pending>,
    /// By rank.
    members: Vec<Option<Member>>,
    /// Rank 0 and the members.
    came: u32,
    refused: u32,
    /// Why the last was refused.
    refusal: String,
}

impl Meeting<'_> {
    fn run(&mut self) -> Result<()> {
        let mut deadline = Instant::now() + self.party.timeout;
        while self.came < self.party.size {
            let oldest = self
                .pending
                .values()
                .next()
                .map(|pending| pending.since + if self.accepting { HANDSHAKE_LIMIT } else { GRACE });
            let until = oldest.map_or(deadline, |oldest| oldest.min(deadline));
            let ready = self.watch.wait(Some(until)).map_err(|error| self.broken(&error))?;
            let before = self.came;
            for token in ready.into_iter().map(|ready| ready.token) {
                match rank_of(token) {
                    _ if token == LISTENER => self.accept()?,
                    Some(rank) => self.hear(rank)?,
                    None => self.advance(token)?,
                }
            }
            let now = Instant::now();
            self.make_room(now)?;
            if self.came > before {
                deadline = now + self.party.timeout;
            } else if now >= deadline {
                return Err(self.missing());
            }
        }
        Ok(())
    }

    fn broken(&self, error: &std::io::Error) -> Error {
        Error::fabric(format!("rank 0 cannot wait for the other ranks at {} any more: {error}", self.place))
    }

    fn accept(&mut self) -> Result<()> {
        while self.pending.len() < PENDING_MAX {
            let (stream, from) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // Gone before it was accepted.
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
                Err(error) => return Err(self.broken(&error)),
            };
            let token = self.next;
            self.next += 1;
            let ready = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true))
                .and_then(|()| self.watch.add(&stream, token));
            if ready.is_ok() {
                self.pending.insert(token, Pending::new(stream, from, Instant::now()));
            }
        }
        self.accepting = false;
        self.watch.remove(&self.listener).map_err(|error| self.broken(&error))
    }

    /// Ends handshakes that take too long, and listens again where there is room.
    fn make_room(&mut self, now: Instant) -> Result<()> {
        while let Some((token, pending)) = self.pending.first_key_value() {
            let waited = now.saturating_duration_since(pending.since);
            if waited < HANDSHAKE_LIMIT && (self.pending.len() < PENDING_MAX || waited < GRACE) {
                break;
            }
            let token = *token;
            self.refuse(token, format!("it proved nothing within {waited:.1?}"));
        }
        if !self.accepting && self.pending.len() < PENDING_MAX {
            self.accepting = true;
            self.watch.add(&self.listener, LISTENER).map_err(|error| self.broken(&error))?;
        }
        Ok(())
    }

    fn refuse(&mut self, token: u64, why: String) {
        let Some(pending) = self.pending.remove(&token) else { return };
        self.refused += 1;
        self.refusal = format!("from {}: {why}", pending.from);
        say(Level::Debug, || format!("rank 0 refused a connection {}", self.refusal));
    }

    fn advance(&mut self, token: u64) -> Result<()> {
        let Some(pending) = self.pending.get_mut(&token) else { return Ok(()) };
        match pending.advance(self.secret) {
            Step::Waiting => Ok(()),
            Step::Refused(why) => {
                self.refuse(token, why);
                Ok(())
            }
            Step::Came(rank, card) => match self.pending.remove(&token) {
                Some(pending) => self.seat(rank, card, pending),
                None => Ok(()),
            },
        }
    }

    /// A rank has come; it holds the secret, so what does not fit is a fault of the launch and ends the meeting.
    fn seat(&mut self, rank: Rank, card: Card, pending: Pending) -> Result<()> {
        let Pending { mut stream, from, .. } = pending;
        let fault = self.fault_of(rank, &card, from);
        let taken = match &fault {
            None => Frame::encode(Kind::Taken, 0, &[]),
            Some(error) => Frame::encode(Kind::Failed, 0, error.to_string().as_bytes()),
        };
        let welcome = stream
            .write_all(&taken)
            .and_then(|()| notice_silence(&stream, self.party.timeout))
            .and_then(|()| self.watch.remove(&stream))
            .and_then(|()| self.watch.add(&stream, token_of(rank)));
        if let Some(error) = fault {
            return Err(error);
        }
        match welcome {
            Ok(()) => {
                self.members[rank as usize] = Some(Member::new(stream, from, card));
                self.came += 1;
            }
            // It notices, and comes again.
            Err(error) => say(Level::Debug, || format!("rank {rank} came from {from} and left: {error}")),
        }
        Ok(())
    }

    fn fault_of(&self, rank: Rank, card: &Card, from: SocketAddr) -> Option<Error> {
        let (host, pid, theirs, size) = (&card.host, card.pid, card.size, self.party.size);
        let who = format!("rank {rank} (host {host}, pid {pid}, {from})");
        if theirs != size {
            return Some(Error::fabric(format!(
                "rank 0 (host {}, pid {}) waits at {} for {size} ranks in all, and {who} counts {theirs}: start all with the \
                 same number",
                self.party.host,
                std::process::id(),
                self.place
            )));
        }
        if rank == 0 || rank >= size {
            return Some(Error::fabric(format!(
                "{who} came to rank 0 at {}, where ranks 1 to {} are awaited: give each process a number of its own",
                self.place,
                size - 1
            )));
        }
        let other = self.members[rank as usize].as_ref()?;
        Some(Error::fabric(format!(
            "two processes are rank {rank}: {} and {who}: give each a number of its own (MOBULA_RANK), and see that no earlier \
             run is left",
            other.shown(rank)
        )))
    }

    /// A member has nothing to say before all met.
    fn hear(&mut self, rank: Rank) -> Result<()> {
        let Some(member) = self.members.get_mut(rank as usize).and_then(Option::as_mut) else { return Ok(()) };
        match member.take_in() {
            Ok(false) => Ok(()),
            Ok(true) => Err(Error::fabric(format!("{} spoke before it was asked", member.shown(rank)))),
            Err(fault) => {
                let shown = member.shown(rank);
                self.members[rank as usize] = None;
                Err(Error::fabric(format!("{shown} was lost while the ranks met at {}: {fault}", self.place)))
            }
        }
    }

    fn missing(&self) -> Error {
        let absent: Vec<String> = (1..self.party.size)
            .filter(|rank| self.members[*rank as usize].is_none())
            .map(|rank| rank.to_string())
            .collect();
        let named = absent[..absent.len().min(NAMED_MAX)].join(", ");
        let more =
            if absent.len() > NAMED_MAX { format!(" and {} more", absent.len() - NAMED_MAX) } else { String::new() };
        let strangers = match self.refused {
            0 => String::new(),
            count => format!("; {count} connections were refused, the last {}", self.refusal),
        };
        Error::fabric(format!(
            "{} {named}{more} did not come within {} s: {} of {} ranks met at {} of host {}{strangers}. Start all ranks, see \
             that they reach this host, or raise MOBULA_PEER_TIMEOUT_S",
            if absent.len() == 1 { "rank" } else { "ranks" },
            self.party.timeout.as_secs(),
            self.came,
            self.party.size,
            self.place,
            self.party.host
        ))
    }

    /// A small frame to every member; who cannot take it is noticed in the first collective.
    fn tell_all(&mut self, frame: &[u8]) {
        for member in self.members.iter_mut().flatten() {
            member.tell(frame);
        }
    }
}
