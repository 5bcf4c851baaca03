//! Starts in a program that uses MPI itself. This library knows no `MPI_Comm`: it gets the handle's bytes, or its
//! number in Fortran.

use crate::layout::CConfig;
use crate::pointers::required;
use crate::start::start;
use crate::status::{Fault, guard};
use mobula::{Cluster, Config};
use std::ffi::{c_int, c_void};

/// A communicator of the program.
#[cfg_attr(not(feature = "mpi"), expect(dead_code, reason = "without MPI, no start uses one"))]
enum Communicator {
    /// Of MPICH and its descendants.
    Number(c_int),
    /// Of Open MPI.
    Address(usize),
    /// Of either, in Fortran.
    Fortran(i32),
}

impl Communicator {
    /// The handle of `bytes` bytes at that address.
    ///
    /// # Errors
    /// `InvalidArgument` for NULL, and for a size that no library's handles have.
    ///
    /// # Safety
    /// The header's contract: NULL, or a handle of that size is there.
    unsafe fn read(at: *const c_void, bytes: usize) -> Result<Communicator, Fault> {
        // SAFETY: the caller's promise.
        unsafe {
            match bytes {
                4 => Ok(Communicator::Number(*required(at.cast(), "comm")?)),
                8 => Ok(Communicator::Address(*required(at.cast(), "comm")?)),
                _ => Err(Fault::invalid(format!("comm_bytes is {bytes}, which is no sizeof(MPI_Comm)"))),
            }
        }
    }

    #[cfg(feature = "mpi")]
    fn init(self, config: Config) -> mobula::Result<Cluster> {
        match self {
            Communicator::Number(number) => mobula::init_with_comm(number, config),
            Communicator::Address(address) => mobula::init_with_comm(address, config),
            Communicator::Fortran(number) => mobula::__native::init_with_fortran_comm(number, config),
        }
    }

    #[cfg(not(feature = "mpi"))]
    fn init(self, _: Config) -> mobula::Result<Cluster> {
        let message = "this libmobula was built without the feature mpi: build it with that, or call mobula_init";
        Err(mobula::Error::Config { message: message.to_string(), source: None })
    }
}

/// `mobula_init_with_comm_at` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_init_with_comm_at(comm: *const c_void, comm_bytes: usize, config: *const CConfig) -> i32 {
    guard("mobula_init_with_comm", || {
        // SAFETY: the header's contract.
        let comm = unsafe { Communicator::read(comm, comm_bytes) }?;
        // SAFETY: as above.
        unsafe { start(config, |config| comm.init(config)) }
    })
}

/// `mobula_init_with_comm_fortran` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_init_with_comm_fortran(comm: i32, config: *const CConfig) -> i32 {
    let comm = Communicator::Fortran(comm);
    // SAFETY: the header's contract.
    guard("mobula_init_with_comm", || unsafe { start(config, |config| comm.init(config)) })
}
