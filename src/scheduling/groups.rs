//! Placement groups at their owner: where their bundles are, and how they come to be there. Pure: events in, actions out.
//!
//! ```text
//!   create --> Reserving --every rank granted--> Ready --a rank is lost--> Reserving (the lost bundles only)
//!                 ^   | one refused, or is lost: what was granted goes back
//!                 |   v
//!              Resting (longer each time)          any --remove, or no living host can hold it--> gone
//! ```
//! The owner plans with what it last heard to be free, and asks each rank of the plan to hold its part. A rank holds all that
//! it is asked for or nothing, and never waits while it holds: so two groups that are reserved at once cannot wait for each
//! other. One of two that meet may be refused, gives everything back and tries again after a rest of random length, so that
//! the two do not meet for ever.
//!
//! Words of an older attempt are known by its number. Each event may come twice: the second changes nothing.

mod group;
mod message;
#[cfg(test)]
mod tests;

use group::{Group, State, living_totals};
pub use message::GroupMessage;

use crate::base::Rank;
use crate::scheduling::plan::{Search, Strategy, plan};
use crate::scheduling::{Request, Totals};
use std::collections::BTreeMap;

/// The first rest after a refusal, and the longest.
const REST_NS: u64 = 500_000;
const REST_NS_MAX: u64 = 250_000_000;

/// A host, as the owner knows it.
#[derive(Clone, Debug)]
pub struct HostView {
    /// What it has in all.
    pub totals: Totals,
    /// Its ranks that live.
    pub ranks: Vec<Rank>,
}

/// What the owner is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Say this to that rank.
    Send(Rank, GroupMessage),
    /// Every bundle of the group is in its place: for the first time, or again.
    Ready(u64),
    /// The group is gone, and why: what waits for it fails.
    Gone(u64, String),
}

/// Where work for a group goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Home {
    /// To this rank.
    At(Rank),
    /// It waits until the group is ready.
    Later,
    /// Nowhere, and why.
    Nowhere(String),
}

/// The groups of one owner.
#[derive(Debug)]
pub struct Groups {
    groups: BTreeMap<u64, Group>,
    /// By host: what was free there when it last said so.
    free: BTreeMap<usize, Totals>,
    random: u64,
}

impl Groups {
    /// None yet; `seed` makes the rests repeatable.
    pub fn new(seed: u64) -> Groups {
        Groups { groups: BTreeMap::new(), free: BTreeMap::new(), random: seed | 1 }
    }

    /// A group is wanted under that number.
    ///
    /// # Errors
    /// What is missing, bundle by bundle, where no living host can ever hold it.
    pub fn create(
        &mut self,
        number: u64,
        bundles: Vec<Request>,
        strategy: Strategy,
        hosts: &[HostView],
        now_ns: u64,
    ) -> Result<Vec<Action>, String> {
        let group = Group {
            strategy,
            homes: vec![None; bundles.len()],
            bundles,
            attempt: 0,
            refusals: 0,
            state: State::Resting { until_ns: now_ns },
            lost: None,
            next: 0,
        };
        if let Some(missing) = group.never(hosts) {
            return Err(missing);
        }
        self.groups.insert(number, group);
        Ok(self.attempt(number, hosts, now_ns))
    }

    /// `from` holds what that attempt at that group asked of it, or not; so much is free on its host now.
    pub fn answered(
        &mut self,
        (number, attempt): (u64, u32),
        from: Rank,
        (granted, free): (bool, Totals),
        hosts: &[HostView],
        now_ns: u64,
    ) -> Vec<Action> {
        if let Some(host) = hosts.iter().position(|host| host.ranks.contains(&from)) {
            self.free.insert(host, free);
        }
        let Some(group) = self.groups.get_mut(&number).filter(|group| group.attempt == attempt) else {
            return Vec::new();
        };
        let State::Reserving { waiting, refused } = &mut group.state else { return Vec::new() };
        if !waiting.contains(&from) {
            return Vec::new();
        }
        waiting.retain(|rank| *rank != from);
        *refused |= !granted;
        if !granted {
            group.forget(from, attempt);
        }
        self.when_all_answered(number, hosts, now_ns)
    }

    /// Names the ranks that were asked for room and have not answered.
    pub fn awaited(&self, note: &mut impl FnMut(Rank)) {
        for group in self.groups.values() {
            if let State::Reserving { waiting, .. } = &group.state {
                waiting.iter().copied().for_each(&mut *note);
            }
        }
    }

