//! Memory on its way: an MPI request together with what it reads or fills (M2).
#![allow(unsafe_code)]

use super::comm::{Comm, Failure, check, is_live};
use super::window::Window;
use crate::base::Rank;
use ::mpi::ffi;
use std::ffi::c_int;
use std::mem::{ManuallyDrop, MaybeUninit};

/// Bytes to send.
///
/// # Safety
/// `bytes` stay valid at the same address while the value lives, wherever it is moved, and no safe code writes them.
pub unsafe trait Source {
    /// What to send, less than 2 GiB.
    fn bytes(&self) -> &[u8];
}

/// Room to receive into.
///
/// # Safety
/// `bytes_mut` stay valid at the same address while the value lives, wherever it is moved, and nobody else reads them.
pub unsafe trait Sink {
    /// Room for what may come, less than 2 GiB.
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// What a finished receive says of its message; of a send or a get it says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// Who sent it.
    pub from: Rank,
    /// How long it is.
    pub bytes: usize,
}

/// How a transfer ended.
pub type Ending = Result<Arrived, Failure>;

/// Where a transfer stands.
pub enum Progress<P> {
    /// Under way.
    Pending(Transfer<P>),
    /// Over: what it carried, and how it ended.
    Done(P, Ending),
}

/// Any rank may be the sender.
pub const ANYONE: Option<Rank> = None;

/// What MPI allows to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A send or a receive: it may be cancelled, and has a status.
    Message,
    /// A get from a window: only its end can be waited for, and its status says nothing.
    Get,
}

/// One send, receive or get under way, with the memory that it uses.
pub struct Transfer<P> {
    request: ffi::MPI_Request,
    kind: Kind,
    carried: ManuallyDrop<P>,
}

// SAFETY: a request is a name that MPI looks up; with MPI_THREAD_MULTIPLE (which this road needs) it may be tested by
// any thread, one at a time, and `&mut` or ownership sees to that.
unsafe impl<P: Send> Send for Transfer<P> {}

impl<P: Source> Transfer<P> {
    /// Starts to send all of `carried`; hands it back where MPI refuses.
    pub fn send(comm: &Comm, peer: Rank, tag: c_int, carried: P) -> Result<Transfer<P>, (Failure, P)> {
        let bytes = carried.bytes();
        // SAFETY: `Source` keeps the bytes where they are, and the transfer owns them until MPI is done (M2).
        let (code, request) = unsafe {
            let mut request = ffi::RSMPI_REQUEST_NULL;
            let code = ffi::MPI_Isend(
                bytes.as_ptr().cast(),
                bytes.len() as c_int,
                ffi::RSMPI_UINT8_T,
                peer as c_int,
                tag,
                comm.raw(),
                &mut request,
            );
            (code, request)
        };
        match check("MPI_Isend", code) {
            Ok(()) => Ok(Transfer { request, kind: Kind::Message, carried: ManuallyDrop::new(carried) }),
            Err(failure) => Err((failure, carried)),
        }
    }
}

impl<P: Sink> Transfer<P> {
    /// Starts to receive a message from `peer`, of at most the room that `carried` has.
    pub fn receive(comm: &Comm, peer: Option<Rank>, tag: c_int, mut carried: P) -> Result<Transfer<P>, (Failure, P)> {
        let room = carried.bytes_mut();
        // SAFETY: `Sink` keeps the room where it is, and the transfer owns it until MPI is done (M2).
        let (code, request) = unsafe {
            let mut request = ffi::RSMPI_REQUEST_NULL;
            let code = ffi::MPI_Irecv(
                room.as_mut_ptr().cast(),
                room.len() as c_int,
                ffi::RSMPI_UINT8_T,
                peer.map_or(ffi::RSMPI_ANY_SOURCE, |peer| peer as c_int),
                tag,
                comm.raw(),
                &mut request,
            );
            (code, request)
        };
        match check("MPI_Irecv", code) {
            Ok(()) => Ok(Transfer { request, kind: Kind::Message, carried: ManuallyDrop::new(carried) }),
            Err(failure) => Err((failure, carried)),
        }
    }
}

