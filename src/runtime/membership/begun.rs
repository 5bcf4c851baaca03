//! What a rank runs for other ranks, in its cells of its host's shared table: when its process ends, the host's other
//! ranks read there what it ran, and tell the others.
//!
//! ```text
//!   cell  0       1 if the rank left a note: it ends by a signal, or by `exit` in a task
//!   cells 1..5    the note: the task or call that ran on the thread that ended the process
//!   cell  5       how many tasks and calls began for which no entry was free
//!   cells 8..     entries: a task or call that has begun and not ended
//!
//!   a note or an entry: its kind and owner, its number there, the key of its function, a number of this rank:
//!     of an entry that of its task, of a note that of the task that submitted it
//! ```
//!
//! Only the rank itself writes its cells. It may end between any two instructions: the first cell of an entry, which
//! says that it is in use, is written last. Tasks that the rank submitted itself have no entry; one that ends the
//! process counts for the task that submitted it.
//!
//! Each of the first workers keeps an entry of its own, which it takes without an atomic operation; a second task of a
//! worker that begins while the first one waits, and other threads, take one of the others.

use crate::base::sync::{AtomicI64, AtomicU64, Ordering};
use crate::base::{ObjectId, Rank, TaskId};
use crate::protocol::{BEGUN_MAX, BegunWork, LastWork, WorkId};
use crate::runtime::Runtime;
use crate::runtime::tasks::context::{self, RunningWork};
use crate::runtime::workers::worker::Worker;
use std::cell::Cell;

const HAS_NOTE: usize = 0;
const NOTE: usize = 1;
const UNLISTED: usize = 5;
const ENTRIES: usize = 8;
const ENTRY_CELLS: usize = 4;

/// Cells that each rank of a host has in the shared table.
pub const WORK_CELLS: usize = ENTRIES + BEGUN_MAX * ENTRY_CELLS;

/// Which of this rank's entries are in use.
#[derive(Default)]
pub struct BegunEntries {
    used: AtomicU64,
}

const _: () = assert!(BEGUN_MAX <= 64, "a bit for each entry");

impl BegunEntries {
    /// Takes a free entry.
    fn take(&self) -> Option<usize> {
        let free = |used: u64| (used.trailing_ones() < BEGUN_MAX as u32).then(|| used | 1 << used.trailing_ones());
        let before = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?;
        Some(before.trailing_ones() as usize)
    }
}

/// The entry that a worker keeps for itself, while no task of it has it.
#[derive(Default)]
pub struct OwnEntry(Cell<Option<usize>>);

/// So many workers keep an entry.
const OWN_ENTRIES: usize = BEGUN_MAX / 2;

impl OwnEntry {
    /// For worker `index`.
    pub fn take(runtime: &Runtime, index: usize) -> OwnEntry {
        OwnEntry(Cell::new(if index < OWN_ENTRIES { runtime.membership.begun.take() } else { None }))
    }
}

/// When dropped, the task or call has ended.
pub struct BegunGuard {
    runtime: &'static Runtime,
    entry: Option<usize>,
    /// The worker that keeps the entry. The guard is dropped on its thread: a task ends where it began.
    kept_by: Option<&'static Worker>,
}

/// A task or call of that function, which other ranks know as `id` and this rank by `number`, begins here, on that
/// worker's thread.
#[inline]
pub fn begin(
    runtime: &'static Runtime,
    worker: Option<&'static Worker>,
    id: WorkId,
    function: u64,
    number: u64,
) -> BegunGuard {
    let own = worker.and_then(|worker| worker.begun_entry.0.take());
    let kept_by = if own.is_some() { worker } else { None };
    let entry = own.or_else(|| runtime.membership.begun.take());
    let cells = own_cells(runtime);
    match entry {
        Some(entry) => write(&cells[ENTRIES + entry * ENTRY_CELLS..], Some(id), function, number),
        None => {
            cells[UNLISTED].fetch_add(1, Ordering::Relaxed);
        }
    }
    BegunGuard { runtime, entry, kept_by }
}

