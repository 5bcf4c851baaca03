//! The search as tasks that start tasks.

use super::sequential::Count;
use super::sharing::{Search, walk};
use super::tree::TreeNode;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The counts of a task and of those it started, and the work of each worker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SearchReport {
    /// The tree's numbers.
    pub count: Count,
    /// Tasks that took part.
    pub tasks: u64,
    /// Nodes visited by each worker, named by its rank and its number there.
    pub nodes_by_worker: BTreeMap<(u32, u32), u64>,
}

impl SearchReport {
    fn add(&mut self, other: &SearchReport) {
        self.count.add(other.count);
        self.tasks += other.tasks;
        for (worker, nodes) in &other.nodes_by_worker {
            *self.nodes_by_worker.entry(*worker).or_default() += nodes;
        }
    }
}

/// Counts everything below `nodes`. A task is some twenty bytes a node: cheap to steal, even from another host.
#[mobula::remote]
pub fn explore(search: Search, nodes: Vec<TreeNode>) -> mobula::Result<SearchReport> {
    let mut children: Vec<ObjectRef<SearchReport>> = Vec::new();
    let count = walk(&search, nodes, |nodes| children.push(explore::remote(search, nodes)));
    let context = mobula::context();
    let worker = (context.rank(), context.worker());
    let mut found = SearchReport { count, tasks: 1, nodes_by_worker: [(worker, count.nodes)].into() };
    // The newest first: if it was not stolen, it runs here at once.
    while let Some(child) = children.pop() {
        found.add(&*child.get()?);
    }
    Ok(found)
}