impl<P: Sink> Transfer<P> {
    /// Starts to fill the room that `carried` has from `offset` of `peer`'s store, a range that the window covers.
    pub fn get(window: &Window, peer: Rank, offset: u64, mut carried: P) -> Result<Transfer<P>, (Failure, P)> {
        // SAFETY: a constant of the library, set when the program was loaded.
        let mut request = unsafe { ffi::RSMPI_REQUEST_NULL };
        let room = carried.bytes_mut();
        assert!(window.covers(peer, offset, room.len()), "a get of what rank {peer} does not have");
        // SAFETY: `Sink` keeps the room where it is, and the transfer owns it until MPI is done (M2).
        match unsafe { window.get(peer, offset, room, &mut request) } {
            Ok(()) => Ok(Transfer { request, kind: Kind::Get, carried: ManuallyDrop::new(carried) }),
            Err(failure) => Err((failure, carried)),
        }
    }
}

impl<P> Transfer<P> {
    /// Asks MPI whether it is over.
    pub fn test(mut self) -> Progress<P> {
        let mut done: c_int = 0;
        let mut status = MaybeUninit::<ffi::MPI_Status>::zeroed();
        // SAFETY: the request is live, or null after an error, which MPI takes as done.
        let code = unsafe { ffi::MPI_Test(&mut self.request, &mut done, status.as_mut_ptr()) };
        match check("MPI_Test", code) {
            Ok(()) if done == 0 => Progress::Pending(self),
            // SAFETY: zeroed at first, and all integers, so initialized whatever MPI wrote.
            Ok(()) => Progress::Done(self.into_carried(), Ok(arrived(unsafe { status.assume_init_ref() }))),
            Err(failure) => Progress::Done(self.into_carried(), Err(failure)),
        }
    }

    fn into_carried(self) -> P {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: taken once: `this` is never dropped nor used again.
        unsafe { ManuallyDrop::take(&mut this.carried) }
    }
}

impl<P> Drop for Transfer<P> {
    fn drop(&mut self) {
        if abandon(&mut self.request, self.kind) {
            // SAFETY: MPI is done with it, and a transfer is dropped once.
            unsafe { ManuallyDrop::drop(&mut self.carried) };
        }
    }
}

fn arrived(status: &ffi::MPI_Status) -> Arrived {
    let mut count: c_int = 0;
    // SAFETY: a status that MPI wrote, or a zeroed one; the result goes to a local.
    unsafe { ffi::MPI_Get_count(status, ffi::RSMPI_UINT8_T, &mut count) };
    Arrived { from: status.MPI_SOURCE as Rank, bytes: count.max(0) as usize }
}

fn was_cancelled(status: &ffi::MPI_Status) -> bool {
    let mut cancelled: c_int = 0;
    // SAFETY: a status that MPI wrote; the result goes to a local.
    unsafe { ffi::MPI_Test_cancelled(status, &mut cancelled) };
    cancelled != 0
}

/// Times that a cancelled request is tested before its memory is left to MPI.
const CANCEL_TESTS_MAX: u32 = 100;

/// Gives a request up; true where MPI is done with its memory.
fn abandon(request: &mut ffi::MPI_Request, kind: Kind) -> bool {
    if !is_live() {
        return false;
    }
    // SAFETY: MPI is live and the request is ours; null requests are passed over by the first comparison.
    unsafe {
        if *request == ffi::RSMPI_REQUEST_NULL {
            return true;
        }
        if kind == Kind::Message {
            ffi::MPI_Cancel(request);
        }
        let mut done: c_int = 0;
        for _ in 0..CANCEL_TESTS_MAX {
            let mut status = MaybeUninit::<ffi::MPI_Status>::zeroed();
            let code = ffi::MPI_Test(request, &mut done, status.as_mut_ptr());
            if done != 0 || code != ffi::MPI_SUCCESS as c_int {
                break;
            }
            std::thread::yield_now();
        }
        if done == 0 && kind == Kind::Message && *request != ffi::RSMPI_REQUEST_NULL {
            ffi::MPI_Request_free(request);
        }
        done != 0
    }
}