    /// A rank is gone, and what it held.
    pub fn lost(&mut self, rank: Rank, reason: &str, hosts: &[HostView], now_ns: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        for number in self.groups.keys().copied().collect::<Vec<_>>() {
            let Some(group) = self.groups.get_mut(&number) else { continue };
            if !group.homes.iter().flatten().any(|(home, _)| *home == rank) {
                // A group that rests may have become impossible.
                if group.state != State::Ready && group.never(hosts).is_some() {
                    actions.extend(self.fail(number, hosts));
                }
                continue;
            }
            let lost: Vec<String> = (0..group.homes.len())
                .filter(|index| group.homes[*index].is_some_and(|(home, _)| home == rank))
                .map(|index| index.to_string())
                .collect();
            group.lost = Some(format!("bundle {} was on rank {rank}: {reason}", lost.join(", ")));
            group
                .homes
                .iter_mut()
                .filter(|home| home.is_some_and(|(home, _)| home == rank))
                .for_each(|home| *home = None);
            if group.never(hosts).is_some() {
                actions.extend(self.fail(number, hosts));
                continue;
            }
            match &mut group.state {
                State::Reserving { waiting, refused } => {
                    waiting.retain(|other| *other != rank);
                    *refused = true;
                    actions.extend(self.when_all_answered(number, hosts, now_ns));
                }
                State::Resting { .. } => {}
                State::Ready => actions.extend(self.attempt(number, hosts, now_ns)),
            }
        }
        actions
    }

    /// Time has passed: groups that rested long enough try again.
    pub fn tick(&mut self, hosts: &[HostView], now_ns: u64) -> Vec<Action> {
        let due = |group: &Group| matches!(group.state, State::Resting { until_ns } if until_ns <= now_ns);
        let due: Vec<u64> = self.groups.iter().filter(|(_, group)| due(group)).map(|(number, _)| *number).collect();
        due.into_iter().flat_map(|number| self.attempt(number, hosts, now_ns)).collect()
    }

    /// When `tick` has something to do.
    pub fn due_ns(&self) -> Option<u64> {
        let until = |group: &Group| match group.state {
            State::Resting { until_ns } => Some(until_ns),
            _ => None,
        };
        self.groups.values().filter_map(until).min()
    }

    /// Nobody wants the group any more.
    pub fn remove(&mut self, number: u64) -> Vec<Action> {
        let Some(group) = self.groups.remove(&number) else { return Vec::new() };
        let mut actions = group.release_all(number);
        actions.push(Action::Gone(number, "it was removed".to_string()));
        actions
    }

    /// Where work for a bundle of the group goes; for any bundle, where one is that can hold `request`, in turn.
    pub fn home(&mut self, number: u64, bundle: Option<u32>, request: &Request) -> Home {
        let Some(group) = self.groups.get_mut(&number) else { return Home::Nowhere("it was removed".to_string()) };
        let holds = |index: usize| group.bundles.get(index).is_some_and(|bundle| group::holds(bundle, request));
        let fitting: Vec<usize> = match bundle {
            Some(index) => vec![index as usize],
            None => (0..group.bundles.len()).collect(),
        };
        let fitting: Vec<usize> = fitting.into_iter().filter(|index| holds(*index)).collect();
        let Some(turn) = (group.next as usize).checked_rem(fitting.len()) else {
            let bundles: Vec<String> = group.bundles.iter().map(Request::shown).collect();
            let asked = bundle.map_or(String::new(), |index| format!("bundle {index} of "));
            return Home::Nowhere(format!(
                "{} is more than {asked}its bundles have: {}",
                request.shown(),
                bundles.join(" | ")
            ));
        };
        group.next = group.next.wrapping_add(1);
        match (&group.state, group.homes[fitting[turn]]) {
            (State::Ready, Some((rank, _))) => Home::At(rank),
            _ => Home::Later,
        }
    }

    /// How a group stands, for people: what holds it up.
    pub fn pending(&self) -> Vec<(u64, String)> {
        let pending = self.groups.iter().filter(|(_, group)| group.state != State::Ready);
        let shown = |group: &Group| group.bundles.iter().map(Request::shown).collect::<Vec<_>>().join(" | ");
        pending.map(|(number, group)| (*number, shown(group))).collect()
    }

