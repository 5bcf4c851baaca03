//! The free resources of a host: its totals, less what its live ranks hold.
//!
//! No process stores what is free. Each rank records what it holds in a cell of its own in the host's [`SharedTable`],
//! by one addition, and what is free is computed from all cells. So there is no lock for a dying rank to hold and no
//! moment at which a resource is neither free nor held: a rank killed between any two instructions holds what it
//! recorded, and to declare it dead is one instruction too. A rank that was only stopped, was declared dead and
//! continues changes cells that no rank reads.
//!
//! A rank that takes adds first and then checks whether that was too much; if it was, it subtracts again. Of two ranks
//! that take the last of a resource at the same time, one at least sees both additions, so there is never too much
//! held; both may see them, and then both try again. Between an addition and its subtraction, a third rank may have
//! found too little and gone to sleep: so a rank that subtracts notifies the waiters, as one does that gives something
//! back.
//!
//! A rank that finds too little sets its bit, fences and checks again; a rank that gives back adds, fences and reads
//! the bits: one of the two sees the other.

use crate::base::limits::GPUS_PER_HOST_MAX;
use crate::base::sync::{Ordering, fence};
use crate::memory::{Doorbell, Segment};
use crate::runtime::resources::bundles::Bundles;
use crate::runtime::resources::shared_table::{SharedCells, SharedTable};
use crate::scheduling::{Grant, ResourceRequest, Totals, UNIT};
use std::collections::BTreeMap;
use std::sync::Arc;

const CPU: usize = 0;
const GPUS: usize = 1;
const CUSTOM: usize = GPUS + GPUS_PER_HOST_MAX;

/// How often a rank tries again if another took the same resource at the same time, before it reports that too little
/// is free.
const TRIES: u32 = 8;

/// The resources of a host, as one of its ranks sees them.
pub struct ResourceTable<C: SharedCells = Arc<Segment>> {
    pub shared: SharedTable<C>,
    totals: Totals,
    /// By index on the host: the doorbell of that rank, if it has one.
    doorbells: Vec<Option<Arc<Doorbell>>>,
    /// The bundles of placement groups that this rank holds.
    pub bundles: Bundles,
}

impl<C: SharedCells> ResourceTable<C> {
    /// A host with these totals, less what is held in the shared table; `doorbells` wake the ranks of the host, by
    /// index.
    pub fn new(shared: SharedTable<C>, totals: Totals, doorbells: Vec<Option<Arc<Doorbell>>>) -> ResourceTable<C> {
        ResourceTable { shared, totals, doorbells, bundles: Bundles::default() }
    }

    /// The free amounts, by name.
    pub fn available(&self) -> BTreeMap<String, f64> {
        // Below zero while more is used than there is, by tasks whose CPUs were lent while they were blocked.
        self.free_totals().amounts().into_iter().map(|(name, amount)| (name, amount.max(0.0))).collect()
    }

    /// The free amounts, in ten-thousandths.
    pub fn free_totals(&self) -> Totals {
        let custom = self.totals.custom.iter().enumerate();
        Totals {
            cpu: self.free(CPU),
            gpu: (0..self.gpu_count()).map(|gpu| self.free(GPUS + gpu)).sum(),
            custom: custom.map(|(index, (name, _))| (name.clone(), self.free(CUSTOM + index))).collect(),
        }
    }

    /// Free CPUs.
    pub fn free_cpu(&self) -> i64 {
        self.free(CPU)
    }

    /// True if a rank of the host waits for resources.
    #[inline]
    pub fn has_waiters(&self) -> bool {
        self.shared.has_waiters()
    }

    /// Takes CPUs; false if there are not so many.
    pub fn take_cpu(&self, amount: i64) -> bool {
        self.take(CPU, amount)
    }

    /// Takes CPUs that their task uses again, whether they are free or not; others return theirs soon if they are not.
    pub fn retake_cpu(&self, amount: i64) {
        self.shared.add_held(CPU, amount);
        if self.free(CPU) < 0 {
            self.set_waiting();
        }
    }

    /// Gives CPUs back.
    pub fn give_cpu(&self, amount: i64) {
        self.give(CPU, amount);
    }

    /// Takes what a request needs apart from CPUs; `None`, with nothing taken, if it is not all free.
    pub fn take_non_cpu(&self, request: &ResourceRequest) -> Option<Grant> {
        if let Some((slot, cpu)) = request.bundle {
            return self.take_slot(slot, cpu, request);
        }
        let mut grant = Grant::default();
        for (name, amount) in &request.custom {
            let taken = self.custom_index(name).filter(|index| self.take(CUSTOM + index, *amount));
            match taken {
                Some(index) => grant.custom.push((index, *amount)),
                None => {
                    self.give_non_cpu(&grant);
                    return None;
                }
            }
        }
        if !self.take_gpus(request.gpu, &mut grant) {
            self.give_non_cpu(&grant);
            return None;
        }
        Some(grant)
    }

