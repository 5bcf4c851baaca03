//! Programs in C, C++ and Fortran that use MPI themselves and start clusters of their communicators, built by the
//! compilers of each MPI library that is installed, all with the same shared library of mobula.
#![cfg(feature = "mpi")]

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::TestFolder;
use launcher::{Launch, find_program};
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// As Debian names the commands of both libraries: what is to be appended to `mpicc` and the others.
const LIBRARIES: [&str; 2] = ["openmpi", "mpich"];

/// Where a command is; `None`, with a message, if it is missing, which is a failure in CI.
fn installed(command: &str) -> Option<PathBuf> {
    let found = find_program(command);
    if found.is_none() {
        assert!(std::env::var("CI").is_err(), "in CI, {command} is installed");
        eprintln!("left out: there is no {command}");
    }
    found
}

fn source(name: &str) -> PathBuf {
    Path::new(PACKAGE).join("tests/programs").join(name)
}

/// Compiles these sources in the folder, which gets the library under the names that it has where it is installed.
fn compile(folder: &TestFolder, compiler: &Path, flags: &[&str], sources: &[PathBuf]) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let library = test.with_file_name("libmobula_capi.so");
    assert!(library.exists(), "cargo builds {} before this test", library.display());
    for name in ["libmobula.so", "libmobula.so.0"] {
        let _ = std::os::unix::fs::symlink(&library, folder.0.join(name));
    }
    let program = folder.0.join("program");
    let mut command = Command::new(compiler);
    command.args(flags).args(["-g", "-O1"]).arg(format!("-I{PACKAGE}/include")).args(sources).arg("-o").arg(&program);
    command.arg(format!("-L{}", folder.0.display())).arg(format!("-Wl,-rpath,{}", folder.0.display()));
    // Modules of Fortran are written where the compiler runs.
    let finished = command.args(["-lmobula", "-lpthread"]).current_dir(&folder.0).output().expect("a compiler starts");
    assert!(finished.status.success(), "{sources:?}:\n{}", String::from_utf8_lossy(&finished.stderr));
    program
}

/// Runs a program on two ranks, once with each of the arguments.
fn runs(compiler: &str, flags: &[&str], sources: &[&str], arguments: &[&[&str]], printed: &str) {
    let sources: Vec<PathBuf> = sources.iter().map(|name| source(name)).collect();
    for library in LIBRARIES {
        let Some(compiler) = installed(&format!("{compiler}.{library}")) else { continue };
        let Some(launcher) = installed(&format!("mpirun.{library}")) else { continue };
        let folder = TestFolder::new(&format!("{library}-{}", compiler.display().to_string().replace('/', "-")));
        let program = compile(&folder, &compiler, flags, &sources);
        for arguments in arguments {
            let launch = Launch::alone(&launcher).arg("-n").arg("2").arg(&program).env("MOBULA_STORE_BYTES", "32M");
            let launch = arguments.iter().fold(launch, |launch, argument| launch.arg(*argument));
            launch.run().succeeded().printed(&[printed]).did_not_print("panicked");
        }
    }
}

/// With and without threads that may call MPI.
#[test]
fn program_of_c_uses_mpi_before_during_and_after_its_clusters() {
    let flags = ["-std=c99", "-Wall", "-Wextra", "-Werror"];
    runs("mpicc", &flags, &["with_comm.c"], &[&[], &["single"]], "ok: with a communicator of 2 ranks");
}

#[test]
fn cluster_object_of_cpp_takes_a_communicator() {
    // Without the C++ interface that MPI once had: its headers have warnings.
    let flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX"];
    runs("mpicxx", &flags, &["with_comm.cpp"], &[&[]], "ok: C++ with a communicator of 2 ranks");
}

#[test]
fn program_of_fortran_passes_communicators_of_both_modules() {
    let sources = ["../../fortran/mobula.f90", "check.f90", "with_comm.f90"];
    let flags = ["-std=f2018", "-frecursive"];
    runs("mpifort", &flags, &sources, &[&[]], "ok: Fortran with a communicator of 2 ranks");
}

#[test]
fn communicator_without_mpi_is_an_error() {
    let folder = TestFolder::new("without_mpi");
    let compiler = find_program("cc").expect("there is no cc");
    let program = compile(&folder, &compiler, &["-std=c99", "-Wall", "-Werror"], &[source("without_mpi.c")]);
    Launch::alone(&program).run().succeeded().printed(&["ok: without MPI"]);
}
