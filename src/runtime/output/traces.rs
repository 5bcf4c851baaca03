//! Records of the first tasks of a rank, for graphs and timelines.
//!
//! While tasks run, a record is a few numbers in the row of its task. Names, lists and nanoseconds are made of them
//! when someone asks for the records. What few tasks have is in lists under a lock: names of their own, several
//! results, many references, a submitter on another rank.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::ticks::Ticks;
use crate::base::trace::TaskRecord;
use crate::base::{ObjectId, Rank};
use crate::objects::AnySlot;
use crate::registry::{Runnable, TaskHeader, functions};
use crate::runtime::Runtime;
use crate::runtime::output::task_table::{INPUTS, Submission, TaskRow, TaskRun, TaskTable};
use crate::runtime::tasks::context;
use crate::runtime::workers::worker::Worker;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The records of a rank: half of a task's record, if the task was submitted here and ran elsewhere, or vice versa.
pub struct Traces {
    limit: usize,
    submitted: AtomicUsize,
    ticks: Ticks,
    /// The tasks that were submitted here.
    tasks: TaskTable,
    rest: Mutex<Rest>,
}

/// What few tasks have, by their numbers.
#[derive(Default)]
struct Rest {
    /// The names of tasks that have others than their functions.
    names: BTreeMap<u64, String>,
    /// References beyond those that a row has room for.
    inputs: Vec<(u64, u64)>,
    /// Results of tasks that have several.
    outputs: Vec<(u64, u64)>,
    /// Runs of tasks of other ranks, with their functions.
    runs: Vec<(u64, u64, TaskRun)>,
}

impl Traces {
    /// For the first `limit` tasks.
    pub fn new(limit: usize, ticks: Ticks) -> Traces {
        Traces { limit, submitted: AtomicUsize::new(0), ticks, tasks: TaskTable::default(), rest: Mutex::default() }
    }

    /// Records a task that was submitted here, before any other thread sees it.
    #[inline]
    pub fn record_submission(&self, runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
        if self.submitted.load(Ordering::Relaxed) < self.limit {
            self.record_new(runtime, task);
        }
    }

    /// When a task begins that is recorded.
    #[inline]
    pub fn begin(&self, header: &TaskHeader) -> Option<u64> {
        (header.number.load(Ordering::Relaxed) != 0).then(|| self.ticks.now())
    }

    #[inline(never)]
    fn record_new(&self, runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
        let index = self.submitted.fetch_add(1, Ordering::Relaxed);
        let Some(row) = self.tasks.row(index).filter(|_| index < self.limit) else { return };
        let header = task.header();
        let number = number_in_graphs(runtime.cluster.rank, index as u64 + 1);
        header.number.store(number, Ordering::Relaxed);
        let object = runtime.protocol.objects.references.fresh_number();
        let result = if task.number_result(object) { number_in_graphs(runtime.cluster.rank, object) } else { 0 };
        let mut inputs = [0; INPUTS];
        if !task.all_values() {
            self.record_inputs(runtime, task, &mut inputs);
        }
        if result == 0 || header.options.is_some() {
            self.record_rest(runtime, task, result == 0);
        }
        row.submit(Submission { function: key_of(header), parent: context::trace_number(), result, inputs });
    }

    fn record_inputs(&self, runtime: &'static Runtime, task: &Arc<dyn Runnable>, inputs: &mut [u64; INPUTS]) {
        let mut count = 0;
        task.references(&mut |slot| {
            let object = number_of(runtime, &*slot);
            match inputs.get_mut(count) {
                Some(input) => *input = object,
                None => lock(&self.rest).inputs.push((task.header().number.load(Ordering::Relaxed), object)),
            }
            count += 1;
        });
    }

    #[cold]
    fn record_rest(&self, runtime: &'static Runtime, task: &Arc<dyn Runnable>, has_several: bool) {
        let number = task.header().number.load(Ordering::Relaxed);
        if has_several {
            let outputs = task.clone().objects();
            let numbers = outputs.iter().map(|slot| (number, number_of(runtime, &**slot)));
            lock(&self.rest).outputs.extend(numbers);
        }
        self.note_name(task.header());
    }

