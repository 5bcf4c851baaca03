//! Loom model: two messages of one thread, one after the other, while others push theirs and what is queued.

use super::*;
use crate::base::spin_lock::SpinLock;
use crate::base::sync::{explore, thread};
use std::collections::VecDeque;
use std::sync::Arc;

/// One peer's ring of some places, its outbox, and the way between.
struct Model {
    direct: DirectSends,
    outbox: SpinLock<VecDeque<u32>>,
    ring: SpinLock<Vec<u32>>,
    /// Places of the ring that are free.
    free: SpinLock<usize>,
}

impl Model {
    fn push(&self, message: u32) -> bool {
        let mut ring = self.ring.lock();
        let mut free = self.free.lock();
        let has_space = *free > 0;
        if has_space {
            *free -= 1;
            ring.push(message);
        }
        has_space
    }

    fn send(&self, message: u32) {
        if self.direct.allowed() && self.push(message) {
            return;
        }
        let mut outbox = self.outbox.lock();
        if !(outbox.is_empty() && self.push(message)) {
            outbox.push_back(message);
            self.direct.forbid();
        }
    }

    fn flush(&self) {
        let mut outbox = self.outbox.lock();
        while let Some(message) = outbox.front() {
            if !self.push(*message) {
                return;
            }
            outbox.pop_front();
        }
        self.direct.allow();
    }
}

#[test]
fn messages_of_one_thread_stay_in_order_and_none_is_lost() {
    explore(3, || {
        let model = Arc::new(Model {
            direct: DirectSends::default(),
            outbox: SpinLock::default(),
            ring: SpinLock::default(),
            free: SpinLock::new(0),
        });
        let sending = thread::spawn({
            let model = model.clone();
            move || {
                model.send(1);
                model.send(2);
            }
        });
        // The peer reads, so that there is space; the poller pushes what is queued.
        *model.free.lock() += 3;
        model.flush();
        model.send(7);
        sending.join().unwrap();
        model.flush();
        let ring = model.ring.lock();
        assert_eq!(ring.len(), 3);
        let at = |message| ring.iter().position(|found| *found == message).unwrap();
        assert!(at(1) < at(2));
    });
}
