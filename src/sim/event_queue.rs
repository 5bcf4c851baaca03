//! The simulated clock, and the events that move it forward.

use std::collections::BTreeMap;

/// Events by the time at which they happen; those of one time in the order in which they were pushed.
pub struct EventQueue<E> {
    now_ns: u64,
    pushed: u64,
    /// By time and number.
    entries: BTreeMap<(u64, u64), E>,
}

impl<E> EventQueue<E> {
    /// An empty queue, at time 0.
    pub fn new() -> EventQueue<E> {
        EventQueue { now_ns: 0, pushed: 0, entries: BTreeMap::new() }
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
        self.entries.insert((at_ns.max(self.now_ns), self.pushed), event);
    }

    /// The next event; the clock shows its time from then on.
    pub fn pop(&mut self) -> Option<E> {
        let ((at_ns, _), event) = self.entries.pop_first()?;
        self.now_ns = at_ns;
        Some(event)
    }

    /// Removes all pending events.
    pub fn clear(&mut self) -> impl Sized + use<E> {
        std::mem::take(&mut self.entries)
    }
}

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
