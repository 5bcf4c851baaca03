//! The free resources of a host: what it has, less what its living ranks hold.
//!
//! Nobody keeps what is free. Each rank notes what it holds in a cell of its own on the host's [`Board`], by one addition,
//! and what is free is worked out from all of them. So there is no lock for a dying rank to hold and no moment at which
//! something is neither free nor held: a rank killed between any two instructions holds what it noted, and giving it up is
//! one instruction too. One that was only stopped, was given up and goes on changes cells that nobody reads.
//!
//! Who takes adds first and then looks whether that was too much; if it was, it takes its note back. Of two that take the
//! last of something at the same time, one at least sees both notes, so there is never too much held; both may see them,
//! and then both try again. For the while that a note stands that is taken back, a third may have found too little and gone
//! to sleep: so who takes a note back tells those that wait, as one does that gives something back.
//!
//! A rank that finds too little sets its bit, fences and looks again; who gives back adds, fences and reads the bits:
//! one of the two sees the other.

use crate::base::limits::GPUS_PER_HOST_MAX;
use crate::base::sync::{Ordering, fence};
use crate::memory::{Bell, Segment};
use crate::runtime::board::{Board, Cells};
use crate::runtime::bundles::Bundles;
use crate::scheduling::{Grant, Request, Totals, UNIT, amount_of};
use std::collections::BTreeMap;
use std::sync::Arc;

const CPU: usize = 0;
const GPUS: usize = 1;
const CUSTOM: usize = GPUS + GPUS_PER_HOST_MAX;

/// How often a rank tries again where another took the same thing at the same time, before it says that too little is free.
const TRIES: u32 = 8;

/// The table, as one rank of the host sees it.
pub struct Table<C: Cells = Arc<Segment>> {
    pub(super) board: Board<C>,
    totals: Totals,
    /// By place on the host: what wakes that rank, where there is such a thing.
    bells: Vec<Option<Arc<Bell>>>,
    /// What placement groups hold of it by this rank.
    pub(super) bundles: Bundles,
}

impl<C: Cells> Table<C> {
    /// What `totals` says, less what is held on the board; `bells` wake the ranks of the host, by their places.
    pub fn new(board: Board<C>, totals: Totals, bells: Vec<Option<Arc<Bell>>>) -> Table<C> {
        Table { board, totals, bells, bundles: Bundles::default() }
    }

    /// What is free, by name.
    pub fn available(&self) -> BTreeMap<String, f64> {
        let gpus: i64 = (0..self.gpu_count()).map(|gpu| self.free(GPUS + gpu)).sum();
        let custom = self.totals.custom.iter().enumerate();
        [("CPU".to_string(), amount_of(self.free(CPU))), ("GPU".to_string(), amount_of(gpus))]
            .into_iter()
            .chain(custom.map(|(index, (name, _))| (name.clone(), amount_of(self.free(CUSTOM + index)))))
            .collect()
    }

    /// What is free, in ten-thousandths.
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

    /// Whether a rank of the host waits for resources.
    #[inline]
    pub fn somebody_waits(&self) -> bool {
        self.board.somebody_waits()
    }

    /// Takes CPUs; false where there are not so many.
    pub fn take_cpu(&self, amount: i64) -> bool {
        self.take(CPU, amount)
    }

    /// Gives CPUs back.
    pub fn give_cpu(&self, amount: i64) {
        self.give(CPU, amount);
    }

    /// Takes what a request asks for beside CPUs; `None`, with nothing taken, where it is not all free.
    pub fn take_rest(&self, request: &Request) -> Option<Grant> {
        if let Some((seat, cpu)) = request.seat {
            return self.take_seat(seat, cpu, request);
        }
        let mut grant = Grant::default();
        for (name, amount) in &request.custom {
            let taken = self.custom_index(name).filter(|index| self.take(CUSTOM + index, *amount));
            match taken {
                Some(index) => grant.custom.push((index, *amount)),
                None => {
                    self.give_rest(&grant);
                    return None;
                }
            }
        }
        if !self.take_gpus(request.gpu, &mut grant) {
            self.give_rest(&grant);
            return None;
        }
        Some(grant)
    }

    /// Whole GPUs first come first served; a share from the fullest GPU that has it.
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

    /// Gives back what `take_rest` took.
    pub fn give_rest(&self, grant: &Grant) {
        if let Some((seat, cpu)) = grant.bundle {
            return self.give_seat(seat, cpu, grant);
        }
        for (gpu, amount) in &grant.gpus {
            self.give(GPUS + *gpu as usize, *amount);
        }
        for (index, amount) in &grant.custom {
            self.give(CUSTOM + index, *amount);
        }
    }

    /// How many tasks with this request would fit now.
    pub fn fits(&self, request: &Request) -> usize {
        if let Some((seat, cpu)) = request.seat {
            return self.fits_seat(seat, cpu, request);
        }
        let times = |free: i64, wanted: i64| if wanted == 0 { usize::MAX } else { (free / wanted).max(0) as usize };
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
            .map(|(name, wanted)| times(self.custom_index(name).map_or(0, |index| self.free(CUSTOM + index)), *wanted));
        custom.fold(times(self.free(CPU), request.cpu).min(gpus), usize::min)
    }

