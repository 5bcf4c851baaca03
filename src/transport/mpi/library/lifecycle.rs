//! Initialization and finalization of the library.
#![allow(unsafe_code)]

use super::abi::THREAD_MULTIPLE;
use super::loaded::{LoadedMpi, loaded};
use crate::transport::mpi::comm::{MpiFailure, check};
use std::ffi::c_int;

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

/// Returns the state of MPI; without a library that can be called it is not initialized.
pub fn mpi_state() -> MpiState {
    loaded().ok().flatten().map_or(MpiState::Uninitialized, LoadedMpi::state)
}

impl LoadedMpi {
    /// The state of this library.
    pub fn state(&self) -> MpiState {
        let (mut initialized, mut finalized): (c_int, c_int) = (0, 0);
        // SAFETY: both may be called at any time; the results are written to locals.
        unsafe {
            (self.call.initialized)(&mut initialized);
            (self.call.finalized)(&mut finalized);
        }
        match (initialized != 0, finalized != 0) {
            (_, true) => MpiState::Finalized,
            (false, _) => MpiState::Uninitialized,
            _ => MpiState::Running,
        }
    }

    /// True if MPI may be called: initialized and not yet finalized.
    pub fn is_running(&self) -> bool {
        self.state() == MpiState::Running
    }

    /// Calls MPI_Init_thread for MPI_THREAD_MULTIPLE, unless MPI was initialized before. From here on MPI returns
    /// errors as codes.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn initialize(&self) -> Result<(), MpiFailure> {
        if self.state() != MpiState::Uninitialized {
            return Ok(());
        }
        let mut provided: c_int = 0;
        let (no_count, no_words) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: MPI is not initialized; it accepts null for argc and argv.
        unsafe {
            let code = (self.call.init_thread)(no_count, no_words, THREAD_MULTIPLE, &mut provided);
            check("MPI_Init_thread", code)?;
            let code = (self.call.comm_set_errhandler)(self.constants.comm_world, self.constants.errors_return);
            check("MPI_Comm_set_errhandler", code)
        }
    }

    /// What threads may do with MPI, which is running: 0, MPI_THREAD_SINGLE, to 3, MPI_THREAD_MULTIPLE.
    pub fn thread_level(&self) -> usize {
        let mut level: c_int = 0;
        // SAFETY: the result goes to a local.
        let code = unsafe { (self.call.query_thread)(&mut level) };
        if check("MPI_Query_thread", code).is_ok() { level.clamp(0, THREAD_MULTIPLE) as usize } else { 0 }
    }

    /// Calls MPI_Finalize, if MPI is running. Nothing of MPI that this crate owns may be left.
    pub fn finalize(&self) {
        if self.is_running() {
            // SAFETY: MPI is running.
            unsafe { (self.call.finalize)() };
        }
    }
}
