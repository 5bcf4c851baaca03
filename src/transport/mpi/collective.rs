//! Collective operations of a communicator at start and stop, waited for without spinning on a core.
#![allow(unsafe_code)]

use super::comm::{Comm, MpiFailure, check};
use super::library::{LoadedMpi, Request, StatusMemory};
use std::ffi::c_int;
use std::time::Duration;

/// Tests of a request before the waiter yields, and before it sleeps.
const SPINS: u32 = 200;
const YIELDS: u32 = 400;
/// The sleeps between later tests: from the first, doubled up to the last.
const SLEEP_FIRST: Duration = Duration::from_micros(20);
const SLEEP_LAST: Duration = Duration::from_millis(1);

/// Tests until `is_over` returns true: spins, then yields, then sleeps.
///
/// # Errors
/// The error of `is_over`.
pub fn wait_until(mut is_over: impl FnMut() -> Result<bool, MpiFailure>) -> Result<(), MpiFailure> {
    let mut sleep = SLEEP_FIRST;
    for test in 0u32.. {
        if is_over()? {
            break;
        }
        match test {
            ..SPINS => std::hint::spin_loop(),
            SPINS..YIELDS => std::thread::yield_now(),
            _ => {
                std::thread::sleep(sleep);
                sleep = SLEEP_LAST.min(sleep * 2);
            }
        }
    }
    Ok(())
}

/// True if the request is complete.
///
/// # Safety
/// `request` is live, or null, which MPI takes as done, and of that library; the memory that it reads and writes lives
/// until it is complete.
///
/// # Errors
/// What MPI reports.
pub unsafe fn is_complete(mpi: &LoadedMpi, request: &mut Request) -> Result<bool, MpiFailure> {
    let mut done: c_int = 0;
    let mut ignored = StatusMemory::default();
    // SAFETY: as the caller promises; the status is written to a local.
    check("MPI_Test", unsafe { (mpi.call.test)(request, &mut done, ignored.as_mut_ptr()) })?;
    Ok(done != 0)
}

/// An allgather of N words in progress. Collective, in the same order on every rank of a communicator.
pub struct Allgather<const N: usize> {
    mpi: &'static LoadedMpi,
    request: Request,
    mine: Box<[u64; N]>,
    all: Box<[[u64; N]]>,
}

impl<const N: usize> Allgather<N> {
    /// Starts it with this rank's words.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn start(comm: &Comm, mine: [u64; N]) -> Result<Allgather<N>, MpiFailure> {
        let all = vec![[0; N]; comm.size() as usize].into_boxed_slice();
        let mpi = comm.mpi();
        let bytes = size_of::<[u64; N]>() as c_int;
        let mut gather = Allgather { mpi, request: mpi.constants.request_null, mine: Box::new(mine), all };
        // SAFETY: N words go out and N come in for each rank; both boxes keep their addresses until MPI is done
        // (MPI-TRANSPORT-2).
        let code = unsafe {
            (mpi.call.iallgather)(
                gather.mine.as_ptr().cast(),
                bytes,
                mpi.constants.byte,
                gather.all.as_mut_ptr().cast(),
                bytes,
                mpi.constants.byte,
                comm.raw(),
                &mut gather.request,
            )
        };
        check("MPI_Iallgather", code).map(|()| gather)
    }

    /// True if the words of all ranks have arrived.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn is_over(&mut self) -> Result<bool, MpiFailure> {
        // SAFETY: the request is live, or null once it is complete, and the boxes live until then (MPI-TRANSPORT-2).
        unsafe { is_complete(self.mpi, &mut self.request) }
    }

    /// Waits for the words of all ranks; returns them by rank.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn wait(mut self) -> Result<Vec<[u64; N]>, MpiFailure> {
        wait_until(|| self.is_over())?;
        Ok(std::mem::take(&mut self.all).into_vec())
    }
}

impl<const N: usize> Drop for Allgather<N> {
    fn drop(&mut self) {
        if !self.request.is(self.mpi.constants.request_null, self.mpi.abi) {
            // A collective cannot be cancelled, and MPI may still read and write these boxes (MPI-TRANSPORT-2).
            Box::leak(std::mem::replace(&mut self.mine, Box::new([0; N])));
            Box::leak(std::mem::take(&mut self.all));
        }
    }
}
