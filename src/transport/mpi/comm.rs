//! A communicator of our own, and what MPI says when a call fails.
#![allow(unsafe_code)]

use crate::base::{Error, Rank};
use ::mpi::ffi;
use std::ffi::{c_char, c_int};
use std::fmt;

/// MPI's own handle of a communicator: a pointer with Open MPI, a number with MPICH.
pub type RawComm = ffi::MPI_Comm;

/// A call of MPI that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The call's name.
    pub call: &'static str,
    /// What it returned.
    pub code: c_int,
}

impl Failure {
    /// A receive that was given up because its peer is gone.
    pub const CANCELLED: Failure = Failure { call: "MPI_Cancel", code: ffi::MPI_SUCCESS as c_int };
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Failure::CANCELLED {
            return formatter.write_str("given up, the peer is gone");
        }
        if !is_live() {
            return write!(formatter, "{} failed with code {}", self.call, self.code);
        }
        let mut text = [0u8; ffi::MPI_MAX_ERROR_STRING as usize];
        let mut length: c_int = 0;
        // SAFETY: MPI is live, and `text` has the room that MPI asks for.
        let told = unsafe { ffi::MPI_Error_string(self.code, text.as_mut_ptr().cast::<c_char>(), &mut length) };
        let known = if told == ffi::MPI_SUCCESS as c_int { length.clamp(0, text.len() as c_int) as usize } else { 0 };
        write!(formatter, "{} failed with code {}: {}", self.call, self.code, String::from_utf8_lossy(&text[..known]))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::fabric(failure.to_string())
    }
}

/// Turns what an MPI call returned into a result.
///
/// # Errors
/// The failure, for any code but MPI_SUCCESS.
pub fn check(call: &'static str, code: c_int) -> Result<(), Failure> {
    if code == ffi::MPI_SUCCESS as c_int { Ok(()) } else { Err(Failure { call, code }) }
}

/// How far MPI's life has gone in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Not initialized yet.
    Unborn,
    /// Initialized.
    Live,
    /// Finalized, for good.
    Over,
}

/// Where MPI is in its life.
pub fn life() -> Life {
    let (mut initialized, mut finalized): (c_int, c_int) = (0, 0);
    // SAFETY: both may be called at any time and write one int each.
    unsafe {
        ffi::MPI_Initialized(&mut initialized);
        ffi::MPI_Finalized(&mut finalized);
    }
    match (initialized, finalized) {
        (_, 1..) => Life::Over,
        (0, _) => Life::Unborn,
        _ => Life::Live,
    }
}

/// Whether MPI may be called: initialized and not yet finalized.
pub fn is_live() -> bool {
    life() == Life::Live
}

/// A communicator that this process owns and nobody else sends on; errors come back as codes. Freed on drop.
#[derive(Debug)]
pub struct Comm {
    raw: RawComm,
    rank: Rank,
    size: u32,
}

// SAFETY: a handle is a name that MPI itself looks up; with MPI_THREAD_MULTIPLE every call on it may come from any
// thread. Below that level only the thread that made the `Comm` uses it: no fabric is made there (see `boot::mpi`).
unsafe impl Send for Comm {}
// SAFETY: as for Send.
unsafe impl Sync for Comm {}

impl Comm {
    /// A duplicate of all that the launcher started. Collective.
    ///
    /// # Errors
    /// What MPI says.
    pub fn world() -> Result<Comm, Failure> {
        // SAFETY: a constant of the library, set when the program was loaded.
        Comm::duplicate_of(unsafe { ffi::RSMPI_COMM_WORLD })
    }

    /// A duplicate of `raw`, an intracommunicator of the MPI library that this program is linked with. Collective.
    ///
    /// # Errors
    /// What MPI says.
    pub fn duplicate_of(raw: RawComm) -> Result<Comm, Failure> {
        let mut copy = raw;
        let (mut rank, mut size): (c_int, c_int) = (0, 0);
        // SAFETY: the caller hands a live communicator; the results are written to locals.
        unsafe {
            check("MPI_Comm_dup", ffi::MPI_Comm_dup(raw, &mut copy))?;
            check("MPI_Comm_set_errhandler", ffi::MPI_Comm_set_errhandler(copy, ffi::RSMPI_ERRORS_RETURN))?;
            check("MPI_Comm_rank", ffi::MPI_Comm_rank(copy, &mut rank))?;
            check("MPI_Comm_size", ffi::MPI_Comm_size(copy, &mut size))?;
        }
        Ok(Comm { raw: copy, rank: rank as Rank, size: size as u32 })
    }

    /// Another communicator of the same ranks. Collective.
    ///
    /// # Errors
    /// What MPI says.
    pub fn duplicate(&self) -> Result<Comm, Failure> {
        Comm::duplicate_of(self.raw)
    }

    /// This process's number in it.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// How many processes it has.
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
        if is_live() {
            // SAFETY: MPI is live and the handle is ours; nothing uses it after its owner.
            unsafe { ffi::MPI_Comm_free(&mut self.raw) };
        }
    }
}
