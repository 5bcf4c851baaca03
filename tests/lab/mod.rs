//! A Slurm cluster of a few hosts on this machine; the script `cluster` in this folder builds it from namespaces: real
//! `srun` and
//! `sbatch`, a network with cables to pull, hosts to power off. It needs root.

use crate::launcher::{Launch, find_program};
use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Hosts of the lab that the tests of one binary share.
pub const HOSTS: u32 = 3;

/// GPUs that a host declares; no driver supports them.
const GPUS: u32 = 2;

/// Locked by the test program whose lab is up: labs at the same time would only slow each other down.
const LOCK: &str = "/run/mobula-lab.lock";

/// The required commands, and their Debian packages.
const PACKAGES: &[(&str, &str)] = &[
    ("slurmctld", "slurmctld"),
    ("slurmd", "slurmd"),
    ("srun", "slurm-client"),
    ("munged", "munge"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("ping", "iputils-ping"),
];

/// Why there can be no lab here, or `None`. In CI, the packages that `.ci/setup` installs must be present.
fn no_lab() -> Option<String> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root {
        return Some("hosts made of namespaces need root".to_string());
    }
    let tried = Command::new("unshare").args(["-m", "-n", "-p", "-u", "-i", "--fork", "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return Some("root may not create namespaces here, as in most containers".to_string());
    }
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(command, _)| find_program(command).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return None;
    }
    let reason = format!("not installed: {} (`.ci/setup with-lab` installs them)", missing.join(" "));
    assert!(std::env::var("CI").is_err(), "{reason}");
    Some(reason)
}

/// The lab of this test program, started at its first use, for one test at a time. `None`, after a line that tells why,
/// if there can be no lab.
pub fn shared() -> Option<MutexGuard<'static, Lab>> {
    static LAB: OnceLock<Option<Mutex<Lab>>> = OnceLock::new();
    let lab = LAB.get_or_init(|| match no_lab() {
        Some(reason) => {
            println!("left out: {reason}");
            None
        }
        None => Some(Mutex::new(Lab::up(HOSTS))),
    });
    let lab = lab.as_ref()?;
    Some(lab.lock().unwrap_or_else(|broken| {
        // The previous test failed: its jobs may still run.
        lab.clear_poison();
        let lab = broken.into_inner();
        lab.end_all_jobs();
        lab
    }))
}

/// A command on `ctl` of a lab of one host of its own, whose Slurm has these plugins for tasks. `None`, after a line
/// that tells why, if there can be no such lab.
pub fn launch_with_plugins(plugins: &str, words: &[&str]) -> Option<Launch> {
    let groups = ["memory/memory.limit_in_bytes", "cpuset/cpuset.cpus"];
    let has_groups = || groups.iter().all(|file| Path::new("/sys/fs/cgroup").join(file).exists());
    let reason = no_lab().or_else(|| {
        let is_missing = plugins.contains("task/cgroup") && !has_groups();
        is_missing.then(|| "there are no control groups of version 1".to_string())
    });
    if let Some(reason) = reason {
        println!("left out: {reason}");
        return None;
    }
    let state = PathBuf::from(format!("/run/mobula-lab-{}-plugins", std::process::id()));
    let cpus = std::thread::available_parallelism().map_or(1, |cpus| cpus.get().min(4));
    let launch = words.iter().fold(Launch::alone(&path()).arg("with").arg("1"), |launch, word| launch.arg(*word));
    let launch = launch.env("LAB_PLUGINS", plugins).env("LAB_CPUS", cpus.to_string());
    Some(environment(&state).into_iter().fold(launch, |launch, (name, value)| launch.env(name, value)))
}

/// A running cluster. It ends when this is dropped, and when this process ends in any way.
pub struct Lab {
    state: PathBuf,
    holder: Child,
    /// Closing this makes the holder shut the lab down.
    holder_stdin: Option<ChildStdin>,
    _output: BufReader<PipeReader>,
    _lock: File,
}

