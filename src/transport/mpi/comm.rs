//! A communicator that mobula owns, and the failures of MPI calls.
#![allow(unsafe_code)]

use crate::base::{Error, Rank};
use ::mpi::environment::{is_finalized, is_initialized};
use ::mpi::ffi;
use std::ffi::{c_char, c_int};
use std::fmt;

/// MPI's handle of a communicator: a pointer with Open MPI, a number with MPICH.
pub type RawComm = ffi::MPI_Comm;

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
    pub const CANCELLED: MpiFailure = MpiFailure { call: "MPI_Cancel", code: ffi::MPI_SUCCESS as c_int };

    /// The library keeps window memory in two copies.
    pub const TWO_COPIES: MpiFailure = MpiFailure { call: "MPI_WIN_SEPARATE", code: ffi::MPI_SUCCESS as c_int };
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
        if !is_running() {
            return write!(formatter, "{} failed with code {}", self.call, self.code);
        }
        let mut text = [0u8; ffi::MPI_MAX_ERROR_STRING as usize];
        let mut length: c_int = 0;
        // SAFETY: MPI is running, and `text` has the length that MPI requires.
        let result = unsafe { ffi::MPI_Error_string(self.code, text.as_mut_ptr().cast::<c_char>(), &mut length) };
        let known = if result == ffi::MPI_SUCCESS as c_int { length.clamp(0, text.len() as c_int) as usize } else { 0 };
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
    if code == ffi::MPI_SUCCESS as c_int { Ok(()) } else { Err(MpiFailure { call, code }) }
}

/// The request that is none.
pub fn null_request() -> ffi::MPI_Request {
    // SAFETY: a constant of the library, set when the program was loaded.
    unsafe { ffi::RSMPI_REQUEST_NULL }
}

/// The state of MPI in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MpiState {
    /// Not initialized yet.
    Uninitialized,
    /// Initialized.
    Running,
    /// Finalized, for good.
    Finalized,
}

/// Returns the state of MPI.
pub fn mpi_state() -> MpiState {
    match (is_initialized(), is_finalized()) {
        (_, true) => MpiState::Finalized,
        (false, _) => MpiState::Uninitialized,
        _ => MpiState::Running,
    }
}

/// True if MPI may be called: initialized and not yet finalized.
pub fn is_running() -> bool {
    mpi_state() == MpiState::Running
}

/// A communicator that this process owns and that nothing else sends on; errors come back as codes. Freed on drop.
#[derive(Debug)]
pub struct Comm {
    raw: RawComm,
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
    pub fn world() -> Result<Comm, MpiFailure> {
        // SAFETY: a constant of the library, set when the program was loaded.
        Comm::duplicate_of(unsafe { ffi::RSMPI_COMM_WORLD })
    }

    /// A duplicate of `raw`, an intracommunicator of the MPI library that this program is linked with. Collective.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn duplicate_of(raw: RawComm) -> Result<Comm, MpiFailure> {
        let mut copy = raw;
        let (mut rank, mut size): (c_int, c_int) = (0, 0);
        // SAFETY: the caller passes a live communicator; the results are written to locals.
        unsafe {
            check("MPI_Comm_dup", ffi::MPI_Comm_dup(raw, &mut copy))?;
            check("MPI_Comm_set_errhandler", ffi::MPI_Comm_set_errhandler(copy, ffi::RSMPI_ERRORS_RETURN))?;
            check("MPI_Comm_rank", ffi::MPI_Comm_rank(copy, &mut rank))?;
            check("MPI_Comm_size", ffi::MPI_Comm_size(copy, &mut size))?;
        }
        Ok(Comm { raw: copy, rank: rank as Rank, size: size as u32 })
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
    pub fn raw(&self) -> RawComm {
        self.raw
    }
}

impl Drop for Comm {
    fn drop(&mut self) {
        if is_running() {
            // SAFETY: MPI is running and this value owns the handle; nothing uses it afterwards.
            unsafe { ffi::MPI_Comm_free(&mut self.raw) };
        }
    }
}
