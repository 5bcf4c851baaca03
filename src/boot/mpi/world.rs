//! From a communicator to a [`World`]: what is checked, and whether there is a road over MPI.

use super::Launched;
use super::exchange::MpiExchange;
use super::library::{self, ThreadLevel};
use crate::base::config::FabricChoice;
use crate::base::limits::RANKS_MAX;
use crate::base::{Config, Error, Result};
use crate::boot::launched::numbered;
use crate::boot::{Exchange, World};
use crate::transport::Fabric;
use crate::transport::mpi::{Comm, Life, RawComm, life};
use crate::transport::tcp::handshake::Secret;
use std::sync::Arc;

/// Joins all ranks that the launcher started; initializes MPI unless the program did.
///
/// # Errors
/// `Error::Fabric` where MPI cannot start, is not the launcher's, or joins more ranks than the limits allow;
/// `Error::Config` after MPI_Finalize.
pub fn join(launched: Launched, config: &Config) -> Result<World> {
    let version = library::version();
    let (level, finalizes) = match life() {
        Life::Unborn => {
            let level = library::initialize().map_err(|failure| {
                Error::fabric(format!("{version}, which this binary is linked with, did not start: {failure}"))
            })?;
            (level, true)
        }
        Life::Live => (library::thread_level()?, false),
        Life::Over => return Err(over()),
    };
    let comm = Comm::world()?;
    let (rank, size) = (comm.rank(), comm.size());
    let exchange = MpiExchange::new(comm, finalizes);
    check_size(&launched, size, &version)?;
    world(rank, size, exchange, level, format!("{} ({version})", launched.command), config)
}

/// Joins the ranks of an intracommunicator of the program, which is duplicated; all of its ranks call this.
/// The handle comes from the MPI library that this binary is linked with.
///
/// # Errors
/// `Error::Config` where MPI is not initialized or already finalized, `Error::Fabric` where MPI fails.
pub fn join_comm(comm: RawComm, config: &Config) -> Result<World> {
    match life() {
        Life::Live => {}
        Life::Unborn => {
            return Err(Error::config(
                "a communicator was handed over, but MPI is not initialized: call MPI_Init first",
            ));
        }
        Life::Over => return Err(over()),
    }
    let comm = Comm::duplicate_of(comm)?;
    let launcher = format!("MPI_Init of the program ({})", library::version());
    world(comm.rank(), comm.size(), MpiExchange::new(comm, false), library::thread_level()?, launcher, config)
}

fn over() -> Error {
    Error::config(
        "MPI was already finalized in this process and cannot start again: keep one cluster until the program ends, or \
         call MPI_Init and MPI_Finalize yourself and start clusters in between with init_with_comm",
    )
}

/// An MPI library that the launcher does not know starts each rank alone.
fn check_size(launched: &Launched, size: u32, version: &str) -> Result<()> {
    match launched.ranks {
        Some(ranks) if ranks != size => Err(Error::fabric(format!(
            "{} is linked with {version}, which joined {size} of the {ranks} ranks that {} started: {}",
            this_process(),
            launched.command,
            if launched.command == "srun" {
                "start it with srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH)"
            } else {
                "start it with the mpirun of the same MPI library"
            }
        ))),
        _ => Ok(()),
    }
}

/// By the launcher's number and the host: a library that is not the launcher's calls every process rank 0.
fn this_process() -> String {
    let rank = numbered().map_or("a rank".to_string(), |(rank, _)| format!("rank {rank}"));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{rank} on host {}", host.trim())
}

fn world(
    rank: u32,
    size: u32,
    mut exchange: MpiExchange,
    level: ThreadLevel,
    mut launcher: String,
    config: &Config,
) -> Result<World> {
    if size > RANKS_MAX {
        return Err(Error::fabric(format!("{size} ranks are more than the {RANKS_MAX} that one cluster may have")));
    }
    // The road is made by all ranks or none, also where their settings differ. The secret is rank 0's.
    let wanted = matches!(config.fabric, FabricChoice::Auto | FabricChoice::Mpi);
    let mut mine = vec![level as u8, u8::from(wanted)];
    if rank == 0 {
        mine.extend_from_slice(Secret::random().bytes());
    }
    let answers = exchange.allgather(&mine)?;
    let secret = answers.first().and_then(|zero| zero.get(2..)?.try_into().ok()).map(Secret::from_bytes);
    let secret = secret.ok_or_else(|| Error::fabric("rank 0 shared no secret: start the same binary on every rank"))?;
    let least = |question: usize| answers.iter().map(|answer| answer.get(question).copied().unwrap_or(0)).min();
    let level = ThreadLevel::from_place(least(0).unwrap_or(0));
    if level < ThreadLevel::Multiple {
        launcher += &format!("; MPI thread level {}: no MPI road after start", level.name());
    }
    let mpi = if level < ThreadLevel::Multiple {
        Err(format!("MPI thread level {}", level.name()))
    } else if least(1) != Some(1) {
        Err("MOBULA_FABRIC leaves it out on some rank".to_string())
    } else {
        Ok(exchange.open_road()? as Arc<dyn Fabric>)
    };
    Ok(World { rank, size, launcher, exchange: Box::new(exchange), mpi, secret, outlives: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::mpi::raw::AsRaw;

    #[test]
    fn a_launcher_of_another_library_is_named() {
        let mpiexec = Launched { command: "mpiexec", ranks: Some(4) };
        assert!(check_size(&mpiexec, 4, "MPICH 4.0.2").is_ok());
        let error = check_size(&mpiexec, 1, "Open MPI 4.1.4").unwrap_err().to_string();
        for part in ["Open MPI 4.1.4", "mpiexec", "1 of the 4 ranks", "same MPI library", "on host "] {
            assert!(error.contains(part), "{error}");
        }
        let srun = Launched { command: "srun", ranks: Some(2) };
        assert!(check_size(&srun, 1, "MPICH 4.0.2").unwrap_err().to_string().contains("--mpi=pmi2"));
        assert!(check_size(&Launched { command: "mpirun", ranks: None }, 3, "MPICH 4.0.2").is_ok());
    }

    #[test]
    fn a_communicator_needs_a_running_mpi() {
        if life() == Life::Unborn {
            let handle = ::mpi::topology::SimpleCommunicator::world().as_raw();
            let error = join_comm(handle, &Config::default()).err().expect("MPI does not run");
            assert!(matches!(&error, Error::Config { message } if message.contains("MPI_Init")), "{error}");
        }
    }
}
