//! MPI requests in flight, each together with the memory that it reads or fills (MPI-TRANSPORT-2).
#![allow(unsafe_code)]

use super::comm::{Comm, MpiFailure, check, is_running, null_request};
use super::window::RmaWindow;
use crate::base::Rank;
use ::mpi::ffi;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::mem::{ManuallyDrop, MaybeUninit};

/// Bytes to send.
///
/// # Safety
/// `bytes` stay valid at the same address while the value lives, even if it is moved, and no safe code writes them.
pub unsafe trait SendBuffer {
    /// The bytes to send, less than 2 GiB.
    fn bytes(&self) -> &[u8];
}

/// Memory to receive into.
///
/// # Safety
/// `bytes_mut` stay valid at the same address while the value lives, even if it is moved, and nothing else accesses
/// them.
pub unsafe trait ReceiveBuffer {
    /// The memory, less than 2 GiB.
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// The source and length of the message of a finished receive; meaningless for a send or a get.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// The sender.
    pub from: Rank,
    /// The length.
    pub bytes: usize,
}

/// The result of a transfer.
pub type TransferResult = Result<Received, MpiFailure>;

/// The state of a transfer.
pub enum Progress<P> {
    /// In flight.
    Pending(Transfer<P>),
    /// Finished: its buffer, and the result.
    Done(P, TransferResult),
}

/// Any rank may be the sender.
pub const ANY_SOURCE: Option<Rank> = None;

/// The kind of a request, which decides what MPI allows to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestKind {
    /// A send or a receive: it may be cancelled, and has a status.
    Message,
    /// A get from a window: it can only be waited for, and its status has no meaning.
    Get,
}

/// One send, receive or get in flight, with its memory.
pub struct Transfer<P> {
    request: ffi::MPI_Request,
    kind: RequestKind,
    buffer: ManuallyDrop<P>,
}

// SAFETY: a request is a name that MPI looks up; with MPI_THREAD_MULTIPLE (which this transport needs) it may be tested
// by any thread, one at a time, which `&mut` or ownership ensures.
unsafe impl<P: Send> Send for Transfer<P> {}

impl<P: SendBuffer> Transfer<P> {
    /// Starts to send all of `buffer`; returns it if MPI refuses.
    pub fn send(comm: &Comm, peer: Rank, tag: c_int, buffer: P) -> Result<Transfer<P>, (MpiFailure, P)> {
        let bytes = buffer.bytes();
        let (start, length, mut request) = (bytes.as_ptr().cast(), bytes.len() as c_int, null_request());
        // SAFETY: `SendBuffer` keeps the address of the bytes, and the transfer owns them until MPI is done
        // (MPI-TRANSPORT-2).
        let code =
            unsafe { ffi::MPI_Isend(start, length, ffi::RSMPI_UINT8_T, peer as c_int, tag, comm.raw(), &mut request) };
        Transfer::started("MPI_Isend", code, request, RequestKind::Message, buffer)
    }
}

impl<P: ReceiveBuffer> Transfer<P> {
    /// Starts to receive a message from `peer` of at most the length of `buffer`.
    pub fn receive(comm: &Comm, peer: Option<Rank>, tag: c_int, mut buffer: P) -> Result<Transfer<P>, (MpiFailure, P)> {
        let into = buffer.bytes_mut();
        let (start, length, mut request) = (into.as_mut_ptr().cast(), into.len() as c_int, null_request());
        // SAFETY: `ReceiveBuffer` keeps the address of its memory, and the transfer owns it until MPI is done
        // (MPI-TRANSPORT-2).
        let code = unsafe {
            let from = peer.map_or(ffi::RSMPI_ANY_SOURCE, |peer| peer as c_int);
            ffi::MPI_Irecv(start, length, ffi::RSMPI_UINT8_T, from, tag, comm.raw(), &mut request)
        };
        Transfer::started("MPI_Irecv", code, request, RequestKind::Message, buffer)
    }

