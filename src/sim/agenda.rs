//! What happens when: the simulated clock, and the events that it is moved on by.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Events by the time at which they happen; those of one time in the order in which they were noted.
pub struct Agenda<E> {
    now_ns: u64,
    noted: u64,
    entries: BinaryHeap<Entry<E>>,
}

struct Entry<E> {
    at_ns: u64,
    place: u64,
    event: E,
}

impl<E> Agenda<E> {
    /// Nothing noted, at time 0.
    pub fn new() -> Agenda<E> {
        Agenda { now_ns: 0, noted: 0, entries: BinaryHeap::new() }
    }

    /// The time of the event that was taken last.
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// How many events are to come.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Notes an event; what would lie in the past happens now.
    pub fn note(&mut self, at_ns: u64, event: E) {
        self.noted += 1;
        self.entries.push(Entry { at_ns: at_ns.max(self.now_ns), place: self.noted, event });
    }

    /// The next event; the clock shows its time from then on.
    pub fn next(&mut self) -> Option<E> {
        let entry = self.entries.pop()?;
        self.now_ns = entry.at_ns;
        Some(entry.event)
    }

    /// Forgets everything that was to come.
    pub fn clear(&mut self) -> Vec<E> {
        std::mem::take(&mut self.entries).into_iter().map(|entry| entry.event).collect()
    }
}

impl<E> Ord for Entry<E> {
    /// The heap hands out the largest: the earliest is that.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ns, other.place).cmp(&(self.at_ns, self.place))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_in_the_order_noted() {
        let mut agenda = Agenda::new();
        for (at_ns, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            agenda.note(at_ns, event);
        }
        assert_eq!((agenda.next(), agenda.now_ns()), (Some('a'), 1));
        agenda.note(0, 'x');
        assert_eq!((agenda.next(), agenda.now_ns()), (Some('x'), 1), "what would be past happens now");
        let rest: String = std::iter::from_fn(|| agenda.next()).collect();
        assert_eq!((rest.as_str(), agenda.now_ns(), agenda.len()), ("bcd", 5, 0));
    }
}
