//! Tasks and actors that end the process of their rank, in every way: which of them the errors name, and where they are
//! started again. `tests/programs/ends` holds the cases.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks, own_host_command};
use launcher::{Finished, Launch, example};

fn ranks(name: &str, count: u32) -> (TestFolder, Launch) {
    let folder = TestFolder::new(name);
    let launch =
        launch_small_ranks(&example("ends"), &all_ranks(count), count, &folder.meeting_file().display().to_string());
    (folder, launch)
}

/// Runs a case in which tasks end ranks, and the driver lives.
#[track_caller]
fn driver_lives(case: &str, how: &str, count: u32) -> Finished {
    let (_folder, launch) = ranks(&format!("{case}-{how}-{count}"), count);
    let finished = launch.arg(case).arg(how).run().printed(&["the driver has ended"]);
    finished.did_not_print("rank 0 ended with").did_not_print("panicked")
}

/// Each way to end, and what the errors call it.
const WAYS: &[(&str, &str)] = &[
    ("abort", "signal 6 (SIGABRT)"),
    ("fault", "signal 11 (SIGSEGV)"),
    ("overflow", "signal 6 (SIGABRT)"),
    ("memory", "signal 6 (SIGABRT)"),
    ("exit-0", "exit code 0"),
    ("exit-3", "exit code 3"),
    ("kill", "signal 9 (SIGKILL"),
    ("term", "signal 15 (SIGTERM)"),
];

/// The driver waits for all of them: ranks 1 to 3 would end one after the other, and then rank 0.
#[test]
fn task_that_ends_two_ranks_fails_by_name_with_both() {
    for (how, end) in WAYS {
        let finished = driver_lives("sweep", how, 4);
        let listed = ["task 5: rank", end, "task step has ended 2 ranks and is not started again; before: rank 1 on"];
        let finished = finished.printed(&listed).printed(&["task 5: rank", "while it ran step"]);
        assert_eq!(finished.count("task 5: "), 1, "{}", finished.output);
        let living = finished.output.lines().find_map(|line| line.strip_prefix("living: ")).expect("it was printed");
        assert!(living.starts_with("[0, ") && living.matches(',').count() == 1, "{how}:\n{}", finished.output);
    }
}

#[test]
fn task_is_not_started_on_the_last_rank_that_must_not_end() {
    for how in ["abort", "exit-3", "kill"] {
        let finished = driver_lives("sweep", how, 2);
        let finished = finished.printed(&["task 5: rank 1 on", "task step ended it, and only ranks are left"]);
        finished.printed(&["living: [0]"]);
    }
}

/// No rank of the same host can say what it ran.
#[test]
fn task_that_ends_ranks_that_are_alone_on_their_hosts_fails() {
    let Some(own_host) = own_host_command() else { return };
    for how in ["abort", "kill"] {
        let (_folder, launch) = ranks(&format!("own-hosts-{how}"), 4);
        let launch = launch.env("MOBULA_FABRIC", "tcp").env("OWN_HOST", own_host);
        let finished = launch.arg("sweep").arg(how).run().printed(&["the driver has ended"]);
        finished.did_not_print("rank 0 ended with").did_not_print("panicked").printed(&["task 5: rank", "task step"]);
    }
}

#[test]
fn task_of_a_task_counts_for_it() {
    for how in ["abort", "exit-3", "kill"] {
        let finished = driver_lives("child", how, 4);
        finished.printed(&["task 1: rank", "task parent has ended 2 ranks and is not started again"]);
    }
}

#[test]
fn tasks_that_ran_beside_it_start_again_elsewhere() {
    for how in ["kill", "abort"] {
        let (_folder, launch) = ranks(&format!("suspects-{how}"), 4);
        let launch = launch.env("MOBULA_WORKERS", "3").env("MOBULA_NUM_CPUS", "12").arg("suspects").arg(how);
        let finished = launch.run().printed(&["the driver has ended"]).did_not_print("rank 0 ended with");
        let again = finished.output.lines().find_map(|line| line.split("again on ").nth(1)).expect("it was printed");
        if how == "kill" {
            assert!(!again.contains('0'), "none may end rank 0:\n{}", finished.output);
        }
        assert!(!again.contains('1'), "{}", finished.output);
    }
}

#[test]
fn error_of_a_dead_rank_names_task_and_end() {
    for (how, end) in WAYS {
        let finished = driver_lives("named", how, 2);
        let finished = finished.printed(&["the task: rank 1 on host", "its process (", end, "while it ran leaf"]);
        finished.printed(&["another task: rank 1 on host", "its process (", end, "while it ran leaf"]);
    }
}

#[test]
fn actor_that_ends_its_ranks_is_not_created_on_rank_0() {
    for case in ["actor", "constructor"] {
        for how in ["abort", "kill", "exit-3"] {
            let finished = driver_lives(case, how, 3);
            let finished = finished.printed(&["the call: actor Fragile is not alive", "only ranks are left"]);
            finished.printed(&["living: [0]"]);
        }
    }
}
