//! What the driver prints for its user as it happens: failures, and the lines that remote tasks print.

use crate::base::limits::ERRORS_KEPT_MAX;
use crate::base::log::{Level, log, log_from_task};
use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::protocol::Message;
use crate::runtime::Runtime;
use crate::runtime::cluster::ClusterInfo;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Mutex;

/// The failures that were reported to a driver.
#[derive(Default)]
pub struct Reports {
    /// Failures, oldest first, as many as are kept.
    errors: Mutex<VecDeque<Error>>,
}

impl Reports {
    /// A task failed somewhere.
    pub fn on_task_failed(&self, error: Error) {
        let mut errors = lock(&self.errors);
        // Hundreds of tasks may fail with one rank: that is printed once, and stored for each.
        let is_printed = !matches!(error, Error::Task { .. }) && errors.back() == Some(&error);
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
        if errors.len() == ERRORS_KEPT_MAX {
            errors.pop_front();
        }
        errors.push_back(error);
    }

    /// Failures so far, oldest first.
    pub fn errors(&self) -> Vec<Error> {
        lock(&self.errors).iter().cloned().collect()
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
