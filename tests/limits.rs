//! Many of everything, checked for correctness: lists of references as arguments, lists of results, waits on thousands.
//! On one rank, and on 2 ranks over shared memory and over TCP. `mobula-bench run limits` and `limits-remote` measure
//! the cost.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Launch, example, no_ranks, show_failures};
use std::time::Duration;

/// Runs the cases of `tests/programs/api/limits.rs`.
fn run_cases(what: &str, launch: Launch) {
    let finished = launch.arg("limits").limit(Duration::from_secs(120)).run();
    show_failures(what, &finished);
    finished.succeeded().printed(&["passed "]);
}

#[test]
fn limits_hold_on_one_rank() {
    run_cases("alone", Launch::alone(&example("api")));
}

#[test]
fn limits_hold_on_2_ranks() {
    match no_ranks() {
        None => run_cases("2 ranks", Launch::on_ranks(2, &example("api"))),
        Some(reason) => println!("left out: {reason}"),
    }
}

#[test]
fn limits_hold_on_2_ranks_over_tcp() {
    let folder = TestFolder::new("limits");
    let launch = launch_ranks(&example("api"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    run_cases("2 ranks over TCP", launch.env("MOBULA_FABRIC", "tcp"));
}
