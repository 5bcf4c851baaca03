//! Starts programs alone and under mpirun, each in its own process group and with a time limit, so that no program can
//! hang the tests or survive them.
#![allow(dead_code)] // Each test program uses a part of it.

pub mod cases;
pub mod processes;
pub mod rendezvous;

use processes::{descendants, signal};

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One launch at a time: ranks of two tests on the same two cores only slow each other down.
static TURN: Mutex<()> = Mutex::new(());

/// Open MPI's settings to run as root, to run more ranks than cores, and not to bind ranks to cores. Other libraries
/// ignore them.
const OPEN_MPI: &[(&str, &str)] = &[
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
    ("PRTE_MCA_hwloc_default_binding_policy", "none"),
];

/// Why ranks cannot be started here, or `None` if they can. In CI a missing mpirun is a failure.
pub fn no_ranks() -> Option<String> {
    if !cfg!(feature = "mpi") {
        return Some("built without the feature `mpi`".to_string());
    }
    if mpirun().is_some() {
        return None;
    }
    let missing = "there is no mpirun: `make setup` installs one, MPIRUN names another";
    assert!(std::env::var("CI").is_err(), "{missing}");
    Some(missing.to_string())
}

/// The launcher of ranks: `MPIRUN`, else `mpirun`. Programs find its MPI library themselves.
pub fn mpirun() -> Option<PathBuf> {
    let names = [std::env::var("MPIRUN").unwrap_or_default(), "mpirun.openmpi".to_string(), "mpirun".to_string()];
    names.iter().filter(|name| !name.is_empty()).find_map(|name| find_program(name))
}

/// Returns true if the launcher is that of MPICH.
pub fn uses_mpich() -> bool {
    let version = mpirun().and_then(|mpirun| Command::new(mpirun).arg("--version").output().ok());
    version.is_some_and(|version| String::from_utf8_lossy(&version.stdout).contains("HYDRA"))
}

/// The path of a command, found as the shell finds it.
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.exists());
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.exists())
}

/// The program of this name that cargo built beside the running test.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let built = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").join("examples").join(name);
    assert!(built.exists(), "{} is not there: build it with `cargo build --examples`", built.display());
    built
}

/// A program about to be started.
pub struct Launch {
    words: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    limit: Duration,
}

impl Launch {
    /// The program without a launcher.
    pub fn alone(program: &Path) -> Launch {
        Launch { words: vec![program.into()], variables: Vec::new(), limit: Duration::from_secs(120) }
    }

    /// The program on `count` ranks of this host.
    pub fn on_ranks(count: u32, program: &Path) -> Launch {
        Launch::several(&[(count, program)])
    }

    /// Several programs in one MPI_COMM_WORLD.
    pub fn several(programs: &[(u32, &Path)]) -> Launch {
        let mut launch = Launch::alone(&mpirun().expect("asked for ranks only where no_ranks() is None"));
        for (position, (count, program)) in programs.iter().enumerate() {
            if position > 0 {
                launch.words.push(":".into());
            }
            launch.words.extend(["-n".into(), count.to_string().into(), program.into()]);
        }
        launch
    }

    /// Runs the launch inside another command, given with its arguments.
    pub fn inside(mut self, wrapper: &[&str]) -> Launch {
        self.words.splice(0..0, wrapper.iter().map(OsString::from));
        self
    }

    /// Adds an argument of the program.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Launch {
        self.words.push(argument.into());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Launch {
        self.variables.push((name.to_string(), value.into()));
        self
    }

    /// Sets the time limit; the default is two minutes.
    pub fn limit(mut self, limit: Duration) -> Launch {
        self.limit = limit;
        self
    }

    /// Starts it, and returns after it ended.
    pub fn run(self) -> Finished {
        self.start().finish()
    }

