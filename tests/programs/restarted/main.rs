//! One case in which an actor's rank dies and the actor is restarted: `restarted CASE`, on 5 ranks. Rank 0 is the
//! driver: it owns the actors in most cases, kills (SIGKILL), and prints `passed CASE` or `FAILED`.

mod bundles;
mod checkpoints;
mod counts;
mod ends;
mod names;
#[allow(dead_code)]
#[path = "../mortal/victims.rs"]
mod victims;

use mobula::prelude::*;
use std::process::ExitCode;

/// The result of a case: an error or a panic is a failure.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

const CASES: &[(&str, fn() -> Outcome)] = &[
    ("anew", counts::anew),
    ("under-way", counts::under_way),
    ("in-order", counts::in_order),
    ("exact", checkpoints::exact),
    ("on-caller-and-owner", checkpoints::on_caller_and_owner),
    ("large", checkpoints::large),
    ("used-up", ends::used_up),
    ("killed", ends::killed),
    ("fragile", ends::fragile),
    ("argument-lost", ends::argument_lost),
    ("owner-dies", ends::owner_dies),
    ("in-bundle", bundles::in_bundle),
    ("named", names::named),
    ("directory-dies", names::directory_dies),
];

fn main() -> ExitCode {
    let requested = std::env::args().nth(1).unwrap_or_default();
    let Some((name, case)) = CASES.iter().find(|(name, _)| *name == requested) else {
        let names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
        eprintln!("restarted CASE; the cases are: {}", names.join(", "));
        return ExitCode::from(2);
    };
    match run(*case) {
        Ok(true) => println!("passed {name}"),
        Ok(false) => {}
        Err(error) => {
            eprintln!("FAILED {name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Returns true if this rank ran the case.
fn run(case: fn() -> Outcome) -> Result<bool, Box<dyn std::error::Error>> {
    let cluster = mobula::init(Config::default().num_cpus(10.0).resource("Key", 1.0))?;
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(false);
    }
    case()?;
    cluster.shutdown()?;
    Ok(true)
}

/// Asserts that the result is `ActorDied` with a reason that contains these parts.
#[track_caller]
pub fn assert_died<T: std::fmt::Debug>(what: &str, result: mobula::Result<T>, why: &[&str]) {
    let error = result.expect_err(what);
    let Error::ActorDied { reason, .. } = &error else { panic!("{what}: {error:?}") };
    for part in why {
        assert!(reason.contains(part), "{what}: {part:?} is not in {reason:?}");
    }
}
