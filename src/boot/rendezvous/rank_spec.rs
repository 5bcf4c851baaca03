//! The identity of one rank in a meeting, and the world that it gets.

use crate::base::{Config, Error, Rank, Result};
use crate::boot::private::hex;
use crate::boot::rendezvous::Met;
use crate::boot::rendezvous::frame::ParticipantInfo;
use crate::boot::{NoMpiTransport, World};
use crate::transport::tcp::handshake::Secret;
use std::time::Duration;

/// This rank, the number of ranks, and the time-out.
#[derive(Clone, Debug)]
pub struct RankSpec {
    pub rank: Rank,
    pub size: u32,
    /// How long a peer may be silent.
    pub timeout: Duration,
    /// This host's name.
    pub host: String,
}

impl RankSpec {
    /// This process as one of the ranks that meet.
    ///
    /// # Errors
    /// `Error::Config` if there is no such rank.
    pub fn new(rank: Rank, size: u32, config: &Config) -> Result<RankSpec> {
        if rank >= size {
            return Err(Error::config(format!("there is no rank {rank} of {size}: ranks are numbered from 0")));
        }
        Ok(RankSpec { rank, size, timeout: config.peer_timeout(), host: ParticipantInfo::of_this_process(size).host })
    }

    /// The world of a rank that has met the others.
    pub fn world(&self, launcher: String, (exchange, secret): Met) -> World {
        let mpi = Err(NoMpiTransport::NotStarted);
        World { rank: self.rank, size: self.size, launcher, exchange, mpi, secret, survives_rank_death: true }
    }
}

/// The secret of the ranks that met, derived from the secret they proved and a number that rank 0 generated for this
/// meeting: ranks of two meetings under one secret cannot connect to each other.
pub fn meeting_secret(proven: &Secret, nonce: &[u8; 32]) -> Secret {
    proven.derive(&format!("meeting {}", hex(nonce)))
}
