//! Programs in Fortran, compiled against mobula.f90 and the shared library, run alone and as two ranks.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Launch, find_program};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// What mobula.f90 and programs compile with.
const FLAGS: [&str; 6] = ["-std=f2018", "-Wall", "-Wextra", "-Werror", "-frecursive", "-g"];

/// The Fortran compiler; `None`, with a message, where there is none, which is a failure in CI.
fn gfortran() -> Option<PathBuf> {
    let compiler = find_program("gfortran");
    if compiler.is_none() {
        assert!(std::env::var("CI").is_err(), "in CI, gfortran is installed");
        eprintln!("left out: there is no gfortran");
    }
    compiler
}

fn source(name: &str) -> PathBuf {
    Path::new(PACKAGE).join("tests/programs").join(name)
}

fn succeeds(command: &mut Command, what: &str) {
    let finished = command.output().expect("a compiler starts");
    assert!(finished.status.success(), "{what}:\n{}", String::from_utf8_lossy(&finished.stderr));
}

/// The folder with the compiled module, and the library under the names that it has where it is installed.
fn modules(compiler: &Path) -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows its own path");
        let built = test.parent().expect("it lies in a folder");
        let library = built.join("libmobula_capi.so");
        assert!(library.exists(), "cargo builds {} before this test", library.display());
        let folder = built.join("fortran-modules");
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        for name in ["libmobula.so", "libmobula.so.0"] {
            let _ = std::os::unix::fs::symlink(&library, folder.join(name));
        }
        let module = Path::new(PACKAGE).join("fortran/mobula.f90");
        let mut command = Command::new(compiler);
        command.args(FLAGS).args(["-O1", "-c"]).arg(module).arg("-o").arg(folder.join("mobula.o"));
        succeeds(command.arg("-J").arg(&folder), "mobula.f90");
        folder
    })
}

/// Compiles a program of these sources and returns its path.
fn compile(compiler: &Path, folder: &TestFolder, flags: &[&str], sources: &[PathBuf]) -> PathBuf {
    let (modules, output) = (modules(compiler), folder.0.join("program"));
    let mut command = Command::new(compiler);
    command.args(FLAGS).args(flags).arg("-J").arg(&folder.0).arg("-I").arg(modules);
    command.arg(source("check.f90")).args(sources).arg(modules.join("mobula.o")).arg("-o").arg(&output);
    command.arg(format!("-L{}", modules.display())).arg(format!("-Wl,-rpath,{}", modules.display()));
    succeeds(command.args(["-lmobula", "-lpthread"]), &format!("{sources:?}"));
    output
}

fn two_ranks(folder: &TestFolder, program: &Path) -> Launch {
    launch_ranks(program, &all_ranks(2), 2, &folder.meeting_file().display().to_string())
        .env("MOBULA_STORE_BYTES", "64M")
}

/// Runs the program alone, as two ranks that share memory, and as two that do not.
fn runs(compiler: &Path, folder: &TestFolder, flags: &[&str], sources: &[PathBuf], printed: &str) {
    let program = compile(compiler, folder, flags, sources);
    let launches =
        [Launch::alone(&program), two_ranks(folder, &program), two_ranks(folder, &program).env("MOBULA_FABRIC", "tcp")];
    for launch in launches {
        launch.run().succeeded().printed(&[printed]).did_not_print("panicked");
    }
}

/// gfortran keeps the length of a function's result, where it is deferred, in memory that all threads share: texts of
/// errors had lengths of others.
#[test]
fn texts_have_no_length_in_static_memory() {
    let (Some(compiler), Some(nm)) = (gfortran(), find_program("nm")) else { return };
    let folder = TestFolder::new("fortran-texts");
    let (program, object) = (folder.0.join("texts.f90"), folder.0.join("texts.o"));
    let text = "subroutine texts(text)
  use mobula
  implicit none
  character(len=:), allocatable, intent(out) :: text
  text = mobula_last_error()
  print *, mobula_status_name(len(text)) // \": \", mobula_last_error()
end subroutine\n";
    std::fs::write(&program, text).expect("a file of our own");
    let mut command = Command::new(&compiler);
    command.args(FLAGS).args(["-O1", "-c"]).arg(&program).arg("-o").arg(&object);
    succeeds(command.arg("-J").arg(&folder.0).arg("-I").arg(modules(&compiler)), "texts.f90");
    for object in [modules(&compiler).join("mobula.o"), object] {
        let symbols = Command::new(&nm).arg(&object).output().expect("nm starts").stdout;
        let symbols = String::from_utf8_lossy(&symbols);
        assert!(symbols.contains("mobula"), "{}: {symbols}", object.display());
        assert!(!symbols.contains("slen"), "{}: {symbols}", object.display());
    }
}

