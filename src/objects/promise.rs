//! A promise: the location of one value, written once, and the list of its waiters.
//!
//! ```text
//!   waiters:  null -> node -> node ...      pending, newest waiter first
//!             READY                         value written
//!             FAILED                        failure written
//!             PACKED                        value there, as bytes with attachments
//! ```
//! The word `waiters` is the state. A waiter is pushed by compare-and-swap; completion swaps the final state in and so
//! takes the whole list. A thread that finds a final state there does not push; its waiter is notified at once
//! (OBJECTS-2). The swap is a release that pairs with the acquire of `state`, so a reader that sees READY sees the
//! value. A packed value is decoded by its reader (see `packed`): the promise itself holds none of its parts, so that
//! the store may move them while no reader uses them.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU64, Ordering, UnsafeCell};
use crate::base::{Error, arc_pool};
use crate::objects::packed::PackedValue;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Is notified when a promise completes.
pub trait Waiter: Send + Sync {
    /// The promise has completed, or had when this waiter was registered.
    fn notify(self: Arc<Self>);
    /// True if it no longer waits, so that it need not be notified.
    fn is_finished(&self) -> bool {
        false
    }
    /// Identifies the thread or fiber that it wakes, if known: of two waiters with the same key, one is enough.
    fn key(&self) -> Option<(usize, usize)> {
        None
    }
}

struct WaiterNode {
    next: UnsafeCell<*mut WaiterNode>,
    waiter: Arc<dyn Waiter>,
}

impl WaiterNode {
    /// A node that nothing owns until `take`.
    fn leak(next: *mut WaiterNode, waiter: Arc<dyn Waiter>) -> *mut WaiterNode {
        Arc::into_raw(arc_pool::new(WaiterNode { next: UnsafeCell::new(next), waiter })).cast_mut()
    }

    /// The next node, and the waiter of this one, which is freed.
    ///
    /// # Safety
    /// The node came from `leak`, was not taken, and the caller alone reaches it.
    unsafe fn take(node: *mut WaiterNode) -> (*mut WaiterNode, Arc<dyn Waiter>) {
        // SAFETY: as the caller says; a node has one reference.
        match arc_pool::into_inner(unsafe { Arc::from_raw(node) }) {
            Some(node) => (node.next(), node.waiter),
            None => unreachable!("a node of a list has one owner"),
        }
    }

    fn next(&self) -> *mut WaiterNode {
        // SAFETY: only the thread that has taken the list, and so owns the node alone, calls this.
        self.next.with(|next| unsafe { *next })
    }

    fn set_next(&self, next: *mut WaiterNode) {
        // SAFETY: as above.
        self.next.with_mut(|slot| unsafe { *slot = next });
    }
}

/// The part of a promise that does not depend on the type of the value.
pub struct PromiseCore {
    waiters: AtomicPtr<WaiterNode>,
    claimed: AtomicBool,
    /// The number under which this rank exported the object; 0 if it never left.
    number: AtomicU64,
    payload: UnsafeCell<Payload>,
}

/// The content of a complete promise other than a plain value.
enum Payload {
    Nothing,
    Failure(Arc<Error>),
    Packed(Arc<PackedValue>),
}

const READY: *mut WaiterNode = std::ptr::without_provenance_mut(1);
const FAILED: *mut WaiterNode = std::ptr::without_provenance_mut(2);
const PACKED: *mut WaiterNode = std::ptr::without_provenance_mut(3);

/// True if the word is one of the three that no list has: nodes are aligned to eight.
fn is_final(state: *mut WaiterNode) -> bool {
    state.addr().wrapping_sub(1) < PACKED.addr()
}

// Each task contains one, so its size is paid by every task. A checker's atomics are larger.
#[cfg(not(loom))]
const _: () = assert!(size_of::<PromiseCore>() <= 40);

// SAFETY: `payload` is written once, by the thread that won `claimed`, before the release that publishes FAILED or
// PACKED, and read only after an acquire that saw that state; the list is owned by the word `waiters`.
unsafe impl Sync for PromiseCore {}
// SAFETY: waiters are Send, and so are the error and the packed value.
unsafe impl Send for PromiseCore {}