    /// Starts to fill `buffer` from `offset` of `peer`'s store, a range that the window covers.
    pub fn get(window: &RmaWindow, peer: Rank, offset: u64, mut buffer: P) -> Result<Transfer<P>, (MpiFailure, P)> {
        let mut request = null_request();
        let into = buffer.bytes_mut();
        assert!(window.covers(peer, offset, into.len()), "a get of what rank {peer} does not have");
        // SAFETY: `ReceiveBuffer` keeps the address of its memory, and the transfer owns it until MPI is done
        // (MPI-TRANSPORT-2).
        let code = unsafe { window.get(peer, offset, into, &mut request) };
        Transfer::started("MPI_Rget", code, request, RequestKind::Get, buffer)
    }
}

impl<P> Transfer<P> {
    fn started(
        call: &'static str,
        code: c_int,
        request: ffi::MPI_Request,
        kind: RequestKind,
        buffer: P,
    ) -> Result<Transfer<P>, (MpiFailure, P)> {
        match check(call, code) {
            Ok(()) => Ok(Transfer { request, kind, buffer: ManuallyDrop::new(buffer) }),
            Err(failure) => Err((failure, buffer)),
        }
    }

    /// Tests whether the transfer has finished.
    pub fn test(mut self) -> Progress<P> {
        let mut done: c_int = 0;
        let mut status = MaybeUninit::<ffi::MPI_Status>::zeroed();
        // SAFETY: the request is live, or null after an error, which MPI takes as done.
        let code = unsafe { ffi::MPI_Test(&mut self.request, &mut done, status.as_mut_ptr()) };
        match check("MPI_Test", code) {
            Ok(()) if done == 0 => Progress::Pending(self),
            // SAFETY: zeroed at first, and all integers, so initialized whatever MPI wrote.
            Ok(()) => Progress::Done(self.into_buffer(), Ok(received(unsafe { status.assume_init_ref() }))),
            Err(failure) => Progress::Done(self.into_buffer(), Err(failure)),
        }
    }

    fn into_buffer(self) -> P {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: taken once: `this` is neither dropped nor used again.
        unsafe { ManuallyDrop::take(&mut this.buffer) }
    }
}

impl<P> Drop for Transfer<P> {
    fn drop(&mut self) {
        if abandon(&mut self.request, self.kind) {
            // SAFETY: MPI is done with it, and a transfer is dropped once.
            unsafe { ManuallyDrop::drop(&mut self.buffer) };
        }
    }
}

fn received(status: &ffi::MPI_Status) -> Received {
    let mut count: c_int = 0;
    // SAFETY: a status that MPI wrote, or a zeroed one; the result goes to a local.
    unsafe { ffi::MPI_Get_count(status, ffi::RSMPI_UINT8_T, &mut count) };
    Received { from: status.MPI_SOURCE as Rank, bytes: count.max(0) as usize }
}

fn was_cancelled(status: &ffi::MPI_Status) -> bool {
    let mut cancelled: c_int = 0;
    // SAFETY: a status that MPI wrote; the result goes to a local.
    unsafe { ffi::MPI_Test_cancelled(status, &mut cancelled) };
    cancelled != 0
}

/// Times that a cancelled request is tested before its memory is left to MPI.
const CANCEL_TESTS_MAX: u32 = 100;

