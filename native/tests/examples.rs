//! The examples in C, C++ and Fortran, built against an installed mobula as a user builds them, by CMake and with
//! pkg-config, and run alone, on two ranks, and on two hosts of the lab. Each checks its own result.

#[path = "../../tests/lab/mod.rs"]
#[allow(dead_code)] // The tests of the library use the rest.
mod lab;
#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::{Finished, Launch, find_program, no_ranks, uses_mpich};
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
    ("heat", HEAT_PRINTS),
];

/// Also of `heat_mpi`, which is in C only.
const HEAT_PRINTS: &str = "ok: 159 steps on RANKS ranks, the last changed 0.001497";

/// False, with a message, if a tool is missing, which is a failure in CI.
fn has(tool: &str) -> bool {
    let found = find_program(tool).is_some();
    assert!(found || std::env::var("CI").is_err(), "in CI, {tool} is installed");
    if !found {
        println!("left out: there is no {tool}");
    }
    found
}

/// The compiler `mpicc`, `mpicxx` or `mpifort` of the launcher's library, if it is there.
fn mpi_compiler(name: &str) -> Option<PathBuf> {
    let library = if uses_mpich() { "mpich" } else { "openmpi" };
    find_program(&format!("{name}.{library}")).or_else(|| find_program(name))
}

/// If programs of MPI can be built and started here; a missing compiler is a failure in CI.
fn has_mpi() -> bool {
    let missing = ["mpicc", "mpicxx", "mpifort"].into_iter().find(|name| mpi_compiler(name).is_none());
    let reason = no_ranks().or_else(|| {
        assert!(missing.is_none() || std::env::var("CI").is_err(), "in CI, {missing:?} is installed");
        missing.map(|name| format!("there is no {name}"))
    });
    if let Some(reason) = &reason {
        println!("left out, heat: {reason}");
    }
    reason.is_none()
}

/// The names of all programs that can be built here, `hello_c` and so on, and what they print. In CI, every one.
fn programs() -> Vec<(String, &'static str)> {
    let languages: &[&str] = if has("gfortran") { &["c", "cpp", "f90"] } else { &["c", "cpp"] };
    let has_mpi = has_mpi();
    let examples = EXAMPLES.iter().filter(|(name, _)| has_mpi || *name != "heat");
    let of_each = |(name, printed): &(&str, &'static str)| {
        languages.iter().map(|language| (format!("{name}_{language}"), *printed)).collect::<Vec<_>>()
    };
    let of_c_only = has_mpi.then(|| ("heat_mpi_c".to_string(), HEAT_PRINTS));
    examples.flat_map(of_each).chain(of_c_only).collect()
}

/// The folder of this test: every host of the lab sees it.
fn folder() -> PathBuf {
    built().join("native-examples")
}

/// The folder of what cargo built for this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.parent().expect("it lies in a folder").to_path_buf()
}

fn succeeds(command: &mut Command) {
    // What runs this test may be a make with options of its own.
    let finished = command.env_remove("MAKEFLAGS").output();
    let finished = finished.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let [printed, errors] = [&finished.stdout, &finished.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(finished.status.success(), "{command:?}\n{printed}{errors}");
}

/// Installs what cargo built for this test, once; returns the prefix.
fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let _ = std::fs::remove_dir_all(folder());
        let from = folder().join("built");
        std::fs::create_dir_all(&from).expect("a folder of our own");
        let link = |file: &Path, name: &str| std::os::unix::fs::symlink(file, from.join(name)).expect("a link");
        for library in ["libmobula_capi.so", "libmobula_capi.a"] {
            link(&built().join(library), library);
        }
        link(Path::new("/bin/true"), "mobula"); // no example needs the command
        let mut command = Command::new(Path::new(PACKAGE).join("install"));
        succeeds(command.env("BUILT", &from).env("PREFIX", folder().join("prefix")));
        folder().join("prefix")
    })
}

