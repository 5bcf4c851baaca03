//! Ray's side: a Python environment with it, created once, and one process that measures the cases it is sent.

use crate::case::Run;
use crate::cpus;
use crate::failure::{Failure, Result};
use crate::peers;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const PROGRAM: &str = include_str!("../../peers/ray_cases.py");

/// The prefix of the program's lines that are meant for this process: Ray's workers print as well.
const RESPONSE: &str = "RESPONSE ";

/// How long a response may take before Ray is taken for hung.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(180);

/// Seconds that Ray's side of a sample takes at least.
const FULL_S: f64 = 1.0;
const QUICK_S: f64 = 0.2;

/// The prefix of cases of the network client: they need a process that is one.
const CLIENT: &str = "client: ";

/// The packages that are installed.
const REQUIREMENTS: &[&str] = &["ray[client]", "numpy"];

/// Ray's process, or why there is none, by the kind of its driver.
static SERVER: Mutex<Option<(bool, Result<Server>)>> = Mutex::new(None);

/// Takes one sample of a case of Ray's.
///
/// # Errors
/// `Failure::Program` if there is no Ray and none can be installed, or the case fails.
pub fn sample(case: &str, run: &Run) -> Result<f64> {
    let is_client = case.starts_with(CLIENT);
    let mut slot = slot();
    if slot.as_ref().is_none_or(|(kind, _)| *kind != is_client) {
        // The previous process ends before the next one begins.
        *slot = None;
        *slot = Some((is_client, Server::start(is_client)));
    }
    match slot.as_mut().map(|(_, server)| server) {
        Some(Ok(server)) => server.request(case, run),
        Some(Err(failure)) => Err(failure.clone()),
        None => Err(failed("it did not start".to_string())),
    }
}

/// Ends Ray's process (BENCH-RAY-2).
pub fn stop() {
    *slot() = None;
}

fn slot() -> MutexGuard<'static, Option<(bool, Result<Server>)>> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(reason: String) -> Failure {
    Failure::Program { program: "Ray".to_string(), reason }
}

/// A process that measures the cases it reads on its input.
struct Server {
    child: Child,
    requests: Option<ChildStdin>,
    responses: Receiver<String>,
}

impl Server {
    fn start(is_client: bool) -> Result<Server> {
        let python = python()?;
        let program = peers::folder()?.join("ray_cases.py");
        std::fs::write(&program, PROGRAM).map_err(|error| failed(error.to_string()))?;
        let mut command = Command::new(python);
        command.arg(&program).arg(if is_client { "client" } else { "driver" });
        command.env("RAY_USAGE_STATS_ENABLED", "0").env("RAY_DEDUP_LOGS", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = cpus::on_all(|| command.spawn()).map_err(|error| failed(error.to_string()))?;
        let (sender, responses) = channel();
        if let Some(output) = child.stdout.take() {
            // It ends when the process has closed its output.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                    let response = line.strip_prefix(RESPONSE).map(str::to_string);
                    if response.is_some_and(|response| sender.send(response).is_err()) {
                        break;
                    }
                }
            });
        }
        let requests = child.stdin.take();
        let server = Server { child, requests, responses };
        match server.response()?.as_str() {
            "ready" => Ok(server),
            other => Err(failed(other.to_string())),
        }
    }

    fn request(&mut self, case: &str, run: &Run) -> Result<f64> {
        let requests = self.requests.as_mut().ok_or_else(|| failed("it is stopped".to_string()))?;
        let (seconds, part) = if run.quick { (QUICK_S, 10) } else { (FULL_S, 1) };
        writeln!(requests, "{seconds} {part} {case}").map_err(|error| failed(error.to_string()))?;
        let response = self.response()?;
        response.parse().map_err(|_| failed(format!("{case}: {response}")))
    }

    fn response(&self) -> Result<String> {
        let no_response = |_| failed(format!("it has ended, or sent nothing for {} s", RESPONSE_TIMEOUT.as_secs()));
        self.responses.recv_timeout(RESPONSE_TIMEOUT).map_err(no_response)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process shuts Ray down when its input ends; one that does not end is killed.
        self.requests = None;
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python that has Ray: the one that `RAY_PYTHON` names, or that of an environment of our own, created if it is
/// missing.
fn python() -> Result<PathBuf> {
    if let Some(named) = env::var_os("RAY_PYTHON") {
        let python = PathBuf::from(named);
        return if has_ray(&python) {
            Ok(python)
        } else {
            Err(failed(format!(
                "RAY_PYTHON is {}, which cannot import ray: unset it, or install ray there",
                python.display()
            )))
        };
    }
    let folder = peers::folder()?.join("ray");
    let python = folder.join("bin/python");
    if !has_ray(&python) {
        eprintln!("making a Python environment with Ray in {}, once: some 100 MB from PyPI", folder.display());
        let advice = "install Python 3 with venv and pip (on Debian: python3-venv) and a way to PyPI, or name a Python \
                      that has ray in RAY_PYTHON";
        let step = |command: &mut Command| {
            peers::output(command).map_err(|failure| failed(format!("cannot be installed: {failure}; {advice}")))
        };
        step(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        step(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(REQUIREMENTS))?;
    }
    Ok(python)
}

fn has_ray(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import ray, numpy"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
