//! Waits of threads and of fibers against what ends them, in every order.

use super::*;
use crate::base::sync::explore;

#[test]
fn a_thread_wakes_when_all_it_waits_for_is_there() {
    explore(3, || {
        let event = Event::of_thread(2);
        let traces: [Arc<AtomicUsize>; 2] = std::array::from_fn(|_| Arc::default());
        let completing = traces.clone().map(|trace| {
            let event = event.clone();
            thread::spawn(move || {
                trace.store(1, Ordering::Relaxed);
                event.ready();
            })
        });
        while event.fall_asleep() || !event.fired() {
            thread::park();
        }
        for trace in &traces {
            assert_eq!(trace.load(Ordering::Relaxed), 1, "woken before it was all there, or without seeing it");
        }
        completing.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_fiber_is_resumed_once_and_only_when_it_has_stopped() {
    explore(3, || {
        let resumed = Arc::new(AtomicUsize::new(0));
        let event = Event::new(1, Sleeper::Model(resumed.clone()));
        let ready = thread::spawn({
            let event = event.clone();
            move || event.ready()
        });
        let late = thread::spawn({
            let event = event.clone();
            // More than it waits for, and its deadline.
            move || {
                event.clone().ready();
                event.fire();
            }
        });
        let stopped = event.fall_asleep();
        if !stopped {
            assert!(event.fired());
            assert_eq!(resumed.load(Ordering::Relaxed), 0, "resumed while it ran");
        }
        ready.join().unwrap();
        late.join().unwrap();
        assert!(event.fired());
        assert_eq!(resumed.load(Ordering::Relaxed), usize::from(stopped));
    });
}
