//! The MPI library of the launcher or of the program, and what it is called in texts.

use super::world::this_process;
use crate::base::{Config, Error, Result};
use crate::boot::launcher::{Launcher, WireUp};
use crate::transport::mpi::{Abi, LoadedMpi, MpiLibraryError, loaded, open};

/// What threads may do with MPI: the standard's names of the levels, by their numbers, which ranks exchange.
pub const THREAD_LEVELS: [&str; 4] = ["SINGLE", "FUNNELED", "SERIALIZED", "MULTIPLE"];

/// The library of the ranks that this launcher started: the one that the program uses itself, else the one that
/// MOBULA_MPI_LIBRARY names, else one that the launcher tells of the other ranks.
///
/// # Errors
/// `Error::Fabric` if there is none; it says what was looked for.
pub fn of_launcher(launched_by: &Launcher, config: &Config) -> Result<&'static LoadedMpi> {
    open(config.mpi_library.as_deref(), abis(launched_by)).map_err(|error| missing(launched_by, error))
}

/// The library that the program uses itself. One that was linked into it statically is not seen.
///
/// # Errors
/// `Error::Config` if it uses none, or one that cannot be called.
pub fn of_program(config: &Config) -> Result<&'static LoadedMpi> {
    let no_library = "a communicator was passed, but this program has loaded no MPI library: call MPI_Init first, and \
                      link the library dynamically; MOBULA_MPI_LIBRARY names one that was loaded under another name";
    let mpi = match &config.mpi_library {
        None => loaded().map_err(MpiLibraryError::OfProgram),
        Some(path) => open(Some(path), &[]).map(Some),
    };
    match mpi {
        Ok(mpi) => mpi.ok_or_else(|| Error::config(no_library)),
        Err(error @ MpiLibraryError::OfProgram(_)) => Err(Error::config(format!(
            "a communicator was passed, and {error}. Call init instead of init_with_comm, with {MEET_WITHOUT_MPI}"
        ))),
        Err(error) => Err(Error::config(error.to_string())),
    }
}

/// The way out where the program's own library cannot be used.
const MEET_WITHOUT_MPI: &str = "MOBULA_RENDEZVOUS set to host:port of rank 0 or to a file that all ranks see: the \
                                ranks then meet over TCP";

/// The ABIs of the libraries that this launcher tells of the other ranks, the likely one first. A second one only where
/// the number of ranks is known: `check_size` then notices that the library is not told of them.
fn abis(launched_by: &Launcher) -> &'static [Abi] {
    match (launched_by.wire_up, launched_by.command) {
        (WireUp::OpenMpi, _) => &[Abi::OpenMpi],
        (WireUp::Pmix, "srun") => &[Abi::OpenMpi, Abi::Mpich],
        (WireUp::Pmix, _) => &[Abi::OpenMpi],
        (WireUp::Pmi, "srun") => &[Abi::Mpich, Abi::OpenMpi],
        (WireUp::Pmi, _) => &[Abi::Mpich],
    }
}

fn missing(Launcher { command, ranks, .. }: &Launcher, error: MpiLibraryError) -> Error {
    let ranks = ranks.map_or("ranks".to_string(), |ranks| format!("{ranks} ranks"));
    let started = format!("{}: {command} started {ranks} for MPI to join, and", this_process());
    Error::fabric(match &error {
        MpiLibraryError::OfProgram(_) => format!("{started} {error}. Start the program with {MEET_WITHOUT_MPI}"),
        MpiLibraryError::Named { .. } => format!(
            "{started} there is no MPI library: {error}: name the libmpi.so of the MPI that {command} belongs to"
        ),
        MpiLibraryError::NotFound { .. } => format!(
            "{started} there is no MPI library: {error}. Load the module of the MPI that {command} belongs to, or set \
             MOBULA_MPI_LIBRARY to the path of its libmpi.so"
        ),
    })
}

/// The library's name and version in short form: `Open MPI 4.1.4`, `MPICH 4.0.2`.
pub fn version(mpi: &LoadedMpi) -> String {
    let short = short_version(&mpi.version());
    if short.is_empty() { "an MPI library of unknown version".to_string() } else { short }
}

/// The first line up to its first comma, without the word "version" and the like.
fn short_version(text: &str) -> String {
    let first = text.split(['\n', ',', '\0']).next().unwrap_or_default();
    let words = first.split([' ', '\t', ':']).filter(|word| !word.is_empty());
    let words = words.filter(|word| !word.eq_ignore_ascii_case("version"));
    let words = words.map(|word| match word.strip_prefix('v') {
        Some(number) if number.starts_with(|letter: char| letter.is_ascii_digit()) => number,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::mpi::THREAD_MULTIPLE;

    #[test]
    fn short_version_keeps_name_and_number() {
        assert_eq!(short_version("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4"), "Open MPI 4.1.4");
        assert_eq!(short_version("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7"), "MPICH 4.0.2");
        assert_eq!(
            short_version("Intel(R) MPI Library 2021.9 for Linux* OS\n"),
            "Intel(R) MPI Library 2021.9 for Linux* OS"
        );
    }

    #[test]
    fn levels_have_the_numbers_of_the_standard() {
        assert_eq!(THREAD_LEVELS[THREAD_MULTIPLE as usize], "MULTIPLE");
    }

    #[test]
    fn second_library_is_tried_only_where_the_number_of_ranks_is_known() {
        let launchers = [("mpirun", WireUp::OpenMpi), ("mpirun", WireUp::Pmix), ("mpiexec", WireUp::Pmi)];
        for (command, wire_up) in launchers {
            assert_eq!(abis(&Launcher { command, ranks: None, wire_up }).len(), 1, "{command}");
        }
        let of_step = |wire_up| abis(&Launcher { command: "srun", ranks: Some(2), wire_up });
        assert_eq!(of_step(WireUp::Pmix), [Abi::OpenMpi, Abi::Mpich]);
        assert_eq!(of_step(WireUp::Pmi), [Abi::Mpich, Abi::OpenMpi]);
    }

    #[test]
    fn error_without_a_library_says_what_to_do() {
        let mpiexec = Launcher { command: "mpiexec", ranks: Some(2), wire_up: WireUp::Pmi };
        let looked_for = vec!["no library of MPICH was found".to_string(), "no library of Open MPI".to_string()];
        let not_found = MpiLibraryError::NotFound { looked_for };
        let text = missing(&mpiexec, not_found).to_string();
        for part in [
            " on host ",
            "mpiexec started 2 ranks",
            "no library of MPICH was found; no library of Open MPI. Load",
            "set MOBULA_MPI",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let named = MpiLibraryError::Named { path: "/a/libmpi.so".into(), reason: "no such file".into() };
        let text = missing(&mpiexec, named).to_string();
        assert!(text.contains("MOBULA_MPI_LIBRARY=/a/libmpi.so: no such file"), "{text}");
    }
}
