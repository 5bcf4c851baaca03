//! Workers that go to sleep against threads that make work, in every order.

use super::*;
use crate::base::sync::{AtomicUsize, explore, thread};
use std::sync::Arc;

/// What a worker does that found nothing; then there is work.
fn rest(idle: &Idle, index: usize, work: &AtomicUsize) {
    idle.announce(index);
    if work.load(Ordering::Relaxed) == 0 {
        thread::park();
    }
    idle.withdraw(index);
}

#[test]
fn work_wakes_a_worker_or_is_seen_by_its_last_look() {
    explore(4, || {
        let (idle, work) = (Arc::new(Idle::new()), Arc::new(AtomicUsize::new(0)));
        let worker = thread::spawn({
            let (idle, work) = (idle.clone(), work.clone());
            move || rest(&idle, 0, &work)
        });
        work.store(1, Ordering::Relaxed);
        if idle.rouse().is_some() {
            worker.thread().unpark();
        }
        worker.join().unwrap();
        assert!(!idle.any());
    });
}

#[test]
fn a_sleeper_is_found_while_another_lies_down() {
    explore(3, || {
        let (idle, roused) = (Arc::new(Idle::new()), Arc::new(AtomicUsize::new(0)));
        idle.announce(1);
        let lying_down = thread::spawn({
            let idle = idle.clone();
            move || idle.announce(0)
        });
        let rousing = thread::spawn({
            let (idle, roused) = (idle.clone(), roused.clone());
            move || roused.store(idle.rouse().map_or(0, |index| 1 << index), Ordering::Relaxed)
        });
        let mine = idle.rouse().map_or(0, |index| 1 << index);
        lying_down.join().unwrap();
        rousing.join().unwrap();
        let theirs = roused.load(Ordering::Relaxed);
        assert_eq!(mine & theirs, 0, "one worker was roused twice");
        assert!((mine | theirs) & 2 != 0, "there was a sleeper all the time, and one of two did not find it");
        assert_eq!(idle.any(), mine | theirs != 3);
    });
}
