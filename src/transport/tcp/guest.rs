//! A connection from outside that has proven nothing yet.

use super::handshake::{Distrust, HELLO_BYTES, PROOF_BYTES, Purpose, Server};
use super::peers::Peers;
use super::socket::{Gather, write_whole};
use crate::base::Rank;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long a proof may take; shorter in tests, where those who never prove anything are waited for.
pub const PROOF_WAIT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

enum Stage {
    Hello(Gather<HELLO_BYTES>),
    Proof(Box<Server>, Gather<PROOF_BYTES>),
}

/// Who knocks.
pub struct Guest {
    /// The connection.
    pub socket: OwnedFd,
    /// Where it comes from.
    pub address: SocketAddr,
    /// When it is turned away.
    pub due: Instant,
    stage: Stage,
}

/// What is known of a guest.
#[derive(Debug, PartialEq, Eq)]
pub enum Knock {
    /// Nothing yet.
    Wait,
    /// It is this rank of the job.
    Proven(Rank),
    /// It went away without a word that could be read.
    Gone,
    /// It is none of ours, and why.
    Stranger(String),
}

impl Guest {
    /// Has just connected.
    pub fn new(socket: OwnedFd, address: SocketAddr, now: Instant) -> Guest {
        Guest { socket, address, due: now + PROOF_WAIT, stage: Stage::Hello(Gather::new()) }
    }

    /// Goes on with the handshake, as far as bytes have come.
    pub fn advance(&mut self, peers: &Peers) -> Knock {
        self.try_advance(peers).unwrap_or(Knock::Gone)
    }

    fn try_advance(&mut self, peers: &Peers) -> io::Result<Knock> {
        if let Stage::Hello(gather) = &mut self.stage {
            let Some(hello) = gather.read(&self.socket)? else { return Ok(Knock::Wait) };
            match Server::new(&peers.secret, Purpose::Road, peers.me, &hello) {
                Ok(server) => {
                    write_whole(&self.socket, server.answer())?;
                    self.stage = Stage::Proof(Box::new(server), Gather::new());
                }
                Err((distrust, answer)) => {
                    if let Some(answer) = answer {
                        // Whether it arrives or not, the guest goes.
                        let _ = write_whole(&self.socket, &answer);
                    }
                    return Ok(Knock::Stranger(distrust.to_string()));
                }
            }
        }
        let Stage::Proof(server, gather) = &mut self.stage else { return Ok(Knock::Wait) };
        let Some(proof) = gather.read(&self.socket)? else { return Ok(Knock::Wait) };
        Ok(match server.proven(&proof) {
            Ok(parties) if parties.client == peers.me || parties.client as usize >= peers.links.len() => {
                Knock::Stranger(format!("it says that it is rank {}, which cannot be", parties.client))
            }
            Ok(parties) => Knock::Proven(parties.client),
            Err(distrust @ Distrust::Secret) => Knock::Stranger(distrust.to_string()),
            Err(distrust) => Knock::Stranger(format!("its proof is wrong: {distrust}")),
        })
    }
}
