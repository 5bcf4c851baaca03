//! A graph as tasks whose arguments are references to the results of the row before. The driver makes all of them.

use super::graph::{Graph, Output};
use super::owner;
use crate::failure::{Result, check};
use crate::suite::ranks;
use mobula::prelude::*;
use std::time::Instant;

/// A task of the graph.
#[mobula::remote]
fn point(graph: Graph, step: u32, point: u32, inputs: &Vec<Output>) -> Result<Output, String> {
    graph.validate(step, point, inputs)?;
    graph.kernel.execute(graph.iterations(step, point));
    Ok(Output { step, point })
}

/// What the driver has to know of a task, worked out before the clock starts.
struct Planned {
    step: u32,
    point: u32,
    owner: u32,
    dependencies: Vec<u32>,
    /// Nothing depends on it.
    is_end: bool,
}

fn plan(graph: &Graph) -> Vec<Planned> {
    let planned = |step: u32, point: u32| Planned {
        step,
        point,
        owner: owner(point, graph.width, ranks()),
        dependencies: graph.dependencies(step, point),
        is_end: graph.dependents(step, point).is_empty(),
    };
    (0..graph.steps)
        .flat_map(|step| graph.row(step).map(move |point| (step, point)))
        .map(|(s, p)| planned(s, p))
        .collect()
}

/// Runs a graph; gives its seconds.
///
/// # Errors
/// Where a task was given what it should not have been, and what the runtime says.
pub fn run(graph: &Graph) -> Result<f64> {
    let plan = plan(graph);
    let mut before: Vec<Option<ObjectRef<Output>>> = vec![None; graph.width as usize];
    let mut row = before.clone();
    let mut ends = Vec::new();
    let start = Instant::now();
    let mut current = 0;
    for task in &plan {
        if task.step != current {
            current = task.step;
            std::mem::swap(&mut before, &mut row);
            row.fill(None);
        }
        let inputs: Vec<ObjectRef<Output>> =
            task.dependencies.iter().filter_map(|other| before[*other as usize].clone()).collect();
        let output = point::on(task.owner).remote(*graph, task.step, task.point, &inputs);
        if task.is_end {
            ends.push(output.clone());
        }
        row[task.point as usize] = Some(output);
    }
    let outputs = mobula::get_all(&ends)?;
    let seconds = start.elapsed().as_secs_f64();
    let expected = plan.iter().filter(|task| task.is_end).map(|task| Output { step: task.step, point: task.point });
    let right = outputs.iter().map(|output| **output).eq(expected);
    check(right, || format!("{} tasks of {}: an output is not its task's", graph.pattern.name(), plan.len()))?;
    Ok(seconds)
}
