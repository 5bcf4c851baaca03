//! An outgoing connection that is being made: the peer's addresses one after the other, and the handshake on each.

use super::frame::{FrameHeader, FrameKind, HEADER_BYTES};
use super::handshake::{Client, ConnectionPurpose, Endpoints, RESPONSE_BYTES};
use super::peers::Peers;
use super::socket::{FixedRead, connect, is_connected, write_whole};
use crate::base::Rank;
use crate::transport::epoll::{Interest, Watched};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Pause before all addresses are tried again, where one of them was reached and hung up.
const PAUSE: Duration = Duration::from_millis(100);

enum DialStage {
    /// The system connects.
    Connecting,
    /// The hello is sent.
    Hello(Box<Client>, FixedRead<RESPONSE_BYTES>),
    /// The proof is sent: only now may the peer consider this rank authenticated.
    Proof(FixedRead<HEADER_BYTES>),
    /// The peer prefers the connection that it dials itself, which will arrive.
    Yielded,
    /// All addresses failed and will be tried again soon.
    Pausing,
}

/// How a connection is made: the socket and its other end, or why the peer cannot be reached.
pub type Connected = Result<(OwnedFd, SocketAddr), String>;

/// Why one address does not reach the peer.
struct AddressError {
    text: String,
    /// True if the other end hung up, as a busy peer may do: a retry may help.
    hung_up: bool,
}

/// The attempt to reach one peer.
pub struct Dial {
    /// The peer to reach.
    pub peer: Rank,
    /// The deadline of the current stage.
    pub due: Instant,
    /// When the current address was begun.
    since: Instant,
    /// The deadline of the whole dial.
    ends: Instant,
    socket: Option<OwnedFd>,
    stage: DialStage,
    /// Index of the current address in the peer's list.
    address_index: usize,
    errors: Vec<String>,
    hung_up: bool,
}

impl Dial {
    /// Begins with the first address. As every step of a dial, it returns how the dial has ended, if it has.
    pub fn begin(peer: Rank, peers: &Peers, now: Instant) -> (Dial, Option<Connected>) {
        let mut dial = Dial {
            peer,
            due: now,
            since: now,
            ends: now + peers.peer_timeout,
            socket: None,
            stage: DialStage::Pausing,
            address_index: 0,
            errors: Vec::new(),
            hung_up: false,
        };
        let step = dial.try_addresses(peers, now);
        (dial, step)
    }

    /// True if the peer may consider this rank authenticated, so that its reply must be awaited before another
    /// connection of that peer is accepted.
    pub fn has_sent_proof(&self) -> bool {
        matches!(self.stage, DialStage::Proof(_))
    }

    /// Advances as far as data from the peer allows.
    pub fn advance(&mut self, peers: &Peers, now: Instant) -> Option<Connected> {
        match self.try_advance(peers) {
            Ok(true) => Some(Ok((self.socket.take()?, self.address(peers)))),
            Ok(false) => None,
            Err(error) => self.on_address_failed(error, peers, now),
        }
    }

    /// Handles the deadline of the current stage.
    pub fn on_deadline(&mut self, peers: &Peers, now: Instant) -> Option<Connected> {
        if now < self.due {
            return None;
        }
        let seconds = self.due.duration_since(self.since).as_secs_f64();
        let text = match self.stage {
            DialStage::Pausing => {
                (self.address_index, self.hung_up) = (0, false);
                self.errors.clear();
                return self.try_addresses(peers, now);
            }
            DialStage::Yielded => {
                self.address_index = usize::MAX;
                self.errors.push(format!("it intended to connect itself, and did not within {seconds} s"));
                return self.try_addresses(peers, now);
            }
            DialStage::Connecting => format!(" within {seconds} s: is the port closed by a firewall?"),
            DialStage::Hello(..) | DialStage::Proof(_) => {
                format!(": connected, but there is no response within {seconds} s")
            }
        };
        let text = format!("at {}{text}", self.address(peers));
        self.on_address_failed(AddressError { text, hung_up: false }, peers, now)
    }

    fn address(&self, peers: &Peers) -> SocketAddr {
        peers.addresses[self.peer as usize].socket_addresses[self.address_index]
    }

