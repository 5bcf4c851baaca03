//! Sending, and looking for what came.

use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::fabric::{Event, Fabric, Place, Refusal};
use crate::mem::{Bell, Block, FIRST_SLEEP};
use crate::node::Node;
use crate::protocol::Message;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Messages that may wait towards one peer before who submits tasks is made to wait too.
const OUTBOX_MESSAGES_MAX: usize = 4096;

/// Looks between two questions whether it is time to block.
const SPINS: usize = 192;

/// Times that a waiting thread yields, after spinning and before it blocks.
const YIELDS: u32 = 3;

/// How often the progress thread looks whether somebody still looks at the roads.
const TICK: Duration = Duration::from_micros(500);

/// How long the progress thread leaves the roads to who polls them already.
const SHORT_SLEEP: Duration = Duration::from_micros(50);

/// How long a rank sleeps at most when nothing comes; see `mem::bell` for why not for ever.
const LONG_SLEEP: Duration = Duration::from_millis(250);

/// The roads of a rank.
pub struct Roads {
    /// Each road once.
    all: Vec<Arc<dyn Fabric>>,
    /// By rank: which of them leads there.
    to: Vec<Option<usize>>,
    /// By rank: what the road did not take yet, oldest first.
    outboxes: Vec<Mutex<VecDeque<Vec<u8>>>>,
    /// Messages in all outboxes.
    waiting: AtomicUsize,
    /// Bulk reads under way: for which peer's message, of which block.
    reads: Mutex<Reads>,
    /// Whether some of them could not be started yet.
    reads_wait: AtomicBool,
    /// Looks at the roads by threads that have other things to do as well.
    polls: AtomicU64,
    /// What peers ring.
    pub bell: Arc<Bell>,
    spin: Duration,
}

#[derive(Default)]
struct Reads {
    next_token: u64,
    under_way: HashMap<u64, (Rank, ObjectId)>,
    /// Not started: from whom, where, into what, for whose message, which block.
    refused: VecDeque<(Rank, u64, Block, Rank, ObjectId)>,
}

/// Submissions to other ranks between two looks at the roads.
const SUBMITS_A_LOOK: u32 = 16;

