//! The CPUs that a thread holds for the task on it, and how other threads lend them.
//!
//! ```text
//!   word of the host's CPUs:   0  --hold-->  n  --lend-->  -n        n: the host's table counts n for this thread
//!                              ^-withdraw-+  <-take_back-+           -n: n were given back to the table meanwhile
//!                              ^----------- withdraw ----+
//! ```
//!
//! Only the thread itself holds and withdraws; the thread that watches lends and takes back. Each step is one exchange
//! of the word, and who makes it settles with the table: so each CPU is given back once, and taken once. Between the
//! two the table counts one too few or too many for a moment.

use crate::base::BundleSlot;
use crate::base::sync::{AtomicI64, AtomicU32, Ordering, lock};
use crate::runtime::Runtime;
use crate::runtime::workers::thread_state::own_thread_number;
use std::sync::Mutex;

/// What one thread holds.
#[derive(Default)]
pub struct HeldCpus {
    /// The kernel's number of the thread; 0 before it runs, or if it is not known.
    thread: AtomicU32,
    /// CPUs of the host, in ten-thousandths: n held, or -n lent.
    host: AtomicI64,
    /// What the task on the thread has of its placement group's bundle.
    bundle: Mutex<Option<BundlePart>>,
}

struct BundlePart {
    slot: BundleSlot,
    cpu: i64,
    is_lent: bool,
}

/// Whether a thread's CPUs can be lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldState {
    /// It holds none.
    Nothing,
    /// It holds some.
    Held,
    /// Some are lent.
    Lent,
}

impl HeldCpus {
    /// The calling thread is the one whose CPUs these are.
    pub fn bind_to_this_thread(&self) {
        self.thread.store(own_thread_number(), Ordering::Relaxed);
    }

    /// The kernel's number of the thread.
    pub fn thread(&self) -> u32 {
        self.thread.load(Ordering::Relaxed)
    }

    /// CPUs of the host: n held, or -n lent.
    #[inline]
    pub fn amount(&self) -> i64 {
        self.host.load(Ordering::Relaxed)
    }

    /// The thread holds `cpu`, which the table counts for it; it held nothing.
    #[inline]
    pub fn hold(&self, cpu: i64) {
        self.host.store(cpu, Ordering::Relaxed);
    }

    /// The thread holds nothing from now on; returns what the table counts for it.
    pub fn withdraw(&self) -> i64 {
        self.host.swap(0, Ordering::Relaxed).max(0)
    }

    /// Negates the word if it is `from` now; returns its amount if it did, 0 otherwise.
    fn negate(&self, from: i64) -> i64 {
        match self.host.compare_exchange(from, -from, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => from.abs(),
            Err(_) => 0,
        }
    }

    /// The task on this thread has that part of its bundle.
    pub fn hold_part(&self, slot: BundleSlot, cpu: i64) {
        *lock(&self.bundle) = Some(BundlePart { slot, cpu, is_lent: false });
    }

    /// The task no longer runs on this thread: what was lent of its part counts as its again.
    pub fn withdraw_part(&self, runtime: &Runtime) {
        if let Some(part) = lock(&self.bundle).take().filter(|part| part.is_lent) {
            runtime.resources.table.reacquire_cpu(part.slot, part.cpu);
        }
    }

    /// Whether there is something to lend.
    pub fn state(&self) -> HeldState {
        let host = self.amount();
        let part = lock(&self.bundle).as_ref().map(|part| part.is_lent);
        match (host, part) {
            (..0, _) | (_, Some(true)) => HeldState::Lent,
            (0, None) => HeldState::Nothing,
            (1.., _) | (0, Some(false)) => HeldState::Held,
        }
    }

    /// The thread is blocked: others may use its CPUs.
    pub fn lend(&self, runtime: &'static Runtime) {
        let table = &runtime.resources.table;
        table.give_cpu(self.negate(self.amount().max(0)));
        if let Some(part) = lock(&self.bundle).as_mut().filter(|part| !part.is_lent) {
            part.is_lent = true;
            table.yield_cpu(part.slot, part.cpu);
        }
        runtime.resources_freed();
    }

    /// The thread runs again: it holds its CPUs whether they are free or not. Who uses them returns them later.
    pub fn take_back(&self, runtime: &Runtime) {
        let table = &runtime.resources.table;
        let lent = self.negate(self.amount().min(0));
        if lent > 0 {
            table.retake_cpu(lent);
        }
        if let Some(part) = lock(&self.bundle).as_mut().filter(|part| part.is_lent) {
            part.is_lent = false;
            table.reacquire_cpu(part.slot, part.cpu);
        }
    }
}

#[cfg(all(test, loom))]
mod loom;
