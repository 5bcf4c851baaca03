//! A queue of work: the newest is taken at one end, the oldest at the other, and a certain task wherever it is.
//!
//! A task that a waiting thread runs in place must leave its queue: else its memory, and that of all such tasks, stays
//! until a worker's loop comes to the entry, which may be when a task that waits for a million others has ended. So
//! each task knows its position, and a lock is held for the few instructions of each step.

use crate::base::spin_lock::SpinLock;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::registry::Runnable;
use crate::runtime::workers::queues::Work;
use std::sync::Arc;

/// Units of work that are moved to another queue at once, at most.
const MOVED_MAX: usize = 8;

/// A queue of work.
#[derive(Default)]
pub struct TaskQueue {
    /// How many units of work it holds; written by who holds the lock.
    count: AtomicUsize,
    entries: SpinLock<Entries>,
}

/// The entries, by their positions, from `first` to before `end`. Those that were taken from between others are empty;
/// the first and the last never are.
struct Entries {
    /// As many as a power of two; the entry of a position is where its lowest bits say.
    ring: Box<[Option<Work>]>,
    first: u32,
    end: u32,
}

/// Entries at the start.
const ENTRIES_MIN: usize = 64;

impl Default for Entries {
    fn default() -> Entries {
        Entries { ring: empty(ENTRIES_MIN), first: 0, end: 0 }
    }
}

fn empty(entries: usize) -> Box<[Option<Work>]> {
    (0..entries).map(|_| None).collect()
}

impl Entries {
    #[inline]
    fn entry(&mut self, position: u32) -> &mut Option<Work> {
        let mask = self.ring.len() - 1;
        &mut self.ring[position as usize & mask]
    }

    #[inline(always)]
    fn push(&mut self, work: Work) {
        if self.end.wrapping_sub(self.first) as usize == self.ring.len() {
            self.grow();
        }
        let end = self.end;
        if let Work::Task(task) = &work {
            task.header().position.store(end, Ordering::Relaxed);
        }
        // It is empty: there is nothing to drop.
        std::mem::forget(self.entry(end).replace(work));
        self.end = end.wrapping_add(1);
    }

    /// Closes the gaps of entries that were taken from between others; doubles the ring if it is still half full.
    #[cold]
    fn grow(&mut self) {
        let held = self.ring.iter().filter(|entry| entry.is_some()).count();
        let entries = if 2 * held < self.ring.len() { self.ring.len() } else { 2 * self.ring.len() };
        let mut grown = Entries { ring: empty(entries), first: self.first, end: self.first };
        let mut position = self.first;
        while position != self.end {
            if let Some(work) = self.entry(position).take() {
                grown.push(work);
            }
            position = position.wrapping_add(1);
        }
        *self = grown;
    }

    #[inline]
    fn pop_newest(&mut self) -> Option<Work> {
        if self.end == self.first {
            return None;
        }
        self.end = self.end.wrapping_sub(1);
        let work = self.entry(self.end).take();
        self.trim_newest();
        work
    }

    #[inline]
    fn pop_oldest(&mut self) -> Option<Work> {
        if self.end == self.first {
            return None;
        }
        let work = self.entry(self.first).take();
        self.first = self.first.wrapping_add(1);
        self.trim_oldest();
        work
    }

    #[inline]
    fn take(&mut self, task: &Arc<dyn Runnable>) -> Option<Work> {
        let position = task.header().position.load(Ordering::Relaxed);
        // If the task is not here, another one may have that position, or none.
        if position.wrapping_sub(self.first) >= self.end.wrapping_sub(self.first) {
            return None;
        }
        let entry = self.entry(position);
        let taken = entry.take_if(|work| matches!(work, Work::Task(queued) if Arc::ptr_eq(queued, task)))?;
        if position.wrapping_add(1) == self.end {
            self.end = position;
            self.trim_newest();
        } else if position == self.first {
            self.first = position.wrapping_add(1);
            self.trim_oldest();
        }
        Some(taken)
    }

    /// What is the last entry now may be empty.
    #[inline]
    fn trim_newest(&mut self) {
        while self.end != self.first && self.entry(self.end.wrapping_sub(1)).is_none() {
            self.end = self.end.wrapping_sub(1);
        }
    }

    /// What is the first entry now may be empty.
    #[inline]
    fn trim_oldest(&mut self) {
        while self.first != self.end && self.entry(self.first).is_none() {
            self.first = self.first.wrapping_add(1);
        }
    }
}

impl TaskQueue {
    /// Adds work as the newest.
    #[inline]
    pub fn push(&self, work: Work) {
        let mut entries = self.entries.lock();
        entries.push(work);
        self.add(1);
    }

    /// Changes the count; the caller holds the lock.
    #[inline]
    fn add(&self, change: isize) {
        self.count.store(self.count.load(Ordering::Relaxed).wrapping_add_signed(change), Ordering::Relaxed);
    }

    /// Takes the newest work.
    #[inline]
    pub fn pop_newest(&self) -> Option<Work> {
        if self.is_empty() {
            return None;
        }
        let mut entries = self.entries.lock();
        let work = entries.pop_newest()?;
        self.add(-1);
        Some(work)
    }

    /// Takes the oldest work.
    pub fn pop_oldest(&self) -> Option<Work> {
        if self.is_empty() {
            return None;
        }
        let mut entries = self.entries.lock();
        let work = entries.pop_oldest()?;
        self.add(-1);
        Some(work)
    }

