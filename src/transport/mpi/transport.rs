//! The transport itself: which lock each call takes, and what a poll does in which order.
//!
//! Locks, in the order taken: `inbox` (the poller), `reads`, `outbox`. Only `inbox` is held while an event is
//! delivered, and a second poll returns at once: a receiver may send and read inside its event.

use super::batch::split_first;
use super::collective::{Allgather, wait_until};
use super::comm::{Comm, MpiFailure};
use super::header::{MpiHeader, MpiKind, ReadRequest};
use super::inbox::MpiInbox;
use super::outbox::MpiOutbox;
use super::page::Page;
use super::peers::MpiPeers;
use super::read_method::{self, ReadMethod};
use super::read_server::ReadServer;
use super::reads::MpiReads;
use super::sharing::Sharing;
use super::transfer::Received;
use crate::base::Rank;
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX};
use crate::base::log::{Level, log};
use crate::base::sync::{AtomicUsize, Ordering, lock, try_lock};
use crate::memory::{Arena, Block, Region};
use crate::transport::{Deliver, Refusal, RegisterError, RemoteAddress, Transport, TransportEvent};
use std::sync::{Arc, Mutex, OnceLock};
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
}

/// The transport over MPI between all ranks of a communicator.
pub struct MpiTransport {
    rank: Rank,
    peers: Arc<MpiPeers>,
    arena: OnceLock<Arc<Arena>>,
    requested: ReadMethod,
    /// The read method and why, once it is chosen.
    read_method: OnceLock<String>,
    /// Each is `None` once closed; the last one dropped frees the communicator.
    poller: Mutex<Option<MpiPoller>>,
    reads: Mutex<Option<MpiReads>>,
    outbox: Mutex<Option<MpiOutbox>>,
    /// How many sends, reads and responses are in flight or queued: a poll skips those that are 0.
    send_count: AtomicUsize,
    read_count: AtomicUsize,
    serve_count: AtomicUsize,
    /// Batches that were not handed to MPI yet.
    growing_count: AtomicUsize,
    sharing: Sharing,
}

impl MpiTransport {
    /// A transport between all ranks of `comm`, which nothing else may use. Needs MPI_THREAD_MULTIPLE. Reads use
    /// messages until `open_reads`, and then the `requested` method, which is the same on all ranks.
    ///
    /// # Errors
    /// What MPI reports.
    pub fn new(comm: Comm, requested: ReadMethod) -> Result<Arc<MpiTransport>, MpiFailure> {
        let comm = Arc::new(comm);
        let peers = Arc::new(MpiPeers::new(comm.rank(), comm.size()));
        let poller = MpiPoller {
            inbox: MpiInbox::new(comm.clone())?,
            read_server: ReadServer::new(comm.clone(), peers.clone()),
            creditors: Vec::new(),
        };
        Ok(Arc::new(MpiTransport {
            rank: comm.rank(),
            peers: peers.clone(),
            arena: OnceLock::new(),
            requested,
            read_method: OnceLock::new(),
            poller: Mutex::new(Some(poller)),
            reads: Mutex::new(Some(MpiReads::new(comm.clone(), peers.clone()))),
            outbox: Mutex::new(Some(MpiOutbox::new(comm, peers))),
            send_count: AtomicUsize::new(0),
            read_count: AtomicUsize::new(0),
            serve_count: AtomicUsize::new(0),
            growing_count: AtomicUsize::new(0),
            sharing: Sharing::default(),
        }))
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

    /// Reports an event again that a poll of this transport's own has taken.
    pub(super) fn requeue(&self, event: TransportEvent<'static>) {
        self.peers.events.push(event);
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
            let clean = !reads.abandon_gets() && self.peers.all_live();
            drop(reads);
            if let Some(window) = window {
                freed = together && all_agree(&comm, clean) && window.close();
            }
        }
        for count in [&self.send_count, &self.read_count, &self.serve_count, &self.growing_count] {
            count.store(0, Ordering::Relaxed);
        }
        self.peers.events.deliver(usize::MAX, &mut |_| {});
        freed
    }

    fn post(&self, peer: Rank, kind: MpiKind, parts: &[&[u8]]) -> Result<(), Refusal> {
        self.with_outbox(|outbox| outbox.post(peer, kind, parts))
    }

