//! A communicator that mobula owns, and the failures of MPI calls.
#![allow(unsafe_code)]

use super::library::{ERROR_STRING_MAX, Handle, LoadedMpi, SUCCESS, loaded};
use crate::base::{Error, Rank};
use std::ffi::c_int;
use std::fmt;

/// A failed call of MPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MpiFailure {
    /// The name of the call.
    pub call: &'static str,
    /// The code it returned.
    pub code: c_int,
}

impl MpiFailure {
    /// A receive that was cancelled because its peer has failed.
    pub const CANCELLED: MpiFailure = MpiFailure { call: "MPI_Cancel", code: SUCCESS };

    /// The library keeps window memory in two copies.
    pub const TWO_COPIES: MpiFailure = MpiFailure { call: "MPI_WIN_SEPARATE", code: SUCCESS };
}

impl std::error::Error for MpiFailure {}

impl fmt::Display for MpiFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == MpiFailure::CANCELLED {
            return formatter.write_str("cancelled because the peer has failed");
        }
        if *self == MpiFailure::TWO_COPIES {
            return formatter.write_str("the library keeps window memory in two copies (MPI_WIN_SEPARATE)");
        }
        let Some(mpi) = loaded().ok().flatten().filter(|mpi| mpi.is_running()) else {
            return write!(formatter, "{} failed with code {}", self.call, self.code);
        };
        let mut text = [0u8; ERROR_STRING_MAX];
        let mut length: c_int = 0;
        // SAFETY: MPI is running, and `text` has the length that MPI requires.
        let result = unsafe { (mpi.call.error_string)(self.code, text.as_mut_ptr().cast(), &mut length) };
        let known = if result == SUCCESS { length.clamp(0, text.len() as c_int) as usize } else { 0 };
        write!(formatter, "{} failed with code {}: {}", self.call, self.code, String::from_utf8_lossy(&text[..known]))
    }
}

impl From<MpiFailure> for Error {
    fn from(failure: MpiFailure) -> Error {
        Error::fabric(failure.to_string())
    }
}

/// Turns the code that an MPI call returned into a result.
///
/// # Errors
/// The failure, for any code but MPI_SUCCESS.
pub fn check(call: &'static str, code: c_int) -> Result<(), MpiFailure> {
    if code == SUCCESS { Ok(()) } else { Err(MpiFailure { call, code }) }
}

/// A communicator that this process owns and that nothing else sends on; errors come back as codes. Freed on drop.
pub struct Comm {
    mpi: &'static LoadedMpi,
    raw: Handle,
    rank: Rank,
    size: u32,
}

// SAFETY: a handle is a name that MPI itself looks up; with MPI_THREAD_MULTIPLE every call on it may come from any
// thread. Below that level only the thread that created the `Comm` uses it: no transport is created there (see
// `boot::mpi`).
unsafe impl Send for Comm {}
// SAFETY: as for Send.
unsafe impl Sync for Comm {}

impl Comm {
    /// A duplicate of the communicator of all ranks that the launcher started. Collective.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn world(mpi: &'static LoadedMpi) -> Result<Comm, MpiFailure> {
        Comm::duplicate_of(mpi, mpi.constants.comm_world)
    }

    /// True of MPI_COMM_NULL, and of the NULL that Open MPI returns for a number which is not one of Fortran's.
    pub fn is_null(mpi: &'static LoadedMpi, raw: Handle) -> bool {
        raw == mpi.constants.comm_null || raw == Handle::of_number(0)
    }

    /// True if `raw`, a communicator of that library, is an intercommunicator.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn is_between_groups(mpi: &'static LoadedMpi, raw: Handle) -> Result<bool, MpiFailure> {
        let mut is: c_int = 0;
        // SAFETY: the caller passes a live communicator; the result is written to a local.
        check("MPI_Comm_test_inter", unsafe { (mpi.call.comm_test_inter)(raw, &mut is) })?;
        Ok(is != 0)
    }

    /// A duplicate of `raw`, an intracommunicator of that library. Collective.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn duplicate_of(mpi: &'static LoadedMpi, raw: Handle) -> Result<Comm, MpiFailure> {
        let mut copy = raw;
        let (mut rank, mut size): (c_int, c_int) = (0, 0);
        // SAFETY: the caller passes a live communicator; the results are written to locals.
        unsafe {
            check("MPI_Comm_dup", (mpi.call.comm_dup)(raw, &mut copy))?;
            copy = copy.written_by(mpi.abi);
            let code = (mpi.call.comm_set_errhandler)(copy, mpi.constants.errors_return);
            check("MPI_Comm_set_errhandler", code)?;
            check("MPI_Comm_rank", (mpi.call.comm_rank)(copy, &mut rank))?;
            check("MPI_Comm_size", (mpi.call.comm_size)(copy, &mut size))?;
        }
        Ok(Comm { mpi, raw: copy, rank: rank as Rank, size: size as u32 })
    }

    /// The library whose communicator it is.
    pub fn mpi(&self) -> &'static LoadedMpi {
        self.mpi
    }

    /// This process's rank in the communicator.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// The number of its processes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// MPI's handle, valid while `self` lives.
    pub fn raw(&self) -> Handle {
        self.raw
    }
}

impl Drop for Comm {
    fn drop(&mut self) {
        if self.mpi.is_running() {
            // SAFETY: MPI is running and this value owns the handle; nothing uses it afterwards.
            unsafe { (self.mpi.call.comm_free)(&mut self.raw) };
        }
    }
}
