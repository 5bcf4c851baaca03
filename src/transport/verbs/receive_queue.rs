//! Buffers for what peers send: all queue pairs share one receive queue, and each link adds its buffers.
#![allow(unsafe_code)]

use super::completion::{RECEIVE, work_id};
use super::device::{VerbsDevice, failure};
use super::error::VerbsError;
use super::header::SEGMENT_BYTES;
use super::registration::Slab;
use super::window::RING_SLOTS;
use crate::base::sync::{AtomicU32, Ordering};
use rdma_sys as verbs;
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};

/// A buffer that the device filled, or returned empty because its queue pair failed; posted again by
/// [`ReceiveQueue::post`]. There is one value for each completion, so it alone gives access to the buffer.
#[derive(Debug)]
pub struct FilledBuffer {
    buffer: u32,
    bytes: usize,
}

impl FilledBuffer {
    /// For the buffer of a completion; only completions create one.
    pub(super) fn new(buffer: u32, bytes: usize) -> FilledBuffer {
        FilledBuffer { buffer, bytes }
    }
}

/// The shared receive queue and its buffers.
#[derive(Debug)]
pub struct ReceiveQueue {
    queue: NonNull<verbs::ibv_srq>,
    // After the queue, which `drop` destroys first: the device does not write into a buffer then.
    slabs: Box<[OnceLock<Slab>]>,
    count: AtomicU32,
    device: Arc<VerbsDevice>,
}

// SAFETY: libibverbs locks a queue by itself; a buffer is accessed only through its one `FilledBuffer`.
unsafe impl Send for ReceiveQueue {}
// SAFETY: as above.
unsafe impl Sync for ReceiveQueue {}

impl ReceiveQueue {
    /// An empty queue with space for the buffers of `links` links.
    ///
    /// # Errors
    /// What the device refused, in one line for the banner.
    pub fn new(device: &Arc<VerbsDevice>, links: u32) -> Result<ReceiveQueue, VerbsError> {
        let mut attributes = verbs::ibv_srq_init_attr {
            srq_context: ptr::null_mut(),
            attr: verbs::ibv_srq_attr { max_wr: links.max(1) * BUFFERS_EACH as u32, max_sge: 1, srq_limit: 0 },
        };
        // SAFETY: a live domain and a filled request.
        let queue = unsafe { verbs::ibv_create_srq(device.domain(), &mut attributes) };
        let queue = device.created(queue, "gives no shared receive queue")?;
        let slabs = (0..links).map(|_| OnceLock::new()).collect();
        Ok(ReceiveQueue { queue, slabs, count: AtomicU32::new(0), device: device.clone() })
    }

    /// The handle, for queue pairs that receive from this queue.
    pub(super) fn raw(&self) -> *mut verbs::ibv_srq {
        self.queue.as_ptr()
    }

    /// Adds the buffers of one more link.
    ///
    /// # Errors
    /// What the device refused, or that all links are in use.
    pub fn add_buffers(&self) -> Result<(), VerbsError> {
        // Relaxed: each number is taken once, and the slab at its index is published by the `OnceLock`.
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let Some(index) = self.slabs.get(number as usize) else {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(VerbsError::LinksTaken {
                links: self.slabs.len() as u32,
                device: self.device.name().to_string(),
            });
        };
        let slab = Slab::new(&self.device, BUFFERS_EACH, SEGMENT_BYTES)?;
        assert!(index.set(slab).is_ok(), "a number was taken twice");
        let first = number * BUFFERS_EACH as u32;
        self.post((first..first + BUFFERS_EACH as u32).map(|buffer| FilledBuffer::new(buffer, 0)))
    }

    /// The bytes received, at most a buffer.
    pub fn bytes(&self, filled: &FilledBuffer) -> &[u8] {
        let (slab, index) = self.locate(filled.buffer);
        // SAFETY: the device has filled the buffer and no longer uses it; it is posted again only through this
        // `FilledBuffer`, which is borrowed meanwhile.
        unsafe { slab.bytes(index, filled.bytes.min(SEGMENT_BYTES)) }
    }

    fn locate(&self, buffer: u32) -> (&Slab, usize) {
        let (slab, index) = (buffer as usize / BUFFERS_EACH, buffer as usize % BUFFERS_EACH);
        (self.slabs[slab].get().expect("a buffer is posted after its slab is there"), index)
    }

    /// Posts buffers to the device: one chain of requests, one doorbell.
    ///
    /// # Errors
    /// If the device fails.
    pub fn post(&self, buffers: impl Iterator<Item = FilledBuffer>) -> Result<(), VerbsError> {
        let mut buffers = buffers.peekable();
        while buffers.peek().is_some() {
            let mut pieces = [verbs::ibv_sge { addr: 0, length: 0, lkey: 0 }; CHAIN];
            let mut requests = [EMPTY; CHAIN];
            let mut count = 0;
            for FilledBuffer { buffer, .. } in buffers.by_ref().take(CHAIN) {
                let (slab, index) = self.locate(buffer);
                pieces[count] = verbs::ibv_sge {
                    addr: slab.address_of(index),
                    length: SEGMENT_BYTES as u32,
                    lkey: slab.local_key(),
                };
                requests[count] = verbs::ibv_recv_wr { wr_id: work_id(RECEIVE, buffer.into()), ..EMPTY };
                count += 1;
            }
            let (first_piece, first_request) = (pieces.as_mut_ptr(), requests.as_mut_ptr());
            let mut refused = ptr::null_mut();
            // SAFETY: `count` entries of two locals, chained; the device copies the requests before the call returns,
            // and the buffers live as long as the queue. The queue has space for all buffers.
            let code = unsafe {
                for at in 0..count {
                    let request = &mut *first_request.add(at);
                    request.sg_list = first_piece.add(at);
                    request.num_sge = 1;
                    request.next = if at + 1 < count { first_request.add(at + 1) } else { ptr::null_mut() };
                }
                verbs::ibv_post_srq_recv(self.raw(), first_request, &mut refused)
            };
            self.device.check(code, "takes no receive buffers")?;
        }
        Ok(())
    }
}

/// Requests posted by one call.
pub const CHAIN: usize = 16;

/// Buffers that a link adds: as many as its peer has slots, and those that were delivered, and may be credited, while
/// they wait to be posted in one chain.
pub const BUFFERS_EACH: usize = RING_SLOTS + CHAIN;

const EMPTY: verbs::ibv_recv_wr =
    verbs::ibv_recv_wr { wr_id: 0, next: ptr::null_mut(), sg_list: ptr::null_mut(), num_sge: 0 };

impl Drop for ReceiveQueue {
    fn drop(&mut self) {
        // SAFETY: created in `new`, destroyed once; queue pairs own a reference to it, so none is left.
        let code = unsafe { verbs::ibv_destroy_srq(self.queue.as_ptr()) };
        debug_assert_eq!(code, 0, "VERBS-5: {}", failure(code));
    }
}
