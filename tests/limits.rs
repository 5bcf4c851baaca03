//! Many of everything, where it need only be right: lists of references as arguments, lists of results, waits on thousands.
//! Alone, with 2 ranks over shared memory and over TCP. What it costs, `mobula-bench run limits` and `limits-remote` say.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Launch, example, no_ranks, show_failures};
use std::time::Duration;

/// Runs the cases of `tests/programs/api/limits.rs`.
fn cases(what: &str, launch: Launch) {
    let finished = launch.arg("limits").limit(Duration::from_secs(120)).run();
    show_failures(what, &finished);
    finished.succeeded().printed(&["passed "]);
}

#[test]
fn alone() {
    cases("alone", Launch::alone(&example("api")));
}

#[test]
fn with_2_ranks() {
    match no_ranks() {
        None => cases("2 ranks", Launch::on_ranks(2, &example("api"))),
        Some(reason) => println!("left out: {reason}"),
    }
}

#[test]
fn with_2_ranks_over_tcp() {
    let folder = TestFolder::new("limits");
    let launch = launch_ranks(&example("api"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    cases("2 ranks over TCP", launch.env("MOBULA_FABRIC", "tcp"));
}
