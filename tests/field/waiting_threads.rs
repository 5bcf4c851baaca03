//! Threads of tasks that wait for other tasks, where the host has only the CPUs that the tasks hold.

use crate::launcher::cases::{on_two_ranks, run_cases};
use crate::launcher::{Launch, example};

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
        run_cases("alone", Launch::alone(&program).env("MOBULA_NUM_CPUS", cpus), CASES);
        let (_folder, launches) = on_two_ranks("waiting-threads", &program);
        for (what, launch) in launches {
            run_cases(what, launch.env("MOBULA_NUM_CPUS", cpus), CASES);
        }
    }
}
