//! Owners and ranks that hold, with messages between them that are delayed at random and lost with who dies.

use super::*;
use crate::scheduling::UNIT;
use std::collections::VecDeque;

/// A rank: its host's free amounts are shared with the host's others; what it holds, by owner, group and attempt.
#[derive(Default)]
struct Holder {
    held: Vec<(Rank, u64, u32, Vec<Request>)>,
    dead: bool,
}

struct World {
    hosts: Vec<HostView>,
    free: Vec<Totals>,
    owners: BTreeMap<Rank, Groups>,
    ranks: Vec<Holder>,
    /// By pair of ranks, in order: what is under way.
    wires: BTreeMap<(Rank, Rank), VecDeque<GroupMessage>>,
    events: Vec<(Rank, Action)>,
    now_ns: u64,
    random: u64,
}

impl World {
    /// Hosts with so many CPUs and two ranks each; ranks 0 and 1 own groups.
    fn new(cpus: &[i64], seed: u64) -> World {
        let totals: Vec<Totals> = cpus.iter().map(|cpus| Totals { cpu: cpus * UNIT, ..Totals::default() }).collect();
        let hosts = totals.iter().enumerate().map(|(host, totals)| HostView {
            totals: totals.clone(),
            ranks: vec![2 * host as Rank, 2 * host as Rank + 1],
        });
        World {
            hosts: hosts.collect(),
            ranks: (0..2 * cpus.len()).map(|_| Holder::default()).collect(),
            free: totals,
            owners: BTreeMap::from([(0, Groups::new(seed)), (1, Groups::new(seed + 1))]),
            wires: BTreeMap::new(),
            events: Vec::new(),
            now_ns: 0,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn create(&mut self, owner: Rank, number: u64, cpus: &[i64], strategy: Strategy) {
        let bundles = cpus.iter().map(|cpus| Request { cpu: cpus * UNIT, ..Request::default() }).collect();
        let (hosts, now_ns) = (self.hosts.clone(), self.now_ns);
        let actions = self.owners.get_mut(&owner).unwrap().create(number, bundles, strategy, &hosts, now_ns).unwrap();
        self.perform(owner, actions);
    }

    fn remove(&mut self, owner: Rank, number: u64) {
        let actions = self.owners.get_mut(&owner).unwrap().remove(number);
        self.perform(owner, actions);
    }

    fn perform(&mut self, owner: Rank, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(to, message) => self.wires.entry((owner, to)).or_default().push_back(message),
                other => self.events.push((owner, other)),
            }
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    /// One message of a pair drawn at random arrives, twice; where none is under way, time passes. False where nothing can.
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
                let known = |(owner, number, of, _): &(Rank, u64, u32, Vec<Request>)| {
                    (*owner, *number, *of) == (from, group, attempt)
                };
                let mut granted = self.ranks[to as usize].held.iter().any(known);
                if !granted {
                    let mut left = self.free[host].clone();
                    let requests: Vec<Request> = bundles.into_iter().map(|(_, request)| request).collect();
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
                let actions = owner.answered((group, attempt), from, (granted, free), &hosts, now_ns);
                self.perform(to, actions);
            }
            GroupMessage::Commit { .. } | GroupMessage::Remove { .. } => {}
            GroupMessage::Release { group, attempt } => {
                let goes = |(owner, number, of, _): &(Rank, u64, u32, Vec<Request>)| {
                    (*owner, *number) == (from, group) && attempt.is_none_or(|attempt| *of == attempt)
                };
                self.give_back(to, goes);
            }
        }
    }

    fn give_back(&mut self, rank: Rank, goes: impl Fn(&(Rank, u64, u32, Vec<Request>)) -> bool) {
        let (gone, kept) = std::mem::take(&mut self.ranks[rank as usize].held).into_iter().partition(goes);
        self.ranks[rank as usize].held = kept;
        let gone: Vec<(Rank, u64, u32, Vec<Request>)> = gone;
        gone.iter()
            .flat_map(|(_, _, _, requests)| requests)
            .for_each(|request| self.free[rank as usize / 2].give(request));
    }

    /// A rank dies: what it held is free, what it said and was told is lost.
    fn kill(&mut self, rank: Rank) {
        self.ranks[rank as usize].dead = true;
        self.give_back(rank, |_| true);
        self.wires.retain(|(from, to), _| *from != rank && *to != rank);
        self.hosts[rank as usize / 2].ranks.retain(|other| *other != rank);
        let (hosts, now_ns) = (self.hosts.clone(), self.now_ns);
        for owner in self.owners.keys().copied().collect::<Vec<_>>() {
            let actions = self.owners.get_mut(&owner).unwrap().lost(rank, "it was killed", &hosts, now_ns);
            self.perform(owner, actions);
        }
    }

    /// What is held and what is free make up what there is.
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

    fn settle(&mut self) {
        let steps = (0..100_000).take_while(|_| self.step()).count();
        assert!(steps < 100_000, "it never settles: {:?}", self.owners);
    }

