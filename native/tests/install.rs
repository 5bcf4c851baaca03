//! What `make install` installs, moved elsewhere, as programs of C, C++ and Fortran use it by CMake and by pkg-config.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::TestFolder;
use launcher::{Launch, find_program};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// True, with a message, if one of these tools is missing, which is a failure in CI.
fn lacks(tools: &[&str]) -> bool {
    let Some(missing) = tools.iter().find(|tool| find_program(tool).is_none()) else { return false };
    assert!(std::env::var("CI").is_err(), "in CI, {missing} is installed");
    eprintln!("left out: there is no {missing}");
    true
}

fn has_fortran() -> bool {
    !lacks(&["gfortran"])
}

/// The folder of what cargo built for this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.parent().expect("it lies in a folder").to_path_buf()
}

/// Runs a command to its end; returns what it printed.
fn succeeds(command: &mut Command) -> String {
    let finished = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let printed = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(finished.status.success(), "{command:?}\n{printed}{}", String::from_utf8_lossy(&finished.stderr));
    printed
}

fn install(package: &Path, built: &Path) -> Command {
    let mut command = Command::new(package.join("install"));
    command.env("BUILT", built).env("PREFIX", "/opt/mobula");
    command
}

/// A copy of the repository, as far as it is installed, in which the examples have been built: this once stopped the
/// installation half-way.
fn with_built_examples(folder: &Path) -> PathBuf {
    let tree = folder.join("tree");
    std::fs::create_dir_all(&tree).expect("a folder of our own");
    let root = Path::new(PACKAGE).join("..");
    succeeds(Command::new("cp").arg("-r").arg(PACKAGE).arg(tree.join("native")));
    for file in ["Cargo.toml", "LICENSE"] {
        std::fs::copy(root.join(file), tree.join(file)).expect("a file of our own");
    }
    std::fs::create_dir_all(tree.join("native/examples/build")).expect("a folder of our own");
    std::fs::write(tree.join("native/examples/hello_c"), "a program").expect("a file of our own");
    tree.join("native")
}

/// Installs what cargo built for this test into an empty folder, and moves it.
fn installed(folder: &Path) -> PathBuf {
    let from = folder.join("built");
    std::fs::create_dir_all(&from).expect("a folder of our own");
    let link = |file: &Path, name: &str| std::os::unix::fs::symlink(file, from.join(name)).expect("a link of our own");
    for library in ["libmobula_capi.so", "libmobula_capi.a"] {
        link(&built().join(library), library);
    }
    // A test of this crate alone does not build the command: any program stands in for it.
    let command = built().with_file_name("mobula");
    let is_built = command.exists();
    link(if is_built { &command } else { Path::new("/bin/true") }, "mobula");
    succeeds(install(&with_built_examples(folder), &from).env("DESTDIR", folder.join("packed")));
    let moved = folder.join("moved");
    std::fs::rename(folder.join("packed/opt/mobula"), &moved).expect("both are in our own folder");
    if is_built {
        let version = succeeds(Command::new(moved.join("bin/mobula")).arg("--version"));
        assert_eq!(version.trim(), format!("mobula {}", env!("CARGO_PKG_VERSION")));
    }
    moved
}

/// The files under a folder, by their paths in it.
fn files_under(folder: &Path, root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of our own") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            files.extend(files_under(&path, root));
        } else {
            files.push(path.strip_prefix(root).expect("it lies there").display().to_string());
        }
    }
    files.sort();
    files
}

fn lines_of(command: &mut Command, field: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
    succeeds(command).lines().filter_map(field).collect()
}

fn runs(launch: Launch, language: &str, ranks: u32) {
    let text = format!("ok: 42 from {language}, ranks: {ranks}");
    launch.run().succeeded().printed(&[&text]).did_not_print("panicked");
}

/// Starts it on two ranks by the launcher of either MPI library that is installed.
fn runs_under_both(program: &Path, language: &str) {
    for launcher in ["mpirun.openmpi", "mpirun.mpich"] {
        if cfg!(feature = "mpi") && !lacks(&[launcher]) {
            let launcher = find_program(launcher).expect("it was found before");
            runs(Launch::alone(&launcher).arg("-n").arg("2").arg(program), language, 2);
        }
    }
}

