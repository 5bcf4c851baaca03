//! MPI requests in flight, each together with the memory that it reads or fills (MPI-TRANSPORT-2).
#![allow(unsafe_code)]

use super::comm::{Comm, MpiFailure, check};
use super::library::{LoadedMpi, MpiStatus, Request, RequestList, SUCCESS, StatusList, StatusMemory};
use super::window::RmaWindow;
use crate::base::Rank;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::mem::ManuallyDrop;

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
    mpi: &'static LoadedMpi,
    request: Request,
    kind: RequestKind,
    buffer: ManuallyDrop<P>,
}

// SAFETY: a request is a name that MPI looks up; with MPI_THREAD_MULTIPLE (which this transport needs) it may be tested
// by any thread, one at a time, which `&mut` or ownership ensures.
unsafe impl<P: Send> Send for Transfer<P> {}

impl<P: SendBuffer> Transfer<P> {
    /// Starts to send all of `buffer`; returns it if MPI refuses.
    pub fn send(comm: &Comm, peer: Rank, tag: c_int, buffer: P) -> Result<Transfer<P>, (MpiFailure, P)> {
        let (mpi, bytes) = (comm.mpi(), buffer.bytes());
        let (start, length, mut request) = (bytes.as_ptr().cast(), bytes.len() as c_int, mpi.constants.request_null);
        // SAFETY: `SendBuffer` keeps the address of the bytes, and the transfer owns them until MPI is done
        // (MPI-TRANSPORT-2).
        let code = unsafe {
            (mpi.call.isend)(start, length, mpi.constants.byte, peer as c_int, tag, comm.raw(), &mut request)
        };
        Transfer::started(mpi, ("MPI_Isend", code), request, RequestKind::Message, buffer)
    }
}

impl<P: ReceiveBuffer> Transfer<P> {
    /// Starts to receive a message from `peer` of at most the length of `buffer`.
    pub fn receive(comm: &Comm, peer: Option<Rank>, tag: c_int, mut buffer: P) -> Result<Transfer<P>, (MpiFailure, P)> {
        let (mpi, into) = (comm.mpi(), buffer.bytes_mut());
        let (start, length, mut request) = (into.as_mut_ptr().cast(), into.len() as c_int, mpi.constants.request_null);
        // SAFETY: `ReceiveBuffer` keeps the address of its memory, and the transfer owns it until MPI is done
        // (MPI-TRANSPORT-2).
        let code = unsafe {
            let from = peer.map_or(mpi.constants.any_source, |peer| peer as c_int);
            (mpi.call.irecv)(start, length, mpi.constants.byte, from, tag, comm.raw(), &mut request)
        };
        Transfer::started(mpi, ("MPI_Irecv", code), request, RequestKind::Message, buffer)
    }

    /// Starts to fill `buffer` from `offset` of `peer`'s store, a range that the window covers.
    pub fn get(window: &RmaWindow, peer: Rank, offset: u64, mut buffer: P) -> Result<Transfer<P>, (MpiFailure, P)> {
        let mpi = window.mpi();
        let mut request = mpi.constants.request_null;
        let into = buffer.bytes_mut();
        assert!(window.covers(peer, offset, into.len()), "a get of what rank {peer} does not have");
        // SAFETY: `ReceiveBuffer` keeps the address of its memory, and the transfer owns it until MPI is done
        // (MPI-TRANSPORT-2).
        let code = unsafe { window.get(peer, offset, into, &mut request) };
        Transfer::started(mpi, ("MPI_Rget", code), request, RequestKind::Get, buffer)
    }
}