    /// This rank waits from now on. It must look once more before it relies on being told.
    pub fn wait(&self) {
        self.board.wait();
        fence(Ordering::SeqCst);
    }

    /// Something was given back: `tell` for each rank of the host that waited, which then does not any more.
    pub fn announce(&self, tell: impl FnMut(usize)) {
        fence(Ordering::SeqCst);
        if self.board.somebody_waits() {
            self.board.take_waiters(tell);
        }
    }

    pub(super) fn custom_index(&self, name: &str) -> Option<usize> {
        self.totals.custom.iter().position(|(own, _)| own == name)
    }

    fn gpu_count(&self) -> usize {
        (self.totals.gpu / UNIT) as usize
    }

    /// What the host has of a kind.
    fn total(&self, kind: usize) -> i64 {
        match kind {
            CPU => self.totals.cpu,
            CUSTOM.. => self.totals.custom.get(kind - CUSTOM).map_or(0, |(_, total)| *total),
            gpu => {
                if gpu - GPUS < self.gpu_count() {
                    UNIT
                } else {
                    0
                }
            }
        }
    }

    /// What is free of a kind; below zero for a moment where several take at once.
    fn free(&self, kind: usize) -> i64 {
        self.total(kind) - self.board.held(kind)
    }

    fn take(&self, kind: usize, amount: i64) -> bool {
        if amount == 0 {
            return true;
        }
        for attempt in 0..TRIES {
            // Who is certain to find too little notes nothing.
            if self.free(kind) < amount {
                return false;
            }
            self.board.hold(kind, amount);
            if self.free(kind) >= 0 {
                return true;
            }
            self.give(kind, amount);
            self.announce(|place| {
                if let Some(bell) = self.bells.get(place).and_then(Option::as_ref) {
                    bell.ring();
                }
            });
            // Not all alike: otherwise the same ranks could meet again each time.
            (0..(self.board.place as u32 + 1) << attempt).for_each(|_| std::hint::spin_loop());
        }
        false
    }

    fn give(&self, kind: usize, amount: i64) {
        self.board.hold(kind, -amount);
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

    fn table() -> Table {
        Table::new(Board::of_one_process(2), totals(), Vec::new())
    }

    fn asks(gpu: f64, custom: f64) -> Request {
        Request { gpu: fixed_of(gpu), custom: vec![("Custom".to_string(), fixed_of(custom))], ..Request::default() }
    }

    #[test]
    fn shares_of_a_gpu_are_packed_and_whole_ones_are_whole() {
        let table = table();
        let half = table.take_rest(&asks(0.5, 0.0)).unwrap();
        let other = table.take_rest(&asks(0.5, 0.0)).unwrap();
        assert_eq!(half.gpus[0].0, other.gpus[0].0, "two halves share one GPU");
        let whole = table.take_rest(&asks(1.0, 0.0)).unwrap();
        assert_ne!(whole.gpus[0].0, half.gpus[0].0);
        assert_eq!(table.take_rest(&asks(0.1, 0.0)), None);
        table.give_rest(&half);
        assert!(table.take_rest(&asks(0.1, 0.0)).is_some());
    }

    #[test]
    fn what_is_not_all_there_is_not_taken_at_all() {
        let table = table();
        assert_eq!(table.take_rest(&asks(3.0, 0.5)), None);
        assert_eq!(table.available()["Custom"], 1.0);
        assert_eq!(table.available()["GPU"], 2.0);
        assert!(table.take_cpu(2 * UNIT) && !table.take_cpu(1));
    }

    #[test]
    fn what_a_dead_rank_held_is_free_again_also_when_it_goes_on() {
        let living = table();
        let dead = Table::new(living.board.seen_from(1), totals(), Vec::new());
        assert!(living.take_cpu(UNIT) && dead.take_cpu(UNIT) && !living.take_cpu(UNIT));
        let held = dead.take_rest(&asks(1.0, 0.5)).unwrap();
        dead.wait();
        living.board.give_up(1);
        living.board.give_up(1);
        assert_eq!(living.free_cpu(), UNIT, "its own is still taken");
        assert_eq!((living.available()["GPU"], living.available()["Custom"]), (2.0, 1.0));
        assert!(!living.somebody_waits());
        dead.give_rest(&held);
        dead.give_cpu(UNIT);
        dead.take_cpu(UNIT);
        assert_eq!((living.free_cpu(), living.available()["GPU"]), (UNIT, 2.0), "nobody listens to it");
        living.give_cpu(UNIT);
        assert_eq!(living.free_cpu(), 2 * UNIT);
    }

    /// Four ranks take and give two CPUs as fast as they can: never are there more than two taken, and all are free at last.
    #[test]
    fn there_is_never_more_taken_than_there_is() {
        const ROUNDS: usize = 20_000;
        let first = Board::of_one_process(4);
        let holders = std::sync::atomic::AtomicUsize::new(0);
        let taken: usize = std::thread::scope(|scope| {
            let rank = |place| {
                let (table, holders) = (Table::new(first.seen_from(place), totals(), Vec::new()), &holders);
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
        assert!(taken > ROUNDS, "{taken} of {} were let", 4 * ROUNDS);
        assert_eq!(Table::new(first, totals(), Vec::new()).free_cpu(), 2 * UNIT);
    }
}
