//! The unbalanced tree of the demo: its search by tasks on all ranks, beside as many searches in sequence.
//!
//! The generator, the tasks and the search in sequence are the demo's own files, so that the benchmark measures what
//! the demo shows.

#![allow(dead_code)] // The demo reads trees from its command line; here there are three of them.

#[path = "../../src/cli/src/demo/uts/parameters.rs"]
mod parameters;
#[path = "../../src/cli/src/demo/uts/sequential.rs"]
mod sequential;
#[path = "../../src/cli/src/demo/uts/sharing.rs"]
mod sharing;
#[path = "../../src/cli/src/demo/uts/tasks.rs"]
mod tasks;
#[path = "../../src/cli/src/demo/uts/tree.rs"]
mod tree;

use crate::case::{Bar, Case, Run, case};
use crate::failure::{Result, check};
use crate::sample::us;
use crate::suite::{Bench, ranks};
use parameters::{Parameters, Sample, samples};
use sequential::Count;
use sharing::Search;
use std::time::Instant;
use tree::TreeNode;

/// Nodes that a task visits before it gives some away: some 100 microseconds' worth.
const GRAIN: u32 = 500;

/// Samples of each: a sample takes a second.
const REPEAT_MAX: u32 = 5;

/// The trees: a bushy one, and one of long thin branches, whose work is the hardest to share.
const TREES: &[(&str, Bar)] = &[("T1", Bar::RatioAtLeast(0.9)), ("T3", Bar::Open)];

/// Every case.
pub fn cases() -> Vec<Case> {
    TREES.iter().map(|(tree, bar)| of_tree(tree, *bar)).collect()
}

fn of_tree(tree: &'static str, bar: Bar) -> Case {
    case(format!("{tree}, all ranks"), "M nodes/s", move |run| by_tasks(run, tree))
        .peer("ranks x in sequence", move |run| in_sequence(run, tree))
        .bar(bar)
        .repeat_at_most(REPEAT_MAX)
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

/// The tree of this name, and the count of its search. A quick run takes one that is a dozen times smaller, for which
/// no count is published: the searches are compared with each other.
fn chosen(run: &Run, name: &str) -> (Parameters, Option<Count>) {
    let known = samples().into_iter().find(|sample| sample.name == name).expect("the trees are published ones");
    let Sample { parameters, nodes, leaves, depth, .. } = known;
    match run.quick {
        true if name == "T1" => (Parameters { depth: 8, ..parameters }, None),
        true => (Parameters { root_children: 200.0, ..parameters }, None),
        false => (parameters, Some(Count { nodes, leaves, depth })),
    }
}

/// Millions of nodes a second by tasks on every rank.
fn by_tasks(run: &Run, name: &str) -> Result<f64> {
    let (parameters, published) = chosen(run, name);
    let expected = published.unwrap_or_else(|| sequential::search(&parameters, |_| ()));
    let search = Search { parameters, grain: GRAIN };
    let start = Instant::now();
    let found = tasks::explore::remote(search, vec![TreeNode::root(&parameters)]).get()?;
    let time = us(start.elapsed());
    check(found.count == expected, || format!("the tasks counted {:?}, there are {expected:?}", found.count))?;
    Ok(expected.nodes as f64 / time)
}

/// Millions of nodes a second in sequence, times the ranks: what they would do if sharing cost nothing.
fn in_sequence(run: &Run, name: &str) -> Result<f64> {
    let (parameters, published) = chosen(run, name);
    let start = Instant::now();
    let count = sequential::search(&parameters, |_| ());
    let time = us(start.elapsed());
    check(published.is_none_or(|published| published == count), || format!("counted {count:?}"))?;
    Ok(count.nodes as f64 * f64::from(ranks()) / time)
}
