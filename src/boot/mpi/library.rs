//! The MPI library as a whole: its version, its thread level, its initialization and finalization.
#![allow(unsafe_code)]

use crate::transport::mpi::{MpiFailure, MpiState, check, mpi_state};
use ::mpi::Threading;
use ::mpi::environment::library_version;
use ::mpi::ffi;
use std::ffi::c_int;

/// What threads may do with MPI, in the order of the standard, with the names there; ranks exchange the index.
pub const THREAD_LEVELS: [(Threading, &str); 4] = [
    (Threading::Single, "SINGLE"),
    (Threading::Funneled, "FUNNELED"),
    (Threading::Serialized, "SERIALIZED"),
    (Threading::Multiple, "MULTIPLE"),
];

/// Calls MPI_Init_thread for MULTIPLE. From here on MPI returns errors as codes.
pub fn initialize() -> Result<(), MpiFailure> {
    let mut provided: c_int = 0;
    // SAFETY: MPI is not initialized yet (checked by the caller); it accepts null for argc and argv.
    unsafe {
        let (none, requested) = (std::ptr::null_mut(), ffi::RSMPI_THREAD_MULTIPLE);
        check("MPI_Init_thread", ffi::MPI_Init_thread(none, std::ptr::null_mut(), requested, &mut provided))?;
        let code = ffi::MPI_Comm_set_errhandler(ffi::RSMPI_COMM_WORLD, ffi::RSMPI_ERRORS_RETURN);
        check("MPI_Comm_set_errhandler", code)
    }
}

/// Calls MPI_Finalize, if MPI is running.
pub fn finalize() {
    if mpi_state() == MpiState::Running {
        // SAFETY: MPI is running. Everything of MPI that this crate owned is freed: the exchange calls this last.
        unsafe { ffi::MPI_Finalize() };
    }
}

/// The library's name and version in short form: `Open MPI 4.1.4`, `MPICH 4.0.2`.
pub fn version() -> String {
    library_version().map_or_else(|_| "an MPI library of unknown version".to_string(), |text| short_version(&text))
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
    fn levels_have_the_order_of_the_standard() {
        assert!(THREAD_LEVELS.is_sorted_by_key(|(level, _)| *level));
        assert_eq!(THREAD_LEVELS[3], (Threading::Multiple, "MULTIPLE"));
    }

    #[test]
    fn version_is_known_before_initialization() {
        assert!(version().chars().any(|letter| letter.is_ascii_digit()), "{}", version());
    }
}
