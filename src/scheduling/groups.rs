//! Placement groups at their owner: where their bundles are, and how they are reserved. Pure: events in, actions out.
//!
//! ```text
//!   create --> Reserving --every rank granted--> Ready --a rank fails--> Reserving (the lost bundles only)
//!                 ^   | one refused, or failed: granted bundles are released
//!                 |   v
//!              BackingOff (longer each time)       any --remove, or no living host can hold it--> ended
//! ```
//! The owner plans with the free amounts last reported to it, and requests from each rank of the plan its part. A rank
//! reserves all of the requested bundles or none, and never waits while it holds some: so two groups that are reserved
//! at once cannot wait for each other. One of two such groups may be refused; its owner then releases everything and
//! tries again after a back-off of random length, so that the two do not collide for ever.
//!
//! Messages of an older attempt are recognised by its number. Each event may come twice: the second has no effect.

mod group;
mod location;
mod message;
#[cfg(test)]
mod tests;

use group::{GroupRecord, GroupState, living_totals};
pub use location::{GroupLocation, NoLocation};
pub use message::GroupMessage;

use crate::base::Rank;
use crate::scheduling::plan::{PlanSearch, Strategy, plan};
use crate::scheduling::{ResourceRequest, Totals};
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// The first back-off after a refusal, and the longest.
const BACKOFF_NS: u64 = 500_000;
const BACKOFF_NS_MAX: u64 = 250_000_000;

/// A host, as the owner knows it.
#[derive(Clone, Debug)]
pub struct HostView {
    /// What it has in all.
    pub totals: Totals,
    /// Its living ranks.
    pub ranks: Vec<Rank>,
}

/// No living host can ever hold a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{missing}")]
pub struct InfeasibleGroup {
    /// What is missing, bundle by bundle.
    pub missing: String,
}

/// An action of the owner.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupAction {
    /// Send this message to that rank.
    Send(Rank, GroupMessage),
    /// Every bundle of the group is reserved: for the first time, or again.
    Ready(u64),
    /// The group has ended, and why: what waits for it fails.
    Ended(u64, NoLocation),
}

/// The groups of one owner.
#[derive(Debug)]
pub struct Groups {
    groups: BTreeMap<u64, GroupRecord>,
    /// By host: what was free there according to its last report.
    free: BTreeMap<usize, Totals>,
    random: Rng,
}

impl Groups {
    /// No groups yet; `seed` makes the back-offs repeatable.
    pub fn new(seed: u64) -> Groups {
        Groups { groups: BTreeMap::new(), free: BTreeMap::new(), random: Rng::with_seed(seed) }
    }

    /// Creates a group under that number.
    ///
    /// # Errors
    /// What is missing, bundle by bundle, if no living host can ever hold it.
    pub fn create(
        &mut self,
        number: u64,
        bundles: Vec<ResourceRequest>,
        strategy: Strategy,
        hosts: &[HostView],
        now_ns: u64,
    ) -> Result<Vec<GroupAction>, InfeasibleGroup> {
        let group = GroupRecord {
            strategy,
            locations: vec![None; bundles.len()],
            bundles,
            attempt: 0,
            refusals: 0,
            state: GroupState::BackingOff { until_ns: now_ns },
            loss: None,
            next: 0,
        };
        if let Some(missing) = group.infeasible(hosts) {
            return Err(InfeasibleGroup { missing });
        }
        self.groups.insert(number, group);
        Ok(self.attempt(number, hosts, now_ns))
    }

    /// `from` reserved the bundles that this attempt requested, or refused; so much is free on its host now.
    pub fn on_reserved(
        &mut self,
        (number, attempt): (u64, u32),
        from: Rank,
        (granted, free): (bool, Totals),
        hosts: &[HostView],
        now_ns: u64,
    ) -> Vec<GroupAction> {
        if let Some(host) = hosts.iter().position(|host| host.ranks.contains(&from)) {
            self.free.insert(host, free);
        }
        let Some(group) = self.groups.get_mut(&number).filter(|group| group.attempt == attempt) else {
            return Vec::new();
        };
        let GroupState::Reserving { pending, refused } = &mut group.state else { return Vec::new() };
        if pending.extract_if(.., |rank| *rank == from).count() == 0 {
            return Vec::new();
        }
        *refused |= !granted;
        if !granted {
            group.forget(from, attempt);
        }
        self.finish_attempt(number, hosts, now_ns)
    }

