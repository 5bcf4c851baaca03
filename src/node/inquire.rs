//! Questions about the whole cluster: free resources, failures, records.

use crate::base::trace::TaskRecord;
use crate::base::{Error, Rank, Result};
use crate::node::Node;
use crate::protocol::Question;
use std::collections::BTreeMap;

impl Node {
    /// What is free on the host of `rank`.
    pub fn available_on(&'static self, rank: Rank) -> Result<BTreeMap<String, f64>> {
        if self.host_ranks().contains(&rank) { Ok(self.table.available()) } else { self.ask(rank, Question::Available) }
    }

    /// The failures that `rank` was told of.
    pub fn errors_of(&'static self, rank: Rank) -> Result<Vec<Error>> {
        if rank == self.rank { Ok(self.reports.errors()) } else { self.ask(rank, Question::Errors) }
    }

    /// What every rank recorded.
    pub fn all_records(&'static self) -> Result<Vec<TaskRecord>> {
        let mut records = Vec::new();
        for rank in 0..self.size {
            let of_rank = if rank == self.rank { self.traces.records() } else { self.ask(rank, Question::Trace)? };
            records.extend(of_rank);
        }
        Ok(records)
    }
}
