//! Collectives of MPI for start and shutdown, waited for without spinning on a core.
#![allow(unsafe_code)]

use crate::base::{Error, Rank, Result};
use crate::boot::Exchange;
use crate::transport::mpi::{
    Allgather, Comm, LoadedMpi, MpiFailure, MpiTransport, ReadMethod, Request, check, is_complete, wait_until,
};
use std::ffi::c_int;
use std::sync::Arc;

/// Collectives over a duplicate of the ranks' communicator. On drop it closes the transport, frees the communicator
/// and, if boot initialized MPI and MPI owns no more of mobula's memory, finalizes MPI. Below MPI_THREAD_MULTIPLE it
/// stays on the thread that created it.
pub struct MpiExchange {
    /// Taken on drop, before MPI is finalized.
    comm: Option<Comm>,
    /// The transport over MPI, which must be closed before MPI is finalized.
    transport: Option<Arc<MpiTransport>>,
    /// True if boot initialized MPI.
    finalizes: bool,
    /// True if the last collective was a barrier: all ranks shut down together, and none is missing.
    ends_with_barrier: bool,
}

impl MpiExchange {
    /// Collectives over `comm`, which nothing else may use.
    pub fn new(comm: Comm, finalizes: bool) -> MpiExchange {
        MpiExchange { comm: Some(comm), transport: None, finalizes, ends_with_barrier: false }
    }

    /// Opens the transport over MPI between the same ranks. Collective.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn open_transport(&mut self) -> Result<Arc<MpiTransport>> {
        let comm = self.comm()?;
        let transport = MpiTransport::new(Comm::duplicate_of(comm.mpi(), comm.raw())?, ReadMethod::Faster)?;
        self.transport = Some(transport.clone());
        Ok(transport)
    }

    /// This process's rank, and the number of ranks.
    ///
    /// # Errors
    /// `Error::Fabric` if the exchange was closed.
    pub fn rank_and_size(&self) -> Result<(Rank, u32)> {
        self.comm().map(|comm| (comm.rank(), comm.size()))
    }

    fn comm(&self) -> Result<&Comm> {
        self.comm.as_ref().ok_or_else(|| Error::fabric("the exchange was already closed"))
    }
}

/// Waits until the request is complete.
///
/// # Safety
/// `request` is live, and of that library; the memory that it reads and writes lives longer than this call.
unsafe fn wait(mpi: &LoadedMpi, request: &mut Request) -> Result<(), MpiFailure> {
    // SAFETY: as the caller promises.
    wait_until(|| unsafe { is_complete(mpi, request) })
}

/// The start of each part of `lengths` in their concatenation, in MPI's integers, and their sum.
fn layout(lengths: &[u64]) -> Result<(Vec<c_int>, Vec<c_int>, usize)> {
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
        self.ends_with_barrier = false;
        let comm = self.comm()?;
        let mpi = comm.mpi();
        let lengths = Allgather::start(comm, [mine.len() as u64])?.wait()?;
        let (counts, begins, total_bytes) = layout(lengths.as_flattened())?;
        let mut all = vec![0u8; total_bytes];
        // SAFETY: `counts` and `begins` have `size` entries that stay inside `all`; everything lives until the wait has
        // ended.
        unsafe {
            let mut request = mpi.constants.request_null;
            let code = (mpi.call.iallgatherv)(
                mine.as_ptr().cast(),
                mine.len() as c_int,
                mpi.constants.byte,
                all.as_mut_ptr().cast(),
                counts.as_ptr(),
                begins.as_ptr(),
                mpi.constants.byte,
                comm.raw(),
                &mut request,
            );
            check("MPI_Iallgatherv", code).map_err(Error::from)?;
            wait(mpi, &mut request).map_err(Error::from)?;
        }
        Ok(begins
            .iter()
            .zip(&counts)
            .map(|(&begin, &count)| all[begin as usize..][..count as usize].to_vec())
            .collect())
    }

    fn barrier(&mut self) -> Result<()> {
        let comm = self.comm()?;
        let mpi = comm.mpi();
        // SAFETY: the request is live until the wait ends; a barrier accesses no memory.
        unsafe {
            let mut request = mpi.constants.request_null;
            check("MPI_Ibarrier", (mpi.call.ibarrier)(comm.raw(), &mut request)).map_err(Error::from)?;
            wait(mpi, &mut request).map_err(Error::from)?;
        }
        self.ends_with_barrier = true;
        Ok(())
    }
}

impl Drop for MpiExchange {
    fn drop(&mut self) {
        let freed = self.transport.take().is_none_or(|transport| transport.close(self.ends_with_barrier));
        let Some(comm) = self.comm.take() else { return };
        let mpi = comm.mpi();
        drop(comm);
        if self.finalizes && freed {
            mpi.finalize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_places_parts_one_after_the_other() {
        assert_eq!(layout(&[3, 0, 5]).unwrap(), (vec![3, 0, 5], vec![0, 3, 3], 8));
        assert_eq!(layout(&[]).unwrap(), (vec![], vec![], 0));
    }

    #[test]
    fn layout_of_more_than_mpi_counts_is_refused() {
        assert!(layout(&[1 << 30, 1 << 30]).is_err());
        assert!(layout(&[u64::MAX, 1]).is_err());
    }
}
