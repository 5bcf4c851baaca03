//! The fabric itself: which lock each call takes, and what a poll does in which order.
//!
//! Locks, in the order taken: `inbox` (the poller), `reads`, `outbox`. None is held while an event is delivered but
//! `inbox`, whose second taker turns away, so a receiver may send and read from inside its event.

mod reading;

use super::collective::{Gather, wait_until};
use super::comm::{Comm, Failure};
use super::credits::Peers;
use super::header::{Header, Kind, ReadRequest};
use super::inbox::Inbox;
use super::opening::{self, ReadsBy};
use super::outbox::{Outbox, Unposted};
use super::page::Page;
use super::reads::{ReadEnding, Reads, is_slot};
use super::serves::Serves;
use super::transfer::Arrived;
use crate::base::Rank;
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX};
use crate::base::log::{Level, say};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::memory::{Arena, Block, Region};
use crate::transport::{Event, Fabric, Place, Refusal};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::{Duration, Instant};

/// How long `close` waits for messages that MPI has not yet taken.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// How long `close` waits for the other ranks before it leaves the window to MPI.
const PARTING_WAIT: Duration = Duration::from_secs(10);

/// What only the poller touches.
struct Poller {
    inbox: Inbox,
    serves: Serves,
    /// Peers that may wait for credits.
    creditors: Vec<Rank>,
    reads_over: Vec<ReadEnding>,
}

/// The road over MPI between all ranks of a communicator.
pub struct MpiFabric {
    rank: Rank,
    peers: Peers,
    arena: OnceLock<Arc<Arena>>,
    wanted: ReadsBy,
    /// How bulk reads come, and why; once that is decided.
    reads_by: OnceLock<String>,
    /// Each `None` once closed; the last of them to go frees the communicator.
    poller: Mutex<Option<Poller>>,
    reads: Mutex<Option<Reads>>,
    outbox: Mutex<Option<Outbox>>,
    losses: Mutex<Vec<(Rank, String)>>,
    /// How many are under way or waiting in `outbox`, `reads` and serves, and `losses`: what a poll may pass over.
    sends: AtomicUsize,
    read_count: AtomicUsize,
    serve_count: AtomicUsize,
    loss_count: AtomicUsize,
}

impl MpiFabric {
    /// A road between all ranks of `comm`, which nobody else may use. Needs MPI_THREAD_MULTIPLE. Reads come in answers
    /// until `open_reads`, and then as `wanted`, which is the same on all ranks.
    ///
    /// # Errors
    /// What MPI says.
    pub fn new(comm: Comm, wanted: ReadsBy) -> Result<Arc<MpiFabric>, Failure> {
        let comm = Arc::new(comm);
        let poller = Poller {
            inbox: Inbox::new(comm.clone())?,
            serves: Serves::new(comm.clone()),
            creditors: Vec::new(),
            reads_over: Vec::new(),
        };
        Ok(Arc::new(MpiFabric {
            rank: comm.rank(),
            peers: Peers::new(comm.size()),
            arena: OnceLock::new(),
            wanted,
            reads_by: OnceLock::new(),
            poller: Mutex::new(Some(poller)),
            reads: Mutex::new(Some(Reads::new(comm.clone()))),
            outbox: Mutex::new(Some(Outbox::new(comm))),
            losses: Mutex::new(Vec::new()),
            sends: AtomicUsize::new(0),
            read_count: AtomicUsize::new(0),
            serve_count: AtomicUsize::new(0),
            loss_count: AtomicUsize::new(0),
        }))
    }

    /// The memory that peers may read; the first call holds.
    pub fn set_arena(&self, arena: Arc<Arena>) {
        // A second arena is refused by the cell, as the doc says.
        let _ = self.arena.set(arena);
    }

    /// How bulk reads come, and why so: `MPI_Rget (..)` or `answers to messages (..)`.
    pub fn reads_by(&self) -> &str {
        self.reads_by.get().map_or("answers to messages (not decided yet)", String::as_str)
    }

    pub(super) fn rank(&self) -> Rank {
        self.rank
    }

    pub(super) fn arena(&self) -> Option<Arc<Arena>> {
        self.arena.get().cloned()
    }

