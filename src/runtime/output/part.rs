//! What a rank shows its user: failures, lines of tasks, records of tasks.

use crate::base::Config;
use crate::base::ticks::Ticks;
use crate::runtime::output::forwarding::OutputForwarding;
use crate::runtime::output::reports::Reports;
use crate::runtime::output::traces::Traces;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// What a rank shows its user.
pub struct Output {
    /// The failures that were reported here, if this rank has a driver.
    pub reports: Reports,
    /// The time by which tasks are measured.
    pub ticks: Ticks,
    /// The records of tasks.
    pub traces: Traces,
    /// The lines that tasks print, if they are forwarded.
    pub(super) forwarding: OutputForwarding,
    /// The leaf functions that were reported to run long, by key.
    pub long_leaves: Mutex<BTreeSet<u64>>,
}

impl Output {
    /// Nothing was shown yet.
    pub fn new(config: &Config) -> Output {
        let ticks = Ticks::new();
        Output {
            reports: Reports::default(),
            ticks,
            traces: Traces::new(config.trace_tasks, ticks),
            forwarding: OutputForwarding::default(),
            long_leaves: Mutex::default(),
        }
    }
}