thread_local! {
    static SUBMITTED: Cell<u32> = const { Cell::new(0) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Roads {
    /// Over these fabrics; `to` names for each rank the one that leads there.
    pub fn new(all: Vec<Arc<dyn Fabric>>, to: Vec<Option<usize>>, bell: Arc<Bell>, spin: Duration) -> Roads {
        let outboxes = to.iter().map(|_| Mutex::default()).collect();
        Roads {
            all,
            to,
            outboxes,
            waiting: AtomicUsize::new(0),
            reads: Mutex::default(),
            reads_wait: AtomicBool::new(false),
            polls: AtomicU64::new(0),
            bell,
            spin,
        }
    }

    /// The name of the road to `rank`.
    pub fn name_to(&self, rank: Rank) -> &'static str {
        self.to[rank as usize].map_or("none", |road| self.all[road].name())
    }

    /// Whether there is any road at all.
    pub fn any(&self) -> bool {
        !self.all.is_empty()
    }

    fn pending(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 || self.all.iter().any(|road| road.pending())
    }

    /// Whether every sender wakes this rank when it sleeps, and nothing waits here to be tried again.
    fn may_sleep_long(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
            && self.all.iter().all(|road| road.rings())
            && !self.reads_wait.load(Ordering::Relaxed)
    }
}

impl Node {
    /// Sends a message; to itself, it is handled at once. Never blocks: what the road does not take waits here.
    pub fn send(&'static self, to: Rank, message: &Message<'_>) {
        let mut bytes = BUFFER.take();
        bytes.clear();
        bytes = message.encode(bytes);
        assert!(bytes.len() <= MESSAGE_BYTES_MAX, "a message of {} bytes was not spilled: {message:?}", bytes.len());
        if to == self.rank {
            self.receive(to, &bytes);
        } else if self.dispatch(to, &bytes) {
            self.roads.bell.ring();
        }
        BUFFER.set(bytes);
    }

    /// True where the message waits here.
    fn dispatch(&self, to: Rank, bytes: &[u8]) -> bool {
        let Some(road) = self.roads.to[to as usize] else { return false };
        let mut outbox = lock(&self.roads.outboxes[to as usize]);
        if outbox.is_empty() {
            match self.roads.all[road].send(to, &[bytes]) {
                Ok(()) | Err(Refusal::Lost) => return false,
                Err(Refusal::Full) => {}
            }
        }
        outbox.push_back(bytes.to_vec());
        self.roads.waiting.fetch_add(1, Ordering::Relaxed) == 0
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
        while lock(&self.roads.outboxes[to as usize]).len() > OUTBOX_MESSAGES_MAX && !self.stopping() {
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
            if self.roads.pending() {
                self.poll();
            } else {
                self.roads.polls.store(self.roads.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            }
        }
    }

    fn take_and_flush(&'static self) -> usize {
        let mut events = 0;
        for road in &self.roads.all {
            events += road.poll(&mut |event| match event {
                Event::Message { from, bytes } => self.receive(from, bytes),
                Event::ReadDone { token, block } => {
                    let read = lock(&self.roads.reads).under_way.remove(&token);
                    if let Some((from, id)) = read {
                        self.pulled(from, id, block);
                    }
                }
                Event::Lost { peer, reason } => self.lost(peer, &reason),
            });
        }
        if self.roads.waiting.load(Ordering::Relaxed) > 0 {
            self.flush();
        }
        if self.roads.reads_wait.load(Ordering::Relaxed) {
            self.retry_reads();
        }
        events
    }

    fn flush(&self) {
        for (rank, outbox) in self.roads.outboxes.iter().enumerate() {
            let (Ok(mut outbox), Some(road)) = (outbox.try_lock(), self.roads.to[rank]) else { continue };
            while let Some(message) = outbox.front() {
                if self.roads.all[road].send(rank as Rank, &[message]) == Err(Refusal::Full) {
                    break;
                }
                outbox.pop_front();
                self.roads.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Starts to bring a block of `home`'s store into `block`, for a message from `from`.
    pub fn pull(&self, home: Rank, offset: u64, block: Block, from: Rank, id: ObjectId) {
        let mut reads = lock(&self.roads.reads);
        reads.refused.push_back((home, offset, block, from, id));
        self.roads.reads_wait.store(true, Ordering::Relaxed);
        drop(reads);
        self.retry_reads();
    }

    fn retry_reads(&self) {
        let Ok(mut reads) = self.roads.reads.try_lock() else { return };
        while let Some((home, offset, block, from, id)) = reads.refused.pop_front() {
            let Some(road) = self.roads.to[home as usize] else { continue };
            reads.next_token += 1;
            let token = reads.next_token;
            reads.under_way.insert(token, (from, id));
            if let Err((_, block)) = self.roads.all[road].read(home, Place::in_store(offset), block, token) {
                reads.under_way.remove(&token);
                reads.refused.push_front((home, offset, block, from, id));
                return;
            }
        }
        self.roads.reads_wait.store(false, Ordering::Relaxed);
    }

    /// Looks at the roads for a moment until `done`; true where it says so. Spins for some microseconds, then yields between
    /// looks: who it waits for may need this very core.
    pub fn watch_roads(&'static self, done: impl Fn() -> bool) -> bool {
        let mut until = None;
        let mut yields = 0;
        loop {
            for _ in 0..SPINS {
                if done() || self.stopping() {
                    return true;
                }
                if self.roads.any() {
                    self.roads.bell.look();
                    if self.poll() > 0 {
                        // Where something came, more is likely to: the time begins anew.
                        until = None;
                    }
                } else {
                    std::hint::spin_loop();
                }
            }
            let over = self.roads.spin.is_zero()
                || Instant::now() >= *until.get_or_insert_with(|| Instant::now() + self.roads.spin);
            if over && yields >= YIELDS {
                return done();
            }
            yields += 1;
            std::thread::yield_now();
        }
    }

    /// The calling thread is about to block, and no longer looks at the roads: peers ring from now on. The progress thread
    /// looks once more in its stead.
    pub fn leave_roads(&'static self) {
        if self.roads.any() {
            self.roads.bell.lie_down();
            if self.roads.pending() {
                self.roads.bell.ring();
            }
        }
    }

    /// The progress thread: serves the roads while nobody else looks at them, timers and the watch for stuck workers.
    ///
    /// Threads that look at the roads say so once and do not take it back when they go to run a task: that would cost a
    /// cache miss a message. Instead this thread looks every `TICK` whether anybody polled since; when nobody did, peers are
    /// asked to ring, and it serves them itself.
    pub fn progress(&'static self) {
        let bell = &self.roads.bell;
        let mut quiet = 0u32;
        let mut polls_seen = self.roads.polls.load(Ordering::Relaxed);
        let mut looked_at = Instant::now();
        while !self.stopping() {
            let seen = bell.rung();
            self.feed_starved();
            let mut alone = bell.is_asleep();
            if !alone && looked_at.elapsed() >= TICK {
                let polls = self.roads.polls.load(Ordering::Relaxed);
                alone = polls == polls_seen;
                (polls_seen, looked_at) = (polls, Instant::now());
            }
            let events = if alone { self.take_and_flush() } else { 0 };
            let timer = self.timers.fire_due();
            let watch = self.watch_workers();
            if events > 0 || self.stopping() {
                quiet = 0;
                continue;
            }
            let rest = if !self.roads.any() {
                None
            } else if !bell.is_asleep() {
                if alone {
                    bell.lie_down();
                    quiet = 0;
                    continue;
                }
                Some(TICK)
            } else if self.roads.pending() {
                // Another thread is at it just now.
                Some(SHORT_SLEEP)
            } else {
                quiet = quiet.saturating_add(1);
                Some(if quiet == 1 { FIRST_SLEEP } else { LONG_SLEEP })
            };
            // Roads that do not ring are looked at with back-off, up to a millisecond.
            let look = (!self.roads.may_sleep_long()).then(|| Duration::from_micros(20u64 << (quiet / 16).min(6)));
            let timeout = [timer, watch, look, rest].into_iter().flatten().min();
            bell.sleep(seen, timeout);
        }
    }
}

impl Node {
    /// The name of the road to `rank`.
    pub(super) fn road_to(&self, rank: Rank) -> &'static str {
        if rank == self.rank { "itself" } else { self.roads.name_to(rank) }
    }

    /// Whether messages wait here to be sent.
    pub(super) fn has_mail_waiting(&self) -> bool {
        self.roads.waiting.load(Ordering::Relaxed) > 0
    }
}