    /// Calls `send` on the outbox; `Lost` once closed.
    fn with_outbox(&self, send: impl FnOnce(&mut MpiOutbox) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut outbox = lock(&self.outbox);
        let outbox = outbox.as_mut().ok_or(Refusal::Lost)?;
        let grew_before = outbox.growing();
        let sent = send(outbox);
        if grew_before == 0 && outbox.growing() > 0 {
            self.sharing.on_first_shared();
        }
        if sent == Err(Refusal::Full) {
            outbox.finish();
        }
        self.send_count.store(outbox.len(), Ordering::Relaxed);
        self.growing_count.store(outbox.growing(), Ordering::Relaxed);
        sent
    }

    /// Hands the batches to MPI, once they are due.
    fn send_batches(&self) {
        if self.growing_count.load(Ordering::Relaxed) > 0
            && self.sharing.is_due()
            && let Some(outbox) = lock(&self.outbox).as_mut()
        {
            outbox.send_batches();
            self.send_count.store(outbox.len(), Ordering::Relaxed);
            self.growing_count.store(outbox.growing(), Ordering::Relaxed);
        }
    }

    /// Takes back pages that were sent; returns how many messages MPI has not sent yet.
    fn progress_sends(&self) -> usize {
        self.send_batches();
        if self.send_count.load(Ordering::Relaxed) == 0 {
            return self.growing_count.load(Ordering::Relaxed);
        }
        let mut outbox = lock(&self.outbox);
        let unsent = outbox.as_mut().map_or(0, |outbox| {
            outbox.finish();
            outbox.len()
        });
        self.send_count.store(unsent, Ordering::Relaxed);
        unsent + self.growing_count.load(Ordering::Relaxed)
    }

    fn progress_reads(&self) {
        if self.read_count.load(Ordering::Relaxed) > 0
            && let Some(reads) = lock(&self.reads).as_mut()
        {
            reads.advance(&mut |peer, request| self.request(peer, request));
            self.read_count.store(reads.len(), Ordering::Relaxed);
        }
    }

    fn request(&self, peer: Rank, request: ReadRequest) -> Result<(), Refusal> {
        self.post(peer, MpiKind::Read, &[&request.encode()])
    }

    /// Delivers up to `most` messages, or all of a batch that begins before, and queues the read requests among them.
    fn receive(&self, poller: &mut MpiPoller, most: usize, deliver: Deliver<'_>) -> usize {
        let mut delivered = 0;
        for _ in 0..most {
            if delivered >= most {
                break;
            }
            let (Received { from, bytes }, page) = match poller.inbox.try_receive() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(failure) => {
                    self.peers.fail_all(failure);
                    break;
                }
            };
            let checked = self.check_message(from, bytes, &page);
            match checked {
                Some(CheckedMessage::Message(bytes)) => {
                    deliver(TransportEvent::Message { from, bytes });
                    delivered += 1;
                }
                Some(CheckedMessage::Batch(mut bytes)) => {
                    while let Some((message, rest)) = split_first(bytes) {
                        deliver(TransportEvent::Message { from, bytes: message });
                        delivered += 1;
                        bytes = rest;
                    }
                }
                Some(CheckedMessage::Read(request)) => poller.read_server.on_request(from, request),
                None => {}
            }
            let took_credit = checked.is_some();
            if let Err(failure) = poller.inbox.post(page) {
                self.peers.fail_all(failure);
                break;
            }
            if took_credit && self.peers.credits(from).owed.add(1) && !poller.creditors.contains(&from) {
                poller.creditors.push(from);
            }
        }
        delivered
    }

    /// Checks a peer's message before anything in it is used; `None` where it only returns credits, or is none.
    fn check_message<'a>(&self, from: Rank, bytes: usize, page: &'a Page) -> Option<CheckedMessage<'a>> {
        if self.peers.has_failed(from) {
            return None;
        }
        let message = page.message(bytes);
        let Some((MpiHeader { kind, .. }, body)) = message.filter(|(header, _)| {
            header.credits == 0 || self.peers.credits(from).sent.on_returned(header.credits.into())
        }) else {
            self.peers.fail(from, format!("rank {from} sent {bytes} bytes that are no message of mobula"));
            return None;
        };
        match kind {
            MpiKind::Message => Some(CheckedMessage::Message(body)),
            MpiKind::Batch => Some(CheckedMessage::Batch(body)),
            MpiKind::Credits => None,
            MpiKind::Read => {
                let request = ReadRequest::decode(body);
                if request.is_none() {
                    self.peers.fail(from, format!("rank {from} sent a read request that is none"));
                }
                request.map(CheckedMessage::Read)
            }
        }
    }

    /// Returns credits to peers to which no message carried them; a peer that cannot be sent to now is tried at a later
    /// poll.
    fn return_credits(&self, poller: &mut MpiPoller) {
        poller.creditors.retain(|&peer| {
            let is_due = self.peers.credits(peer).owed.is_due();
            is_due && self.post(peer, MpiKind::Credits, &[]) == Err(Refusal::Full)
        });
    }
}

