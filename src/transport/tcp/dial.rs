//! A connection to a peer that is being made: its addresses one after the other, and the handshake on each.

use super::frame::{HEADER_BYTES, Header, Kind};
use super::handshake::{ANSWER_BYTES, Client, Parties, Purpose};
use super::peers::Peers;
use super::socket::{Gather, connect, is_connected, write_whole};
use super::watch::{Interest, Source};
use crate::base::Rank;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Before all addresses are tried again, where one of them was there and hung up.
const PAUSE: Duration = Duration::from_millis(100);

enum Stage {
    /// The system connects.
    Connecting,
    /// The hello is sent.
    Hello(Box<Client>, Gather<ANSWER_BYTES>),
    /// The proof is sent: only now may the peer take this rank for proven.
    Proof(Gather<HEADER_BYTES>),
    /// The peer prefers the connection that it makes itself, and which comes.
    Yielded,
    /// All addresses failed, and are tried again soon.
    Pausing,
}

/// How far it is.
pub enum Step {
    /// Something has to come, or the deadline.
    Wait,
    /// The peer accepted it.
    Open(OwnedFd, SocketAddr),
    /// The peer cannot be reached, and why.
    Failed(String),
}

/// Why one address does not lead to the peer.
enum Obstacle {
    /// It would not another time either.
    Final(String),
    /// It hung up, which a busy peer may do.
    HungUp(String),
}

/// The attempt to reach one peer.
pub struct Dial {
    /// Its number among the attempts of this rank.
    pub number: u32,
    /// Whom it is to reach.
    pub peer: Rank,
    /// When the present stage is over.
    pub due: Instant,
    /// When the present address was begun.
    since: Instant,
    /// When all of it is over.
    ends: Instant,
    socket: Option<OwnedFd>,
    stage: Stage,
    /// The address that is tried, by place in the card.
    place: usize,
    obstacles: Vec<String>,
    hung_up: bool,
}

impl Dial {
    /// Begins with the first address.
    pub fn begin(number: u32, peer: Rank, peers: &Peers, now: Instant) -> (Dial, Step) {
        let mut dial = Dial {
            number,
            peer,
            due: now,
            since: now,
            ends: now + peers.silence,
            socket: None,
            stage: Stage::Pausing,
            place: 0,
            obstacles: Vec::new(),
            hung_up: false,
        };
        let step = dial.try_addresses(peers, now);
        (dial, step)
    }

    /// Whether the peer may take this rank for proven, so that it must be heard before another connection is accepted.
    pub fn has_proven(&self) -> bool {
        matches!(self.stage, Stage::Proof(_))
    }

    /// Goes on, as far as the system and the peer are.
    pub fn advance(&mut self, peers: &Peers, now: Instant) -> Step {
        match self.try_advance(peers) {
            Ok(true) => match self.socket.take() {
                Some(socket) => Step::Open(socket, self.address(peers)),
                None => Step::Wait,
            },
            Ok(false) => Step::Wait,
            Err(obstacle) => self.give_up_address(obstacle, peers, now),
        }
    }

    /// The deadline came.
    pub fn expire(&mut self, peers: &Peers, now: Instant) -> Step {
        if now < self.due {
            return Step::Wait;
        }
        let seconds = self.due.duration_since(self.since).as_secs_f64();
        match self.stage {
            Stage::Pausing => {
                (self.place, self.hung_up) = (0, false);
                self.obstacles.clear();
                self.try_addresses(peers, now)
            }
            Stage::Yielded => {
                self.place = usize::MAX;
                self.obstacles.push(format!("it wanted to connect itself, and did not within {seconds} s"));
                self.try_addresses(peers, now)
            }
            Stage::Connecting => {
                let text = format!("at {} within {seconds} s: is the port closed by a firewall?", self.address(peers));
                self.give_up_address(Obstacle::Final(text), peers, now)
            }
            Stage::Hello(..) | Stage::Proof(_) => {
                let text = format!("at {}: connected, but there is no answer within {seconds} s", self.address(peers));
                self.give_up_address(Obstacle::Final(text), peers, now)
            }
        }
    }

    fn address(&self, peers: &Peers) -> SocketAddr {
        peers.cards[self.peer as usize].addresses[self.place]
    }

