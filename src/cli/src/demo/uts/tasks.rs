//! The search as tasks that make tasks.

use super::sequential::Count;
use super::sharing::{Search, walk};
use super::tree::Node;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a task and those it made have counted, and who did the work.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// The tree's numbers.
    pub count: Count,
    /// Tasks that took part.
    pub tasks: u64,
    /// Nodes visited by each worker, named by its rank and its number there.
    pub nodes_by_worker: BTreeMap<(u32, u32), u64>,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.count.add(other.count);
        self.tasks += other.tasks;
        for (worker, nodes) in &other.nodes_by_worker {
            *self.nodes_by_worker.entry(*worker).or_default() += nodes;
        }
    }
}

/// Counts everything below `nodes`. A task is some twenty bytes a node: cheap to steal, also from another host.
#[mobula::remote]
pub fn explore(search: Search, nodes: Vec<Node>) -> mobula::Result<Tally> {
    let mut given: Vec<ObjectRef<Tally>> = Vec::new();
    let count = walk(&search, nodes, |gift| given.push(explore::remote(search, gift)));
    let context = mobula::context();
    let worker = (context.rank(), context.worker());
    let mut tally = Tally { count, tasks: 1, nodes_by_worker: [(worker, count.nodes)].into() };
    // The newest gift first: where nobody has stolen it, it runs here and now.
    while let Some(gift) = given.pop() {
        tally.add(&*gift.get()?);
    }
    Ok(tally)
}
