//! How ranks find each other through whatever launched them: yields a [`World`].
//!
//! Owns: the launcher's environment, the communicator, the connections to rank 0, the job's secret. Never: memory, threads,
//! messages after start.

mod launched;
#[cfg(feature = "mpi")]
pub mod mpi;
mod one_host;
mod private;
pub mod rendezvous;
mod secret;
mod single;
mod slurm;

use crate::base::log::set_level;
use crate::base::{Config, Rank, Result};
use crate::transport::Fabric;
use crate::transport::tcp::handshake::Secret;
use std::sync::Arc;

/// Collective calls that are made while starting and stopping, by every rank in the same order.
pub trait Exchange: Send {
    /// Everybody's bytes, by rank.
    ///
    /// # Errors
    /// `Error::Fabric` naming what the launcher's library said.
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// Returns when every rank has called it. Waits without burning a core.
    ///
    /// # Errors
    /// As `allgather`.
    fn barrier(&mut self) -> Result<()>;

    /// A rank is gone, for the others, though its line may not have ended: no collective waits for it, and it learns of it.
    fn forget(&mut self, _rank: Rank) {}

    /// What tells of ranks that die from now on, where the exchange keeps a line to them: rank 0 to every other rank, every
    /// other rank to rank 0.
    fn vigil(&mut self) -> Option<Box<dyn Vigil>> {
        None
    }
}

/// Notices that ranks die, by the lines over which they met.
pub trait Vigil: Send {
    /// The ranks whose lines ended since the last call, and how. Never waits.
    fn departed(&mut self) -> Vec<(Rank, String)>;
}

/// The ranks, as launched.
pub struct World {
    /// This process.
    pub rank: Rank,
    /// How many there are.
    pub size: u32,
    /// What launched them, for banners: `none`, `mpirun (Open MPI 4.1.4)`, ...
    pub launcher: String,
    /// Collectives for start and stop. Dropped last: finalizes MPI where boot initialised it.
    pub exchange: Box<dyn Exchange>,
    /// The road over MPI, which reaches every rank, or why there is none.
    pub mpi: Result<Arc<dyn Fabric>, String>,
    /// The job's: what its ranks prove to each other that they are.
    pub secret: Secret,
    /// Whether the launch outlives the death of a rank: the others are not killed for it.
    pub outlives: bool,
}

/// Joins the ranks where the user says that they meet, else those that the launcher started; alone where there is neither.
///
/// # Errors
/// `Error::Fabric` where there should be other ranks and they do not come together; `Error::Config` where what was said of
/// them cannot be.
pub fn join(config: &Config) -> Result<World> {
    set_level(config.log);
    if let Some(place) = &config.rendezvous {
        return rendezvous::join(place, config);
    }
    if let Some(seat) = one_host::seat(config) {
        return one_host::join(seat, config);
    }
    #[cfg(feature = "mpi")]
    if let Some(launched) = mpi::launched() {
        return mpi::join(launched, config);
    }
    #[cfg(not(feature = "mpi"))]
    if let Some(launched) = launched::launched().filter(|launched| launched.has_several() && launched.command != "srun")
    {
        return Err(crate::base::Error::fabric(format!(
            "{} started more than one rank, but this binary was built without the feature `mpi`: build it with the feature, \
             or set MOBULA_RENDEZVOUS to host:port of rank 0 or to a file that all ranks see, and they meet over TCP",
            launched.command
        )));
    }
    match slurm::step()? {
        Some(step) => slurm::join(step, config),
        None => Ok(single::world()),
    }
}