    /// True if the peer accepted.
    fn try_advance(&mut self, peers: &Peers) -> Result<bool, AddressError> {
        let Some(socket) = &self.socket else { return Ok(false) };
        let address = self.address(peers);
        let final_error = |text: String| AddressError { text: format!("at {address}: {text}"), hung_up: false };
        let failed = |error: io::Error| {
            let hint = if error.kind() == io::ErrorKind::ConnectionRefused { ": its process has ended" } else { "" };
            final_error(format!("{error}{hint}"))
        };
        let hung_up =
            |error: io::Error| AddressError { text: format!("at {address}: it hung up ({error})"), hung_up: true };
        if let DialStage::Connecting = self.stage {
            if !is_connected(socket).map_err(failed)? {
                return Ok(false);
            }
            let endpoints = Endpoints { purpose: ConnectionPurpose::Transport, client: peers.me, server: self.peer };
            let client = Client::new(&peers.secret, endpoints);
            write_whole(socket, client.hello()).map_err(hung_up)?;
            peers.epoll.change(socket, Watched::Dial(self.peer), Interest::Read).map_err(failed)?;
            self.stage = DialStage::Hello(Box::new(client), FixedRead::new());
        }
        if let DialStage::Hello(client, gather) = &mut self.stage {
            let Some(response) = gather.read(socket).map_err(hung_up)? else { return Ok(false) };
            let proof = client.verify_response(&response).map_err(|error| final_error(error.to_string()))?;
            write_whole(socket, &proof).map_err(hung_up)?;
            self.stage = DialStage::Proof(FixedRead::new());
        }
        if let DialStage::Proof(gather) = &mut self.stage {
            let Some(header) = gather.read(socket).map_err(hung_up)? else { return Ok(false) };
            match FrameHeader::decode(&header).map(|header| header.kind) {
                Ok(FrameKind::Welcome) => return Ok(true),
                Ok(FrameKind::Yield) => {
                    self.socket = None;
                    self.stage = DialStage::Yielded;
                    self.due = self.ends;
                }
                Ok(FrameKind::Goodbye) => {
                    return Err(final_error("it considers this rank failed, or is closing".to_string()));
                }
                other => return Err(final_error(format!("it responded with {other:?}"))),
            }
        }
        Ok(false)
    }

    fn on_address_failed(&mut self, error: AddressError, peers: &Peers, now: Instant) -> Option<Connected> {
        self.socket = None;
        self.address_index += 1;
        self.errors.push(error.text);
        self.hung_up |= error.hung_up;
        self.try_addresses(peers, now)
    }

    /// Dials the next address that the system does not refuse at once.
    fn try_addresses(&mut self, peers: &Peers, now: Instant) -> Option<Connected> {
        let addresses = &peers.addresses[self.peer as usize].socket_addresses;
        while let Some(address) = addresses.get(self.address_index) {
            let begun = connect(*address).and_then(|socket| {
                peers.epoll.add(&socket, Watched::Dial(self.peer), Interest::Write)?;
                Ok(socket)
            });
            match begun {
                Ok(socket) => {
                    // Each address gets an equal share of the remaining time.
                    let left = (addresses.len() - self.address_index) as u32;
                    (self.since, self.due) = (now, now + self.ends.saturating_duration_since(now) / left);
                    (self.socket, self.stage) = (Some(socket), DialStage::Connecting);
                    return None;
                }
                Err(error) => {
                    let many = error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error());
                    let hint = if many { ": raise the limit of open files (ulimit -n)" } else { "" };
                    self.errors.push(format!("at {address}: {error}{hint}"));
                    self.address_index += 1;
                }
            }
        }
        if self.hung_up && now + PAUSE < self.ends {
            (self.stage, self.due) = (DialStage::Pausing, now + PAUSE);
            return None;
        }
        if self.errors.is_empty() {
            self.errors.push("it announced no address".to_string());
        }
        let own = peers.addresses[peers.me as usize].socket_addresses.first();
        let from = own.map_or_else(String::new, |address| format!(" ({})", address.ip()));
        let (me, peer, errors) = (peers.named(peers.me), peers.named(self.peer), self.errors.join("; "));
        Some(Err(format!("{me}{from} cannot reach {peer} {errors}")))
    }
}
