//! One end of a reliable connection, with the buffers that leave through it.
#![allow(unsafe_code)]

use super::card::VerbsCard;
use super::choice::RETRIES;
use super::completion::{CompletionQueue, read_id, send_id};
use super::device::{Device, failure};
use super::header::SEGMENT_BYTES;
use super::receives::Receives;
use super::regions::Piece;
use super::registration::Slab;
use super::window::{Posted, RING_SLOTS, SendWindow};
use rdma_sys as verbs;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Reads that one queue pair has under way at once, where the devices of both ends do so many.
pub const READS_UNDER_WAY: u8 = 16;

/// Bytes that are copied into a request rather than fetched by the device, where it does that.
const INLINE_BYTES: u32 = 128;

/// What a rank's queue pairs are made with, and the rank's own side of every connection.
#[derive(Debug)]
pub struct Parts {
    /// Where they complete.
    pub completions: Arc<CompletionQueue>,
    /// What they receive into.
    pub receives: Arc<Receives>,
    /// The device.
    pub device: Arc<Device>,
    /// This rank's port.
    pub card: VerbsCard,
    /// The place of the port's address in its table.
    pub gid_index: u8,
    /// For how long the device waits for an acknowledgement, as a code.
    pub timeout: u8,
    /// Reads that the device has under way at once.
    pub reads_asked: u8,
}

/// The other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its port.
    pub card: &'a VerbsCard,
    /// Its queue pair.
    pub queue_pair: u32,
    /// The number of its first packet.
    pub first_packet: u32,
}

/// A queue pair. Segments that leave lie in its slots, so that they live until it is destroyed.
#[derive(Debug)]
pub struct QueuePair {
    pair: NonNull<verbs::ibv_qp>,
    inline_bytes: usize,
    // After the pair, which `drop` destroys first: the device reads no slot then.
    slots: Slab,
    parts: Arc<Parts>,
}

// SAFETY: libibverbs locks a pair by itself; the slots are written through `&mut self`.
unsafe impl Send for QueuePair {}
// SAFETY: as above.
unsafe impl Sync for QueuePair {}

impl QueuePair {
    /// A pair that is not connected yet; peers can read this rank's regions through it.
    ///
    /// # Errors
    /// What the device did not give.
    pub fn new(parts: &Arc<Parts>) -> Result<QueuePair, String> {
        let slots = Slab::new(&parts.device, RING_SLOTS, SEGMENT_BYTES)?;
        let (pair, inline_bytes) = create(parts)?;
        let made = QueuePair { pair, inline_bytes, slots, parts: parts.clone() };
        let mut wanted = zeroed();
        wanted.qp_state = verbs::ibv_qp_state::IBV_QPS_INIT;
        wanted.port_num = parts.card.port;
        wanted.qp_access_flags = verbs::ibv_access_flags::IBV_ACCESS_REMOTE_READ.0;
        type Mask = verbs::ibv_qp_attr_mask;
        let mask = Mask::IBV_QP_STATE | Mask::IBV_QP_PKEY_INDEX | Mask::IBV_QP_PORT | Mask::IBV_QP_ACCESS_FLAGS;
        made.modify(&mut wanted, mask, "prepare")?;
        Ok(made)
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        // SAFETY: lives as long as `self`.
        unsafe { self.pair.as_ref() }.qp_num
    }

