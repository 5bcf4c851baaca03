//! The other ranks search rank 0: they try to connect until it has proven that it belongs to this job, or the time is
//! over.

use super::Met;
use super::frame::{FrameReader, PART_BYTES_MAX, ParticipantInfo, RendezvousFrame, RendezvousKind};
use super::meet::explain;
use super::participant::Participant;
use super::rank_spec::{self, RankSpec};
use crate::base::{Error, Result};
use crate::boot::LocateError;
use crate::transport::tcp::handshake::{Client, ConnectionPurpose, Endpoints, RESPONSE_BYTES, Secret};
use crate::transport::tcp::set_peer_timeout;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The time-out of one connect, at first; doubled with each round.
const CONNECT_FIRST: Duration = Duration::from_secs(1);

/// The time-out of one handshake: rank 0 may be busy with thousands of ranks, and an unknown peer may never answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after the first failed round; it grows by half up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_LAST: Duration = Duration::from_millis(200);

/// The addresses at which rank 0 may listen, and the secret it must prove.
pub type CoordinatorAddresses = (Vec<SocketAddr>, Secret);

/// Why an attempt failed.
enum AttemptError {
    /// No peer answered that could be rank 0, so far.
    Retry(String),
    /// The peer failed to authenticate.
    Untrusted(String),
    /// Rank 0 reported a failure, or its connection was lost.
    Fatal(Error),
}

impl From<io::Error> for AttemptError {
    fn from(error: io::Error) -> AttemptError {
        AttemptError::Retry(match error.kind() {
            ErrorKind::UnexpectedEof => "it closed the connection".to_string(),
            _ => error.to_string(),
        })
    }
}

/// Tries the addresses that `locate` returns, called anew for each round, until rank 0 has accepted this rank and all
/// have met.
///
/// # Errors
/// `Error::Fabric` if rank 0 is not found in time, with the last failure; the failure that rank 0 reports.
pub fn find(
    spec: &RankSpec,
    meeting_point: &str,
    mut locate: impl FnMut() -> Result<CoordinatorAddresses, LocateError>,
) -> Result<Met> {
    let deadline = Instant::now() + spec.timeout;
    let (mut pause, mut connect) = (PAUSE_FIRST, CONNECT_FIRST);
    let (mut last, mut untrusted) = (String::new(), None);
    while Instant::now() < deadline {
        match locate() {
            Err(why) => last = why.to_string(),
            Ok((addresses, secret)) => {
                for address in addresses {
                    match attempt(spec, address, &secret, connect, deadline) {
                        Ok(met) => return Ok(met),
                        Err(AttemptError::Retry(why)) => last = format!("{address}: {why}"),
                        Err(AttemptError::Untrusted(why)) => untrusted = Some(format!("{address}: {why}")),
                        Err(AttemptError::Fatal(error)) => return Err(error),
                    }
                }
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        std::thread::sleep(pause.min(left));
        pause = (pause + pause / 2).min(longest_pause(spec));
        connect = connect.saturating_mul(2);
    }
    Err(Error::fabric(format!(
        "rank {} of {} on host {} did not find rank 0 at {meeting_point} within {} s: {}. Start rank 0, check that \
         this host reaches it, or raise MOBULA_PEER_TIMEOUT_S",
        spec.rank,
        spec.size,
        spec.host,
        spec.timeout.as_secs(),
        // A peer that failed to authenticate is more informative than one that does not answer.
        untrusted.unwrap_or(last)
    )))
}

/// The addresses that `locate` finds first: they do not change.
pub fn located_once(
    mut locate: impl FnMut() -> Result<CoordinatorAddresses, LocateError>,
) -> impl FnMut() -> Result<CoordinatorAddresses, LocateError> {
    let mut known: Option<CoordinatorAddresses> = None;
    move || match &known {
        Some(found) => Ok(found.clone()),
        None => Ok(known.insert(locate()?).clone()),
    }
}

/// Different for each rank, and longer if there are many, so that they do not all connect at the same instant.
fn longest_pause(spec: &RankSpec) -> Duration {
    let spread = 1.0 + f64::from(spec.rank % 97) / 97.0;
    PAUSE_LAST.max(Duration::from_micros(100) * spec.size).mul_f64(spread)
}

fn attempt(
    spec: &RankSpec,
    address: SocketAddr,
    secret: &Secret,
    connect: Duration,
    deadline: Instant,
) -> Result<Met, AttemptError> {
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&address, connect.min(left))?;
    // On one host, a connection to a port without a listener may by chance get that same port and connect to itself.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(AttemptError::Retry("nothing listens there".to_string()));
    }
    stream.set_nodelay(true)?;
    set_peer_timeout(&stream, spec.timeout)?;
    let until = deadline.min(Instant::now() + ATTEMPT_TIMEOUT);
    let endpoints = Endpoints { purpose: ConnectionPurpose::Rendezvous, client: spec.rank, server: 0 };
    let client = Client::new(secret, endpoints);
    stream.write_all(client.hello())?;
    let mut response = [0; RESPONSE_BYTES];
    TimedReader { stream: &stream, until }.read_exact(&mut response)?;
    let proof = client.verify_response(&response).map_err(|error| AttemptError::Untrusted(explain(error)))?;
    let info = RendezvousFrame::encode(RendezvousKind::Join, 0, &ParticipantInfo::of_this_process(spec.size).encode());
    stream.write_all(&[&proof[..], &info].concat())?;
    // Rank 0 accepts this rank, or says why it does not; the next frame comes when all have met.
    match FrameReader::new(PART_BYTES_MAX).read(&mut TimedReader { stream: &stream, until }) {
        Ok(Some(RendezvousFrame { kind: RendezvousKind::Taken, .. })) => {}
        Ok(Some(RendezvousFrame { kind: RendezvousKind::Failed, payload, .. })) => {
            return Err(AttemptError::Fatal(Error::fabric(String::from_utf8_lossy(&payload))));
        }
        Ok(frame) => {
            let kind = frame.map(|frame| frame.kind);
            return Err(AttemptError::Retry(format!("it answered this rank's info with {kind:?}")));
        }
        Err(fault) => return Err(AttemptError::Retry(fault.to_string())),
    }

    stream.set_read_timeout(None)?;
    let zero = format!("rank 0 ({address})");
    let mut participant = Participant::new(stream, spec.size, zero.clone(), spec.timeout);
    let nonce = participant.receive(RendezvousKind::AllMet).map_err(AttemptError::Fatal)?;
    let malformed = |_| Error::fabric(format!("{zero} sent a malformed nonce: start the same binary on every rank"));
    let nonce = nonce.try_into().map_err(malformed).map_err(AttemptError::Fatal)?;
    Ok((Box::new(participant), rank_spec::meeting_secret(secret, &nonce)))
}

/// Reads from a blocking stream until a deadline.
struct TimedReader<'a> {
    stream: &'a TcpStream,
    until: Instant,
}

impl Read for TimedReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::new(ErrorKind::TimedOut, "it did not answer"));
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}