    /// Keeps the task's name, if it has one of its own.
    fn note_name(&self, header: &TaskHeader) {
        if header.options.as_ref().is_some_and(|options| options.name.is_some()) {
            lock(&self.rest).names.insert(header.number.load(Ordering::Relaxed), header.name().to_string());
        }
    }

    /// Records the run of a task here, which began at that time.
    #[inline]
    pub fn record_run(&self, rank: Rank, header: &TaskHeader, began: u64, worker: Option<&Worker>) {
        let ended = self.ticks.now();
        let worker = worker.map_or(u32::MAX, |worker| worker.shared.index as u32);
        let run = TaskRun { worker, began, ended };
        match self.own_row(rank, header.number.load(Ordering::Relaxed)) {
            Some(row) => row.run(run),
            None => self.record_others_run(header, run),
        }
    }

    /// The row of a task that was submitted here.
    #[inline]
    fn own_row(&self, rank: Rank, number: u64) -> Option<&TaskRow> {
        let index = number.wrapping_sub(number_in_graphs(rank, 1));
        // Numbers of other ranks are far away.
        if index < self.limit as u64 { self.tasks.row(index as usize) } else { None }
    }

    #[cold]
    fn record_others_run(&self, header: &TaskHeader, run: TaskRun) {
        lock(&self.rest).runs.push((header.number.load(Ordering::Relaxed), key_of(header), run));
        self.note_name(header);
    }

    /// The records of this rank.
    pub fn records(&self, rank: Rank) -> Vec<TaskRecord> {
        let (to_ns, rest) = (self.ticks.converter(), lock(&self.rest));
        let record = |task: u64, function: u64| {
            let of_function = || functions().get(function).map_or("task", |entry| entry.name);
            let name = rest.names.get(&task).map_or_else(of_function, String::as_str).to_string();
            TaskRecord { task, name, rank: u32::MAX, ..TaskRecord::default() }
        };
        let ran = |task: u64, function: u64, TaskRun { worker, began, ended }: TaskRun| {
            let (began_ns, ended_ns) = (to_ns(began), to_ns(ended).max(1));
            TaskRecord { rank, worker, began_ns, ended_ns, ..record(task, function) }
        };
        let mut submitted: BTreeMap<u64, TaskRecord> = BTreeMap::new();
        let mut runs = Vec::new();
        for index in 0..self.submitted.load(Ordering::Relaxed).min(self.limit) {
            let Some((row, submission)) = self.tasks.row(index).and_then(|row| Some((row, row.submission()?))) else {
                continue;
            };
            let Submission { function, parent, result, inputs } = submission;
            let task = number_in_graphs(rank, index as u64 + 1);
            let [inputs, outputs] = [&inputs[..], &[result]].map(without_zeros);
            submitted.insert(task, TaskRecord { parent, inputs, outputs, ..record(task, function) });
            runs.extend(row.last_run().map(|run| ran(task, function, run)));
        }
        for (task, object) in &rest.inputs {
            submitted.entry(*task).and_modify(|record| record.inputs.push(*object));
        }
        for (task, object) in &rest.outputs {
            submitted.entry(*task).and_modify(|record| record.outputs.push(*object));
        }
        runs.extend(rest.runs.iter().map(|(task, function, run)| ran(*task, *function, *run)));
        submitted.into_values().chain(runs).collect()
    }
}

fn without_zeros(objects: &[u64]) -> Vec<u64> {
    objects.iter().copied().filter(|object| *object != 0).collect()
}

fn key_of(header: &TaskHeader) -> u64 {
    header.entry.map_or(0, |entry| entry.key)
}

/// The number of a task or an object in graphs: its owner's number for it, and the owner.
fn number_in_graphs(owner: Rank, number: u64) -> u64 {
    u64::from(owner) << 40 | number
}

/// An object's number in graphs.
fn number_of(runtime: &'static Runtime, slot: &dyn AnySlot) -> u64 {
    let ObjectId { owner, number } = slot.remote_id().unwrap_or_else(|| {
        let number = match slot.core().number() {
            0 => slot.core().set_number(runtime.protocol.objects.references.fresh_number()),
            number => number,
        };
        ObjectId { owner: runtime.cluster.rank, number }
    });
    number_in_graphs(owner, number)
}