    /// Joins it to the peer's end: it receives, and sends once the peer has joined as well.
    ///
    /// # Errors
    /// What the device refused.
    pub fn join(&self, peer: Peer<'_>, first_packet: u32) -> Result<(), String> {
        type Mask = verbs::ibv_qp_attr_mask;
        let (mine, parts) = (&self.parts.card, &self.parts);
        let mut wanted = zeroed();
        wanted.qp_state = verbs::ibv_qp_state::IBV_QPS_RTR;
        wanted.path_mtu = u32::from(mine.mtu_with(peer.card));
        wanted.dest_qp_num = peer.queue_pair;
        wanted.rq_psn = peer.first_packet;
        wanted.max_dest_rd_atomic = mine.reads_served;
        // 0.64 ms before a peer that had no buffer is tried again: only where credits are broken.
        wanted.min_rnr_timer = 12;
        wanted.ah_attr.port_num = mine.port;
        wanted.ah_attr.dlid = peer.card.lid;
        if mine.needs_global_address(peer.card) {
            wanted.ah_attr.is_global = 1;
            wanted.ah_attr.grh.dgid = verbs::ibv_gid { raw: peer.card.gid };
            wanted.ah_attr.grh.sgid_index = parts.gid_index;
            wanted.ah_attr.grh.hop_limit = 64;
        }
        let mask = Mask::IBV_QP_STATE
            | Mask::IBV_QP_AV
            | Mask::IBV_QP_PATH_MTU
            | Mask::IBV_QP_DEST_QPN
            | Mask::IBV_QP_RQ_PSN
            | Mask::IBV_QP_MAX_DEST_RD_ATOMIC
            | Mask::IBV_QP_MIN_RNR_TIMER;
        self.modify(&mut wanted, mask, "receive")?;

        let mut wanted = zeroed();
        wanted.qp_state = verbs::ibv_qp_state::IBV_QPS_RTS;
        wanted.timeout = parts.timeout;
        wanted.retry_cnt = RETRIES;
        // Seven is for ever: credits see to it that buffers are there, and a peer that takes none is noticed by time.
        wanted.rnr_retry = 7;
        wanted.sq_psn = first_packet;
        wanted.max_rd_atomic = self.reads_under_way(peer.card);
        let mask = Mask::IBV_QP_STATE
            | Mask::IBV_QP_TIMEOUT
            | Mask::IBV_QP_RETRY_CNT
            | Mask::IBV_QP_RNR_RETRY
            | Mask::IBV_QP_SQ_PSN
            | Mask::IBV_QP_MAX_QP_RD_ATOMIC;
        self.modify(&mut wanted, mask, "send")
    }

    /// Reads of `peer` that may be under way at once.
    pub fn reads_under_way(&self, peer: &VerbsCard) -> u8 {
        self.parts.reads_asked.min(peer.reads_served).min(READS_UNDER_WAY)
    }

    /// Stops it: what is under way completes as flushed, nothing is received any more.
    pub fn stop(&self) {
        let mut wanted = zeroed();
        wanted.qp_state = verbs::ibv_qp_state::IBV_QPS_ERR;
        // A pair that cannot even be stopped is destroyed soon.
        let _ = self.modify(&mut wanted, verbs::ibv_qp_attr_mask::IBV_QP_STATE, "stop");
    }

    fn modify(&self, wanted: &mut verbs::ibv_qp_attr, mask: verbs::ibv_qp_attr_mask, verb: &str) -> Result<(), String> {
        // SAFETY: a live pair and a filled request.
        let code = unsafe { verbs::ibv_modify_qp(self.pair.as_ptr(), wanted, mask.0 as i32) };
        if code == 0 {
            return Ok(());
        }
        Err(format!("{} cannot make a queue pair {verb}: {}", self.parts.device.name(), failure(code)))
    }

    /// The slot of a position, to be written. The device may still be reading it only where the window is wrong.
    pub fn slot_mut(&mut self, position: u64) -> &mut [u8] {
        // SAFETY: the device only reads slots; `&mut self` keeps others away.
        unsafe { self.slots.bytes_mut(SendWindow::slot(position)) }
    }

    /// A slot, as it was written.
    pub fn slot(&self, slot: usize) -> &[u8] {
        // SAFETY: the device only reads slots, and writers need `&mut self`.
        unsafe { self.slots.bytes(slot, SEGMENT_BYTES) }
    }

    /// Sends segments, filled before, each with its length: one chain, one bell.
    ///
    /// # Errors
    /// What the device said. Nothing is known then of the segments.
    pub fn send(&mut self, segments: &[(Posted, u32)]) -> Result<(), String> {
        assert!(segments.len() <= RING_SLOTS, "V3: more segments than slots");
        let key = self.slots.local_key();
        let mut chain = Chain::new();
        for (posted, bytes) in segments {
            let address = self.slots.address_of(SendWindow::slot(posted.position));
            let mut flags = 0;
            if posted.signalled {
                flags |= verbs::ibv_send_flags::IBV_SEND_SIGNALED.0;
            }
            if *bytes as usize <= self.inline_bytes {
                flags |= verbs::ibv_send_flags::IBV_SEND_INLINE.0;
            }
            let piece = verbs::ibv_sge { addr: address, length: *bytes, lkey: key };
            chain.push(send_id(posted.position), verbs::ibv_wr_opcode::IBV_WR_SEND, flags, piece, (0, 0));
        }
        // SAFETY: the slots live until the pair is destroyed.
        unsafe { self.post(&mut chain) }
    }

