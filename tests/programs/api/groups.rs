//! Placement groups: resources that are reserved together, and the tasks and actors in them.

use crate::cases::{Cases, Outcome, soon};
use crate::gate::{Gate, fresh};
use crate::resources::together;
use crate::span::{Span, most_at_once};
use crate::start::{Holder, last_rank};
use mobula::prelude::*;
use mobula::{Bundle, Error, PlacementGroup, Strategy, placement_group};

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

#[mobula::remote]
fn gpus() -> Vec<u32> {
    mobula::context().gpus().to_vec()
}

#[mobula::remote]
fn nap() -> Span {
    Span::of_a_nap()
}

/// Waits for a child in its own bundle, which has one CPU.
#[mobula::remote]
fn parent(group: PlacementGroup, depth: u32) -> mobula::Result<u32> {
    if depth == 0 {
        return Ok(0);
    }
    let child = parent::options().place(Placement::Bundle(&group, 0)).remote(group.clone(), depth - 1);
    Ok(*child.get()? + 1)
}

#[mobula::remote]
fn here_in(group: PlacementGroup, bundle: u32) -> mobula::Result<u32> {
    Ok(*here::options().place(Placement::Bundle(&group, bundle)).remote().get()?)
}

pub struct Resident;

#[mobula::actor]
impl Resident {
    pub fn new() -> Resident {
        Resident
    }
    pub fn location(&mut self) -> (u32, Vec<u32>) {
        let context = mobula::context();
        (context.rank(), context.gpus().to_vec())
    }
}

pub fn run(cases: &mut Cases) {
    cases.case("a group is reserved as a whole, used and released", reserved);
    cases.case("a bundle runs as many tasks as fit", bundle_is_a_limit);
    cases.case("a task that waits yields its bundle's CPU to its children", nested);
    cases.case("tasks of a bundle get its GPUs", bundle_gpus);
    cases.case("any bundle of a group", any_bundle);
    cases.case("a request that exceeds the bundle is an error that says so", beyond_a_bundle);
    cases.case("a group that can never be reserved is an error, whatever is free", never);
    cases.case("invalid bundles are an error", invalid);
    cases.case("StrictPack and StrictSpread, by host", strict);
    cases.case("a group waits until another is removed", one_after_the_other);
    cases.case("tasks of a removed group fail with its name", removed);
    cases.case("a group ends with its last handle", dropped);
    cases.case("a group is passed to other ranks, whose tasks run in it", passed_on);
    cases.case("an actor lives in a bundle, and ends with the group", actors);
    cases.case("fifty groups come and go without a leak", many);
}

fn cpu_bundles(count: usize, cpus: f64) -> Vec<Bundle> {
    (0..count).map(|_| Bundle::new().cpus(cpus)).collect()
}

/// Everything is free again.
#[track_caller]
fn all_is_free() {
    soon("all is free", || mobula::available_resources() == mobula::cluster_resources());
}

fn reserved() -> Outcome {
    all_is_free();
    let group = placement_group(cpu_bundles(2, 3.0), Strategy::Pack)?;
    assert!(group.wait(Duration::from_secs(20))?);
    group.ready().get()?;
    let total = mobula::cluster_resources()["CPU"];
    soon("six CPUs are reserved for the group", || mobula::available_resources()["CPU"] == total - 6.0);
    for bundle in 0..2 {
        let refs: Vec<_> = (0..20).map(|_| here::options().place(Placement::Bundle(&group, bundle)).remote()).collect();
        let ranks: Vec<u32> = mobula::get_all(&refs)?.iter().map(|rank| **rank).collect();
        assert!(ranks.iter().all(|rank| *rank == ranks[0]), "a bundle is on one rank: {ranks:?}");
    }
    group.remove();
    all_is_free();
    Ok(())
}

fn bundle_is_a_limit() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(2.0)], Strategy::Pack)?;
    let naps: Vec<_> = (0..6).map(|_| nap::options().place(Placement::Bundle(&group, 0)).remote()).collect();
    let spans: Vec<Span> = mobula::get_all(&naps)?.iter().map(|span| Span::clone(span)).collect();
    assert!(most_at_once(spans.iter()) <= 2, "two CPUs, two at once");
    let meeting = fresh();
    let pair: Vec<_> =
        (0..2).map(|_| together::options().place(Placement::Bundle(&group, 0)).remote(meeting, 2)).collect();
    assert!(mobula::get_all(&pair)?.iter().all(|met| **met), "two tasks never ran at once on two CPUs");
    Ok(())
}

fn nested() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    let root = parent::options().place(Placement::Bundle(&group, 0)).remote(group.clone(), 20);
    assert_eq!(*root.get()?, 20);
    drop(root);
    drop(group);
    all_is_free();
    Ok(())
}

