//! What tasks return besides arrays: actors, references, and failures with a status and a text of their own.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

mod compiled;

use compiled::{compile, two_ranks};
use launcher::Launch;
use launcher::rendezvous::TestFolder;

fn runs(source: &str, printed: &str) {
    let folder = TestFolder::new(&source.replace('.', "_"));
    let program = compile(&folder, source, &[]);
    let launches = [
        Launch::alone(&program),
        two_ranks(&folder, &program),
        two_ranks(&folder, &program).env("MOBULA_FABRIC", "tcp"),
    ];
    for launch in launches {
        launch.run().succeeded().printed(&[printed]).did_not_print("panicked");
    }
}

/// Two actors of one thread whose `save` failed at the same time failed with one of the two texts.
#[test]
fn tasks_of_c_return_actors_and_fail_with_a_status() {
    runs("handed.c", "ok: handed");
}

#[test]
fn tasks_of_cpp_return_actors_and_fail_with_a_status() {
    runs("results.cpp", "ok: results");
}
