//! The free resources of a host, in memory that its ranks share.
//!
//! ```text
//!   cell 0      free CPUs                      all amounts in ten-thousandths
//!   cell 1      ranks that wait for resources, or more: who reads 0 misses none
//!   cells 2..   free share of each GPU
//!   then        free amounts of the custom kinds, in the order of the totals
//!   then        for each rank of the host: whether it waits
//!   then        for each rank of the host: what it holds of each of the above
//! ```
//! Each amount is taken by compare-and-swap and given back by addition; there is no lock for a dying rank to hold. What a
//! rank holds is noted after it was taken and crossed out before it is given back: what a dead rank noted is given back for
//! it, once, and one that dies between the two instructions leaves too little free rather than too much.
//! A rank that finds too little sets its flag, fences and looks again; who gives back adds, fences and reads the flags:
//! one of the two sees the other.

use crate::base::limits::{GPUS_PER_HOST_MAX, RANKS_PER_HOST_MAX, RESOURCE_KINDS_MAX};
use crate::base::sync::{AtomicI64, Ordering, fence};
use crate::mem::Segment;
use crate::sched::{Request, Totals, UNIT, amount_of};
use std::collections::BTreeMap;
use std::sync::Arc;

const CPU: usize = 0;
const WAITERS: usize = 1;
const GPUS: usize = 2;
const CUSTOM: usize = GPUS + GPUS_PER_HOST_MAX;
const FLAGS: usize = CUSTOM + RESOURCE_KINDS_MAX;

const HELD: usize = FLAGS + RANKS_PER_HOST_MAX;

/// Bytes that the table takes.
pub const TABLE_BYTES: usize = (HELD + RANKS_PER_HOST_MAX * HELD_CELLS) * 8;

/// Cells in which a rank notes what it holds, in cache lines of its own.
const HELD_CELLS: usize = FLAGS.next_multiple_of(16);

/// What a task or actor was given beside CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// GPU and share of it.
    pub gpus: Vec<(u32, i64)>,
    /// Index of the kind and amount.
    custom: Vec<(usize, i64)>,
}

/// Where the cells of a table lie: in a segment, or in a model's own memory.
pub trait Cells {
    /// All of them.
    fn cells(&self) -> &[AtomicI64];
}

impl Cells for Arc<Segment> {
    fn cells(&self) -> &[AtomicI64] {
        Segment::cells(self)
    }
}

/// The table, as one rank of the host sees it.
pub struct Table<C: Cells = Arc<Segment>> {
    segment: C,
    totals: Totals,
    /// This rank among those of its host.
    place: usize,
    ranks: usize,
}

impl<C: Cells> Table<C> {
    /// The table in `segment`; `place` is this rank's among the host's `ranks`.
    pub fn new(segment: C, totals: Totals, place: usize, ranks: usize) -> Table<C> {
        Table { segment, totals, place, ranks }
    }

    /// Writes the totals as free: once, by the host's first rank, before the others look.
    pub fn fill(&self) {
        self.cell(CPU).store(self.totals.cpu, Ordering::Relaxed);
        for gpu in 0..(self.totals.gpu / UNIT) as usize {
            self.cell(GPUS + gpu).store(UNIT, Ordering::Relaxed);
        }
        for (index, (_, total)) in self.totals.custom.iter().enumerate() {
            self.cell(CUSTOM + index).store(*total, Ordering::Relaxed);
        }
        fence(Ordering::SeqCst);
    }

    /// What is free, by name.
    pub fn available(&self) -> BTreeMap<String, f64> {
        let gpus: i64 = (0..self.gpu_count()).map(|gpu| self.load(GPUS + gpu)).sum();
        let custom = self.totals.custom.iter().enumerate();
        [("CPU".to_string(), amount_of(self.load(CPU))), ("GPU".to_string(), amount_of(gpus))]
            .into_iter()
            .chain(custom.map(|(index, (name, _))| (name.clone(), amount_of(self.load(CUSTOM + index)))))
            .collect()
    }

    /// Free CPUs.
    pub fn free_cpu(&self) -> i64 {
        self.load(CPU)
    }

    /// Whether a rank of the host waits for resources.
    pub fn somebody_waits(&self) -> bool {
        self.load(WAITERS) > 0
    }

    /// Takes CPUs; false where there are not so many.
    pub fn take_cpu(&self, amount: i64) -> bool {
        self.take(CPU, amount)
    }

    /// Gives CPUs back.
    pub fn give_cpu(&self, amount: i64) {
        self.give(CPU, amount);
    }