fn bundle_gpus() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(1.0).gpus(1.0), Bundle::new().gpus(0.5)], Strategy::Pack)?;
    let whole = gpus::options().num_gpus(1.0).place(Placement::Bundle(&group, 0)).remote();
    assert_eq!(whole.get()?.len(), 1);
    let half = gpus::options().num_cpus(0.0).num_gpus(0.5).place(Placement::Bundle(&group, 1)).remote();
    assert_eq!(half.get()?.len(), 1);
    let none = gpus::options().place(Placement::Bundle(&group, 0)).remote();
    assert_eq!(none.get()?.len(), 0, "a task has the GPUs that it requested");
    Ok(())
}

fn any_bundle() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(1.0), Bundle::new().cpus(2.0)], Strategy::Spread)?;
    let large = here::options().num_cpus(2.0).place(Placement::Bundle(&group, 1)).remote();
    let location = *large.get()?;
    for _ in 0..4 {
        assert_eq!(*here::options().num_cpus(2.0).place(Placement::Group(&group)).remote().get()?, location);
    }
    let refs: Vec<_> = (0..10).map(|_| here::options().place(Placement::Group(&group)).remote()).collect();
    assert_eq!(mobula::get_all(&refs)?.len(), 10);
    Ok(())
}

fn beyond_a_bundle() -> Outcome {
    let group = placement_group(cpu_bundles(2, 1.0), Strategy::Pack)?;
    let large = here::options().num_cpus(2.0).place(Placement::Bundle(&group, 1)).remote().get().expect_err("too much");
    assert!(large.to_string().contains("2 CPU is more than bundle 1"), "{large}");
    let gpu = here::options().num_gpus(1.0).place(Placement::Group(&group)).remote().get().expect_err("no GPU in it");
    assert!(gpu.to_string().contains("1 GPU"), "{gpu}");
    let beyond = here::options().place(Placement::Bundle(&group, 2)).remote().get().expect_err("no third bundle");
    assert!(matches!(beyond, Error::Unschedulable { .. }), "{beyond}");
    let actor = Resident::options().num_cpus(3.0).place(Placement::Bundle(&group, 0)).remote();
    let error = actor.location().get().expect_err("it never fits");
    assert!(error.to_string().contains("3 CPU"), "{error}");
    Ok(())
}

fn never() -> Outcome {
    all_is_free();
    // The error depends on what hosts have, not on what is free: actors hold every CPU.
    let holders: Vec<_> = mobula::nodes()
        .iter()
        .map(|node| Holder::options().num_cpus(10.0).place(Placement::Host(node.name().to_string())).remote())
        .collect();
    for holder in &holders {
        assert!(*holder.ready().get()?);
    }
    let bundles = vec![Bundle::new().cpus(1.0), Bundle::new().cpus(11.0).resource("Licence", 1.0)];
    let error = placement_group(bundles, Strategy::Pack).expect_err("no host has that");
    let text = error.to_string();
    for part in ["bundle 1", "11 CPU requested, 10 available", "1 Licence requested, 0 available"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("bundle 0"), "{text}");
    let hosts = mobula::nodes().len();
    let error = placement_group(cpu_bundles(hosts + 1, 6.0), Strategy::Spread).expect_err("not at the same time");
    assert!(error.to_string().contains("6 CPU"), "{error}");
    drop(holders);
    all_is_free();
    Ok(())
}

fn invalid() -> Outcome {
    for bundles in [vec![], vec![Bundle::new()], vec![Bundle::new().cpus(-1.0)], vec![Bundle::new().gpus(f64::NAN)]] {
        let error = placement_group(bundles, Strategy::Pack).expect_err("invalid");
        assert!(matches!(error, Error::Config { .. }), "{error}");
    }
    Ok(())
}

fn strict() -> Outcome {
    let hosts = mobula::nodes();
    let host_of = |rank: u32| hosts.iter().position(|host| host.ranks().contains(&rank));
    let packed = placement_group(cpu_bundles(5, 2.0), Strategy::StrictPack)?;
    let mut hosts_of_bundles = Vec::new();
    for bundle in 0..5 {
        hosts_of_bundles.push(host_of(*here::options().place(Placement::Bundle(&packed, bundle)).remote().get()?));
    }
    assert!(hosts_of_bundles.iter().all(|host| *host == hosts_of_bundles[0]), "{hosts_of_bundles:?}");
    drop(packed);
    let error = placement_group(cpu_bundles(hosts.len() + 1, 1.0), Strategy::StrictSpread).expect_err("too few hosts");
    assert!(error.to_string().contains("StrictSpread"), "{error}");
    let spread = placement_group(cpu_bundles(hosts.len(), 1.0), Strategy::StrictSpread)?;
    let mut hosts_of_bundles = Vec::new();
    for bundle in 0..hosts.len() as u32 {
        hosts_of_bundles.push(host_of(*here::options().place(Placement::Bundle(&spread, bundle)).remote().get()?));
    }
    hosts_of_bundles.sort_unstable();
    hosts_of_bundles.dedup();
    assert_eq!(hosts_of_bundles.len(), hosts.len(), "{hosts_of_bundles:?}");
    Ok(())
}