impl Lab {
    /// Starts `hosts` hosts, `node1` and so on, and `ctl`, where jobs are submitted.
    pub fn up(hosts: u32) -> Lab {
        let lock = File::create(LOCK).expect("root may write to /run");
        lock.lock().expect("a lock");
        let state = PathBuf::from(format!("/run/mobula-lab-{}", std::process::id()));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = script(&state);
        command.arg("hold").arg(hosts.to_string()).stdin(Stdio::piped());
        command.stdout(writer.try_clone().expect("a second end")).stderr(writer);
        let mut holder = command.spawn().expect("bash is there");
        drop(command); // and with it the test's copies of the write end
        let holder_stdin = holder.stdin.take();
        let mut output = BufReader::new(reader);
        let mut printed = String::new();
        while !printed.ends_with("up\n") {
            if output.read_line(&mut printed).expect("a pipe can be read") == 0 {
                panic!("no lab came up:\n{printed}");
            }
        }
        Lab { state, holder, holder_stdin, _output: output, _lock: lock }
    }

    /// A command on `ctl`, such as `srun`.
    pub fn launch(&self, words: &[&str]) -> Launch {
        self.launch_on("ctl", words)
    }

    /// A command on a host.
    pub fn launch_on(&self, host: &str, words: &[&str]) -> Launch {
        let launch = Launch::alone(&path()).arg("exec").arg(host);
        let launch = words.iter().fold(launch, |launch, word| launch.arg(*word));
        environment(&self.state).into_iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    /// Runs a short command on a host, also while another launch runs; returns its output.
    pub fn run_on(&self, host: &str, words: &[&str]) -> String {
        self.run_script(&[&["exec", host], words].concat())
    }

    /// A folder that every host sees; it is removed with the lab.
    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// Pulls the network cable of a host.
    pub fn cut(&self, host: &str) -> Outage<'_> {
        self.run_script(&["cut", host]);
        Outage { lab: self, host: host.to_string(), mended_by: "heal" }
    }

    /// Powers a host off: all its processes end at once.
    pub fn crash(&self, host: &str) -> Outage<'_> {
        self.run_script(&["crash", host]);
        Outage { lab: self, host: host.to_string(), mended_by: "boot" }
    }

    /// Cancels every job, and waits until none is left.
    fn end_all_jobs(&self) {
        let ended =
            "scancel --full --user=root; for try in $(seq 100); do [ -n \"$(squeue -h)\" ] || exit 0; sleep 0.1; done";
        self.run_script(&["sh", "sh", "-c", ended]);
    }

    fn run_script(&self, words: &[&str]) -> String {
        let output = script(&self.state).args(words).stdin(Stdio::null()).output().expect("bash is there");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{words:?} in the lab ended with {}: {printed}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.holder_stdin.take());
        let _ = self.holder.wait();
    }
}

/// A host without network or power. Dropping this mends it, also in a test that fails.
pub struct Outage<'a> {
    lab: &'a Lab,
    host: String,
    mended_by: &'static str,
}

impl Outage<'_> {
    /// Notifies Slurm: it would need 15 seconds to notice, and `srun` does not end before.
    pub fn notify_slurm(&self) {
        let (name, down) = (format!("NodeName={}", self.host), "State=DOWN");
        self.lab.run_on("ctl", &["scontrol", "update", &name, down, "Reason=no power"]);
    }

    /// Plugs the cable in, or powers the host on.
    pub fn mend(self) {}
}

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        let mended = script(&self.lab.state).args([self.mended_by, &self.host]).status();
        let ready = script(&self.lab.state).arg("wait").status();
        let succeeded = [mended, ready].into_iter().all(|status| status.is_ok_and(|status| status.success()));
        assert!(succeeded || std::thread::panicking(), "{} of {} failed", self.mended_by, self.host);
    }
}

fn path() -> PathBuf {
    project().join("tests/lab/cluster")
}

/// A file of the project's `slurm/`.
pub fn slurm_script(name: &str) -> PathBuf {
    project().join("slurm").join(name)
}

/// The folder of the project, in which the package of the running test is, or which it is.
fn project() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("tests/lab/cluster").exists()).unwrap_or(package)
}

fn script(state: &Path) -> Command {
    let mut command = Command::new(path());
    command.envs(environment(state));
    command
}

/// The script's variables. Hosts may have their own version of the folder with the programs, so that it is shared
/// explicitly.
fn environment(state: &Path) -> Vec<(&'static str, String)> {
    let test = std::env::current_exe().expect("a test knows its own path");
    let programs = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let prolog = slurm_script("hugepages.prolog").display().to_string();
    vec![
        ("LAB_STATE", state.display().to_string()),
        ("LAB_SHARE", programs.display().to_string()),
        ("LAB_GPUS", GPUS.to_string()),
        ("LAB_PROLOG", prolog.clone()),
        ("LAB_EPILOG", prolog),
    ]
}
