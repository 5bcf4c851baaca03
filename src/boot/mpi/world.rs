//! Builds a [`World`] from a communicator: checks it, and decides whether there is a transport over MPI.

use super::Launcher;
use super::exchange::MpiExchange;
use super::library::{self, THREAD_LEVELS};
use crate::base::config::FabricChoice;
use crate::base::host::host_name;
use crate::base::limits::RANKS_MAX;
use crate::base::{Config, Error, Result};
use crate::boot::launcher::rank_and_size;
use crate::boot::{Exchange, NoMpiTransport, World, nested};
use crate::transport::Transport;
use crate::transport::mpi::{Comm, MpiState, RawComm, mpi_state};
use crate::transport::tcp::handshake::Secret;
use ::mpi::Threading;
use ::mpi::environment::threading_support;
use std::sync::Arc;

/// Joins all ranks that the launcher started; initializes MPI unless the program did.
///
/// # Errors
/// `Error::Fabric` if MPI cannot start, is not the launcher's, or joins more ranks than the limits allow;
/// `Error::Config` after MPI_Finalize.
pub fn join(launched_by: Launcher, config: &Config) -> Result<World> {
    let version = library::version();
    let finalizes = match mpi_state() {
        MpiState::Uninitialized => {
            library::initialize().map_err(|failure| {
                Error::fabric(format!("{version}, which this binary is linked with, did not start: {failure}"))
                    .caused_by(&failure)
            })?;
            true
        }
        MpiState::Running => false,
        MpiState::Finalized => return Err(already_finalized()),
    };
    let comm = Comm::world()?;
    let (rank, size) = (comm.rank(), comm.size());
    let exchange = MpiExchange::new(comm, finalizes);
    check_size(&launched_by, size, &version)?;
    world(rank, size, exchange, format!("{} ({version})", launched_by.command), config)
}

/// Joins the ranks of an intracommunicator of the program, which is duplicated; all of its ranks call this. The handle
/// comes from the MPI library that this binary is linked with.
///
/// # Errors
/// `Error::Config` if MPI is not initialized or already finalized, `Error::Fabric` if MPI fails.
pub fn join_comm(comm: RawComm, config: &Config) -> Result<World> {
    match mpi_state() {
        MpiState::Running => {}
        MpiState::Uninitialized => {
            return Err(Error::config("a communicator was passed, but MPI is not initialized: call MPI_Init first"));
        }
        MpiState::Finalized => return Err(already_finalized()),
    }
    nested::mark_rank(config);
    let comm = Comm::duplicate_of(comm)?;
    let launcher = format!("MPI_Init of the program ({})", library::version());
    world(comm.rank(), comm.size(), MpiExchange::new(comm, false), launcher, config)
}

fn already_finalized() -> Error {
    Error::config(
        "MPI was already finalized in this process and cannot start again: keep one cluster until the program ends, or \
         call MPI_Init and MPI_Finalize yourself and start clusters in between with init_with_comm",
    )
}

/// If the launcher belongs to another MPI library, each rank starts alone.
fn check_size(launched_by: &Launcher, size: u32, version: &str) -> Result<()> {
    match launched_by.ranks {
        Some(ranks) if ranks != size => Err(Error::fabric(format!(
            "{} is linked with {version}, which joined {size} of the {ranks} ranks that {} started: {}",
            this_process(),
            launched_by.command,
            if launched_by.command == "srun" {
                "start it with srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH)"
            } else {
                "start it with the mpirun of the same MPI library"
            }
        ))),
        _ => Ok(()),
    }
}

/// Names this process by the launcher's number and the host: with another library's launcher, every process has MPI
/// rank 0.
fn this_process() -> String {
    let rank = rank_and_size().map_or("a rank".to_string(), |(rank, _)| format!("rank {rank}"));
    format!("{rank} on host {}", host_name())
}

fn world(rank: u32, size: u32, mut exchange: MpiExchange, mut launcher: String, config: &Config) -> Result<World> {
    if size > RANKS_MAX {
        return Err(Error::fabric(format!("{size} ranks are more than the {RANKS_MAX} that one cluster may have")));
    }
    // Either all ranks or none open the transport, even if their settings differ. The secret is rank 0's.
    let wanted = matches!(config.fabric, FabricChoice::Auto | FabricChoice::Mpi);
    let provided = threading_support();
    let level = THREAD_LEVELS.iter().position(|(level, _)| *level == provided).unwrap_or(0);
    let mut mine = vec![level as u8, u8::from(wanted)];
    if rank == 0 {
        mine.extend_from_slice(Secret::random().bytes());
    }
    let responses = exchange.allgather(&mine)?;
    let secret = responses.first().and_then(|zero| zero.get(2..)?.try_into().ok()).map(Secret::from_bytes);
    let secret = secret.ok_or_else(|| Error::fabric("rank 0 shared no secret: start the same binary on every rank"))?;
    let least = |field: usize| responses.iter().map(|response| response.get(field).copied().unwrap_or(0)).min();
    let lowest = usize::from(least(0).unwrap_or(0));
    let (level, name) = *THREAD_LEVELS.get(lowest).unwrap_or(&THREAD_LEVELS[0]);
    let mpi = if level < Threading::Multiple {
        launcher += &format!("; MPI thread level {name}: no MPI transport after start");
        Err(NoMpiTransport::ThreadLevel { level: name })
    } else if least(1) != Some(1) {
        Err(NoMpiTransport::Excluded)
    } else {
        Ok(exchange.open_transport()? as Arc<dyn Transport>)
    };
    Ok(World { rank, size, launcher, exchange: Box::new(exchange), mpi, secret, survives_rank_death: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::mpi::raw::AsRaw;

    #[test]
    fn check_size_names_a_launcher_of_another_library() {
        let mpiexec = Launcher { command: "mpiexec", ranks: Some(4) };
        assert!(check_size(&mpiexec, 4, "MPICH 4.0.2").is_ok());
        let error = check_size(&mpiexec, 1, "Open MPI 4.1.4").unwrap_err().to_string();
        for part in ["Open MPI 4.1.4", "mpiexec", "1 of the 4 ranks", "same MPI library", "on host "] {
            assert!(error.contains(part), "{error}");
        }
        let srun = Launcher { command: "srun", ranks: Some(2) };
        assert!(check_size(&srun, 1, "MPICH 4.0.2").unwrap_err().to_string().contains("--mpi=pmi2"));
        assert!(check_size(&Launcher { command: "mpirun", ranks: None }, 3, "MPICH 4.0.2").is_ok());
    }

    #[test]
    fn join_comm_without_running_mpi_is_an_error() {
        if mpi_state() == MpiState::Uninitialized {
            let handle = ::mpi::topology::SimpleCommunicator::world().as_raw();
            let error = join_comm(handle, &Config::default()).err().expect("MPI does not run");
            assert!(matches!(&error, Error::Config { message, .. } if message.contains("MPI_Init")), "{error}");
        }
    }
}
