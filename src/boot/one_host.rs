//! Ranks that Open MPI's `mpirun` started on one host, all of them, meet there without MPI.
//!
//! `MPI_Init` takes a third of a second, and what it would bring, a road to other hosts, nobody of them needs. They meet through
//! a file that only this user can read, on the loopback address, as at MOBULA_RENDEZVOUS. Where the program has called
//! `MPI_Init` before, or MOBULA_FABRIC asks for MPI, MPI joins them.

use super::launched::{environment, number};
use super::rendezvous::{Place, join_at};
use super::{World, private};
use crate::base::config::FabricChoice;
use crate::base::{Config, Rank, Result};

/// The characters of a job's name, at most.
const NAME_CHARS_MAX: usize = 160;

/// This process among the ranks of such a job.
#[derive(Debug, PartialEq, Eq)]
pub struct Seat {
    rank: Rank,
    size: u32,
    /// The job's, on this host and while it lasts.
    name: String,
}

/// This process's place, where the launcher says that all of the job's ranks are on this host.
pub fn seat(config: &Config) -> Option<Seat> {
    let no_mpi = matches!(config.fabric, FabricChoice::Auto | FabricChoice::Shm | FabricChoice::Tcp);
    seat_by(environment).filter(|_| no_mpi && !mpi_runs())
}

#[cfg(feature = "mpi")]
fn mpi_runs() -> bool {
    crate::transport::mpi::life() != crate::transport::mpi::Life::Unborn
}

#[cfg(not(feature = "mpi"))]
fn mpi_runs() -> bool {
    false
}

fn seat_by(variable: impl Fn(&str) -> Option<String>) -> Option<Seat> {
    let count = |name: &str| number(&variable, name);
    let (rank, size) = (count("OMPI_COMM_WORLD_RANK")?, count("OMPI_COMM_WORLD_SIZE")?);
    let here = count("OMPI_COMM_WORLD_LOCAL_SIZE")?;
    // The job's number begins anew with each launcher; where that listens is its own.
    let launcher =
        ["PMIX_SERVER_URI41", "PMIX_SERVER_URI4", "PMIX_SERVER_URI2"].iter().find_map(|name| variable(name))?;
    let name = format!("{}-{launcher}", variable("PMIX_NAMESPACE")?);
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    let name = name.chars().map(plain).take(NAME_CHARS_MAX).collect();
    (rank < size && here == size).then_some(Seat { rank, size, name })
}

/// Joins the ranks of the job.
///
/// # Errors
/// `Error::Config` where the file cannot be written, `Error::Fabric` where the ranks do not come together.
pub fn join(seat: Seat, config: &Config) -> Result<World> {
    // It is this user's alone, and there only until the ranks have met.
    let path = std::env::temp_dir().join(format!("mobula-{}-{}", private::user(), seat.name));
    let launcher = "mpirun (one host, without MPI_Init)".to_string();
    // It ends all ranks when one dies, where it is not told otherwise.
    let world = join_at(Place::OneHost(&path), (seat.rank, seat.size), launcher, config)?;
    Ok(World { mpi: Err("all ranks are on one host".to_string()), outlives: false, ..world })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seated(changed: &[(&str, Option<&str>)]) -> Option<Seat> {
        let usual = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
            ("PMIX_NAMESPACE", "541655041"),
            ("PMIX_SERVER_URI41", "541655040.0;tcp4://127.0.0.1:39113"),
        ];
        seat_by(|name| {
            let other = changed.iter().find(|(known, _)| *known == name);
            let usual = usual.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
            other.map_or(usual, |(_, value)| value.map(str::to_string))
        })
    }

    #[test]
    fn a_job_of_one_host_has_a_name_of_its_own() {
        let seat = seated(&[]).expect("all ranks are here");
        assert_eq!((seat.rank, seat.size), (1, 2));
        assert_eq!(seat.name, "541655041-541655040.0-tcp4---127.0.0.1-39113");
        let of_another = seated(&[("PMIX_SERVER_URI41", Some("541655040.0;tcp4://127.0.0.1:39114"))]);
        assert_ne!(of_another.expect("as well").name, seat.name);
        let long = "a/".repeat(400);
        assert_eq!(seated(&[("PMIX_NAMESPACE", Some(&long))]).expect("as well").name.len(), NAME_CHARS_MAX);
    }

    #[test]
    fn others_meet_by_mpi() {
        assert_eq!(seated(&[("OMPI_COMM_WORLD_SIZE", Some("4"))]), None, "two of them are elsewhere");
        for missing in ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_NAMESPACE", "PMIX_SERVER_URI41"] {
            assert_eq!(seated(&[(missing, None)]), None, "{missing}");
        }
        assert_eq!(seated(&[("OMPI_COMM_WORLD_RANK", Some("2"))]), None, "no such rank");
    }
}
