//! Ranks that Open MPI's `mpirun` started all on one host meet there without MPI.
//!
//! `MPI_Init` takes a third of a second, and its benefit, a transport to other hosts, is not needed. Rank 0 listens on
//! the loopback address and offers its port and a new secret to the processes of its user (`local_offer`), under a name
//! that follows from the launcher's variables. No folder takes part, so the ranks may differ in TMPDIR, HOME and all
//! that they mount. If the program has called `MPI_Init` before, or MOBULA_FABRIC requests MPI, they join through MPI.

use super::World;
use super::launcher::{environment, number};
use super::launcher_process::launcher_process;
use super::private::hex;
use super::rendezvous::{MeetingPoint, join_at};
use crate::base::config::FabricChoice;
use crate::base::host::host_name;
use crate::base::{Config, Error, Rank, Result};
use crate::transport::tcp::handshake::Secret;
use std::fs::read_link;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The variables in which launchers tell where they listen.
const LAUNCHER_ADDRESSES: [&str; 3] = ["PMIX_SERVER_URI41", "PMIX_SERVER_URI4", "PMIX_SERVER_URI2"];

/// A random number of the job, where the launcher has one: it keeps others from guessing the socket's name.
const JOB_NUMBER: &str = "OMPI_MCA_orte_precondition_transports";

/// How long the launcher, on this host, may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// This process in a job whose ranks are all on this host.
#[derive(Debug, PartialEq, Eq)]
pub struct LocalJob {
    rank: Rank,
    size: u32,
    /// The job's name, unique on this host while the job runs.
    name: String,
    /// Where its launcher listens, as PMIx writes it.
    launcher: String,
    /// The name of the socket over which rank 0 tells the others where it listens.
    socket: String,
}

/// This process's job, if the launcher's variables show that all of its ranks are on this host.
pub fn local_job(config: &Config) -> Option<LocalJob> {
    let no_mpi = matches!(config.fabric, FabricChoice::Auto | FabricChoice::Shm | FabricChoice::Tcp);
    local_job_by(environment).filter(|_| no_mpi && !mpi_runs())
}

#[cfg(feature = "mpi")]
fn mpi_runs() -> bool {
    crate::transport::mpi::mpi_state() != crate::transport::mpi::MpiState::Uninitialized
}

#[cfg(not(feature = "mpi"))]
fn mpi_runs() -> bool {
    false
}

fn local_job_by(variable: impl Fn(&str) -> Option<String>) -> Option<LocalJob> {
    let count = |name: &str| number(&variable, name);
    let (rank, size) = (count("OMPI_COMM_WORLD_RANK")?, count("OMPI_COMM_WORLD_SIZE")?);
    let here = count("OMPI_COMM_WORLD_LOCAL_SIZE")?;
    // The namespace's number starts anew with each launcher; the address at which the launcher listens is unique.
    let launcher = LAUNCHER_ADDRESSES.iter().find_map(|name| variable(name))?;
    let name = format!("{} of {launcher}", variable("PMIX_NAMESPACE")?);
    let digest = Secret::from_text(&format!("{name} {}", variable(JOB_NUMBER).unwrap_or_default()));
    let socket = format!("mobula-{}", hex(&digest.bytes()[..16]));
    (rank < size && here == size).then_some(LocalJob { rank, size, name, launcher, socket })
}

/// Joins the ranks of the job.
///
/// # Errors
/// `Error::Fabric` if the ranks do not meet, at once if this one has a network of its own.
pub fn join(local_job: LocalJob, config: &Config) -> Result<World> {
    let LocalJob { rank, size, name, launcher, socket } = local_job;
    if size > 1 {
        check_network(rank, &launcher)?;
    }
    let meeting_point = MeetingPoint::OneHost { socket: &socket, job: &name };
    // By default, the launcher ends all ranks when one dies.
    let world = join_at(meeting_point, (rank, size), "mpirun (one host, without MPI_Init)".to_string(), config)?;
    Ok(World { mpi: Err(super::NoMpiTransport::OneHost), survives_rank_death: false, ..world })
}

