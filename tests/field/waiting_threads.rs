//! Threads of tasks that wait for other tasks, where the host has only the CPUs that the tasks hold.

use super::check;
use crate::launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use crate::launcher::{Launch, example, no_ranks};

const CASES: &[&str] = &[
    "scoped-threads",
    "threads-of-tasks-of-threads",
    "joined-threads",
    "channels-of-threads",
    "conditions-of-threads",
    "polled-threads",
    "pipes-of-threads",
    "detached-threads",
    "threads-of-actors",
    "threads-that-wait-for-some",
    "threads-with-a-deadline",
    "threads-of-async-tasks",
    "tasks-with-all-cpus",
    "threads-of-tasks-in-bundles",
    "several-tasks-with-threads",
    "threads-that-wait-for-groups",
    "executors-of-other-crates",
    "cpus-are-free-again",
];

/// They waited for ever: the task kept its CPU while its thread was blocked in the system.
#[test]
fn threads_of_tasks_get_what_needs_their_task_s_cpu() {
    let program = example("field");
    for cpus in ["1", "2"] {
        check("alone", Launch::alone(&program).env("MOBULA_NUM_CPUS", cpus), CASES);
        match no_ranks() {
            None => drop(check("2 ranks", Launch::on_ranks(2, &program).env("MOBULA_NUM_CPUS", cpus), CASES)),
            Some(reason) => println!("left out: {reason}"),
        }
    }
    let folder = TestFolder::new("waiting-threads");
    let launch = launch_ranks(&program, &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    check("2 ranks over TCP", launch.env("MOBULA_FABRIC", "tcp").env("MOBULA_NUM_CPUS", "1"), CASES);
}
