//! The bell on a model's atomics: what stands for the kernel, and models of sleeping and ringing.
//!
//! S1 and S2 are not fenced in the code: that a store becomes visible within the first sleep is a matter of time, which no
//! checker of orders knows. The fence between them in these models stands for that time; all else is the code's own.

use super::Bell;
use crate::base::sync::{Ordering, thread};
use loom::sync::{Condvar, Mutex};
use std::time::Duration;

/// Where sleepers lie: the kernel compares and queues under a lock that a wake takes too.
#[derive(Default)]
pub(super) struct Bed {
    queue: Mutex<()>,
    woken: Condvar,
}

impl Bell {
    /// A sleep with an end of its own may be over at once; one without waits for a wake.
    pub(super) fn wait(&self, seen: u32, timeout: Option<Duration>) {
        if timeout.is_some() {
            return thread::yield_now();
        }
        let words = self.words();
        let queue = words.bed.queue.lock().unwrap();
        if words.rung.load(Ordering::Relaxed) == seen {
            drop(words.bed.woken.wait(queue).unwrap());
        }
    }

    pub(super) fn wake(&self) {
        let words = self.words();
        let queue = words.bed.queue.lock().unwrap();
        words.bed.woken.notify_all();
        drop(queue);
    }
}

#[cfg(test)]
mod models {
    use super::*;
    use crate::base::sync::{AtomicU32, explore, fence};
    use std::sync::Arc;

    /// Publishes one more and notifies, the store visible by then.
    fn send(bell: &Bell, published: &AtomicU32) {
        published.fetch_add(1, Ordering::Release);
        fence(Ordering::SeqCst);
        bell.notify();
    }

    /// Takes `count` messages, asleep whenever there is none.
    fn receive(bell: &Bell, published: &AtomicU32, count: u32) {
        while published.load(Ordering::Acquire) < count {
            bell.lie_down();
            let seen = bell.rung();
            if published.load(Ordering::Acquire) < count {
                bell.sleep(seen, None);
            }
        }
        bell.look();
    }

    #[test]
    fn no_wake_up_is_lost() {
        explore(4, || {
            let (bell, published) = (Arc::new(Bell::private()), Arc::new(AtomicU32::new(0)));
            let sending = thread::spawn({
                let (bell, published) = (bell.clone(), published.clone());
                move || send(&bell, &published)
            });
            receive(&bell, &published, 1);
            sending.join().unwrap();
        });
    }

    #[test]
    fn two_senders_and_none_is_lost() {
        explore(2, || {
            let (bell, published) = (Arc::new(Bell::private()), Arc::new(AtomicU32::new(0)));
            let sending = [(); 2].map(|()| {
                let (bell, published) = (bell.clone(), published.clone());
                thread::spawn(move || send(&bell, &published))
            });
            receive(&bell, &published, 2);
            sending.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    #[test]
    fn who_watches_is_woken_when_somebody_looks_again() {
        explore(3, || {
            let bell = Arc::new(Bell::private());
            bell.lie_down();
            let watching = thread::spawn({
                let bell = bell.clone();
                move || {
                    let seen = bell.rung();
                    if bell.is_asleep() {
                        bell.sleep(seen, None);
                    }
                }
            });
            bell.look();
            watching.join().unwrap();
        });
    }
}
