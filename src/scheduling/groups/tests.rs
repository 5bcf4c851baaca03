//! Owners, and ranks that reserve, with messages between them that are delayed at random and lost with ranks that die.

use super::*;
use crate::scheduling::UNIT;
use fastrand::Rng;
use std::collections::VecDeque;

/// A rank: all ranks of a host share its free amounts; what it holds, by owner, group and attempt.
#[derive(Default)]
struct RankState {
    held: Vec<(Rank, u64, u32, Vec<ResourceRequest>)>,
    dead: bool,
}

struct GroupSim {
    hosts: Vec<HostView>,
    free: Vec<Totals>,
    owners: BTreeMap<Rank, Groups>,
    ranks: Vec<RankState>,
    /// By pair of ranks, in order: the messages in flight.
    wires: BTreeMap<(Rank, Rank), VecDeque<GroupMessage>>,
    events: Vec<(Rank, GroupAction)>,
    now_ns: u64,
    random: Rng,
}

impl GroupSim {
    /// Hosts with so many CPUs and two ranks each; ranks 0 and 1 own groups.
    fn new(cpus: &[i64], seed: u64) -> GroupSim {
        let totals: Vec<Totals> = cpus.iter().map(|cpus| Totals { cpu: cpus * UNIT, ..Totals::default() }).collect();
        let hosts = totals.iter().enumerate().map(|(host, totals)| HostView {
            totals: totals.clone(),
            ranks: vec![2 * host as Rank, 2 * host as Rank + 1],
        });
        GroupSim {
            hosts: hosts.collect(),
            ranks: (0..2 * cpus.len()).map(|_| RankState::default()).collect(),
            free: totals,
            owners: BTreeMap::from([(0, Groups::new(seed)), (1, Groups::new(seed + 1))]),
            wires: BTreeMap::new(),
            events: Vec::new(),
            now_ns: 0,
            random: Rng::with_seed(seed),
        }
    }

    fn create(&mut self, owner: Rank, number: u64, cpus: &[i64], strategy: Strategy) {
        let bundle = |cpus: &i64| ResourceRequest { cpu: cpus * UNIT, ..ResourceRequest::default() };
        let bundles = cpus.iter().map(bundle).collect();
        let (hosts, now_ns) = (self.hosts.clone(), self.now_ns);
        let actions = self.owners.get_mut(&owner).unwrap().create(number, bundles, strategy, &hosts, now_ns).unwrap();
        self.perform(owner, actions);
    }

    fn remove(&mut self, owner: Rank, number: u64) {
        let actions = self.owners.get_mut(&owner).unwrap().remove(number);
        self.perform(owner, actions);
    }

