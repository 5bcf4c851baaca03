//! Sending to other ranks, and taking what came from them.

use crate::base::latch::Latch;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::sync::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, lock};
use crate::base::{Rank, clock};
use crate::memory::Bell;
use crate::protocol::{ABOUT_ROADS, Departures, ENVELOPE_BYTES, Message};
use crate::runtime::Runtime;
use crate::runtime::detours::Detour;
use crate::runtime::pulls::Pulls;
use crate::runtime::room::acting;
use crate::runtime::sentry::{Mate, Sentry};
use crate::scheduling::Stealing;
use crate::transport::verbs::VerbsFabric;
use crate::transport::{Event, Fabric, Refusal};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Messages that may wait towards one peer before who submits tasks is made to wait too.
const OUTBOX_MESSAGES_MAX: usize = 4096;

/// How long roads that must be looked at are left alone by a rank that is busy with tasks.
const LOOK_NS: u64 = 20_000;

/// The roads of a rank.
pub struct Roads {
    /// Each road once.
    pub(super) all: Vec<Arc<dyn Fabric>>,
    /// The different ways to reach a peer: each the places in `all` of the roads to take, best first.
    ways: Vec<Vec<u8>>,
    /// By rank.
    pub(super) peers: Vec<Peer>,
    /// Messages in all outboxes.
    pub(super) waiting: AtomicUsize,
    pub(super) pulls: Pulls,
    /// The road whose links are agreed upon over another one, and what is to be said for that.
    verbs: Option<Arc<VerbsFabric>>,
    beside: Mutex<VecDeque<(Rank, Vec<u8>)>>,
    /// Looks at the roads by threads that have other things to do as well.
    pub(super) polls: AtomicU64,
    /// When somebody last looked, where there are roads that nobody can see into without a system call.
    looked_ns: AtomicU64,
    unseen: bool,
    /// What peers ring.
    pub bell: Arc<Bell>,
    pub(super) sentry: Option<Sentry>,
    pub(super) spin: Duration,
}

/// What a rank keeps of each peer.
pub(super) struct Peer {
    /// Which of the ways leads there.
    way: u16,
    /// How many roads of that way have failed.
    pub(super) leg: AtomicU8,
    /// Declared gone; for good.
    dead: AtomicBool,
    pub(super) outbox: Latch<Outbox>,
}

/// What no road took yet, oldest first.
#[derive(Default)]
pub(super) struct Outbox {
    departures: Departures,
    pub(super) messages: VecDeque<Vec<u8>>,
    /// While the two ranks agree from which message on they go on over another road.
    pub(super) detour: Option<Detour>,
    /// What the other rank says of a road that it left and this one has not: how many messages it was handed over it.
    pub(super) early: Option<u64>,
}

/// Submissions to other ranks between two looks at the roads.
const SUBMITS_A_LOOK: u32 = 16;

