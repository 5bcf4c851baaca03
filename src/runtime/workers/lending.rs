//! CPUs of tasks whose threads are blocked are lent while threads that no worker runs wait for tasks.
//!
//! A task may start threads, and wait for them in the system: in a join, a channel, a lock. Its worker cannot yield its
//! CPU then, as it does in `get`; but such a thread may wait in `get` for a task that needs this very CPU. So while any
//! thread outside of the workers waits, and work waits for CPUs, the progress thread lends the CPUs of tasks whose
//! threads stay blocked. A task holds its CPUs again when its thread runs: at once, whoever uses them meanwhile, for
//! nothing can stop it. For that time the host runs more than it has CPUs.
//!
//! Which task a thread belongs to is not known, so any blocked task's CPUs are lent. The threads of programs (the
//! driver's that called `init` apart) count as well.

use crate::base::clock;
use crate::base::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, lock};
use crate::runtime::Runtime;
use crate::runtime::workers::held_cpus::{HeldCpus, HeldState};
use crate::runtime::workers::thread_state::{BlockedCall, blocked_call, runnable_ns};
use crate::scheduling::UNIT;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The time between two checks while something changes; it doubles while nothing does.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// The time between two checks at most.
const CHECK_INTERVAL_MAX: Duration = Duration::from_millis(250);

/// The same while CPUs are lent: so much later at most they count as their task's again.
const CHECK_INTERVAL_LENT: Duration = Duration::from_millis(20);

/// How long a thread has been in one wait for other threads before its CPUs are lent.
const BLOCKED_FOR_THREADS: Duration = CHECK_INTERVAL;

/// How long a thread has hardly run before its CPUs are lent, whatever it is blocked in: it may ask again and again,
/// and sleep meanwhile. One sleep of that time is the task's own, as work is, and keeps its CPUs.
const IDLE: Duration = Duration::from_millis(250);

/// A thread that runs for less than one part in this many of the time hardly runs.
const BUSY_PART: u64 = 4;

/// What is lent, and who waits.
#[derive(Default)]
pub struct Lending {
    /// Threads outside of the workers that wait in `get` or `wait`, and references that other executors await.
    waiting: AtomicUsize,
    /// One of them is new since the last check.
    is_new: AtomicBool,
    /// When the next check is due; 0 if none is.
    due_ns: AtomicU64,
    /// Threads outside of the workers that have run tasks in place.
    in_place: Mutex<Vec<Arc<HeldCpus>>>,
    watch: Mutex<Watch>,
}

/// What the progress thread saw.
#[derive(Default)]
struct Watch {
    interval: Duration,
    /// The last check left something lent.
    any_lent: bool,
    /// The next check comes soon, for a thread that had just blocked.
    is_second_look: bool,
    /// By thread.
    seen: HashMap<u32, ThreadSample>,
}

/// What a check saw of a thread.
#[derive(Clone, Default)]
struct ThreadSample {
    at_ns: u64,
    /// The call in which it is blocked, and since when it has been seen in that.
    call: Option<BlockedCall>,
    same_since_ns: u64,
    /// How long it has been runnable, if that is known.
    runnable_ns: Option<u64>,
    /// Since the check before, it has run, or could have.
    is_busy: bool,
    idle_since_ns: u64,
}

/// A thread outside of the workers, or an executor, waits until this is dropped.
pub struct OutsideWait(&'static Runtime);

/// The record of a thread outside of the workers, until the thread ends.
pub struct InPlaceThread {
    pub runtime: &'static Runtime,
    pub cpus: Arc<HeldCpus>,
}

/// What a check does about one thread.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Lend,
    TakeBack,
    /// Nothing, but the next check may.
    Watch,
}

impl Runtime {
    /// A thread outside of the workers waits for objects, or an executor does for a thread.
    pub fn wait_outside(&'static self) -> OutsideWait {
        let lending = &self.workers.lending;
        lending.waiting.fetch_add(1, Ordering::Relaxed);
        // SeqCst, as in `lend_cpus`: either the check that ends the watch sees that one is new, or this sees the end.
        if !lending.is_new.swap(true, Ordering::SeqCst) {
            let due_ns = lending.due_ns.load(Ordering::SeqCst);
            if due_ns == 0 || due_ns > clock::now_ns() + CHECK_INTERVAL.as_nanos() as u64 {
                self.router.doorbell.notify_always();
            }
        }
        OutsideWait(self)
    }
}