impl<P> Transfer<P> {
    fn started(
        mpi: &'static LoadedMpi,
        (call, code): (&'static str, c_int),
        request: Request,
        kind: RequestKind,
        buffer: P,
    ) -> Result<Transfer<P>, (MpiFailure, P)> {
        match check(call, code) {
            Ok(()) => Ok(Transfer { mpi, request, kind, buffer: ManuallyDrop::new(buffer) }),
            Err(failure) => Err((failure, buffer)),
        }
    }

    /// Tests whether the transfer has finished.
    pub fn test(mut self) -> Progress<P> {
        let mut done: c_int = 0;
        let (mpi, mut status) = (self.mpi, StatusMemory::default());
        // SAFETY: the request is live, or null after an error, which MPI takes as done.
        let code = unsafe { (mpi.call.test)(&mut self.request, &mut done, status.as_mut_ptr()) };
        match check("MPI_Test", code) {
            Ok(()) if done == 0 => Progress::Pending(self),
            Ok(()) => Progress::Done(self.into_buffer(), Ok(received(mpi, status.status(mpi.abi)))),
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
        if abandon(self.mpi, &mut self.request, self.kind) {
            // SAFETY: MPI is done with it, and a transfer is dropped once.
            unsafe { ManuallyDrop::drop(&mut self.buffer) };
        }
    }
}

fn received(mpi: &LoadedMpi, status: MpiStatus<'_>) -> Received {
    let mut count: c_int = 0;
    // SAFETY: a status that MPI wrote, or a zeroed one; the result goes to a local.
    unsafe { (mpi.call.get_count)(status.as_ptr(), mpi.constants.byte, &mut count) };
    Received { from: status.source() as Rank, bytes: count.max(0) as usize }
}

fn was_cancelled(mpi: &LoadedMpi, status: MpiStatus<'_>) -> bool {
    let mut cancelled: c_int = 0;
    // SAFETY: a status that MPI wrote; the result goes to a local.
    unsafe { (mpi.call.test_cancelled)(status.as_ptr(), &mut cancelled) };
    cancelled != 0
}

/// Times that a cancelled request is tested before its memory is left to MPI.
const CANCEL_TESTS_MAX: u32 = 100;

/// Abandons a request; true if MPI is done with its memory.
fn abandon(mpi: &LoadedMpi, request: &mut Request, kind: RequestKind) -> bool {
    if !mpi.is_running() {
        return false;
    }
    let is_null = |request: &Request| request.is(mpi.constants.request_null, mpi.abi);
    // SAFETY: MPI is running and this code owns the request; the first comparison excludes null requests.
    unsafe {
        if is_null(request) {
            return true;
        }
        if kind == RequestKind::Message {
            (mpi.call.cancel)(request);
        }
        let mut done: c_int = 0;
        for _ in 0..CANCEL_TESTS_MAX {
            let mut ignored = StatusMemory::default();
            let code = (mpi.call.test)(request, &mut done, ignored.as_mut_ptr());
            if done != 0 || code != SUCCESS {
                break;
            }
            std::thread::yield_now();
        }
        if done == 0 && kind == RequestKind::Message && !is_null(request) {
            (mpi.call.request_free)(request);
        }
        done != 0
    }
}

/// Many transfers in flight, tested by one call.
pub struct Transfers<P> {
    mpi: &'static LoadedMpi,
    requests: RequestList,
    /// The kind and the memory of each request.
    buffers: Vec<Option<(RequestKind, P)>>,
    /// Transfers that have finished and were not taken yet.
    ended: VecDeque<(P, TransferResult)>,
    indices: Vec<c_int>,
    statuses: StatusList,
}

// SAFETY: as for `Transfer`.
unsafe impl<P: Send> Send for Transfers<P> {}

impl<P> Transfers<P> {
    /// No transfers, for those of that library.
    pub fn new(mpi: &'static LoadedMpi) -> Transfers<P> {
        Transfers {
            mpi,
            requests: RequestList::new(mpi.abi),
            buffers: Vec::new(),
            ended: VecDeque::new(),
            indices: Vec::new(),
            statuses: StatusList::new(mpi.abi),
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
                let mut request = self.requests.get(at);
                // SAFETY: the request is live: it is in the list until it has finished.
                unsafe { (self.mpi.call.cancel)(&mut request) };
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
        self.statuses.resize(count);
        let mut done: c_int = 0;
        // SAFETY: the three lists have `count` entries each; the requests are live.
        let code = unsafe {
            (self.mpi.call.testsome)(
                count as c_int,
                self.requests.as_mut_ptr(),
                &mut done,
                self.indices.as_mut_ptr(),
                self.statuses.as_mut_ptr(),
            )
        };
        let in_status = code == self.mpi.constants.err_in_status;
        for index in 0..usize::try_from(done).unwrap_or(0).min(count) {
            let status = self.statuses.get(index);
            let taken = self.buffers.get_mut(self.indices[index] as usize).and_then(Option::take);
            let Some((kind, buffer)) = taken else { continue };
            let ending = match check("MPI_Testsome", if in_status { status.error() } else { code }) {
                Err(failure) => Err(failure),
                Ok(()) if kind == RequestKind::Get => Ok(Received { from: Rank::MAX, bytes: 0 }),
                Ok(()) if was_cancelled(self.mpi, status) => Err(MpiFailure::CANCELLED),
                Ok(()) => Ok(received(self.mpi, status)),
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
        for (at, buffer) in self.buffers.drain(..).enumerate() {
            let mut request = self.requests.get(at);
            // Between two calls each request has its buffer.
            let Some((kind, buffer)) = buffer else { continue };
            if !abandon(self.mpi, &mut request, kind) {
                std::mem::forget(buffer);
            }
        }
    }
}
