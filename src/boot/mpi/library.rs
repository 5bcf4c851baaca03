//! The MPI library as a whole: its version, its thread level, its initialization and finalization.
#![allow(unsafe_code)]

use crate::transport::mpi::{MpiFailure, MpiState, check, mpi_state};
use ::mpi::ffi;
use std::ffi::{c_char, c_int};

/// What threads may do with MPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThreadLevel {
    /// There is one thread.
    Single,
    /// The thread that initialized MPI calls it.
    Funneled,
    /// One thread at a time calls it.
    Serialized,
    /// Any thread calls it at any time.
    Multiple,
}

impl ThreadLevel {
    /// The name in the standard.
    pub fn name(self) -> &'static str {
        match self {
            ThreadLevel::Single => "SINGLE",
            ThreadLevel::Funneled => "FUNNELED",
            ThreadLevel::Serialized => "SERIALIZED",
            ThreadLevel::Multiple => "MULTIPLE",
        }
    }

    /// From its index in the order, the form in which ranks exchange it.
    pub fn from_index(index: u8) -> ThreadLevel {
        use ThreadLevel::{Funneled, Multiple, Serialized, Single};
        *[Single, Funneled, Serialized, Multiple].get(usize::from(index)).unwrap_or(&Single)
    }

    fn of(level: c_int) -> ThreadLevel {
        // SAFETY: constants of the library, set when the program was loaded.
        let (funneled, serialized, multiple) =
            unsafe { (ffi::RSMPI_THREAD_FUNNELED, ffi::RSMPI_THREAD_SERIALIZED, ffi::RSMPI_THREAD_MULTIPLE) };
        // The standard orders the levels.
        match level {
            level if level >= multiple => ThreadLevel::Multiple,
            level if level >= serialized => ThreadLevel::Serialized,
            level if level >= funneled => ThreadLevel::Funneled,
            _ => ThreadLevel::Single,
        }
    }
}

/// Calls MPI_Init_thread for MULTIPLE; returns the level provided. From here on MPI returns errors as codes.
pub fn initialize() -> Result<ThreadLevel, MpiFailure> {
    let mut provided: c_int = 0;
    // SAFETY: MPI is not initialized yet (checked by the caller); it accepts null for argc and argv.
    unsafe {
        let requested = ffi::RSMPI_THREAD_MULTIPLE;
        check(
            "MPI_Init_thread",
            ffi::MPI_Init_thread(std::ptr::null_mut(), std::ptr::null_mut(), requested, &mut provided),
        )?;
        check(
            "MPI_Comm_set_errhandler",
            ffi::MPI_Comm_set_errhandler(ffi::RSMPI_COMM_WORLD, ffi::RSMPI_ERRORS_RETURN),
        )?;
    }
    Ok(ThreadLevel::of(provided))
}

/// The thread level at which the program initialized MPI.
pub fn thread_level() -> Result<ThreadLevel, MpiFailure> {
    let mut provided: c_int = 0;
    // SAFETY: MPI is running (checked by the caller); the result goes to a local.
    check("MPI_Query_thread", unsafe { ffi::MPI_Query_thread(&mut provided) })?;
    Ok(ThreadLevel::of(provided))
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
    let mut text = vec![0u8; ffi::MPI_MAX_LIBRARY_VERSION_STRING as usize];
    let mut length: c_int = 0;
    // SAFETY: may be called at any time; `text` has the length that MPI requires.
    let code = unsafe { ffi::MPI_Get_library_version(text.as_mut_ptr().cast::<c_char>(), &mut length) };
    if check("MPI_Get_library_version", code).is_err() {
        return "an MPI library of unknown version".to_string();
    }
    text.truncate(usize::try_from(length).unwrap_or(0));
    short_version(&String::from_utf8_lossy(&text))
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
        // SAFETY: a constant of the library.
        assert_eq!(ThreadLevel::of(unsafe { ffi::RSMPI_THREAD_MULTIPLE }), ThreadLevel::Multiple);
        // SAFETY: a constant of the library.
        assert_eq!(ThreadLevel::of(unsafe { ffi::RSMPI_THREAD_SINGLE }), ThreadLevel::Single);
        assert!(ThreadLevel::Serialized < ThreadLevel::Multiple);
        assert_eq!(ThreadLevel::from_index(ThreadLevel::Funneled as u8).name(), "FUNNELED");
    }

    #[test]
    fn version_is_known_before_initialization() {
        assert!(version().chars().any(|letter| letter.is_ascii_digit()), "{}", version());
    }
}
