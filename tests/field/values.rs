//! Values of users' types arrive equal, as arguments, results, objects and states of actors.

use super::everywhere;
use crate::launcher::cases::run_cases;
use crate::launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use crate::launcher::{Launch, example};

#[test]
fn long_vectors_and_texts_arrive_equal() {
    everywhere(&["long-values", "vectors-of-every-length"]);
}

#[test]
fn long_arguments_need_no_more_than_the_store() {
    let case = "long-values-in-a-small-store";
    let small = |launch: Launch| launch.env("MOBULA_STORE_BYTES", "20M");
    run_cases("alone", small(Launch::alone(&example("field"))), &[case]);
    for transport in ["shm", "tcp"] {
        let folder = TestFolder::new(&format!("{case}-{transport}"));
        let ranks = launch_ranks(&example("field"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
        let ranks = if transport == "tcp" { ranks.env("MOBULA_FABRIC", "tcp") } else { ranks };
        run_cases(transport, small(ranks), &[case]);
    }
}

/// A thread read them, and a task with a smaller stack dropped them.
#[test]
fn deepest_values_that_arrive_can_be_dropped() {
    for (transport, stack) in [("shm", "128K"), ("tcp", "128K"), ("shm", "1M")] {
        let folder = TestFolder::new(&format!("deep-{transport}-{stack}"));
        let ranks = launch_ranks(&example("field"), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
        let ranks = ranks.env("MOBULA_FABRIC", transport).env("MOBULA_STACK_BYTES", stack);
        run_cases(&format!("{transport}, {stack}"), ranks, &["deep-lists", "deep-drops"]);
    }
}
