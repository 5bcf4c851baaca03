//! The simulated clock, and the events that move it forward.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Events by the time at which they happen; those of one time in the order in which they were pushed.
pub struct EventQueue<E> {
    now_ns: u64,
    pushed: u64,
    entries: BinaryHeap<Entry<E>>,
}

struct Entry<E> {
    at_ns: u64,
    sequence: u64,
    event: E,
}

impl<E> EventQueue<E> {
    /// An empty queue, at time 0.
    pub fn new() -> EventQueue<E> {
        EventQueue { now_ns: 0, pushed: 0, entries: BinaryHeap::new() }
    }

    /// The time of the event that was popped last.
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// How many events are pending.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an event; one whose time has passed happens now.
    pub fn push(&mut self, at_ns: u64, event: E) {
        self.pushed += 1;
        self.entries.push(Entry { at_ns: at_ns.max(self.now_ns), sequence: self.pushed, event });
    }

    /// The next event; the clock shows its time from then on.
    pub fn pop(&mut self) -> Option<E> {
        let entry = self.entries.pop()?;
        self.now_ns = entry.at_ns;
        Some(entry.event)
    }

    /// Removes all pending events.
    pub fn clear(&mut self) -> Vec<E> {
        std::mem::take(&mut self.entries).into_iter().map(|entry| entry.event).collect()
    }
}

impl<E> Ord for Entry<E> {
    /// The heap pops the largest entry: that is the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ns, other.sequence).cmp(&(self.at_ns, self.sequence))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_pop_by_time_and_then_in_the_order_pushed() {
        let mut queue = EventQueue::new();
        for (at_ns, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            queue.push(at_ns, event);
        }
        assert_eq!((queue.pop(), queue.now_ns()), (Some('a'), 1));
        queue.push(0, 'x');
        assert_eq!((queue.pop(), queue.now_ns()), (Some('x'), 1), "what would be past happens now");
        let remaining: String = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!((remaining.as_str(), queue.now_ns(), queue.len()), ("bcd", 5, 0));
    }
}
