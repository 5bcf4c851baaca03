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
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn add(a: u64, b: u64) -> u64 {
///     a + b
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let three = add::remote(1, 2);
/// assert_eq!(*add::remote(&three, 4).get()?, 7);
/// let path = std::env::temp_dir().join(format!("graph-{}.svg", std::process::id()));
/// mobula::visualize(&path)?;
/// assert!(std::fs::read_to_string(&path).unwrap().contains("<svg"));
/// # std::fs::remove_file(&path).unwrap();
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Config` if the file cannot be written, or outside of a running cluster.
pub fn visualize(path: impl AsRef<Path>) -> Result<()> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("visualize"))?;
    write(path.as_ref(), &observe::graph(&runtime::all_records(runtime)?))
}

/// Writes when and where each recorded task ran, in the format that Chrome's tracing and Perfetto read.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// assert_eq!(*square::remote(3).get()?, 9);
/// let path = std::env::temp_dir().join(format!("trace-{}.json", std::process::id()));
/// mobula::timeline(&path)?; // open it at https://ui.perfetto.dev or chrome://tracing
/// assert!(std::fs::read_to_string(&path).unwrap().contains("square"));
/// # std::fs::remove_file(&path).unwrap();
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
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

/// The address of the dashboard. Always `None`: no dashboard is served yet.
///
/// ```
/// assert_eq!(mobula::dashboard_url(), None);
/// ```
pub fn dashboard_url() -> Option<String> {
    None
}
