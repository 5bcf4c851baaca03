//! The library that this process uses: its functions with its constants (MPI-LIBRARY-2).
#![allow(unsafe_code)]

use super::abi::{Abi, Constants, OPEN_MPI_WORLD, VERSION_STRING_MAX};
use super::functions::Functions;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

/// Names under which the system's loader knows a library that something in the program has loaded for itself alone.
const LOADED_NAMES: [&CStr; 3] = [c"libmpi.so.40", c"libmpich.so.12", c"libmpi.so.12"];

/// A loaded MPI library.
pub struct LoadedMpi {
    /// Its ABI.
    pub abi: Abi,
    /// Its constants.
    pub constants: Constants,
    /// Its functions.
    pub call: Functions,
}

/// The process's library (MPI-LIBRARY-1).
static LOADED: OnceLock<LoadedMpi> = OnceLock::new();

/// The library that was chosen, or that the program has loaded itself, which is chosen from now on; `None` if there is
/// none.
pub fn loaded() -> Option<&'static LoadedMpi> {
    LOADED.get().or_else(|| of_program().map(choose))
}

/// Chooses a library, unless one was chosen before; returns the chosen one.
pub(super) fn choose(mpi: LoadedMpi) -> &'static LoadedMpi {
    LOADED.get_or_init(|| mpi)
}

/// Why a library cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLibrary {
    /// It lacks a function or variable.
    #[error("it has no {0:?}")]
    Lacks(&'static CStr),
    /// It says what it is, and that is none of those that are known.
    #[error("its ABI is not known, neither that of Open MPI nor that of MPICH: {0}")]
    OtherAbi(String),
}

/// What `dlopen` returned, or one of its special values.
#[derive(Clone, Copy)]
pub(super) struct Symbols(pub(super) *mut c_void);

impl Symbols {
    fn find(self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the handle is that of a library which stays open while it is looked into.
        NonNull::new(unsafe { libc::dlsym(self.0, name.as_ptr()) })
    }

    /// The ABI of the library; `None` if it is no MPI library.
    pub(super) fn abi(self) -> Option<Abi> {
        self.find(c"MPI_Init_thread")?;
        Some(if self.find(OPEN_MPI_WORLD).is_some() { Abi::OpenMpi } else { Abi::Mpich })
    }

    /// The library's functions and constants.
    pub(super) fn load(self) -> Result<LoadedMpi, UnknownLibrary> {
        let abi = self.abi().ok_or(UnknownLibrary::Lacks(c"MPI_Init_thread"))?;
        // SAFETY: all come from one library, or from what a profiler has put before it; its ABI is Open MPI's, by its
        // variables, or is asked for below before any function is given a handle.
        let call = unsafe { Functions::find(|name| self.find(name)) }.map_err(UnknownLibrary::Lacks)?;
        let constants = match abi {
            Abi::OpenMpi => Constants::of_open_mpi(|name| self.find(name).map(|found| found.addr().get()))
                .map_err(UnknownLibrary::Lacks)?,
            Abi::Mpich => Constants::MPICH,
        };
        let mpi = LoadedMpi { abi, constants, call };
        let version = mpi.version();
        match abi {
            Abi::Mpich if !is_of_mpich(&version) => {
                Err(UnknownLibrary::OtherAbi(version.lines().next().unwrap_or_default().to_string()))
            }
            _ => Ok(mpi),
        }
    }
}

/// True if the version is that of a library with MPICH's ABI.
fn is_of_mpich(version: &str) -> bool {
    ["MPICH", "Intel(R) MPI", "MVAPICH"].iter().any(|name| version.contains(name))
}

/// The library that the program is linked with, or has opened.
fn of_program() -> Option<LoadedMpi> {
    let of_all = Symbols(libc::RTLD_DEFAULT);
    if of_all.abi().is_some()
        && let Ok(mpi) = of_all.load()
    {
        return Some(mpi);
    }
    LOADED_NAMES.iter().find_map(|name| {
        // SAFETY: this opens nothing, and so runs no code: it finds what is loaded already.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
        if handle.is_null() { None } else { Symbols(handle).load().ok() }
    })
}

impl LoadedMpi {
    /// What the library says of itself: its name and version, and with MPICH many lines more.
    pub fn version(&self) -> String {
        let mut text = [0u8; VERSION_STRING_MAX];
        let mut length: c_int = 0;
        // SAFETY: `text` is as long as either library requires; the function may be called before MPI is initialized.
        let code = unsafe { (self.call.get_library_version)(text.as_mut_ptr().cast(), &mut length) };
        let known = if code == super::abi::SUCCESS { usize::try_from(length).unwrap_or(0).min(text.len()) } else { 0 };
        String::from_utf8_lossy(&text[..known]).trim_end_matches('\0').to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_without_mpi_has_none() {
        // Other tests of this process open none either: those that do are ranks of their own.
        assert!(loaded().is_none());
    }

    #[test]
    fn libraries_of_other_abis_are_known_by_their_version() {
        for known in ["MPICH Version:\t4.0.2", "Intel(R) MPI Library 2021.9 for Linux* OS", "MVAPICH2 Version: 2.3.7"] {
            assert!(is_of_mpich(known), "{known}");
        }
        assert!(is_of_mpich("MPI VERSION    : CRAY MPICH version 8.1.29"));
        assert!(!is_of_mpich("HPE MPT 2.30"));
    }
}
