//! Sends messages to other ranks, and receives theirs.

use crate::base::Rank;
use crate::base::forked::is_forked;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicU64;
use crate::protocol::{InboundBatch, MESSAGE_HEADER_BYTES, Message, fragments_of};
use crate::runtime::Runtime;
use crate::runtime::memory::{self, in_callback};
use crate::runtime::router::failover;
use crate::scheduling::StealState;
use crate::transport::TransportEvent;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Submissions to other ranks between two polls of the transports.
const SUBMITS_PER_POLL: u32 = 16;

/// Polls that find nothing before a thread that waits for space sleeps.
const FULL_YIELDS: u32 = 32;

thread_local! {
    static SUBMITTED: Cell<u32> = const { Cell::new(0) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Runtime {
    /// Sends a message; one to this rank itself is handled at once. Never blocks: messages that the transport refuses
    /// are queued.
    pub fn send(&'static self, to: Rank, message: &Message<'_>) {
        if is_forked() {
            return; // the connections are those of the rank
        }
        if to != self.cluster.rank && message.with_short(|bytes| self.send_bytes(to, bytes, false)).is_some() {
            return;
        }
        let mut bytes = BUFFER.take();
        bytes.clear();
        bytes = message.encode(bytes);
        if to == self.cluster.rank {
            self.protocol.handle(&self, to, &bytes);
        } else if MESSAGE_HEADER_BYTES + bytes.len() > MESSAGE_BYTES_MAX {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            fragments_of(NEXT.fetch_add(1, Ordering::Relaxed), &bytes).for_each(|part| self.send(to, &part));
        } else {
            self.send_bytes(to, &bytes, message.is_link_control());
        }
        BUFFER.set(bytes);
    }

    fn send_bytes(&'static self, to: Rank, bytes: &[u8], unnumbered: bool) {
        let load = || StealState::load_class(self.workers.surplus_tasks());
        if self.router.send_or_queue(to, bytes, unnumbered, load) {
            self.router.doorbell.notify_always();
        }
    }

    /// Receives messages and sends queued ones; returns the number of events. Any thread may call it.
    pub fn poll(&'static self) -> usize {
        self.router.polling.count_one();
        self.receive_and_flush()
    }

    /// Polls if a message came, or a poll is due.
    #[inline]
    pub fn try_poll(&'static self) {
        if self.router.has_transports() {
            if self.router.pending() || self.router.polling.is_due() {
                self.poll();
            } else {
                self.router.polling.count_one();
            }
        }
    }

    pub fn receive_and_flush(&'static self) -> usize {
        if !self.router.may_have_something() && !self.memory.any_pulls_waiting() {
            return 0;
        }
        let mut events = 0;
        for (index, transport) in self.router.transports.iter().enumerate() {
            events += in_callback(|| {
                let mut batch = InboundBatch::new(&self);
                transport.poll(&mut |event| match event {
                    TransportEvent::Message { from, bytes } => batch.receive(from, bytes),
                    TransportEvent::ReadDone { token, block } => {
                        batch.end();
                        memory::on_read_done(self, token, block);
                    }
                    TransportEvent::LinkDown { peer, reason } => {
                        batch.end();
                        failover::on_link_down(self, index, peer, &reason);
                    }
                })
            });
        }
        self.router.polling.on_polled();
        if self.router.has_queued_messages() {
            self.router.flush();
        }
        if self.memory.any_pulls_waiting() {
            memory::start_pulls(self);
        }
        events
    }
}

/// Blocks a submitting thread while too many messages wait for `to`. Now and then the thread also receives:
/// otherwise each response would wake the progress thread.
pub fn throttle(runtime: &'static Runtime, to: Rank) {
    let submitted = SUBMITTED.get().wrapping_add(1);
    SUBMITTED.set(submitted);
    if submitted.is_multiple_of(SUBMITS_PER_POLL) {
        runtime.router.doorbell.set_awake();
        runtime.try_poll();
    }
    let mut quiet = 0;
    while runtime.router.is_full(to) && !runtime.stopping() {
        // What makes space may be no event: credits, or a socket that takes more.
        quiet = if runtime.poll() > 0 { 0 } else { quiet + 1 };
        if quiet > FULL_YIELDS {
            std::thread::sleep(Duration::from_micros(50));
        } else if quiet > 0 {
            std::thread::yield_now();
        }
    }
}
