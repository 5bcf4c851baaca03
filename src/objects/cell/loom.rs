//! Completion against completion, against waiters and against readers, in every order.

use super::*;
use crate::base::sync::{AtomicUsize, explore, thread};

/// Counts how often it is told, and looks at once whether the outcome is there.
struct Witness {
    cell: Arc<Cell<Box<u32>>>,
    told: AtomicUsize,
    /// Waits no more.
    over: bool,
    key: Option<(usize, usize)>,
}

impl Witness {
    fn of(cell: &Arc<Cell<Box<u32>>>) -> Arc<Witness> {
        Arc::new(Witness { cell: cell.clone(), told: AtomicUsize::new(0), over: false, key: None })
    }

    fn over(cell: &Arc<Cell<Box<u32>>>) -> Arc<Witness> {
        Arc::new(Witness { cell: cell.clone(), told: AtomicUsize::new(0), over: true, key: None })
    }

    fn with_key(cell: &Arc<Cell<Box<u32>>>, key: usize) -> Arc<Witness> {
        Arc::new(Witness { cell: cell.clone(), told: AtomicUsize::new(0), over: false, key: Some((key, 0)) })
    }

    fn told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }
}

impl Waiter for Witness {
    fn ready(self: Arc<Self>) {
        let there = self.cell.value().is_some_and(|value| **value == 7) || self.cell.core().packed().is_some();
        assert!(there, "told of a value that is not there");
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn key(&self) -> Option<(usize, usize)> {
        self.key
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

/// Two that take the list from each other, and completion between them: whoever has the list tells it, or puts it back.
#[test]
fn who_waits_instead_of_others_is_told_once_and_so_are_those() {
    explore(3, || {
        let cell = Arc::new(Cell::default());
        let (before, over) = (Witness::of(&cell), Witness::over(&cell));
        cell.core().when_complete(before.clone());
        cell.core().when_complete(over.clone());
        let waiters = [Witness::of(&cell), Witness::of(&cell)];
        let registering = waiters.clone().map(|waiter| {
            let cell = cell.clone();
            thread::spawn(move || cell.core().when_complete_instead(waiter))
        });
        cell.complete(Box::new(7)).unwrap();
        registering.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((before.told(), waiters.each_ref().map(|waiter| waiter.told())), (1, [1, 1]));
        assert!(over.told() <= 1);
        let held = [&before, &over, &waiters[0], &waiters[1]].map(Arc::strong_count);
        assert_eq!(held, [1; 4], "no list is left behind");
    });
}

/// One that waits plainly comes while another has taken the list.
#[test]
fn who_comes_while_the_list_is_taken_is_told_once() {
    explore(3, || {
        let cell = Arc::new(Cell::default());
        let waiters = [(); 3].map(|()| Witness::of(&cell));
        cell.core().when_complete(waiters[0].clone());
        let plain = thread::spawn({
            let (cell, waiter) = (cell.clone(), waiters[1].clone());
            move || cell.core().when_complete(waiter)
        });
        let instead = thread::spawn({
            let (cell, waiter) = (cell.clone(), waiters[2].clone());
            move || cell.core().when_complete_instead(waiter)
        });
        assert!(cell.core().complete_packed(Packed::of_nothing()));
        plain.join().unwrap();
        instead.join().unwrap();
        assert_eq!(waiters.each_ref().map(|waiter| waiter.told()), [1; 3]);
        assert_eq!(waiters.each_ref().map(Arc::strong_count), [1; 3], "no list is left behind");
    });
}

/// Of those that wake the same, one is told at least; another is told for itself.
#[test]
fn of_those_with_one_key_one_is_told() {
    explore(3, || {
        let cell = Arc::new(Cell::default());
        let waiters = [1, 1, 2].map(|key| Witness::with_key(&cell, key));
        cell.core().when_complete_instead(waiters[0].clone());
        let registering = [1, 2].map(|waiter: usize| {
            let (cell, waiter) = (cell.clone(), waiters[waiter].clone());
            thread::spawn(move || cell.core().when_complete_instead(waiter))
        });
        cell.complete(Box::new(7)).unwrap();
        registering.into_iter().for_each(|thread| thread.join().unwrap());
        let told = waiters.each_ref().map(|waiter| waiter.told());
        assert!(told[0] <= 1 && told[1..] == [1, 1], "the older of the two may be forgotten: {told:?}");
    });
}

#[test]
fn a_packed_value_a_failure_and_a_reader() {
    explore(3, || {
        let cell = Arc::new(Cell::<Box<u32>>::default());
        let packing = thread::spawn({
            let cell = cell.clone();
            move || cell.core().complete_packed(Packed::of_nothing())
        });
        let failing = thread::spawn({
            let cell = cell.clone();
            move || cell.core().fail(Arc::new(Error::config("failed")))
        });
        let early = (cell.core().packed().is_some(), cell.core().failure().is_some());
        assert!(early != (true, true) && cell.value().is_none());
        let (packed, failed) = (packing.join().unwrap(), failing.join().unwrap());
        assert!(packed != failed, "one of the two wins");
        assert_eq!((cell.core().packed().is_some(), cell.core().failure().is_some()), (packed, failed));
        assert!((!early.0 || packed) && (!early.1 || failed), "what was seen stands");
        assert!(cell.complete(Box::new(7)).is_err() && cell.value().is_none());
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
