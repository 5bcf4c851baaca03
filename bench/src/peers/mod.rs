//! Peers that are programs: those of `bench/peers`, compiled with the compiler that the environment names and started
//! under its launcher, and other projects' where they are installed. Each prints one number.
//!
//! Owns: building, starting and reading them. Never: leaves one running.

pub mod mpi;
pub mod tools;

use crate::cpus;
use crate::failure::{Failure, Result};
use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The advice if MPI's own programs are missing.
const INSTALL_MPI: &str =
    "install an MPI (on Debian: openmpi-bin libopenmpi-dev), load its module, or name its programs in MPICC and MPIRUN";

/// Prefixes of the variables by which a launcher tells a process that it is a rank: a rank's child must not see them.
const LAUNCHER_VARIABLES: &[&str] = &["OMPI_", "PMIX_", "PMI_", "PRTE_", "HYDRA_", "MPIR_CVAR_", "SLURM_"];

/// Settings for any MPI's launcher: Open MPI would refuse root and more ranks than cores, and would bind each rank to a
/// core counting only those that its own parent may use. MPICH reads none of these. The PRTE_ names are those of Open
/// MPI 5.
const LAUNCHER_SETTINGS: &[(&str, &str)] = &[
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
    ("PRTE_MCA_hwloc_default_binding_policy", "none"),
];

/// The launcher for so many ranks on this host: `$MPIRUN -n 2`, else `mpirun -n 2`.
pub fn launcher(ranks: u32) -> Command {
    let mut command = without(LAUNCHER_VARIABLES, &program("MPIRUN", "mpirun"));
    command.envs(LAUNCHER_SETTINGS.iter().copied()).args(["-n", &ranks.to_string()]);
    command
}

/// The program that counts instructions: `$VALGRIND`, else `valgrind`.
pub fn valgrind() -> String {
    program("VALGRIND", "valgrind")
}

/// A program that is no rank of any launcher's, and has no setting of mobula's or of valgrind's.
pub fn outside_of_launchers(program: &str) -> Command {
    without(&[LAUNCHER_VARIABLES, &["MOBULA_", "VALGRIND_"]].concat(), program)
}

/// A program without the variables that begin with these.
fn without(variables: &[&str], program: &str) -> Command {
    let mut command = Command::new(program);
    let is_one = |name: &OsString| variables.iter().any(|start| name.to_string_lossy().starts_with(start));
    for (name, _) in env::vars_os().filter(|(name, _)| is_one(name)) {
        command.env_remove(name);
    }
    command
}

/// Why a launcher did not start, and what to do.
pub fn not_started(error: &std::io::Error) -> Failure {
    not_started_as(&program("MPIRUN", "mpirun"), error)
}

fn not_started_as(program: &str, error: &std::io::Error) -> Failure {
    Failure::Program { program: program.to_string(), reason: format!("{error}; {INSTALL_MPI}") }
}

/// The folder of built peers: beside this program.
///
/// # Errors
/// `Failure::File` if it cannot be created.
pub fn folder() -> Result<PathBuf> {
    let here = env::current_exe().unwrap_or_default();
    let folder = here.with_file_name("peers");
    let fail = |error: std::io::Error| Failure::File { path: folder.clone(), reason: error.to_string() };
    std::fs::create_dir_all(&folder).map_err(fail)?;
    Ok(folder)
}

/// Compiles a peer's C source, beside this program.
fn compile(name: &str, source: &str) -> Result<PathBuf> {
    let compiler = program("MPICC", "mpicc");
    let fail = |reason: String| Failure::Program { program: compiler.clone(), reason };
    let built = folder()?.join(name);
    // Built under a temporary name and renamed: another run on this host may start the same peer.
    let temporary = built.with_extension(std::process::id().to_string());
    let mut command = Command::new(&compiler);
    command.args(["-O3", "-x", "c", "-", "-o"]).arg(&temporary).arg("-lm");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| fail(format!("{error}; {INSTALL_MPI}")))?;
    // Taken, so that it closes: the compiler reads to the end. A compiler that ends without reading prints the reason
    // itself.
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(source.as_bytes()));
    let output = child.wait_with_output().map_err(|error| fail(error.to_string()))?;
    printed(&compiler, &output)?;
    written.and_then(|()| std::fs::rename(&temporary, &built)).map_err(|error| fail(error.to_string()))?;
    Ok(built)
}

/// The output of a command that succeeded.
///
/// # Errors
/// `Failure::Program` if it does not start, or fails.
pub fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        cpus::on_all(|| command.stdin(Stdio::null()).output()).map_err(|error| not_started_as(&program, &error))?;
    printed(&program, &output)
}

/// The number that a program printed.
///
/// # Errors
/// `Failure::Program` where it is none.
pub fn number(program: &str, text: &str) -> Result<f64> {
    text.trim().parse().map_err(|_| Failure::Program {
        program: program.to_string(),
        reason: format!("printed `{}` where a number was expected", text.trim()),
    })
}

/// The output of a program that succeeded.
fn printed(program: &str, output: &Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let first = errors.lines().find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or("it printed nothing");
    Err(Failure::Program { program: program.to_string(), reason: format!("{}: {}", output.status, first.trim()) })
}

/// The program that the environment names, else the usual one.
fn program(variable: &str, usual: &str) -> String {
    env::var(variable).ok().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| usual.to_string())
}