    /// Nothing once closed.
    pub(super) fn with_reads<R>(&self, act: impl FnOnce(&mut Reads) -> R) -> Option<R> {
        lock(&self.reads).as_mut().map(act)
    }

    /// Losses that were taken by a poll of this road's own are reported again.
    pub(super) fn repeat_losses(&self, lost: Vec<(Rank, String)>) {
        let mut losses = lock(&self.losses);
        losses.extend(lost);
        self.loss_count.store(losses.len(), Ordering::Relaxed);
    }

    /// Waits shortly for what MPI has not yet taken, gives up the rest, and frees the communicator (M4).
    /// Afterwards polls find nothing and sends are refused as `Lost`. Ranks agree beforehand that nothing is under way.
    ///
    /// Where all ranks close `together`, none of them dead, they free their windows too; else those are left to MPI (M5),
    /// and this is false: MPI_Finalize would fail (MPICH over UCX aborts there), so the process ends without it.
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
            let clean = !reads.leave_gets() && (0..self.peers.size()).all(|peer| !self.peers.is_lost(peer));
            drop(reads);
            if let Some(window) = window {
                freed = together && all_agree(&comm, clean) && window.close();
            }
        }
        for count in [&self.sends, &self.read_count, &self.serve_count, &self.loss_count] {
            count.store(0, Ordering::Relaxed);
        }
        freed
    }

    fn lose(&self, peer: Rank, reason: String) {
        if self.peers.lose(peer) {
            let mut losses = lock(&self.losses);
            losses.push((peer, reason));
            self.loss_count.store(losses.len(), Ordering::Relaxed);
        }
    }

    /// MPI failed in a way that names no peer: nothing comes over this road any more.
    fn lose_all(&self, failure: Failure) {
        for peer in (0..self.peers.size()).filter(|&peer| peer != self.rank) {
            self.lose(peer, format!("this rank cannot receive over MPI any more: {failure}"));
        }
    }

    fn post(&self, peer: Rank, kind: Kind, parts: &[&[u8]]) -> Result<(), Refusal> {
        if self.peers.is_lost(peer) {
            return Err(Refusal::Lost);
        }
        let mut outbox = lock(&self.outbox);
        let Some(outbox) = outbox.as_mut() else { return Err(Refusal::Lost) };
        let posted = outbox.post(&self.peers, peer, kind, parts);
        self.sends.store(outbox.len(), Ordering::Relaxed);
        match posted {
            Ok(()) => Ok(()),
            Err(Unposted::Full) => {
                self.finish_sends(outbox);
                Err(Refusal::Full)
            }
            Err(Unposted::Failed(failure)) => {
                self.lose(peer, failure.to_string());
                Err(Refusal::Lost)
            }
        }
    }

    /// Takes back pages that were sent; returns how many messages MPI has not yet taken.
    fn progress_sends(&self) -> usize {
        if self.sends.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let mut outbox = lock(&self.outbox);
        outbox.as_mut().map_or(0, |outbox| self.finish_sends(outbox))
    }

    fn finish_sends(&self, outbox: &mut Outbox) -> usize {
        outbox.finish(|peer, failure| self.lose(peer, failure.to_string()));
        self.sends.store(outbox.len(), Ordering::Relaxed);
        outbox.len()
    }

    fn report_losses(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        if self.loss_count.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let losses = std::mem::take(&mut *lock(&self.losses));
        self.loss_count.store(0, Ordering::Relaxed);
        let count = losses.len();
        for (peer, reason) in losses {
            if let Some(reads) = lock(&self.reads).as_mut() {
                reads.give_up(peer);
            }
            deliver(Event::Lost { peer, reason });
        }
        count
    }

    /// Delivers up to `room` messages, and takes what the others of the batch ask.
    fn receive(&self, poller: &mut Poller, room: usize, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let mut delivered = 0;
        for _ in 0..room {
            let (arrived, page) = match poller.inbox.arrived() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(failure) => {
                    self.lose_all(failure);
                    break;
                }
            };
            let accepted = self.accept(arrived, page);
            match accepted {
                Accepted::Message(header) => {
                    deliver(Event::Message { from: arrived.from, bytes: page.body(header) });
                    delivered += 1;
                }
                Accepted::Read(request) => poller.serves.ask(arrived.from, request),
                Accepted::Nothing => {}
            }
            if let Err(failure) = poller.inbox.release() {
                self.lose_all(failure);
                break;
            }
            if !matches!(accepted, Accepted::Nothing) && self.peers.delivered(arrived.from) {
                poller.creditors.push(arrived.from);
            }
        }
        delivered
    }

    /// Checks what a peer sent before it is taken for anything.
    fn accept(&self, arrived: Arrived, page: &Page) -> Accepted {
        let from = arrived.from;
        if self.peers.is_lost(from) {
            return Accepted::Nothing;
        }
        let Some(header) = page.header(arrived.bytes).filter(|header| self.peers.refund(from, header.credits)) else {
            self.lose(from, format!("rank {from} sent {} bytes that are no message of mobula", arrived.bytes));
            return Accepted::Nothing;
        };
        match header.kind {
            Kind::Message => Accepted::Message(header),
            Kind::Credits => Accepted::Nothing,
            Kind::Read => match ReadRequest::decode(page.body_words(header)).filter(|request| is_slot(request.slot)) {
                Some(request) => Accepted::Read(request),
                None => {
                    self.lose(from, format!("rank {from} sent a read request that is none"));
                    Accepted::Nothing
                }
            },
        }
    }

    fn serve(&self, poller: &mut Poller) {
        if poller.serves.len() > 0 {
            poller.serves.advance(self.arena.get(), |peer, failure| self.lose(peer, failure.to_string()));
            self.serve_count.store(poller.serves.len(), Ordering::Relaxed);
        }
    }

    /// Tells peers of their deliveries where no message of ours did; who cannot be told now is told by a later poll.
    fn return_credits(&self, poller: &mut Poller) {
        poller
            .creditors
            .retain(|&peer| self.peers.owes_many(peer) && self.post(peer, Kind::Credits, &[]) == Err(Refusal::Full));
    }
}

