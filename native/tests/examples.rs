//! The examples in C, C++ and Fortran, built as a user builds them, and run alone, on two ranks, and on two hosts of
//! the lab. Each checks its own result.

#[path = "../../tests/lab/mod.rs"]
#[allow(dead_code)] // The tests of the library use the rest.
mod lab;
#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::{Launch, find_program, no_ranks};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// Each example, and a part of its last line.
const EXAMPLES: &[(&str, &str)] = &[
    ("hello", "ok: 13"),
    ("parameter_sweep", "ok: 1500 runs, 500 of them steady"),
    ("farm", "ok: 240 x 240 matrices, 24 tasks"),
    ("hot_loop", "ok: 150 columns, 5 steps, sum 4400.103"),
];

/// What the names of programs end with: the languages that can be compiled here. In CI, all of them.
fn languages() -> &'static [&'static str] {
    if find_program("gfortran").is_some() {
        return &["c", "cpp", "f90"];
    }
    assert!(std::env::var("CI").is_err(), "in CI, gfortran is installed");
    println!("left out: there is no gfortran");
    &["c", "cpp"]
}

/// The folder of what cargo built for this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.parent().expect("it lies in a folder").to_path_buf()
}

#[track_caller]
fn succeeds(command: &mut Command, what: &str) {
    let finished = command.output().unwrap_or_else(|error| panic!("{what} does not start: {error}"));
    let [printed, errors] = [&finished.stdout, &finished.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(finished.status.success(), "{what}:\n{printed}{errors}");
}

/// The folder with the programs of all examples, `hello_c` and so on; each is built once, by the Makefile of the
/// examples. Every host of the lab sees it.
fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let library = built().join("libmobula_capi.so");
        assert!(library.exists(), "cargo builds {} before this test", library.display());
        let folder = built().join("native-examples");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        for name in ["libmobula.so", "libmobula.so.0"] {
            std::os::unix::fs::symlink(&library, folder.join(name)).expect("a folder of our own");
        }
        let mut command = Command::new("make");
        command.arg("-j2").arg("-C").arg(&folder).arg("-f").arg(Path::new(PACKAGE).join("examples/Makefile"));
        for flags in ["CFLAGS", "CXXFLAGS", "FFLAGS"] {
            let warnings = if flags == "FFLAGS" { "-std=f2018" } else { "-Wpedantic" };
            command.arg(format!("{flags}=-O1 -Wall -Wextra -Werror {warnings}"));
        }
        command.arg(format!("MOBULA_CFLAGS=-I{PACKAGE}/include"));
        command.arg(format!("MOBULA_LIBS=-L{0} -Wl,-rpath,{0} -lmobula", folder.display()));
        command.arg(format!("MOBULA_MODULE={PACKAGE}/fortran/mobula.f90"));
        let goals = languages().iter().map(|language| if *language == "f90" { "fortran" } else { language });
        succeeds(command.args(goals), "make");
        folder
    })
}

/// Runs every example in every language on so many ranks, as `launch` starts it.
fn run_each(ranks: u32, launch: impl Fn(&Path) -> Launch) {
    for (example, printed) in EXAMPLES {
        for language in languages() {
            let program = programs().join(format!("{example}_{language}"));
            let finished = launch(&program).run().succeeded().printed(&[printed]).did_not_print("panicked");
            if *example == "hello" {
                finished.printed(&[&format!("from rank {}", ranks - 1)]);
            }
        }
    }
}

#[test]
fn examples_run_alone() {
    run_each(1, Launch::alone);
}

#[test]
fn examples_run_on_2_ranks() {
    match no_ranks() {
        Some(reason) => println!("left out: {reason}"),
        None => run_each(2, |program| Launch::on_ranks(2, program)),
    }
}

#[test]
fn examples_run_on_2_hosts() {
    let Some(lab) = lab::shared() else { return };
    run_each(2, |program| lab.launch(&["srun", "--nodes=2", "--ntasks-per-node=1"]).arg(program));
}
