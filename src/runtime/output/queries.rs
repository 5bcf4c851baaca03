//! Queries about the whole cluster: free resources, failures, task records.

use crate::base::trace::TaskRecord;
use crate::base::{Error, Rank, Result};
use crate::protocol::InfoRequest;
use crate::runtime::{HostInfo, Runtime};
use std::collections::BTreeMap;

/// What is free on a host, as reported by one of its living ranks; empty if none lives.
pub fn available_on(runtime: &'static Runtime, host: &HostInfo) -> Result<BTreeMap<String, f64>> {
    match host.ranks.iter().find(|rank| !runtime.is_dead(**rank)) {
        Some(rank) if runtime.cluster.host_ranks().contains(rank) => Ok(runtime.resources.table.available()),
        Some(rank) => runtime.request(*rank, InfoRequest::Available),
        None => Ok(BTreeMap::new()),
    }
}

/// The failures that were reported to `rank`.
pub fn errors_of(runtime: &'static Runtime, rank: Rank) -> Result<Vec<Error>> {
    if rank == runtime.cluster.rank {
        Ok(runtime.output.reports.errors())
    } else {
        runtime.request(rank, InfoRequest::Errors)
    }
}

/// How many failures were reported to `rank`.
pub fn error_count_of(runtime: &'static Runtime, rank: Rank) -> Result<u64> {
    if rank == runtime.cluster.rank {
        Ok(runtime.output.reports.error_count())
    } else {
        runtime.request(rank, InfoRequest::ErrorCount)
    }
}

/// The hosts with their living ranks, as far as this rank knows; those of which none lives are left out.
pub fn living_hosts(runtime: &Runtime) -> Vec<HostInfo> {
    let mut hosts = runtime.cluster.hosts.clone();
    hosts.iter_mut().for_each(|host| host.ranks.retain(|rank| !runtime.is_dead(*rank)));
    hosts.retain(|host| !host.ranks.is_empty());
    hosts
}

/// The task records of all ranks; those of dead ranks are lost.
pub fn all_records(runtime: &'static Runtime) -> Result<Vec<TaskRecord>> {
    let mut records = Vec::new();
    for rank in 0..runtime.cluster.size {
        if rank == runtime.cluster.rank {
            records.extend(runtime.output.traces.records(runtime.cluster.rank));
            continue;
        }
        match runtime.request::<Vec<TaskRecord>>(rank, InfoRequest::Trace) {
            Ok(of_rank) => records.extend(of_rank),
            Err(Error::NodeDied { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(records)
}