/// The ranks' sockets, and those of MPI, exist once in each network namespace.
fn check_network(rank: Rank, launcher: &str) -> Result<()> {
    let network = |pid: &str| read_link(format!("/proc/{pid}/ns/net"));
    let launcher_network = launcher_process().and_then(|process| network(&process.pid.to_string()).ok());
    let separated = match (network("self").ok(), launcher_network) {
        (Some(mine), Some(of_launcher)) if mine == of_launcher => None,
        (Some(_), Some(_)) => Some("it has another network namespace than its launcher".to_string()),
        // The launcher's process is hidden, by a PID or user namespace.
        _ => launcher_refuses(launcher),
    };
    let Some(why) = separated else { return Ok(()) };
    Err(Error::fabric(format!(
        "rank {rank} on host {} cannot meet the other ranks of its host: {why}. Start all ranks in the network of \
         their launcher (podman run --network=host, no unshare --net), or set MOBULA_RENDEZVOUS to a file that all \
         ranks see, if their networks are connected",
        host_name()
    )))
}

/// Why the launcher cannot be reached, where its address is understood.
fn launcher_refuses(launcher: &str) -> Option<String> {
    let (_, address) = launcher.split_once("tcp4://")?;
    let address: SocketAddr = address.trim_end_matches('/').parse().ok()?;
    let error = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).err()?;
    Some(format!("it does not reach its launcher at {address} ({error}), so its network namespace is another one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local_job_with(changed: &[(&str, Option<&str>)]) -> Option<LocalJob> {
        let usual = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
            ("PMIX_NAMESPACE", "541655041"),
            ("PMIX_SERVER_URI41", "541655040.0;tcp4://127.0.0.1:39113"),
        ];
        local_job_by(|name| {
            let other = changed.iter().find(|(known, _)| *known == name);
            let usual = usual.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
            other.map_or(usual, |(_, value)| value.map(str::to_string))
        })
    }

    #[test]
    fn job_on_one_host_has_a_unique_name() {
        let local_job = local_job_with(&[]).expect("all ranks are here");
        assert_eq!((local_job.rank, local_job.size), (1, 2));
        assert_eq!(local_job.name, "541655041 of 541655040.0;tcp4://127.0.0.1:39113");
        assert!(local_job.socket.len() < 100, "the kernel takes 107 bytes");
        let socket_with = |name, value: &str| local_job_with(&[(name, Some(value))]).expect("as well").socket;
        for (name, value) in [
            ("PMIX_SERVER_URI41", "541655040.0;tcp4://127.0.0.1:39114"),
            ("PMIX_NAMESPACE", "541655042"),
            ("OMPI_MCA_orte_precondition_transports", "1f2e-3d4c"),
        ] {
            assert_ne!(socket_with(name, value), local_job.socket, "{name}");
        }
        assert_eq!(socket_with("OMPI_COMM_WORLD_RANK", "0"), local_job.socket, "the same for all ranks");
        assert_eq!(socket_with("TMPDIR", "/elsewhere"), local_job.socket);
    }

    #[test]
    fn launcher_that_does_not_listen_here_is_noticed() {
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let why = launcher_refuses(&format!("1.0;tcp4://{unused}")).unwrap();
        assert!(why.contains(&unused.to_string()), "{why}");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(launcher_refuses(&format!("1.0;tcp4://{}", listener.local_addr().unwrap())), None);
        assert_eq!(launcher_refuses("of another form"), None);
    }

    #[test]
    fn job_on_several_hosts_is_no_local_job() {
        assert_eq!(local_job_with(&[("OMPI_COMM_WORLD_SIZE", Some("4"))]), None, "two of them are elsewhere");
        for missing in ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_NAMESPACE", "PMIX_SERVER_URI41"] {
            assert_eq!(local_job_with(&[(missing, None)]), None, "{missing}");
        }
        assert_eq!(local_job_with(&[("OMPI_COMM_WORLD_RANK", Some("2"))]), None, "no such rank");
    }
}
