//! A graph as actors, one a point, that send each other what they make: nobody sees the whole, as in the MPI program.

use super::graph::{Graph, Output};
use super::owner;
use crate::failure::{Failure, Result, check};
use mobula::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// One point of every row.
struct Cell {
    graph: Graph,
    point: u32,
    /// All points by their number; empty once the graph is done, for actors that hold each other never end.
    cells: Vec<CellHandle>,
    end: Option<EndHandle>,
    /// The row whose task is next.
    step: u32,
    /// What has come for rows to come.
    inbox: BTreeMap<u32, Vec<Output>>,
}

#[mobula::actor]
impl Cell {
    pub fn new(graph: Graph, point: u32) -> Self {
        Cell { graph, point, cells: Vec::new(), end: None, step: 0, inbox: BTreeMap::new() }
    }

    /// Says whom to send to.
    pub fn connect(&mut self, cells: Vec<CellHandle>, end: EndHandle) {
        self.cells = cells;
        self.end = Some(end);
    }

    /// Runs what depends on nothing.
    pub fn begin(&mut self) {
        self.advance();
    }

    /// An output that the task of this step depends on.
    pub fn take(&mut self, step: u32, output: Output) {
        self.inbox.entry(step).or_default().push(output);
        self.advance();
    }

    /// Lets go of the others.
    pub fn disconnect(&mut self) {
        self.cells.clear();
        self.end = None;
    }
}

impl Cell {
    /// Runs the tasks of this point whose inputs are there, and sends their outputs.
    fn advance(&mut self) {
        while self.step < self.graph.steps && !self.cells.is_empty() {
            let (graph, step, own) = (self.graph, self.step, self.point);
            if !graph.row(step).contains(&own) {
                self.next();
                continue;
            }
            let needed = graph.dependencies(step, own).len();
            if self.inbox.get(&step).map_or(0, Vec::len) < needed {
                return;
            }
            let mut inputs = self.inbox.remove(&step).unwrap_or_default();
            inputs.sort_unstable_by_key(|input| input.point);
            if let (Err(wrong), Some(end)) = (graph.validate(step, own, &inputs), &self.end) {
                drop(end.failed(wrong));
                return;
            }
            graph.kernel.execute(graph.iterations(step, own));
            let output = Output { step, point: own };
            for other in graph.dependents(step, own) {
                if other == own {
                    self.inbox.entry(step + 1).or_default().push(output);
                } else {
                    drop(self.cells[other as usize].take(step + 1, output));
                }
            }
            self.next();
        }
    }

    fn next(&mut self) {
        self.step += 1;
        if let (true, Some(end)) = (self.step == self.graph.steps, &self.end) {
            drop(end.done());
        }
    }
}

/// Where the driver waits: points that are done, and what went wrong.
static DONE: Mutex<(u32, Option<String>)> = Mutex::new((0, None));
static CHANGED: Condvar = Condvar::new();

/// Tells the driver, in whose process it is.
struct End;

#[mobula::actor]
impl End {
    pub fn new() -> Self {
        *DONE.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
        End
    }

    /// A point has run all its tasks.
    pub fn done(&mut self) {
        DONE.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        CHANGED.notify_all();
    }

    /// A task was given what it should not have been.
    pub fn failed(&mut self, wrong: String) {
        DONE.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(wrong);
        CHANGED.notify_all();
    }

    /// Is there: the driver waits for this before it begins.
    pub fn here(&mut self) {}
}

/// Runs a graph; gives its seconds.
///
/// # Errors
/// Where a task was given what it should not have been, and what the runtime says.
pub fn run(graph: &Graph) -> Result<f64> {
    let end = End::on(0).remote();
    end.here().get()?;
    let cells: Vec<CellHandle> =
        (0..graph.width).map(|point| Cell::on(owner(graph, point)).remote(*graph, point)).collect();
    let connected: Vec<ObjectRef<()>> = cells.iter().map(|cell| cell.connect(cells.clone(), end.clone())).collect();
    mobula::get_all(&connected)?;
    let start = Instant::now();
    let begun: Vec<ObjectRef<()>> = cells.iter().map(CellHandle::begin).collect();
    let wrong = wait_for(graph.width);
    let seconds = start.elapsed().as_secs_f64();
    mobula::get_all(&begun)?;
    let disconnected: Vec<ObjectRef<()>> = cells.iter().map(CellHandle::disconnect).collect();
    mobula::get_all(&disconnected).map_err(Failure::from)?;
    check(wrong.is_none(), || wrong.unwrap_or_default())?;
    Ok(seconds)
}

/// Waits until so many points are done, or one of them failed.
fn wait_for(points: u32) -> Option<String> {
    let mut state = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    while state.0 < points && state.1.is_none() {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    state.1.take()
}
