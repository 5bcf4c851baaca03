//! The transport itself: which lock each call takes, and what a poll does in which order.
//!
//! Locks, in the order taken: `inbox` (the poller), `reads`, `outbox`. Only `inbox` is held while an event is
//! delivered, and a second poll returns at once: a receiver may send and read inside its event.

mod reading;

use super::collective::{Allgather, wait_until};
use super::comm::{Comm, MpiFailure};
use super::credits::PeerStates;
use super::header::{MpiHeader, MpiKind, ReadRequest};
use super::inbox::MpiInbox;
use super::outbox::{MpiOutbox, PostError};
use super::page::Page;
use super::read_method::{self, ReadMethod};
use super::read_server::ReadServer;
use super::reads::{MpiReads, ReadResult, is_valid_slot};
use super::transfer::Received;
use crate::base::Rank;
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX};
use crate::base::log::{Level, log};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::memory::{Arena, Block, Region};
use crate::transport::{Refusal, RegisterError, RemoteAddress, Transport, TransportEvent};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::{Duration, Instant};

/// How long `close` waits for messages that MPI has not sent yet.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// How long `close` waits for the other ranks before it leaves the window to MPI.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// State that only the polling thread uses.
struct MpiPoller {
    inbox: MpiInbox,
    read_server: ReadServer,
    /// Peers that may be waiting for credits.
    creditors: Vec<Rank>,
    finished_reads: Vec<ReadResult>,
}

/// The transport over MPI between all ranks of a communicator.
pub struct MpiTransport {
    rank: Rank,
    peers: PeerStates,
    arena: OnceLock<Arc<Arena>>,
    requested: ReadMethod,
    /// The read method and why, once it is chosen.
    read_method: OnceLock<String>,
    /// Each is `None` once closed; the last one dropped frees the communicator.
    poller: Mutex<Option<MpiPoller>>,
    reads: Mutex<Option<MpiReads>>,
    outbox: Mutex<Option<MpiOutbox>>,
    failures: Mutex<Vec<(Rank, String)>>,
    /// How many sends, reads and responses are in flight or queued, and the length of `failures`: a poll skips those
    /// that are 0.
    send_count: AtomicUsize,
    read_count: AtomicUsize,
    serve_count: AtomicUsize,
    failure_count: AtomicUsize,
}