impl PromiseCore {
    #[inline]
    fn new() -> PromiseCore {
        PromiseCore {
            waiters: AtomicPtr::new(std::ptr::null_mut()),
            claimed: AtomicBool::new(false),
            number: AtomicU64::new(0),
            payload: UnsafeCell::new(Payload::Nothing),
        }
    }

    /// True if the value or a failure is there.
    #[inline]
    pub fn is_complete(&self) -> bool {
        is_final(self.waiters.load(Ordering::Acquire))
    }

    /// Why there will be no value, if it failed.
    pub fn failure(&self) -> Option<Arc<Error>> {
        if self.waiters.load(Ordering::Acquire) != FAILED {
            return None;
        }
        // SAFETY: FAILED was seen with acquire, so the failure is written and never changes (OBJECTS-1).
        self.payload.with(|aside| match unsafe { &*aside } {
            Payload::Failure(error) => Some(error.clone()),
            _ => None,
        })
    }

    /// The value in packed form, if it is complete in that form.
    pub fn packed(&self) -> Option<&Arc<PackedValue>> {
        if self.waiters.load(Ordering::Acquire) != PACKED {
            return None;
        }
        // SAFETY: PACKED was seen with acquire, so the packed value is written and never changes (OBJECTS-1).
        self.payload.with(|aside| match unsafe { &*aside } {
            Payload::Packed(packed) => Some(packed),
            _ => None,
        })
    }

