//! The programs in plain MPI.

use super::{
    CORES, Compiler, INSTALL_MPI, built_once, launcher, not_started, number, on_one_host, printed, program, valgrind,
};
use crate::failure::{Failure, Result};
use crate::instructions::total;
use std::path::PathBuf;
use std::process::Stdio;

/// A program of `bench/peers`.
struct Source {
    name: &'static str,
    text: &'static str,
}

/// The source that every program in MPI begins with, behind `CORES`.
const MEMORY: &str = include_str!("../../peers/memory.c");

const PINGPONG: Source = Source { name: "pingpong", text: include_str!("../../peers/pingpong.c") };
const ONE_SIDED: Source = Source { name: "one_sided", text: include_str!("../../peers/one_sided.c") };
const TASKBENCH: Source = Source { name: "taskbench", text: include_str!("../../peers/taskbench.c") };
const ISEND: Source = Source { name: "isend", text: include_str!("../../peers/isend.c") };
const STARTUP: Source = Source { name: "startup", text: include_str!("../../peers/startup.c") };

/// Microseconds of a round trip of this many bytes.
///
/// # Errors
/// `Failure::Program` where the peer cannot be built or run.
pub fn round_trip_us(bytes: usize, rounds: u32) -> Result<f64> {
    run(&PINGPONG, 2, &["roundtrip", &bytes.to_string(), &rounds.to_string()])
}

/// Millions of requests of this many bytes a second, with responses of as many bytes, 64 of them in flight.
///
/// # Errors
/// As `round_trip_us`.
pub fn requests_a_us(bytes: usize, rounds: u32) -> Result<f64> {
    run(&PINGPONG, 2, &["requests", &bytes.to_string(), &rounds.to_string()])
}

/// The same, of every rank to every other one, all of them together.
///
/// # Errors
/// As `round_trip_us`.
pub fn all_to_all_a_us(ranks: u32, bytes: usize, rounds: u32) -> Result<f64> {
    run(&PINGPONG, ranks, &["alltoall", &bytes.to_string(), &rounds.to_string()])
}

/// Microseconds of `MPI_Get` of this many bytes, until they are here.
///
/// # Errors
/// As `round_trip_us`.
pub fn get_us(bytes: usize, rounds: u32) -> Result<f64> {
    run(&ONE_SIDED, 2, &["get", &bytes.to_string(), &rounds.to_string()])
}

/// Microseconds of `MPI_Bcast` of this many bytes, until every rank has confirmed that they arrived.
///
/// # Errors
/// As `round_trip_us`.
pub fn broadcast_us(ranks: u32, bytes: usize, rounds: u32) -> Result<f64> {
    run(&ONE_SIDED, ranks, &["broadcast", &bytes.to_string(), &rounds.to_string()])
}

/// Milliseconds in `MPI_Init` and a barrier on so many ranks, or, by `measure`, kilobytes that rank 0 then has.
///
/// # Errors
/// As `round_trip_us`.
pub fn startup(measure: &str, ranks: u32) -> Result<f64> {
    run(&STARTUP, ranks, &[measure])
}

/// Instructions of one call of `MPI_Isend` or `MPI_Irecv` of 8 bytes, of so many calls.
///
/// # Errors
/// As `round_trip_us`; also if callgrind counts nothing.
pub fn instructions(function: &str, calls: u32) -> Result<f64> {
    let peer = built(&ISEND)?;
    let name = format!("isend-{}-{function}", std::process::id());
    let fail = |reason: String| Failure::Program { program: "valgrind".to_string(), reason };
    // One file a rank, which has the process's number behind the name.
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).map_err(|error| fail(error.to_string()))?;
    let mut command = launcher(2);
    command.arg(valgrind()).arg("--tool=callgrind").arg(format!("--toggle-collect={function}"));
    // Where the function is an alias, callgrind knows it by the other name.
    command.arg(format!("--toggle-collect=P{function}"));
    command.arg(format!("--callgrind-out-file={}", folder.join("%p").display()));
    command.arg(&peer).arg(calls.to_string()).stdin(Stdio::null());
    let output = command.output().map_err(|error| not_started(&error)).and_then(|output| printed(ISEND.name, &output));
    let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let counted: u64 = texts.filter_map(|text| total(&text)).sum();
    let removed = std::fs::remove_dir_all(&folder);
    output?;
    removed.map_err(|error| fail(error.to_string()))?;
    if counted == 0 {
        return Err(fail(format!("it counted no instruction of {function}: has this MPI a function of that name?")));
    }
    Ok(counted as f64 / f64::from(calls))
}

/// The number that the task bench program prints for these arguments.
///
/// # Errors
/// As `round_trip_us`.
pub fn taskbench(ranks: u32, arguments: &[&str]) -> Result<f64> {
    run(&TASKBENCH, ranks, arguments)
}

/// Builds a program unless this process has done so, runs it, and reads its number.
fn run(source: &Source, ranks: u32, arguments: &[&str]) -> Result<f64> {
    on_one_host(source.name)?;
    let peer = built(source)?;
    let mut command = launcher(ranks);
    // A core for each rank: they may spin, even if the launcher counts fewer cores than there are.
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= ranks as usize) {
        command.env("OMPI_MCA_mpi_yield_when_idle", "0");
    }
    let output = command.arg(&peer).args(arguments).stdin(Stdio::null()).output();
    let text = printed(source.name, &output.map_err(|error| not_started(&error))?)?;
    number(source.name, &text)
}

fn built(source: &Source) -> Result<PathBuf> {
    let compiler = || Compiler {
        program: program("MPICC", "mpicc"),
        language: "c",
        options: Vec::new(),
        libraries: vec!["-lm".into()],
        install: INSTALL_MPI,
    };
    built_once(source.name, || compiler().compile(source.name, &[CORES, MEMORY, source.text].join("\n")))
}
