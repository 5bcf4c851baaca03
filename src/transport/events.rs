//! Ends of reads and of links that were found outside of a poll, until a poll delivers them.

use super::{Deliver, TransportEvent};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use std::collections::VecDeque;
use std::sync::Mutex;

/// What threads leave for the poller, oldest first. Any thread may add to it.
pub struct PollerQueue<T> {
    items: Mutex<VecDeque<T>>,
    /// The length of `items`. Changed under their lock.
    count: AtomicUsize,
}

/// Events of a transport other than messages.
pub type TransportEvents = PollerQueue<TransportEvent<'static>>;

impl<T> Default for PollerQueue<T> {
    fn default() -> PollerQueue<T> {
        PollerQueue { items: Mutex::default(), count: AtomicUsize::new(0) }
    }
}

impl<T> PollerQueue<T> {
    /// Adds an item.
    pub fn push(&self, item: T) {
        let mut items = lock(&self.items);
        items.push_back(item);
        // SeqCst: pairs with the load in `len`, for a thread that looks here before it sleeps.
        self.count.store(items.len(), Ordering::SeqCst);
    }

    /// The number of items, read without the lock.
    #[inline]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Takes the oldest item. Takes no lock where there is none.
    pub fn pop(&self) -> Option<T> {
        if self.len() == 0 {
            return None;
        }
        let mut items = lock(&self.items);
        let item = items.pop_front();
        self.count.store(items.len(), Ordering::SeqCst);
        item
    }
}

impl TransportEvents {
    /// Delivers at most `most` events; returns how many. Holds no lock while it delivers.
    #[inline]
    pub fn deliver(&self, most: usize, deliver: Deliver<'_>) -> usize {
        if self.len() == 0 { 0 } else { self.deliver_some(most, deliver) }
    }

    fn deliver_some(&self, most: usize, deliver: Deliver<'_>) -> usize {
        let mut delivered = 0;
        while delivered < most
            && let Some(event) = self.pop()
        {
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
        let queue = TransportEvents::default();
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
