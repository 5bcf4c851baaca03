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
use crate::transport::mpi::{Abi, Comm, LoadedMpi, MpiState, RawComm, THREAD_MULTIPLE};
use crate::transport::tcp::handshake::Secret;
use std::sync::Arc;

/// Joins all ranks that the launcher started; initializes MPI unless the program did.
///
/// # Errors
/// `Error::Fabric` if MPI is not found, cannot start, is not the launcher's, or joins more ranks than the limits allow;
/// `Error::Config` after MPI_Finalize.
pub fn join(launched_by: Launcher, config: &Config) -> Result<World> {
    let mpi = library::of_launcher(&launched_by, config)?;
    let version = library::version(mpi);
    let finalizes = match mpi.state() {
        MpiState::Uninitialized => {
            mpi.initialize()
                .map_err(|failure| Error::fabric(format!("{version} did not start: {failure}")).caused_by(&failure))?;
            true
        }
        MpiState::Running => false,
        MpiState::Finalized => return Err(already_finalized()),
    };
    let comm = Comm::world(mpi)?;
    let size = comm.size();
    let exchange = MpiExchange::new(comm, finalizes);
    check_size(&launched_by, size, &version)?;
    world(mpi, exchange, format!("{} ({version})", launched_by.command), config)
}

/// Joins the ranks of an intracommunicator of the program, which is duplicated; all of its ranks call this.
///
/// # Errors
/// `Error::Config` if MPI is not initialized or already finalized, or if the communicator is null, one between groups,
/// or of another library; `Error::Fabric` if MPI fails.
pub fn join_comm(comm: RawComm, config: &Config) -> Result<World> {
    let mpi = library::of_program(config)?;
    match mpi.state() {
        MpiState::Running => {}
        MpiState::Uninitialized => {
            return Err(Error::config("a communicator was passed, but MPI is not initialized: call MPI_Init first"));
        }
        MpiState::Finalized => return Err(already_finalized()),
    }
    let version = library::version(mpi);
    let comm = mpi.handle_of(comm).ok_or_else(|| {
        Error::config(format!(
            "the communicator that was passed is not one of {version}, the MPI library that this program has loaded: \
             its handles are {}",
            if mpi.abi == Abi::Mpich { "numbers, not pointers" } else { "pointers, not numbers" }
        ))
    })?;
    if Comm::is_null(mpi, comm) {
        return Err(Error::config(
            "the communicator that was passed is MPI_COMM_NULL: only the ranks of a communicator start its cluster",
        ));
    }
    if Comm::is_between_groups(mpi, comm)? {
        return Err(Error::config(
            "the communicator that was passed is an intercommunicator: pass what MPI_Intercomm_merge makes of it",
        ));
    }
    nested::mark_rank(config);
    let comm = Comm::duplicate_of(mpi, comm)?;
    let launcher = format!("MPI_Init of the program ({version})");
    world(mpi, MpiExchange::new(comm, false), launcher, config)
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
            "{} uses {version}, which joined {size} of the {ranks} ranks that {} started: {}",
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
pub(super) fn this_process() -> String {
    let rank = rank_and_size().map_or("a rank".to_string(), |(rank, _)| format!("rank {rank}"));
    format!("{rank} on host {}", host_name())
}

fn world(mpi: &LoadedMpi, mut exchange: MpiExchange, mut launcher: String, config: &Config) -> Result<World> {
    let (rank, size) = exchange.rank_and_size()?;
    if size > RANKS_MAX {
        return Err(Error::fabric(format!("{size} ranks are more than the {RANKS_MAX} that one cluster may have")));
    }
    // Either all ranks or none open the transport, even if their settings differ. The secret is rank 0's.
    let wanted = matches!(config.fabric, FabricChoice::Auto | FabricChoice::Mpi);
    let level = mpi.thread_level();
    let mut mine = vec![level as u8, u8::from(wanted)];
    if rank == 0 {
        mine.extend_from_slice(Secret::random().bytes());
    }
    let responses = exchange.allgather(&mine)?;
    let secret = responses.first().and_then(|zero| zero.get(2..)?.try_into().ok()).map(Secret::from_bytes);
    let secret = secret.ok_or_else(|| Error::fabric("rank 0 shared no secret: start the same binary on every rank"))?;
    let least = |field: usize| responses.iter().map(|response| response.get(field).copied().unwrap_or(0)).min();
    let lowest = usize::from(least(0).unwrap_or(0)).min(THREAD_MULTIPLE as usize);
    let name = THREAD_LEVELS[lowest];
    let mpi = if lowest < THREAD_MULTIPLE as usize {
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
    use crate::boot::launcher::WireUp;

    #[test]
    fn check_size_names_a_launcher_of_another_library() {
        let mpiexec = Launcher { command: "mpiexec", ranks: Some(4), wire_up: WireUp::Pmi };
        assert!(check_size(&mpiexec, 4, "MPICH 4.0.2").is_ok());
        let error = check_size(&mpiexec, 1, "Open MPI 4.1.4").unwrap_err().to_string();
        for part in ["Open MPI 4.1.4", "mpiexec", "1 of the 4 ranks", "same MPI library", "on host "] {
            assert!(error.contains(part), "{error}");
        }
        let srun = Launcher { command: "srun", ranks: Some(2), wire_up: WireUp::Pmi };
        assert!(check_size(&srun, 1, "MPICH 4.0.2").unwrap_err().to_string().contains("--mpi=pmi2"));
        let unknown = Launcher { command: "mpirun", ranks: None, wire_up: WireUp::Pmix };
        assert!(check_size(&unknown, 3, "MPICH 4.0.2").is_ok());
    }

    #[test]
    fn join_comm_in_a_program_without_mpi_is_an_error() {
        let error = join_comm(RawComm::of(0x4400_0000), &Config::default()).err().expect("this program has no MPI");
        let text = error.to_string();
        assert!(matches!(error, Error::Config { .. }) && text.contains("MOBULA_MPI_LIBRARY"), "{text}");
    }
}
