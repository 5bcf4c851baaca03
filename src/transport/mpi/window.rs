//! The window over this rank's store, through which peers get bytes without a message to anybody.
//!
//! Why a get of a sealed block is no data race: a block is written by its maker alone, sealed, and only then named in a
//! message; it is never written again while any rank holds a reference, and a reader holds one until its get is over. So
//! no store to the block is concurrent with a get of it. That the get sees those stores is the unified memory model of
//! MPI-3 (11.4): window memory and what its process stores are one copy, and the message that names the block, sent after
//! the stores and received before the get, orders the two as it does for any memory that processors share. Under the
//! separate model the maker would have to call MPI_Win_sync between sealing and sending; such a library, which no cache
//! coherent host has, is refused here and reads by messages. The reader's own block is its alone until the request is
//! over, by which time MPI has filled it.
//!
//! The window covers the store's whole mapping, whose pages come in later: Open MPI and MPICH touch none of it when the
//! window is made (seen with 4 GiB on 4 KiB pages and on huge pages). The passive epoch is open as long as the window.
#![allow(unsafe_code)]

use super::comm::{Comm, Failure, check, is_live};
use crate::base::Rank;
use crate::memory::Arena;
use ::mpi::ffi;
use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// What a window of one copy says, in libraries descended from MPICH: their headers name it in an enum.
#[allow(dead_code)]
const MPI_WIN_UNIFIED: c_int = 2;

/// What a window of one copy says in the library that this program is linked with.
fn unified() -> c_int {
    // A name of the inner scope comes first: the header's own, where it defines this name for itself (Open MPI).
    #[allow(unused_imports)]
    use ::mpi::ffi::*;
    MPI_WIN_UNIFIED as c_int
}

/// Why this rank has no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWindow {
    /// A call failed.
    Failed(Failure),
    /// The library keeps two copies of window memory.
    Separate,
}

impl NoWindow {
    const CALLS: [&'static str; 3] = ["MPI_Win_create", "MPI_Win_get_attr", "MPI_Win_lock_all"];

    /// As two words that are not both 0, for the other ranks.
    pub fn encode(self) -> [u64; 2] {
        match self {
            NoWindow::Separate => [u64::MAX, 0],
            NoWindow::Failed(Failure { call, code }) => {
                let call = Self::CALLS.iter().position(|known| *known == call).unwrap_or(0);
                [call as u64 + 1, code as u32 as u64]
            }
        }
    }

    /// From another rank's words; nothing where it has a window.
    pub fn decode(words: [u64; 2]) -> Option<NoWindow> {
        match words {
            [0, _] => None,
            [u64::MAX, _] => Some(NoWindow::Separate),
            [call, code] => {
                let call = Self::CALLS.get(call as usize - 1).copied().unwrap_or("a call of MPI");
                Some(NoWindow::Failed(Failure { call, code: code as u32 as c_int }))
            }
        }
    }
}

impl std::fmt::Display for NoWindow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoWindow::Failed(failure) => failure.fmt(formatter),
            NoWindow::Separate => {
                formatter.write_str("the library keeps window memory in two copies (MPI_WIN_SEPARATE)")
            }
        }
    }
}

/// Every rank's store, open to gets. It is leaked with the store's mapping unless it is closed.
pub struct Window {
    raw: ffi::MPI_Win,
    arena: ManuallyDrop<Arc<Arena>>,
    /// By rank: the bytes of its window.
    bytes: Box<[u64]>,
    /// By rank: a get from it has failed.
    refused: Box<[bool]>,
    /// Added to the rank that a get names, so that MPI refuses it.
    #[cfg(test)]
    astray: c_int,
}

// SAFETY: a handle is a name that MPI looks up; with MPI_THREAD_MULTIPLE every call on it may come from any thread.
unsafe impl Send for Window {}

