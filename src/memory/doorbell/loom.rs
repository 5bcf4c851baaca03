//! The doorbell on loom's atomics: a stand-in for the kernel's futex, and models of sleeping and notifying.
//!
//! S1 and S2 are not fenced in the code: that a store becomes visible within the first sleep is a matter of time, which
//! a model checker does not know. The fence between them in these models stands for that time; all else is the code's
//! own.

use super::Doorbell;
use crate::base::sync::{Ordering, thread};
use loom::sync::{Condvar, Mutex};
use std::time::Duration;

/// The queue of sleepers: the kernel compares and queues under a lock that a wake takes too.
#[derive(Default)]
pub(super) struct WaitQueue {
    queue: Mutex<()>,
    woken: Condvar,
}

impl Doorbell {
    /// A sleep with a time-out may end at once; one without waits for a wake.
    pub(super) fn wait(&self, seen: u32, timeout: Option<Duration>) {
        if timeout.is_some() {
            return thread::yield_now();
        }
        let state = self.state();
        let queue = state.wait_queue.queue.lock().unwrap();
        if state.notified.load(Ordering::Relaxed) == seen {
            drop(state.wait_queue.woken.wait(queue).unwrap());
        }
    }

    pub(super) fn wake(&self) {
        let state = self.state();
        let queue = state.wait_queue.queue.lock().unwrap();
        state.wait_queue.woken.notify_all();
        drop(queue);
    }
}

#[cfg(test)]
mod models {
    use super::*;
    use crate::base::sync::{AtomicU32, explore, fence};
    use std::sync::Arc;

    /// Publishes one more message and notifies, when the store is visible.
    fn send(doorbell: &Doorbell, published: &AtomicU32) {
        published.fetch_add(1, Ordering::Release);
        fence(Ordering::SeqCst);
        doorbell.notify();
    }

    /// Takes `count` messages; sleeps whenever there is none.
    fn receive(doorbell: &Doorbell, published: &AtomicU32, count: u32) {
        while published.load(Ordering::Acquire) < count {
            doorbell.set_asleep();
            let seen = doorbell.notified();
            if published.load(Ordering::Acquire) < count {
                doorbell.sleep(seen, None);
            }
        }
        doorbell.set_awake();
    }

    #[test]
    fn one_sender_loses_no_wake_up() {
        explore(4, || {
            let (doorbell, published) = (Arc::new(Doorbell::private()), Arc::new(AtomicU32::new(0)));
            let sending = thread::spawn({
                let (doorbell, published) = (doorbell.clone(), published.clone());
                move || send(&doorbell, &published)
            });
            receive(&doorbell, &published, 1);
            sending.join().unwrap();
        });
    }

    #[test]
    fn two_senders_lose_no_wake_up() {
        explore(2, || {
            let (doorbell, published) = (Arc::new(Doorbell::private()), Arc::new(AtomicU32::new(0)));
            let sending = [(); 2].map(|()| {
                let (doorbell, published) = (doorbell.clone(), published.clone());
                thread::spawn(move || send(&doorbell, &published))
            });
            receive(&doorbell, &published, 2);
            sending.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    #[test]
    fn set_awake_wakes_the_thread_that_watches() {
        explore(3, || {
            let doorbell = Arc::new(Doorbell::private());
            doorbell.set_asleep();
            let watching = thread::spawn({
                let doorbell = doorbell.clone();
                move || {
                    let seen = doorbell.notified();
                    if doorbell.is_asleep() {
                        doorbell.sleep(seen, None);
                    }
                }
            });
            doorbell.set_awake();
            watching.join().unwrap();
        });
    }
}
