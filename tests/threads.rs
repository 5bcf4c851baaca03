//! The threads and processes that tasks start: on which CPUs they run, and what they may call. `tests/programs/threads`
//! holds the cases.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, example, no_ranks, show_failures};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

fn check(what: &str, launch: Launch, cases: &[&str]) -> Finished {
    let launch = cases.iter().fold(launch, |launch, case| launch.arg(*case));
    let finished = launch.limit(LIMIT).run();
    show_failures(what, &finished);
    cases.iter().fold(finished.succeeded(), |finished, case| finished.printed(&[&format!("ok: {case}")]))
}

fn alone() -> Launch {
    Launch::alone(&example("threads"))
}

/// Alone with one worker and with several, on 2 ranks by MPI's launcher, and over TCP.
fn everywhere(cases: &[&str]) {
    check("alone", alone().env("MOBULA_NUM_CPUS", "2"), cases);
    check("alone, one worker", alone().env("MOBULA_NUM_CPUS", "2").env("MOBULA_WORKERS", "1"), cases);
    match no_ranks() {
        None => drop(check("2 ranks", Launch::on_ranks(2, &example("threads")).env("MOBULA_NUM_CPUS", "2"), cases)),
        Some(reason) => println!("left out: {reason}"),
    }
    let folder = TestFolder::new(cases[0]);
    let launch = launch_ranks(&example("threads"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    check("2 ranks over TCP", launch.env("MOBULA_FABRIC", "tcp").env("MOBULA_NUM_CPUS", "2"), cases);
}

#[test]
fn task_of_several_cpus_has_that_many_cores_while_it_runs() {
    everywhere(&["task", "fractions", "bundle"]);
}

#[test]
fn worker_has_its_own_core_while_a_task_of_several_waits_and_after_it() {
    everywhere(&["waiting-task", "failed-task", "many-tasks"]);
}

#[test]
fn actor_of_several_cpus_keeps_its_cores() {
    everywhere(&["actor"]);
}

#[test]
fn more_cpus_than_cores_are_all_that_the_rank_is_bound_to() {
    check("8 CPUs", alone().env("MOBULA_NUM_CPUS", "8"), &["task", "many-tasks", "actor"]);
    let bound = alone().env("MOBULA_NUM_CPUS", "2").inside(&["taskset", "-c", "0"]);
    check("bound to one", bound, &["task", "waiting-task", "actor"]);
}

#[test]
fn nothing_changes_where_workers_are_not_pinned() {
    check("MOBULA_PIN=0", alone().env("MOBULA_PIN", "0").env("MOBULA_NUM_CPUS", "2"), &["unpinned"]);
}
