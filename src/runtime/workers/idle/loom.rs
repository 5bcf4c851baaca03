//! Loom models: workers that go to sleep against threads that add work, in every order.

use super::*;
use crate::base::sync::{AtomicUsize, explore, thread};
use std::sync::Arc;

/// What a worker does that found nothing; returns when there is work.
fn sleep(idle: &IdleWorkers, index: usize, work: &AtomicUsize) {
    idle.announce(index);
    if work.load(Ordering::Relaxed) == 0 {
        thread::park();
    }
    idle.withdraw(index);
}

#[test]
fn new_work_wakes_a_worker_or_is_seen_by_its_last_check() {
    explore(4, || {
        let (idle, work) = (Arc::new(IdleWorkers::new()), Arc::new(AtomicUsize::new(0)));
        let worker = thread::spawn({
            let (idle, work) = (idle.clone(), work.clone());
            move || sleep(&idle, 0, &work)
        });
        work.store(1, Ordering::Relaxed);
        if idle.wake_one().is_some() {
            worker.thread().unpark();
        }
        worker.join().unwrap();
        assert!(!idle.any());
    });
}

#[test]
fn sleeping_worker_is_found_while_another_goes_to_sleep() {
    explore(3, || {
        let (idle, woken) = (Arc::new(IdleWorkers::new()), Arc::new(AtomicUsize::new(0)));
        idle.announce(1);
        let announcing = thread::spawn({
            let idle = idle.clone();
            move || idle.announce(0)
        });
        let waking = thread::spawn({
            let (idle, woken) = (idle.clone(), woken.clone());
            move || woken.store(idle.wake_one().map_or(0, |index| 1 << index), Ordering::Relaxed)
        });
        let mine = idle.wake_one().map_or(0, |index| 1 << index);
        announcing.join().unwrap();
        waking.join().unwrap();
        let theirs = woken.load(Ordering::Relaxed);
        assert_eq!(mine & theirs, 0, "one worker was woken twice");
        assert!((mine | theirs) & 2 != 0, "a worker slept all the time, and one of two threads did not find it");
        assert_eq!(idle.any(), mine | theirs != 3);
    });
}