/// Programs that change the default kinds compile the module with the same flags.
#[test]
fn module_compiles_with_other_default_kinds() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-kinds");
    let module = Path::new(PACKAGE).join("fortran/mobula.f90");
    for kinds in [&["-fdefault-integer-8"][..], &["-fdefault-real-8"], &["-fdefault-integer-8", "-fdefault-real-8"]] {
        let mut command = Command::new(&compiler);
        command.args(FLAGS).args(kinds).args(["-fsyntax-only"]).arg(&module).arg("-J").arg(&folder.0);
        succeeds(&mut command, &format!("mobula.f90 with {kinds:?}"));
    }
}

#[test]
fn objects_have_shapes_and_handles_are_counted() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-objects");
    runs(&compiler, &folder, &["-O1"], &[source("objects.f90")], "ok: objects of Fortran");
}

/// Every check that gfortran can make at run time.
#[test]
fn tasks_of_fortran_run_on_every_rank() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-tasks");
    runs(&compiler, &folder, &["-O0", "-fcheck=all"], &[source("tasks.f90")], "ok: tasks of Fortran");
}

#[test]
fn actors_of_fortran_live_on_every_rank() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-actors");
    runs(&compiler, &folder, &["-O2"], &[source("actors.f90")], "ok: actors of Fortran");
}

#[test]
fn every_type_and_rank_goes_to_tasks_and_comes_back() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-every-type");
    let program = folder.0.join("every_type.f90");
    std::fs::write(&program, every_type()).expect("a file of our own");
    runs(&compiler, &folder, &["-O1"], &[program], "ok: every type and rank");
}

#[test]
fn fortran_and_c_call_each_other() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-languages");
    let object = folder.0.join("languages.o");
    let mut command = Command::new(find_program("cc").expect("a C compiler"));
    command.args(["-std=c99", "-g", "-Wall", "-Wextra", "-Werror", "-c"]).arg(format!("-I{PACKAGE}/include"));
    succeeds(command.arg(source("languages.c")).arg("-o").arg(&object), "languages.c");
    runs(&compiler, &folder, &["-O1"], &[source("languages.f90"), object], "ok: languages");
}

#[test]
fn error_stop_in_a_task_ends_its_rank_and_fails_the_task() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-error-stop");
    let program = compile(&compiler, &folder, &["-O1"], &[source("error_stop.f90")]);
    let finished = two_ranks(&folder, &program).run().failed();
    finished.printed(&["ok: error stop"]).printed(&["rank 1 ended with 3"]);
}

/// An actor with `save` and `restore` goes on where its last delivered result was.
#[test]
fn actor_of_a_killed_rank_goes_on_with_its_state() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-restarts");
    let program = compile(&compiler, &folder, &["-O1"], &[source("restarts.f90")]);
    let finished = two_ranks(&folder, &program).run().failed();
    finished.printed(&["ok: restarts of Fortran"]).printed(&["rank 1 ended with 137"]);
}

#[test]
fn failure_without_ierror_stops_the_program_with_its_message() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-stops");
    let program = folder.0.join("stops.f90");
    let text = "program stops\n  use mobula\n  call mobula_shutdown()\nend program\n";
    std::fs::write(&program, text).expect("a file of our own");
    let program = compile(&compiler, &folder, &["-O1"], &[program]);
    let finished = Launch::alone(&program).run().failed();
    finished.printed(&["MOBULA_ERR_CONFIG: mobula_shutdown: no cluster runs"]);
}

#[test]
fn program_of_the_guide_prints_its_number() {
    let Some(compiler) = gfortran() else { return };
    let folder = TestFolder::new("fortran-guide");
    let page = std::fs::read_to_string(Path::new(PACKAGE).join("../docs/guide/fortran.md")).expect("the guide");
    let text = page.split_once("```fortran\n").and_then(|(_, rest)| rest.split_once("```")).expect("a block").0;
    let program = folder.0.join("guide.f90");
    std::fs::write(&program, text).expect("a file of our own");
    runs(&compiler, &folder, &["-O1"], &[program], "5050.0");
}

