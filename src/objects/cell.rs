//! A place for one value, written once, and the list of who waits for it.
//!
//! ```text
//!   waiters:  null -> node -> node ...      pending, newest waiter first
//!             READY                         value written
//!             FAILED                        failure written
//!             PACKED                        value there, as bytes with what travels beside them
//! ```
//! The word `waiters` is the state. A waiter is pushed by compare-and-swap; completion swaps the final state in and so
//! takes the whole list. Whoever finds a final state there does not push but is told at once (O2). The swap is a
//! release that pairs with the acquire of `state`, so a reader that sees READY sees the value. A packed value is decoded by
//! who wants it (see `packed`): the cell itself holds none of its parts, so that the store may move them while nobody reads.
#![allow(unsafe_code)]

use crate::base::Error;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU64, Ordering, UnsafeCell};
use crate::objects::packed::Packed;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Someone to tell when a cell completes.
pub trait Waiter: Send + Sync {
    /// The cell has completed, or had when this waiter was registered.
    fn ready(self: Arc<Self>);
    /// Whether it waits no more, so that nobody need tell it.
    fn is_over(&self) -> bool {
        false
    }
    /// What it wakes, where that can be said: of two waiters with the same key, one is enough.
    fn key(&self) -> Option<(usize, usize)> {
        None
    }
}

struct Node {
    next: UnsafeCell<*mut Node>,
    waiter: Arc<dyn Waiter>,
}

impl Node {
    fn next(&self) -> *mut Node {
        // SAFETY: who has the node alone, having taken the list, is the only one to ask.
        self.next.with(|next| unsafe { *next })
    }

    fn set_next(&self, next: *mut Node) {
        // SAFETY: as above.
        self.next.with_mut(|place| unsafe { *place = next });
    }
}

/// What does not depend on the type of the value.
pub struct Core {
    waiters: AtomicPtr<Node>,
    taken: AtomicBool,
    /// The number under which this rank knows the object elsewhere; 0 while it never left.
    number: AtomicU64,
    aside: UnsafeCell<Aside>,
}

/// What a complete cell holds instead of a value.
enum Aside {
    Nothing,
    Failure(Arc<Error>),
    Packed(Arc<Packed>),
}

const READY: *mut Node = std::ptr::without_provenance_mut(1);
const FAILED: *mut Node = std::ptr::without_provenance_mut(2);
const PACKED: *mut Node = std::ptr::without_provenance_mut(3);

/// Whether the word is one of the three that no list has: nodes are aligned to eight.
fn is_final(state: *mut Node) -> bool {
    state.addr().wrapping_sub(1) < PACKED.addr()
}

// A task carries one: what it takes is paid by every task. A checker's atomics are larger.
#[cfg(not(loom))]
const _: () = assert!(size_of::<Core>() <= 40);

// SAFETY: `aside` is written once, by whoever won `taken`, before the release that publishes FAILED or PACKED, and read only
// after an acquire that saw that state; the list is owned by the word `waiters`.
unsafe impl Sync for Core {}
// SAFETY: waiters are Send, and so are the error and the packed value.
unsafe impl Send for Core {}

impl Core {
    fn new() -> Core {
        Core {
            waiters: AtomicPtr::new(std::ptr::null_mut()),
            taken: AtomicBool::new(false),
            number: AtomicU64::new(0),
            aside: UnsafeCell::new(Aside::Nothing),
        }
    }

    /// Whether the value or a failure is there.
    pub fn is_complete(&self) -> bool {
        is_final(self.waiters.load(Ordering::Acquire))
    }

    /// Why there will be no value, where that is so.
    pub fn failure(&self) -> Option<Arc<Error>> {
        if self.waiters.load(Ordering::Acquire) != FAILED {
            return None;
        }
        // SAFETY: FAILED was seen with acquire, so the failure is written and never changes (O1).
        self.aside.with(|aside| match unsafe { &*aside } {
            Aside::Failure(error) => Some(error.clone()),
            _ => None,
        })
    }

    /// The value as it lies in the store, where it is there in that form.
    pub fn packed(&self) -> Option<&Arc<Packed>> {
        if self.waiters.load(Ordering::Acquire) != PACKED {
            return None;
        }
        // SAFETY: PACKED was seen with acquire, so the packed value is written and never changes (O1).
        self.aside.with(|aside| match unsafe { &*aside } {
            Aside::Packed(packed) => Some(packed),
            _ => None,
        })
    }