impl Window {
    /// A window over `arena`; peers' windows are of `bytes`, by rank. Collective, also where it fails.
    pub fn create(comm: &Comm, arena: Arc<Arena>, bytes: Box<[u64]>) -> Result<Window, NoWindow> {
        let refused = vec![false; bytes.len()].into_boxed_slice();
        // SAFETY: the mapping is `arena.bytes()` long and stays as long as the window: both are leaked or freed together.
        // Peers only get from it. A failed call leaves `raw` null, and nothing is called on it.
        unsafe {
            let mut raw = ffi::RSMPI_WIN_NULL;
            let (base, length) = (arena.base().cast::<c_void>(), arena.bytes() as ffi::MPI_Aint);
            let code = ffi::MPI_Win_create(base, length, 1, ffi::RSMPI_INFO_NULL, comm.raw(), &mut raw);
            check("MPI_Win_create", code).map_err(NoWindow::Failed)?;
            let window = Window {
                raw,
                arena: ManuallyDrop::new(arena),
                bytes,
                refused,
                #[cfg(test)]
                astray: 0,
            };
            ffi::MPI_Win_set_errhandler(raw, ffi::RSMPI_ERRORS_RETURN);
            if !window.is_unified()? {
                return Err(NoWindow::Separate);
            }
            let code = ffi::MPI_Win_lock_all(ffi::MPI_MODE_NOCHECK as c_int, raw);
            check("MPI_Win_lock_all", code).map_err(NoWindow::Failed)?;
            Ok(window)
        }
    }

    fn is_unified(&self) -> Result<bool, NoWindow> {
        let mut model: *mut c_int = std::ptr::null_mut();
        let mut found: c_int = 0;
        // SAFETY: MPI writes the address of an int of its own, which it keeps as long as the window.
        unsafe {
            let code =
                ffi::MPI_Win_get_attr(self.raw, ffi::MPI_WIN_MODEL as c_int, (&raw mut model).cast(), &mut found);
            check("MPI_Win_get_attr", code).map_err(NoWindow::Failed)?;
            Ok(found != 0 && !model.is_null() && *model == unified())
        }
    }

    /// Whether a range of `peer`'s store lies in its window.
    pub fn covers(&self, peer: Rank, offset: u64, length: usize) -> bool {
        offset.checked_add(length as u64).is_some_and(|end| end <= self.bytes[peer as usize])
    }

    /// Whether bytes may be got from `peer`.
    pub fn serves(&self, peer: Rank) -> bool {
        !self.refused[peer as usize]
    }

    /// A get from `peer` failed: none is tried again. True the first time.
    pub fn refuse(&mut self, peer: Rank) -> bool {
        !std::mem::replace(&mut self.refused[peer as usize], true)
    }

    /// From here on MPI refuses every get.
    #[cfg(test)]
    pub fn lead_astray(&mut self) {
        self.astray = 1 << 20;
    }

    fn target(&self, peer: Rank) -> c_int {
        #[cfg(test)]
        let peer = peer as c_int + self.astray;
        peer as c_int
    }

    /// Starts to copy bytes at `offset` of `peer`'s store to `room`.
    ///
    /// # Safety
    /// `room` stays where it is and is nobody else's until the request is over; the range lies in the peer's window.
    pub(super) unsafe fn get(
        &self,
        peer: Rank,
        offset: u64,
        room: &mut [u8],
        request: &mut ffi::MPI_Request,
    ) -> Result<(), Failure> {
        // SAFETY: as the caller promises; the window is live and its epoch open as long as `self`.
        check("MPI_Rget", unsafe {
            ffi::MPI_Rget(
                room.as_mut_ptr().cast(),
                room.len() as c_int,
                ffi::RSMPI_UINT8_T,
                self.target(peer),
                offset as ffi::MPI_Aint,
                room.len() as c_int,
                ffi::RSMPI_UINT8_T,
                self.raw,
                request,
            )
        })
    }

    /// Ends the epoch and frees the window; false where MPI keeps it. Collective: every rank calls it, with no get under
    /// way anywhere.
    pub fn close(mut self) -> bool {
        if !is_live() {
            return false;
        }
        // SAFETY: MPI is live and the window ours. Where it could not be freed, the mapping stays with it.
        unsafe {
            let unlocked = ffi::MPI_Win_unlock_all(self.raw) == ffi::MPI_SUCCESS as c_int;
            let freed = unlocked && ffi::MPI_Win_free(&mut self.raw) == ffi::MPI_SUCCESS as c_int;
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
    fn ranks_tell_each_other_why_there_is_no_window() {
        let failed = |call| NoWindow::Failed(Failure { call, code: 53 });
        for why in [NoWindow::Separate, failed("MPI_Win_create"), failed("MPI_Win_lock_all")] {
            assert_eq!(NoWindow::decode(why.encode()), Some(why));
        }
        assert_eq!(NoWindow::decode([0, 0]), None);
        assert!(NoWindow::decode([99, 1]).is_some(), "an unknown call is a failure all the same");
    }
}
