//! A graph as actors, one a core, that have a block of points each and send each other their outputs: no process sees
//! the whole graph, as in the MPI program.

use super::graph::{Graph, Output};
use super::{blocks, cores, owner};
use crate::failure::{Failure, Result, check};
use crate::suite::ranks;
use mobula::prelude::*;
use std::ops::Range;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A block of points, the same in every row.
struct Block {
    graph: Graph,
    /// What it does in a row, and which of these each row is: most are alike, and stay in the cache.
    kinds: Vec<Row>,
    rows: Vec<u32>,
    /// All blocks in order; cleared when the graph is done, because actors that hold each other's handles never end.
    blocks: Vec<BlockHandle>,
    end: Option<EndHandle>,
    /// The row that is next, and which of its tasks have run.
    step: u32,
    has_run: Vec<bool>,
    /// For each row, the messages that have arrived for it.
    arrived: Vec<usize>,
    /// The outputs that are here, by row and point.
    outputs: Vec<Option<Output>>,
}

/// Kinds of rows that a new one is compared with: patterns repeat after a few.
const KINDS_COMPARED: usize = 16;

/// What a block does in a step, worked out before the clock starts.
#[derive(PartialEq)]
struct Row {
    /// Tasks whose outputs other blocks need come first.
    tasks: Vec<PlannedTask>,
    /// How many tasks have outputs that other blocks need.
    sent_tasks: usize,
    /// For each receiving block, the points whose outputs it gets.
    sends: Vec<(usize, Vec<u32>)>,
    /// Messages that it needs, each from another block.
    messages: usize,
}

#[derive(PartialEq)]
struct PlannedTask {
    point: u32,
    iterations: u64,
    dependencies: Vec<u32>,
    /// True if some of them belong to other blocks.
    needs_others: bool,
}

impl Row {
    fn of(graph: &Graph, blocks: &[Range<u32>], own: usize, step: u32) -> Row {
        let mine = |point: &u32| blocks[own].contains(point);
        let row = graph.row(step);
        // The outputs of these points that those points of the next step need.
        let needs = |points: &Range<u32>, from: &Range<u32>, step: u32| -> Vec<u32> {
            let after = (step + 1 < graph.steps).then(|| graph.row(step + 1)).into_iter().flatten();
            let mut needed: Vec<u32> = after
                .filter(|point| points.contains(point))
                .flat_map(|point| graph.dependencies(step + 1, point))
                .filter(|other| from.contains(other))
                .collect();
            needed.sort_unstable();
            needed.dedup();
            needed
        };
        let others = || (0..blocks.len()).filter(|other| *other != own);
        let sends: Vec<(usize, Vec<u32>)> = others()
            .map(|to| (to, needs(&blocks[to], &blocks[own], step)))
            .filter(|(_, points)| !points.is_empty())
            .collect();
        let messages = match step.checked_sub(1) {
            Some(before) => others().filter(|from| !needs(&blocks[own], &blocks[*from], before).is_empty()).count(),
            None => 0,
        };
        let is_sent = |point: u32| sends.iter().any(|(_, points)| points.contains(&point));
        let mut tasks: Vec<PlannedTask> = row
            .filter(mine)
            .map(|point| {
                let dependencies = graph.dependencies(step, point);
                let needs_others = !dependencies.iter().all(mine);
                PlannedTask { point, iterations: graph.iterations(step, point), dependencies, needs_others }
            })
            .collect();
        tasks.sort_by_key(|task| !is_sent(task.point));
        let sent_tasks = tasks.iter().filter(|task| is_sent(task.point)).count();
        Row { tasks, sent_tasks, sends, messages }
    }
}

#[mobula::actor]
impl Block {
    pub fn new(graph: Graph, own: u32, cores: u32) -> Self {
        let blocks = blocks(&graph, cores);
        let mut kinds: Vec<Row> = Vec::new();
        let mut kind_of = |step: u32| {
            let row = Row::of(&graph, &blocks, own as usize, step);
            let known = kinds.iter().enumerate().rev().take(KINDS_COMPARED).find(|(_, kind)| **kind == row);
            let kind = known.map_or(kinds.len(), |(kind, _)| kind);
            if kind == kinds.len() {
                kinds.push(row);
            }
            kind as u32
        };
        let rows = (0..graph.steps).map(&mut kind_of).collect();
        Block {
            graph,
            kinds,
            rows,
            blocks: Vec::new(),
            end: None,
            step: 0,
            has_run: vec![false; graph.width as usize],
            arrived: vec![0; graph.steps as usize],
            outputs: vec![None; (graph.steps * graph.width) as usize],
        }
    }

    /// Sets the receivers.
    pub fn connect(&mut self, blocks: Vec<BlockHandle>, end: EndHandle) {
        self.blocks = blocks;
        self.end = Some(end);
    }

