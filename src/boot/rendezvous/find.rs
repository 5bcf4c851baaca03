//! The other ranks look for rank 0, again and again until it proves that it is this job's, or the time is over.

use super::frame::{Card, Frame, Kind, Reader};
use super::party::{self, Party};
use super::pending::explained;
use super::spoke::Spoke;
use crate::base::{Error, Result};
use crate::transport::tcp::handshake::{ANSWER_BYTES, Client, Distrust, Parties, Purpose, Secret};
use crate::transport::tcp::notice_silence;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long one connection may take to be made, at first; doubled with each round.
const CONNECT_FIRST: Duration = Duration::from_secs(1);

/// How long one handshake may take: rank 0 may be busy with thousands, and a stranger may never answer.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The pause after the first round in vain; it grows by half up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_LAST: Duration = Duration::from_millis(200);

/// Where rank 0 may be, and what it must prove.
pub struct Candidates {
    pub addresses: Vec<SocketAddr>,
    pub secret: Secret,
}

/// Why an attempt failed.
enum Attempt {
    /// Nobody is there, or nobody who could be rank 0, yet.
    Again(String),
    /// Somebody is there who cannot be trusted.
    Distrusted(String),
    /// Rank 0 said why nobody goes on, or is lost.
    Over(Error),
}

/// Looks where `whereabouts` says, each time anew, until rank 0 has taken this rank and all have met.
///
/// # Errors
/// `Error::Fabric` where rank 0 is not found in time, with what was found instead; what rank 0 says.
pub fn find(
    party: &Party,
    place: &str,
    mut whereabouts: impl FnMut() -> Result<Candidates, String>,
) -> Result<(Spoke, Secret)> {
    let deadline = Instant::now() + party.timeout;
    let (mut pause, mut connect) = (PAUSE_FIRST, CONNECT_FIRST);
    let (mut last, mut distrusted) = (String::new(), None);
    while Instant::now() < deadline {
        match whereabouts() {
            Err(why) => last = why,
            Ok(Candidates { addresses, secret }) => {
                for address in addresses {
                    match attempt(party, address, &secret, connect, deadline) {
                        Ok(met) => return Ok(met),
                        Err(Attempt::Again(why)) => last = format!("{address}: {why}"),
                        Err(Attempt::Distrusted(why)) => distrusted = Some(format!("{address}: {why}")),
                        Err(Attempt::Over(error)) => return Err(error),
                    }
                }
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        std::thread::sleep(pause.min(left));
        pause = (pause + pause / 2).min(longest_pause(party));
        connect = connect.saturating_mul(2);
    }
    Err(Error::fabric(format!(
        "rank {} of {} on host {} did not find rank 0 at {place} within {} s: {}. Start rank 0, see that this host reaches it, \
         or raise MOBULA_PEER_TIMEOUT_S",
        party.rank,
        party.size,
        party.host,
        party.timeout.as_secs(),
        // Somebody who is there tells more than nobody who is.
        distrusted.unwrap_or(last)
    )))
}

/// Different for each rank, and longer where there are many: they should not all come at the same instant.
fn longest_pause(party: &Party) -> Duration {
    let spread = 1.0 + f64::from(party.rank % 97) / 97.0;
    PAUSE_LAST.max(Duration::from_micros(100) * party.size).mul_f64(spread)
}

fn attempt(
    party: &Party,
    address: SocketAddr,
    secret: &Secret,
    connect: Duration,
    deadline: Instant,
) -> Result<(Spoke, Secret), Attempt> {
    let again = |error: std::io::Error| Attempt::Again(error.to_string());
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&address, connect.min(left)).map_err(again)?;
    // On one host a connection to a port that nobody listens on may by chance be one from that port, to itself.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(Attempt::Again("nobody listens there".to_string()));
    }
    stream.set_nodelay(true).map_err(again)?;
    notice_silence(&stream, party.timeout).map_err(again)?;
    let until = deadline.min(Instant::now() + ATTEMPT);
    let parties = Parties { purpose: Purpose::Rendezvous, client: party.rank, server: 0 };
    let client = Client::new(secret, parties);
    stream.write_all(client.hello()).map_err(again)?;
    let mut answer = [0; ANSWER_BYTES];
    read_by(&mut stream, &mut answer, until)?;
    let proof = client.answered(&answer).map_err(|distrust: Distrust| Attempt::Distrusted(explained(distrust)))?;
    let card = Frame::encode(Kind::Card, 0, &Card::of_this_process(party.size).encode());
    stream.write_all(&[&proof[..], &card].concat()).map_err(again)?;
    taken(&mut stream, until)?;

    stream.set_read_timeout(None).map_err(again)?;
    let zero = format!("rank 0 ({address})");
    let mut spoke = Spoke::new(stream, party.size, zero.clone(), party.timeout);
    let chance = spoke.hear(Kind::Met).map_err(Attempt::Over)?;
    let chance = chance.try_into().map_err(|_| {
        Attempt::Over(Error::fabric(format!(
            "{zero} did not say what the ranks met for: start the same binary on every rank"
        )))
    })?;
    Ok((spoke, party::secret_after(secret, &chance)))
}

/// Waits until rank 0 has taken the card; what it says after that comes when all have met.
fn taken(stream: &mut TcpStream, until: Instant) -> Result<(), Attempt> {
    let mut reader = Reader::new(super::frame::PART_BYTES_MAX);
    loop {
        patience(stream, until)?;
        match reader.read(stream) {
            Ok(None) => {}
            Ok(Some(Frame { kind: Kind::Taken, .. })) => return Ok(()),
            Ok(Some(Frame { kind: Kind::Failed, payload, .. })) => {
                return Err(Attempt::Over(Error::fabric(String::from_utf8_lossy(&payload))));
            }
            Ok(Some(frame)) => return Err(Attempt::Again(format!("it answered a card with {:?}", frame.kind))),
            Err(fault) => return Err(Attempt::Again(fault.to_string())),
        }
    }
}

fn read_by(stream: &mut TcpStream, into: &mut [u8], until: Instant) -> Result<(), Attempt> {
    let mut have = 0;
    while have < into.len() {
        patience(stream, until)?;
        match stream.read(&mut into[have..]) {
            Ok(0) => return Err(Attempt::Again("it closed the connection".to_string())),
            Ok(count) => have += count,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(Attempt::Again(error.to_string())),
        }
    }
    Ok(())
}

/// The next read ends by then.
fn patience(stream: &TcpStream, until: Instant) -> Result<(), Attempt> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Attempt::Again("it did not answer".to_string()));
    }
    stream.set_read_timeout(Some(left)).map_err(|error| Attempt::Again(error.to_string()))
}
