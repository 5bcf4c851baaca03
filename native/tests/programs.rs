//! Programs in C and C++, compiled with the system's compilers against the headers and the shared library, run alone
//! and as two ranks that meet over TCP.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Launch, find_program};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The folder of what cargo built for this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.parent().expect("it lies in a folder").to_path_buf()
}

/// The folder with the library under the names that it has where it is installed.
fn library_folder(folder: &TestFolder) -> PathBuf {
    let library = built().join("libmobula_capi.so");
    assert!(library.exists(), "cargo builds {} before this test", library.display());
    let path = folder.0.join("lib");
    std::fs::create_dir_all(&path).expect("a folder of our own");
    for name in ["libmobula.so", "libmobula.so.0"] {
        let _ = std::os::unix::fs::symlink(&library, path.join(name));
    }
    path
}

/// Compiles one of `tests/programs` and returns the program's path; every warning is an error.
fn compile(folder: &TestFolder, compiler: &str, source: &str, flags: &[&str], program: &str) -> PathBuf {
    let library = library_folder(folder).display().to_string();
    let link = [format!("-L{library}"), format!("-Wl,-rpath,{library}"), "-lmobula".to_string()];
    compile_with(folder, compiler, (source, flags), program, &link)
}

/// As `compile`, linked with what `link` says.
fn compile_with(
    folder: &TestFolder,
    compiler: &str,
    (source, flags): (&str, &[&str]),
    program: &str,
    link: &[String],
) -> PathBuf {
    let output = folder.0.join(program);
    let standard = if source.ends_with(".cpp") { "-std=c++17" } else { "-std=c99" };
    let mut command = Command::new(find_program(compiler).unwrap_or_else(|| panic!("there is no {compiler}")));
    command.args([standard, "-D_POSIX_C_SOURCE=200809L", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    command.arg(format!("-I{PACKAGE}/include")).args(flags);
    // A path of its own replaces the folder.
    command.arg(Path::new(PACKAGE).join("tests/programs").join(source)).arg("-o").arg(&output);
    let finished = command.args(link).arg("-lpthread").output().expect("a compiler starts");
    assert!(finished.status.success(), "{source}:\n{}", String::from_utf8_lossy(&finished.stderr));
    output
}

fn two_ranks(folder: &TestFolder, program: &Path) -> Launch {
    launch_ranks(program, &all_ranks(2), 2, &folder.meeting_file().display().to_string())
        .env("MOBULA_STORE_BYTES", "32M")
}

/// Runs the program alone, as two ranks that share memory, and as two that do not.
fn runs(name: &str, compiler: &str, source: &str, printed: &str) {
    let folder = TestFolder::new(name);
    let program = compile(&folder, compiler, source, &[], name);
    let launches = [
        Launch::alone(&program),
        two_ranks(&folder, &program),
        two_ranks(&folder, &program).env("MOBULA_FABRIC", "tcp"),
    ];
    for launch in launches {
        launch.run().succeeded().printed(&[printed]).did_not_print("panicked");
    }
}

#[test]
fn objects_are_written_and_read_in_place() {
    runs("objects", "cc", "objects.c", "ok: objects");
}

#[test]
fn tasks_of_c_run_on_every_rank() {
    runs("tasks", "cc", "tasks.c", "ok: tasks");
}

#[test]
fn actors_of_c_live_on_every_rank() {
    runs("actors", "cc", "actors.c", "ok: actors");
}

/// The failures of more living tasks of one thread than were kept, results set again, and calls by several threads.
#[test]
fn calls_keep_their_results_and_failures() {
    runs("calls", "cc", "calls.c", "ok: calls");
}

/// A reference of an ended cluster named other bytes of the next one, whose objects have the same numbers.
#[test]
fn handles_of_an_ended_cluster_are_refused() {
    let folder = TestFolder::new("ended");
    let program = compile(&folder, "cc", "ended.c", &[], "ended");
    Launch::alone(&program).run().succeeded().printed(&["ok: ended"]).did_not_print("panicked");
}

/// An actor with `save` and `restore` goes on where its last delivered result was.
#[test]
fn actor_of_a_killed_rank_goes_on_with_its_state() {
    let folder = TestFolder::new("restarts");
    let program = compile(&folder, "cc", "restarts.c", &[], "restarts");
    two_ranks(&folder, &program).run().failed().printed(&["ok: restarts"]).printed(&["rank 1 ended with 137"]);
}

#[test]
fn wrong_calls_are_refused_with_function_and_parameter() {
    runs("bad_input", "cc", "bad_input.c", "ok: bad input");
}

#[test]
fn header_is_clean_in_cpp() {
    runs("header", "c++", "header.cpp", "ok: header 42");
}

/// A missing clang is a failure in CI.
#[test]
fn headers_are_clean_under_clang() {
    if find_program("clang++").is_none() {
        assert!(std::env::var("CI").is_err(), "in CI, clang is installed");
        return println!("left out: there is no clang++");
    }
    let folder = TestFolder::new("clang");
    for source in ["tasks.cpp", "actors.cpp", "results.cpp"] {
        compile(&folder, "clang++", source, &[], "clang");
    }
    for source in ["tasks.c", "actors.c"] {
        compile(&folder, "clang", source, &[], "clang");
    }
}

/// Runs the first program in a page of the guide, alone and on two ranks.
fn program_of_the_guide_prints(page: &str, language: &str, compiler: &str, printed: &[&str]) {
    let folder = TestFolder::new(&format!("guide_{language}"));
    let text = std::fs::read_to_string(Path::new(PACKAGE).join("../docs/guide").join(page)).expect("the guide");
    let block = text.split_once(&format!("```{language}\n")).and_then(|(_, rest)| rest.split_once("```"));
    let source = folder.0.join(format!("guide.{language}"));
    std::fs::write(&source, block.expect("a program").0).expect("a file of our own");
    let program = compile(&folder, compiler, source.to_str().expect("a path of ASCII"), &[], "guide");
    for launch in [Launch::alone(&program), two_ranks(&folder, &program)] {
        let finished = launch.run().succeeded();
        printed.iter().fold(finished, |finished, text| finished.printed(&[text]));
    }
}

#[test]
fn program_of_the_guide_prints_its_number() {
    program_of_the_guide_prints("c.md", "c", "cc", &["13"]);
}

#[test]
fn cpp_program_of_the_guide_prints_its_numbers() {
    program_of_the_guide_prints("cpp.md", "cpp", "c++", &["13", "1000", "42"]);
}

#[test]
fn tasks_of_cpp_run_on_every_rank() {
    runs("tasks_cpp", "c++", "tasks.cpp", "ok: C++ tasks");
}

#[test]
fn actors_of_cpp_live_on_every_rank() {
    runs("actors_cpp", "c++", "actors.cpp", "ok: C++ actors");
}

/// A class of `MOBULA_ACTOR_SAVED` goes on where its last delivered result was.
#[test]
fn cpp_actor_of_a_killed_rank_goes_on_with_its_state() {
    let folder = TestFolder::new("restarts_cpp");
    let program = compile(&folder, "c++", "restarts.cpp", &[], "restarts_cpp");
    two_ranks(&folder, &program).run().failed().printed(&["ok: C++ restarts"]).printed(&["rank 1 ended with 137"]);
}

#[test]
fn cpp_of_several_files_registers_each_function_once() {
    let folder = TestFolder::new("files_cpp");
    let second = Path::new(PACKAGE).join("tests/programs/second.cpp").display().to_string();
    let program = compile(&folder, "c++", "first.cpp", &[&second], "files_cpp");
    for launch in [Launch::alone(&program), two_ranks(&folder, &program)] {
        launch.run().succeeded().printed(&["ok: C++ files"]);
    }
    let program = compile(&folder, "c++", "first.cpp", &["-DTWICE", &second], "twice_cpp");
    let named = "MOBULA_REMOTE(local): mobula_register: a function named local is registered already";
    Launch::alone(&program).run().succeeded().printed(&[named]);
}

/// What the compiler says of a wrong call, by number: with the source line of the call and the parameter.
#[test]
fn wrong_calls_of_cpp_do_not_compile_and_name_the_parameter() {
    let source = Path::new(PACKAGE).join("tests/programs/refused.cpp");
    let check = |wrong: u32| {
        let mut command = Command::new(find_program("c++").expect("there is no c++"));
        command
            .args(["-std=c++17", "-fsyntax-only"])
            .arg(format!("-DWRONG={wrong}"))
            .arg(format!("-I{PACKAGE}/include"));
        let finished = command.arg(&source).output().expect("a compiler starts");
        (finished.status.success(), String::from_utf8_lossy(&finished.stderr).into_owned())
    };
    let (compiles, printed) = check(0);
    assert!(compiles, "{printed}");
    let cases: [(u32, &[&str]); 10] = [
        (1, &["submit(add, 1.0, \"two\")", "2nd argument of the call does not fit the 2nd parameter", "double, char"]),
        (2, &["submit(add, mobula::ref<int>(), 2.0)", "1st argument of the call does not fit", "mobula::ref<int>"]),
        (3, &["submit(add, 1.0)", "another number of arguments than the function has parameters"]),
        (4, &["check_parameter<files::length_of, 1, _IO_FILE*>", "the 2nd parameter of the function cannot be passed"]),
        (5, &["check_parameter<files::fill, 0", "the 1st parameter of the function cannot be passed"]),
        (6, &["call(&counter::plus, std::string(\"two\"))", "1st argument of the call does not fit the 1st parameter"]),
        (7, &["T = counter", "1st argument of the call does not fit the 1st parameter"]),
        (8, &["this class has no MOBULA_ACTOR above", "without_macro"]),
        (9, &["submit takes a function of MOBULA_REMOTE, no lambda or object"]),
        (10, &["this type cannot be put: specialise mobula::codec for it", "vector<int*>"]),
    ];
    for (wrong, texts) in cases {
        let (compiles, printed) = check(wrong);
        assert!(!compiles, "WRONG={wrong} compiles");
        for text in texts {
            assert!(printed.contains(text), "WRONG={wrong}: the compiler does not say {text:?}:\n{printed}");
        }
    }
}

#[test]
fn function_of_one_rank_only_is_named_at_the_start() {
    let folder = TestFolder::new("one_rank");
    let program = compile(&folder, "cc", "registered.c", &[], "one_rank");
    let finished = two_ranks(&folder, &program).arg("extra").run().succeeded();
    let named = "only rank 1 has the function `extra C task, 1 results`";
    finished.printed(&["MOBULA_ERR_FABRIC: mobula_init: rank 0 and rank 1 run different binaries", named]);
}

#[test]
fn function_registered_twice_before_main_is_named_at_the_start() {
    let folder = TestFolder::new("twice");
    let program = compile(&folder, "cc", "registered.c", &["-DTWICE"], "twice");
    let finished = Launch::alone(&program).run().succeeded();
    finished.printed(&["MOBULA_ERR_CONFIG: mobula_init: MOBULA_TASK: a function named same is registered already"]);
}

#[test]
fn library_exports_what_the_header_declares_and_nothing_else() {
    let library = built().join("libmobula_capi.so");
    let listed = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().expect("nm starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let exported: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let header = std::fs::read_to_string(Path::new(PACKAGE).join("include/mobula.h")).expect("the header");
    assert_eq!(exported, declared(&header));
}

/// The names of the functions that a header declares: each declaration begins at the start of a line.
fn declared(header: &str) -> BTreeSet<&str> {
    let types = ["mobula_status", "const", "void", "uint32_t", "bool", "double"];
    let name = |line: &'_ str| -> Option<(usize, usize)> {
        types.iter().find(|word| line.strip_prefix(**word).is_some_and(|rest| rest.starts_with(' ')))?;
        let end = line.find('(')?;
        let begin = line[..end].rfind([' ', '*'])? + 1;
        Some((begin, end))
    };
    header.lines().filter_map(|line| name(line).map(|(begin, end)| &line[begin..end])).collect()
}
