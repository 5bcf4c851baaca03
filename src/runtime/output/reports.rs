//! What the driver prints for its user as it happens: failures, and the lines that remote tasks print.

use crate::base::log::{Level, log, log_from_task};
use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::protocol::Message;
use crate::runtime::Runtime;
use crate::runtime::cluster::ClusterInfo;
use crate::runtime::output::kept_errors::KeptErrors;
use std::io::Write;
use std::sync::Mutex;

/// The failures that were reported to a driver.
#[derive(Default)]
pub struct Reports {
    errors: Mutex<KeptErrors>,
}

impl Reports {
    /// A task failed somewhere.
    pub fn on_task_failed(&self, error: Error) {
        let mut errors = lock(&self.errors);
        // Hundreds of tasks may fail with one rank: that is printed once, and stored for each.
        let is_printed = !matches!(error, Error::Task { .. }) && errors.last() == Some(&error);
        if !is_printed {
            match &error {
                Error::Task { task, rank, host, pid, message } => {
                    log_from_task(Level::Error, || {
                        format!("({task} rank={rank} host={host} pid={pid}) failed: {message}")
                    });
                }
                other => log(Level::Error, || other.to_string()),
            }
        }
        errors.push(error);
    }

    /// Failures so far, oldest first: those that are kept.
    pub fn errors(&self) -> Vec<Error> {
        lock(&self.errors).to_vec()
    }

    /// How many failures there were so far.
    pub fn error_count(&self) -> u64 {
        lock(&self.errors).total()
    }

    /// A task on another rank printed a line.
    pub fn print_line(&self, cluster: &ClusterInfo, from: Rank, task: &str, text: &str, end: char) {
        let name = if task.is_empty() { String::new() } else { format!("{task} ") };
        let line =
            format!("({name}rank={from} host={} pid={}) {text}{end}", cluster.host_of(from), cluster.pid_of(from));
        // A driver whose output is closed continues to compute.
        let mut output = std::io::stdout().lock();
        let _ = output.write_all(line.as_bytes());
        if end != '\n' {
            let _ = output.flush();
        }
    }
}

impl Runtime {
    /// Reports to the driver that a task failed here.
    pub fn report(&'static self, error: Error) {
        self.send(0, &Message::Failed(error));
    }
}
