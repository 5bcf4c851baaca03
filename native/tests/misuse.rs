//! Programs that do what no program may: they are told so, and what they did not break goes on.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

mod compiled;

use compiled::{compile, two_ranks};
use launcher::Launch;
use launcher::rendezvous::TestFolder;

/// Handles, buffers and views that were freed, or are of another type, were used as if they were not.
#[test]
fn what_was_freed_is_refused_by_name() {
    let folder = TestFolder::new("freed");
    let program = compile(&folder, "freed.c", &[]);
    let finished = Launch::alone(&program).run().succeeded().printed(&["ok: freed"]).did_not_print("panicked");
    // Functions without a status print it.
    finished.printed(&["mobula: mobula_ref_free: ref is no mobula_ref, or was freed already"]);
}

/// The child of a rank submitted tasks to threads that it does not have, and at its end ended the parent's cluster.
#[test]
fn forked_child_is_refused_and_its_parent_goes_on() {
    let folder = TestFolder::new("forked");
    let program = compile(&folder, "forked.c", &[]);
    for launch in [Launch::alone(&program), two_ranks(&folder, &program)] {
        let finished =
            launch.run().succeeded().printed(&["ok: child"]).printed(&["ok: forked"]).did_not_print("panicked");
        // Of the child that returned from its task.
        finished.printed(&["mobula: this process was forked"]);
    }
}

/// It ended the process: the function is called by Rust, which no exception may enter.
#[test]
fn exception_in_a_task_of_the_c_interface_fails_the_task() {
    let folder = TestFolder::new("exceptions");
    let program = compile(&folder, "exceptions.cpp", &[]);
    for launch in [Launch::alone(&program), two_ranks(&folder, &program)] {
        launch.run().succeeded().printed(&["ok: exceptions"]);
    }
}
