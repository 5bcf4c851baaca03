//! One group: its state, and what follows from it.

use super::{GroupAction, GroupMessage, HostView};
use crate::base::Rank;
use crate::scheduling::plan::{Strategy, why_infeasible};
use crate::scheduling::{ResourceRequest, Totals};

/// The state of a group.
#[derive(Debug, PartialEq)]
pub(super) enum GroupState {
    /// These ranks have not replied; `refused` if one refused.
    Reserving {
        pending: Vec<Rank>,
        refused: bool,
    },
    /// It tries again at that time.
    BackingOff {
        until_ns: u64,
    },
    Ready,
}

/// A group as its owner knows it.
#[derive(Debug)]
pub(super) struct GroupRecord {
    pub strategy: Strategy,
    pub bundles: Vec<ResourceRequest>,
    /// By bundle: the rank that holds it, and the attempt that placed it there.
    pub locations: Vec<Option<(Rank, u32)>>,
    pub attempt: u32,
    /// Refusals in a row.
    pub refusals: u32,
    pub state: GroupState,
    /// Why bundles had to be reserved again, for the error if they cannot be.
    pub loss: Option<String>,
    /// The next bundle for work that may use any.
    pub next: u32,
}

/// Bundles of a group that a text shows.
const BUNDLES_SHOWN: usize = 16;

impl GroupRecord {
    /// Its bundles as text.
    pub fn displayed(&self) -> String {
        let mut shown: Vec<String> = self.bundles.iter().take(BUNDLES_SHOWN).map(ResourceRequest::displayed).collect();
        if let Some(more @ 1..) = self.bundles.len().checked_sub(BUNDLES_SHOWN) {
            shown.push(format!("{more} more"));
        }
        shown.join(" | ")
    }

    /// By host: how many bundles of the group are there.
    pub fn used(&self, hosts: &[HostView]) -> Vec<u32> {
        let on =
            |host: &HostView| self.locations.iter().flatten().filter(|(rank, _)| host.ranks.contains(rank)).count();
        hosts.iter().map(|host| on(host) as u32).collect()
    }

    /// Why the bundles, both placed and unplaced ones, can never be reserved together again on living hosts.
    pub fn infeasible(&self, hosts: &[HostView]) -> Option<String> {
        let unplaced: Vec<&ResourceRequest> = self
            .bundles
            .iter()
            .zip(&self.locations)
            .filter(|(_, location)| location.is_none())
            .map(|(bundle, _)| bundle)
            .collect();
        let mut totals = living_totals(hosts);
        for (bundle, location) in self.bundles.iter().zip(&self.locations) {
            let host = location.and_then(|(rank, _)| hosts.iter().position(|host| host.ranks.contains(&rank)));
            if let Some(host) = host {
                totals[host].take(bundle);
            }
        }
        why_infeasible(self.strategy, &unplaced, &totals, &self.used(hosts))
    }

    /// The rank of a host that has the fewest bundles of this group; different groups start at different ranks.
    pub fn rank_of(&self, ranks: &[Rank], number: u64) -> Option<Rank> {
        let count = |rank: Rank| self.locations.iter().flatten().filter(|(location, _)| *location == rank).count();
        let first = (number % ranks.len().max(1) as u64) as usize;
        (0..ranks.len()).map(|step| ranks[(first + step) % ranks.len()]).min_by_key(|rank| count(*rank))
    }

    /// Removes the bundles that `rank` was asked for by that attempt.
    pub fn forget(&mut self, rank: Rank, attempt: u32) {
        self.locations
            .iter_mut()
            .filter(|location| **location == Some((rank, attempt)))
            .for_each(|location| *location = None);
    }

    pub fn release_all(&self, number: u64) -> Vec<GroupAction> {
        let mut ranks: Vec<Rank> = self.locations.iter().flatten().map(|(rank, _)| *rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
            .into_iter()
            .map(|rank| GroupAction::Send(rank, GroupMessage::Release { group: number, attempt: None }))
            .collect()
    }
}

/// The total resources of the hosts; a host without a living rank has none.
pub fn living_totals(hosts: &[HostView]) -> Vec<Totals> {
    hosts.iter().map(|host| if host.ranks.is_empty() { Totals::default() } else { host.totals.clone() }).collect()
}

/// True if a bundle could ever hold the request.
pub fn can_hold(bundle: &ResourceRequest, request: &ResourceRequest) -> bool {
    let totals = Totals { cpu: bundle.cpu, gpu: bundle.gpu, custom: bundle.custom.clone() };
    let cpu = request.bundle.map_or(request.cpu, |(_, cpu)| cpu);
    totals.missing(&ResourceRequest { cpu, bundle: None, ..request.clone() }).is_none()
}