/// What is checked in is what the script writes.
#[test]
fn generated_parts_are_those_of_the_script() {
    let Some(python) = find_program("python3") else {
        eprintln!("left out: there is no python3");
        return;
    };
    let folder = TestFolder::new("fortran-generated");
    let sources = Path::new(PACKAGE).join("fortran");
    for name in ["mobula.f90", "generate.py"] {
        std::fs::copy(sources.join(name), folder.0.join(name)).expect("a file of our own");
    }
    succeeds(Command::new(python).arg(folder.0.join("generate.py")), "generate.py");
    let [checked_in, written] =
        [&sources, &folder.0].map(|path| std::fs::read_to_string(path.join("mobula.f90")).expect("the module"));
    assert!(checked_in == written, "run native/fortran/generate.py");
}

/// A program that sends arrays of each type and rank by value and by reference through a task that returns them twice.
fn every_type() -> String {
    let types = [
        ("i8", "integer(int8)", "int(i, int8)"),
        ("i16", "integer(int16)", "int(i, int16)"),
        ("i32", "integer(int32)", "int(i, int32)"),
        ("i64", "integer(int64)", "int(i, int64)"),
        ("f32", "real(real32)", "real(i, real32)"),
        ("f64", "real(real64)", "real(i, real64)"),
        ("c64", "complex(real32)", "cmplx(i, -i, real32)"),
        ("c128", "complex(real64)", "cmplx(i, -i, real64)"),
    ];
    let [mut tasks, mut tests, mut registered, mut called] = [const { String::new() }; 4];
    for (name, kind, element) in types {
        for rank in 0..=7 {
            let name = format!("{name}_{rank}");
            add_type_and_rank(&mut tasks, &mut tests, &name, kind, element, rank);
            registered += &format!("  call mobula_register('{name}', task_{name}, 2)\n");
            called += &format!("  call test_{name}()\n");
        }
    }
    format!(
        "module all_tasks
  use mobula
  use, intrinsic :: iso_fortran_env
  implicit none
contains
{tasks}end module

program every_type
  use mobula
  use check_that
  use all_tasks
  implicit none
{registered}  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
{called}  call mobula_shutdown()
  print '(a)', 'ok: every type and rank'
contains
{tests}end program
"
    )
}

fn add_type_and_rank(tasks: &mut String, tests: &mut String, name: &str, kind: &str, element: &str, rank: usize) {
    let extents = [2, 3, 1, 2, 1, 2, 2];
    let given: Vec<String> = extents[..rank].iter().map(ToString::to_string).collect();
    let [colons, given] = [vec![":".to_string(); rank].join(", "), given.join(", ")];
    let count: i32 = extents[..rank].iter().product();
    let (colons, own, fill, size, holds, shape) = match rank {
        0 => (String::new(), String::new(), "i = 5\n    array = ELEMENT".to_string(), "", "", ".true."),
        1 => (
            format!("({colons})"),
            format!("({given})"),
            format!("array = [(ELEMENT, i = 1, {count})]"),
            "size(values), ",
            "all",
            "all(shape(values) == shape(array))",
        ),
        _ => (
            format!("({colons})"),
            format!("({given})"),
            format!("array = reshape([(ELEMENT, i = 1, {count})], [{given}])"),
            "shape(values), ",
            "all",
            "all(shape(values) == shape(array))",
        ),
    };
    let fill = fill.replace("ELEMENT", element);
    let created = ["values", "values, size(array)", "values, shape(array)"][rank.min(2)];
    *tasks += &format!(
        "  subroutine task_{name}(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    {kind}, pointer :: values{colons}, copy{colons}
    call mobula_arg(call, 1, values, ierror=ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, values, ierror)
    if (ierror /= 0) return
    call mobula_return_create(call, 2, copy, {size}ierror)
    if (ierror == 0) copy = values
  end subroutine
"
    );
    *tests += &format!(
        "  subroutine test_{name}()
    {kind} :: array{own}
    {kind}, pointer :: values{colons}
    type(mobula_ref) :: x, results(2)
    type(mobula_options) :: options
    integer :: i, k
    {fill}
    options%placement = MOBULA_PLACE_SPREAD
    call mobula_put(array, x)
    do k = 1, 6
      if (k == 1) call mobula_submit('{name}', [mobula_by_ref(x)], results, options)
      if (k == 3) call mobula_submit('{name}', [mobula_value(array)], results, options)
      if (k == 5) then
        call mobula_create({created})
        values = array
        call mobula_seal(values, x)
        call mobula_submit('{name}', [mobula_by_ref(x)], results, options)
      end if
      call mobula_get(results(2 - mod(k, 2)), values)
      call check({shape}, 'the shape of {name}')
      call check({holds}(abs(values - array) <= 0), 'the elements of {name}')
      call mobula_release(values)
    end do
  end subroutine
"
    );
}
