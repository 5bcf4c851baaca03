//! Start-up: how the ranks that a launcher started find each other. Yields a [`World`].
//!
//! Owns: the launcher's environment, the communicator, the connections to rank 0, the job's secret. Never: memory,
//! threads, messages after start.

mod error;
mod launcher;
mod launcher_process;
mod local_offer;
#[cfg(feature = "mpi")]
pub mod mpi;
mod nested;
mod one_host;
mod private;
pub mod rendezvous;
mod secret;
mod single;
mod slurm;

pub use error::{LocateError, NoMpiTransport};
pub use launcher_process::{LauncherProcess, launcher_process};
pub use rendezvous::DeathNotifier;
pub use slurm::{JobGrant, job_grant};

use crate::base::log::set_level;
use crate::base::{Config, Rank, Result};
use crate::transport::Transport;
use crate::transport::tcp::handshake::Secret;
use std::sync::Arc;

/// Collective calls during start and shutdown, made by every rank in the same order.
pub trait Exchange: Send {
    /// Gathers the bytes of all ranks, by rank.
    ///
    /// # Errors
    /// `Error::Fabric` with what the launcher's library reports.
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// Returns when every rank has called it. Does not spin on a core while it waits.
    ///
    /// # Errors
    /// As `allgather`.
    fn barrier(&mut self) -> Result<()>;

    /// Excludes a rank that the others have declared dead, even if its connection still exists: collectives no longer
    /// wait for it; its connection is closed, by which it detects this.
    fn exclude(&mut self, _rank: Rank) {}

    /// A notifier of ranks that die from now on, if the exchange keeps connections: rank 0 has one to every other rank,
    /// every other rank has one to rank 0.
    fn death_notifier(&mut self) -> Option<DeathNotifier> {
        None
    }
}

/// The ranks that were launched together.
pub struct World {
    /// The rank of this process.
    pub rank: Rank,
    /// The number of ranks.
    pub size: u32,
    /// The launcher, for banners: `none`, `mpirun (Open MPI 4.1.4)`, ...
    pub launcher: String,
    /// Collectives for start and shutdown. Dropped last: finalizes MPI if boot initialized it.
    pub exchange: Box<dyn Exchange>,
    /// The transport over MPI, which reaches every rank, or why there is none.
    pub mpi: Result<Arc<dyn Transport>, NoMpiTransport>,
    /// The job's secret, which its ranks prove to each other that they hold.
    pub secret: Secret,
    /// True if the other ranks are not killed when a rank dies.
    pub survives_rank_death: bool,
}

/// Joins the ranks that meet at the configured rendezvous, else those that the launcher started; a single rank if there
/// is neither, or if a rank started this program.
///
/// # Errors
/// `Error::Fabric` if there should be other ranks and they do not meet; `Error::Config` if their configuration is
/// contradictory.
pub fn join(config: &Config) -> Result<World> {
    set_level(config.log);
    if let Some(pid) = nested::starting_rank(config) {
        return Ok(single::world(&format!("none (started by process {pid}, a rank of another cluster)")));
    }
    if let Some(meeting_point) = &config.rendezvous {
        nested::mark_rank(config);
        return rendezvous::join(meeting_point, config);
    }
    if let Some(job) = one_host::local_job(config) {
        nested::mark_rank(config);
        return one_host::join(job, config);
    }
    #[cfg(feature = "mpi")]
    if let Some(launcher) = mpi::detect_launcher() {
        nested::mark_rank(config);
        return mpi::join(launcher, config);
    }
    #[cfg(not(feature = "mpi"))]
    if let Some(launcher) = launcher::detect_launcher().filter(|found| found.has_several() && found.command != "srun") {
        return Err(crate::base::Error::fabric(format!(
            "{} started more than one rank, but this binary was built without the feature `mpi`: build it with the \
             feature, or set MOBULA_RENDEZVOUS to host:port of rank 0 or to a file that all ranks see, and they meet \
             over TCP",
            launcher.command
        )));
    }
    match slurm::step()? {
        None => Ok(single::world("none")),
        Some(step) if slurm::is_left_over(&step) => {
            Ok(single::world("none (the variables of a Slurm step are left over)"))
        }
        Some(step) => {
            nested::mark_rank(config);
            slurm::join(step, config)
        }
    }
}
