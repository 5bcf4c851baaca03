//! The implementation of Task Bench for mobula, `bench/taskbench-core`, against a stub of Task Bench's core.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Launch, find_program};
use std::path::Path;
use std::process::Command;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// Two graphs at once, with and without scratch memory; outputs in messages and in the store.
const ARGUMENTS: [&str; 15] = [
    "-steps", "100", "-width", "6", "-scratch", "64", "-and", "-type", "fft", "-steps", "40", "-width", "8", "-output",
    "4097",
];

#[test]
fn implementation_of_task_bench_executes_every_point() {
    let folder = TestFolder::new("taskbench");
    let built = std::env::current_exe().expect("a test knows its own path");
    let library = built.parent().expect("it lies in a folder").join("libmobula_capi.so");
    assert!(library.exists(), "cargo builds {} before this test", library.display());
    for name in ["libmobula.so", "libmobula.so.0"] {
        std::os::unix::fs::symlink(&library, folder.0.join(name)).expect("a folder of our own");
    }
    let source = Path::new(PACKAGE).join("../bench/taskbench-core");
    let program = folder.0.join("taskbench");
    let mut command = Command::new(find_program("c++").expect("there is no c++"));
    command.args(["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg(source.join("main.cc"));
    command.arg("-I").arg(source.join("stub")).arg(format!("-I{PACKAGE}/include")).arg("-o").arg(&program);
    command.arg(format!("-L{0}", folder.0.display())).arg(format!("-Wl,-rpath,{0}", folder.0.display()));
    let finished = command.args(["-lmobula", "-lpthread"]).output().expect("a compiler starts");
    assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));

    let two_ranks = launch_ranks(&program, &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    for launch in [Launch::alone(&program), two_ranks.env("MOBULA_STORE_BYTES", "32M")] {
        let launch = ARGUMENTS.iter().fold(launch, |launch, argument| launch.arg(*argument));
        launch.run().succeeded().printed(&["stub of the core: 2 graphs"]).printed(&["Elapsed Time"]);
    }
}
