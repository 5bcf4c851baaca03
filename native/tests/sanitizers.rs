//! Programs under AddressSanitizer, UndefinedBehaviorSanitizer, LeakSanitizer and valgrind: their tasks run on fibers,
//! whose stacks these tools are told of.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

mod compiled;

use compiled::{compile, two_ranks};
use launcher::rendezvous::TestFolder;
use launcher::{Launch, find_program};
use std::path::Path;

const SANITIZED: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// Runs the program alone, and as two ranks; nothing is found, and nothing is left at the end.
fn runs_under_sanitizers(source: &str, printed: &str) {
    let folder = TestFolder::new(&format!("sanitized_{}", source.replace('.', "_")));
    let program = compile(&folder, source, &SANITIZED);
    for launch in [Launch::alone(&program), two_ranks(&folder, &program)] {
        // Frames of functions that have returned are kept, and each stack has its own: it must know which runs.
        let launch = launch.env("ASAN_OPTIONS", "detect_stack_use_after_return=1");
        launch.run().succeeded().printed(&[printed]).did_not_print("Sanitizer").did_not_print("ASan");
    }
}

/// Tasks that wait, on fibers, are no stack overflow; ranks and workers that are never freed are no leak.
#[test]
fn tasks_run_under_sanitizers() {
    runs_under_sanitizers("tasks.c", "ok: tasks");
}

#[test]
fn actors_run_under_sanitizers() {
    runs_under_sanitizers("actors.c", "ok: actors");
}

#[test]
fn wrong_calls_run_under_sanitizers() {
    runs_under_sanitizers("bad_input.c", "ok: bad input");
}

/// What is used after it was freed is found by the library, before AddressSanitizer sees a use of it.
#[test]
fn what_was_freed_is_refused_under_sanitizers() {
    runs_under_sanitizers("freed.c", "ok: freed");
}

/// AddressSanitizer took a fiber's stack, from which an exception was thrown, for that of its thread.
#[test]
fn exceptions_in_tasks_run_under_sanitizers() {
    runs_under_sanitizers("exceptions.cpp", "ok: exceptions");
}

/// A task that reads beyond its stack's frame is found on a fiber as it is elsewhere.
#[test]
fn overrun_in_a_task_is_found() {
    let folder = TestFolder::new("overrun");
    let program = compile(&folder, "overrun.c", &["-fsanitize=address"]);
    let finished = two_ranks(&folder, &program).run().failed().printed(&["ok: overrun"]);
    finished.printed(&["AddressSanitizer: stack-buffer-overflow"]);
}

/// No use of memory that is not allocated or not set, also on the stacks of fibers, which valgrind is told of.
#[test]
fn tasks_run_under_valgrind() {
    if find_program("valgrind").is_none() {
        assert!(std::env::var("CI").is_err(), "in CI, valgrind is installed");
        eprintln!("left out: there is no valgrind");
        return;
    }
    let folder = TestFolder::new("valgrind");
    let program = compile(&folder, "tasks.c", &[]);
    let launch = Launch::alone(Path::new("valgrind")).arg("--error-exitcode=9").arg(&program);
    let launch = launch.env("MOBULA_STORE_BYTES", "64M");
    launch.run().succeeded().printed(&["ok: tasks"]).printed(&["ERROR SUMMARY: 0 errors"]);
}
