//! Placement groups: resources that are reserved together, and what runs in them.

use crate::cases::{Cases, Outcome, soon};
use crate::gate::Gate;
use crate::span::{Span, most_at_once};
use crate::start::last_rank;
use mobula::prelude::*;
use mobula::{Bundle, Error, PlacementGroup, Strategy, placement_group};
use std::time::Instant;

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
fn goes_on(group: PlacementGroup, bundle: u32) -> mobula::Result<u32> {
    Ok(*here::options().place(Placement::Bundle(&group, bundle)).remote().get()?)
}

pub struct Resident;

#[mobula::actor]
impl Resident {
    pub fn new() -> Resident {
        Resident
    }
    pub fn place(&mut self) -> (u32, Vec<u32>) {
        let context = mobula::context();
        (context.rank(), context.gpus().to_vec())
    }
}

pub fn run(cases: &mut Cases) {
    cases.case("a group is reserved whole, used and given back", reserved);
    cases.case("a bundle runs what it has room for", bundle_is_a_limit);
    cases.case("a task that waits lends its bundle's CPU to its children", nested);
    cases.case("GPUs of a bundle are its tasks'", bundle_gpus);
    cases.case("any bundle of a group", any_bundle);
    cases.case("more than a bundle has is an error that says so", beyond_a_bundle);
    cases.case("a group that nobody can ever meet is an error at once", never);
    cases.case("bundles of no sense are an error", senseless);
    cases.case("StrictPack and StrictSpread, by host", strict);
    cases.case("a group waits until another is removed", one_after_the_other);
    cases.case("tasks of a removed group fail by name", removed);
    cases.case("the last handle's end is the group's", dropped);
    cases.case("a group goes to other ranks, whose tasks run in it", passed_on);
    cases.case("an actor lives in a bundle, and ends with the group", actors);
    cases.case("fifty groups come and go and nothing is lost", many);
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
    soon("six CPUs are the group's", || mobula::available_resources()["CPU"] == total - 6.0);
    for bundle in 0..2 {
        let refs: Vec<_> = (0..20).map(|_| here::options().place(Placement::Bundle(&group, bundle)).remote()).collect();
        let ranks: Vec<u32> = mobula::get_all(&refs)?.iter().map(|rank| **rank).collect();
        assert!(ranks.iter().all(|rank| *rank == ranks[0]), "a bundle is in one place: {ranks:?}");
    }
    group.remove();
    all_is_free();
    Ok(())
}

fn bundle_is_a_limit() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(2.0)], Strategy::Pack)?;
    let naps: Vec<_> = (0..6).map(|_| nap::options().place(Placement::Bundle(&group, 0)).remote()).collect();
    let spans: Vec<Span> = mobula::get_all(&naps)?.iter().map(|span| Span::clone(span)).collect();
    assert_eq!(most_at_once(spans.iter()), 2, "two CPUs, two at once");
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
    assert_eq!(none.get()?.len(), 0, "a task has the GPUs that it asked for");
    Ok(())
}

