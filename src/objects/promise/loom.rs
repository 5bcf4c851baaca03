//! Completion against completion, against waiters and against readers, in every order.

use super::*;
use crate::base::sync::{AtomicUsize, explore, thread};

/// Counts its notifications, and checks at once that the outcome is there.
struct TestWaiter {
    promise: Arc<Promise<Box<u32>>>,
    notified: AtomicUsize,
    /// True if it no longer waits.
    finished: bool,
    key: Option<(usize, usize)>,
}

impl TestWaiter {
    fn of(promise: &Arc<Promise<Box<u32>>>) -> Arc<TestWaiter> {
        Arc::new(TestWaiter { promise: promise.clone(), notified: AtomicUsize::new(0), finished: false, key: None })
    }

    fn finished(promise: &Arc<Promise<Box<u32>>>) -> Arc<TestWaiter> {
        Arc::new(TestWaiter { promise: promise.clone(), notified: AtomicUsize::new(0), finished: true, key: None })
    }

    fn with_key(promise: &Arc<Promise<Box<u32>>>, key: usize) -> Arc<TestWaiter> {
        Arc::new(TestWaiter {
            promise: promise.clone(),
            notified: AtomicUsize::new(0),
            finished: false,
            key: Some((key, 0)),
        })
    }

    fn notified(&self) -> usize {
        self.notified.load(Ordering::Relaxed)
    }
}

impl Waiter for TestWaiter {
    fn notify(self: Arc<Self>) {
        let there = self.promise.value().is_some_and(|value| **value == 7) || self.promise.core().packed().is_some();
        assert!(there, "notified of a value that is not there");
        self.notified.fetch_add(1, Ordering::Relaxed);
    }

    fn is_finished(&self) -> bool {
        self.finished
    }

    fn key(&self) -> Option<(usize, usize)> {
        self.key
    }
}

#[test]
fn value_and_failure_race_one_wins() {
    explore(3, || {
        let promise = Arc::new(Promise::<Box<u32>>::default());
        let completing = thread::spawn({
            let promise = promise.clone();
            move || promise.complete(Box::new(7)).is_ok()
        });
        let failing = thread::spawn({
            let promise = promise.clone();
            move || promise.core().fail(Arc::new(Error::config("failed")))
        });
        let early = (promise.value().map(|value| **value), promise.core().failure());
        assert!(early.0.is_none_or(|value| value == 7) && !(early.0.is_some() && early.1.is_some()));
        let (completed, failed) = (completing.join().unwrap(), failing.join().unwrap());
        assert!(completed != failed, "one of the two wins");
        assert_eq!((promise.value().is_some(), promise.core().failure().is_some()), (completed, failed));
        assert!(early.0.is_none() || completed, "what was seen stands");
        assert!(early.1.is_none() || failed, "what was seen stands");
    });
}

#[test]
fn waiter_registered_during_completion_is_notified_once() {
    explore(4, || {
        let promise = Arc::new(Promise::default());
        let waiters = [TestWaiter::of(&promise), TestWaiter::of(&promise)];
        let registering = waiters.clone().map(|waiter| {
            let promise = promise.clone();
            thread::spawn(move || promise.core().when_complete(waiter))
        });
        promise.complete(Box::new(7)).unwrap();
        registering.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(waiters.map(|waiter| waiter.notified()), [1, 1]);
    });
}

