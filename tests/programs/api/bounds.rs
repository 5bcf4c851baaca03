//! What a program can make long or many, at the limit and one beyond: refused by name, whatever it was made from.

use crate::cases::{Cases, Outcome};
use crate::gate::Gate;
use crate::limits::{Adder, same, split};
use crate::start::last_rank;
use mobula::prelude::*;
use mobula::{Bundle, Strategy};

pub fn run(cases: &mut Cases) {
    cases.case("a chain of 100,000 tasks whose first is cancelled or fails", failed_chains);
    cases.case("none of a resource that no host has", none_of_a_resource);
    cases.case("names at the limit and beyond", long_names);
    cases.case("resources at the limit and beyond", many_resources);
    cases.case("amounts that nobody can mean", impossible_amounts);
    cases.case("results of a call at the limit and beyond", most_returns);
    cases.case("bundles at the limit and beyond", many_bundles);
}

/// The bytes that a name may have, the kinds of resources that a request may name, the bundles of a group, the results
/// of a call.
const NAME_BYTES_MAX: usize = 1024;
const RESOURCES_REQUESTED_MAX: usize = 64;
const BUNDLES_MAX: usize = 10_000;
const RETURNS_MAX: usize = 1 << 20;

/// The last of a chain of tasks behind `first`, on that rank.
fn chain_behind(first: ObjectRef<u64>, rank: u32) -> ObjectRef<u64> {
    (0..100_000).fold(first, |before, _| same::on(rank).remote(&before))
}

fn failed_chains() -> Outcome {
    for rank in [0, last_rank()] {
        let gate = Gate::new();
        let (opened, failing) = (gate.task(1), same::on(rank).remote(u64::MAX));
        let first = same::on(rank).remote(&opened);
        let last = chain_behind(first.clone(), rank);
        mobula::cancel(&first);
        gate.open();
        // A task that is on another rank already may have begun.
        match last.get() {
            Ok(value) => assert_eq!((*value, rank > 0), (1, true)),
            Err(error) => assert!(matches!(error, Error::Cancelled { .. }), "{error}"),
        }
        let error = chain_behind(failing, rank).get().expect_err("the first failed");
        assert!(matches!(&error, Error::Task { message, .. } if message == "no such number"), "{error}");
        assert_eq!(*same::on(rank).remote(2).get()?, 2, "the rank goes on");
    }
    Ok(())
}

fn none_of_a_resource() -> Outcome {
    for amount in [0.0, -0.0, 0.00001] {
        for rank in [0, last_rank()] {
            let options = same::options().resource("unheard of", amount).place(Placement::Rank(rank));
            assert_eq!(*options.remote(3).get()?, 3, "{amount}");
            let adder = Adder::options().resource("unheard of", amount).place(Placement::Rank(rank));
            assert_eq!(*adder.remote(vec![1]).add(&mobula::put_array(&[2])?).get()?, 3, "{amount}");
        }
        let group = mobula::placement_group(vec![Bundle::new().resource("unheard of", amount)], Strategy::Pack);
        let error = group.expect_err("it requests nothing");
        assert!(error.to_string().contains("requests nothing"), "{error}");
    }
    Ok(())
}

/// Checks that the error of a submission contains `part` and is short, whatever it was made from.
fn refused<T>(outcome: mobula::Result<T>, part: &str) {
    let error = outcome.err().expect("it was refused").to_string();
    assert!(error.contains(part) && error.len() < 2000, "{error}");
}