/// A peer's message that took a credit.
#[derive(Clone, Copy)]
enum CheckedMessage<'a> {
    Message(&'a [u8]),
    Batch(&'a [u8]),
    Read(ReadRequest),
}

/// True if every rank passes `true`, within some seconds. Collective.
fn all_agree(comm: &Comm, mine: bool) -> bool {
    let Ok(mut gather) = Allgather::start(comm, [u64::from(mine)]) else { return false };
    let until = Instant::now() + SHUTDOWN_WAIT;
    let waited = wait_until(|| Ok(gather.is_over()? || Instant::now() > until));
    let over = waited.is_ok() && matches!(gather.is_over(), Ok(true));
    over && gather.wait().is_ok_and(|flags| flags.iter().all(|[flag]| *flag == 1))
}

impl Transport for MpiTransport {
    fn name(&self) -> &'static str {
        "mpi"
    }

    fn register(&self, region: &Region) -> Result<(), RegisterError> {
        // A second registration of the store is of the same store.
        let _ = self.arena.set(region.on_host()?.clone());
        Ok(())
    }

    fn open_reads(&self) {
        let decided = read_method::choose(self, self.requested);
        // Called once, as documented; the first choice stays.
        let _ = self.read_method.set(decided);
        self.with_reads(MpiReads::log_failed_gets);
        if self.rank == 0 {
            log(Level::Info, || format!("bulk reads over MPI: {}", self.read_method()));
        }
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        assert!(bytes <= MESSAGE_BYTES_MAX, "a message of {bytes} bytes, {MESSAGE_BYTES_MAX} is the most");
        let may_share = self.sharing.may_share();
        self.with_outbox(|outbox| match may_share {
            true => outbox.share(peer, parts),
            false => outbox.post(peer, MpiKind::Message, parts),
        })
    }

    fn poll(&self, deliver: Deliver<'_>) -> usize {
        self.send_batches();
        let Some(mut poller) = try_lock(&self.poller) else { return 0 };
        let Some(poller) = poller.as_mut() else { return 0 };
        let _polls_here = self.sharing.begin_poll();
        self.progress_reads();
        let mut delivered = self.peers.events.deliver(POLL_BATCH_MAX, &mut |event| {
            if let TransportEvent::LinkDown { peer, .. } = event {
                self.with_reads(|reads| reads.on_peer_failed(peer));
            }
            deliver(event);
        });
        delivered += self.receive(poller, POLL_BATCH_MAX - delivered, deliver);
        if delivered > 0 {
            self.sharing.on_received();
        }
        if poller.read_server.len() > 0 {
            poller.read_server.advance(self.arena.get());
            self.serve_count.store(poller.read_server.len(), Ordering::Relaxed);
        }
        self.return_credits(poller);
        self.progress_sends();
        delivered
    }

    fn pending(&self) -> bool {
        let counts = [&self.send_count, &self.read_count, &self.serve_count];
        self.peers.events.len() > 0
            || counts.iter().any(|count| count.load(Ordering::Relaxed) > 0)
            || (self.growing_count.load(Ordering::Relaxed) > 0 && self.sharing.is_overdue())
    }

    fn uses_doorbell(&self) -> bool {
        false
    }

    fn read(&self, peer: Rank, from: RemoteAddress, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let mut reads = lock(&self.reads);
        let Some(reads) = reads.as_mut() else { return Err((Refusal::Lost, into)) };
        let begun = reads.begin(peer, from, into, token, &mut |peer, request| self.request(peer, request));
        self.read_count.store(reads.len(), Ordering::Relaxed);
        begun
    }
}
