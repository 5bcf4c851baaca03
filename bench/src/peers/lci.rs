//! The peer in LCI, where `LCI_ROOT` names an installation: two processes of this host that meet by a file, as LCI's
//! own `lcrun` starts them.

use super::{
    CORES, Compiler, LAUNCHER_VARIABLES, built_once, installation, number, on_one_host, printed, program, without,
};
use crate::cpus;
use crate::failure::{Failure, Result};
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const SOURCE: &str = include_str!("../../peers/lci.cpp");
const INSTALL_COMPILER: &str = "install a C++ compiler (on Debian: g++), or name one in CXX";

const RANKS: usize = 2;

/// How often a look is taken whether the ranks have ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Microseconds of a round trip of eight bytes.
///
/// # Errors
/// `Failure::Usage` without an installation, `Failure::Program` where the peer cannot be built or run.
pub fn round_trip_us(rounds: u32) -> Result<f64> {
    run("roundtrip", rounds)
}

/// Millions of requests of eight bytes a second, with responses of as many, in batches of 10,000.
///
/// # Errors
/// As `round_trip_us`.
pub fn requests_a_us(batches: u32) -> Result<f64> {
    run("requests", batches)
}

fn run(mode: &str, count: u32) -> Result<f64> {
    on_one_host("LCI")?;
    let root = installation("LCI_ROOT", env::var_os("LCI_ROOT"))?;
    let peer = built_once("lci", || compiler(&root).compile("lci", &[CORES, SOURCE].join("\n")))?;
    let output = on_ranks(|| {
        let mut command = without(LAUNCHER_VARIABLES, &peer.to_string_lossy());
        command.args([mode, &count.to_string()]);
        command.envs([("LCT_PMI_BACKEND", "file"), ("LCT_PMI_FILE_NRANKS", &RANKS.to_string())]);
        command
    });
    let output = output.map_err(|error| Failure::Program { program: "LCI".to_string(), reason: error.to_string() })?;
    number("LCI", &printed("LCI", &output)?)
}

/// LCI's libraries need one another: each must be found from the program.
fn compiler(root: &Path) -> Compiler {
    let option = |start: &str, path: PathBuf| {
        let mut option = OsString::from(start);
        option.push(path);
        option
    };
    let folders = || [root.join("lib"), root.join("lib64")].into_iter();
    let mut libraries: Vec<OsString> = folders().map(|folder| option("-L", folder)).collect();
    libraries.extend(folders().map(|folder| option("-Wl,-rpath,", folder)));
    libraries.extend(["-Wl,--no-as-needed", "-llci", "-llct", "-pthread"].map(OsString::from));
    Compiler {
        program: program("CXX", "c++"),
        language: "c++",
        options: vec!["-std=c++17".into(), option("-I", root.join("include"))],
        libraries,
        install: INSTALL_COMPILER,
    }
}

/// Runs a program as two ranks. The output is of both; its status that of the rank that failed first, if one did.
fn on_ranks(command: impl Fn() -> Command) -> io::Result<Output> {
    // Ranks meet in a folder below HOME: with one of their own, they meet no other run's.
    let folder = Folder::new()?;
    let files = [folder.0.join("stdout"), folder.0.join("stderr")];
    let mut ranks = Vec::new();
    for _ in 0..RANKS {
        let [stdout, stderr] = files.each_ref().map(|file| File::options().append(true).create(true).open(file));
        let mut command = command();
        command.env("HOME", &folder.0).stdin(Stdio::null()).stdout(stdout?).stderr(stderr?);
        ranks.push(Rank(cpus::on_all(|| command.spawn())?));
    }
    // Without the other one a rank waits for ever: the first that fails ends both.
    let status = loop {
        let statuses = ranks.iter_mut().map(|rank| rank.0.try_wait()).collect::<io::Result<Vec<_>>>()?;
        let failed = statuses.iter().flatten().find(|status| !status.success());
        let ended = statuses.iter().flatten().count() == RANKS;
        if let Some(status) = failed.or(statuses[0].as_ref().filter(|_| ended)) {
            break *status;
        }
        thread::sleep(BETWEEN_LOOKS);
    };
    drop(ranks);
    let [stdout, stderr] = files.map(fs::read);
    Ok(Output { status, stdout: stdout?, stderr: stderr? })
}

/// A rank is killed with the measurement.
struct Rank(Child);

impl Drop for Rank {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is removed with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("mobula-bench-lci-{}-{number}", std::process::id()));
        // What a process of the same number left would have the ranks meet its own.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays costs a few files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Output {
        on_ranks(|| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        })
        .unwrap()
    }

    #[test]
    fn ranks_meet_in_a_folder_of_their_own_and_both_outputs_come() {
        let output = shell("echo $$ >> $HOME/met; while [ $(wc -l < $HOME/met) -lt 2 ]; do sleep 0.01; done; echo out");
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout), "out\nout\n");
    }

    #[test]
    fn a_rank_that_fails_ends_the_other_and_says_why() {
        let output = shell("mkdir $HOME/first 2>/dev/null && exec sleep 3600; echo no device >&2; exit 3");
        assert_eq!(output.status.code(), Some(3));
        assert!(printed("LCI", &output).unwrap_err().to_string().contains("no device"));
    }
}
