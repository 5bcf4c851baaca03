//! Loom models: waits of threads and of fibers against the threads that end them, in every order.

use super::*;
use crate::base::sync::explore;

#[test]
fn thread_wakes_once_all_it_waits_for_is_complete() {
    explore(3, || {
        let event = WaitEvent::of_thread(2);
        let traces: [Arc<AtomicUsize>; 2] = std::array::from_fn(|_| Arc::default());
        let completing = traces.clone().map(|trace| {
            let event = event.clone();
            thread::spawn(move || {
                trace.store(1, Ordering::Relaxed);
                event.notify();
            })
        });
        while event.try_sleep() || !event.fired() {
            thread::park();
        }
        for trace in &traces {
            assert_eq!(trace.load(Ordering::Relaxed), 1, "woken before all was complete, or without seeing it");
        }
        completing.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn fiber_is_resumed_once_and_only_after_it_has_stopped() {
    explore(3, || {
        let resumed = Arc::new(AtomicUsize::new(0));
        let event = WaitEvent::new(1, Sleeper::Model(resumed.clone()));
        let ready = thread::spawn({
            let event = event.clone();
            move || event.notify()
        });
        let late = thread::spawn({
            let event = event.clone();
            // One completion more than it waits for, and its deadline.
            move || {
                event.clone().notify();
                event.fire();
            }
        });
        let stopped = event.try_sleep();
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