fn long_names() -> Outcome {
    for rank in [0, last_rank()] {
        let at_limit = "\u{e9}".repeat(NAME_BYTES_MAX / 2 - 1) + &rank.to_string();
        let place = || Placement::Rank(rank);
        assert_eq!(*same::options().name(&at_limit).place(place()).remote(1).get()?, 1);
        let named = Adder::options().name(&at_limit).place(place()).remote(vec![1]);
        assert_eq!(*named.add(&mobula::put_array(&[2])?).get()?, 3);
        assert_eq!(*mobula::get_actor::<Adder>(&at_limit)?.add(&mobula::put_array(&[3])?).get()?, 6);
        named.kill();
        refused(same::options().resource(&at_limit, 1.0).place(place()).remote(1).get(), "no host can ever run");
        for name in ["n".repeat(NAME_BYTES_MAX + 1), "n".repeat(1 << 20), "a\nb".to_string(), "\u{0}".to_string()] {
            let why = if name.len() > 9 { "at most 1024 are possible" } else { "the control character" };
            refused(same::options().name(&name).place(place()).remote(1).get(), why);
            refused(
                Adder::options().name(&name).place(place()).remote(vec![1]).add(&mobula::put_array(&[2])?).get(),
                why,
            );
            refused(same::options().resource(&name, 1.0).place(place()).remote(1).get(), why);
            refused(mobula::get_actor::<Adder>(&name), "");
        }
        refused(same::options().resource("", 1.0).place(place()).remote(1).get(), "whose name is empty");
        refused(same::options().place(Placement::Host("h".repeat(1 << 20))).remote(1).get(), "there is no host");
    }
    Ok(())
}

fn many_resources() -> Outcome {
    for rank in [0, last_rank()] {
        let requesting = |kinds: usize| {
            let options = same::options().place(Placement::Rank(rank));
            (0..kinds).fold(options, |options, kind| options.resource(format!("kind {kind}"), 0.0))
        };
        assert_eq!(*requesting(RESOURCES_REQUESTED_MAX).remote(1).get()?, 1);
        refused(requesting(RESOURCES_REQUESTED_MAX + 1).remote(1).get(), "65 kinds of resources: at most 64");
    }
    Ok(())
}

fn impossible_amounts() -> Outcome {
    for rank in [0, last_rank()] {
        for amount in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e10, 1e300, -1e300] {
            let options = || same::options().place(Placement::Rank(rank));
            let why = format!("requests {amount:?} ");
            refused(options().num_cpus(amount).remote(1).get(), &why);
            refused(options().num_gpus(amount).remote(1).get(), &why);
            refused(options().resource("Licence", amount).remote(1).get(), &why);
            let adder = Adder::options().num_cpus(amount).place(Placement::Rank(rank));
            refused(adder.remote(vec![1]).add(&mobula::put_array(&[2])?).get(), &why);
            refused(mobula::placement_group(vec![Bundle::new().cpus(amount)], Strategy::Pack), &why);
        }
        refused(same::options().memory(u64::MAX).place(Placement::Rank(rank)).remote(1).get(), "bytes of memory");
    }
    Ok(())
}

fn many_bundles() -> Outcome {
    let group_of = |bundles: usize| {
        mobula::placement_group((0..bundles).map(|_| Bundle::new().cpus(0.0001)).collect(), Strategy::Pack)
    };
    let group = group_of(BUNDLES_MAX)?;
    assert!(group.wait(None)?);
    let last = Placement::Bundle(&group, BUNDLES_MAX as u32 - 1);
    assert_eq!(*same::options().num_cpus(0.0001).place(last).remote(1).get()?, 1);
    let beyond = Placement::Bundle(&group, BUNDLES_MAX as u32);
    refused(same::options().num_cpus(0.0001).place(beyond).remote(1).get(), "9984 more");
    group.remove();
    refused(group_of(BUNDLES_MAX + 1), "at most 10000 bundles, not 10001");
    refused(group_of(0), "at least one bundle");
    Ok(())
}

fn most_returns() -> Outcome {
    let parts = split::options().num_returns(RETURNS_MAX).remote(RETURNS_MAX as u64, 5u64);
    assert_eq!((parts.len(), *parts[RETURNS_MAX - 1].get()?), (RETURNS_MAX, 4 + RETURNS_MAX as u64));
    for rank in [0, last_rank()] {
        for count in [RETURNS_MAX + 1, usize::MAX] {
            let parts = split::on(rank).num_returns(count).remote(1u64, 1u64);
            let error = parts[0].get().expect_err("so many cannot be returned");
            assert!(matches!(error, Error::Config { .. }) && parts.len() == 1, "{error}");
            let expected = format!("split is called with num_returns {count}: at most 1048576 are possible");
            assert!(error.to_string().contains(&expected), "{error}");
        }
    }
    Ok(())
}
