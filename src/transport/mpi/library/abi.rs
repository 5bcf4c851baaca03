//! What differs between the two ABIs of MPI: a table of values for each, which a test compares with the headers of the
//! libraries that are installed.

use super::handle::{Handle, Request};
use std::ffi::{CStr, c_int};
use std::fmt;

/// MPI_SUCCESS of both.
pub const SUCCESS: c_int = 0;
/// MPI_THREAD_MULTIPLE of both.
pub const THREAD_MULTIPLE: c_int = 3;
/// The longer MPI_MAX_ERROR_STRING of the two.
pub const ERROR_STRING_MAX: usize = 512;
/// The longer MPI_MAX_LIBRARY_VERSION_STRING of the two.
pub const VERSION_STRING_MAX: usize = 8192;
/// The longer status of the two, in `c_int`.
pub const STATUS_INTS_MAX: usize = 6;

/// The binary interface of an MPI library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abi {
    /// Handles are addresses: Open MPI 2 to 5, Spectrum MPI.
    OpenMpi,
    /// Handles are numbers of 32 bits: MPICH 3 to 5, Intel MPI, MVAPICH, and Cray MPICH's `libmpi.so.12`.
    Mpich,
}

impl fmt::Display for Abi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Abi::OpenMpi => "Open MPI",
            Abi::Mpich => "MPICH",
        })
    }
}

/// Where a status has its fields, counted in `c_int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusLayout {
    pub(super) ints: usize,
    pub(super) source_at: usize,
    pub(super) error_at: usize,
}

impl Abi {
    pub(super) fn status_layout(self) -> StatusLayout {
        match self {
            Abi::OpenMpi => StatusLayout { ints: 6, source_at: 0, error_at: 2 },
            Abi::Mpich => StatusLayout { ints: 5, source_at: 2, error_at: 4 },
        }
    }
}

/// The constants of a library, without `MPI_`.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    pub comm_world: Handle,
    pub comm_null: Handle,
    pub byte: Handle,
    pub info_null: Handle,
    pub win_null: Handle,
    pub errors_return: Handle,
    pub request_null: Request,
    pub any_source: c_int,
    pub err_in_status: c_int,
    pub mode_nocheck: c_int,
    pub win_model: c_int,
    pub win_unified: c_int,
}

/// The variable by which a library is known to be Open MPI's.
pub(super) const OPEN_MPI_WORLD: &CStr = c"ompi_mpi_comm_world";

impl Constants {
    /// Open MPI's, whose handles are the addresses of these variables.
    ///
    /// # Errors
    /// The name of the first that is missing.
    pub(super) fn of_open_mpi(address: impl Fn(&CStr) -> Option<usize>) -> Result<Constants, &'static CStr> {
        let handle = |name: &'static CStr| address(name).map(Handle::of_address).ok_or(name);
        Ok(Constants {
            comm_world: handle(OPEN_MPI_WORLD)?,
            comm_null: handle(c"ompi_mpi_comm_null")?,
            byte: handle(c"ompi_mpi_byte")?,
            info_null: handle(c"ompi_mpi_info_null")?,
            win_null: handle(c"ompi_mpi_win_null")?,
            errors_return: handle(c"ompi_mpi_errors_return")?,
            request_null: Request::of_handle(handle(c"ompi_request_null")?),
            any_source: -1,
            err_in_status: 18,
            mode_nocheck: 1,
            win_model: 11,
            win_unified: 0,
        })
    }

    /// MPICH's.
    pub(super) const MPICH: Constants = Constants {
        comm_world: Handle::of_number(0x4400_0000),
        comm_null: Handle::of_number(0x0400_0000),
        byte: Handle::of_number(0x4c00_010d),
        info_null: Handle::of_number(0x1c00_0000),
        win_null: Handle::of_number(0x2000_0000),
        errors_return: Handle::of_number(0x5400_0001),
        request_null: Request::of_handle(Handle::of_number(0x2c00_0000)),
        any_source: -2,
        err_in_status: 17,
        mode_nocheck: 1024,
        win_model: 0x6600_0009,
        win_unified: 2,
    };
}

#[cfg(test)]
mod tests;
