//! The bundles of placement groups that this rank holds: taken from its host's table whole, handed to tasks and actors in
//! parts. What a bundle has is noted in the table as held by this rank, so that it is free again when the rank dies.

use crate::base::sync::lock;
use crate::base::{ObjectId, Seat};
use crate::objects::Waiter;
use crate::runtime::board::Cells;
use crate::runtime::table::Table;
use crate::scheduling::Grant;
use crate::scheduling::{Account, Request, Share};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// By place: what is held there.
#[derive(Default)]
pub struct Bundles {
    held: Mutex<FxHashMap<Seat, Held>>,
}

struct Held {
    attempt: u32,
    /// Whether the group's other bundles are held too: nothing is handed out before.
    committed: bool,
    account: Account,
    /// What it has in all.
    whole: Account,
    /// The group is gone: what is free, and what comes back, is the host's.
    removed: bool,
    /// Parts that are handed out.
    out: usize,
    /// Tasks that waited for something and need their CPUs to go on.
    returning: Vec<Arc<dyn Waiter>>,
}

impl Held {
    fn is_open(&self) -> bool {
        self.committed && !self.removed
    }
}

impl<C: Cells> Table<C> {
    fn bundles(&self) -> MutexGuard<'_, FxHashMap<Seat, Held>> {
        lock(&self.bundles.held)
    }

    /// Holds bundles of a group, all or none. True also where that was done before.
    pub fn hold(&self, group: ObjectId, attempt: u32, bundles: &[(u32, Request)]) -> bool {
        let seat = |bundle: u32| Seat { group, bundle: Some(bundle) };
        let mut held = self.bundles();
        if bundles.iter().all(|(bundle, _)| held.get(&seat(*bundle)).is_some_and(|held| held.attempt == attempt)) {
            return true;
        }
        // What a peer sent may be nothing that a host counts.
        if bundles
            .iter()
            .any(|(bundle, request)| !request.is_sound() || request.seat.is_some() || held.contains_key(&seat(*bundle)))
        {
            return false;
        }
        let mut taken: Vec<Share> = Vec::new();
        for (_, request) in bundles {
            match self.take_whole(request) {
                Some(share) => taken.push(share),
                None => {
                    taken.iter().for_each(|share| self.give_whole(share));
                    return false;
                }
            }
        }
        for ((bundle, _), share) in bundles.iter().zip(&taken) {
            let whole = Account::of(share);
            let account = whole.clone();
            let entry =
                Held { attempt, committed: false, account, whole, removed: false, out: 0, returning: Vec::new() };
            held.insert(seat(*bundle), entry);
        }
        true
    }

    /// The bundles of the group that came by that attempt may be used.
    pub fn commit(&self, group: ObjectId, attempt: u32) {
        let mut held = self.bundles();
        let of = held.iter_mut().filter(|(seat, held)| seat.group == group && held.attempt == attempt);
        of.for_each(|(_, held)| held.committed = true);
    }

    /// Bundles of which `goes` says so, by place and attempt, are the host's again; what is handed out, when it comes back.
    pub fn release(&self, goes: impl Fn(&Seat, u32) -> bool) {
        let mut returning = Vec::new();
        self.bundles().retain(|seat, held| {
            if !goes(seat, held.attempt) || held.removed {
                return true;
            }
            held.removed = true;
            returning.append(&mut held.returning);
            self.give_whole(&held.account.empty());
            held.out > 0
        });
        returning.into_iter().for_each(|waiter| waiter.ready());
    }

    /// Whether the place is held here, so that work for it may wait for it.
    pub fn has_seat(&self, seat: Seat) -> bool {
        let fits = |(own, held): (&Seat, &Held)| !held.removed && is_of(*own, seat);
        self.bundles().iter().any(fits)
    }

    /// Takes a part of a bundle, CPUs and all.
    pub(super) fn take_seat(&self, seat: Seat, cpu: i64, request: &Request) -> Option<Grant> {
        let custom = self.kinds(request)?;
        let mut held = self.bundles();
        let open = held.iter_mut().filter(|(own, held)| held.is_open() && is_of(**own, seat));
        for (own, held) in open {
            if let Some(share) = held.account.take(cpu, request.gpu, &custom) {
                held.out += 1;
                return Some(Grant { gpus: share.gpus, custom: share.custom, bundle: Some((*own, cpu)) });
            }
        }
        None
    }

    /// Gives a part back.
    pub(super) fn give_seat(&self, seat: Seat, cpu: i64, grant: &Grant) {
        let share = Share { cpu, gpus: grant.gpus.clone(), custom: grant.custom.clone() };
        self.returned(seat, &share, true);
    }

    /// How often a part would fit now; where there is no such bundle any more, always: who waits for it is to be told.
    pub(super) fn fits_seat(&self, seat: Seat, cpu: i64, request: &Request) -> usize {
        if !self.has_seat(seat) {
            return usize::MAX;
        }
        let Some(custom) = self.kinds(request) else { return 0 };
        let held = self.bundles();
        let open = held.iter().filter(|(own, held)| held.is_open() && is_of(**own, seat));
        open.fold(0, |count: usize, (_, held)| count.saturating_add(held.account.fits(cpu, request.gpu, &custom)))
    }

    /// Whether a request could not even be met by a whole bundle that nobody uses.
    pub fn seat_is_too_small(&self, seat: Seat, cpu: i64, request: &Request) -> bool {
        let Some(custom) = self.kinds(request) else { return true };
        let bundles = self.bundles();
        let mut of = bundles.iter().filter(|(own, held)| !held.removed && is_of(**own, seat));
        of.all(|(_, held)| held.whole.fits(cpu, request.gpu, &custom) == 0)
    }

    /// A task of the bundle waits for something: others may have its CPUs.
    pub fn lend_cpu(&self, seat: Seat, cpu: i64) {
        self.returned(seat, &Share { cpu, ..Share::default() }, false);
    }

    /// The task can go on, where its CPUs are free; else `waiter` is told when to ask again. In a bundle that was removed it goes
    /// on at once: what it owes is made up when it ends.
    pub fn take_back_cpu(&self, seat: Seat, cpu: i64, waiter: impl FnOnce() -> Arc<dyn Waiter>) -> bool {
        let mut bundles = self.bundles();
        let Some(held) = bundles.get_mut(&seat) else { return true };
        if held.removed || held.account.cpu >= cpu {
            held.account.cpu -= cpu;
            return true;
        }
        held.returning.push(waiter());
        false
    }

    /// As `take_back_cpu`, whether they are free or not.
    pub fn owe_cpu(&self, seat: Seat, cpu: i64) {
        if let Some(held) = self.bundles().get_mut(&seat) {
            held.account.cpu -= cpu;
        }
    }

    fn returned(&self, seat: Seat, share: &Share, ends: bool) {
        let mut bundles = self.bundles();
        let Some(held) = bundles.get_mut(&seat) else { return };
        held.account.give(share);
        if ends {
            held.out -= 1;
        }
        let returning = std::mem::take(&mut held.returning);
        if held.removed {
            let free = held.account.empty();
            if held.out == 0 {
                bundles.remove(&seat);
            }
            drop(bundles);
            self.give_whole(&free);
        } else {
            drop(bundles);
        }
        returning.into_iter().for_each(|waiter| waiter.ready());
    }

    /// Custom amounts by the place of their kind; `None` where the host has no such kind.
    fn kinds(&self, request: &Request) -> Option<Vec<(usize, i64)>> {
        request.custom.iter().map(|(name, amount)| Some((self.custom_index(name)?, *amount))).collect()
    }

    fn take_whole(&self, request: &Request) -> Option<Share> {
        let grant = self.take_rest(request)?;
        if !self.take_cpu(request.cpu) {
            self.give_rest(&grant);
            return None;
        }
        Some(Share { cpu: request.cpu, gpus: grant.gpus, custom: grant.custom })
    }

    fn give_whole(&self, share: &Share) {
        self.give_cpu(share.cpu);
        self.give_rest(&Grant { gpus: share.gpus.clone(), custom: share.custom.clone(), bundle: None });
    }
}

