//! Network benchmarks of other projects, where they are installed: UCX's and perftest's. Each runs a server and a
//! client on this host.

use super::number;
use crate::cpus;
use crate::failure::{Failure, Result};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

const INSTALL_UCX: &str = "install UCX's tools (on Debian: ucx-utils)";
const INSTALL_PERFTEST: &str = "install perftest, on a host with an RDMA device";

/// The least port of a server; each takes the next, so that none meets a socket that another left behind.
static PORT: AtomicU16 = AtomicU16::new(23_500);

/// How often a client is started again if its server does not listen yet, and how long after.
const TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Microseconds of a round trip of this many bytes by `ucx_perftest`, whose figure is half of one.
///
/// # Errors
/// `Failure::Program` where it is not there or fails.
pub fn ucx_round_trip_us(bytes: usize, rounds: u32) -> Result<f64> {
    Ok(2.0 * ucx("tag_lat", bytes, rounds, UCX_LATENCY)?)
}

/// Millions of messages of this many bytes a second by `ucx_perftest`, one way.
///
/// # Errors
/// As `ucx_round_trip_us`.
pub fn ucx_messages_a_us(bytes: usize, rounds: u32) -> Result<f64> {
    Ok(ucx("tag_bw", bytes, rounds, UCX_RATE)? / 1e6)
}

/// Columns of the line `Final:`, counting `Final:` itself: the overall average latency and message rate.
const UCX_LATENCY: usize = 4;
const UCX_RATE: usize = 8;

fn ucx(test: &str, bytes: usize, rounds: u32, column: usize) -> Result<f64> {
    let (bytes, rounds, port) = (bytes.to_string(), rounds.to_string(), port());
    let server = ["-p", &port];
    let client = ["127.0.0.1", "-p", &port, "-t", test, "-s", &bytes, "-n", &rounds];
    let text = served("ucx_perftest", INSTALL_UCX, &server, &client)?;
    let last = text.lines().rev().find(|line| line.trim_start().starts_with("Final:")).unwrap_or_default();
    number("ucx_perftest", last.split_whitespace().nth(column).unwrap_or_default())
}

/// Microseconds of a round trip of this many bytes by `ib_send_lat`, whose figure is half of one.
///
/// # Errors
/// As `ucx_round_trip_us`.
pub fn rdma_round_trip_us(bytes: usize, rounds: u32) -> Result<f64> {
    Ok(2.0 * perftest("ib_send_lat", bytes, rounds, PERFTEST_LATENCY)?)
}

/// Microseconds that `ib_read_bw` takes for this many bytes, from its average rate.
///
/// # Errors
/// As `ucx_round_trip_us`.
pub fn rdma_read_us(bytes: usize, rounds: u32) -> Result<f64> {
    let megabytes_a_second = perftest("ib_read_bw", bytes, rounds, PERFTEST_RATE)?;
    Ok(bytes as f64 / megabytes_a_second / 1.048_576)
}

/// Columns of perftest's last line: the typical latency, and the average rate in MiB a second.
const PERFTEST_LATENCY: usize = 4;
const PERFTEST_RATE: usize = 3;

fn perftest(program: &str, bytes: usize, rounds: u32, column: usize) -> Result<f64> {
    let (bytes, rounds, port) = (bytes.to_string(), rounds.max(5).to_string(), port());
    let server = ["-p", &port, "-s", &bytes, "-n", &rounds, "-F"];
    let client = [&server[..], &["127.0.0.1"]].concat();
    let text = served(program, INSTALL_PERFTEST, &server, &client)?;
    // The line of figures begins with the number of bytes.
    let figures = text.lines().find(|line| line.split_whitespace().next() == Some(&bytes)).unwrap_or_default();
    number(program, figures.split_whitespace().nth(column).unwrap_or_default())
}

fn port() -> String {
    // Ports of two runs on one host differ by their process ids.
    let offset = (std::process::id() % 2_000) as u16 * 4;
    (PORT.fetch_add(1, Ordering::Relaxed) + offset).to_string()
}

/// The output of a client while its server ran.
fn served(program: &str, install: &str, server: &[&str], client: &[&str]) -> Result<String> {
    let fail =
        |reason: String| Failure::Program { program: program.to_string(), reason: format!("{reason}; {install}") };
    let mut command = Command::new(program);
    command.args(server).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = Server(cpus::on_all(|| command.spawn()).map_err(|error| fail(error.to_string()))?);
    let mut error_text = String::new();
    for _ in 0..TRIES {
        thread::sleep(BETWEEN_TRIES);
        let output = cpus::on_all(|| Command::new(program).args(client).stdin(Stdio::null()).output());
        let output = output.map_err(|error| fail(error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = [output.stderr, output.stdout].concat();
        error_text =
            String::from_utf8_lossy(&text).lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_string();
        if !matches!(server.0.try_wait(), Ok(None)) {
            break;
        }
    }
    Err(fail(error_text))
}

/// A server is killed with the measurement.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_says_what_to_install() {
        let failure = served("no-such-perftest", INSTALL_UCX, &[], &[]).unwrap_err().to_string();
        assert!(failure.contains("no-such-perftest") && failure.contains("ucx-utils"), "{failure}");
    }
}
