//! Who looks at the roads, and when a rank sleeps.

use crate::base::sync::Ordering;
use crate::memory::FIRST_SLEEP;
use crate::runtime::Runtime;
use std::time::{Duration, Instant};

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

impl Runtime {
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

    /// Whether the program's thread has gone to serve and every worker sleeps.
    fn only_serves(&self) -> bool {
        self.leaver.get().is_some() && self.idle.count() == self.workers().len()
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
        let mut vigil = self.begin_vigil();
        while !self.stopping() {
            let seen = bell.rung();
            // First: a rank that was given up while it stood still does nothing more.
            self.keep_vigil(&mut vigil);
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
            let groups = self.groups_due();
            if events > 0 || self.stopping() {
                quiet = 0;
                if events > 0 && self.only_serves() {
                    // More is likely to come, and nobody else needs the processor.
                    self.watch_roads(|| !self.only_serves());
                    self.leave_roads();
                }
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
            let timeout = [timer, watch, groups, look, rest].into_iter().flatten().min();
            if bell.is_asleep() && !self.roads.arm() {
                continue;
            }
            bell.sleep(seen, timeout);
        }
    }
}