    /// Runs the tasks that depend on no other block.
    pub fn begin(&mut self) {
        self.advance();
    }

    /// The outputs of another block that the next step needs.
    pub fn take(&mut self, outputs: Vec<Output>) {
        let Some(first) = outputs.first() else { return };
        self.arrived[first.step as usize + 1] += 1;
        for output in &outputs {
            self.outputs[(output.step * self.graph.width + output.point) as usize] = Some(*output);
        }
        self.advance();
    }

    /// Drops the handles of the other blocks.
    pub fn disconnect(&mut self) {
        self.blocks.clear();
        self.end = None;
    }
}

impl Block {
    /// Runs the tasks whose inputs are there, and sends outputs that other blocks need as soon as they are computed.
    fn advance(&mut self) {
        while self.step < self.graph.steps && !self.blocks.is_empty() {
            let row = self.rows[self.step as usize] as usize;
            let all_arrived = self.arrived[self.step as usize] == self.kinds[row].messages;
            for index in 0..self.kinds[row].tasks.len() {
                if !self.has_run[index] && (all_arrived || !self.kinds[row].tasks[index].needs_others) {
                    self.run(index);
                }
            }
            if !all_arrived {
                return;
            }
            self.step += 1;
            self.has_run.fill(false);
            if let (true, Some(end)) = (self.step == self.graph.steps, &self.end) {
                drop(end.done());
            }
        }
    }

    /// Runs a task of this row.
    fn run(&mut self, index: usize) {
        let (graph, step) = (&self.graph, self.step);
        let row = &self.kinds[self.rows[step as usize] as usize];
        let task = &row.tasks[index];
        let at = |step: u32, point: u32| (step * graph.width + point) as usize;
        let input = |point: &u32| self.outputs[at(step - 1, *point)];
        if !task.dependencies.iter().all(|point| input(point) == Some(Output { step: step - 1, point: *point })) {
            let input: Vec<Output> = task.dependencies.iter().filter_map(input).collect();
            let wrong = graph.validate(step, task.point, &input).err().unwrap_or_default();
            self.end.iter().for_each(|end| drop(end.failed(wrong.clone())));
        }
        graph.kernel.execute(task.iterations);
        self.outputs[at(step, task.point)] = Some(Output { step, point: task.point });
        self.has_run[index] = true;
        if index < row.sent_tasks && self.has_run[..row.sent_tasks].iter().all(|ran| *ran) {
            for (to, points) in &row.sends {
                let outputs: Vec<Output> = points.iter().filter_map(|point| self.outputs[at(step, *point)]).collect();
                drop(self.blocks[*to].take(outputs));
            }
        }
    }
}

/// The state that the driver waits on: blocks that are done, and the first error.
static DONE: Mutex<(u32, Option<String>)> = Mutex::new((0, None));
static CHANGED: Condvar = Condvar::new();

/// Notifies the driver, which is in the same process.
struct End;

#[mobula::actor]
impl End {
    pub fn new() -> Self {
        *DONE.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
        End
    }

    /// A block has run all its tasks.
    pub fn done(&mut self) {
        DONE.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        CHANGED.notify_all();
    }

    /// A task got a wrong input.
    pub fn failed(&mut self, wrong: String) {
        DONE.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(wrong);
        CHANGED.notify_all();
    }

    /// Returns at once: the driver waits for this before it begins.
    pub fn ready(&mut self) {}
}

/// Runs a graph; returns its seconds.
///
/// # Errors
/// If a task got a wrong input, and errors of the runtime.
pub fn run(graph: &Graph) -> Result<f64> {
    let (cores, end) = (cores()?, End::on(0).remote());
    end.ready().get()?;
    let blocks: Vec<BlockHandle> =
        (0..cores).map(|own| Block::on(owner(own, cores, ranks())).remote(*graph, own, cores)).collect();
    let connected: Vec<ObjectRef<()>> = blocks.iter().map(|block| block.connect(blocks.clone(), end.clone())).collect();
    mobula::get_all(&connected)?;
    let start = Instant::now();
    let begun: Vec<ObjectRef<()>> = blocks.iter().map(BlockHandle::begin).collect();
    let wrong = wait_for(cores);
    let seconds = start.elapsed().as_secs_f64();
    mobula::get_all(&begun)?;
    let disconnected: Vec<ObjectRef<()>> = blocks.iter().map(BlockHandle::disconnect).collect();
    mobula::get_all(&disconnected).map_err(Failure::from)?;
    check(wrong.is_none(), || wrong.unwrap_or_default())?;
    Ok(seconds)
}

/// Waits until so many blocks are done, or one of them got a wrong input.
fn wait_for(blocks: u32) -> Option<String> {
    let mut state = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    while state.0 < blocks && state.1.is_none() {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    state.1.take()
}
