//! Errors of the user, and the harness's messages for them.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::{Launch, no_ranks};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mobula-bench"))
}

fn command(words: &[&str]) -> Launch {
    let launch = Launch::alone(program()).limit(Duration::from_secs(120));
    words.iter().fold(launch, |launch, word| launch.arg(*word))
}

fn fresh(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("mobula-bench-bad-{}-{name}.json", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

#[test]
fn an_unknown_suite_lists_the_known_ones() {
    command(&["run", "rcp"]).run().failed().printed(&["rcp", "rpc", "taskbench", "all"]);
    command(&["run"]).run().failed().printed(&["SUITE"]);
}

#[test]
fn a_file_of_another_version_is_refused_and_left_as_it_is() {
    let file = fresh("version");
    fs::write(&file, "{\"version\":2}\n").unwrap();
    let name = file.display().to_string();
    for words in [&["run", "local", "--json", &name][..], &["report", &name], &["compare", &name, &name]] {
        command(words).run().failed().printed(&["version 2", "reads version 1", "measure again"]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"version\":2}\n");
    fs::remove_file(file).unwrap();
}

#[test]
fn a_file_without_results_is_an_error() {
    let file = fresh("other");
    let name = file.display().to_string();
    command(&["report", &name]).run().failed().printed(&["No such file"]);
    fs::write(&file, "hello\n").unwrap();
    command(&["report", &name]).run().failed().printed(&["first line is not that of a result file"]);
    fs::write(&file, "{\"version\":1}\n{\"suite\":\"rpc\"\n").unwrap();
    command(&["report", &name]).run().failed().printed(&["line 2 is no result"]);
    fs::write(&file, "{\"version\":1}\n").unwrap();
    command(&["report", &name]).run().failed().printed(&["there are no results in it"]);
    command(&["run", "local", "--json", "/no/such/folder/x.json"])
        .run()
        .failed()
        .printed(&["cannot write", "/no/such/folder"]);
    fs::remove_file(file).unwrap();
}

/// The peer's number is missing, the case's own is not, and the run goes on.
#[test]
fn a_missing_peer_is_reported_and_the_suite_goes_on() {
    if no_ranks().is_some() {
        return;
    }
    let words = ["run", "rpc", "--quick", "--repeat", "1", "--only", "round trip, 8 B"];
    let finished = command(&words).env("MPICC", "/no/such/mpicc").run().succeeded();
    finished.printed(&["not measured", "/no/such/mpicc", "libopenmpi-dev"]).printed(&["0 cases failed"]);
}

#[test]
fn a_library_that_is_not_named_or_does_not_build_is_reported() {
    if let Some(reason) = no_ranks() {
        println!("left out: {reason}");
        return;
    }
    let words = ["run", "rpc", "--quick", "--repeat", "1", "--only", "round trip, 8 B, beside"];
    let neither = command(&words).env("LCI_ROOT", "").env("CHARM_ROOT", "").run().succeeded();
    let neither = neither.printed(&["not measured: LCI: set LCI_ROOT to an installation"]);
    neither.printed(&["not measured: Converse: set CHARM_ROOT to an installation"]).printed(&["0 cases failed"]);
    let launch = command(&words).env("LCI_ROOT", "/no/such/lci").env("CXX", "/no/such/c++");
    let missing = launch.env("CHARM_ROOT", "/no/such/charm").run().succeeded();
    let missing = missing.printed(&["not measured: LCI: /no/such/c++", "CXX"]);
    missing.printed(&["/no/such/charm/bin/charmc", "CHARM_ROOT"]).printed(&["0 cases failed"]);
}

/// Instructions are not counted, which is said and is no failure.
#[test]
fn without_valgrind_instructions_are_left_out() {
    let finished = command(&["run", "instructions"]).env("VALGRIND", "/no/such/valgrind").run().succeeded();
    finished.printed(&["valgrind is missing", "make setup-valgrind"]);
}

#[test]
fn too_few_ranks_for_a_case_or_a_suite_are_reported() {
    if no_ranks().is_some() {
        return;
    }
    let words = ["run", "objects", "--quick", "--repeat", "1", "--only", "broadcast to 3"];
    command(&words).run().succeeded().printed(&["takes 4 ranks and there are 2", "--ranks 4"]);
    command(&["run", "rpc", "--ranks", "1"]).run().failed().printed(&["rpc takes 2 ranks: --ranks 1 is too few"]);
}

#[test]
fn under_a_launcher_the_suites_share_its_ranks() {
    if no_ranks().is_some() {
        return;
    }
    let file = fresh("shared");
    let name = file.display().to_string();
    let words =
        ["run", "local", "rpc", "actors", "--quick", "--repeat", "1", "--only", "one by one, other", "--json", &name];
    let launch = words.iter().fold(Launch::on_ranks(2, program()), |launch, word| launch.arg(*word));
    let finished = launch.limit(Duration::from_secs(120)).run().succeeded();
    finished
        .printed(&["local", "left out", "start it without mpirun or srun"])
        .printed(&["1:1, one by one, other rank"]);
    // The version, the result, and how busy the machine was.
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    fs::remove_file(file).unwrap();
}

/// Interrupted in the midst of a case, the file holds the cases that ended, each in a whole line.
#[test]
fn an_interrupted_run_leaves_a_valid_file() {
    let file = fresh("interrupted");
    let name = file.display().to_string();
    // A first case that ends at once, then one that would take hours.
    command(&["run", "local", "--quick", "--repeat", "1", "--only", "chain", "--json", &name]).run().succeeded();
    let endless = ["run", "local", "--repeat", "100000", "--only", "fan-out", "--json", &name];
    let mut started = command(&endless).start();
    let head = started.wait_for("case");
    assert!(head.starts_with("case"), "the table has begun, but {head}");
    launcher::processes::signal("INT", &started.pid().to_string());
    // The process of the suite ends with the interrupted one: its end of the output closes.
    started.finish().failed();
    command(&["report", &name]).run().succeeded();
    // The version, and the result of the first run with its line about the machine; the second run has neither.
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    for ending in ["json", "html", "md"] {
        fs::remove_file(file.with_extension(ending)).unwrap();
    }
}