    /// The rank at `place` of this host is gone: what it held is free again. Any rank, any number of times.
    pub fn reclaim(&self, place: usize) {
        for cell in (0..FLAGS).filter(|cell| *cell != WAITERS) {
            let held = self.held(place, cell).swap(0, Ordering::AcqRel);
            if held > 0 {
                self.cell(cell).fetch_add(held, Ordering::AcqRel);
            }
        }
        if self.cell(FLAGS + place).swap(0, Ordering::AcqRel) != 0 {
            self.cell(WAITERS).fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Takes what a request asks for beside CPUs; `None`, with nothing taken, where it is not all free.
    pub fn take_rest(&self, request: &Request) -> Option<Grant> {
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
        order.sort_by_key(|gpu| self.load(GPUS + gpu));
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
        for (gpu, amount) in &grant.gpus {
            self.give(GPUS + *gpu as usize, *amount);
        }
        for (index, amount) in &grant.custom {
            self.give(CUSTOM + index, *amount);
        }
    }

    /// How many tasks with this request would fit now.
    pub fn fits(&self, request: &Request) -> usize {
        let times = |free: i64, wanted: i64| if wanted == 0 { usize::MAX } else { (free / wanted).max(0) as usize };
        let gpus = if request.gpu == 0 {
            usize::MAX
        } else if request.gpu < UNIT {
            (0..self.gpu_count()).map(|gpu| times(self.load(GPUS + gpu), request.gpu)).sum()
        } else {
            let whole = (0..self.gpu_count()).filter(|gpu| self.load(GPUS + gpu) == UNIT).count();
            whole / (request.gpu / UNIT) as usize
        };
        let custom = request
            .custom
            .iter()
            .map(|(name, wanted)| times(self.custom_index(name).map_or(0, |index| self.load(CUSTOM + index)), *wanted));
        custom.fold(times(self.load(CPU), request.cpu).min(gpus), usize::min)
    }

    /// This rank waits from now on. It must look once more before it relies on being told.
    pub fn wait(&self) {
        // Counted first, so that the count is never below the flags, also where this rank dies in between.
        self.cell(WAITERS).fetch_add(1, Ordering::AcqRel);
        if self.cell(FLAGS + self.place).swap(1, Ordering::AcqRel) != 0 {
            self.cell(WAITERS).fetch_sub(1, Ordering::AcqRel);
        }
        fence(Ordering::SeqCst);
    }

    /// Something was given back: `tell` for each rank of the host that waited, which then does not any more.
    pub fn announce(&self, mut tell: impl FnMut(usize)) {
        fence(Ordering::SeqCst);
        if self.load(WAITERS) <= 0 {
            return;
        }
        for place in 0..self.ranks {
            if self.load(FLAGS + place) != 0 && self.cell(FLAGS + place).swap(0, Ordering::AcqRel) != 0 {
                self.cell(WAITERS).fetch_sub(1, Ordering::AcqRel);
                tell(place);
            }
        }
    }

    fn custom_index(&self, name: &str) -> Option<usize> {
        self.totals.custom.iter().position(|(own, _)| own == name)
    }

    fn gpu_count(&self) -> usize {
        (self.totals.gpu / UNIT) as usize
    }

    fn take(&self, cell: usize, amount: i64) -> bool {
        if amount == 0 {
            return true;
        }
        let less = |free: i64| (free >= amount).then(|| free - amount);
        let taken = self.cell(cell).fetch_update(Ordering::AcqRel, Ordering::Relaxed, less).is_ok();
        if taken {
            self.held(self.place, cell).fetch_add(amount, Ordering::AcqRel);
        }
        taken
    }

    fn give(&self, cell: usize, amount: i64) {
        self.held(self.place, cell).fetch_sub(amount, Ordering::AcqRel);
        self.cell(cell).fetch_add(amount, Ordering::AcqRel);
    }

    /// What the rank at `place` notes that it holds.
    fn held(&self, place: usize, cell: usize) -> &AtomicI64 {
        self.cell(HELD + place * HELD_CELLS + cell)
    }

    fn load(&self, cell: usize) -> i64 {
        self.cell(cell).load(Ordering::Acquire)
    }

    fn cell(&self, index: usize) -> &AtomicI64 {
        &self.segment.cells()[index]
    }
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;
    use crate::sched::fixed_of;

    fn table() -> Table {
        let segment = Segment::create("table", TABLE_BYTES, Pages::Plain).unwrap();
        let totals = Totals { cpu: 2 * UNIT, gpu: 2 * UNIT, custom: vec![("Custom".to_string(), UNIT)] };
        let table = Table::new(Arc::new(segment), totals, 0, 2);
        table.fill();
        table
    }

    fn asks(gpu: f64, custom: f64) -> Request {
        Request { cpu: 0, gpu: fixed_of(gpu), custom: vec![("Custom".to_string(), fixed_of(custom))] }
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
    fn what_a_dead_rank_held_is_free_again_once() {
        let dead = table();
        let living = Table::new(dead.segment.clone(), dead.totals.clone(), 1, 2);
        assert!(living.take_cpu(UNIT) && dead.take_cpu(UNIT));
        let _never_given_back = dead.take_rest(&asks(1.0, 0.5)).unwrap();
        dead.wait();
        living.reclaim(0);
        living.reclaim(0);
        assert_eq!(living.free_cpu(), UNIT, "its own is still taken");
        assert_eq!((living.available()["GPU"], living.available()["Custom"]), (2.0, 1.0));
        assert!(!living.somebody_waits());
        living.give_cpu(UNIT);
        assert_eq!(living.free_cpu(), 2 * UNIT);
    }

    #[test]
    fn who_waits_is_told_once() {
        let table = table();
        table.wait();
        table.wait();
        assert!(table.somebody_waits());
        let mut told = Vec::new();
        table.announce(|place| told.push(place));
        table.announce(|place| told.push(place));
        assert_eq!(told, [0]);
        assert!(!table.somebody_waits());
    }
}
