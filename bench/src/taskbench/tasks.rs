//! A graph as tasks whose arguments are references to the results of the row before. The driver starts all of them.

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

/// The driver's plan of a task, computed before the clock starts.
struct PlannedTask {
    step: u32,
    point: u32,
    owner: u32,
    dependencies: Vec<u32>,
    /// Nothing depends on it.
    is_last: bool,
}

fn plan(graph: &Graph) -> Vec<PlannedTask> {
    let planned = |step: u32, point: u32| PlannedTask {
        step,
        point,
        owner: owner(point, graph.width, ranks()),
        dependencies: graph.dependencies(step, point),
        is_last: graph.dependents(step, point).is_empty(),
    };
    (0..graph.steps)
        .flat_map(|step| graph.row(step).map(move |point| (step, point)))
        .map(|(s, p)| planned(s, p))
        .collect()
}

/// Runs a graph; returns its seconds.
///
/// # Errors
/// If a task got a wrong input, and errors of the runtime.
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
        if task.is_last {
            ends.push(output.clone());
        }
        row[task.point as usize] = Some(output);
    }
    let outputs = mobula::get_all(&ends)?;
    let seconds = start.elapsed().as_secs_f64();
    let expected = plan.iter().filter(|task| task.is_last).map(|task| Output { step: task.step, point: task.point });
    let right = outputs.iter().map(|output| **output).eq(expected);
    check(right, || format!("{} tasks of {}: an output is not its task's", graph.pattern.name(), plan.len()))?;
    Ok(seconds)
}
