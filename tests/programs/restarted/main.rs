//! One case in which an actor's rank dies and the actor lives on: `restarted CASE`, on 5 ranks. Rank 0 drives, makes the actors
//! but for one case, and kills (SIGKILL); what it sees is right or it says `FAILED`.

mod checkpoints;
mod counts;
mod ends;
mod names;
mod seats;
#[allow(dead_code)]
#[path = "../mortal/victims.rs"]
mod victims;

use mobula::prelude::*;
use std::process::ExitCode;

/// What a case says: an error or a panic is a failure.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

const CASES: &[(&str, fn() -> Outcome)] = &[
    ("anew", counts::anew),
    ("under-way", counts::under_way),
    ("in-order", counts::in_order),
    ("exact", checkpoints::exact),
    ("at-home", checkpoints::at_home),
    ("large", checkpoints::large),
    ("used-up", ends::used_up),
    ("killed", ends::killed),
    ("fragile", ends::fragile),
    ("argument-lost", ends::argument_lost),
    ("owner-dies", ends::owner_dies),
    ("seated", seats::seated),
    ("named", names::named),
    ("keeper-dies", names::keeper_dies),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((name, case)) = CASES.iter().find(|(name, _)| *name == wanted) else {
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

/// Whether this rank ran the case.
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

/// Why the actor is gone, as this result says.
#[track_caller]
pub fn gone<T: std::fmt::Debug>(what: &str, result: mobula::Result<T>, why: &[&str]) {
    let error = result.expect_err(what);
    let Error::ActorDied { reason, .. } = &error else { panic!("{what}: {error:?}") };
    for part in why {
        assert!(reason.contains(part), "{what}: {part:?} is not in {reason:?}");
    }
}
