//! Programs that can never go on: instead of hanging in silence, the driver says once who waits for what. One that only takes its
//! time is left alone.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks};
use launcher::{Finished, example};

const SAID: &str = "nothing has moved for 1 s";

/// Each of these is on some line.
#[track_caller]
fn said(finished: Finished, words: &[&str]) -> Finished {
    words.iter().fold(finished, |finished, words| finished.printed(&[words]))
}

#[track_caller]
fn stuck(case: &str) -> Finished {
    let folder = TestFolder::new(&format!("stuck-{case}"));
    let launch = launch_small_ranks(&example("stuck"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    launch.env("MOBULA_STALL_S", "1").arg(case).run().succeeded().did_not_print("panicked")
}

#[test]
fn actors_that_wait_for_each_other_are_both_named() {
    let finished = said(
        stuck("cycle"),
        &[
            "gave up",
            "the driver waits for the result of `Caller.call`, a call of actor Caller \"first\" on rank 0",
            "`Caller.call` of actor Caller \"first\" waits for the result of `Caller.call`, a call of actor Caller \"second\" on rank 1",
            "`Caller.call` of actor Caller \"second\" waits for the result of `Caller.call`, a call of actor Caller \"first\" on rank 0",
        ],
    );
    assert_eq!(finished.count(SAID), 1, "once, not every second:\n{}", finished.output);
}

#[test]
fn a_task_that_waits_for_itself_is_named() {
    let finished = said(stuck("itself"), &["gave up", "`narcissus` waits for its own result"]);
    assert_eq!(finished.count(SAID), 1, "{}", finished.output);
}

#[test]
fn a_task_that_waits_for_itself_on_another_rank_is_named_with_what_its_owner_knows() {
    let finished = said(
        stuck("itself-elsewhere"),
        &["gave up", "`narcissus` waits for object o0.", "`narcissus`, which is on rank 1"],
    );
    assert_eq!(finished.count(SAID), 1, "{}", finished.output);
}

#[test]
fn a_request_that_an_actor_stands_in_the_way_of_is_named_with_who_holds_what() {
    let finished = said(
        stuck("resource"),
        &[
            "gave up",
            "1 request(s) of `wanting` for 1 CPU, 1 Key wait",
            "0 Key",
            "actor Caller \"keeper\" holds 1 Key until it ends",
        ],
    );
    assert_eq!(finished.count(SAID), 1, "{}", finished.output);
}

#[test]
fn a_task_that_takes_its_time_is_no_stall() {
    let finished = said(stuck("computes"), &["was given 1"]).did_not_print("nothing has moved");
    assert_eq!(finished.count("gave up"), 0);
}

/// Of a wait for room that ends by itself it was said that nothing could move any more.
#[test]
fn a_wait_for_room_is_no_stall() {
    let folder = TestFolder::new("stuck-room");
    let launch = launch_small_ranks(&example("stuck"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    let launch = launch.env("MOBULA_STALL_S", "1").env("MOBULA_STORE_WAIT_S", "4").env("MOBULA_SPILL_DIR", "off");
    let finished = launch.env("MOBULA_LOG", "debug").arg("room").run().succeeded().did_not_print("nothing has moved");
    said(
        finished,
        &["the driver was refused", "the task was refused", "waits for space for 1048576 bytes in the store"],
    );
}