/// What a checked message is.
#[derive(Clone, Copy)]
enum Accepted {
    Message(Header),
    Read(ReadRequest),
    Nothing,
}

/// Whether every rank says so, within some seconds. Collective.
fn all_agree(comm: &Comm, mine: bool) -> bool {
    let Ok(mut gather) = Gather::start(comm, [u64::from(mine)]) else { return false };
    let until = Instant::now() + PARTING_WAIT;
    let over = wait_until(|| Ok(gather.is_over()? || Instant::now() > until));
    over.is_ok() && gather.wait_no_longer().is_some_and(|said| said.iter().all(|[said]| *said == 1))
}

/// The lock, or nothing where another thread has it.
fn turn<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Fabric for MpiFabric {
    fn name(&self) -> &'static str {
        "mpi"
    }

    fn offer(&self, region: &Region) -> Result<(), String> {
        self.set_arena(region.on_host()?.clone());
        Ok(())
    }

    fn open_reads(&self) {
        let decided = opening::open(self, self.wanted);
        // Called once, as the doc says; the first decision stays.
        let _ = self.reads_by.set(decided);
        if self.rank == 0 {
            say(Level::Info, || format!("bulk reads over MPI: {}", self.reads_by()));
        }
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        assert!(bytes <= MESSAGE_BYTES_MAX, "a message of {bytes} bytes, {MESSAGE_BYTES_MAX} is the most");
        self.post(peer, Kind::Message, parts)
    }

    fn poll(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let Some(mut poller) = turn(&self.poller) else { return 0 };
        let Some(poller) = poller.as_mut() else { return 0 };
        let mut delivered = self.report_losses(deliver);
        delivered += self.finish_reads(poller, POLL_BATCH_MAX.saturating_sub(delivered), deliver);
        delivered += self.receive(poller, POLL_BATCH_MAX.saturating_sub(delivered), deliver);
        self.serve(poller);
        self.return_credits(poller);
        self.progress_sends();
        delivered
    }

    fn pending(&self) -> bool {
        [&self.sends, &self.read_count, &self.serve_count, &self.loss_count]
            .iter()
            .any(|count| count.load(Ordering::Relaxed) > 0)
    }

    fn rings(&self) -> bool {
        false
    }

    fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        self.start_read(peer, from, into, token)
    }
}