    fn is_ready(&self, owner: Rank, number: u64) -> bool {
        self.owners[&owner].groups.get(&number).is_some_and(|group| group.state == State::Ready)
    }

    fn held(&self) -> usize {
        self.ranks.iter().map(|rank| rank.held.len()).sum()
    }
}

/// Each could hold one half of what the other needs and wait for ever.
#[test]
fn two_groups_that_are_reserved_at_once_both_come_to_be() {
    for seed in 0..200 {
        let mut world = World::new(&[3, 3, 3], seed);
        world.create(0, 1, &[2, 2, 2], Strategy::StrictSpread);
        world.create(1, 1, &[2, 2, 2], Strategy::StrictSpread);
        let first = loop {
            assert!(world.step(), "seed {seed}");
            assert!(world.now_ns < 60_000_000_000, "seed {seed}: neither comes to be");
            if let Some(owner) = [0, 1].into_iter().find(|owner| world.is_ready(*owner, 1)) {
                break owner;
            }
        };
        assert!(!world.is_ready(1 - first, 1), "seed {seed}: both cannot be there at once");
        world.remove(first, 1);
        while !world.is_ready(1 - first, 1) {
            assert!(world.step() && world.now_ns < 60_000_000_000, "seed {seed}: the other does not come to be");
        }
        world.remove(1 - first, 1);
        world.settle();
        assert_eq!((world.held(), world.free[0].cpu), (0, 3 * UNIT), "seed {seed}");
    }
}

#[test]
fn ranks_that_die_at_any_moment_leave_nothing_behind_and_the_group_comes_to_be_elsewhere() {
    for seed in 0..500 {
        let mut world = World::new(&[4, 4, 4], seed);
        world.create(0, 1, &[2, 2], Strategy::Spread);
        world.create(1, 2, &[1, 1, 1], Strategy::Pack);
        let (moment, victim) = (world.draw(30), 2 + world.draw(4) as Rank);
        for _ in 0..moment {
            world.step();
        }
        world.kill(victim);
        world.settle();
        assert!(world.is_ready(0, 1) && world.is_ready(1, 2), "seed {seed}, rank {victim} died at {moment}");
        for (owner, number) in [(0, 1), (1, 2)] {
            let homes = &world.owners[&owner].groups[&number].homes;
            assert!(homes.iter().all(|home| home.is_some_and(|(rank, _)| rank != victim)), "seed {seed}");
            world.remove(owner, number);
        }
        world.settle();
        assert_eq!(world.held(), 0, "seed {seed}");
        world.check();
    }
}

#[test]
fn a_group_that_no_living_host_can_hold_any_more_says_whose_death_it_was() {
    let mut world = World::new(&[1, 4], 1);
    world.create(0, 1, &[3, 1], Strategy::StrictPack);
    world.settle();
    world.kill(2);
    world.settle();
    assert!(world.is_ready(0, 1), "the host's other rank holds it");
    world.kill(3);
    world.settle();
    let Some((0, Action::Gone(1, reason))) = world.events.last() else { panic!("{:?}", world.events) };
    assert!(reason.contains("was on rank 3: it was killed") && reason.contains("3 CPU wanted, 1 there"), "{reason}");
    assert_eq!(world.held(), 0);
}

#[test]
fn a_group_that_nobody_can_ever_meet_is_refused_at_once() {
    let mut groups = Groups::new(1);
    let world = World::new(&[2, 2], 1);
    let bundles = vec![Request::one_cpu(), Request { gpu: UNIT, ..Request::one_cpu() }];
    let missing = groups.create(1, bundles, Strategy::Pack, &world.hosts, 0).unwrap_err();
    assert_eq!(missing, "bundle 1: 1 GPU wanted, 0 there");
    assert_eq!(groups.due_ns(), None);
}

#[test]
fn work_goes_where_its_bundle_is_and_never_where_it_cannot_fit() {
    let mut world = World::new(&[2, 2], 1);
    world.create(0, 1, &[1, 2], Strategy::StrictSpread);
    let seat = |cpu: i64| Request { cpu: cpu * UNIT, ..Request::default() };
    let groups = |world: &mut World, bundle, cpu| world.owners.get_mut(&0).unwrap().home(1, bundle, &seat(cpu));
    assert_eq!(groups(&mut world, Some(0), 1), Home::Later);
    world.settle();
    let Home::At(small) = groups(&mut world, Some(0), 1) else { panic!("it is there") };
    let Home::At(large) = groups(&mut world, None, 2) else { panic!("it is there") };
    assert_ne!(small / 2, large / 2);
    let Home::Nowhere(reason) = groups(&mut world, Some(0), 2) else { panic!("it never fits") };
    assert!(reason.contains("2 CPU is more than bundle 0 of its bundles have: 1 CPU | 2 CPU"), "{reason}");
    world.remove(0, 1);
    assert_eq!(groups(&mut world, Some(0), 1), Home::Nowhere("it was removed".to_string()));
}
