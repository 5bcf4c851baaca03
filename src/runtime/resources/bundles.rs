//! The bundles of placement groups that this rank has reserved: taken from its host's table whole, granted to tasks and
//! actors in parts. The table counts a bundle's resources as held by this rank, so they are free again when the rank
//! dies.

use crate::base::sync::lock;
use crate::base::{BundleSlot, ObjectId};
use crate::objects::Waiter;
use crate::runtime::resources::shared_table::SharedCells;
use crate::runtime::resources::table::ResourceTable;
use crate::scheduling::Grant;
use crate::scheduling::{BundleShare, ResourceRequest};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// The reserved bundles, by slot.
#[derive(Default)]
pub struct Bundles {
    reserved: Mutex<FxHashMap<BundleSlot, ReservedBundle>>,
}

#[derive(Default)]
struct ReservedBundle {
    attempt: u32,
    /// True once the group's other bundles are reserved too: nothing is granted before.
    committed: bool,
    free: BundleShare,
    /// The bundle's resources in all.
    total: BundleShare,
    /// The group was removed: what is free, and what is returned, is the host's.
    removed: bool,
    /// Parts that are granted.
    parts_out: usize,
    /// Tasks whose wait is over and that need their CPUs to go on.
    cpu_waiters: Vec<Arc<dyn Waiter>>,
}

impl ReservedBundle {
    fn is_usable(&self) -> bool {
        self.committed && !self.removed
    }
}

