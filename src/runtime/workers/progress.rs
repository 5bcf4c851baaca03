//! Polling of the transports, and when a rank sleeps.

use crate::memory::FIRST_SLEEP;
use crate::runtime::workers::debug_watch::warn_of_blocked_workers;
use crate::runtime::workers::lending::lend_cpus;
use crate::runtime::workers::worker_watch::watch_workers;
use crate::runtime::{Runtime, membership, resources, tasks};
use std::time::{Duration, Instant};

/// Polls between two checks whether it is time to block.
const SPINS: usize = 192;

/// Times that a waiting thread yields, after spinning and before it blocks.
const YIELDS: u32 = 3;

/// How often the progress thread checks whether another thread still polls the transports.
const TICK: Duration = Duration::from_micros(500);

/// How long the progress thread leaves the transports to a thread that polls them already.
const SHORT_SLEEP: Duration = Duration::from_micros(50);

/// How long a rank sleeps at most when nothing comes; `memory::doorbell` says why there is a limit.
const LONG_SLEEP: Duration = Duration::from_millis(250);

impl Runtime {
    /// Polls the transports for a short time until `done`; true if `done` or the end of the cluster came. Spins for
    /// some microseconds, then yields between polls: the thread that it waits for may need this very core.
    pub fn poll_until(&'static self, done: impl Fn() -> bool) -> bool {
        let mut until = None;
        let mut yields = 0;
        loop {
            for _ in 0..SPINS {
                if done() || self.stopping() {
                    return true;
                }
                if self.router.has_transports() {
                    self.router.doorbell.set_awake();
                    if self.poll() > 0 {
                        // Something came, so more is likely to: the time starts again.
                        until = None;
                    }
                } else {
                    std::hint::spin_loop();
                }
            }
            let spun_enough = self.router.polling.spin.is_zero()
                || Instant::now() >= *until.get_or_insert_with(|| Instant::now() + self.router.polling.spin);
            if spun_enough && yields >= YIELDS {
                return done();
            }
            yields += 1;
            std::thread::yield_now();
        }
    }

    /// The calling thread is about to block and no longer polls the transports: from now on peers notify the doorbell.
    /// The progress thread polls once more in its place.
    pub fn prepare_to_sleep(&'static self) {
        if self.router.has_transports() {
            self.router.doorbell.set_asleep();
            if self.router.pending() {
                self.router.doorbell.notify_always();
            }
        }
    }
}

/// True if the program's thread serves other ranks until shutdown and every worker sleeps.
fn only_serves(runtime: &Runtime) -> bool {
    runtime.lifecycle.driver_has_finished() && runtime.workers.idle.count() == runtime.workers.list().len()
}

/// The progress thread: polls the transports while no other thread does, fires timers and watches for stuck
/// workers.
///
/// Threads that poll the transports set a flag once and do not clear it when they go to run a task: that would cost
/// a cache miss per message. Instead this thread checks every `TICK` whether any thread polled since; if none did,
/// it asks peers to notify the doorbell, and polls the transports itself.
pub fn progress(runtime: &'static Runtime) {
    tasks::run_leaves_here(runtime);
    let doorbell = &runtime.router.doorbell;
    let mut quiet = 0u32;
    let mut polls_seen = runtime.router.polling.count();
    let mut checked_at = Instant::now();
    let mut failure_detector = membership::start_failure_detector(runtime);
    while !runtime.stopping() {
        let seen = doorbell.notified();
        // First: a rank that was declared dead while it was stopped does nothing more.
        membership::detect_failures(runtime, &mut failure_detector);
        runtime.readmit_pending();
        let mut no_poller = doorbell.is_asleep();
        if !no_poller && checked_at.elapsed() >= TICK {
            let polls = runtime.router.polling.count();
            no_poller = polls == polls_seen;
            (polls_seen, checked_at) = (polls, Instant::now());
        }
        let events = if no_poller { runtime.receive_and_flush() } else { 0 };
        let timer = runtime.waiting.timers.fire_due();
        let watch = watch_workers(runtime);
        let lending = lend_cpus(runtime);
        let debug = warn_of_blocked_workers(runtime);
        let groups = resources::tick_groups(runtime);
        if events > 0 || runtime.stopping() {
            quiet = 0;
            if events > 0 && only_serves(runtime) {
                // More is likely to come, and no other thread of this rank needs the processor.
                runtime.poll_until(|| !only_serves(runtime));
                runtime.prepare_to_sleep();
            }
            continue;
        }
        let sleep_max = if !runtime.router.has_transports() {
            None
        } else if !doorbell.is_asleep() {
            if no_poller {
                doorbell.set_asleep();
                quiet = 0;
                continue;
            }
            Some(TICK)
        } else if runtime.router.pending() {
            // Another thread polls just now.
            Some(SHORT_SLEEP)
        } else {
            quiet = quiet.saturating_add(1);
            Some(if quiet == 1 { FIRST_SLEEP } else { LONG_SLEEP })
        };
        // Transports that do not wake this rank are polled with back-off, up to a millisecond.
        let poll_again = (!runtime.router.may_sleep_long() || runtime.memory.any_pulls_waiting())
            .then(|| Duration::from_micros(20u64 << (quiet / 16).min(6)));
        let timeout = [timer, watch, lending, debug, groups, poll_again, sleep_max].into_iter().flatten().min();
        if doorbell.is_asleep() && !runtime.router.arm() {
            continue;
        }
        doorbell.sleep(seen, timeout);
    }
}