/// Abandons a request; true if MPI is done with its memory.
fn abandon(request: &mut ffi::MPI_Request, kind: RequestKind) -> bool {
    if !is_running() {
        return false;
    }
    // SAFETY: MPI is running and this code owns the request; the first comparison excludes null requests.
    unsafe {
        if *request == ffi::RSMPI_REQUEST_NULL {
            return true;
        }
        if kind == RequestKind::Message {
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
        if done == 0 && kind == RequestKind::Message && *request != ffi::RSMPI_REQUEST_NULL {
            ffi::MPI_Request_free(request);
        }
        done != 0
    }
}

/// Many transfers in flight, tested by one call.
pub struct Transfers<P> {
    requests: Vec<ffi::MPI_Request>,
    /// The kind and the memory of each request.
    buffers: Vec<Option<(RequestKind, P)>>,
    /// Transfers that have finished and were not taken yet.
    ended: VecDeque<(P, TransferResult)>,
    indices: Vec<c_int>,
    statuses: Vec<ffi::MPI_Status>,
}

// SAFETY: as for `Transfer`.
unsafe impl<P: Send> Send for Transfers<P> {}

impl<P> Transfers<P> {
    /// No transfers.
    pub fn new() -> Transfers<P> {
        Transfers {
            requests: Vec::new(),
            buffers: Vec::new(),
            ended: VecDeque::new(),
            indices: Vec::new(),
            statuses: Vec::new(),
        }
    }

    /// The number of transfers in flight.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Adds a transfer.
    pub fn push(&mut self, transfer: Transfer<P>) {
        self.requests.push(transfer.request);
        self.buffers.push(Some((transfer.kind, transfer.into_buffer())));
    }

    /// Cancels the transfers that `which` picks. Receives end as [`MpiFailure::CANCELLED`] in a later `test`. A get
    /// cannot be cancelled: `abandoned` is called for it, and its buffer is left to MPI for good (MPI-TRANSPORT-2).
    pub fn cancel(&mut self, which: impl Fn(&P) -> bool, mut abandoned: impl FnMut(&P)) {
        for at in (0..self.requests.len()).rev() {
            let Some((kind, buffer)) = self.buffers[at].as_ref().filter(|(_, buffer)| which(buffer)) else { continue };
            if *kind == RequestKind::Message {
                // SAFETY: the request is live: it is in the list until it has finished.
                unsafe { ffi::MPI_Cancel(&mut self.requests[at]) };
            } else {
                abandoned(buffer);
                std::mem::forget(self.remove(at));
            }
        }
    }

    fn remove(&mut self, at: usize) -> Option<(RequestKind, P)> {
        self.requests.swap_remove(at);
        self.buffers.swap_remove(at)
    }

    /// Takes a transfer that `test` found finished: its buffer, and its result.
    pub fn pop_ended(&mut self) -> Option<(P, TransferResult)> {
        self.ended.pop_front()
    }

    /// Tests which transfers have finished.
    pub fn test(&mut self) {
        let count = self.requests.len();
        if count == 0 {
            return;
        }
        self.indices.resize(count, 0);
        // SAFETY: a status consists of integers, for which zeroes are valid.
        self.statuses.resize_with(count, || unsafe { MaybeUninit::zeroed().assume_init() });
        let mut done: c_int = 0;
        // SAFETY: the three lists have `count` entries each; the requests are live.
        let code = unsafe {
            ffi::MPI_Testsome(
                count as c_int,
                self.requests.as_mut_ptr(),
                &mut done,
                self.indices.as_mut_ptr(),
                self.statuses.as_mut_ptr(),
            )
        };
        let in_status = code == ffi::MPI_ERR_IN_STATUS as c_int;
        for index in 0..usize::try_from(done).unwrap_or(0).min(count) {
            let status = &self.statuses[index];
            let taken = self.buffers.get_mut(self.indices[index] as usize).and_then(Option::take);
            let Some((kind, buffer)) = taken else { continue };
            let ending = match check("MPI_Testsome", if in_status { status.MPI_ERROR } else { code }) {
                Err(failure) => Err(failure),
                Ok(()) if kind == RequestKind::Get => Ok(Received { from: Rank::MAX, bytes: 0 }),
                Ok(()) if was_cancelled(status) => Err(MpiFailure::CANCELLED),
                Ok(()) => Ok(received(status)),
            };
            self.ended.push_back((buffer, ending));
        }
        for at in (0..count).rev().filter(|_| done > 0) {
            if self.buffers[at].is_none() {
                self.remove(at);
            }
        }
    }
}

impl<P> Drop for Transfers<P> {
    fn drop(&mut self) {
        for (mut request, buffer) in self.requests.drain(..).zip(self.buffers.drain(..)) {
            // Between two calls each request has its buffer.
            let Some((kind, buffer)) = buffer else { continue };
            if !abandon(&mut request, kind) {
                std::mem::forget(buffer);
            }
        }
    }
}
