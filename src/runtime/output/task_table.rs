//! What happened to the tasks that a rank submitted: a row of numbers for each, by the number of the task.
//!
//! A thread that submits a task is the only one that knows its row, and the one that runs it has got the task from
//! there: so rows are written without a lock. Each half of a row is published by its last word: a reader that loads
//! that with acquire sees the rest. Rows are in blocks that are allocated as they are needed, each twice as long as the
//! one before, so that they stay where they are.

use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use std::sync::OnceLock;

/// References that a row has room for.
pub const INPUTS: usize = 2;

/// What is known of a task. Functions are named by their keys, tasks and objects by their numbers in graphs, 0 for
/// none; times are in ticks.
#[derive(Default)]
pub struct TaskRow {
    parent: AtomicU64,
    inputs: [AtomicU64; INPUTS],
    result: AtomicU64,
    /// Of its last run.
    worker: AtomicU32,
    began: AtomicU64,
    /// Published: it ran.
    ended: AtomicU64,
    /// Published: it was submitted.
    function: AtomicU64,
}

/// A task's submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    pub function: u64,
    pub parent: u64,
    /// 0 if it has several, or none.
    pub result: u64,
    pub inputs: [u64; INPUTS],
}

/// A run of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRun {
    pub worker: u32,
    pub began: u64,
    pub ended: u64,
}

impl TaskRow {
    /// The task is submitted.
    #[inline]
    pub fn submit(&self, submission: Submission) {
        self.parent.store(submission.parent, Ordering::Relaxed);
        self.result.store(submission.result, Ordering::Relaxed);
        for (word, input) in self.inputs.iter().zip(submission.inputs) {
            word.store(input, Ordering::Relaxed);
        }
        // Its partner is the acquire in `submission`.
        self.function.store(submission.function, Ordering::Release);
    }

    /// The task has run.
    #[inline]
    pub fn run(&self, run: TaskRun) {
        self.worker.store(run.worker, Ordering::Relaxed);
        self.began.store(run.began, Ordering::Relaxed);
        // Its partner is the acquire in `last_run`.
        self.ended.store(run.ended, Ordering::Release);
    }

    /// The submission, once it is published.
    pub fn submission(&self) -> Option<Submission> {
        // Its partner is the release in `submit`.
        let function = self.function.load(Ordering::Acquire);
        (function != 0).then(|| Submission {
            function,
            parent: self.parent.load(Ordering::Relaxed),
            result: self.result.load(Ordering::Relaxed),
            inputs: self.inputs.each_ref().map(|input| input.load(Ordering::Relaxed)),
        })
    }

    /// The last run. Of a task that is started again at this moment, the begin may be that of the new run.
    pub fn last_run(&self) -> Option<TaskRun> {
        // Its partner is the release in `run`.
        let ended = self.ended.load(Ordering::Acquire);
        (ended != 0).then(|| TaskRun {
            worker: self.worker.load(Ordering::Relaxed),
            began: self.began.load(Ordering::Relaxed).min(ended),
            ended,
        })
    }
}

/// Rows of the first block.
const FIRST_BLOCK: usize = if cfg!(loom) { 1 } else { 1024 };

/// Blocks at most: enough for the hundred million tasks that `MOBULA_TRACE_TASKS` allows.
const BLOCKS_MAX: usize = 17;

/// The rows of a rank.
#[derive(Default)]
pub struct TaskTable {
    blocks: [OnceLock<Box<[TaskRow]>>; BLOCKS_MAX],
}

/// The block of a row and its place there.
#[inline]
fn place(index: usize) -> (usize, usize) {
    let block = (index / FIRST_BLOCK + 1).ilog2() as usize;
    (block, index - ((1 << block) - 1) * FIRST_BLOCK)
}

impl TaskTable {
    /// The row of that index, whose block is made if it is not there; `None` beyond the last.
    #[inline]
    pub fn row(&self, index: usize) -> Option<&TaskRow> {
        let (block, place) = place(index);
        self.blocks.get(block)?.get_or_init(|| fresh(block)).get(place)
    }
}

#[cold]
fn fresh(block: usize) -> Box<[TaskRow]> {
    (0..FIRST_BLOCK << block).map(|_| TaskRow::default()).collect()
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_each_other_over_the_blocks() {
        assert_eq!([0, 1023, 1024, 3071, 3072].map(place), [(0, 0), (0, 1023), (1, 0), (1, 2047), (2, 0)]);
        assert_eq!(place(100_000_000).0, BLOCKS_MAX - 1);
        let table = TaskTable::default();
        for index in [5, 1023, 1024, 5000] {
            let row = table.row(index).expect("a row");
            assert!(row.submission().is_none() && row.last_run().is_none());
            row.run(TaskRun { worker: 1, began: 10 + index as u64, ended: 20 + index as u64 });
        }
        assert_eq!(table.row(5000).and_then(TaskRow::last_run), Some(TaskRun { worker: 1, began: 5010, ended: 5020 }));
        assert_eq!(table.row(5).and_then(TaskRow::last_run), Some(TaskRun { worker: 1, began: 15, ended: 25 }));
        assert!(table.row(usize::MAX / 2).is_none());
    }
}
