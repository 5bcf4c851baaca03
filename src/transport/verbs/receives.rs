//! Buffers for what peers send: one shared queue of them for all queue pairs, as long as there are links.
#![allow(unsafe_code)]

use super::completion::receive_id;
use super::device::{Device, failure};
use super::header::SEGMENT_BYTES;
use super::registration::Slab;
use super::window::RING_SLOTS;
use crate::base::sync::{AtomicU32, Ordering};
use rdma_sys as verbs;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};

/// A buffer that the device filled, or gave back empty because its queue pair broke; posted again by
/// [`Receives::post`]. There is one for each completion, so that nobody else has the buffer.
#[derive(Debug)]
pub struct Filled {
    buffer: u32,
    bytes: usize,
}

impl Filled {
    /// Of a completion; nothing else may make one.
    pub(super) fn new(buffer: u32, bytes: usize) -> Filled {
        Filled { buffer, bytes }
    }
}

/// The shared receive queue and its buffers.
#[derive(Debug)]
pub struct Receives {
    queue: NonNull<verbs::ibv_srq>,
    // After the queue, which `drop` destroys first: the device writes into no buffer then.
    slabs: Box<[OnceLock<Slab>]>,
    count: AtomicU32,
    device: Arc<Device>,
}

// SAFETY: libibverbs locks a queue by itself; a buffer is reached through its one `Filled`.
unsafe impl Send for Receives {}
// SAFETY: as above.
unsafe impl Sync for Receives {}

impl Receives {
    /// Empty, with room for the buffers of `links` links.
    ///
    /// # Errors
    /// One line for the banner.
    pub fn new(device: &Arc<Device>, links: u32) -> Result<Receives, String> {
        let mut wanted = verbs::ibv_srq_init_attr {
            srq_context: ptr::null_mut(),
            attr: verbs::ibv_srq_attr { max_wr: links.max(1) * BUFFERS_EACH as u32, max_sge: 1, srq_limit: 0 },
        };
        // SAFETY: a live domain and a filled request.
        let queue = unsafe { verbs::ibv_create_srq(device.domain(), &mut wanted) };
        let queue = NonNull::new(queue).ok_or_else(|| {
            format!("{} gives no shared receive queue: {}", device.name(), io::Error::last_os_error())
        })?;
        let slabs = (0..links).map(|_| OnceLock::new()).collect();
        Ok(Receives { queue, slabs, count: AtomicU32::new(0), device: device.clone() })
    }

    /// For queue pairs, which receive into it.
    pub(super) fn raw(&self) -> *mut verbs::ibv_srq {
        self.queue.as_ptr()
    }

    /// Adds the buffers that one more link can fill.
    ///
    /// # Errors
    /// Why there are none; also where all links that there may be have theirs.
    pub fn add(&self) -> Result<(), String> {
        // Relaxed: the number is taken once, and what is in its place is published by the `OnceLock`.
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let Some(place) = self.slabs.get(number as usize) else {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(format!("all {} links of this rank over {} are taken", self.slabs.len(), self.device.name()));
        };
        let slab = Slab::new(&self.device, BUFFERS_EACH, SEGMENT_BYTES)?;
        assert!(place.set(slab).is_ok(), "a number was taken twice");
        let first = number * BUFFERS_EACH as u32;
        self.post((first..first + BUFFERS_EACH as u32).map(|buffer| Filled::new(buffer, 0)))
    }

    /// The bytes that came, as far as a buffer holds them.
    pub fn bytes(&self, filled: &Filled) -> &[u8] {
        let (slab, place) = self.place(filled.buffer);
        // SAFETY: the device filled the buffer and is done with it; it is posted again only through this `Filled`,
        // which is borrowed meanwhile.
        unsafe { slab.bytes(place, filled.bytes.min(SEGMENT_BYTES)) }
    }

    fn place(&self, buffer: u32) -> (&Slab, usize) {
        let (slab, place) = (buffer as usize / BUFFERS_EACH, buffer as usize % BUFFERS_EACH);
        (self.slabs[slab].get().expect("a buffer is posted after its slab is there"), place)
    }

    /// Lets the device fill these buffers again: one chain, one bell.
    ///
    /// # Errors
    /// Where the device is broken.
    pub fn post(&self, buffers: impl Iterator<Item = Filled>) -> Result<(), String> {
        let mut buffers = buffers.peekable();
        while buffers.peek().is_some() {
            let mut pieces = [verbs::ibv_sge { addr: 0, length: 0, lkey: 0 }; CHAIN];
            let mut requests = [EMPTY; CHAIN];
            let mut count = 0;
            for Filled { buffer, .. } in buffers.by_ref().take(CHAIN) {
                let (slab, place) = self.place(buffer);
                pieces[count] = verbs::ibv_sge {
                    addr: slab.address_of(place),
                    length: SEGMENT_BYTES as u32,
                    lkey: slab.local_key(),
                };
                requests[count] = verbs::ibv_recv_wr { wr_id: receive_id(buffer), ..EMPTY };
                count += 1;
            }
            let (first_piece, first_request) = (pieces.as_mut_ptr(), requests.as_mut_ptr());
            let mut refused = ptr::null_mut();
            // SAFETY: `count` places of two locals, chained; the device copies the requests before the call returns,
            // and the buffers live as long as the queue. The slots of the queue suffice for all buffers.
            let code = unsafe {
                for at in 0..count {
                    let request = &mut *first_request.add(at);
                    request.sg_list = first_piece.add(at);
                    request.num_sge = 1;
                    request.next = if at + 1 < count { first_request.add(at + 1) } else { ptr::null_mut() };
                }
                verbs::ibv_post_srq_recv(self.raw(), first_request, &mut refused)
            };
            if code != 0 {
                return Err(format!("{} takes no receive buffers: {}", self.device.name(), failure(code)));
            }
        }
        Ok(())
    }
}

/// Requests posted at once.
pub const CHAIN: usize = 16;

/// Buffers that a link brings: as many as its peer has slots, and those that were delivered, and may be credited, while
/// they wait to be posted in one chain.
pub const BUFFERS_EACH: usize = RING_SLOTS + CHAIN;

const EMPTY: verbs::ibv_recv_wr =
    verbs::ibv_recv_wr { wr_id: 0, next: ptr::null_mut(), sg_list: ptr::null_mut(), num_sge: 0 };

impl Drop for Receives {
    fn drop(&mut self) {
        // SAFETY: made in `new`, destroyed once; queue pairs hold it, so none is left.
        let code = unsafe { verbs::ibv_destroy_srq(self.queue.as_ptr()) };
        debug_assert_eq!(code, 0, "V5: {}", failure(code));
    }
}
