//! What failed in programs of users, each with its right answer: alone, on 2 ranks over shared memory, and on 2 over
//! TCP. `tests/programs/field` holds the cases.

mod launcher;
#[path = "field/values.rs"]
mod values;
#[path = "field/waiting_threads.rs"]
mod waiting_threads;

use launcher::cases::{on_two_ranks, run_cases};
use launcher::{Finished, Launch, example, no_ranks};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(120);

fn everywhere(cases: &[&str]) {
    run_cases("alone", Launch::alone(&example("field")), cases);
    let (_folder, launches) = on_two_ranks(cases[0], &example("field"));
    launches.into_iter().for_each(|(what, launch)| drop(run_cases(what, launch, cases)));
}

/// Runs one case on two ranks, by MPI's launcher and over TCP.
fn in_each_far_launch(case: &str, check: impl Fn(Finished)) {
    let (_folder, launches) = on_two_ranks(case, &example("field"));
    launches.into_iter().for_each(|(_, launch)| check(launch.arg(case).limit(LIMIT).run()));
}

/// The same, and alone; `check` also gets if the case's task ran on another rank than its driver.
fn in_each_launch(case: &str, check: impl Fn(Finished, bool)) {
    check(Launch::alone(&example("field")).arg(case).limit(LIMIT).run(), false);
    in_each_far_launch(case, |finished| check(finished, true));
}

#[test]
fn child_that_keeps_the_output_does_not_delay_the_end() {
    // It runs for ten minutes, longer than the limit. Alone, it would keep the test's own pipe.
    in_each_far_launch("child-keeps-output", |finished| {
        let finished = finished.succeeded().printed(&["before the child"]).printed(&["after the child"]);
        let finished = finished.printed(&["no end of line"]);
        let pid = finished.output.lines().find_map(|line| line.strip_prefix("child ")?.trim().parse::<u32>().ok());
        launcher::processes::signal("KILL", &pid.expect("its number was printed").to_string());
    });
}

#[test]
fn long_lines_arrive_whole_or_cut_with_a_mark() {
    in_each_launch("long-lines", |finished, is_far| {
        let finished = finished.succeeded();
        for characters in [10, 20_000, 500_000] {
            assert_eq!(finished.count(&format!("[{}]", "é".repeat(characters))), 1, "{characters}");
        }
        assert_eq!(finished.count("é ... (cut: 1200002 bytes)"), usize::from(is_far));
    });
}

#[test]
fn progress_arrives_as_it_was_printed() {
    in_each_launch("progress", |finished, _| {
        let finished = finished.succeeded();
        let at = |text: &str| finished.output.find(text).unwrap_or_else(|| panic!("{text} is missing"));
        assert!(at("10 %\r") < at("90 %\r") && at("90 %\r") < at("100 %"));
    });
}

#[test]
fn exit_of_the_driver_ends_all_ranks_with_its_code() {
    for code in [0, 3] {
        in_each_launch(&format!("exit-{code}"), |finished, is_far| {
            // Where no launcher waits for the ranks, a shell does, whose code is 1.
            let codes = if is_far { [code, code.min(1)] } else { [code; 2] };
            assert!(codes.contains(&finished.status.code().expect("no signal")), "{}", finished.status);
            let finished = finished.printed(&[&format!("exits with {code}")]).printed(&["one of one"]);
            for word in ["died", "failed", "mobula:"] {
                assert_eq!(finished.count(word), 0, "{word}");
            }
        });
    }
    in_each_launch("exit-in-a-task", |finished, _| {
        assert_eq!(finished.status.code(), Some(0));
        finished.printed(&["exits in a task"]).did_not_print("died").did_not_print("Error");
    });
}

#[test]
fn ranks_end_when_their_launcher_is_killed() {
    if let Some(reason) = no_ranks() {
        return println!("left out: {reason}");
    }
    for signal in ["KILL", "TERM"] {
        let launch = Launch::on_ranks(2, &example("field")).arg("sleeps-on-every-rank");
        let mut started = launch.limit(LIMIT).start();
        started.wait_for("sleeps");
        started.wait_for("sleeps");
        let ranks = launcher::processes::descendants(started.pid());
        assert!(ranks.len() >= 2, "{ranks:?}");
        launcher::processes::signal(signal, &started.pid().to_string());
        let begun = Instant::now();
        while ranks.iter().any(|rank| launcher::processes::is_alive(*rank)) {
            assert!(begun.elapsed() < LIMIT, "ranks outlive their launcher after {signal}: {ranks:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn panic_hook_of_the_program_is_called_and_backtraces_are_kept() {
    let launch = || Launch::alone(&example("hook"));
    launch().run().succeeded().printed(&["the hook sees: by a task"]).did_not_print("stack backtrace");
    let finished = launch().env("RUST_BACKTRACE", "1").run().succeeded();
    finished.printed(&["the hook sees: by a task"]).printed(&["stack backtrace"]).printed(&["hook.rs:10:5"]);
}

#[test]
fn long_and_nested_failures_end_with_a_cut_text() {
    everywhere(&["long-failure", "long-failure-of-an-actor", "long-failures-of-many-results", "nested-unwrap"]);
}

#[test]
fn payloads_and_causes_of_failures_arrive() {
    everywhere(&["payload-with-drop", "payload-with-an-error", "causes", "thread-that-panics"]);
}

#[test]
fn values_with_attributes_of_serde_arrive_equal() {
    everywhere(&["serde-attributes"]);
}

#[test]
fn arrays_are_aligned_as_their_elements_need() {
    everywhere(&["alignment", "too-much-alignment", "elements-without-size"]);
}
