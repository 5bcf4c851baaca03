//! One end of a reliable connection, with the buffers that it sends from.
#![allow(unsafe_code)]

use super::address::VerbsAddress;
use super::choice::RETRIES;
use super::completion::{CompletionQueue, READ, SEND, work_id};
use super::device::{VerbsDevice, failure};
use super::error::VerbsError;
use super::header::{SEGMENT_BYTES, SegmentHeader};
use super::receive_queue::ReceiveQueue;
use super::regions::ReadPiece;
use super::registration::Slab;
use super::window::{PostedSegment, RING_SLOTS, SendWindow};
use crate::transport::credits::HEADER_BYTES;
use rdma_sys as verbs;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Reads that one queue pair has in flight at once, if the devices of both ends allow so many.
pub const READS_UNDER_WAY: u8 = 16;

/// Bytes that are copied into a request instead of being fetched by the device, if the device supports it.
const INLINE_BYTES: u32 = 128;

/// The objects that all of a rank's queue pairs share.
#[derive(Debug)]
pub struct PairResources {
    /// The queue in which they complete.
    pub completions: Arc<CompletionQueue>,
    /// The queue from which they receive.
    pub receives: Arc<ReceiveQueue>,
    /// The device.
    pub device: Arc<VerbsDevice>,
    /// This rank's port.
    pub address: VerbsAddress,
    /// The index of the port's address in its table.
    pub gid_index: u8,
    /// The time that the device waits for an acknowledgement, as a time-out code.
    pub timeout: u8,
    /// Reads that the device has in flight at once.
    pub reads_initiated: u8,
}

/// The peer's end.
#[derive(Clone, Copy, Debug)]
pub struct RemoteEnd<'a> {
    /// Its port.
    pub address: &'a VerbsAddress,
    /// Its queue pair.
    pub queue_pair: u32,
    /// The number of its first packet.
    pub first_packet: u32,
}

/// A queue pair. Segments are sent from its slots, which live until it is destroyed.
#[derive(Debug)]
pub struct QueuePair {
    pair: NonNull<verbs::ibv_qp>,
    inline_bytes: usize,
    // After the pair, which `drop` destroys first: the device does not read a slot then.
    slots: Slab,
    /// What the next `post` posts.
    chain: Box<RequestChain>,
    parts: Arc<PairResources>,
}

// SAFETY: libibverbs locks a pair by itself; the slots are written through `&mut self`.
unsafe impl Send for QueuePair {}
// SAFETY: as above.
unsafe impl Sync for QueuePair {}

impl QueuePair {
    /// Creates a pair that is not connected yet; peers can read this rank's regions through it once it is.
    ///
    /// # Errors
    /// What the device refused.
    pub fn new(parts: &Arc<PairResources>) -> Result<QueuePair, VerbsError> {
        let slots = Slab::new(&parts.device, RING_SLOTS, SEGMENT_BYTES)?;
        let (handle, inline_bytes) = create(parts)?;
        let chain = Box::new(RequestChain::new());
        let pair = QueuePair { pair: handle, inline_bytes, slots, chain, parts: parts.clone() };
        let mut attributes = zeroed();
        attributes.qp_state = verbs::ibv_qp_state::IBV_QPS_INIT;
        attributes.port_num = parts.address.port;
        attributes.qp_access_flags = verbs::ibv_access_flags::IBV_ACCESS_REMOTE_READ.0;
        type Mask = verbs::ibv_qp_attr_mask;
        let mask = Mask::IBV_QP_STATE | Mask::IBV_QP_PKEY_INDEX | Mask::IBV_QP_PORT | Mask::IBV_QP_ACCESS_FLAGS;
        pair.modify(&mut attributes, mask, "prepare")?;
        Ok(pair)
    }

    /// The number of the queue pair.
    pub fn number(&self) -> u32 {
        // SAFETY: lives as long as `self`.
        unsafe { self.pair.as_ref() }.qp_num
    }

