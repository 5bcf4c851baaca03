//! The window over this rank's store, through which peers read without sending a message.
//!
//! Why a get of a sealed block is no data race: a block is written by its producer alone, sealed, and only then named
//! in a message; it is never written again while any rank holds a reference, and a reader holds one until its get has
//! finished. So no store to the block is concurrent with a get of it. That the get sees those stores follows from the
//! unified memory model of MPI-3 (11.4): window memory and what its process stores are one copy, and the message that
//! names the block, sent after the stores and received before the get, orders the two as it does for any memory that
//! processors share. Under the separate model the producer would have to call MPI_Win_sync between sealing and sending;
//! such a library, which no cache-coherent host has, is refused here and reads by messages. Only the reader accesses
//! its own block until the request has finished, by which time MPI has filled it.
//!
//! The window covers the store's whole mapping, whose pages are faulted in later: Open MPI and MPICH touch none of it
//! when the window is created (observed with 4 GiB on 4 KiB pages and on huge pages). The passive epoch is open as long
//! as the window.
#![allow(unsafe_code)]

use super::comm::{Comm, MpiFailure, check};
use super::library::{Handle, LoadedMpi, Request, SUCCESS};
use crate::base::Rank;
use crate::memory::Arena;
use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// The calls by which a window may fail, as ranks exchange them.
const CALLS: [&str; 4] = ["MPI_Win_create", "MPI_Win_get_attr", "MPI_Win_lock_all", MpiFailure::TWO_COPIES.call];

/// Why this rank has no window: two words that are not both 0, to be sent to the other ranks.
pub fn encode_failure(MpiFailure { call, code }: MpiFailure) -> [u64; 2] {
    let call = CALLS.iter().position(|known| *known == call).unwrap_or(0);
    [call as u64 + 1, code as u32 as u64]
}

/// Decodes another rank's words; `None` if it has a window.
pub fn decode_failure([call, code]: [u64; 2]) -> Option<MpiFailure> {
    let known = |call: usize| CALLS.get(call).copied().unwrap_or("a call of MPI");
    let call = usize::try_from(call.checked_sub(1)?).map_or("a call of MPI", known);
    Some(MpiFailure { call, code: code as u32 as c_int })
}

/// The stores of all ranks, readable by gets. Leaked with the store's mapping unless it is closed.
pub struct RmaWindow {
    mpi: &'static LoadedMpi,
    raw: Handle,
    arena: ManuallyDrop<Arc<Arena>>,
    /// The bytes of each rank's window, by rank.
    bytes: Box<[u64]>,
    /// By rank: true if a get from it has failed.
    failed: Box<[bool]>,
    /// Added to the target rank of a get, so that MPI refuses it.
    #[cfg(test)]
    rank_offset: c_int,
}

// SAFETY: a handle is a name that MPI looks up; with MPI_THREAD_MULTIPLE every call on it may come from any thread.
unsafe impl Send for RmaWindow {}

impl RmaWindow {
    /// Creates a window over `arena`; `bytes` holds the length of each peer's window, by rank. Collective, even if it
    /// fails.
    pub fn create(comm: &Comm, arena: Arc<Arena>, bytes: Box<[u64]>) -> Result<RmaWindow, MpiFailure> {
        let failed = vec![false; bytes.len()].into_boxed_slice();
        let mpi = comm.mpi();
        // SAFETY: the mapping is `arena.bytes()` long and lives as long as the window: both are leaked or freed
        // together. Peers only get from it. A failed call leaves `raw` null, and nothing is called on it.
        unsafe {
            let mut raw = mpi.constants.win_null;
            let (base, length) = (arena.base().cast::<c_void>(), arena.bytes() as isize);
            let code = (mpi.call.win_create)(base, length, 1, mpi.constants.info_null, comm.raw(), &mut raw);
            check("MPI_Win_create", code)?;
            let window = RmaWindow {
                mpi,
                raw: raw.written_by(mpi.abi),
                arena: ManuallyDrop::new(arena),
                bytes,
                failed,
                #[cfg(test)]
                rank_offset: 0,
            };
            (mpi.call.win_set_errhandler)(window.raw, mpi.constants.errors_return);
            if !window.is_unified()? {
                return Err(MpiFailure::TWO_COPIES);
            }
            let code = (mpi.call.win_lock_all)(mpi.constants.mode_nocheck, window.raw);
            check("MPI_Win_lock_all", code)?;
            Ok(window)
        }
    }

