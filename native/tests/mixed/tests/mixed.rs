//! Each program alone, as two ranks that share memory, and as two that do not.

#[path = "../../../../tests/launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Launch, find_program};
use std::path::{Path, PathBuf};
use std::process::Command;

fn runs(folder: &TestFolder, program: &Path, printed: &str) {
    Launch::alone(program).run().succeeded().printed(&[printed]);
    let meeting = folder.meeting_file().display().to_string();
    let two = || launch_ranks(program, &all_ranks(2), 2, &meeting).env("MOBULA_STORE_BYTES", "32M");
    two().run().succeeded().printed(&[printed]);
    two().env("MOBULA_FABRIC", "tcp").run().succeeded().printed(&[printed]);
}

#[test]
fn rust_and_c_call_each_other() {
    runs(&TestFolder::new("mixed"), Path::new(env!("CARGO_BIN_EXE_mixed")), "ok: mixed");
}

/// The newest that cargo has built: its name has a hash.
fn static_library() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let built = std::fs::read_dir(test.parent().expect("it lies in a folder")).expect("it is readable");
    let is_library = |name: &str| name.starts_with("libmixed-") && name.ends_with(".a");
    let libraries = built.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_library));
    let newest = libraries.max_by_key(|entry| entry.metadata().and_then(|metadata| metadata.modified()).ok());
    newest.expect("cargo builds libmixed before this test").path()
}

#[test]
fn program_of_cpp_calls_a_static_library_of_rust() {
    let folder = TestFolder::new("mixed_cpp");
    let library = static_library();
    let (package, program) = (Path::new(env!("CARGO_MANIFEST_DIR")), folder.0.join("program"));
    let mut compiler = Command::new(find_program("c++").expect("there is no c++"));
    compiler.args(["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    compiler.arg(package.join("src/program.cpp")).arg("-I").arg(package.join("../../include"));
    // Whole: what registers the functions is named by nothing.
    compiler.arg("-Wl,--whole-archive").arg(&library).arg("-Wl,--no-whole-archive");
    if cfg!(feature = "hwloc") {
        compiler.arg("-lhwloc");
    }
    let finished = compiler.args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&program).output();
    let finished = finished.expect("a compiler starts");
    assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));
    runs(&folder, &program, "ok: Rust in C++");
}
