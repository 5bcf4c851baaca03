//! A single rank.

use super::{Exchange, NoMpiTransport, World};
use crate::base::Result;
use crate::transport::tcp::handshake::Secret;

/// The world of a single rank; `launcher` says for banners that none started it.
pub fn world(launcher: &str) -> World {
    World {
        rank: 0,
        size: 1,
        launcher: launcher.to_string(),
        exchange: Box::new(Alone),
        mpi: Err(NoMpiTransport::NotStarted),
        secret: Secret::random(),
        survives_rank_death: true,
    }
}

/// Collectives of one rank.
pub(super) struct Alone;

impl Exchange for Alone {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(vec![mine.to_vec()])
    }

    fn barrier(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_rank_gathers_its_own_bytes() {
        let mut world = world("none");
        assert_eq!((world.rank, world.size, world.launcher.as_str()), (0, 1, "none"));
        assert_eq!(world.exchange.allgather(b"me").unwrap(), [b"me".to_vec()]);
        world.exchange.barrier().unwrap();
    }
}
