//! Programs that deadlock: the driver prints once which tasks wait for what, instead of hanging silently. It prints
//! nothing for a program that only computes for long.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks};
use launcher::{Finished, example};

const REPORT: &str = "nothing has moved for 1 s";

/// Asserts that each of these texts is on some line.
#[track_caller]
fn check_lines(finished: Finished, texts: &[&str]) -> Finished {
    texts.iter().fold(finished, |finished, text| finished.printed(&[text]))
}

/// Runs a case of `stuck` with a stall time-out of 1 s.
#[track_caller]
fn run_case(case: &str) -> Finished {
    let folder = TestFolder::new(&format!("stuck-{case}"));
    let launch = launch_small_ranks(&example("stuck"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    launch.env("MOBULA_STALL_S", "1").arg(case).run().succeeded().did_not_print("panicked")
}

#[test]
fn cycle_of_actor_calls_is_reported_with_all_waits() {
    let finished = check_lines(
        run_case("cycle"),
        &[
            "gave up",
            "the driver waits for the result of `Caller.call`, a call of actor Caller \"first\" on rank 0",
            "`Caller.call` of actor Caller \"first\" waits for the result of `Caller.call`, \
             a call of actor Caller \"second\" on rank 1",
            "`Caller.call` of actor Caller \"second\" waits for the result of `Caller.call`, \
             a call of actor Caller \"first\" on rank 0",
        ],
    );
    assert_eq!(finished.count(REPORT), 1, "once, not every second:\n{}", finished.output);
}

#[test]
fn task_that_waits_for_itself_is_reported() {
    let finished = check_lines(run_case("itself"), &["gave up", "`waits_for_itself` waits for its own result"]);
    assert_eq!(finished.count(REPORT), 1, "{}", finished.output);
}

#[test]
fn task_that_waits_for_itself_on_another_rank_is_reported_with_its_owner_s_knowledge() {
    let finished = check_lines(
        run_case("itself-elsewhere"),
        &["gave up", "`waits_for_itself` waits for object o0.", "`waits_for_itself`, which is on rank 1"],
    );
    assert_eq!(finished.count(REPORT), 1, "{}", finished.output);
}

#[test]
fn resource_request_blocked_by_an_actor_is_reported_with_the_holder() {
    let finished = check_lines(
        run_case("resource"),
        &[
            "gave up",
            "1 request(s) of `needs_key` for 1 CPU, 1 Key wait",
            "0 Key",
            "actor Caller \"holder\" holds 1 Key until it ends",
        ],
    );
    assert_eq!(finished.count(REPORT), 1, "{}", finished.output);
}

/// It hung without a word: the thread of the task that holds the lock is blocked in that lock.
#[test]
fn lock_that_is_held_while_its_task_waits_is_reported_with_both_tasks() {
    let finished = check_lines(
        run_case("lock"),
        &[
            "gave up",
            "`adds_too` blocks worker 0 in a lock, a channel or a join, and `adds` could continue on its thread",
            "release locks and borrows before get, wait and .await",
        ],
    );
    assert_eq!(finished.count(REPORT), 1, "{}", finished.output);
    assert_eq!(finished.count("(debug builds look for this)"), usize::from(cfg!(debug_assertions)));
}

#[test]
fn lock_of_two_actors_is_reported_with_both_calls() {
    check_lines(
        run_case("lock-of-actors"),
        &["gave up", "`Adder.total` blocks worker 0 in a lock, a channel or a join, and `Adder.add` could continue"],
    );
}

#[test]
fn message_that_is_awaited_on_its_sender_s_thread_is_reported_with_both_tasks() {
    check_lines(
        run_case("messages"),
        &["gave up", "`receives` blocks worker 0 in a lock, a channel or a join, and `sends` could continue"],
    );
}

#[test]
fn thread_of_a_task_that_waits_for_ever_is_reported_by_its_name() {
    check_lines(
        run_case("thread"),
        &[
            "gave up",
            "`joins` blocks worker",
            "the thread \"helper\" of no known task waits for",
            "`waits_for_itself` waits for object o1.",
        ],
    );
}

#[test]
fn task_whose_threads_compute_is_not_reported() {
    check_lines(run_case("busy-threads"), &["got 1"]).did_not_print("nothing has moved");
}

#[test]
fn long_computation_is_not_reported() {
    let finished = check_lines(run_case("computes"), &["got 1"]).did_not_print("nothing has moved");
    assert_eq!(finished.count("gave up"), 0);
}

/// A wait for space that ends by itself was once reported as a stall.
#[test]
fn wait_for_space_is_not_reported() {
    let folder = TestFolder::new("stuck-space");
    let launch = launch_small_ranks(&example("stuck"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    let launch = launch.env("MOBULA_STALL_S", "1").env("MOBULA_STORE_WAIT_S", "4").env("MOBULA_SPILL_DIR", "off");
    let finished = launch.env("MOBULA_LOG", "debug").arg("space").run().succeeded().did_not_print("nothing has moved");
    check_lines(
        finished,
        &["the driver was refused", "the task was refused", "waits for space for 1048576 bytes in the store"],
    );
}
