//! Programs whose arguments name cases, and which print `ok: CASE` after each.

use super::rendezvous::{TestFolder, all_ranks, launch_ranks};
use super::{Finished, Launch, no_ranks, show_failures};
use std::path::Path;

/// Runs the cases, all of which succeed; `what` names the launch where one does not.
#[track_caller]
pub fn run_cases(what: &str, launch: Launch, cases: &[&str]) -> Finished {
    let finished = cases.iter().fold(launch, |launch, case| launch.arg(*case)).run();
    show_failures(what, &finished);
    cases.iter().fold(finished.succeeded(), |finished, case| finished.printed(&[&format!("ok: {case}")]))
}

/// The program on 2 ranks: by MPI's launcher, where there is one, and over TCP. The ranks of the latter meet in the
/// folder; `name` is unique among the tests of this program.
pub fn on_two_ranks(name: &str, program: &Path) -> (TestFolder, Vec<(&'static str, Launch)>) {
    let folder = TestFolder::new(name);
    let over_tcp = launch_ranks(program, &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    let mut launches = vec![("2 ranks over TCP", over_tcp.env("MOBULA_FABRIC", "tcp"))];
    match no_ranks() {
        None => launches.push(("2 ranks", Launch::on_ranks(2, program))),
        Some(reason) => println!("left out: {reason}"),
    }
    (folder, launches)
}