impl MpiTransport {
    /// A transport between all ranks of `comm`, which nothing else may use. Needs MPI_THREAD_MULTIPLE. Reads use
    /// messages until `open_reads`, and then the `requested` method, which is the same on all ranks.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn new(comm: Comm, requested: ReadMethod) -> Result<Arc<MpiTransport>, MpiFailure> {
        let comm = Arc::new(comm);
        let poller = MpiPoller {
            inbox: MpiInbox::new(comm.clone())?,
            read_server: ReadServer::new(comm.clone()),
            creditors: Vec::new(),
            finished_reads: Vec::new(),
        };
        Ok(Arc::new(MpiTransport {
            rank: comm.rank(),
            peers: PeerStates::new(comm.size()),
            arena: OnceLock::new(),
            requested,
            read_method: OnceLock::new(),
            poller: Mutex::new(Some(poller)),
            reads: Mutex::new(Some(MpiReads::new(comm.clone()))),
            outbox: Mutex::new(Some(MpiOutbox::new(comm))),
            failures: Mutex::new(Vec::new()),
            send_count: AtomicUsize::new(0),
            read_count: AtomicUsize::new(0),
            serve_count: AtomicUsize::new(0),
            failure_count: AtomicUsize::new(0),
        }))
    }

    /// Sets the memory that peers may read; only the first call has an effect.
    pub fn set_arena(&self, arena: Arc<Arena>) {
        // A second arena is refused by the `OnceLock`, as documented.
        let _ = self.arena.set(arena);
    }

    /// The read method, and why: `MPI_Rget (..)` or `messages (..)`.
    pub fn read_method(&self) -> &str {
        self.read_method.get().map_or("messages (not decided yet)", String::as_str)
    }

    pub(super) fn rank(&self) -> Rank {
        self.rank
    }

    pub(super) fn arena(&self) -> Option<Arc<Arena>> {
        self.arena.get().cloned()
    }

    /// Calls `with` on the reads; `None` once closed.
    pub(super) fn with_reads<R>(&self, with: impl FnOnce(&mut MpiReads) -> R) -> Option<R> {
        lock(&self.reads).as_mut().map(with)
    }

    /// Reports failures again that a poll of this transport's own has taken.
    pub(super) fn requeue_failures(&self, failed: Vec<(Rank, String)>) {
        let mut failures = lock(&self.failures);
        failures.extend(failed);
        self.failure_count.store(failures.len(), Ordering::Relaxed);
    }

    /// Waits briefly for messages that MPI has not sent yet, abandons the rest, and frees the communicator
    /// (MPI-TRANSPORT-4). Afterwards polls deliver nothing and sends are refused as `Lost`. The ranks have agreed
    /// before that nothing is in flight.
    ///
    /// If all ranks close `together` and none has failed, they free their windows too. Otherwise the windows are left
    /// to MPI (MPI-TRANSPORT-5) and this returns false: MPI_Finalize would fail (MPICH over UCX aborts there), so the
    /// process ends without it.
    #[must_use]
    pub fn close(&self, together: bool) -> bool {
        let until = Instant::now() + CLOSE_WAIT;
        while self.progress_sends() > 0 && Instant::now() < until {
            std::thread::yield_now();
        }
        let poller = lock(&self.poller).take();
        let reads = lock(&self.reads).take();
        let outbox = lock(&self.outbox).take();
        drop((poller, outbox));
        let mut freed = true;
        if let Some(mut reads) = reads {
            let (window, comm) = (reads.take_window(), reads.comm().clone());
            let clean = !reads.abandon_gets() && (0..self.peers.size()).all(|peer| !self.peers.has_failed(peer));
            drop(reads);
            if let Some(window) = window {
                freed = together && all_agree(&comm, clean) && window.close();
            }
        }
        for count in [&self.send_count, &self.read_count, &self.serve_count, &self.failure_count] {
            count.store(0, Ordering::Relaxed);
        }
        freed
    }

    fn on_peer_failed(&self, peer: Rank, reason: String) {
        if self.peers.mark_failed(peer) {
            let mut failures = lock(&self.failures);
            failures.push((peer, reason));
            self.failure_count.store(failures.len(), Ordering::Relaxed);
        }
    }

    /// MPI failed in a way that names no peer: nothing more can be received over this transport.
    fn fail_all_peers(&self, failure: MpiFailure) {
        for peer in (0..self.peers.size()).filter(|&peer| peer != self.rank) {
            self.on_peer_failed(peer, format!("this rank cannot receive over MPI any more: {failure}"));
        }
    }

    fn post(&self, peer: Rank, kind: MpiKind, parts: &[&[u8]]) -> Result<(), Refusal> {
        if self.peers.has_failed(peer) {
            return Err(Refusal::Lost);
        }
        let mut outbox = lock(&self.outbox);
        let Some(outbox) = outbox.as_mut() else { return Err(Refusal::Lost) };
        let posted = outbox.post(&self.peers, peer, kind, parts);
        self.send_count.store(outbox.len(), Ordering::Relaxed);
        match posted {
            Ok(()) => Ok(()),
            Err(PostError::Full) => {
                self.finish_sends(outbox);
                Err(Refusal::Full)
            }
            Err(PostError::Failed(failure)) => {
                self.on_peer_failed(peer, failure.to_string());
                Err(Refusal::Lost)
            }
        }
    }

    /// Takes back pages that were sent; returns how many messages MPI has not sent yet.
    fn progress_sends(&self) -> usize {
        if self.send_count.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let mut outbox = lock(&self.outbox);
        outbox.as_mut().map_or(0, |outbox| self.finish_sends(outbox))
    }

    fn finish_sends(&self, outbox: &mut MpiOutbox) -> usize {
        outbox.finish(|peer, failure| self.on_peer_failed(peer, failure.to_string()));
        self.send_count.store(outbox.len(), Ordering::Relaxed);
        outbox.len()
    }

    fn report_failures(&self, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        if self.failure_count.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let failures = std::mem::take(&mut *lock(&self.failures));
        self.failure_count.store(0, Ordering::Relaxed);
        let count = failures.len();
        for (peer, reason) in failures {
            if let Some(reads) = lock(&self.reads).as_mut() {
                reads.on_peer_failed(peer);
            }
            deliver(TransportEvent::LinkDown { peer, reason });
        }
        count
    }

    /// Delivers up to `count_max` messages, and queues the read requests among them.
    fn receive(&self, poller: &mut MpiPoller, count_max: usize, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        let mut delivered = 0;
        for _ in 0..count_max {
            let (received, page) = match poller.inbox.try_receive() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(failure) => {
                    self.fail_all_peers(failure);
                    break;
                }
            };
            let checked = self.check_message(received, page);
            match checked {
                CheckedMessage::Message(header) => {
                    deliver(TransportEvent::Message { from: received.from, bytes: page.body(header) });
                    delivered += 1;
                }
                CheckedMessage::Read(request) => poller.read_server.on_request(received.from, request),
                CheckedMessage::Nothing => {}
            }
            if let Err(failure) = poller.inbox.repost() {
                self.fail_all_peers(failure);
                break;
            }
            if !matches!(checked, CheckedMessage::Nothing) && self.peers.on_delivered(received.from) {
                poller.creditors.push(received.from);
            }
        }
        delivered
    }

    /// Checks a peer's message before anything in it is used.
    fn check_message(&self, received: Received, page: &Page) -> CheckedMessage {
        let from = received.from;
        if self.peers.has_failed(from) {
            return CheckedMessage::Nothing;
        }
        let Some(header) = page.header(received.bytes).filter(|header| self.peers.on_credits(from, header.credits))
        else {
            self.on_peer_failed(
                from,
                format!("rank {from} sent {} bytes that are no message of mobula", received.bytes),
            );
            return CheckedMessage::Nothing;
        };
        match header.kind {
            MpiKind::Message => CheckedMessage::Message(header),
            MpiKind::Credits => CheckedMessage::Nothing,
            MpiKind::Read => {
                match ReadRequest::decode(page.body(header)).filter(|request| is_valid_slot(request.slot)) {
                    Some(request) => CheckedMessage::Read(request),
                    None => {
                        self.on_peer_failed(from, format!("rank {from} sent a read request that is none"));
                        CheckedMessage::Nothing
                    }
                }
            }
        }
    }

    fn serve(&self, poller: &mut MpiPoller) {
        if poller.read_server.len() > 0 {
            poller
                .read_server
                .advance(self.arena.get(), |peer, failure| self.on_peer_failed(peer, failure.to_string()));
            self.serve_count.store(poller.read_server.len(), Ordering::Relaxed);
        }
    }

    /// Returns credits to peers to which no message carried them; a peer that cannot be sent to now is tried at a later
    /// poll.
    fn return_credits(&self, poller: &mut MpiPoller) {
        poller.creditors.retain(|&peer| {
            self.peers.owes_credits(peer) && self.post(peer, MpiKind::Credits, &[]) == Err(Refusal::Full)
        });
    }
}