    /// Whole GPUs first come first served; a share from the fullest GPU that has enough left.
    fn take_gpus(&self, amount: i64, grant: &mut Grant) -> bool {
        if amount == 0 {
            return true;
        }
        let (each, count) = if amount < UNIT { (amount, 1) } else { (UNIT, amount / UNIT) };
        let mut order: Vec<usize> = (0..self.gpu_count()).collect();
        order.sort_by_key(|gpu| self.free(GPUS + gpu));
        for gpu in order {
            if grant.gpus.len() as i64 == count {
                break;
            }
            if self.take(GPUS + gpu, each) {
                grant.gpus.push((gpu as u32, each));
            }
        }
        grant.gpus.len() as i64 == count
    }

    /// Gives back what `take_non_cpu` took.
    pub fn give_non_cpu(&self, grant: &Grant) {
        if let Some((slot, cpu)) = grant.bundle {
            return self.return_slot(slot, cpu, grant);
        }
        for (gpu, amount) in &grant.gpus {
            self.give(GPUS + *gpu as usize, *amount);
        }
        for (index, amount) in &grant.custom {
            self.give(CUSTOM + index, *amount);
        }
    }

    /// How many tasks with this request would fit now.
    pub fn fits(&self, request: &ResourceRequest) -> usize {
        if let Some((slot, cpu)) = request.bundle {
            return self.fits_slot(slot, cpu, request);
        }
        let times = |free: i64, amount: i64| if amount == 0 { usize::MAX } else { (free / amount).max(0) as usize };
        let gpus = if request.gpu == 0 {
            usize::MAX
        } else if request.gpu < UNIT {
            (0..self.gpu_count()).map(|gpu| times(self.free(GPUS + gpu), request.gpu)).sum()
        } else {
            let whole = (0..self.gpu_count()).filter(|gpu| self.free(GPUS + gpu) == UNIT).count();
            whole / (request.gpu / UNIT) as usize
        };
        let custom = request
            .custom
            .iter()
            .map(|(name, amount)| times(self.custom_index(name).map_or(0, |index| self.free(CUSTOM + index)), *amount));
        custom.fold(times(self.free(CPU), request.cpu).min(gpus), usize::min)
    }

    /// This rank waits from now on. It must check once more before it relies on being notified.
    pub fn set_waiting(&self) {
        self.shared.set_waiting();
        fence(Ordering::SeqCst);
    }

    /// Resources were given back: calls `notify` for each rank of the host that waited, and clears its bit.
    pub fn notify_waiters(&self, notify: impl FnMut(usize)) {
        fence(Ordering::SeqCst);
        if self.shared.has_waiters() {
            self.shared.take_waiters(notify);
        }
    }

    /// Resources were given back: wakes each rank of the host that waited; true if this one did.
    pub fn notify_ranks(&self) -> bool {
        let mut own_waits = false;
        self.notify_waiters(
            |index| {
                if index == self.shared.index { own_waits = true } else { self.notify_rank(index) }
            },
        );
        own_waits
    }

    fn notify_rank(&self, index: usize) {
        if let Some(doorbell) = self.doorbells.get(index).and_then(Option::as_ref) {
            doorbell.notify_always();
        }
    }

    pub fn custom_index(&self, name: &str) -> Option<usize> {
        self.totals.custom.iter().position(|(own, _)| own == name)
    }

    fn gpu_count(&self) -> usize {
        (self.totals.gpu / UNIT) as usize
    }

    /// The host's total of a kind.
    fn total(&self, kind: usize) -> i64 {
        match kind {
            CPU => self.totals.cpu,
            CUSTOM.. => self.totals.custom.get(kind - CUSTOM).map_or(0, |(_, total)| *total),
            gpu if gpu - GPUS < self.gpu_count() => UNIT,
            _ => 0,
        }
    }

    /// The free amount of a kind; below zero for a moment while several ranks take at once.
    fn free(&self, kind: usize) -> i64 {
        self.total(kind) - self.shared.total_held(kind)
    }