fn one_after_the_other() -> Outcome {
    all_is_free();
    let hosts = mobula::nodes().len();
    let first = placement_group(cpu_bundles(hosts, 10.0), Strategy::StrictSpread)?;
    first.ready().get()?;
    let second = placement_group(cpu_bundles(hosts, 10.0), Strategy::StrictSpread)?;
    let early = here::options().place(Placement::Bundle(&second, 0)).remote();
    assert!(!second.wait(Duration::from_millis(20))?, "nothing is free");
    first.remove();
    assert!(second.wait(Duration::from_secs(20))?);
    early.get()?;
    second.remove();
    all_is_free();
    Ok(())
}

fn removed() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    let gate = Gate::new();
    let argument = gate.task(1);
    // It has begun and holds the bundle; the second waits for it.
    let running = parent_of::options().place(Placement::Bundle(&group, 0)).remote(&argument);
    let queued = here::options().place(Placement::Bundle(&group, 0)).remote();
    queued.get()?;
    group.remove();
    let late = here::options().place(Placement::Bundle(&group, 0)).remote().get().expect_err("removed");
    assert!(late.to_string().contains("placement group") && late.to_string().contains("removed"), "{late}");
    assert!(matches!(late, Error::Unschedulable { .. }), "{late:?}");
    gate.open();
    // One that was sent before may have been on its way; either it ran or it says why not.
    match running.get() {
        Ok(value) => assert_eq!(*value, 2),
        Err(error) => assert!(error.to_string().contains("placement group"), "{error}"),
    }
    group.remove();
    all_is_free();
    Ok(())
}

#[mobula::remote]
fn parent_of(value: u64) -> u64 {
    value + 1
}

fn dropped() -> Outcome {
    all_is_free();
    let group = placement_group(cpu_bundles(2, 2.0), Strategy::Spread)?;
    group.ready().get()?;
    let other = group.clone();
    drop(group);
    assert_eq!(*here_in::remote(other.clone(), 1).get()?, *here_in::remote(other.clone(), 1).get()?);
    drop(other);
    all_is_free();
    Ok(())
}

fn passed_on() -> Outcome {
    let group = placement_group(cpu_bundles(2, 2.0), Strategy::Pack)?;
    let location = *here::options().place(Placement::Bundle(&group, 1)).remote().get()?;
    assert_eq!(*here_in::on(last_rank()).remote(group.clone(), 1).get()?, location);
    group.remove();
    let error = here_in::on(last_rank()).remote(group.clone(), 1).get().expect_err("removed");
    assert!(error.to_string().contains("removed"), "{error}");
    all_is_free();
    Ok(())
}

fn actors() -> Outcome {
    all_is_free();
    let group = placement_group(vec![Bundle::new().cpus(2.0).gpus(1.0)], Strategy::Pack)?;
    let location = *here::options().place(Placement::Bundle(&group, 0)).remote().get()?;
    let resident = Resident::options().num_cpus(1.0).num_gpus(1.0).place(Placement::Bundle(&group, 0)).remote();
    let (rank, gpus) = resident.location().get()?.clone();
    assert_eq!((rank, gpus.len()), (location, 1));
    let second = Resident::options().place(Placement::Group(&group)).remote();
    assert_eq!(second.location().get()?.0, location);
    assert_eq!(*here::options().place(Placement::Bundle(&group, 0)).remote().get()?, location, "a CPU is left");
    group.remove();
    soon("its actors are dead", || matches!(resident.location().get(), Err(Error::ActorDied { .. })));
    let error = resident.location().get().expect_err("the group was removed");
    assert!(error.to_string().contains("placement group"), "{error}");
    let late = Resident::options().place(Placement::Bundle(&group, 0)).remote();
    let error = late.location().get().expect_err("the group was removed");
    assert!(error.to_string().contains("removed"), "{error}");
    all_is_free();
    Ok(())
}

fn many() -> Outcome {
    all_is_free();
    for round in 0..50u32 {
        let strategy = if round % 2 == 0 { Strategy::Pack } else { Strategy::Spread };
        let group = placement_group(cpu_bundles(1 + round as usize % 4, 1.0), strategy)?;
        let refs: Vec<_> = (0..4).map(|_| here::options().place(Placement::Group(&group)).remote()).collect();
        if round % 3 > 0 {
            mobula::get_all(&refs)?;
        }
        if round % 2 == 0 {
            group.remove();
        }
    }
    all_is_free();
    Ok(())
}
