//! Graphs and timelines of the tasks that ran.

use crate::base::{Error, Result};
use crate::observe;
use crate::runtime::{self, Runtime};
use std::path::Path;

/// Writes the computation graph of the tasks recorded so far as an SVG: tasks as boxes, objects as ovals, dotted lines
/// from the submitter of a task, solid ones along the data.
///
/// The first `MOBULA_TRACE_TASKS` tasks of each rank are recorded (default: 10,000).
///
/// # Errors
/// `Config` if the file cannot be written, or outside of a running cluster.
pub fn visualize(path: impl AsRef<Path>) -> Result<()> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("visualize"))?;
    write(path.as_ref(), &observe::graph(&runtime::all_records(runtime)?))
}

/// Writes when and where each recorded task ran, in the format that Chrome's tracing and Perfetto read.
///
/// # Errors
/// As [`visualize`].
pub fn timeline(path: impl AsRef<Path>) -> Result<()> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("timeline"))?;
    write(path.as_ref(), &observe::timeline(&runtime::all_records(runtime)?))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Error::config(format!("{} cannot be written: {error}", path.display())).caused_by(&error))
}

/// The address of the dashboard, if one runs. There is none yet: always `None`.
pub fn dashboard_url() -> Option<String> {
    None
}
