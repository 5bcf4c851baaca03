//! Peers that are programs: those of `bench/peers`, compiled with the compiler that the environment names and started
//! under its launcher, and other projects' where they are installed. Each prints one number.
//!
//! Owns: building, starting and reading them. Never: leaves one running.

pub mod charm;
pub mod lci;
pub mod mpi;
pub mod tools;

use crate::cpus;
use crate::failure::{Failure, Result};
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

/// The source that every peer in C and C++ begins with.
const CORES: &str = include_str!("../../peers/cores.c");

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

/// How a peer of one source is compiled.
struct Compiler {
    program: String,
    /// As its option `-x` names it.
    language: &'static str,
    options: Vec<OsString>,
    /// Behind the source.
    libraries: Vec<OsString>,
    /// What to do if the program is missing.
    install: &'static str,
}

impl Compiler {
    /// Compiles a source, beside this program.
    fn compile(&self, name: &str, source: &str) -> Result<PathBuf> {
        let fail = |reason: String| Failure::Program { program: self.program.clone(), reason };
        let built = folder()?.join(name);
        // Built under a temporary name and renamed: another run on this host may start the same peer.
        let temporary = built.with_extension(std::process::id().to_string());
        let mut command = Command::new(&self.program);
        command.arg("-O3").args(&self.options).args(["-x", self.language, "-", "-o"]).arg(&temporary);
        // Else a library is taken for a source in that language.
        command.args(["-x", "none"]).args(&self.libraries);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| fail(format!("{error}; {}", self.install)))?;
        // Taken, so that it closes: the compiler reads to the end. A compiler that ends without reading prints the
        // reason itself.
        let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(source.as_bytes()));
        let output = child.wait_with_output().map_err(|error| fail(error.to_string()))?;
        printed(&self.program, &output)?;
        written.and_then(|()| std::fs::rename(&temporary, &built)).map_err(|error| fail(error.to_string()))?;
        Ok(built)
    }
}

/// The program of a peer, which is built unless this process has tried to.
fn built_once(name: &'static str, build: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
    static BUILT: Mutex<BTreeMap<&str, Result<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name).or_insert_with(build).clone()
}

/// The installation that a variable names.
///
/// # Errors
/// `Failure::Usage` where it names none.
fn installation(variable: &str, named: Option<OsString>) -> Result<PathBuf> {
    let named = named.filter(|path| !path.is_empty());
    named.map(PathBuf::from).ok_or_else(|| Failure::Usage(format!("set {variable} to an installation")))
}

/// A peer's processes are on this host.
///
/// # Errors
/// `Failure::Program` where the ranks that it is compared with are on several.
fn on_one_host(name: &str) -> Result<()> {
    if mobula::is_initialized() && mobula::nodes().len() > 1 {
        let reason =
            "it is started on this host alone, and the ranks are on several: start them on one host to compare"
                .to_string();
        return Err(Failure::Program { program: name.to_string(), reason });
    }
    Ok(())
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
    let reason = format!("{}: {}", output.status, error_in(&String::from_utf8_lossy(&output.stderr)));
    Err(Failure::Program { program: program.to_string(), reason })
}

/// What an error of a compiler or a linker contains.
const ERRORS: &[&str] = &["error:", "undefined reference", "cannot find"];

/// The line of what a program printed that says most: its first error, else the first with a word.
fn error_in(text: &str) -> &str {
    let is_error = |line: &&str| ERRORS.iter().any(|error| line.contains(error));
    let has_word = |line: &&str| line.chars().any(char::is_alphanumeric);
    text.lines().find(is_error).or_else(|| text.lines().find(has_word)).map_or("it printed nothing", str::trim)
}

/// The program that the environment names, else the usual one.
fn program(variable: &str, usual: &str) -> String {
    env::var(variable).ok().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| usual.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_a_compilers_error_else_the_first_words() {
        let text = "In file included from <stdin>:1:\n<stdin>:3:10: fatal error: lci.hpp: No such file\nstopped\n";
        assert_eq!(error_in(text), "<stdin>:3:10: fatal error: lci.hpp: No such file");
        let text = "ld: a.o: in function `main':\na.c:1: undefined reference to `f'\ncollect2: error: ld returned 1\n";
        assert_eq!(error_in(text), "a.c:1: undefined reference to `f'");
        assert_eq!(error_in("------\n  not enough slots\nmore\n"), "not enough slots");
        assert_eq!(error_in("---\n"), "it printed nothing");
    }

    #[test]
    fn a_missing_installation_names_its_variable() {
        for named in [None, Some(OsString::new())] {
            let failure = installation("LCI_ROOT", named).unwrap_err().to_string();
            assert_eq!(failure, "set LCI_ROOT to an installation");
        }
        assert_eq!(installation("LCI_ROOT", Some("/opt/lci".into())).unwrap(), PathBuf::from("/opt/lci"));
    }
}
