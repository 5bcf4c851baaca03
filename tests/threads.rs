//! The threads and processes that tasks start: on which CPUs they run, and what they may call. `tests/programs/threads`
//! holds the cases.

mod launcher;

use launcher::cases::{on_two_ranks, run_cases};
use launcher::rendezvous::TestFolder;
use launcher::{Finished, Launch, example};
use std::path::Path;
use std::process::Command;

fn alone() -> Launch {
    Launch::alone(&example("threads"))
}

fn two_ranks(cpus: &str, cases: &[&str], check_output: impl Fn(Finished)) {
    let (_folder, launches) = on_two_ranks(cases[0], &example("threads"));
    launches.into_iter().for_each(|(what, launch)| {
        check_output(run_cases(what, launch.env("MOBULA_NUM_CPUS", cpus), cases));
    });
}

/// Alone with one worker and with several, and on 2 ranks: tasks of 2 CPUs have all that their host has.
fn everywhere(cases: &[&str]) {
    run_cases("alone", alone().env("MOBULA_NUM_CPUS", "2"), cases);
    run_cases("alone, one worker", alone().env("MOBULA_NUM_CPUS", "2").env("MOBULA_WORKERS", "1"), cases);
    two_ranks("2", cases, drop);
}

/// Alone and on 2 ranks, with CPUs for the tasks for which threads wait; and alone without: the waiting task lends its.
fn with_and_without_free_cpus(cases: &[&str]) {
    run_cases("alone", alone().env("MOBULA_NUM_CPUS", "4"), cases);
    run_cases("alone, no free CPU", alone().env("MOBULA_NUM_CPUS", "2"), cases);
    two_ranks("4", cases, drop);
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
    run_cases("8 CPUs", alone().env("MOBULA_NUM_CPUS", "8"), &["task", "many-tasks", "actor"]);
    let bound = alone().env("MOBULA_NUM_CPUS", "2").inside(&["taskset", "-c", "0"]);
    run_cases("bound to one", bound, &["task", "waiting-task", "actor"]);
}

#[test]
fn nothing_changes_where_workers_are_not_pinned() {
    run_cases("MOBULA_PIN=0", alone().env("MOBULA_PIN", "0").env("MOBULA_NUM_CPUS", "2"), &["unpinned"]);
}

#[test]
fn threads_of_std_have_the_cores_and_the_context_of_their_task() {
    with_and_without_free_cpus(&["std", "scoped", "crossbeam"]);
}

#[test]
fn pools_of_rayon_and_tokio_have_the_cores_of_their_task() {
    with_and_without_free_cpus(&["rayon-global", "rayon-own", "tokio"]);
}

#[test]
fn region_of_openmp_has_a_thread_for_each_cpu() {
    let folder = TestFolder::new("openmp");
    let (library, source) = (folder.0.join("libsquares.so"), "tests/programs/threads/openmp.c");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let compile = Command::new("cc").args(["-fopenmp", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).output();
    match compile {
        Ok(output) if output.status.success() => {}
        other => return println!("left out: there is no C compiler with OpenMP: {other:?}"),
    }
    for case in ["openmp", "openmp-after-one-cpu"] {
        let launch = alone().env("MOBULA_NUM_CPUS", "2").env("THREADS_OPENMP", &library);
        run_cases("alone", launch.env("OMP_DYNAMIC", "false"), &[case]);
    }
}

#[test]
fn pool_of_a_task_has_its_cpus_and_its_context() {
    with_and_without_free_cpus(&["pool", "pools-of-tasks", "pool-of-the-driver", "pool-of-an-actor"]);
    let unpinned = alone().env("MOBULA_NUM_CPUS", "4").env("MOBULA_PIN", "0");
    run_cases("MOBULA_PIN=0", unpinned, &["pools-of-tasks", "pool-of-the-driver", "pool-of-an-actor"]);
}

#[test]
fn thread_that_outlives_its_task_keeps_cores_and_context() {
    with_and_without_free_cpus(&["detached"]);
}

#[test]
fn cancellation_and_quota_of_a_task_reach_its_threads() {
    with_and_without_free_cpus(&["cancelled", "quota"]);
}

#[test]
fn panics_of_threads_reach_their_task_as_they_are_joined() {
    with_and_without_free_cpus(&["panics"]);
}

#[test]
fn lines_of_a_thread_carry_the_name_of_its_task() {
    two_ranks("4", &["prints"], |finished| {
        assert_eq!(finished.count("(prints_in_threads rank=1"), 5);
        assert_eq!(finished.count("by a thread"), 5);
    });
}