impl<C: SharedCells> ResourceTable<C> {
    fn bundles(&self) -> MutexGuard<'_, FxHashMap<BundleSlot, ReservedBundle>> {
        lock(&self.bundles.reserved)
    }

    /// Reserves bundles of a group, all or none. Returns true also if they were reserved before.
    pub fn reserve(&self, group: ObjectId, attempt: u32, bundles: &[(u32, ResourceRequest)]) -> bool {
        let slot = |bundle: u32| BundleSlot { group, bundle: Some(bundle) };
        let mut reserved = self.bundles();
        if bundles
            .iter()
            .all(|(bundle, _)| reserved.get(&slot(*bundle)).is_some_and(|reserved| reserved.attempt == attempt))
        {
            return true;
        }
        // A peer may send amounts or slots that are not valid.
        if bundles.iter().any(|(bundle, request)| {
            !request.is_sound() || request.bundle.is_some() || reserved.contains_key(&slot(*bundle))
        }) {
            return false;
        }
        let mut taken: Vec<BundleShare> = Vec::new();
        for (_, request) in bundles {
            match self.take_bundle(request) {
                Some(share) => taken.push(share),
                None => {
                    taken.iter().for_each(|share| self.give_bundle(share));
                    return false;
                }
            }
        }
        for ((bundle, _), total) in bundles.iter().zip(taken) {
            let free = total.clone();
            let entry = ReservedBundle { attempt, free, total, ..ReservedBundle::default() };
            reserved.insert(slot(*bundle), entry);
        }
        true
    }

    /// Makes the bundles that were reserved by that attempt usable.
    pub fn commit(&self, group: ObjectId, attempt: u32) {
        let mut reserved = self.bundles();
        let of = reserved.iter_mut().filter(|(slot, reserved)| slot.group == group && reserved.attempt == attempt);
        of.for_each(|(_, reserved)| reserved.committed = true);
    }

    /// Returns to the host the bundles for which `is_released` is true, by slot and attempt; granted parts when they
    /// are returned.
    pub fn release(&self, is_released: impl Fn(&BundleSlot, u32) -> bool) {
        let mut cpu_waiters = Vec::new();
        self.bundles().retain(|slot, reserved| {
            if !is_released(slot, reserved.attempt) || reserved.removed {
                return true;
            }
            reserved.removed = true;
            cpu_waiters.append(&mut reserved.cpu_waiters);
            self.give_bundle(&reserved.free.drain());
            reserved.parts_out > 0
        });
        cpu_waiters.into_iter().for_each(|waiter| waiter.notify());
    }

    /// Returns true if the slot is reserved here, so that work for it may wait here.
    pub fn has_slot(&self, slot: BundleSlot) -> bool {
        let fits = |(own, reserved): (&BundleSlot, &ReservedBundle)| !reserved.removed && matches_slot(*own, slot);
        self.bundles().iter().any(fits)
    }

    /// Takes a part of a bundle, CPUs included.
    pub fn take_slot(&self, slot: BundleSlot, cpu: i64, request: &ResourceRequest) -> Option<Grant> {
        let custom = self.kinds(request)?;
        let mut reserved = self.bundles();
        let usable = reserved.iter_mut().filter(|(own, reserved)| reserved.is_usable() && matches_slot(**own, slot));
        for (own, reserved) in usable {
            if let Some(share) = reserved.free.take(cpu, request.gpu, &custom) {
                reserved.parts_out += 1;
                return Some(Grant { gpus: share.gpus, custom: share.custom, bundle: Some((*own, cpu)) });
            }
        }
        None
    }

    /// Returns a part to its bundle.
    pub fn return_slot(&self, slot: BundleSlot, cpu: i64, grant: &Grant) {
        let share = BundleShare { cpu, gpus: grant.gpus.clone(), custom: grant.custom.clone() };
        self.give_part(slot, &share, true);
    }

    /// How often a part would fit now. `usize::MAX` if the bundle was removed: work that waits for it must be woken to
    /// fail.
    pub fn fits_slot(&self, slot: BundleSlot, cpu: i64, request: &ResourceRequest) -> usize {
        if !self.has_slot(slot) {
            return usize::MAX;
        }
        let Some(custom) = self.kinds(request) else { return 0 };
        let reserved = self.bundles();
        let usable = reserved.iter().filter(|(own, reserved)| reserved.is_usable() && matches_slot(**own, slot));
        usable
            .fold(0, |count: usize, (_, reserved)| count.saturating_add(reserved.free.fits(cpu, request.gpu, &custom)))
    }

    /// Returns true if not even an unused bundle could meet the request.
    pub fn slot_is_too_small(&self, slot: BundleSlot, cpu: i64, request: &ResourceRequest) -> bool {
        let Some(custom) = self.kinds(request) else { return true };
        let bundles = self.bundles();
        let mut of = bundles.iter().filter(|(own, reserved)| !reserved.removed && matches_slot(**own, slot));
        of.all(|(_, reserved)| reserved.total.fits(cpu, request.gpu, &custom) == 0)
    }

    /// A task of the bundle waits: others may use its CPUs.
    pub fn yield_cpu(&self, slot: BundleSlot, cpu: i64) {
        self.give_part(slot, &BundleShare { cpu, ..BundleShare::default() }, false);
    }

    /// Takes a task's CPUs again after a wait. If they are not free it returns false, and `waiter` is notified when to
    /// try again. In a removed bundle it always succeeds: the deficit is made up when the task ends.
    pub fn try_reacquire_cpu(&self, slot: BundleSlot, cpu: i64, waiter: impl FnOnce() -> Arc<dyn Waiter>) -> bool {
        let mut bundles = self.bundles();
        let Some(reserved) = bundles.get_mut(&slot) else { return true };
        if reserved.removed || reserved.free.cpu >= cpu {
            reserved.free.cpu -= cpu;
            return true;
        }
        reserved.cpu_waiters.push(waiter());
        false
    }

    /// As `try_reacquire_cpu`, whether they are free or not.
    pub fn reacquire_cpu(&self, slot: BundleSlot, cpu: i64) {
        if let Some(reserved) = self.bundles().get_mut(&slot) {
            reserved.free.cpu -= cpu;
        }
    }

    fn give_part(&self, slot: BundleSlot, share: &BundleShare, ends: bool) {
        let mut bundles = self.bundles();
        let Some(reserved) = bundles.get_mut(&slot) else { return };
        reserved.free.give(share);
        if ends {
            reserved.parts_out -= 1;
        }
        let cpu_waiters = std::mem::take(&mut reserved.cpu_waiters);
        if reserved.removed {
            let free = reserved.free.drain();
            if reserved.parts_out == 0 {
                bundles.remove(&slot);
            }
            drop(bundles);
            self.give_bundle(&free);
        } else {
            drop(bundles);
        }
        cpu_waiters.into_iter().for_each(|waiter| waiter.notify());
    }

    /// Custom amounts by the index of their kind; `None` if the host has no such kind.
    fn kinds(&self, request: &ResourceRequest) -> Option<Vec<(usize, i64)>> {
        request.custom.iter().map(|(name, amount)| Some((self.custom_index(name)?, *amount))).collect()
    }

    fn take_bundle(&self, request: &ResourceRequest) -> Option<BundleShare> {
        let grant = self.take_non_cpu(request)?;
        if !self.take_cpu(request.cpu) {
            self.give_non_cpu(&grant);
            return None;
        }
        Some(BundleShare { cpu: request.cpu, gpus: grant.gpus, custom: grant.custom })
    }

    fn give_bundle(&self, share: &BundleShare) {
        self.give_cpu(share.cpu);
        self.give_non_cpu(&Grant { gpus: share.gpus.clone(), custom: share.custom.clone(), bundle: None });
    }
}