thread_local! {
    static SUBMITTED: Cell<u32> = const { Cell::new(0) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Roads {
    /// Over these fabrics, beside the processes of `mates`; `to` names for each rank those that lead there, best first, by their places in `all`.
    pub fn new(
        all: Vec<Arc<dyn Fabric>>,
        verbs: Option<Arc<VerbsFabric>>,
        to: &[Vec<u8>],
        mates: Vec<Mate>,
        bell: Arc<Bell>,
        spin: Duration,
    ) -> Roads {
        let mut ways: Vec<Vec<u8>> = Vec::new();
        let peers = to.iter().map(|way| {
            let known = ways.iter().position(|known| known == way);
            let way = known.unwrap_or_else(|| {
                ways.push(way.clone());
                ways.len() - 1
            });
            Peer { way: way as u16, leg: AtomicU8::new(0), dead: AtomicBool::new(false), outbox: Latch::default() }
        });
        let peers = peers.collect();
        let unseen = all.iter().any(|road| !road.rings());
        let sentry = Sentry::over(&all, mates, &bell);
        Roads {
            all,
            ways,
            peers,
            waiting: AtomicUsize::new(0),
            pulls: Pulls::default(),
            verbs,
            beside: Mutex::default(),
            polls: AtomicU64::new(0),
            looked_ns: AtomicU64::new(0),
            unseen,
            bell,
            sentry,
            spin,
        }
    }

    /// The road that is taken to `rank` now, by its place in `all`.
    pub(super) fn to(&self, rank: Rank) -> Option<usize> {
        let peer = self.peers.get(rank as usize)?;
        if peer.dead.load(Ordering::Relaxed) {
            return None;
        }
        self.way(rank).get(peer.leg.load(Ordering::Relaxed) as usize).map(|road| *road as usize)
    }

    /// All roads to `rank`, best first.
    pub(super) fn way(&self, rank: Rank) -> &[u8] {
        &self.ways[self.peers[rank as usize].way as usize]
    }

    /// Whether there is any road at all.
    pub fn any(&self) -> bool {
        !self.all.is_empty()
    }

    pub(super) fn pending(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 || self.all.iter().any(|road| road.pending())
    }

    /// Whether every sender wakes this rank when it sleeps, and nothing waits here to be tried again.
    pub(super) fn may_sleep_long(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
            && self.all.iter().all(|road| road.rings() || road.wake_fd().is_some())
            && !self.pulls.wait()
    }

    /// The rank is about to sleep: what comes over roads with a descriptor rings from now on. False where something came.
    pub(super) fn arm(&self) -> bool {
        let Some(sentry) = &self.sentry else { return true };
        if !self.all.iter().all(|road| road.arm()) {
            return false;
        }
        sentry.post();
        true
    }

    /// Whether roads that cannot be seen into were left alone for long enough.
    fn look_is_due(&self) -> bool {
        self.unseen && clock::now_ns().saturating_sub(self.looked_ns.load(Ordering::Relaxed)) > LOOK_NS
    }

    pub(super) fn is_dead(&self, rank: Rank) -> bool {
        self.peers.get(rank as usize).is_some_and(|peer| peer.dead.load(Ordering::Acquire))
    }

    /// Declares a rank gone: true the first time. What waited for it is dropped.
    pub(super) fn bury(&self, rank: Rank) -> bool {
        let peer = &self.peers[rank as usize];
        if peer.dead.swap(true, Ordering::AcqRel) {
            return false;
        }
        let outbox = std::mem::take(&mut *peer.outbox.lock());
        self.waiting.fetch_sub(outbox.messages.len(), Ordering::Relaxed);
        true
    }

    /// Says a last word to a rank that is given up, over the road that was taken to it: it may only have been stopped. Where
    /// there is no room, it is not said: the answer to the next thing that the rank says is the same.
    pub(super) fn tell_the_dead(&self, rank: Rank, message: &Message<'_>) {
        let leg = self.peers[rank as usize].leg.load(Ordering::Relaxed);
        if let Some(road) = self.way(rank).get(leg as usize) {
            let _ = self.all[*road as usize].send(rank, &[&message.encode(ABOUT_ROADS.to_vec())]);
        }
    }

    /// Sends over the road taken now, or lets the message wait. True where one waits that was alone.
    pub(super) fn dispatch(&self, to: Rank, bytes: &[u8], about_roads: bool, load: impl FnOnce() -> u8) -> bool {
        let peer = &self.peers[to as usize];
        let mut outbox = peer.outbox.lock();
        // Under the lock, which `bury` and a detour take as well.
        let Some(road) = self.to(to) else { return false };
        let envelope = if about_roads { ABOUT_ROADS } else { outbox.departures.next(load) };
        let direct = outbox.messages.is_empty() && outbox.detour.is_none();
        if direct && self.all[road].send(to, &[&envelope, bytes]).is_ok() {
            return false;
        }
        // A road that is lost says so in a poll; then the message goes another way, or is dropped.
        outbox.messages.push_back([&envelope, bytes].concat());
        self.waiting.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Sends what waits, as far as the roads take it.
    fn flush(&self) {
        self.flush_beside();
        for (rank, peer) in self.peers.iter().enumerate() {
            let Some(mut outbox) = peer.outbox.try_lock() else { continue };
            if outbox.messages.is_empty() && outbox.detour.is_none() {
                continue;
            }
            let Some(road) = self.to(rank as Rank) else { continue };
            self.flush_one(&mut outbox, rank as Rank, road);
        }
    }

    /// Says something to `peer` over the road that comes after the one whose links it is about. Called under locks of that
    /// road: what cannot go now goes with the next poll.
    pub(super) fn say_beside(&self, peer: Rank, words: &[u8]) {
        let message = Message::Beside { words }.encode(ABOUT_ROADS.to_vec());
        lock(&self.beside).push_back((peer, message));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.flush_beside();
    }

    /// What a peer says of the links between the two.
    pub(super) fn heard_beside(&self, peer: Rank, words: &[u8]) {
        if let Some(verbs) = &self.verbs {
            verbs.side_message(peer, words);
        }
    }

    fn flush_beside(&self) {
        let mut beside = lock(&self.beside);
        while let Some((peer, message)) = beside.front() {
            // Behind the road that is agreed upon there is one more; both have the same ways.
            let road = self.way(*peer).last().map(|road| *road as usize);
            if road.is_some_and(|road| self.all[road].send(*peer, &[message]) == Err(Refusal::Full)) {
                break;
            }
            beside.pop_front();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn flush_one(&self, outbox: &mut Outbox, rank: Rank, road: usize) {
        if let Some(detour) = &mut outbox.detour {
            detour.announce(|bytes| self.all[road].send(rank, &[bytes]).is_ok());
            return;
        }
        while let Some(message) = outbox.messages.front() {
            if self.all[road].send(rank, &[message]).is_err() {
                break;
            }
            outbox.messages.pop_front();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Runtime {
    /// Sends a message; to itself, it is handled at once. Never blocks: what the road does not take waits here.
    pub fn send(&'static self, to: Rank, message: &Message<'_>) {
        let mut bytes = BUFFER.take();
        bytes.clear();
        bytes = message.encode(bytes);
        let length = ENVELOPE_BYTES + bytes.len();
        assert!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes was not spilled: {message:?}");
        if to == self.rank {
            self.protocol.handle(&self, to, &bytes);
        } else if self.roads.dispatch(to, &bytes, message.is_about_roads(), || Stealing::my_load(self.surplus_tasks()))
        {
            self.roads.bell.ring();
        }
        BUFFER.set(bytes);
    }

    /// Makes who submits work wait while too much waits towards `to`. Now and then who submits takes what came back: the
    /// answers would otherwise wake the progress thread one by one.
    pub fn throttle(&'static self, to: Rank) {
        let submitted = SUBMITTED.get().wrapping_add(1);
        SUBMITTED.set(submitted);
        if submitted.is_multiple_of(SUBMITS_A_LOOK) {
            self.roads.bell.look();
            self.glance();
        }
        // What waits towards all of them is seen without a lock, and is nearly always nothing.
        let full = || {
            self.roads.waiting.load(Ordering::Relaxed) > OUTBOX_MESSAGES_MAX
                && self.roads.peers[to as usize].outbox.lock().messages.len() > OUTBOX_MESSAGES_MAX
        };
        while full() && !self.stopping() {
            if self.poll() == 0 {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }

    /// Takes what came and sends what waits; returns how many events there were. Any thread may call it.
    pub fn poll(&'static self) -> usize {
        // Other threads may poll at the same time: what counts is that the number changes.
        self.roads.polls.store(self.roads.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        self.take_and_flush()
    }

    /// Takes what came, where something did.
    #[inline]
    pub fn glance(&'static self) {
        if self.roads.any() {
            if self.roads.pending() || self.roads.look_is_due() {
                self.poll();
            } else {
                self.roads.polls.store(self.roads.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            }
        }
    }

    pub(super) fn take_and_flush(&'static self) -> usize {
        let mut events = 0;
        for (place, road) in self.roads.all.iter().enumerate() {
            events += road.poll(&mut |event| {
                acting(|| match event {
                    Event::Message { from, bytes } => self.protocol.receive(&self, from, bytes),
                    Event::ReadDone { token, block } => self.read_done(token, block),
                    Event::Lost { peer, reason } => self.road_failed(place, peer, &reason),
                });
            });
        }
        if self.roads.unseen {
            self.roads.looked_ns.store(clock::now_ns(), Ordering::Relaxed);
        }
        if self.roads.waiting.load(Ordering::Relaxed) > 0 {
            self.roads.flush();
        }
        if self.roads.pulls.wait() {
            self.start_pulls();
        }
        events
    }

    /// Whether messages wait here to be sent.
    pub(super) fn has_mail_waiting(&self) -> bool {
        self.roads.waiting.load(Ordering::Relaxed) > 0
    }
}
