//! Peers that are programs: compiled from `bench/peers` with the compiler that the environment names, started under its
//! launcher, one number each.

use crate::failure::{Failure, Result};
use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

const PINGPONG: &str = include_str!("../peers/pingpong.c");

/// What to do where MPI's own programs are missing.
const INSTALL_MPI: &str =
    "install an MPI (on Debian: openmpi-bin libopenmpi-dev), load its module, or name its programs in MPICC and MPIRUN";

/// Starts of the variables by which a launcher tells a process that it is a rank: what a rank starts must not see them.
const LAUNCHER_VARIABLES: &[&str] = &["OMPI_", "PMIX_", "PMI_", "PRTE_", "HYDRA_", "MPIR_CVAR_", "SLURM_"];

/// Settings for any MPI's launcher: Open MPI would refuse root and more ranks than cores, and would bind each rank to a core
/// by counting only what its own parent may use. MPICH reads none of these. The PRTE_ names are those of Open MPI 5.
const LAUNCHER_SETTINGS: &[(&str, &str)] = &[
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
    ("PRTE_MCA_hwloc_default_binding_policy", "none"),
];

/// The launcher with two ranks of this host asked for: `$MPIRUN -n 2`, else `mpirun -n 2`.
pub fn two_ranks() -> Command {
    let mut command = Command::new(program("MPIRUN", "mpirun"));
    let is_launchers = |name: &OsString| {
        let name = name.to_string_lossy();
        LAUNCHER_VARIABLES.iter().any(|start| name.starts_with(start))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| is_launchers(name)) {
        command.env_remove(name);
    }
    command.envs(LAUNCHER_SETTINGS.iter().copied()).args(["-n", "2"]);
    command
}

/// Why a launcher did not start, and what to do.
pub fn not_started(error: &std::io::Error) -> Failure {
    Failure::Program { program: program("MPIRUN", "mpirun"), reason: format!("{error}; {INSTALL_MPI}") }
}

/// Microseconds of a round trip of this many bytes in plain MPI.
///
/// # Errors
/// `Failure::Program` where the peer cannot be built or run.
pub fn round_trip_us(bytes: usize, rounds: u32) -> Result<f64> {
    pingpong("roundtrip", bytes, rounds)
}

/// Millions of requests of this many bytes a second in plain MPI, 64 of them in flight.
///
/// # Errors
/// As `round_trip_us`.
pub fn requests_per_us(bytes: usize, rounds: u32) -> Result<f64> {
    pingpong("requests", bytes, rounds)
}

fn pingpong(mode: &str, bytes: usize, rounds: u32) -> Result<f64> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    let peer = BUILT.get_or_init(|| compile("pingpong", PINGPONG)).clone()?;
    let mut command = two_ranks();
    // Both ranks have a core: they may spin, also where the launcher counts fewer cores than there are.
    command.env("OMPI_MCA_mpi_yield_when_idle", "0");
    command.arg(&peer).args([mode, &bytes.to_string(), &rounds.to_string()]);
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(&error))?;
    let text = printed("pingpong", &output)?;
    text.trim().parse().map_err(|_| Failure::Program {
        program: "pingpong".to_string(),
        reason: format!("printed `{}` where a number was expected", text.trim()),
    })
}

/// Compiles a peer's C source, beside this program.
fn compile(name: &str, source: &str) -> Result<PathBuf> {
    let compiler = program("MPICC", "mpicc");
    let fail = |reason: String| Failure::Program { program: compiler.clone(), reason };
    let here = env::current_exe().map_err(|error| fail(format!("where to put {name}: {error}")))?;
    let folder = here.with_file_name("peers");
    std::fs::create_dir_all(&folder).map_err(|error| fail(format!("cannot make {}: {error}", folder.display())))?;
    let built = folder.join(name);
    let mut command = Command::new(&compiler);
    command.args(["-O2", "-x", "c", "-", "-o"]).arg(&built);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| fail(format!("{error}; {INSTALL_MPI}")))?;
    // Taken, so that it closes: the compiler reads to the end. One that ends without reading says why itself.
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(source.as_bytes()));
    let output = child.wait_with_output().map_err(|error| fail(error.to_string()))?;
    printed(&compiler, &output)?;
    written.map_err(|error| fail(error.to_string()))?;
    Ok(built)
}

/// What a program printed, where it ended well.
fn printed(program: &str, output: &Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or("it said nothing");
    Err(Failure::Program { program: program.to_string(), reason: format!("{}: {}", output.status, first.trim()) })
}

/// The program that the environment names, else the usual one.
fn program(variable: &str, usual: &str) -> String {
    env::var(variable).ok().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| usual.to_string())
}