    /// Takes the task out, if it is here.
    #[inline]
    pub fn take(&self, task: &Arc<dyn Runnable>) -> Option<Work> {
        let mut entries = self.entries.lock();
        let taken = entries.take(task)?;
        self.add(-1);
        Some(taken)
    }

    /// Takes the oldest work, and moves some of the next to `to`, whose newest is then the oldest of them: half of what
    /// is here, a few at most.
    pub fn pop_oldest_and_move(&self, to: &TaskQueue) -> Option<Work> {
        if self.is_empty() {
            return None;
        }
        let mut moved: [Option<Work>; MOVED_MAX] = Default::default();
        let mut entries = self.entries.lock();
        let count = self.len().div_ceil(2).min(MOVED_MAX);
        moved[..count].iter_mut().for_each(|work| *work = entries.pop_oldest());
        self.add(-(count as isize));
        drop(entries);
        let [oldest, rest @ ..] = moved;
        if count > 1 {
            let mut entries = to.entries.lock();
            rest.into_iter().rev().flatten().for_each(|work| entries.push(work));
            to.add(count as isize - 1);
        }
        oldest
    }

    /// How much work it holds.
    #[inline]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns true if it holds none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::runtime::tasks::tests::task;

    fn queue_of(tasks: &[Arc<dyn Runnable>]) -> TaskQueue {
        let queue = TaskQueue::default();
        tasks.iter().for_each(|task| queue.push(Work::Task(task.clone())));
        queue
    }

    fn is(work: Option<Work>, task: &Arc<dyn Runnable>) -> bool {
        matches!(work, Some(Work::Task(taken)) if Arc::ptr_eq(&taken, task))
    }

    #[test]
    fn task_is_taken_wherever_it_is_and_its_memory_with_it() {
        let tasks: Vec<Arc<dyn Runnable>> = (0..6).map(|_| task()).collect();
        let queue = queue_of(&tasks);
        for taken in [2, 3, 0, 5] {
            assert!(is(queue.take(&tasks[taken]), &tasks[taken]));
            assert!(queue.take(&tasks[taken]).is_none(), "it was taken");
            assert_eq!(Arc::strong_count(&tasks[taken]), 1);
        }
        assert_eq!(queue.len(), 2);
        queue.push(Work::Task(tasks[0].clone()));
        assert!(is(queue.pop_oldest(), &tasks[1]));
        assert!(is(queue.take(&tasks[0]), &tasks[0]), "it has another position now");
        assert!(is(queue.pop_newest(), &tasks[4]));
        assert!(queue.is_empty() && queue.pop_newest().is_none() && queue.pop_oldest().is_none());
        assert!(queue.entries.lock().ring.iter().all(Option::is_none), "nothing is left of those that were taken");
    }

    #[test]
    fn ring_stays_small_while_tasks_are_taken_from_behind_one_that_stays() {
        let (oldest, before) = (task(), task());
        let queue = queue_of(&[oldest.clone(), before.clone()]);
        let mut before = before;
        for _ in 0..10_000 {
            let next = task();
            queue.push(Work::Task(next.clone()));
            assert!(is(queue.take(&before), &before));
            before = next;
        }
        assert_eq!((queue.len(), queue.entries.lock().ring.len()), (2, ENTRIES_MIN));
        assert!(is(queue.pop_oldest(), &oldest) && is(queue.take(&before), &before) && queue.is_empty());
    }

    #[test]
    fn entry_of_another_queue_is_not_taken() {
        let tasks: Vec<Arc<dyn Runnable>> = (0..3).map(|_| task()).collect();
        let (queue, other) = (queue_of(&tasks[..2]), queue_of(&tasks[2..]));
        assert!(queue.take(&tasks[2]).is_none() && other.take(&tasks[0]).is_none());
        assert_eq!((queue.len(), other.len()), (2, 1));
    }

    #[test]
    fn half_is_moved_and_the_oldest_comes_first() {
        let tasks: Vec<Arc<dyn Runnable>> = (0..9).map(|_| task()).collect();
        let (queue, own) = (queue_of(&tasks), TaskQueue::default());
        assert!(is(queue.pop_oldest_and_move(&own), &tasks[0]));
        assert_eq!((queue.len(), own.len()), (4, 4));
        for next in &tasks[1..5] {
            assert!(is(own.pop_newest(), next));
        }
        assert!(is(queue.pop_oldest(), &tasks[5]));
        assert!(queue.take(&tasks[1]).is_none());
    }

    #[test]
    fn threads_take_each_task_once() {
        let tasks: Vec<Arc<dyn Runnable>> = (0..1_000).map(|_| task()).collect();
        let queue = queue_of(&tasks);
        let taken = AtomicUsize::new(0);
        let count = |work: Option<Work>| taken.fetch_add(usize::from(work.is_some()), Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tasks.iter().for_each(|task| {
                    count(queue.take(task));
                })
            });
            scope.spawn(|| {
                (0..400).for_each(|_| {
                    count(queue.pop_oldest());
                })
            });
            scope.spawn(|| {
                (0..400).for_each(|_| {
                    count(queue.pop_newest());
                })
            });
        });
        assert_eq!(taken.into_inner() + queue.len(), 1_000);
        drop(queue);
        assert!(tasks.iter().all(|task| Arc::strong_count(task) == 1));
    }
}
