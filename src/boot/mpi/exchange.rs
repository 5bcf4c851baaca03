//! Collectives of MPI for starting and stopping, waited for without burning a core.
#![allow(unsafe_code)]

use super::library;
use crate::base::{Error, Result};
use crate::boot::Exchange;
use crate::transport::mpi::{Comm, Failure, Gather, MpiFabric, ReadsBy, check, wait_until};
use ::mpi::ffi;
use std::ffi::c_int;
use std::sync::Arc;

/// Collectives over a duplicate of the ranks' communicator. On drop it closes the road, frees the communicator and,
/// where boot initialized MPI and MPI holds nothing more of ours, finalizes it. Below MPI_THREAD_MULTIPLE it stays with the thread that made it.
pub struct MpiExchange {
    /// Taken on drop, before MPI is finalized.
    comm: Option<Comm>,
    /// The road over MPI, which must be closed before MPI is finalized.
    road: Option<Arc<MpiFabric>>,
    /// Whether boot initialized MPI.
    finalizes: bool,
    /// The last thing that was done together is a barrier: every rank leaves, and none is missing.
    parted: bool,
}

impl MpiExchange {
    /// Collectives over `comm`, which nobody else may use.
    pub fn new(comm: Comm, finalizes: bool) -> MpiExchange {
        MpiExchange { comm: Some(comm), road: None, finalizes, parted: false }
    }

    /// Opens the road over MPI between the same ranks. Collective.
    ///
    /// # Errors
    /// What MPI says.
    pub fn open_road(&mut self) -> Result<Arc<MpiFabric>> {
        let road = MpiFabric::new(self.comm()?.duplicate()?, ReadsBy::Faster)?;
        self.road = Some(road.clone());
        Ok(road)
    }

    fn comm(&self) -> Result<&Comm> {
        self.comm.as_ref().ok_or_else(|| Error::fabric("the ranks were already left"))
    }
}

/// Waits until the request is over.
///
/// # Safety
/// `request` is live, and what it reads and writes outlives this call.
unsafe fn wait(request: &mut ffi::MPI_Request) -> Result<(), Failure> {
    wait_until(|| {
        let mut done: c_int = 0;
        // SAFETY: the request is live, as the caller promises; the status is not wanted.
        check("MPI_Test", unsafe { ffi::MPI_Test(request, &mut done, ffi::RSMPI_STATUS_IGNORE) })?;
        Ok(done != 0)
    })
}

/// Where each part of `lengths` begins in their concatenation, as MPI counts, and their sum.
fn places(lengths: &[u64]) -> Result<(Vec<c_int>, Vec<c_int>, usize)> {
    let total = lengths.iter().try_fold(0u64, |total, &length| total.checked_add(length));
    let Some(total) = total.and_then(|total| c_int::try_from(total).ok()) else {
        return Err(Error::fabric("the ranks exchange more than 2 GiB at start, which MPI cannot count"));
    };
    let counts: Vec<c_int> = lengths.iter().map(|&length| length as c_int).collect();
    let begins = counts.iter().scan(0, |end, &count| Some(std::mem::replace(end, *end + count))).collect();
    Ok((counts, begins, total as usize))
}

impl Exchange for MpiExchange {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.parted = false;
        let comm = self.comm()?;
        let lengths = Gather::start(comm, [mine.len() as u64])?.wait()?;
        let (counts, begins, total_bytes) = places(lengths.as_flattened())?;
        let mut all = vec![0u8; total_bytes];
        // SAFETY: `counts` and `begins` have `size` entries that stay inside `all`; everything outlives the wait.
        unsafe {
            let mut request = ffi::RSMPI_REQUEST_NULL;
            let code = ffi::MPI_Iallgatherv(
                mine.as_ptr().cast(),
                mine.len() as c_int,
                ffi::RSMPI_UINT8_T,
                all.as_mut_ptr().cast(),
                counts.as_ptr(),
                begins.as_ptr(),
                ffi::RSMPI_UINT8_T,
                comm.raw(),
                &mut request,
            );
            check("MPI_Iallgatherv", code).map_err(Error::from)?;
            wait(&mut request).map_err(Error::from)?;
        }
        Ok(begins
            .iter()
            .zip(&counts)
            .map(|(&begin, &count)| all[begin as usize..][..count as usize].to_vec())
            .collect())
    }

    fn barrier(&mut self) -> Result<()> {
        let comm = self.comm()?;
        // SAFETY: the request is live until the wait ends; a barrier has no memory of ours.
        unsafe {
            let mut request = ffi::RSMPI_REQUEST_NULL;
            check("MPI_Ibarrier", ffi::MPI_Ibarrier(comm.raw(), &mut request)).map_err(Error::from)?;
            wait(&mut request).map_err(Error::from)?;
        }
        self.parted = true;
        Ok(())
    }
}

impl Drop for MpiExchange {
    fn drop(&mut self) {
        let freed = self.road.take().is_none_or(|road| road.close(self.parted));
        drop(self.comm.take());
        if self.finalizes && freed {
            library::finalize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_one_after_the_other() {
        assert_eq!(places(&[3, 0, 5]).unwrap(), (vec![3, 0, 5], vec![0, 3, 3], 8));
        assert_eq!(places(&[]).unwrap(), (vec![], vec![], 0));
    }

    #[test]
    fn more_than_mpi_counts_is_refused() {
        assert!(places(&[1 << 30, 1 << 30]).is_err());
        assert!(places(&[u64::MAX, 1]).is_err());
    }
}