    /// Starts it.
    pub fn start(self) -> Started {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<String> = self.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        // A shell's background jobs ignore SIGINT and SIGQUIT, nohup's SIGHUP, and what they start inherits that.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,QUIT,HUP").args(&self.words).process_group(0).stdin(Stdio::null());
        command.stdout(writer.try_clone().expect("a second end")).stderr(writer);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOBULA_")) {
            command.env_remove(name);
        }
        // Failures hold a backtrace where it asks for one.
        command.env_remove("RUST_BACKTRACE");
        command.envs(OPEN_MPI.iter().filter(|(name, _)| std::env::var_os(name).is_none()).copied());
        command.envs(self.variables);
        let child = command.spawn().unwrap_or_else(|error| panic!("{shown:?} does not start: {error}"));
        drop(command); // and with it the test's copies of the write end

        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_string();
                line.clear();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        let deadline = Instant::now() + self.limit;
        Started { child, command: shown.join(" "), lines, output: String::new(), deadline, _turn: turn }
    }
}

/// A running program. Dropping this ends it with all its descendants.
pub struct Started {
    child: Child,
    command: String,
    lines: Receiver<String>,
    output: String,
    deadline: Instant,
    _turn: MutexGuard<'static, ()>,
}

impl Started {
    /// The started process: the program itself, or mpirun.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that contains `text`, and returns it.
    pub fn wait_for(&mut self, text: &str) -> String {
        while let Some(line) = self.next_line() {
            if line.contains(text) {
                return line;
            }
        }
        panic!("{} ended without a line that contains {text:?}:\n{}", self.command, self.output);
    }

    /// The next printed line; `None` if no process holds the write end of the pipe any more.
    fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                self.output += &line;
                self.output.push('\n');
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let ended = matches!(self.child.try_wait(), Ok(Some(_)));
                let what = if ended { "left processes behind" } else { "did not end in time" };
                panic!("{} {what}; until then it printed:\n{}", self.command, self.output)
            }
        }
    }

    /// Waits until it ended and until no process that it started holds its output any more.
    pub fn finish(mut self) -> Finished {
        while self.next_line().is_some() {}
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                let output = std::mem::take(&mut self.output);
                return Finished { status, output, command: self.command.clone() };
            }
            assert!(
                Instant::now() < self.deadline,
                "{} closed its output but still runs:\n{}",
                self.command,
                self.output
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // mpirun ends its ranks on SIGTERM; processes that do not end, and ranks that left its group, are killed one by
        // one.
        let processes = descendants(self.child.id());
        signal("TERM", &self.child.id().to_string());
        let deadline = Instant::now() + Duration::from_secs(3);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        for pid in processes {
            signal("KILL", &pid.to_string());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that ended.
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// The lines that it printed, on standard output and standard error alike.
    pub output: String,
    command: String,
}

/// Panics with the lines that begin with `FAILED` if a program of named cases did not succeed.
#[track_caller]
pub fn show_failures(what: &str, finished: &Finished) {
    if !finished.status.success() {
        print!("{}", finished.output);
        let failed: Vec<&str> = finished.output.lines().filter(|line| line.starts_with("FAILED")).collect();
        panic!("{what} ended with {}:\n{}", finished.status, failed.join("\n"));
    }
}

impl Finished {
    /// Asserts that it ended with exit code 0.
    #[track_caller]
    pub fn succeeded(self) -> Finished {
        assert!(self.status.success(), "{} ended with {}:\n{}", self.command, self.status, self.output);
        self
    }

    /// Asserts that it ended with another exit code than 0.
    #[track_caller]
    pub fn failed(self) -> Finished {
        assert!(!self.status.success(), "{} should have failed:\n{}", self.command, self.output);
        self
    }

    /// Asserts that it printed a line that contains all of `parts`.
    #[track_caller]
    pub fn printed(self, parts: &[&str]) -> Finished {
        let printed = self.output.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(printed, "{} printed no line with all of {parts:?}:\n{}", self.command, self.output);
        self
    }

    /// Asserts that no line of its output contains `part`.
    #[track_caller]
    pub fn did_not_print(self, part: &str) -> Finished {
        assert!(!self.output.contains(part), "{} printed {part:?}:\n{}", self.command, self.output);
        self
    }

    /// The last line that is not blank.
    pub fn last_line(&self) -> &str {
        self.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default()
    }

    /// The number of lines that contain `part`.
    pub fn count(&self, part: &str) -> usize {
        self.output.lines().filter(|line| line.contains(part)).count()
    }
}