    /// Visits the ranks that were requested to reserve bundles and have not replied.
    pub fn visit_awaited(&self, visit: &mut impl FnMut(Rank)) {
        for group in self.groups.values() {
            if let GroupState::Reserving { pending: waiting, .. } = &group.state {
                waiting.iter().copied().for_each(&mut *visit);
            }
        }
    }

    /// A rank failed, and its bundles are lost.
    pub fn on_rank_failed(&mut self, rank: Rank, reason: &str, hosts: &[HostView], now_ns: u64) -> Vec<GroupAction> {
        let mut actions = Vec::new();
        for number in self.groups.keys().copied().collect::<Vec<_>>() {
            let Some(group) = self.groups.get_mut(&number) else { continue };
            if !group.locations.iter().flatten().any(|(location, _)| *location == rank) {
                // A group that backs off may have become impossible.
                if group.state != GroupState::Ready && group.infeasible(hosts).is_some() {
                    actions.extend(self.fail(number, hosts));
                }
                continue;
            }
            let mut lost = Vec::new();
            for (index, location) in group.locations.iter_mut().enumerate() {
                lost.extend(location.take_if(|(location, _)| *location == rank).map(|_| index.to_string()));
            }
            group.loss = Some(format!("bundle {} was on rank {rank}: {reason}", lost.join(", ")));
            if group.infeasible(hosts).is_some() {
                actions.extend(self.fail(number, hosts));
                continue;
            }
            match &mut group.state {
                GroupState::Reserving { pending: waiting, refused } => {
                    waiting.retain(|other| *other != rank);
                    *refused = true;
                    actions.extend(self.finish_attempt(number, hosts, now_ns));
                }
                GroupState::BackingOff { .. } => {}
                GroupState::Ready => actions.extend(self.attempt(number, hosts, now_ns)),
            }
        }
        actions
    }

    /// Time has passed: groups whose back-off has ended try again.
    pub fn tick(&mut self, hosts: &[HostView], now_ns: u64) -> Vec<GroupAction> {
        let due =
            |group: &GroupRecord| matches!(group.state, GroupState::BackingOff { until_ns } if until_ns <= now_ns);
        let due: Vec<u64> = self.groups.iter().filter(|(_, group)| due(group)).map(|(number, _)| *number).collect();
        due.into_iter().flat_map(|number| self.attempt(number, hosts, now_ns)).collect()
    }

    /// When `tick` is due.
    pub fn due_ns(&self) -> Option<u64> {
        let until = |group: &GroupRecord| match group.state {
            GroupState::BackingOff { until_ns } => Some(until_ns),
            _ => None,
        };
        self.groups.values().filter_map(until).min()
    }

    /// Removes the group.
    pub fn remove(&mut self, number: u64) -> Vec<GroupAction> {
        let Some(group) = self.groups.remove(&number) else { return Vec::new() };
        let mut actions = group.release_all(number);
        actions.push(GroupAction::Ended(number, NoLocation::Removed));
        actions
    }

    /// Where work for a bundle of the group goes; for any bundle, the next in turn that can hold `request`.
    pub fn locate(&mut self, number: u64, bundle: Option<u32>, request: &ResourceRequest) -> GroupLocation {
        let Some(group) = self.groups.get_mut(&number) else {
            return GroupLocation::Nowhere(NoLocation::Removed);
        };
        let holds = |index: usize| group.bundles.get(index).is_some_and(|bundle| group::can_hold(bundle, request));
        let fitting: Vec<usize> = match bundle {
            Some(index) => vec![index as usize],
            None => (0..group.bundles.len()).collect(),
        };
        let fitting: Vec<usize> = fitting.into_iter().filter(|index| holds(*index)).collect();
        let Some(turn) = (group.next as usize).checked_rem(fitting.len()) else {
            let (requested, bundles) = (request.displayed(), group.displayed());
            return GroupLocation::Nowhere(NoLocation::TooSmall { requested, index: bundle, bundles });
        };
        group.next = group.next.wrapping_add(1);
        match (&group.state, group.locations[fitting[turn]]) {
            (GroupState::Ready, Some((rank, _))) => GroupLocation::At(rank),
            _ => GroupLocation::Later,
        }
    }

    /// The groups that are not ready, with their bundles, for reports.
    pub fn pending(&self) -> Vec<(u64, String)> {
        let pending = self.groups.iter().filter(|(_, group)| group.state != GroupState::Ready);
        pending.map(|(number, group)| (*number, group.displayed())).collect()
    }