#[test]
fn folder_is_complete_and_its_libraries_show_the_header_only() {
    if lacks(&["ld", "readelf", "nm"]) {
        return;
    }
    let folder = TestFolder::new("installed");
    let prefix = installed(&folder.0);
    let wanted = "bin/mobula include/mobula.h include/mobula.hpp include/mobula_mpi.h \
        lib/cmake/mobula/mobulaConfig.cmake lib/cmake/mobula/mobulaConfigVersion.cmake \
        lib/libmobula.a lib/libmobula.so lib/libmobula.so.0 \
        lib/libmobula.so.0.1.0 lib/pkgconfig/mobula.pc share/doc/mobula/LICENSE share/mobula/mobula.f90";
    let is_page_or_example =
        |file: &String| file.starts_with("share/man/man3/") || file.starts_with("share/mobula/examples/");
    let (others, files): (Vec<String>, Vec<String>) =
        files_under(&prefix, &prefix).into_iter().partition(is_page_or_example);
    assert_eq!(files, wanted.split_whitespace().collect::<Vec<_>>());
    for file in ["share/man/man3/mobula_submit.3", "share/mobula/examples/hello.f90"] {
        assert!(others.contains(&file.to_string()), "{others:?}");
    }
    assert!(!others.contains(&"share/mobula/examples/hello_c".to_string()), "{others:?}");

    let library = prefix.join("lib/libmobula.so");
    let needed = lines_of(Command::new("readelf").arg("-dW").arg(&library), |line| {
        let (_, name) = line.split_once("(NEEDED)")?.1.split_once('[')?;
        Some(name.split('.').next()?.to_string())
    });
    let allowed = ["libc", "libm", "libgcc_s", "ld-linux-x86-64", "ld-linux-aarch64"];
    let hwloc = cfg!(feature = "hwloc").then_some("libhwloc");
    let others: Vec<_> = needed.iter().filter(|name| !allowed.iter().chain(&hwloc).any(|may| may == name)).collect();
    assert!(others.is_empty(), "{others:?}");

    let name = |line: &str| Some(line.split_whitespace().nth(2)?.to_string());
    let of = |file: &Path| lines_of(Command::new("nm").args(["-D", "--defined-only"]).arg(file), name);
    // What the header declares: a test of the programs compares them.
    let exported = of(&built().join("libmobula_capi.so"));
    assert!(exported.contains("mobula_init"));
    assert_eq!(of(&library), exported);
    let mut archive = Command::new("nm");
    archive.args(["--extern-only", "--defined-only"]).arg(prefix.join("lib/libmobula.a"));
    assert_eq!(lines_of(&mut archive, name), exported);
}

#[test]
fn what_is_not_built_is_named_with_what_builds_it() {
    let folder = TestFolder::new("not_built");
    let finished =
        install(Path::new(PACKAGE), &folder.0).env("DESTDIR", folder.0.join("packed")).output().expect("bash starts");
    let printed = String::from_utf8_lossy(&finished.stderr);
    assert!(!finished.status.success(), "{printed}");
    assert!(printed.contains("libmobula_capi.so is missing: run 'make build' first"), "{printed}");
    assert!(!folder.0.join("packed").exists(), "it installed a part");
}

#[test]
fn programs_of_cmake_and_pkg_config_run_with_the_moved_folder() {
    if lacks(&["ld", "cc", "c++", "cmake", "make", "pkg-config"]) {
        return;
    }
    let folder = TestFolder::new("uses_installed");
    let (prefix, with_fortran) = (installed(&folder.0), has_fortran());
    let project = Path::new(PACKAGE).join("tests/installed");

    let build = folder.0.join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&project).arg("-B").arg(&build).arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    configure.arg(format!("-DWITH_FORTRAN={}", u8::from(with_fortran)));
    succeeds(configure.env_remove("MAKEFLAGS"));
    succeeds(Command::new("cmake").arg("--build").arg(&build).env_remove("MAKEFLAGS"));
    let mut languages = vec![("c", "C"), ("cpp", "C++")];
    languages.extend(with_fortran.then_some(("fortran", "Fortran")));
    for (target, language) in languages {
        for linked in ["shared", "static"] {
            runs(Launch::alone(&build.join(format!("{target}_{linked}"))), language, 1);
        }
        runs_under_both(&build.join(format!("{target}_shared")), language);
    }

    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-exc", script]).current_dir(&folder.0).env("SOURCES", &project);
        succeeds(command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")));
    };
    shell("cc $SOURCES/hello.c -o c_shared $(pkg-config --cflags --libs mobula)");
    shell("cc $SOURCES/hello.c -o c_static $(pkg-config --cflags mobula) $(pkg-config --variable=static_libs mobula)");
    for program in ["c_shared", "c_static"] {
        runs(Launch::alone(&folder.0.join(program)), "C", 1);
    }
    if with_fortran {
        shell("gfortran -frecursive -c $(pkg-config --variable=fortran mobula)");
        shell(
            "gfortran -frecursive $SOURCES/hello.f90 mobula.o -o fortran_shared $(pkg-config --libs mobula) -lpthread",
        );
        runs(Launch::alone(&folder.0.join("fortran_shared")), "Fortran", 1);
    }
}

/// Spack itself is not there: at least the package is Python.
#[test]
fn package_of_spack_compiles() {
    if lacks(&["python3"]) {
        return;
    }
    let check = "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')";
    succeeds(Command::new("python3").args(["-c", check]).arg(Path::new(PACKAGE).join("spack/package.py")));
}