    /// Reads pieces for the read in `slot`: one chain, one bell.
    ///
    /// # Safety
    /// The memory that the pieces lead to is registered, and nobody else's until each of them has completed or this
    /// pair is destroyed.
    ///
    /// # Errors
    /// What the device said. Some of the pieces may be under way.
    pub unsafe fn read(&mut self, pieces: impl Iterator<Item = (u32, Piece)>) -> Result<(), String> {
        let mut chain = Chain::new();
        for (slot, piece) in pieces {
            let to = verbs::ibv_sge { addr: piece.to, length: piece.bytes, lkey: piece.local_key };
            let flags = verbs::ibv_send_flags::IBV_SEND_SIGNALED.0;
            let from = (piece.from, piece.remote_key);
            chain.push(read_id(slot), verbs::ibv_wr_opcode::IBV_WR_RDMA_READ, flags, to, from);
        }
        // SAFETY: as the caller says.
        unsafe { self.post(&mut chain) }
    }

    /// # Safety
    /// The memory of the requests stays until they have completed or the pair is destroyed.
    unsafe fn post(&mut self, chain: &mut Chain) -> Result<(), String> {
        let Some(first) = chain.link() else { return Ok(()) };
        let mut refused = ptr::null_mut();
        // SAFETY: a chain of locals, which the call copies; the memory as the caller says.
        let code = unsafe { verbs::ibv_post_send(self.pair.as_ptr(), first, &mut refused) };
        if code == 0 { Ok(()) } else { Err(format!("{} takes no work: {}", self.parts.device.name(), failure(code))) }
    }
}

impl Drop for QueuePair {
    fn drop(&mut self) {
        // SAFETY: made in `new`, destroyed once.
        let code = unsafe { verbs::ibv_destroy_qp(self.pair.as_ptr()) };
        debug_assert_eq!(code, 0, "V5: {}", failure(code));
    }
}

/// Work requests that go at once.
struct Chain {
    pieces: [MaybeUninit<verbs::ibv_sge>; RING_SLOTS],
    requests: [MaybeUninit<verbs::ibv_send_wr>; RING_SLOTS],
    count: usize,
}

impl Chain {
    fn new() -> Chain {
        Chain {
            pieces: [MaybeUninit::uninit(); RING_SLOTS],
            requests: [const { MaybeUninit::uninit() }; RING_SLOTS],
            count: 0,
        }
    }

    /// Adds a request; `from` is the address and key of what is read, for reads.
    fn push(
        &mut self,
        id: u64,
        opcode: verbs::ibv_wr_opcode::Type,
        flags: u32,
        piece: verbs::ibv_sge,
        from: (u64, u32),
    ) {
        self.pieces[self.count].write(piece);
        // SAFETY: integers and pointers, of which zeros are values.
        let mut request: verbs::ibv_send_wr = unsafe { std::mem::zeroed() };
        request.wr_id = id;
        request.num_sge = 1;
        request.opcode = opcode;
        request.send_flags = flags;
        request.wr.rdma = verbs::rdma_t { remote_addr: from.0, rkey: from.1 };
        self.requests[self.count].write(request);
        self.count += 1;
    }

    /// Links what was pushed; its first request.
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

/// The pair, and how many bytes it copies into a request: as many as we want, or as the device can.
fn create(parts: &Parts) -> Result<(NonNull<verbs::ibv_qp>, usize), String> {
    let mut error = io::Error::other("not tried");
    for inline_bytes in [INLINE_BYTES, 64, 0] {
        let mut wanted = verbs::ibv_qp_init_attr {
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
        let pair = unsafe { verbs::ibv_create_qp(parts.device.domain(), &mut wanted) };
        match NonNull::new(pair) {
            Some(pair) => return Ok((pair, wanted.cap.max_inline_data.min(INLINE_BYTES) as usize)),
            None => error = io::Error::last_os_error(),
        }
    }
    Err(format!("{} gives no queue pair: {error}", parts.device.name()))
}

/// Work requests of a pair that are under way at most: a ring of segments, and reads.
pub const SEND_REQUESTS: u16 = RING_SLOTS as u16 + READS_UNDER_WAY as u16;

fn zeroed() -> verbs::ibv_qp_attr {
    // SAFETY: integers, of which zeros are values.
    unsafe { std::mem::zeroed() }
}
