//! What failed in programs of users, each with its right answer: alone, on 2 ranks over shared memory, and on 2 over
//! TCP. `tests/programs/field` holds the cases.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, example, no_ranks, show_failures};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

fn check(what: &str, launch: Launch, cases: &[&str]) -> Finished {
    let launch = cases.iter().fold(launch, |launch, case| launch.arg(*case));
    let finished = launch.limit(LIMIT).run();
    show_failures(what, &finished);
    let ended: Vec<String> = cases.iter().map(|case| format!("ok: {case}")).collect();
    finished.succeeded().printed(&ended.iter().map(String::as_str).collect::<Vec<_>>())
}

fn everywhere(cases: &[&str]) {
    check("alone", Launch::alone(&example("field")), cases);
    match no_ranks() {
        None => drop(check("2 ranks", Launch::on_ranks(2, &example("field")), cases)),
        Some(reason) => println!("left out: {reason}"),
    }
    let folder = TestFolder::new(cases[0]);
    let launch = launch_ranks(&example("field"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    check("2 ranks over TCP", launch.env("MOBULA_FABRIC", "tcp"), cases);
}

#[test]
fn long_and_nested_failures_end_with_a_cut_text() {
    everywhere(&["long-failure", "long-failure-of-an-actor", "long-failures-of-many-results", "nested-unwrap"]);
}

#[test]
fn payloads_and_causes_of_failures_arrive() {
    everywhere(&["payload-with-drop", "payload-with-an-error", "causes"]);
}

#[test]
fn values_with_attributes_of_serde_arrive_equal() {
    everywhere(&["serde-attributes"]);
}

#[test]
fn arrays_are_aligned_as_their_elements_need() {
    everywhere(&["alignment", "too-much-alignment", "elements-without-size"]);
}