impl Drop for BegunGuard {
    #[inline]
    fn drop(&mut self) {
        let cells = own_cells(self.runtime);
        match self.entry {
            Some(entry) => {
                cells[ENTRIES + entry * ENTRY_CELLS].store(0, Ordering::Release);
                match self.kept_by {
                    Some(worker) => worker.begun_entry.0.set(Some(entry)),
                    None => {
                        self.runtime.membership.begun.used.fetch_and(!(1 << entry), Ordering::Relaxed);
                    }
                }
            }
            None => {
                cells[UNLISTED].fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// The process is about to end, by what the calling thread runs: leaves a note of it. Takes no lock and allocates
/// nothing, for handlers of signals.
pub fn leave_note() {
    let (Some(runtime), Some(running)) = (Runtime::current(), context::running()) else { return };
    let RunningWork { id, function, caller } = running;
    let cells = own_cells(runtime);
    write(&cells[NOTE..], id, function, caller);
    cells[HAS_NOTE].store(1, Ordering::Release);
}

/// The process did not end after all.
pub fn withdraw_note() {
    if let Some(runtime) = Runtime::current() {
        own_cells(runtime)[HAS_NOTE].store(0, Ordering::Release);
    }
}

/// What the rank at that index of this host ran when its process ended.
pub fn last_work(runtime: &Runtime, index: usize) -> LastWork {
    read(runtime.resources.table.shared.work_cells(index))
}

fn own_cells(runtime: &Runtime) -> &[AtomicI64] {
    let table = &runtime.resources.table.shared;
    table.work_cells(table.index)
}

/// Writes a note or an entry; the first cell last.
fn write(cells: &[AtomicI64], id: Option<WorkId>, function: u64, number: u64) {
    let (kind, owner, id_number) = match id {
        None => (1, 0, 0),
        Some(WorkId::Task(TaskId { owner, number })) => (2, owner, number),
        Some(WorkId::Actor(ObjectId { owner, number })) => (3, owner, number),
    };
    cells[1].store(id_number.cast_signed(), Ordering::Relaxed);
    cells[2].store(function.cast_signed(), Ordering::Relaxed);
    cells[3].store(number.cast_signed(), Ordering::Relaxed);
    // Release: pairs with the Acquire in `read_entry`.
    cells[0].store(i64::from(owner) << 2 | kind, Ordering::Release);
}

/// The note or entry, and its number; `None` if there is none. Another process wrote it: any bits are possible.
fn read_entry(cells: &[AtomicI64]) -> Option<(BegunWork, u64)> {
    let first = cells[0].load(Ordering::Acquire);
    let [id_number, function, number] = [1, 2, 3].map(|cell| cells[cell].load(Ordering::Relaxed).cast_unsigned());
    let owner = Rank::try_from(first >> 2).ok()?;
    let id = match first & 3 {
        1 => None,
        2 => Some(WorkId::Task(TaskId { owner, number: id_number })),
        3 => Some(WorkId::Actor(ObjectId { owner, number: id_number })),
        _ => return None,
    };
    Some((BegunWork { id, function }, number))
}

/// What a rank ran, by its cells.
fn read(cells: &[AtomicI64]) -> LastWork {
    let is_complete = cells[UNLISTED].load(Ordering::Relaxed) == 0;
    let witnessed = |work| LastWork::Known { begun: vec![work], is_witnessed: true, is_complete };
    let entries: Vec<(BegunWork, u64)> =
        (0..BEGUN_MAX).filter_map(|entry| read_entry(&cells[ENTRIES + entry * ENTRY_CELLS..])).collect();
    let has_note = cells[HAS_NOTE].load(Ordering::Acquire) != 0;
    if let Some((work, caller)) = read_entry(&cells[NOTE..]).filter(|_| has_note) {
        if work.id.is_some() {
            return witnessed(work);
        }
        let of_caller = |(_, number): &&(BegunWork, u64)| caller != 0 && *number == caller;
        if let Some((parent, _)) = entries.iter().find(of_caller) {
            return witnessed(*parent);
        }
        if entries.is_empty() {
            return witnessed(work);
        }
    }
    LastWork::Known { begun: entries.into_iter().map(|(work, _)| work).collect(), is_witnessed: false, is_complete }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Vec<AtomicI64> {
        (0..WORK_CELLS).map(|_| AtomicI64::new(0)).collect()
    }

    fn task(number: u64) -> Option<WorkId> {
        Some(WorkId::Task(TaskId { owner: 3, number }))
    }

    fn begin_at(cells: &[AtomicI64], entry: usize, id: Option<WorkId>, number: u64) {
        write(&cells[ENTRIES + entry * ENTRY_CELLS..], id, 70 + number, number);
    }

    fn note(cells: &[AtomicI64], id: Option<WorkId>, caller: u64) {
        write(&cells[NOTE..], id, 9, caller);
        cells[HAS_NOTE].store(1, Ordering::Relaxed);
    }

    fn known(works: &[(Option<WorkId>, u64)], is_witnessed: bool) -> LastWork {
        let begun = works.iter().map(|(id, function)| BegunWork { id: *id, function: *function }).collect();
        LastWork::Known { begun, is_witnessed, is_complete: true }
    }

    #[test]
    fn without_a_note_all_that_had_begun_are_read() {
        let cells = cells();
        assert_eq!(read(&cells), known(&[], false));
        begin_at(&cells, 5, task(1), 1);
        assert_eq!(read(&cells), known(&[(task(1), 71)], false));
        begin_at(&cells, 63, task(u64::MAX), 2);
        assert_eq!(read(&cells), known(&[(task(1), 71), (task(u64::MAX), 72)], false));
        cells[UNLISTED].store(1, Ordering::Relaxed);
        assert!(matches!(read(&cells), LastWork::Known { is_complete: false, .. }), "one more has no entry");
    }

    #[test]
    fn note_names_the_one_that_ended_the_process() {
        let cells = cells();
        begin_at(&cells, 0, task(1), 1);
        begin_at(&cells, 1, task(2), 2);
        let actor = Some(WorkId::Actor(ObjectId { owner: 65_535, number: 2 }));
        for id in [task(2), actor] {
            note(&cells, id, 0);
            assert_eq!(read(&cells), known(&[(id, 9)], true));
        }
    }

    #[test]
    fn task_that_the_rank_submitted_itself_counts_for_its_caller() {
        let cells = cells();
        note(&cells, None, 0);
        assert_eq!(read(&cells), known(&[(None, 9)], true), "of a driver");
        begin_at(&cells, 0, task(1), 1);
        begin_at(&cells, 1, task(2), 2);
        note(&cells, None, 2);
        assert_eq!(read(&cells), known(&[(task(2), 72)], true));
        note(&cells, None, 88);
        assert_eq!(read(&cells), known(&[(task(1), 71), (task(2), 72)], false), "of a task that has ended");
    }

    #[test]
    fn bits_that_no_rank_writes_are_no_entry() {
        let cells = cells();
        for first in [-1, i64::MAX, i64::MIN, 4, 1 << 40 | 2] {
            cells[ENTRIES].store(first, Ordering::Relaxed);
            assert_eq!(read(&cells), known(&[], false), "{first}");
        }
    }

    #[test]
    fn entries_are_taken_once_and_given_back() {
        let entries = BegunEntries::default();
        let taken: Vec<usize> = (0..BEGUN_MAX).filter_map(|_| entries.take()).collect();
        assert_eq!((taken, entries.take()), ((0..BEGUN_MAX).collect(), None));
        entries.used.fetch_and(!(1 << 7), Ordering::Relaxed);
        assert_eq!((entries.take(), entries.take()), (Some(7), None));
    }
}