/// Two threads take the list from each other, and completion happens between them: the thread that owns the list
/// notifies it, or puts it back.
#[test]
fn pruning_waiters_racing_with_completion_are_all_notified_once() {
    explore(3, || {
        let promise = Arc::new(Promise::default());
        let (before, finished) = (TestWaiter::of(&promise), TestWaiter::finished(&promise));
        promise.core().when_complete(before.clone());
        promise.core().when_complete(finished.clone());
        let waiters = [TestWaiter::of(&promise), TestWaiter::of(&promise)];
        let registering = waiters.clone().map(|waiter| {
            let promise = promise.clone();
            thread::spawn(move || promise.core().when_complete_pruning(waiter))
        });
        promise.complete(Box::new(7)).unwrap();
        registering.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((before.notified(), waiters.each_ref().map(|waiter| waiter.notified())), (1, [1, 1]));
        assert!(finished.notified() <= 1);
        let held = [&before, &finished, &waiters[0], &waiters[1]].map(Arc::strong_count);
        assert_eq!(held, [1; 4], "no list is left behind");
    });
}

/// A waiter is registered without pruning while another thread has taken the list.
#[test]
fn waiter_registered_while_list_is_taken_is_notified_once() {
    explore(3, || {
        let promise = Arc::new(Promise::default());
        let waiters = [(); 3].map(|()| TestWaiter::of(&promise));
        promise.core().when_complete(waiters[0].clone());
        let plain = thread::spawn({
            let (promise, waiter) = (promise.clone(), waiters[1].clone());
            move || promise.core().when_complete(waiter)
        });
        let instead = thread::spawn({
            let (promise, waiter) = (promise.clone(), waiters[2].clone());
            move || promise.core().when_complete_pruning(waiter)
        });
        assert!(promise.core().complete_packed(PackedValue::empty()));
        plain.join().unwrap();
        instead.join().unwrap();
        assert_eq!(waiters.each_ref().map(|waiter| waiter.notified()), [1; 3]);
        assert_eq!(waiters.each_ref().map(Arc::strong_count), [1; 3], "no list is left behind");
    });
}

/// Of waiters with one key at least one is notified; a waiter with another key is notified too.
#[test]
fn one_of_waiters_with_same_key_is_notified() {
    explore(3, || {
        let promise = Arc::new(Promise::default());
        let waiters = [1, 1, 2].map(|key| TestWaiter::with_key(&promise, key));
        promise.core().when_complete_pruning(waiters[0].clone());
        let registering = [1, 2].map(|waiter: usize| {
            let (promise, waiter) = (promise.clone(), waiters[waiter].clone());
            thread::spawn(move || promise.core().when_complete_pruning(waiter))
        });
        promise.complete(Box::new(7)).unwrap();
        registering.into_iter().for_each(|thread| thread.join().unwrap());
        let notified = waiters.each_ref().map(|waiter| waiter.notified());
        assert!(notified[0] <= 1 && notified[1..] == [1, 1], "the older of the two may be removed: {notified:?}");
    });
}

#[test]
fn packed_value_and_failure_race_one_wins() {
    explore(3, || {
        let promise = Arc::new(Promise::<Box<u32>>::default());
        let packing = thread::spawn({
            let promise = promise.clone();
            move || promise.core().complete_packed(PackedValue::empty())
        });
        let failing = thread::spawn({
            let promise = promise.clone();
            move || promise.core().fail(Arc::new(Error::config("failed")))
        });
        let early = (promise.core().packed().is_some(), promise.core().failure().is_some());
        assert!(early != (true, true) && promise.value().is_none());
        let (packed, failed) = (packing.join().unwrap(), failing.join().unwrap());
        assert!(packed != failed, "one of the two wins");
        assert_eq!((promise.core().packed().is_some(), promise.core().failure().is_some()), (packed, failed));
        assert!((!early.0 || packed) && (!early.1 || failed), "what was seen stands");
        assert!(promise.complete(Box::new(7)).is_err() && promise.value().is_none());
    });
}

#[test]
fn number_set_twice_keeps_first() {
    explore(3, || {
        let promise = Arc::new(Promise::<Box<u32>>::default());
        let other = thread::spawn({
            let promise = promise.clone();
            move || promise.core().set_number(1)
        });
        let (mine, theirs) = (promise.core().set_number(2), other.join().unwrap());
        assert_eq!((mine, mine), (theirs, promise.core().number()));
    });
}
