//! One rank among those that meet, and the world that it gets.

use crate::base::{Config, Error, Rank, Result};
use crate::boot::private::hex;
use crate::boot::rendezvous::frame::Card;
use crate::boot::{Exchange, World};
use crate::transport::tcp::handshake::Secret;
use std::time::Duration;

/// This rank, among how many, and its patience.
#[derive(Clone, Debug)]
pub struct Party {
    pub rank: Rank,
    pub size: u32,
    /// How long a peer may be silent.
    pub timeout: Duration,
    /// This host's name.
    pub host: String,
}

impl Party {
    /// This process as one of those that meet.
    ///
    /// # Errors
    /// `Error::Config` where there is no such rank.
    pub fn new(rank: Rank, size: u32, config: &Config) -> Result<Party> {
        if rank >= size {
            return Err(Error::config(format!("there is no rank {rank} of {size}: ranks are numbered from 0")));
        }
        Ok(Party { rank, size, timeout: config.peer_timeout, host: Card::of_this_process(size).host })
    }

    /// The world of a party that has met.
    pub fn world(&self, launcher: String, exchange: Box<dyn Exchange>, secret: Secret, outlives: bool) -> World {
        let mpi = Err("not started by MPI".to_string());
        World { rank: self.rank, size: self.size, launcher, exchange, mpi, secret, outlives }
    }
}

/// The secret of the ranks that met, from what they proved and a number that rank 0 made for this meeting: ranks of two
/// meetings under one secret cannot mistake each other.
pub fn secret_after(proven: &Secret, chance: &[u8; 32]) -> Secret {
    proven.derive(&format!("meeting {}", hex(chance)))
}