fn any_bundle() -> Outcome {
    let group = placement_group(vec![Bundle::new().cpus(1.0), Bundle::new().cpus(2.0)], Strategy::Spread)?;
    let large = here::options().num_cpus(2.0).place(Placement::Bundle(&group, 1)).remote();
    let home = *large.get()?;
    for _ in 0..4 {
        assert_eq!(*here::options().num_cpus(2.0).place(Placement::Group(&group)).remote().get()?, home);
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
    let error = actor.place().get().expect_err("it never fits");
    assert!(error.to_string().contains("3 CPU"), "{error}");
    Ok(())
}

fn never() -> Outcome {
    let began = Instant::now();
    let bundles = vec![Bundle::new().cpus(1.0), Bundle::new().cpus(11.0).resource("Licence", 1.0)];
    let error = placement_group(bundles, Strategy::Pack).expect_err("nobody has that");
    let text = error.to_string();
    for part in ["bundle 1", "11 CPU requested, 10 available", "1 Licence requested, 0 available"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("bundle 0"), "{text}");
    let hosts = mobula::nodes().len();
    let error = placement_group(cpu_bundles(hosts + 1, 6.0), Strategy::Spread).expect_err("not at the same time");
    assert!(error.to_string().contains("6 CPU"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "at once");
    Ok(())
}

fn senseless() -> Outcome {
    for bundles in [vec![], vec![Bundle::new()], vec![Bundle::new().cpus(-1.0)], vec![Bundle::new().gpus(f64::NAN)]] {
        let error = placement_group(bundles, Strategy::Pack).expect_err("of no sense");
        assert!(matches!(error, Error::Config { .. }), "{error}");
    }
    Ok(())
}

fn strict() -> Outcome {
    let hosts = mobula::nodes();
    let host_of = |rank: u32| hosts.iter().position(|host| host.ranks().contains(&rank));
    let packed = placement_group(cpu_bundles(5, 2.0), Strategy::StrictPack)?;
    let mut homes = Vec::new();
    for bundle in 0..5 {
        homes.push(host_of(*here::options().place(Placement::Bundle(&packed, bundle)).remote().get()?));
    }
    assert!(homes.iter().all(|host| *host == homes[0]), "{homes:?}");
    drop(packed);
    let error = placement_group(cpu_bundles(hosts.len() + 1, 1.0), Strategy::StrictSpread).expect_err("too few hosts");
    assert!(error.to_string().contains("StrictSpread"), "{error}");
    let spread = placement_group(cpu_bundles(hosts.len(), 1.0), Strategy::StrictSpread)?;
    let mut homes = Vec::new();
    for bundle in 0..hosts.len() as u32 {
        homes.push(host_of(*here::options().place(Placement::Bundle(&spread, bundle)).remote().get()?));
    }
    homes.sort_unstable();
    homes.dedup();
    assert_eq!(homes.len(), hosts.len(), "{homes:?}");
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
    assert_eq!(*goes_on::remote(other.clone(), 1).get()?, *goes_on::remote(other.clone(), 1).get()?);
    drop(other);
    all_is_free();
    Ok(())
}

fn passed_on() -> Outcome {
    let group = placement_group(cpu_bundles(2, 2.0), Strategy::Pack)?;
    let home = *here::options().place(Placement::Bundle(&group, 1)).remote().get()?;
    assert_eq!(*goes_on::on(last_rank()).remote(group.clone(), 1).get()?, home);
    group.remove();
    let error = goes_on::on(last_rank()).remote(group.clone(), 1).get().expect_err("removed");
    assert!(error.to_string().contains("removed"), "{error}");
    all_is_free();
    Ok(())
}

fn actors() -> Outcome {
    all_is_free();
    let group = placement_group(vec![Bundle::new().cpus(2.0).gpus(1.0)], Strategy::Pack)?;
    let home = *here::options().place(Placement::Bundle(&group, 0)).remote().get()?;
    let resident = Resident::options().num_cpus(1.0).num_gpus(1.0).place(Placement::Bundle(&group, 0)).remote();
    let (rank, gpus) = resident.place().get()?.clone();
    assert_eq!((rank, gpus.len()), (home, 1));
    let light = Resident::options().place(Placement::Group(&group)).remote();
    assert_eq!(light.place().get()?.0, home);
    assert_eq!(*here::options().place(Placement::Bundle(&group, 0)).remote().get()?, home, "a CPU is left");
    group.remove();
    soon("its actors are gone", || matches!(resident.place().get(), Err(Error::ActorDied { .. })));
    let error = resident.place().get().expect_err("gone");
    assert!(error.to_string().contains("placement group"), "{error}");
    let late = Resident::options().place(Placement::Bundle(&group, 0)).remote();
    let error = late.place().get().expect_err("never was");
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