    fn take(&self, kind: usize, amount: i64) -> bool {
        if amount == 0 {
            return true;
        }
        for attempt in 0..TRIES {
            // A rank that is certain to find too little adds nothing.
            if self.free(kind) < amount {
                return false;
            }
            self.shared.add_held(kind, amount);
            if self.free(kind) >= 0 {
                return true;
            }
            self.give(kind, amount);
            self.notify_waiters(|index| self.notify_rank(index));
            // Different delays: otherwise the same ranks could collide again each time.
            (0..(self.shared.index as u32 + 1) << attempt).for_each(|_| std::hint::spin_loop());
        }
        false
    }

    fn give(&self, kind: usize, amount: i64) {
        self.shared.add_held(kind, -amount);
    }
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduling::fixed_of;

    fn totals() -> Totals {
        Totals { cpu: 2 * UNIT, gpu: 2 * UNIT, custom: vec![("Custom".to_string(), UNIT)] }
    }

    fn table() -> ResourceTable {
        ResourceTable::new(SharedTable::for_test(2), totals(), Vec::new())
    }

    fn request_for(gpu: f64, custom: f64) -> ResourceRequest {
        ResourceRequest {
            gpu: fixed_of(gpu),
            custom: vec![("Custom".to_string(), fixed_of(custom))],
            ..ResourceRequest::default()
        }
    }

    #[test]
    fn gpu_shares_are_packed_on_one_gpu_and_whole_requests_get_whole_gpus() {
        let table = table();
        let half = table.take_non_cpu(&request_for(0.5, 0.0)).unwrap();
        let other = table.take_non_cpu(&request_for(0.5, 0.0)).unwrap();
        assert_eq!(half.gpus[0].0, other.gpus[0].0, "two halves share one GPU");
        let whole = table.take_non_cpu(&request_for(1.0, 0.0)).unwrap();
        assert_ne!(whole.gpus[0].0, half.gpus[0].0);
        assert_eq!(table.take_non_cpu(&request_for(0.1, 0.0)), None);
        table.give_non_cpu(&half);
        assert!(table.take_non_cpu(&request_for(0.1, 0.0)).is_some());
    }

    #[test]
    fn request_that_does_not_fit_takes_nothing() {
        let table = table();
        assert_eq!(table.take_non_cpu(&request_for(3.0, 0.5)), None);
        assert_eq!(table.available()["Custom"], 1.0);
        assert_eq!(table.available()["GPU"], 2.0);
        assert!(table.take_cpu(2 * UNIT) && !table.take_cpu(1));
    }

    #[test]
    fn resources_of_a_dead_rank_are_free_also_if_it_continues() {
        let live = table();
        let dead = ResourceTable::new(live.shared.as_rank(1), totals(), Vec::new());
        assert!(live.take_cpu(UNIT) && dead.take_cpu(UNIT) && !live.take_cpu(UNIT));
        let grant = dead.take_non_cpu(&request_for(1.0, 0.5)).unwrap();
        dead.set_waiting();
        live.shared.mark_dead(1);
        live.shared.mark_dead(1);
        assert_eq!(live.free_cpu(), UNIT, "its own is still taken");
        assert_eq!((live.available()["GPU"], live.available()["Custom"]), (2.0, 1.0));
        assert!(!live.has_waiters());
        dead.give_non_cpu(&grant);
        dead.give_cpu(UNIT);
        dead.take_cpu(UNIT);
        assert_eq!((live.free_cpu(), live.available()["GPU"]), (UNIT, 2.0), "its cells are not read");
        live.give_cpu(UNIT);
        assert_eq!(live.free_cpu(), 2 * UNIT);
    }

    /// Four ranks take and give two CPUs as fast as they can: never more than two are taken, and all are free at the
    /// end.
    #[test]
    fn concurrent_takes_never_exceed_the_total() {
        const ROUNDS: usize = 20_000;
        let first = SharedTable::for_test(4);
        let holders = std::sync::atomic::AtomicUsize::new(0);
        let taken: usize = std::thread::scope(|scope| {
            let rank = |index| {
                let (table, holders) = (ResourceTable::new(first.as_rank(index), totals(), Vec::new()), &holders);
                scope.spawn(move || {
                    let mut taken = 0;
                    for _ in 0..ROUNDS {
                        if table.take_cpu(UNIT) {
                            taken += 1;
                            assert!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2);
                            holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            table.give_cpu(UNIT);
                        }
                    }
                    taken
                })
            };
            let ranks: Vec<_> = (0..4).map(rank).collect();
            ranks.into_iter().map(|rank| rank.join().expect("no assertion failed")).sum()
        });
        assert!(taken > ROUNDS, "{taken} of {} takes succeeded", 4 * ROUNDS);
        assert_eq!(ResourceTable::new(first, totals(), Vec::new()).free_cpu(), 2 * UNIT);
    }
}
