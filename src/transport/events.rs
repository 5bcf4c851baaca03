//! Ends of reads and of links that were found outside of a poll, until a poll delivers them.

use super::TransportEvent;
use crate::base::sync::{AtomicUsize, Ordering, lock};
use std::collections::VecDeque;
use std::sync::Mutex;

/// Events of a transport other than messages, oldest first. Any thread may add one.
#[derive(Default)]
pub struct EventQueue {
    events: Mutex<VecDeque<TransportEvent<'static>>>,
    /// The length of `events`. Changed under its lock.
    count: AtomicUsize,
}

impl EventQueue {
    /// Adds an event.
    pub fn push(&self, event: TransportEvent<'static>) {
        let mut events = lock(&self.events);
        events.push_back(event);
        // SeqCst: pairs with the load in `len`, for a thread that looks here before it sleeps.
        self.count.store(events.len(), Ordering::SeqCst);
    }

    /// The number of events, read without the lock.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Delivers at most `most` events; returns how many. Holds no lock while it delivers.
    pub fn deliver(&self, most: usize, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        let mut delivered = 0;
        while delivered < most && self.len() > 0 {
            let mut events = lock(&self.events);
            let Some(event) = events.pop_front() else { break };
            self.count.store(events.len(), Ordering::SeqCst);
            drop(events);
            deliver(event);
            delivered += 1;
        }
        delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_delivered_in_order_and_no_more_than_asked_for() {
        let queue = EventQueue::default();
        (0..3).for_each(|peer| queue.push(TransportEvent::LinkDown { peer, reason: String::new() }));
        let mut seen = Vec::new();
        for expected in [2, 1, 0] {
            let delivered = queue.deliver(2, &mut |event| match event {
                TransportEvent::LinkDown { peer, .. } => seen.push(peer),
                _ => panic!("another event"),
            });
            assert_eq!(delivered, expected);
        }
        assert_eq!((seen, queue.len()), (vec![0, 1, 2], 0));
    }
}