    /// True where the peer accepted.
    fn try_advance(&mut self, peers: &Peers) -> Result<bool, Obstacle> {
        let Some(socket) = &self.socket else { return Ok(false) };
        let address = self.address(peers);
        let failed = |error: io::Error| {
            let hint = if error.kind() == io::ErrorKind::ConnectionRefused { ": its process is gone" } else { "" };
            Obstacle::Final(format!("at {address}: {error}{hint}"))
        };
        let hung_up = |error: io::Error| Obstacle::HungUp(format!("at {address}: it hung up ({error})"));
        let number = self.number;
        if let Stage::Connecting = self.stage {
            if !is_connected(socket).map_err(failed)? {
                return Ok(false);
            }
            let parties = Parties { purpose: Purpose::Road, client: peers.me, server: self.peer };
            let client = Client::new(&peers.secret, parties);
            write_whole(socket, client.hello()).map_err(hung_up)?;
            peers.watch.change(socket, Source::Dial(number), Interest::Read).map_err(failed)?;
            self.stage = Stage::Hello(Box::new(client), Gather::new());
        }
        if let Stage::Hello(client, gather) = &mut self.stage {
            let Some(answer) = gather.read(socket).map_err(hung_up)? else { return Ok(false) };
            let proof =
                client.answered(&answer).map_err(|distrust| Obstacle::Final(format!("at {address}: {distrust}")))?;
            write_whole(socket, &proof).map_err(hung_up)?;
            self.stage = Stage::Proof(Gather::new());
        }
        if let Stage::Proof(gather) = &mut self.stage {
            let Some(verdict) = gather.read(socket).map_err(hung_up)? else { return Ok(false) };
            match Header::decode(&verdict).map(|header| header.kind) {
                Ok(Kind::Welcome) => return Ok(true),
                Ok(Kind::Yield) => {
                    self.socket = None;
                    self.stage = Stage::Yielded;
                    self.due = self.ends;
                }
                Ok(Kind::Goodbye) => {
                    return Err(Obstacle::Final(format!("at {address}: it takes this rank for lost, or leaves")));
                }
                other => return Err(Obstacle::Final(format!("at {address}: it answered {other:?}"))),
            }
        }
        Ok(false)
    }

    fn give_up_address(&mut self, obstacle: Obstacle, peers: &Peers, now: Instant) -> Step {
        self.socket = None;
        self.place += 1;
        match obstacle {
            Obstacle::Final(text) => self.obstacles.push(text),
            Obstacle::HungUp(text) => {
                self.obstacles.push(text);
                self.hung_up = true;
            }
        }
        self.try_addresses(peers, now)
    }

    /// Begins with the next address that the system does not refuse at once.
    fn try_addresses(&mut self, peers: &Peers, now: Instant) -> Step {
        let addresses = &peers.cards[self.peer as usize].addresses;
        while let Some(address) = addresses.get(self.place) {
            let begun = connect(*address).and_then(|socket| {
                peers.watch.add(&socket, Source::Dial(self.number), Interest::Write)?;
                Ok(socket)
            });
            match begun {
                Ok(socket) => {
                    // Each address has its share of the time that is left.
                    let left = (addresses.len() - self.place) as u32;
                    (self.since, self.due) = (now, now + self.ends.saturating_duration_since(now) / left);
                    (self.socket, self.stage) = (Some(socket), Stage::Connecting);
                    return Step::Wait;
                }
                Err(error) => {
                    let many = error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error());
                    let hint = if many { ": raise the limit of open files (ulimit -n)" } else { "" };
                    self.obstacles.push(format!("at {address}: {error}{hint}"));
                    self.place += 1;
                }
            }
        }
        if self.hung_up && now + PAUSE < self.ends {
            (self.stage, self.due) = (Stage::Pausing, now + PAUSE);
            return Step::Wait;
        }
        if self.obstacles.is_empty() {
            self.obstacles.push("it announced no address".to_string());
        }
        let from = peers.cards[peers.me as usize].addresses.first().map(|address| format!(" ({})", address.ip()));
        Step::Failed(format!(
            "{}{} cannot reach {} {}",
            peers.named(peers.me),
            from.unwrap_or_default(),
            peers.named(self.peer),
            self.obstacles.join("; ")
        ))
    }
}
