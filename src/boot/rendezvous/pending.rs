//! A connection at rank 0 that has not proven anything yet: the handshake and the card, as bytes come.

use super::frame::{Card, Frame, Kind, Reader};
use crate::base::Rank;
use crate::transport::tcp::handshake::{Distrust, HELLO_BYTES, PROOF_BYTES, Purpose, Secret, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// How far a stranger has come.
enum State {
    /// Nothing is known of it.
    Hello,
    /// It was answered.
    Answered(Box<Server>),
    /// It has proven to be this rank.
    Proven(Rank, Reader),
}

/// What became of a connection.
pub enum Step {
    /// More must come.
    Waiting,
    /// Not one of the job's ranks, or none that can be understood: why.
    Refused(String),
    /// A rank, with its card.
    Came(Rank, Card),
}

/// A connection that is not trusted yet.
pub struct Pending {
    pub stream: TcpStream,
    pub from: SocketAddr,
    pub since: Instant,
    state: State,
    bytes: Vec<u8>,
}

impl Pending {
    /// A connection just accepted, which does not block.
    pub fn new(stream: TcpStream, from: SocketAddr, now: Instant) -> Pending {
        Pending { stream, from, since: now, state: State::Hello, bytes: Vec::new() }
    }

    /// Goes as far as what has come allows.
    pub fn advance(&mut self, secret: &Secret) -> Step {
        loop {
            let outcome = match &mut self.state {
                State::Hello => match exactly::<HELLO_BYTES>(&mut self.stream, &mut self.bytes) {
                    Ok(None) => return Step::Waiting,
                    Ok(Some(hello)) => answer(&mut self.stream, secret, &hello),
                    Err(gone) => Err(format!("{gone} before it said anything")),
                },
                State::Answered(server) => match exactly::<PROOF_BYTES>(&mut self.stream, &mut self.bytes) {
                    Ok(None) => return Step::Waiting,
                    Ok(Some(proof)) => match server.proven(&proof) {
                        Ok(parties) => Ok(State::Proven(parties.client, Reader::new(Card::BYTES_MAX))),
                        Err(distrust) => Err(explained(distrust)),
                    },
                    Err(gone) => Err(format!("{gone} before it proved that it holds this job's secret")),
                },
                State::Proven(rank, reader) => match reader.read(&mut self.stream) {
                    Ok(None) => return Step::Waiting,
                    Ok(Some(Frame { kind: Kind::Card, payload, .. })) => match Card::decode(&payload) {
                        Some(card) => return Step::Came(*rank, card),
                        None => Err(format!("rank {rank} sent a card that is none")),
                    },
                    Ok(Some(_)) => Err(format!("rank {rank} sent no card")),
                    Err(fault) => Err(format!("rank {rank}: {fault}")),
                },
            };
            match outcome {
                Ok(state) => self.state = state,
                Err(why) => return Step::Refused(why),
            }
        }
    }
}

/// Why there is no trust, and what the user may do about it.
pub fn explained(distrust: Distrust) -> String {
    match distrust {
        Distrust::Secret => format!("{distrust} (ranks without a common home need the same MOBULA_SECRET)"),
        other => other.to_string(),
    }
}

fn answer(stream: &mut TcpStream, secret: &Secret, hello: &[u8; HELLO_BYTES]) -> Result<State, String> {
    let (answer, outcome) = match Server::new(secret, Purpose::Rendezvous, 0, hello) {
        Ok(server) => (Some(*server.answer()), Ok(State::Answered(Box::new(server)))),
        Err((distrust, answer)) => (answer, Err(explained(distrust))),
    };
    // A connection just made has room for an answer: what cannot be written at once is lost.
    match answer.map(|answer| stream.write_all(&answer)) {
        Some(Err(error)) => Err(format!("it does not take an answer: {error}")),
        _ => outcome,
    }
}

/// So many bytes once they have come, `None` until then; never reads past them.
fn exactly<const BYTES: usize>(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<Option<[u8; BYTES]>, String> {
    while bytes.len() < BYTES {
        let mut buffer = [0; BYTES];
        let wanted = BYTES - bytes.len();
        match stream.read(&mut buffer[..wanted]) {
            Ok(0) => return Err("it closed the connection".to_string()),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(format!("the connection broke ({error})")),
        }
    }
    let whole = bytes.as_slice().try_into().ok();
    bytes.clear();
    Ok(whole)
}