    fn perform(&mut self, owner: Rank, actions: Vec<GroupAction>) {
        for action in actions {
            match action {
                GroupAction::Send(to, message) => self.wires.entry((owner, to)).or_default().push_back(message),
                other => self.events.push((owner, other)),
            }
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random.usize(..below)
    }

    /// One message of a pair drawn at random arrives, twice; if none is in flight, time passes. False if nothing can
    /// happen.
    fn step(&mut self) -> bool {
        self.wires.retain(|_, wire| !wire.is_empty());
        self.now_ns += 10_000;
        if self.wires.is_empty() {
            let Some(due_ns) = self.owners.values().filter_map(Groups::due_ns).min() else { return false };
            self.now_ns = self.now_ns.max(due_ns);
        }
        let (hosts, now_ns) = (self.hosts.clone(), self.now_ns);
        for owner in self.owners.keys().copied().collect::<Vec<_>>() {
            let actions = self.owners.get_mut(&owner).unwrap().tick(&hosts, now_ns);
            self.perform(owner, actions);
        }
        let pairs: Vec<(Rank, Rank)> = self.wires.keys().copied().collect();
        if pairs.is_empty() {
            return true;
        }
        let (from, to) = pairs[self.draw(pairs.len())];
        if let Some(message) = self.wires.get_mut(&(from, to)).and_then(VecDeque::pop_front) {
            self.arrive(from, to, message.clone());
            self.arrive(from, to, message);
        }
        self.check();
        true
    }

    fn arrive(&mut self, from: Rank, to: Rank, message: GroupMessage) {
        if self.ranks[to as usize].dead {
            return;
        }
        let host = to as usize / 2;
        match message {
            GroupMessage::Reserve { group, attempt, bundles } => {
                let known = |(owner, number, of, _): &(Rank, u64, u32, Vec<ResourceRequest>)| {
                    (*owner, *number, *of) == (from, group, attempt)
                };
                let mut granted = self.ranks[to as usize].held.iter().any(known);
                if !granted {
                    let mut left = self.free[host].clone();
                    let requests: Vec<ResourceRequest> = bundles.into_iter().map(|(_, request)| request).collect();
                    granted = requests.iter().all(|request| left.take(request));
                    if granted {
                        self.free[host] = left;
                        self.ranks[to as usize].held.push((from, group, attempt, requests));
                    }
                }
                let answer = GroupMessage::Reserved { group, attempt, granted, free: self.free[host].clone() };
                self.wires.entry((to, from)).or_default().push_back(answer);
            }
            GroupMessage::Reserved { group, attempt, granted, free } => {
                let (hosts, now_ns) = (self.hosts.clone(), self.now_ns);
                let owner = self.owners.get_mut(&to).unwrap();
                let actions = owner.on_reserved((group, attempt), from, (granted, free), &hosts, now_ns);
                self.perform(to, actions);
            }
            GroupMessage::Commit { .. } | GroupMessage::Remove { .. } => {}
            GroupMessage::Release { group, attempt } => {
                let is_released = |(owner, number, of, _): &(Rank, u64, u32, Vec<ResourceRequest>)| {
                    (*owner, *number) == (from, group) && attempt.is_none_or(|attempt| *of == attempt)
                };
                self.give_back(to, is_released);
            }
        }
    }

    fn give_back(&mut self, rank: Rank, is_released: impl Fn(&(Rank, u64, u32, Vec<ResourceRequest>)) -> bool) {
        let (released, kept) = std::mem::take(&mut self.ranks[rank as usize].held).into_iter().partition(is_released);
        self.ranks[rank as usize].held = kept;
        let released: Vec<(Rank, u64, u32, Vec<ResourceRequest>)> = released;
        released
            .iter()
            .flat_map(|(_, _, _, requests)| requests)
            .for_each(|request| self.free[rank as usize / 2].give(request));
    }

    /// A rank dies: what it held is free, messages from it and to it are lost.
    fn kill(&mut self, rank: Rank) {
        self.ranks[rank as usize].dead = true;
        self.give_back(rank, |_| true);
        self.wires.retain(|(from, to), _| *from != rank && *to != rank);
        self.hosts[rank as usize / 2].ranks.retain(|other| *other != rank);
        let (hosts, now_ns) = (self.hosts.clone(), self.now_ns);
        for owner in self.owners.keys().copied().collect::<Vec<_>>() {
            let actions = self.owners.get_mut(&owner).unwrap().on_rank_failed(rank, "it was killed", &hosts, now_ns);
            self.perform(owner, actions);
        }
    }

    /// Held and free amounts add up to the totals.
    fn check(&self) {
        for (host, view) in self.hosts.iter().enumerate() {
            let held: i64 = self.ranks[2 * host..2 * host + 2]
                .iter()
                .flat_map(|rank| &rank.held)
                .flat_map(|(_, _, _, requests)| requests)
                .map(|request| request.cpu)
                .sum();
            assert_eq!(held + self.free[host].cpu, view.totals.cpu, "host {host}");
            assert!(self.free[host].cpu >= 0);
        }
    }

    fn run_until_idle(&mut self) {
        let steps = (0..100_000).take_while(|_| self.step()).count();
        assert!(steps < 100_000, "it never becomes idle: {:?}", self.owners);
    }

    fn is_ready(&self, owner: Rank, number: u64) -> bool {
        self.owners[&owner].groups.get(&number).is_some_and(|group| group.state == GroupState::Ready)
    }

    fn held(&self) -> usize {
        self.ranks.iter().map(|rank| rank.held.len()).sum()
    }
}

/// Without back-off each owner could hold half of what the other needs and wait for ever.
#[test]
fn two_groups_reserved_at_once_both_become_ready() {
    for seed in 0..200 {
        let mut world = GroupSim::new(&[3, 3, 3], seed);
        world.create(0, 1, &[2, 2, 2], Strategy::StrictSpread);
        world.create(1, 1, &[2, 2, 2], Strategy::StrictSpread);
        let first = loop {
            assert!(world.step(), "seed {seed}");
            assert!(world.now_ns < 60_000_000_000, "seed {seed}: neither becomes ready");
            if let Some(owner) = [0, 1].into_iter().find(|owner| world.is_ready(*owner, 1)) {
                break owner;
            }
        };
        assert!(!world.is_ready(1 - first, 1), "seed {seed}: both cannot be ready at once");
        world.remove(first, 1);
        while !world.is_ready(1 - first, 1) {
            assert!(world.step() && world.now_ns < 60_000_000_000, "seed {seed}: the other does not become ready");
        }
        world.remove(1 - first, 1);
        world.run_until_idle();
        assert_eq!((world.held(), world.free[0].cpu), (0, 3 * UNIT), "seed {seed}");
    }
}

#[test]
fn rank_death_at_any_moment_moves_bundles_and_leaks_nothing() {
    for seed in 0..500 {
        let mut world = GroupSim::new(&[4, 4, 4], seed);
        world.create(0, 1, &[2, 2], Strategy::Spread);
        world.create(1, 2, &[1, 1, 1], Strategy::Pack);
        let (moment, victim) = (world.draw(30), 2 + world.draw(4) as Rank);
        for _ in 0..moment {
            world.step();
        }
        world.kill(victim);
        world.run_until_idle();
        assert!(world.is_ready(0, 1) && world.is_ready(1, 2), "seed {seed}, rank {victim} died at {moment}");
        for (owner, number) in [(0, 1), (1, 2)] {
            let locations = &world.owners[&owner].groups[&number].locations;
            assert!(locations.iter().all(|location| location.is_some_and(|(rank, _)| rank != victim)), "seed {seed}");
            world.remove(owner, number);
        }
        world.run_until_idle();
        assert_eq!(world.held(), 0, "seed {seed}");
        world.check();
    }
}

#[test]
fn group_ends_naming_the_death_when_no_living_host_can_hold_it() {
    let mut world = GroupSim::new(&[1, 4], 1);
    world.create(0, 1, &[3, 1], Strategy::StrictPack);
    world.run_until_idle();
    world.kill(2);
    world.run_until_idle();
    assert!(world.is_ready(0, 1), "the host's other rank holds it");
    world.kill(3);
    world.run_until_idle();
    let Some((0, GroupAction::Ended(1, reason))) = world.events.last() else { panic!("{:?}", world.events) };
    for part in ["was on rank 3: it was killed", "3 CPU requested, 1 available"] {
        assert!(reason.to_string().contains(part), "{reason}");
    }
    assert_eq!(world.held(), 0);
}

#[test]
fn group_that_no_host_can_ever_hold_is_refused_at_once() {
    let mut groups = Groups::new(1);
    let world = GroupSim::new(&[2, 2], 1);
    let bundles = vec![ResourceRequest::one_cpu(), ResourceRequest { gpu: UNIT, ..ResourceRequest::one_cpu() }];
    let error = groups.create(1, bundles, Strategy::Pack, &world.hosts, 0).unwrap_err();
    assert_eq!(error.missing, "bundle 1: 1 GPU requested, 0 available");
    assert_eq!(groups.due_ns(), None);
}

#[test]
fn work_goes_to_its_bundle_and_never_where_it_cannot_fit() {
    let mut world = GroupSim::new(&[2, 2], 1);
    world.create(0, 1, &[1, 2], Strategy::StrictSpread);
    let request = |cpu: i64| ResourceRequest { cpu: cpu * UNIT, ..ResourceRequest::default() };
    let groups = |world: &mut GroupSim, bundle, cpu| world.owners.get_mut(&0).unwrap().locate(1, bundle, &request(cpu));
    assert_eq!(groups(&mut world, Some(0), 1), GroupLocation::Later);
    world.run_until_idle();
    let GroupLocation::At(small) = groups(&mut world, Some(0), 1) else { panic!("it is there") };
    let GroupLocation::At(large) = groups(&mut world, None, 2) else { panic!("it is there") };
    assert_ne!(small / 2, large / 2);
    let GroupLocation::Nowhere(reason) = groups(&mut world, Some(0), 2) else { panic!("it never fits") };
    assert!(reason.to_string().contains("2 CPU is more than bundle 0 of its bundles have: 1 CPU | 2 CPU"), "{reason}");
    world.remove(0, 1);
    assert_eq!(groups(&mut world, Some(0), 1), GroupLocation::Nowhere(NoLocation::Removed));
}