/// The result of checking a message.
#[derive(Clone, Copy)]
enum CheckedMessage {
    Message(MpiHeader),
    Read(ReadRequest),
    Nothing,
}

/// True if every rank passes `true`, within some seconds. Collective.
fn all_agree(comm: &Comm, mine: bool) -> bool {
    let Ok(mut gather) = Allgather::start(comm, [u64::from(mine)]) else { return false };
    let until = Instant::now() + SHUTDOWN_WAIT;
    let over = wait_until(|| Ok(gather.is_over()? || Instant::now() > until));
    over.is_ok() && gather.try_wait().is_some_and(|flags| flags.iter().all(|[flag]| *flag == 1))
}

/// The lock, or `None` if another thread holds it.
fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Transport for MpiTransport {
    fn name(&self) -> &'static str {
        "mpi"
    }

    fn register(&self, region: &Region) -> Result<(), RegisterError> {
        self.set_arena(region.on_host()?.clone());
        Ok(())
    }

    fn open_reads(&self) {
        let decided = read_method::choose(self, self.requested);
        // Called once, as documented; the first choice stays.
        let _ = self.read_method.set(decided);
        if self.rank == 0 {
            log(Level::Info, || format!("bulk reads over MPI: {}", self.read_method()));
        }
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        assert!(bytes <= MESSAGE_BYTES_MAX, "a message of {bytes} bytes, {MESSAGE_BYTES_MAX} is the most");
        self.post(peer, MpiKind::Message, parts)
    }

    fn poll(&self, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        let Some(mut poller) = try_lock(&self.poller) else { return 0 };
        let Some(poller) = poller.as_mut() else { return 0 };
        let mut delivered = self.report_failures(deliver);
        delivered += self.finish_reads(poller, POLL_BATCH_MAX.saturating_sub(delivered), deliver);
        delivered += self.receive(poller, POLL_BATCH_MAX.saturating_sub(delivered), deliver);
        self.serve(poller);
        self.return_credits(poller);
        self.progress_sends();
        delivered
    }

    fn pending(&self) -> bool {
        [&self.send_count, &self.read_count, &self.serve_count, &self.failure_count]
            .iter()
            .any(|count| count.load(Ordering::Relaxed) > 0)
    }

    fn uses_doorbell(&self) -> bool {
        false
    }

    fn read(&self, peer: Rank, from: RemoteAddress, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        self.start_read(peer, from, into, token)
    }
}