    /// Connects it to the peer's end: it receives, and sends once the peer has connected too.
    ///
    /// # Errors
    /// What the device refused.
    pub fn connect(&self, peer: RemoteEnd<'_>, first_packet: u32) -> Result<(), VerbsError> {
        type Mask = verbs::ibv_qp_attr_mask;
        let (mine, parts) = (&self.parts.address, &self.parts);
        let mut attributes = zeroed();
        attributes.qp_state = verbs::ibv_qp_state::IBV_QPS_RTR;
        attributes.path_mtu = u32::from(mine.mtu_with(peer.address));
        attributes.dest_qp_num = peer.queue_pair;
        attributes.rq_psn = peer.first_packet;
        attributes.max_dest_rd_atomic = mine.reads_served;
        // 0.64 ms before a send to a peer that had no buffer is retried: only happens if credits are broken.
        attributes.min_rnr_timer = 12;
        attributes.ah_attr.port_num = mine.port;
        attributes.ah_attr.dlid = peer.address.lid;
        if mine.needs_global_address(peer.address) {
            attributes.ah_attr.is_global = 1;
            attributes.ah_attr.grh.dgid = verbs::ibv_gid { raw: peer.address.gid };
            attributes.ah_attr.grh.sgid_index = parts.gid_index;
            attributes.ah_attr.grh.hop_limit = 64;
        }
        let mask = Mask::IBV_QP_STATE
            | Mask::IBV_QP_AV
            | Mask::IBV_QP_PATH_MTU
            | Mask::IBV_QP_DEST_QPN
            | Mask::IBV_QP_RQ_PSN
            | Mask::IBV_QP_MAX_DEST_RD_ATOMIC
            | Mask::IBV_QP_MIN_RNR_TIMER;
        self.modify(&mut attributes, mask, "receive")?;

        let mut attributes = zeroed();
        attributes.qp_state = verbs::ibv_qp_state::IBV_QPS_RTS;
        attributes.timeout = parts.timeout;
        attributes.retry_cnt = RETRIES;
        // Seven means for ever: credits ensure that buffers are posted, and a peer that takes none is detected by its
        // time-out.
        attributes.rnr_retry = 7;
        attributes.sq_psn = first_packet;
        attributes.max_rd_atomic = self.reads_under_way(peer.address);
        let mask = Mask::IBV_QP_STATE
            | Mask::IBV_QP_TIMEOUT
            | Mask::IBV_QP_RETRY_CNT
            | Mask::IBV_QP_RNR_RETRY
            | Mask::IBV_QP_SQ_PSN
            | Mask::IBV_QP_MAX_QP_RD_ATOMIC;
        self.modify(&mut attributes, mask, "send")
    }

    /// Reads from `peer` that may be in flight at once.
    pub fn reads_under_way(&self, peer: &VerbsAddress) -> u8 {
        self.parts.reads_initiated.min(peer.reads_served).min(READS_UNDER_WAY)
    }

    /// Stops the pair: requests in flight complete as flushed, and nothing is received any more.
    pub fn stop(&self) {
        let mut attributes = zeroed();
        attributes.qp_state = verbs::ibv_qp_state::IBV_QPS_ERR;
        // A pair that cannot even be stopped is destroyed soon.
        let _ = self.modify(&mut attributes, verbs::ibv_qp_attr_mask::IBV_QP_STATE, "stop");
    }

    fn modify(
        &self,
        attributes: &mut verbs::ibv_qp_attr,
        mask: verbs::ibv_qp_attr_mask,
        step: &'static str,
    ) -> Result<(), VerbsError> {
        // SAFETY: a live pair and a filled request.
        let code = unsafe { verbs::ibv_modify_qp(self.pair.as_ptr(), attributes, mask.0 as i32) };
        self.parts.device.check(code, &format!("cannot make a queue pair {step}"))
    }

    /// Writes a segment into the slot of its position, which the device is not reading unless the window is wrong. The
    /// next `post` sends it.
    pub fn write_segment(&mut self, posted: PostedSegment, header: SegmentHeader, fill: impl FnOnce(&mut [u8])) {
        let (slot, length) = (SendWindow::slot(posted.position), HEADER_BYTES + header.length as usize);
        // SAFETY: the device only reads slots; `&mut self` excludes others.
        let bytes = unsafe { self.slots.bytes_mut(slot) };
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        fill(&mut bytes[HEADER_BYTES..length]);
        let mut flags = 0;
        if posted.signalled {
            flags |= verbs::ibv_send_flags::IBV_SEND_SIGNALED.0;
        }
        if length <= self.inline_bytes {
            flags |= verbs::ibv_send_flags::IBV_SEND_INLINE.0;
        }
        let (addr, lkey) = (self.slots.address_of(slot), self.slots.local_key());
        let piece = verbs::ibv_sge { addr, length: length as u32, lkey };
        self.chain.push(work_id(SEND, posted.position), verbs::ibv_wr_opcode::IBV_WR_SEND, flags, piece, (0, 0));
    }

    /// A slot as it was written.
    pub fn slot(&self, slot: usize) -> &[u8] {
        // SAFETY: the device only reads slots, and writers need `&mut self`.
        unsafe { self.slots.bytes(slot, SEGMENT_BYTES) }
    }

    /// Adds a piece of a read. The next `post` starts it.
    ///
    /// # Safety
    /// The memory that the piece writes is registered, and nothing else accesses it until the piece has completed or
    /// this pair is destroyed.
    pub unsafe fn add_read(&mut self, number: u32, piece: ReadPiece) {
        let to = verbs::ibv_sge { addr: piece.to, length: piece.bytes, lkey: piece.local_key };
        let flags = verbs::ibv_send_flags::IBV_SEND_SIGNALED.0;
        let from = (piece.from, piece.remote_key);
        self.chain.push(work_id(READ, number.into()), verbs::ibv_wr_opcode::IBV_WR_RDMA_READ, flags, to, from);
    }

