//! Programs of `tests/programs`, compiled with the system's compilers against the headers and the shared library.

use crate::launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use crate::launcher::{Launch, find_program};
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The folder with the library under the names that it has where it is installed.
fn library_folder(folder: &TestFolder) -> String {
    let test = std::env::current_exe().expect("a test knows its own path");
    let library = test.parent().expect("it lies in a folder").join("libmobula_capi.so");
    assert!(library.exists(), "cargo builds {} before this test", library.display());
    let path = folder.0.join("lib");
    std::fs::create_dir_all(&path).expect("a folder of our own");
    for name in ["libmobula.so", "libmobula.so.0"] {
        let _ = std::os::unix::fs::symlink(&library, path.join(name));
    }
    path.display().to_string()
}

/// Compiles one of `tests/programs` and returns the program's path; every warning is an error.
pub fn compile(folder: &TestFolder, source: &str, flags: &[&str]) -> PathBuf {
    let (compiler, standard) = if source.ends_with(".cpp") { ("c++", "-std=c++17") } else { ("cc", "-std=c99") };
    let (library, output) = (library_folder(folder), folder.0.join(source.replace('.', "_")));
    let mut command = Command::new(find_program(compiler).unwrap_or_else(|| panic!("there is no {compiler}")));
    command.args([standard, "-D_POSIX_C_SOURCE=200809L", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    command.arg(format!("-I{PACKAGE}/include")).args(flags);
    command.arg(Path::new(PACKAGE).join("tests/programs").join(source)).arg("-o").arg(&output);
    command.arg(format!("-L{library}")).arg(format!("-Wl,-rpath,{library}")).args(["-lmobula", "-lpthread"]);
    let finished = command.output().expect("a compiler starts");
    assert!(finished.status.success(), "{source}:\n{}", String::from_utf8_lossy(&finished.stderr));
    output
}

/// The program as two ranks that meet over TCP.
pub fn two_ranks(folder: &TestFolder, program: &Path) -> Launch {
    launch_ranks(program, &all_ranks(2), 2, &folder.meeting_file().display().to_string())
        .env("MOBULA_STORE_BYTES", "32M")
}