    /// The number under which this rank exported the object, 0 if it did not.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// Sets the object's number; the first call wins. Returns the number it has now.
    pub fn set_number(&self, number: u64) -> u64 {
        match self.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => number,
            Err(already) => already,
        }
    }

    /// Notifies `waiter` when this promise completes; at once if it has.
    pub fn when_complete(&self, waiter: Arc<dyn Waiter>) {
        let mut state = self.waiters.load(Ordering::Acquire);
        if is_final(state) {
            return waiter.notify();
        }
        let node = WaiterNode::leak(state, waiter);
        loop {
            match self.waiters.compare_exchange_weak(state, node, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) if is_final(now) => {
                    // SAFETY: the node was not published, so this is its only owner.
                    let (_, waiter) = unsafe { WaiterNode::take(node) };
                    return waiter.notify();
                }
                Err(now) => {
                    state = now;
                    // SAFETY: the node is not published yet.
                    unsafe { (*node).set_next(now) };
                }
            }
        }
    }

    /// As `when_complete`, and removes those of the newest waiters that no longer wait, or wake the same thread: a
    /// thread that waits repeatedly, each time for a while, leaves one waiter behind and not one for each time.
    pub fn when_complete_pruning(&self, waiter: Arc<dyn Waiter>) {
        let list = self.waiters.load(Ordering::Acquire);
        if list.is_null() || is_final(list) || !self.try_take_list(list) {
            return self.when_complete(waiter);
        }
        // The list was taken from the promise, so this thread owns it. A thread that completes the promise meanwhile
        // notifies the waiters registered since.
        let next = without_finished(list, waiter.key());
        let mut head = WaiterNode::leak(next, waiter);
        while let Err(now) =
            self.waiters.compare_exchange(std::ptr::null_mut(), head, Ordering::Release, Ordering::Acquire)
        {
            if is_final(now) {
                return notify_all(head);
            }
            if self.try_take_list(now) {
                let mut last = now;
                // SAFETY: `try_take_list` made the list this thread's own, and it is not empty.
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

    /// Takes the list if it is still `list`: the caller then owns it.
    fn try_take_list(&self, list: *mut WaiterNode) -> bool {
        self.waiters.compare_exchange(list, std::ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Completes with a failure; false if the promise was complete or being completed.
    pub fn fail(&self, error: Arc<Error>) -> bool {
        self.complete_with(Payload::Failure(error), FAILED)
    }

    /// Completes with a packed value; false if the promise was complete or being completed.
    pub fn complete_packed(&self, packed: PackedValue) -> bool {
        self.complete_with(Payload::Packed(Arc::new(packed)), PACKED)
    }

    fn complete_with(&self, payload: Payload, state: *mut WaiterNode) -> bool {
        if self.claimed.swap(true, Ordering::AcqRel) {
            return false;
        }
        // SAFETY: winning `claimed` makes this the only writer, and no reader looks before `state` is published.
        self.payload.with_mut(|slot| unsafe { *slot = payload });
        self.publish(state);
        true
    }

    #[inline]
    fn publish(&self, state: *mut WaiterNode) {
        // The swap takes the list; only one publish happens, by the winner of `claimed`.
        let list = self.waiters.swap(state, Ordering::AcqRel);
        if !list.is_null() {
            notify_all(list);
        }
    }
}

impl Drop for PromiseCore {
    #[inline]
    fn drop(&mut self) {
        let node = self.waiters.load(Ordering::Acquire);
        if !node.is_null() && !is_final(node) {
            self.forget_waiters(node);
        }
    }
}

impl PromiseCore {
    #[cold]
    fn forget_waiters(&mut self, mut node: *mut WaiterNode) {
        while !node.is_null() {
            // SAFETY: `&mut self`: no other thread can reach the list.
            (node, _) = unsafe { WaiterNode::take(node) };
        }
    }
}

/// How many of a promise's newest waiters are checked for being finished.
const PRUNE_MAX: usize = 32;

/// Notifies every waiter in a list that the caller owns.
fn notify_all(mut node: *mut WaiterNode) {
    while !node.is_null() {
        // SAFETY: the caller took the list out of its promise, so only this function reaches its nodes.
        let (next, waiter) = unsafe { WaiterNode::take(node) };
        node = next;
        waiter.notify();
    }
}

/// The list without those of its first nodes that no longer wait, or that have the same `key`; the caller owns it.
fn without_finished(list: *mut WaiterNode, key: Option<(usize, usize)>) -> *mut WaiterNode {
    let (mut head, mut before, mut node) = (list, std::ptr::null_mut::<WaiterNode>(), list);
    for _ in 0..PRUNE_MAX {
        if node.is_null() {
            break;
        }
        // SAFETY: `node` and `before` are nodes of the list, which only this function reaches.
        unsafe {
            let waiter = &(*node).waiter;
            let next = (*node).next();
            if waiter.is_finished() || (key.is_some() && waiter.key() == key) {
                drop(WaiterNode::take(node));
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
pub struct Promise<T> {
    core: PromiseCore,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: as Core; the value is written before READY is published and shared only as `&T` afterwards.
unsafe impl<T: Send + Sync> Sync for Promise<T> {}
// SAFETY: it owns a `T`.
unsafe impl<T: Send> Send for Promise<T> {}

impl<T> Default for Promise<T> {
    fn default() -> Self {
        Promise { core: PromiseCore::new(), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

impl<T> Promise<T> {
    /// A promise that is complete with `value`.
    pub fn ready(value: T) -> Promise<T> {
        let promise = Promise::default();
        let _ = promise.complete(value);
        promise
    }

    /// The part that is the same for every type.
    pub fn core(&self) -> &PromiseCore {
        &self.core
    }

    /// Completes with a value; returns it if the promise was complete or being completed.
    pub fn complete(&self, value: T) -> Result<(), T> {
        if self.core.claimed.swap(true, Ordering::AcqRel) {
            return Err(value);
        }
        // SAFETY: winning `claimed` makes this the only writer, and no reader looks before READY is published.
        self.value.with_mut(|slot| unsafe { (*slot).write(value) });
        self.core.publish(READY);
        Ok(())
    }

    /// The value, if complete.
    pub fn value(&self) -> Option<&T> {
        if self.core.waiters.load(Ordering::Acquire) != READY {
            return None;
        }
        // SAFETY: READY was seen with acquire: the value is written and never changes while the promise lives
        // (OBJECTS-1).
        Some(self.value.with(|value| unsafe { (*value).assume_init_ref() }))
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if self.core.waiters.load(Ordering::Acquire) == READY {
            // SAFETY: READY: the value is written; `&mut self`: there is no reader any more.
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

    struct CountingWaiter(AtomicUsize);
    impl Waiter for CountingWaiter {
        fn notify(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn waiter_before_or_after_completion_is_notified_once() {
        let promise = Promise::default();
        let count = Arc::new(CountingWaiter(AtomicUsize::new(0)));
        for _ in 0..3 {
            promise.core().when_complete(count.clone());
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        promise.complete(7).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
        promise.core().when_complete(count.clone());
        assert_eq!((count.0.load(Ordering::Relaxed), promise.value()), (4, Some(&7)));
    }

    /// Is finished once it was notified.
    struct Once(AtomicUsize);
    impl Waiter for Once {
        fn notify(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn is_finished(&self) -> bool {
            self.0.load(Ordering::Relaxed) > 0
        }
    }

    #[test]
    fn finished_waiters_are_pruned_and_live_ones_notified() {
        let promise = Promise::<u32>::default();
        let count = Arc::new(CountingWaiter(AtomicUsize::new(0)));
        promise.core().when_complete(count.clone());
        let mut finished = Vec::new();
        for _ in 0..100 {
            let once = Arc::new(Once(AtomicUsize::new(0)));
            finished.push(Arc::downgrade(&once));
            promise.core().when_complete_pruning(once.clone());
            once.notify();
        }
        let left = finished.iter().filter(|once| once.strong_count() > 0).count();
        assert_eq!((left, count.0.load(Ordering::Relaxed)), (1, 0));
        promise.complete(7).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    /// Its key is the address of its counter.
    struct Wakes(Arc<AtomicUsize>);
    impl Waiter for Wakes {
        fn notify(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn key(&self) -> Option<(usize, usize)> {
            Some((Arc::as_ptr(&self.0).addr(), 0))
        }
    }

    #[test]
    fn waiters_with_same_key_are_pruned_to_one() {
        let promise = Promise::<u32>::default();
        let woken = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
        for _ in 0..50 {
            woken.iter().for_each(|woken| promise.core().when_complete_pruning(Arc::new(Wakes(woken.clone()))));
        }
        assert!(woken.iter().all(|woken| Arc::strong_count(woken) == 2));
        assert!(promise.core().fail(Arc::new(Error::config("over"))));
        assert!(woken.iter().all(|woken| woken.load(Ordering::Relaxed) == 1));
    }

    /// Once the code took PACKED for a list of waiters, and its number for the address of one.
    #[test]
    fn pruning_waiter_on_complete_promise_is_notified_at_once() {
        let promises = [(); 3].map(|()| Promise::<u32>::default());
        promises[0].complete(7).unwrap();
        assert!(promises[1].core().fail(Arc::new(Error::config("over"))));
        assert!(promises[2].core().complete_packed(PackedValue::empty()));
        for (done, promise) in promises.iter().enumerate() {
            let count = Arc::new(CountingWaiter(AtomicUsize::new(0)));
            promise.core().when_complete_pruning(count.clone());
            assert_eq!(count.0.load(Ordering::Relaxed), 1);
            let core = promise.core();
            let found = [promise.value().is_some(), core.failure().is_some(), core.packed().is_some()];
            assert_eq!(found, [0, 1, 2].map(|state| state == done), "as it was");
        }
    }

    #[test]
    fn second_completion_is_refused() {
        let promise = Promise::default();
        assert!(promise.core().fail(Arc::new(Error::config("first"))));
        assert_eq!(promise.complete(String::from("second")), Err(String::from("second")));
        assert!(promise.value().is_none());
        assert_eq!(*promise.core().failure().unwrap(), Error::config("first"));
    }

    #[test]
    fn waiters_racing_with_completion_are_all_notified() {
        for _ in 0..200 {
            let promise = Arc::new(Promise::<u32>::default());
            let count = Arc::new(CountingWaiter(AtomicUsize::new(0)));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| (0..10).for_each(|_| promise.core().when_complete(count.clone())));
                }
                scope.spawn(|| (0..10).for_each(|_| promise.core().when_complete_pruning(count.clone())));
                scope.spawn(|| promise.complete(1).unwrap());
            });
            assert_eq!(count.0.load(Ordering::Relaxed), 30);
        }
    }
}