    /// The number under which this rank has exported the object, 0 where it has not.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// Gives the object its number; the first call wins. Returns the number it has now.
    pub fn set_number(&self, number: u64) -> u64 {
        match self.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => number,
            Err(already) => already,
        }
    }

    /// Tells `waiter` when this cell completes; at once where it has.
    pub fn when_complete(&self, waiter: Arc<dyn Waiter>) {
        let mut state = self.waiters.load(Ordering::Acquire);
        if is_final(state) {
            return waiter.ready();
        }
        let node = Box::into_raw(Box::new(Node { next: UnsafeCell::new(state), waiter }));
        loop {
            match self.waiters.compare_exchange_weak(state, node, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) if is_final(now) => {
                    // SAFETY: the node was not published, so this is its only owner.
                    let node = unsafe { Box::from_raw(node) };
                    return node.waiter.ready();
                }
                Err(now) => {
                    state = now;
                    // SAFETY: the node is not published yet.
                    unsafe { (*node).set_next(now) };
                }
            }
        }
    }

    /// As `when_complete`, and forgets those of the newest waiters that wait no more, or wake the same: who waits again and
    /// again, each time for a while, leaves one behind and not one for each time.
    pub fn when_complete_instead(&self, waiter: Arc<dyn Waiter>) {
        let list = self.waiters.load(Ordering::Acquire);
        if list.is_null() || is_final(list) || !self.take(list) {
            return self.when_complete(waiter);
        }
        // Taken from the cell, the list is this thread's own. Who completes the cell meanwhile tells those that came since.
        let next = without_idle(list, waiter.key());
        let mut head = Box::into_raw(Box::new(Node { next: UnsafeCell::new(next), waiter }));
        while let Err(now) =
            self.waiters.compare_exchange(std::ptr::null_mut(), head, Ordering::Release, Ordering::Acquire)
        {
            if is_final(now) {
                return tell(head);
            }
            if self.take(now) {
                let mut last = now;
                // SAFETY: `take` made the list this thread's own, and it is not empty.
                unsafe {
                    while !(*last).next().is_null() {
                        last = (*last).next();
                    }
                    (*last).set_next(head);
                }
                head = now;
            }
        }
    }

    /// Leaves the cell without waiters, where they are still these: they are then the caller's.
    fn take(&self, list: *mut Node) -> bool {
        self.waiters.compare_exchange(list, std::ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Completes with a failure; false where the cell was complete or being completed.
    pub fn fail(&self, error: Arc<Error>) -> bool {
        self.set_aside(Aside::Failure(error), FAILED)
    }

    /// Completes with a packed value; false where the cell was complete or being completed.
    pub fn complete_packed(&self, packed: Packed) -> bool {
        self.set_aside(Aside::Packed(Arc::new(packed)), PACKED)
    }

    fn set_aside(&self, aside: Aside, state: *mut Node) -> bool {
        if self.taken.swap(true, Ordering::AcqRel) {
            return false;
        }
        // SAFETY: winning `taken` makes this the only writer, and nobody reads before `state` is published.
        self.aside.with_mut(|place| unsafe { *place = aside });
        self.publish(state);
        true
    }

    fn publish(&self, state: *mut Node) {
        // The swap takes the list; only one publish happens, by the winner of `taken`.
        tell(self.waiters.swap(state, Ordering::AcqRel));
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let mut node = self.waiters.load(Ordering::Acquire);
        while !node.is_null() && !is_final(node) {
            // SAFETY: `&mut self`: nobody else can reach the list.
            let owned = unsafe { Box::from_raw(node) };
            node = owned.next();
        }
    }
}

/// How many of a cell's newest waiters are looked at for one that waits no more.
const LOOK_BACK: usize = 32;

/// Tells everybody in a list that is the caller's own.
fn tell(mut node: *mut Node) {
    while !node.is_null() {
        // SAFETY: the caller took the list out of its cell, so each of its nodes is reached from here alone.
        let owned = unsafe { Box::from_raw(node) };
        node = owned.next();
        owned.waiter.ready();
    }
}

/// The list without those of its first nodes that wait no more, or for what `key` does; it is the caller's own.
fn without_idle(list: *mut Node, key: Option<(usize, usize)>) -> *mut Node {
    let (mut head, mut before, mut node) = (list, std::ptr::null_mut::<Node>(), list);
    for _ in 0..LOOK_BACK {
        if node.is_null() {
            break;
        }
        // SAFETY: `node` and `before` are nodes of the list, all of which are reached from here alone.
        unsafe {
            let waiter = &(*node).waiter;
            let next = (*node).next();
            if waiter.is_over() || (key.is_some() && waiter.key() == key) {
                drop(Box::from_raw(node));
                if before.is_null() {
                    head = next;
                } else {
                    (*before).set_next(next);
                }
            } else {
                before = node;
            }
            node = next;
        }
    }
    head
}

/// A value of type `T` that may not be there yet.
pub struct Cell<T> {
    core: Core,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: as Core; the value is written before READY is published and shared only as `&T` afterwards.
unsafe impl<T: Send + Sync> Sync for Cell<T> {}
// SAFETY: it owns a `T`.
unsafe impl<T: Send> Send for Cell<T> {}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Cell { core: Core::new(), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

impl<T> Cell<T> {
    /// A cell that holds `value` already.
    pub fn ready(value: T) -> Cell<T> {
        let cell = Cell::default();
        let _ = cell.complete(value);
        cell
    }

    /// The part that is the same for every type.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Completes with a value; hands it back where the cell was complete or being completed.
    pub fn complete(&self, value: T) -> Result<(), T> {
        if self.core.taken.swap(true, Ordering::AcqRel) {
            return Err(value);
        }
        // SAFETY: winning `taken` makes this the only writer, and nobody reads before READY is published.
        self.value.with_mut(|place| unsafe { (*place).write(value) });
        self.core.publish(READY);
        Ok(())
    }

    /// The value, where it is there.
    pub fn value(&self) -> Option<&T> {
        if self.core.waiters.load(Ordering::Acquire) != READY {
            return None;
        }
        // SAFETY: READY was seen with acquire: the value is written and never changes while the cell lives (O1).
        Some(self.value.with(|value| unsafe { (*value).assume_init_ref() }))
    }
}

impl<T> Drop for Cell<T> {
    fn drop(&mut self) {
        if self.core.waiters.load(Ordering::Acquire) == READY {
            // SAFETY: READY: the value is written; `&mut self`: nobody reads it any more.
            self.value.with_mut(|value| unsafe { (*value).assume_init_drop() });
        }
    }
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sync::AtomicUsize;

    struct Count(AtomicUsize);
    impl Waiter for Count {
        fn ready(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_waiter_is_told_once_before_and_after() {
        let cell = Cell::default();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        for _ in 0..3 {
            cell.core().when_complete(count.clone());
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        cell.complete(7).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
        cell.core().when_complete(count.clone());
        assert_eq!((count.0.load(Ordering::Relaxed), cell.value()), (4, Some(&7)));
    }

    /// Waits no more once it was told anything.
    struct Once(AtomicUsize);
    impl Waiter for Once {
        fn ready(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn is_over(&self) -> bool {
            self.0.load(Ordering::Relaxed) > 0
        }
    }

    #[test]
    fn who_waits_no_more_makes_room_for_who_does() {
        let cell = Cell::<u32>::default();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        cell.core().when_complete(count.clone());
        let mut over = Vec::new();
        for _ in 0..100 {
            let once = Arc::new(Once(AtomicUsize::new(0)));
            over.push(Arc::downgrade(&once));
            cell.core().when_complete_instead(once.clone());
            once.ready();
        }
        let left = over.iter().filter(|once| once.strong_count() > 0).count();
        assert_eq!((left, count.0.load(Ordering::Relaxed)), (1, 0));
        cell.complete(7).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    /// Wakes what it counts for.
    struct Wakes(Arc<AtomicUsize>);
    impl Waiter for Wakes {
        fn ready(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn key(&self) -> Option<(usize, usize)> {
            Some((Arc::as_ptr(&self.0).addr(), 0))
        }
    }

    #[test]
    fn of_those_that_wake_the_same_one_is_left() {
        let cell = Cell::<u32>::default();
        let woken = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
        for _ in 0..50 {
            woken.iter().for_each(|woken| cell.core().when_complete_instead(Arc::new(Wakes(woken.clone()))));
        }
        assert!(woken.iter().all(|woken| Arc::strong_count(woken) == 2));
        assert!(cell.core().fail(Arc::new(Error::config("over"))));
        assert!(woken.iter().all(|woken| woken.load(Ordering::Relaxed) == 1));
    }

    /// Once PACKED was taken for a list of waiters, and its number for the address of one.
    #[test]
    fn who_waits_again_for_a_complete_cell_is_told_at_once() {
        let cells = [(); 3].map(|()| Cell::<u32>::default());
        cells[0].complete(7).unwrap();
        assert!(cells[1].core().fail(Arc::new(Error::config("over"))));
        assert!(cells[2].core().complete_packed(Packed::of_nothing()));
        for (done, cell) in cells.iter().enumerate() {
            let count = Arc::new(Count(AtomicUsize::new(0)));
            cell.core().when_complete_instead(count.clone());
            assert_eq!(count.0.load(Ordering::Relaxed), 1);
            let core = cell.core();
            let found = [cell.value().is_some(), core.failure().is_some(), core.packed().is_some()];
            assert_eq!(found, [0, 1, 2].map(|state| state == done), "as it was");
        }
    }

    #[test]
    fn the_first_completion_stands() {
        let cell = Cell::default();
        assert!(cell.core().fail(Arc::new(Error::config("first"))));
        assert_eq!(cell.complete(String::from("second")), Err(String::from("second")));
        assert!(cell.value().is_none());
        assert_eq!(*cell.core().failure().unwrap(), Error::config("first"));
    }

    #[test]
    fn waiters_race_with_completion_and_none_is_lost() {
        for _ in 0..200 {
            let cell = Arc::new(Cell::<u32>::default());
            let count = Arc::new(Count(AtomicUsize::new(0)));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| (0..10).for_each(|_| cell.core().when_complete(count.clone())));
                }
                scope.spawn(|| (0..10).for_each(|_| cell.core().when_complete_instead(count.clone())));
                scope.spawn(|| cell.complete(1).unwrap());
            });
            assert_eq!(count.0.load(Ordering::Relaxed), 30);
        }
    }
}