    /// Plans where the bundles without a home go, and asks the ranks there.
    fn attempt(&mut self, number: u64, hosts: &[HostView], now_ns: u64) -> Vec<Action> {
        let Some(group) = self.groups.get_mut(&number) else { return Vec::new() };
        let wanted: Vec<usize> = (0..group.bundles.len()).filter(|index| group.homes[*index].is_none()).collect();
        let requests: Vec<&Request> = wanted.iter().map(|index| &group.bundles[*index]).collect();
        let used = group.used(hosts);
        let totals = living_totals(hosts);
        let mut room = totals.clone();
        for (host, free) in &self.free {
            if hosts.get(*host).is_some_and(|host| !host.ranks.is_empty()) {
                room[*host] = free.clone();
            }
        }
        let mut planned = plan(group.strategy, &requests, &room, &used);
        if !matches!(planned, Search::Found(_)) {
            // What was heard is old. Who is asked now says what is free; the others are taken to be empty until they are.
            self.free.clear();
            planned = plan(group.strategy, &requests, &totals, &used);
        }
        let Search::Found(planned) = planned else { return self.rest(number, now_ns) };
        group.attempt += 1;
        let mut asked: BTreeMap<Rank, Vec<(u32, Request)>> = BTreeMap::new();
        for (index, host) in wanted.into_iter().zip(planned) {
            let Some(rank) = group.rank_of(&hosts[host].ranks, number) else { continue };
            group.homes[index] = Some((rank, group.attempt));
            asked.entry(rank).or_default().push((index as u32, group.bundles[index].clone()));
        }
        group.state = State::Reserving { waiting: asked.keys().copied().collect(), refused: false };
        let attempt = group.attempt;
        let send = |(rank, bundles)| Action::Send(rank, GroupMessage::Reserve { group: number, attempt, bundles });
        asked.into_iter().map(send).collect()
    }

    /// Where nobody has still to answer: the bundles are there, or everything of this attempt goes back.
    fn when_all_answered(&mut self, number: u64, hosts: &[HostView], now_ns: u64) -> Vec<Action> {
        let Some(group) = self.groups.get_mut(&number) else { return Vec::new() };
        let State::Reserving { waiting, refused } = &group.state else { return Vec::new() };
        if !waiting.is_empty() {
            return Vec::new();
        }
        let (refused, attempt) = (*refused, group.attempt);
        let of_attempt = group.bundles.iter().zip(&group.homes).filter_map(|(bundle, home)| {
            let (rank, _) = home.filter(|(_, of)| *of == attempt)?;
            let host = hosts.iter().position(|host| host.ranks.contains(&rank))?;
            Some((host, bundle.clone()))
        });
        let returned: Vec<(usize, Request)> = of_attempt.collect();
        let mut granted: Vec<Rank> =
            group.homes.iter().flatten().filter(|(_, of)| *of == attempt).map(|(rank, _)| *rank).collect();
        granted.sort_unstable();
        granted.dedup();
        if !refused {
            group.state = State::Ready;
            group.refusals = 0;
            group.lost = None;
            let commit = |rank| Action::Send(rank, GroupMessage::Commit { group: number, attempt });
            return granted.into_iter().map(commit).chain([Action::Ready(number)]).collect();
        }
        granted.iter().for_each(|rank| group.forget(*rank, attempt));
        for (host, bundle) in returned {
            if let Some(free) = self.free.get_mut(&host) {
                free.give(&bundle);
            }
        }
        let release = |rank| Action::Send(rank, GroupMessage::Release { group: number, attempt: Some(attempt) });
        let mut actions: Vec<Action> = granted.into_iter().map(release).collect();
        actions.extend(self.rest(number, now_ns));
        actions
    }

    /// A rest of random length, twice as long after each refusal.
    fn rest(&mut self, number: u64, now_ns: u64) -> Vec<Action> {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = self.random >> 33;
        if let Some(group) = self.groups.get_mut(&number) {
            let longest = (REST_NS << group.refusals.min(16)).min(REST_NS_MAX);
            group.refusals += 1;
            group.state = State::Resting { until_ns: now_ns + longest / 2 + drawn % (longest / 2) };
        }
        Vec::new()
    }

    /// The group can never be whole again.
    fn fail(&mut self, number: u64, hosts: &[HostView]) -> Vec<Action> {
        let Some(group) = self.groups.remove(&number) else { return Vec::new() };
        let missing = group.never(hosts).unwrap_or_default();
        let lost = group.lost.as_ref().map_or(String::new(), |lost| format!("{lost}; "));
        let mut actions = group.release_all(number);
        actions.push(Action::Gone(number, format!("{lost}no host that is left can hold it: {missing}")));
        actions
    }
}
