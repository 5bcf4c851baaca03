//! Queries about the whole cluster: free resources, failures, task records.

use crate::base::trace::TaskRecord;
use crate::base::{Error, Rank, Result};
use crate::protocol::InfoRequest;
use crate::runtime::{HostInfo, Runtime};
use std::collections::BTreeMap;

impl Runtime {
    /// What is free on a host, as reported by one of its living ranks; empty if none lives.
    pub fn available_on(&'static self, host: &HostInfo) -> Result<BTreeMap<String, f64>> {
        match host.ranks.iter().find(|rank| !self.is_dead(**rank)) {
            Some(rank) if self.host_ranks().contains(rank) => Ok(self.table.available()),
            Some(rank) => self.request(*rank, InfoRequest::Available),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The failures that were reported to `rank`.
    pub fn errors_of(&'static self, rank: Rank) -> Result<Vec<Error>> {
        if rank == self.rank { Ok(self.reports.errors()) } else { self.request(rank, InfoRequest::Errors) }
    }

    /// The task records of all ranks; those of dead ranks are lost.
    pub fn all_records(&'static self) -> Result<Vec<TaskRecord>> {
        let mut records = Vec::new();
        for rank in 0..self.size {
            if rank == self.rank {
                records.extend(self.traces.records());
                continue;
            }
            match self.request::<Vec<TaskRecord>>(rank, InfoRequest::Trace) {
                Ok(of_rank) => records.extend(of_rank),
                Err(Error::NodeDied { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }
}