    /// Plans where the missing bundles go, and sends requests to the ranks there.
    fn attempt(&mut self, number: u64, hosts: &[HostView], now_ns: u64) -> Vec<GroupAction> {
        let Some(group) = self.groups.get_mut(&number) else { return Vec::new() };
        let unplaced: Vec<usize> = (0..group.bundles.len()).filter(|index| group.locations[*index].is_none()).collect();
        let requests: Vec<&ResourceRequest> = unplaced.iter().map(|index| &group.bundles[*index]).collect();
        let used = group.used(hosts);
        let totals = living_totals(hosts);
        let mut planned_free = totals.clone();
        for (host, free) in &self.free {
            if hosts.get(*host).is_some_and(|host| !host.ranks.is_empty()) {
                planned_free[*host] = free.clone();
            }
        }
        let mut planned = plan(group.strategy, &requests, &planned_free, &used);
        if !matches!(planned, PlanSearch::Found(_)) {
            // The reports are outdated. The ranks asked now report what is free; other hosts are assumed to be empty
            // until theirs do.
            self.free.clear();
            planned = plan(group.strategy, &requests, &totals, &used);
        }
        let PlanSearch::Found(planned) = planned else { return self.back_off(number, now_ns) };
        group.attempt += 1;
        let mut requested: BTreeMap<Rank, Vec<(u32, ResourceRequest)>> = BTreeMap::new();
        for (index, host) in unplaced.into_iter().zip(planned) {
            let Some(rank) = group.rank_of(&hosts[host].ranks, number) else { continue };
            group.locations[index] = Some((rank, group.attempt));
            requested.entry(rank).or_default().push((index as u32, group.bundles[index].clone()));
        }
        group.state = GroupState::Reserving { pending: requested.keys().copied().collect(), refused: false };
        let attempt = group.attempt;
        let send = |(rank, bundles)| GroupAction::Send(rank, GroupMessage::Reserve { group: number, attempt, bundles });
        requested.into_iter().map(send).collect()
    }

    /// Once every rank has replied: the bundles are reserved, or everything of this attempt is released.
    fn finish_attempt(&mut self, number: u64, hosts: &[HostView], now_ns: u64) -> Vec<GroupAction> {
        let Some(group) = self.groups.get_mut(&number) else { return Vec::new() };
        let GroupState::Reserving { pending: waiting, refused } = &group.state else { return Vec::new() };
        if !waiting.is_empty() {
            return Vec::new();
        }
        let (refused, attempt) = (*refused, group.attempt);
        let of_attempt = group.bundles.iter().zip(&group.locations).filter_map(|(bundle, location)| {
            let (rank, _) = location.filter(|(_, of)| *of == attempt)?;
            let host = hosts.iter().position(|host| host.ranks.contains(&rank))?;
            Some((host, bundle.clone()))
        });
        let returned: Vec<(usize, ResourceRequest)> = of_attempt.collect();
        let granted = group.locations.iter().flatten().filter(|(_, of)| *of == attempt);
        let granted: BTreeSet<Rank> = granted.map(|(rank, _)| *rank).collect();
        if !refused {
            group.state = GroupState::Ready;
            group.refusals = 0;
            group.loss = None;
            let commit = |rank| GroupAction::Send(rank, GroupMessage::Commit { group: number, attempt });
            return granted.into_iter().map(commit).chain([GroupAction::Ready(number)]).collect();
        }
        granted.iter().for_each(|rank| group.forget(*rank, attempt));
        for (host, bundle) in returned {
            if let Some(free) = self.free.get_mut(&host) {
                free.give(&bundle);
            }
        }
        let release = |rank| GroupAction::Send(rank, GroupMessage::Release { group: number, attempt: Some(attempt) });
        let mut actions: Vec<GroupAction> = granted.into_iter().map(release).collect();
        actions.extend(self.back_off(number, now_ns));
        actions
    }

    /// Backs off for a random time, twice as long after each refusal.
    fn back_off(&mut self, number: u64, now_ns: u64) -> Vec<GroupAction> {
        if let Some(group) = self.groups.get_mut(&number) {
            let longest = (BACKOFF_NS << group.refusals.min(16)).min(BACKOFF_NS_MAX);
            group.refusals += 1;
            group.state = GroupState::BackingOff { until_ns: now_ns + self.random.u64(longest / 2..longest) };
        }
        Vec::new()
    }

    /// The group can never be complete again.
    fn fail(&mut self, number: u64, hosts: &[HostView]) -> Vec<GroupAction> {
        let Some(group) = self.groups.remove(&number) else { return Vec::new() };
        let missing = group.infeasible(hosts).unwrap_or_default();
        let loss = group.loss.clone();
        let mut actions = group.release_all(number);
        actions.push(GroupAction::Ended(number, NoLocation::Infeasible { loss, missing }));
        actions
    }
}
