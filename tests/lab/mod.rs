//! A Slurm cluster of a few hosts on this machine, made of namespaces by the script `cluster` beside this file: real
//! `srun` and `sbatch`, a network with cables to pull, hosts to switch off. It takes root.

use crate::launcher::{Launch, find_program};
use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Hosts of the lab that the tests of one binary share.
pub const HOSTS: u32 = 3;

/// GPUs that a host says it has; no driver knows them.
const GPUS: u32 = 2;

/// Labs of several test programs come one after the other: each would only slow the others down.
const TURN: &str = "/run/mobula-lab.lock";

/// What Debian calls what it takes, by a command of each.
const PACKAGES: &[(&str, &str)] = &[
    ("slurmctld", "slurmctld"),
    ("slurmd", "slurmd"),
    ("srun", "slurm-client"),
    ("munged", "munge"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("ping", "iputils-ping"),
];

/// Why there can be no lab here, where there can be none. In CI, what `.ci/setup` should have installed must be there.
fn no_lab() -> Option<String> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root {
        return Some("making hosts out of namespaces takes root".to_string());
    }
    let tried = Command::new("unshare").args(["-m", "-n", "-p", "-u", "-i", "--fork", "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return Some("root may not make namespaces here, as in most containers".to_string());
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

/// The lab of this test program, brought up at its first use, for one test at a time. Nothing, and a line that says why, where
/// there can be none.
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
        // The test before this one failed: its jobs may still be there.
        lab.clear_poison();
        let lab = broken.into_inner();
        lab.quiet();
        lab
    }))
}

/// A cluster that is up. It goes with this, and with the process that holds this, however that ends.
pub struct Lab {
    state: PathBuf,
    holder: Child,
    /// Its end tells the holder to take the lab down.
    leash: Option<ChildStdin>,
    _says: BufReader<PipeReader>,
    _turn: File,
}

impl Lab {
    /// Brings up so many hosts, `node1` and so on, and `ctl`, where jobs are submitted.
    pub fn up(hosts: u32) -> Lab {
        let turn = File::create(TURN).expect("root may write to /run");
        turn.lock().expect("a lock");
        let state = PathBuf::from(format!("/run/mobula-lab-{}", std::process::id()));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = script(&state);
        command.arg("hold").arg(hosts.to_string()).stdin(Stdio::piped());
        command.stdout(writer.try_clone().expect("a second end")).stderr(writer);
        let mut holder = command.spawn().expect("bash is there");
        drop(command); // and with it our ends of the pipe
        let leash = holder.stdin.take();
        let mut says = BufReader::new(reader);
        let mut said = String::new();
        while !said.ends_with("up\n") {
            if says.read_line(&mut said).expect("a pipe can be read") == 0 {
                panic!("no lab came up:\n{said}");
            }
        }
        Lab { state, holder, leash, _says: says, _turn: turn }
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

    /// Runs a short command on a host, whatever else runs, and gives what it prints.
    pub fn ask(&self, host: &str, words: &[&str]) -> String {
        self.tell(&[&["exec", host], words].concat())
    }

    /// A folder that every host sees, and that goes with the lab.
    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// Pulls the network cable of a host.
    pub fn cut(&self, host: &str) -> Outage<'_> {
        self.tell(&["cut", host]);
        Outage { lab: self, host: host.to_string(), mended_by: "heal" }
    }

    /// Switches a host off: all its processes are gone at once.
    pub fn crash(&self, host: &str) -> Outage<'_> {
        self.tell(&["crash", host]);
        Outage { lab: self, host: host.to_string(), mended_by: "boot" }
    }

    /// Ends every job, and returns when none is left.
    fn quiet(&self) {
        let ended =
            "scancel --full --user=root; for try in $(seq 100); do [ -n \"$(squeue -h)\" ] || exit 0; sleep 0.1; done";
        self.tell(&["sh", "sh", "-c", ended]);
    }

    fn tell(&self, words: &[&str]) -> String {
        let output = script(&self.state).args(words).stdin(Stdio::null()).output().expect("bash is there");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{words:?} in the lab ended with {}: {said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.holder.wait();
    }
}

/// A host without network or without power. It is mended when this is dropped, also by a test that fails.
pub struct Outage<'a> {
    lab: &'a Lab,
    host: String,
    mended_by: &'static str,
}

impl Outage<'_> {
    /// Lets Slurm know at once: by itself it takes a quarter of a minute, and `srun` does not end before.
    pub fn noticed(&self) {
        let (name, down) = (format!("NodeName={}", self.host), "State=DOWN");
        self.lab.ask("ctl", &["scontrol", "update", &name, down, "Reason=no power"]);
    }

    /// Plugs it in, or switches it on.
    pub fn mend(self) {}
}

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        let mended = script(&self.lab.state).args([self.mended_by, &self.host]).status();
        let ready = script(&self.lab.state).arg("wait").status();
        let well = [mended, ready].into_iter().all(|status| status.is_ok_and(|status| status.success()));
        assert!(well || std::thread::panicking(), "{} of {} did not work", self.mended_by, self.host);
    }
}

fn path() -> PathBuf {
    project().join("tests/lab/cluster")
}

/// A file of the project's `slurm/`.
pub fn slurm_script(name: &str) -> PathBuf {
    project().join("slurm").join(name)
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn script(state: &Path) -> Command {
    let mut command = Command::new(path());
    command.envs(environment(state));
    command
}

/// What the script is told. The folder with the programs may lie where each host has its own.
fn environment(state: &Path) -> Vec<(&'static str, String)> {
    let test = std::env::current_exe().expect("a test knows where it lies");
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