    fn is_unified(&self) -> Result<bool, MpiFailure> {
        let mut model: *mut c_int = std::ptr::null_mut();
        let mut found: c_int = 0;
        // SAFETY: MPI writes the address of an int of its own, which lives as long as the window.
        unsafe {
            let (call, constants) = (&self.mpi.call, &self.mpi.constants);
            let code = (call.win_get_attr)(self.raw, constants.win_model, (&raw mut model).cast(), &mut found);
            check("MPI_Win_get_attr", code)?;
            Ok(found != 0 && !model.is_null() && *model == constants.win_unified)
        }
    }

    /// The library whose window it is.
    pub fn mpi(&self) -> &'static LoadedMpi {
        self.mpi
    }

    /// True if a range of `peer`'s store lies in its window.
    pub fn covers(&self, peer: Rank, offset: u64, length: usize) -> bool {
        offset.checked_add(length as u64).is_some_and(|end| end <= self.bytes[peer as usize])
    }

    /// True if no get from `peer` has failed.
    pub fn allows_gets(&self, peer: Rank) -> bool {
        !self.failed[peer as usize]
    }

    /// Records that a get from `peer` failed, so that none is tried again. True the first time.
    pub fn mark_failed(&mut self, peer: Rank) -> bool {
        !std::mem::replace(&mut self.failed[peer as usize], true)
    }

    /// Lets MPI refuse every get from here on.
    #[cfg(test)]
    pub fn break_gets(&mut self) {
        self.rank_offset = 1 << 20;
    }

    fn target(&self, peer: Rank) -> c_int {
        #[cfg(test)]
        let peer = peer as c_int + self.rank_offset;
        peer as c_int
    }

    /// Starts to copy bytes at `offset` of `peer`'s store to `into`; returns MPI's code.
    ///
    /// # Safety
    /// The address of `into` does not change and nothing else accesses it until the request has finished; the range
    /// lies in the peer's window.
    pub(super) unsafe fn get(&self, peer: Rank, offset: u64, into: &mut [u8], request: &mut Request) -> c_int {
        let (start, length, at) = (into.as_mut_ptr().cast(), into.len() as c_int, offset as isize);
        // SAFETY: the caller promises it; the window is live and its epoch open as long as `self`.
        unsafe {
            let bytes = self.mpi.constants.byte;
            (self.mpi.call.rget)(start, length, bytes, self.target(peer), at, length, bytes, self.raw, request)
        }
    }

    /// Ends the epoch and frees the window; false if MPI keeps it. Collective: every rank calls it, with no get in
    /// flight anywhere.
    pub fn close(mut self) -> bool {
        if !self.mpi.is_running() {
            return false;
        }
        // SAFETY: MPI is running and this value owns the window. If it could not be freed, the mapping is leaked with
        // it.
        unsafe {
            let unlocked = (self.mpi.call.win_unlock_all)(self.raw) == SUCCESS;
            let freed = unlocked && (self.mpi.call.win_free)(&mut self.raw) == SUCCESS;
            if freed {
                ManuallyDrop::drop(&mut self.arena);
            }
            freed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_returns_the_encoded_failure() {
        let failed = |call| MpiFailure { call, code: 53 };
        for why in [MpiFailure::TWO_COPIES, failed("MPI_Win_create"), failed("MPI_Win_lock_all")] {
            assert_eq!(decode_failure(encode_failure(why)), Some(why));
        }
        assert_eq!(decode_failure([0, 0]), None);
        for unknown in [99, u64::MAX] {
            assert!(decode_failure([unknown, 1]).is_some(), "an unknown call is a failure all the same");
        }
    }
}