/// Returns true if `own` is a bundle that `requested` allows.
fn matches_slot(own: BundleSlot, requested: BundleSlot) -> bool {
    own.group == requested.group && requested.bundle.is_none_or(|bundle| own.bundle == Some(bundle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::resources::shared_table::SharedTable;
    use crate::scheduling::{Totals, UNIT};

    const GROUP: ObjectId = ObjectId { owner: 0, number: 1 };

    fn table() -> ResourceTable {
        let totals = Totals { cpu: 4 * UNIT, gpu: 2 * UNIT, custom: vec![("Custom".to_string(), UNIT)] };
        ResourceTable::new(SharedTable::for_test(1), totals, Vec::new())
    }

    fn cpus(cpus: i64) -> ResourceRequest {
        ResourceRequest { cpu: cpus * UNIT, ..ResourceRequest::default() }
    }

    fn part(bundle: Option<u32>, cpus: i64) -> ResourceRequest {
        ResourceRequest {
            bundle: Some((BundleSlot { group: GROUP, bundle }, cpus * UNIT)),
            ..ResourceRequest::default()
        }
    }

    #[test]
    fn reserve_takes_all_bundles_or_none_and_release_returns_them() {
        let table = table();
        let before = table.free_totals();
        assert!(!table.reserve(GROUP, 1, &[(0, cpus(3)), (1, cpus(2))]));
        assert_eq!(table.free_totals(), before);
        let rich = ResourceRequest { gpu: UNIT, custom: vec![("Custom".to_string(), UNIT)], ..cpus(1) };
        assert!(table.reserve(GROUP, 2, &[(0, cpus(2)), (1, rich.clone())]));
        assert!(table.reserve(GROUP, 2, &[(0, cpus(2)), (1, rich)]), "requested twice, reserved once");
        assert_eq!(table.free_cpu(), UNIT);
        assert_eq!(table.take_non_cpu(&part(Some(0), 1)), None, "not before the others are reserved too");
        table.commit(GROUP, 2);
        let grant = table.take_non_cpu(&part(Some(0), 2)).unwrap();
        assert_eq!(table.take_non_cpu(&part(Some(0), 1)), None);
        assert_eq!((table.fits(&part(Some(0), 1)), table.fits(&part(None, 1))), (0, 1));
        let too_small = |bundle| {
            table.slot_is_too_small(BundleSlot { group: GROUP, bundle }, 2 * UNIT, &ResourceRequest::default())
        };
        assert!(too_small(Some(1)) && !too_small(Some(0)) && !too_small(None));
        table.release(|_, attempt| attempt == 1);
        assert!(table.has_slot(BundleSlot { group: GROUP, bundle: None }));
        table.release(|_, attempt| attempt == 2);
        assert!(!table.has_slot(BundleSlot { group: GROUP, bundle: None }));
        assert_eq!(table.free_cpu(), 2 * UNIT, "a running task keeps its part");
        table.give_non_cpu(&grant);
        assert_eq!(table.free_totals(), before);
        assert_eq!(table.fits(&part(Some(0), 1)), usize::MAX, "work that waits for a removed bundle must be woken");
    }

    #[test]
    fn waiting_task_yields_its_cpus_and_goes_on_after_group_removal() {
        let table = table();
        let before = table.free_totals();
        assert!(table.reserve(GROUP, 1, &[(0, cpus(1))]));
        table.commit(GROUP, 1);
        let slot = BundleSlot { group: GROUP, bundle: Some(0) };
        let parent = table.take_non_cpu(&part(Some(0), 1)).unwrap();
        table.yield_cpu(slot, UNIT);
        let child = table.take_non_cpu(&part(Some(0), 1)).unwrap();
        table.give_non_cpu(&child);
        assert!(table.try_reacquire_cpu(slot, UNIT, || unreachable!("it is free")));
        table.yield_cpu(slot, UNIT);
        table.release(|_, _| true);
        assert_eq!(table.free_cpu(), 4 * UNIT);
        assert!(table.try_reacquire_cpu(slot, UNIT, || unreachable!("it does not wait for a removed bundle")));
        table.give_non_cpu(&parent);
        assert_eq!(table.free_totals(), before);
    }

    #[test]
    fn invalid_amounts_and_unknown_kinds_are_refused() {
        let table = table();
        let before = table.free_totals();
        let odd = ResourceRequest { custom: vec![("Else".to_string(), 0)], ..cpus(1) };
        for request in [cpus(-1), odd, part(Some(0), 1)] {
            assert!(!table.reserve(GROUP, 1, &[(0, request)]));
        }
        assert_eq!(table.free_totals(), before);
    }
}