/// The folder with the programs that the Makefile of the examples builds, with pkg-config; without a warning.
fn built_by_make() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let (prefix, folder) = (installed(), folder().join("make"));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        let mut command = Command::new("make");
        command.arg("-j2").arg("-C").arg(&folder).arg("-f").arg(Path::new(PACKAGE).join("examples/Makefile"));
        command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
        for (flags, own) in [
            ("CFLAGS", "-Wpedantic"),
            // Without the old C++ interface of MPI's own header, which has warnings.
            ("CXXFLAGS", "-Wpedantic -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX"),
            ("FFLAGS", "-std=f2018"),
        ] {
            command.arg(format!("{flags}=-O0 -Wall -Wextra -Werror {own}"));
        }
        for (variable, name) in [("MPICC", "mpicc"), ("MPICXX", "mpicxx"), ("MPIFC", "mpifort")] {
            command.arg(format!("{variable}={}", mpi_compiler(name).unwrap_or_default().display()));
        }
        succeeds(command.args(programs().iter().map(|(name, _)| name)));
        folder
    })
}

/// Runs every example in every language on so many ranks, as `launch` starts it.
fn run_each(folder: &Path, ranks: u32, launch: impl Fn(&Path) -> Launch) {
    for (name, printed) in programs() {
        let program = folder.join(&name);
        check(launch(&program).run(), &name, printed, ranks);
    }
}

fn check(finished: Finished, name: &str, printed: &str, ranks: u32) {
    let printed = printed.replace("RANKS", &ranks.to_string());
    let finished = finished.succeeded().printed(&[&printed]).did_not_print("panicked");
    if name.starts_with("hello") {
        finished.printed(&[&format!("from rank {}", ranks - 1)]);
    }
}

#[test]
fn examples_of_cmake_run_alone() {
    if !has("cmake") {
        return;
    }
    let (prefix, folder) = (installed(), folder().join("cmake"));
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(Path::new(PACKAGE).join("examples")).arg("-B").arg(&folder);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())).arg("-DCMAKE_BUILD_TYPE=None");
    for (variable, name) in [("C", "mpicc"), ("CXX", "mpicxx"), ("Fortran", "mpifort")] {
        let compiler = mpi_compiler(name).unwrap_or_default();
        configure.arg(format!("-DMPI_{variable}_COMPILER={}", compiler.display()));
    }
    succeeds(&mut configure);
    succeeds(Command::new("cmake").arg("--build").arg(&folder).arg("-j2"));
    run_each(&folder, 1, Launch::alone);
}

#[test]
fn examples_of_make_run_on_2_ranks() {
    match no_ranks() {
        Some(reason) => println!("left out: {reason}"),
        None => run_each(built_by_make(), 2, |program| Launch::on_ranks(2, program)),
    }
}

/// Without MPI, except for those that use it themselves.
#[test]
fn examples_of_make_run_on_2_hosts() {
    let Some(lab) = lab::shared() else { return };
    for (name, printed) in programs() {
        let is_of_mpi = name.starts_with("heat");
        // Its MPI_Finalize between hosts does not always return: see tests/cluster/launch_mode.rs.
        if is_of_mpi && uses_mpich() {
            println!("left out: {name} with MPICH");
            continue;
        }
        let mpi: &[&str] = if is_of_mpi { &["--mpi=pmix"] } else { &[] };
        let launch = lab.launch(&[&["srun", "--nodes=2", "--ntasks-per-node=1"], mpi].concat());
        check(launch.arg(built_by_make().join(&name)).run(), &name, printed, 2);
    }
}

/// Every block of C in the page for MPI programs is a part of an example.
#[test]
fn code_of_the_page_for_mpi_programs_is_that_of_the_examples() {
    let package = Path::new(PACKAGE);
    let page = std::fs::read_to_string(package.join("../docs/guide/from-mpi.md")).expect("the guide");
    let sources = ["heat_mpi.c", "heat.c"]
        .map(|name| std::fs::read_to_string(package.join("examples").join(name)).expect("an example"));
    let blocks: Vec<&str> =
        page.split("```c\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect();
    assert!(blocks.len() > 3, "the page shows the examples");
    for block in blocks {
        let mut parts = block.split("\n\n").map(str::trim_end);
        assert!(parts.all(|part| sources.iter().any(|source| source.contains(part))), "no example has this:\n{block}");
    }
}