    /// Posts what was written and added since the last call: one chain, one doorbell.
    ///
    /// # Errors
    /// What the device refused. It is unknown then which of it was posted.
    pub fn post(&mut self) -> Result<(), VerbsError> {
        let Some(first) = self.chain.link() else { return Ok(()) };
        let mut refused = ptr::null_mut();
        // SAFETY: a chain that lives here and that the call copies. Slots live until the pair is destroyed; the callers
        // of `add_read` answer for the other memory.
        let code = unsafe { verbs::ibv_post_send(self.pair.as_ptr(), first, &mut refused) };
        self.chain.count = 0;
        self.parts.device.check(code, "takes no work")
    }
}

impl Drop for QueuePair {
    fn drop(&mut self) {
        // SAFETY: created in `new`, destroyed once.
        let code = unsafe { verbs::ibv_destroy_qp(self.pair.as_ptr()) };
        debug_assert_eq!(code, 0, "VERBS-5: {}", failure(code));
    }
}

/// Work requests posted by one call.
#[derive(Debug)]
struct RequestChain {
    pieces: [MaybeUninit<verbs::ibv_sge>; RING_SLOTS],
    requests: [MaybeUninit<verbs::ibv_send_wr>; RING_SLOTS],
    count: usize,
}

impl RequestChain {
    fn new() -> RequestChain {
        RequestChain {
            pieces: [MaybeUninit::uninit(); RING_SLOTS],
            requests: [const { MaybeUninit::uninit() }; RING_SLOTS],
            count: 0,
        }
    }

    /// Adds a request; for reads, `from` is the address and key of the remote memory.
    fn push(
        &mut self,
        id: u64,
        opcode: verbs::ibv_wr_opcode::Type,
        flags: u32,
        piece: verbs::ibv_sge,
        from: (u64, u32),
    ) {
        self.pieces[self.count].write(piece);
        // SAFETY: integers and pointers, for which zeros are valid.
        let mut request: verbs::ibv_send_wr = unsafe { std::mem::zeroed() };
        request.wr_id = id;
        request.num_sge = 1;
        request.opcode = opcode;
        request.send_flags = flags;
        request.wr.rdma = verbs::rdma_t { remote_addr: from.0, rkey: from.1 };
        self.requests[self.count].write(request);
        self.count += 1;
    }

    /// Links the requests pushed; returns the first, if there is any.
    fn link(&mut self) -> Option<*mut verbs::ibv_send_wr> {
        let pieces: *mut verbs::ibv_sge = self.pieces.as_mut_ptr().cast();
        let requests: *mut verbs::ibv_send_wr = self.requests.as_mut_ptr().cast();
        // SAFETY: the first `count` of both were written by `push`.
        unsafe {
            for at in 0..self.count {
                let request = &mut *requests.add(at);
                request.sg_list = pieces.add(at);
                request.next = if at + 1 < self.count { requests.add(at + 1) } else { ptr::null_mut() };
            }
        }
        (self.count > 0).then_some(requests)
    }
}

/// Creates a pair; returns it and how many bytes it copies into a request: [`INLINE_BYTES`], or as many as the device
/// can.
fn create(parts: &PairResources) -> Result<(NonNull<verbs::ibv_qp>, usize), VerbsError> {
    let mut refused = None;
    for inline_bytes in [INLINE_BYTES, 64, 0] {
        let mut attributes = verbs::ibv_qp_init_attr {
            qp_context: ptr::null_mut(),
            send_cq: parts.completions.raw(),
            recv_cq: parts.completions.raw(),
            srq: parts.receives.raw(),
            cap: verbs::ibv_qp_cap {
                max_send_wr: u32::from(SEND_REQUESTS),
                max_recv_wr: 0,
                max_send_sge: 1,
                max_recv_sge: 0,
                max_inline_data: inline_bytes,
            },
            qp_type: verbs::ibv_qp_type::IBV_QPT_RC,
            sq_sig_all: 0,
        };
        // SAFETY: live queues of one device, and a filled request.
        let pair = unsafe { verbs::ibv_create_qp(parts.device.domain(), &mut attributes) };
        match parts.device.created(pair, "gives no queue pair") {
            Ok(pair) => return Ok((pair, attributes.cap.max_inline_data.min(INLINE_BYTES) as usize)),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.expect("several sizes were tried"))
}

/// The most work requests of a pair in flight: a ring of segments, and reads.
pub const SEND_REQUESTS: u16 = RING_SLOTS as u16 + READS_UNDER_WAY as u16;

fn zeroed() -> verbs::ibv_qp_attr {
    // SAFETY: integers, for which zeros are valid.
    unsafe { std::mem::zeroed() }
}
