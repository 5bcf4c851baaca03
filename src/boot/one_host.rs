//! Ranks that Open MPI's `mpirun` started all on one host meet there without MPI.
//!
//! `MPI_Init` takes a third of a second, and its benefit, a transport to other hosts, is not needed. The ranks meet
//! through a file that only this user can read, on the loopback address, as with MOBULA_RENDEZVOUS. If the program has
//! called `MPI_Init` before, or MOBULA_FABRIC requests MPI, they join through MPI.

use super::launcher::{environment, number};
use super::rendezvous::{MeetingPoint, join_at};
use super::{World, private};
use crate::base::config::FabricChoice;
use crate::base::{Config, Rank, Result};

/// The most characters of a job's name.
const NAME_CHARS_MAX: usize = 160;

/// This process in a job whose ranks are all on this host.
#[derive(Debug, PartialEq, Eq)]
pub struct LocalJob {
    rank: Rank,
    size: u32,
    /// The job's name, unique on this host while the job runs.
    name: String,
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
    let launcher =
        ["PMIX_SERVER_URI41", "PMIX_SERVER_URI4", "PMIX_SERVER_URI2"].iter().find_map(|name| variable(name))?;
    let name = format!("{}-{launcher}", variable("PMIX_NAMESPACE")?);
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    let name = name.chars().map(plain).take(NAME_CHARS_MAX).collect();
    (rank < size && here == size).then_some(LocalJob { rank, size, name })
}

/// Joins the ranks of the job.
///
/// # Errors
/// `Error::Config` if the file cannot be written, `Error::Fabric` if the ranks do not meet.
pub fn join(local_job: LocalJob, config: &Config) -> Result<World> {
    // Only this user can read it, and it exists only until the ranks have met.
    let path = std::env::temp_dir().join(format!("mobula-{}-{}", private::user(), local_job.name));
    let launcher = "mpirun (one host, without MPI_Init)".to_string();
    // By default, it ends all ranks when one dies.
    let world = join_at(MeetingPoint::OneHost(&path), (local_job.rank, local_job.size), launcher, config)?;
    Ok(World { mpi: Err(super::NoMpiTransport::OneHost), survives_rank_death: false, ..world })
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
        assert_eq!(local_job.name, "541655041-541655040.0-tcp4---127.0.0.1-39113");
        let other_launcher = local_job_with(&[("PMIX_SERVER_URI41", Some("541655040.0;tcp4://127.0.0.1:39114"))]);
        assert_ne!(other_launcher.expect("as well").name, local_job.name);
        let long = "a/".repeat(400);
        assert_eq!(local_job_with(&[("PMIX_NAMESPACE", Some(&long))]).expect("as well").name.len(), NAME_CHARS_MAX);
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