/// Many transfers under way, tested by one call.
pub struct Transfers<P> {
    requests: Vec<ffi::MPI_Request>,
    kinds: Vec<Kind>,
    carried: Vec<Option<P>>,
    indices: Vec<c_int>,
    statuses: Vec<ffi::MPI_Status>,
}

// SAFETY: as for `Transfer`.
unsafe impl<P: Send> Send for Transfers<P> {}

impl<P> Transfers<P> {
    /// None.
    pub fn new() -> Transfers<P> {
        Transfers {
            requests: Vec::new(),
            kinds: Vec::new(),
            carried: Vec::new(),
            indices: Vec::new(),
            statuses: Vec::new(),
        }
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Takes one over.
    pub fn push(&mut self, transfer: Transfer<P>) {
        self.requests.push(transfer.request);
        self.kinds.push(transfer.kind);
        self.carried.push(Some(transfer.into_carried()));
    }

    /// Gives up transfers that `which` picks. Receives end as [`Failure::CANCELLED`] in a later `finish`. A get cannot be
    /// cancelled: `left` is told of it, and what it carries is left to MPI for good (M2).
    pub fn cancel(&mut self, which: impl Fn(&P) -> bool, mut left: impl FnMut(&P)) {
        for at in (0..self.requests.len()).rev() {
            let Some(carried) = self.carried[at].as_ref().filter(|carried| which(carried)) else { continue };
            if self.kinds[at] == Kind::Message {
                // SAFETY: the request is live: it is in the list until it is over.
                unsafe { ffi::MPI_Cancel(&mut self.requests[at]) };
            } else {
                left(carried);
                std::mem::forget(self.remove(at));
            }
        }
    }

    fn remove(&mut self, at: usize) -> Option<P> {
        self.requests.swap_remove(at);
        self.kinds.swap_remove(at);
        self.carried.swap_remove(at)
    }

    /// Moves those that are over to `ended`.
    pub fn finish(&mut self, ended: &mut Vec<(P, Ending)>) {
        let count = self.requests.len();
        if count == 0 {
            return;
        }
        self.indices.resize(count, 0);
        // SAFETY: a status is all integers, for which zeroes are valid.
        self.statuses.resize_with(count, || unsafe { MaybeUninit::zeroed().assume_init() });
        let mut over: c_int = 0;
        // SAFETY: the three lists have `count` places each; the requests are live.
        let code = unsafe {
            ffi::MPI_Testsome(
                count as c_int,
                self.requests.as_mut_ptr(),
                &mut over,
                self.indices.as_mut_ptr(),
                self.statuses.as_mut_ptr(),
            )
        };
        let in_status = code == ffi::MPI_ERR_IN_STATUS as c_int;
        for place in 0..usize::try_from(over).unwrap_or(0).min(count) {
            let status = &self.statuses[place];
            let at = self.indices[place] as usize;
            let ending = match check("MPI_Testsome", if in_status { status.MPI_ERROR } else { code }) {
                Err(failure) => Err(failure),
                Ok(()) if self.kinds.get(at) == Some(&Kind::Get) => Ok(Arrived { from: Rank::MAX, bytes: 0 }),
                Ok(()) if was_cancelled(status) => Err(Failure::CANCELLED),
                Ok(()) => Ok(arrived(status)),
            };
            let carried = self.carried.get_mut(at).and_then(Option::take);
            ended.extend(carried.map(|carried| (carried, ending)));
        }
        for at in (0..count).rev().filter(|_| over > 0) {
            if self.carried[at].is_none() {
                self.remove(at);
            }
        }
    }
}

impl<P> Drop for Transfers<P> {
    fn drop(&mut self) {
        let requests = self.requests.drain(..).zip(self.kinds.drain(..));
        for ((mut request, kind), carried) in requests.zip(self.carried.drain(..)) {
            if !abandon(&mut request, kind) {
                std::mem::forget(carried);
            }
        }
    }
}
