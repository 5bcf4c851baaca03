//! Questions about the whole cluster: free resources, failures, records.

use crate::base::trace::TaskRecord;
use crate::base::{Error, Rank, Result};
use crate::protocol::Question;
use crate::runtime::{HostInfo, Runtime};
use std::collections::BTreeMap;

impl Runtime {
    /// What is free on a host, as a rank of it that lives says; nothing where none does.
    pub fn available_on(&'static self, host: &HostInfo) -> Result<BTreeMap<String, f64>> {
        match host.ranks.iter().find(|rank| !self.is_dead(**rank)) {
            Some(rank) if self.host_ranks().contains(rank) => Ok(self.table.available()),
            Some(rank) => self.ask(*rank, Question::Available),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The failures that `rank` was told of.
    pub fn errors_of(&'static self, rank: Rank) -> Result<Vec<Error>> {
        if rank == self.rank { Ok(self.reports.errors()) } else { self.ask(rank, Question::Errors) }
    }

    /// What every rank recorded; what a rank that is gone did is gone with it.
    pub fn all_records(&'static self) -> Result<Vec<TaskRecord>> {
        let mut records = Vec::new();
        for rank in 0..self.size {
            if rank == self.rank {
                records.extend(self.traces.records());
                continue;
            }
            match self.ask::<Vec<TaskRecord>>(rank, Question::Trace) {
                Ok(of_rank) => records.extend(of_rank),
                Err(Error::NodeDied { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }
}
