//! A program with a logger of its own, installed through the crate `log`: it receives the lines of the runtime, and the
//! runtime prints none.

use mobula::Config;
use std::io::Write;
use std::process::{Command, Output};

/// Prints what it receives on standard output.
struct OwnLogger;

impl log::Log for OwnLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("received {} {}: {}\n", record.level(), record.target(), record.args());
        std::io::stdout().lock().write_all(line.as_bytes()).expect("standard output is open");
    }

    fn flush(&self) {}
}

#[mobula::remote]
fn fails() -> Result<u64, String> {
    Err("the task failed on purpose".to_string())
}

/// A cluster of one rank, in which a task fails; ends when the failure was reported.
fn run_failing_task() {
    let cluster = mobula::init(Config::default()).expect("it starts alone");
    fails::remote().get().expect_err("the task fails");
    while mobula::error_info().is_empty() {
        std::thread::yield_now();
    }
    cluster.shutdown().expect("it ends");
}

#[test]
#[ignore = "the program that a test below starts"]
fn program_with_a_logger() {
    log::set_logger(&OwnLogger).expect("the runtime has installed none");
    log::set_max_level(log::LevelFilter::Trace);
    run_failing_task();
}

#[test]
#[ignore = "the program that a test below starts"]
fn program_that_installs_its_logger_after_the_start() {
    let cluster = mobula::init(Config::default()).expect("it starts alone");
    log::set_logger(&OwnLogger).expect("the runtime has installed none");
    log::set_max_level(log::LevelFilter::Trace);
    cluster.shutdown().expect("it ends");
}

#[test]
#[ignore = "the program that a test below starts"]
fn program_without_a_logger() {
    run_failing_task();
}

/// Runs one of the programs above.
fn run_program(name: &str, level: &str) -> Output {
    let this = std::env::current_exe().expect("this test has a path");
    let arguments = ["--exact", name, "--ignored", "--nocapture"];
    let finished = Command::new(this).args(arguments).env("MOBULA_LOG", level).output().expect("it starts");
    assert!(finished.status.success(), "{finished:?}");
    finished
}

const FAILURE: &str = "failed: the task failed on purpose";

#[test]
fn logger_of_the_program_receives_all_lines_and_none_is_printed() {
    let finished = run_program("program_with_a_logger", "info");
    let (received, printed) = (String::from_utf8_lossy(&finished.stdout), String::from_utf8_lossy(&finished.stderr));
    let of_level = |level: &str| received.lines().find(|line| line.starts_with(&format!("received {level} mobula: ")));
    assert!(of_level("ERROR").is_some_and(|line| line.contains(FAILURE)), "{received}");
    assert!(of_level("INFO").is_some(), "the banner is missing: {received}");
    assert!(!printed.contains(FAILURE) && !printed.contains("mobula: "), "{printed}");
}

#[test]
fn setting_of_the_level_holds_for_the_logger_of_the_program() {
    let finished = run_program("program_with_a_logger", "off");
    let received = String::from_utf8_lossy(&finished.stdout);
    assert!(!received.contains(" mobula: "), "{received}");
}

#[test]
fn program_may_install_its_logger_after_the_start() {
    run_program("program_that_installs_its_logger_after_the_start", "warn");
}

#[test]
fn lines_are_printed_where_the_program_has_no_logger() {
    let finished = run_program("program_without_a_logger", "info");
    let printed = String::from_utf8_lossy(&finished.stderr);
    assert!(printed.lines().any(|line| line.starts_with("(fails rank=0 ") && line.ends_with(FAILURE)), "{printed}");
    assert!(printed.lines().any(|line| line.starts_with("mobula: ")), "the banner is missing: {printed}");
}