impl Drop for OutsideWait {
    fn drop(&mut self) {
        self.0.workers.lending.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl InPlaceThread {
    /// The calling thread, which belongs to no worker, is about to run tasks in place.
    pub fn register(runtime: &'static Runtime) -> InPlaceThread {
        let cpus = Arc::new(HeldCpus::default());
        cpus.bind_to_this_thread();
        lock(&runtime.workers.lending.in_place).push(cpus.clone());
        InPlaceThread { runtime, cpus }
    }
}

impl Drop for InPlaceThread {
    fn drop(&mut self) {
        lock(&self.runtime.workers.lending.in_place).retain(|other| !Arc::ptr_eq(other, &self.cpus));
    }
}

/// Lends what can be lent and takes back what its thread needs again; returns when to check again, if that is needed.
/// Only the progress thread calls it.
pub fn lend_cpus(runtime: &'static Runtime) -> Option<Duration> {
    let lending = &runtime.workers.lending;
    let due_ns = lending.due_ns.load(Ordering::Relaxed);
    let is_new = lending.is_new.load(Ordering::Relaxed);
    if due_ns == 0 && !is_new {
        return None;
    }
    let now_ns = clock::now_ns();
    let soon_ns = now_ns + CHECK_INTERVAL.as_nanos() as u64;
    if now_ns < due_ns && (!is_new || due_ns <= soon_ns) {
        // The progress thread wakes up for other reasons too.
        return Some(Duration::from_nanos(due_ns - now_ns));
    }
    let mut watch = lock(&lending.watch);
    if lending.is_new.swap(false, Ordering::SeqCst) {
        watch.interval = CHECK_INTERVAL / 2;
    }
    let any_waits = lending.waiting.load(Ordering::Relaxed) > 0;
    if !any_waits && !watch.any_lent && !is_new {
        lending.due_ns.store(0, Ordering::SeqCst);
        return lending.is_new.load(Ordering::SeqCst).then_some(Duration::ZERO);
    }
    let next = check(runtime, &mut watch, any_waits, now_ns);
    lending.due_ns.store(now_ns + next.as_nanos() as u64, Ordering::SeqCst);
    Some(next)
}

/// Checks each thread that holds CPUs or has lent some; returns the time until the next check.
fn check(runtime: &'static Runtime, watch: &mut Watch, any_waits: bool, now_ns: u64) -> Duration {
    let is_needed = any_waits && work_waits_for_cpus(runtime);
    let before = std::mem::take(&mut watch.seen);
    let (mut changes, mut any_lent, mut any_new) = (false, false, false);
    let in_place = lock(&runtime.workers.lending.in_place).clone();
    let of_workers = runtime.workers.list();
    for cpus in of_workers.iter().map(|worker| &worker.cpus).chain(in_place.iter().map(Arc::as_ref)) {
        let is_lent = match cpus.state() {
            HeldState::Nothing => continue,
            HeldState::Held if !is_needed => continue,
            state => state == HeldState::Lent,
        };
        let number = cpus.thread();
        let sample = ThreadSample::after(before.get(&number), now_ns, blocked_call(number), runnable_ns(number));
        let step = sample.step(is_lent);
        match step {
            Step::Lend => cpus.lend(runtime),
            Step::TakeBack => cpus.take_back(runtime),
            Step::Watch => {}
        }
        changes |= step != Step::Watch;
        any_new |=
            !is_lent && sample.same_since_ns == now_ns && sample.call.as_ref().is_some_and(|call| call.awaits_threads);
        any_lent |= if step == Step::Watch { is_lent } else { step == Step::Lend };
        watch.seen.insert(number, sample);
    }
    watch.any_lent = any_lent;
    // Of a thread that has just blocked, the second look is soon; but not each look, where threads block all the time.
    watch.is_second_look = any_new && !watch.is_second_look;
    if watch.is_second_look {
        return CHECK_INTERVAL;
    }
    let max = if any_lent { CHECK_INTERVAL_LENT } else { CHECK_INTERVAL_MAX };
    watch.interval = if changes { CHECK_INTERVAL } else { (2 * watch.interval).min(max) };
    watch.interval
}

impl ThreadSample {
    /// What is seen now, after what was seen `earlier`.
    fn after(
        earlier: Option<&ThreadSample>,
        at_ns: u64,
        call: Option<BlockedCall>,
        runnable_ns: Option<u64>,
    ) -> ThreadSample {
        let Some(earlier) = earlier else {
            return ThreadSample {
                at_ns,
                call,
                same_since_ns: at_ns,
                runnable_ns,
                is_busy: true,
                idle_since_ns: at_ns,
            };
        };
        let is_same = call.is_some() && call == earlier.call;
        let is_busy = match (earlier.runnable_ns, runnable_ns) {
            (Some(before), Some(now)) => now.saturating_sub(before) * BUSY_PART >= at_ns - earlier.at_ns,
            _ => !is_same,
        };
        let same_since_ns = if is_same { earlier.same_since_ns } else { at_ns };
        let idle_since_ns = if is_busy { at_ns } else { earlier.idle_since_ns };
        ThreadSample { at_ns, call, same_since_ns, runnable_ns, is_busy, idle_since_ns }
    }

    /// What to do about the thread, whose CPUs are lent, or not.
    fn step(&self, is_lent: bool) -> Step {
        let lasts = |since_ns: u64, enough: Duration| Duration::from_nanos(self.at_ns - since_ns) >= enough;
        match &self.call {
            _ if is_lent && self.is_busy => Step::TakeBack,
            Some(call) if !is_lent => {
                let awaits_threads = call.awaits_threads && lasts(self.same_since_ns, BLOCKED_FOR_THREADS);
                let is_own_sleep = call.is_sleep && lasts(self.same_since_ns, IDLE);
                let is_idle = lasts(self.idle_since_ns, IDLE) && !is_own_sleep;
                if awaits_threads || is_idle { Step::Lend } else { Step::Watch }
            }
            _ => Step::Watch,
        }
    }
}

/// True if work of this host could use CPUs that are held.
fn work_waits_for_cpus(runtime: &Runtime) -> bool {
    let (workers, resources) = (&runtime.workers, &runtime.resources);
    workers.queues.pending_count() > 0
        || workers.waiting_for_cpu.load(Ordering::Relaxed) > 0
        || resources.table.has_waiters()
        || resources.has_pending_groups()
        || (workers.has_work() && resources.table.free_cpu() < UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn call(awaits_threads: bool) -> Option<BlockedCall> {
        Some(BlockedCall::for_test(awaits_threads))
    }

    /// The steps of checks of a thread that was seen at these times (ms), in that call, after so long a run (ms).
    fn steps(seen: &[(u64, Option<BlockedCall>, Option<u64>)]) -> Vec<Step> {
        let (mut is_lent, mut earlier) = (false, None);
        let mut steps = Vec::new();
        for (at, call, run) in seen {
            let sample = ThreadSample::after(earlier.as_ref(), at * MS, call.clone(), run.map(|run| run * MS));
            let step = sample.step(is_lent);
            match step {
                Step::Lend => is_lent = true,
                Step::TakeBack => is_lent = false,
                Step::Watch => {}
            }
            earlier = Some(sample);
            steps.push(step);
        }
        steps
    }

    #[test]
    fn cpus_of_a_sleep_are_kept_and_those_of_short_sleeps_are_lent() {
        let sleep = |number| Some(BlockedCall::sleep_for_test(number));
        let long = steps(&[(0, sleep(1), Some(1)), (200, sleep(1), Some(1)), (400, sleep(1), Some(1))]);
        assert_eq!(long, [Step::Watch, Step::Watch, Step::Watch]);
        let short = steps(&[(0, sleep(1), Some(1)), (200, sleep(2), Some(2)), (400, sleep(3), Some(3))]);
        assert_eq!(short, [Step::Watch, Step::Watch, Step::Lend]);
        // Where its time is known in clock ticks only, it runs for less than one.
        let ticks = steps(&[(0, sleep(1), Some(10)), (200, sleep(2), Some(10)), (400, sleep(3), Some(10))]);
        assert_eq!(ticks, [Step::Watch, Step::Watch, Step::Lend]);
    }

    #[test]
    fn cpus_are_lent_while_a_thread_waits_for_threads_and_taken_back_when_it_runs() {
        for known in [true, false] {
            let run = |ms: u64| known.then_some(ms);
            let seen = [
                (0, None, run(1)),
                (5, call(true), run(6)),
                (10, call(true), run(6)),
                (20, call(true), run(6)),
                (30, None, run(15)),
                (35, None, run(20)),
            ];
            let expected = [Step::Watch, Step::Watch, Step::Lend, Step::Watch, Step::TakeBack, Step::Watch];
            assert_eq!(steps(&seen), expected, "{known}");
        }
    }

    #[test]
    fn cpus_of_a_thread_that_sleeps_are_lent_later() {
        let seen = [(0, call(false), None), (200, call(false), None), (260, call(false), None), (270, None, None)];
        assert_eq!(steps(&seen), [Step::Watch, Step::Watch, Step::Lend, Step::TakeBack]);
    }

    #[test]
    fn thread_that_asks_again_and_again_keeps_nothing_and_one_that_computes_does() {
        let asks: Vec<_> =
            (0..40).map(|at| (at * 10, if at % 3 == 1 { None } else { call(false) }, Some(1 + at))).collect();
        let steps_of_asks = steps(&asks);
        assert_eq!(steps_of_asks.iter().filter(|step| **step != Step::Watch).collect::<Vec<_>>(), [&Step::Lend]);
        let computes: Vec<_> = (0..40).map(|at| (at * 10, call(false), Some(1 + at * 9))).collect();
        assert!(steps(&computes).iter().all(|step| *step == Step::Watch));
    }
}
