//! Completion against completion, against waiters and against readers, in every order.

use super::*;
use crate::base::sync::{AtomicUsize, explore, thread};

/// Counts how often it is told, and looks at once whether the outcome is there.
struct Witness {
    cell: Arc<Cell<Box<u32>>>,
    told: AtomicUsize,
}

impl Witness {
    fn of(cell: &Arc<Cell<Box<u32>>>) -> Arc<Witness> {
        Arc::new(Witness { cell: cell.clone(), told: AtomicUsize::new(0) })
    }

    fn told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }
}

impl Waiter for Witness {
    fn ready(self: Arc<Self>) {
        assert!(self.cell.value().is_some_and(|value| **value == 7), "told of a value that is not there");
        self.told.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn two_completions_and_a_reader() {
    explore(3, || {
        let cell = Arc::new(Cell::<Box<u32>>::default());
        let completing = thread::spawn({
            let cell = cell.clone();
            move || cell.complete(Box::new(7)).is_ok()
        });
        let failing = thread::spawn({
            let cell = cell.clone();
            move || cell.core().fail(Arc::new(Error::config("failed")))
        });
        let early = (cell.value().map(|value| **value), cell.core().failure());
        assert!(early.0.is_none_or(|value| value == 7) && !(early.0.is_some() && early.1.is_some()));
        let (completed, failed) = (completing.join().unwrap(), failing.join().unwrap());
        assert!(completed != failed, "one of the two wins");
        assert_eq!((cell.value().is_some(), cell.core().failure().is_some()), (completed, failed));
        assert!(early.0.is_none() || completed, "what was seen stands");
        assert!(early.1.is_none() || failed, "what was seen stands");
    });
}

#[test]
fn a_waiter_that_comes_during_completion_is_told_once() {
    explore(4, || {
        let cell = Arc::new(Cell::default());
        let waiters = [Witness::of(&cell), Witness::of(&cell)];
        let registering = waiters.clone().map(|waiter| {
            let cell = cell.clone();
            thread::spawn(move || cell.core().when_complete(waiter))
        });
        cell.complete(Box::new(7)).unwrap();
        registering.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(waiters.map(|waiter| waiter.told()), [1, 1]);
    });
}

#[test]
fn a_number_is_given_once() {
    explore(3, || {
        let cell = Arc::new(Cell::<Box<u32>>::default());
        let other = thread::spawn({
            let cell = cell.clone();
            move || cell.core().set_number(1)
        });
        let (mine, theirs) = (cell.core().set_number(2), other.join().unwrap());
        assert_eq!((mine, mine), (theirs, cell.core().number()));
    });
}