/// Whether the bundle `own` is one that `asked` means.
fn is_of(own: Seat, asked: Seat) -> bool {
    own.group == asked.group && asked.bundle.is_none_or(|bundle| own.bundle == Some(bundle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::board::Board;
    use crate::scheduling::{Totals, UNIT};

    const GROUP: ObjectId = ObjectId { owner: 0, number: 1 };

    fn table() -> Table {
        let totals = Totals { cpu: 4 * UNIT, gpu: 2 * UNIT, custom: vec![("Custom".to_string(), UNIT)] };
        Table::new(Board::of_one_process(1), totals, Vec::new())
    }

    fn cpus(cpus: i64) -> Request {
        Request { cpu: cpus * UNIT, ..Request::default() }
    }

    fn part(bundle: Option<u32>, cpus: i64) -> Request {
        Request { seat: Some((Seat { group: GROUP, bundle }, cpus * UNIT)), ..Request::default() }
    }

    #[test]
    fn bundles_are_held_all_or_none_and_what_is_taken_goes_back() {
        let table = table();
        let whole = table.free_totals();
        assert!(!table.hold(GROUP, 1, &[(0, cpus(3)), (1, cpus(2))]));
        assert_eq!(table.free_totals(), whole);
        let rich = Request { gpu: UNIT, custom: vec![("Custom".to_string(), UNIT)], ..cpus(1) };
        assert!(table.hold(GROUP, 2, &[(0, cpus(2)), (1, rich.clone())]));
        assert!(table.hold(GROUP, 2, &[(0, cpus(2)), (1, rich)]), "asked twice, held once");
        assert_eq!(table.free_cpu(), UNIT);
        assert_eq!(table.take_rest(&part(Some(0), 1)), None, "not before the others are held too");
        table.commit(GROUP, 2);
        let grant = table.take_rest(&part(Some(0), 2)).unwrap();
        assert_eq!(table.take_rest(&part(Some(0), 1)), None);
        assert_eq!((table.fits(&part(Some(0), 1)), table.fits(&part(None, 1))), (0, 1));
        let too_small = |bundle| table.seat_is_too_small(Seat { group: GROUP, bundle }, 2 * UNIT, &Request::default());
        assert!(too_small(Some(1)) && !too_small(Some(0)) && !too_small(None));
        table.release(|_, attempt| attempt == 1);
        assert!(table.has_seat(Seat { group: GROUP, bundle: None }));
        table.release(|_, attempt| attempt == 2);
        assert!(!table.has_seat(Seat { group: GROUP, bundle: None }));
        assert_eq!(table.free_cpu(), 2 * UNIT, "what a task has, it keeps");
        table.give_rest(&grant);
        assert_eq!(table.free_totals(), whole);
        assert_eq!(table.fits(&part(Some(0), 1)), usize::MAX, "who waits for a bundle that is gone is to be told");
    }

    #[test]
    fn a_task_that_waits_lends_its_cpus_also_when_the_group_goes_meanwhile() {
        let table = table();
        let whole = table.free_totals();
        assert!(table.hold(GROUP, 1, &[(0, cpus(1))]));
        table.commit(GROUP, 1);
        let seat = Seat { group: GROUP, bundle: Some(0) };
        let parent = table.take_rest(&part(Some(0), 1)).unwrap();
        table.lend_cpu(seat, UNIT);
        let child = table.take_rest(&part(Some(0), 1)).unwrap();
        table.give_rest(&child);
        assert!(table.take_back_cpu(seat, UNIT, || unreachable!("it is free")));
        table.lend_cpu(seat, UNIT);
        table.release(|_, _| true);
        assert_eq!(table.free_cpu(), 4 * UNIT);
        assert!(table.take_back_cpu(seat, UNIT, || unreachable!("it does not wait for a bundle that is gone")));
        table.give_rest(&parent);
        assert_eq!(table.free_totals(), whole);
    }

    #[test]
    fn amounts_that_are_none_and_kinds_that_are_unknown_are_refused() {
        let table = table();
        let whole = table.free_totals();
        let odd = Request { custom: vec![("Else".to_string(), 0)], ..cpus(1) };
        for request in [cpus(-1), odd, part(Some(0), 1)] {
            assert!(!table.hold(GROUP, 1, &[(0, request)]));
        }
        assert_eq!(table.free_totals(), whole);
    }
}
