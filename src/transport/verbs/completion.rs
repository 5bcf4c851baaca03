//! The completion queue of the device, and the descriptor that becomes readable when a completion comes.
#![allow(unsafe_code)]

use super::device::{VerbsDevice, failure};
use super::error::VerbsError;
use super::receive_queue::FilledBuffer;
use rdma_sys as verbs;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Completions taken from the device by one call.
pub const BATCH: usize = 16;

/// The work request that completed, decoded from its id: the two highest bits are the kind, the rest is a number.
#[derive(Debug)]
pub enum CompletedWork {
    /// A buffer of the shared receive queue.
    Receive(FilledBuffer),
    /// The segment at this position.
    Send(u64),
    /// A piece of the bulk read of this number.
    Read(u32),
}

const KIND_SHIFT: u32 = 62;
/// The kind of a receive; its number is the buffer's.
pub const RECEIVE: u64 = 1;
/// The kind of a segment; its number is its position.
pub const SEND: u64 = 2;
/// The kind of a piece of a read; its number is the read's.
pub const READ: u64 = 3;

/// The id of a request.
pub fn work_id(kind: u64, number: u64) -> u64 {
    kind << KIND_SHIFT | number
}

/// A work request that the device has finished.
#[derive(Debug)]
pub struct Completion {
    /// The number of the queue pair it was posted on.
    pub queue_pair: u32,
    /// The request.
    pub work: CompletedWork,
    /// Why it failed, if it did; its queue pair has failed too.
    pub failed: Option<Status>,
}

/// The device's code for how a work request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(verbs::ibv_wc_status::Type);

impl Status {
    /// The code as text.
    fn text(self) -> String {
        // SAFETY: libibverbs is open, for a completion came from it; its texts are static.
        let text = unsafe { verbs::ibv_wc_status_str(self.0) };
        if text.is_null() {
            return format!("status {}", self.0);
        }
        // SAFETY: as above.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    /// The failure of a work request of `device`.
    pub fn failure(self, device: &str) -> VerbsError {
        // Requests are flushed after an earlier one has failed.
        let is_flush = self.0 == verbs::ibv_wc_status::IBV_WC_WR_FLUSH_ERR;
        let status = if is_flush { format!("the queue pair was stopped ({})", self.text()) } else { self.text() };
        VerbsError::WorkFailed { device: device.to_string(), status }
    }
}

/// A completion queue with its event channel.
#[derive(Debug)]
pub struct CompletionQueue {
    queue: NonNull<verbs::ibv_cq>,
    channel: NonNull<verbs::ibv_comp_channel>,
    _device: Arc<VerbsDevice>,
}

// SAFETY: libibverbs locks a queue by itself.
unsafe impl Send for CompletionQueue {}
// SAFETY: as above.
unsafe impl Sync for CompletionQueue {}

impl CompletionQueue {
    /// Creates a queue of `capacity` completions.
    ///
    /// # Errors
    /// What the device refused, in one line for the banner.
    pub fn new(device: &Arc<VerbsDevice>, capacity: u32) -> Result<CompletionQueue, VerbsError> {
        // SAFETY: an open device.
        let channel = unsafe { verbs::ibv_create_comp_channel(device.context()) };
        let channel = device.created(channel, "gives no completion channel")?;
        // SAFETY: an open descriptor; reading it must not block, because `arm` empties it.
        unsafe {
            let descriptor = channel.as_ref().fd;
            libc::fcntl(descriptor, libc::F_SETFL, libc::fcntl(descriptor, libc::F_GETFL) | libc::O_NONBLOCK);
        }
        // SAFETY: an open device and a channel of it.
        let queue =
            unsafe { verbs::ibv_create_cq(device.context(), capacity as i32, ptr::null_mut(), channel.as_ptr(), 0) };
        let queue = device.created(queue, &format!("gives no completion queue of {capacity} entries"));
        // SAFETY: created above and used by nothing, since no queue was created.
        let queue = queue.inspect_err(|_| unsafe {
            verbs::ibv_destroy_comp_channel(channel.as_ptr());
        })?;
        Ok(CompletionQueue { queue, channel, _device: device.clone() })
    }

    /// The handle, for queue pairs that complete into this queue.
    pub(super) fn raw(&self) -> *mut verbs::ibv_cq {
        self.queue.as_ptr()
    }

    /// Takes up to [`BATCH`] completions, appends them to `found` and returns how many.
    ///
    /// # Errors
    /// If the device fails.
    pub fn take(&self, found: &mut impl Extend<Completion>) -> Result<usize, VerbsError> {
        let mut batch = [const { MaybeUninit::<verbs::ibv_wc>::uninit() }; BATCH];
        // SAFETY: a live queue, and space for as many as requested.
        let count = unsafe { verbs::ibv_poll_cq(self.raw(), BATCH as i32, batch.as_mut_ptr().cast()) };
        let count = usize::try_from(count).map_err(|_| VerbsError::Poll)?;
        // SAFETY: the call wrote the first `count`.
        found.extend(batch[..count].iter().filter_map(|entry| completion(unsafe { entry.assume_init_ref() })));
        Ok(count)
    }

    /// Becomes readable when a completion comes after `arm`.
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: open until the channel is destroyed, when `self` is dropped.
        unsafe { BorrowedFd::borrow_raw(self.channel.as_ref().fd) }
    }

    /// Empties the descriptor and requests an event for the next completion. A completion that came before `arm` causes
    /// no event, so the caller polls once more.
    pub fn arm(&self) {
        let (mut queue, mut context) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live channel that does not block, and space for the results; each event is acknowledged once.
        unsafe {
            while verbs::ibv_get_cq_event(self.channel.as_ptr(), &mut queue, &mut context) == 0 {
                verbs::ibv_ack_cq_events(queue, 1);
            }
            verbs::ibv_req_notify_cq(self.raw(), 0);
        }
    }
}

impl Drop for CompletionQueue {
    fn drop(&mut self) {
        // SAFETY: created in `new`, destroyed once, the queue before its channel; queue pairs own a reference to this
        // queue, so none is left, and every event was acknowledged.
        let code = unsafe { verbs::ibv_destroy_cq(self.queue.as_ptr()) };
        debug_assert_eq!(code, 0, "VERBS-5: {}", failure(code));
        // SAFETY: as above.
        unsafe { verbs::ibv_destroy_comp_channel(self.channel.as_ptr()) };
    }
}

fn completion(found: &verbs::ibv_wc) -> Option<Completion> {
    let number = found.wr_id & !(3 << KIND_SHIFT);
    let work = match found.wr_id >> KIND_SHIFT {
        RECEIVE => CompletedWork::Receive(FilledBuffer::new(number as u32, found.byte_len as usize)),
        SEND => CompletedWork::Send(number),
        READ => CompletedWork::Read(number as u32),
        // No request of ours has such an id.
        _ => return None,
    };
    let failed = (found.status != verbs::ibv_wc_status::IBV_WC_SUCCESS).then_some(Status(found.status));
    Some(Completion { queue_pair: found.qp_num, work, failed })
}
