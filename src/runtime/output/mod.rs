//! What a rank shows its user: lines of tasks, failures, records for graphs and timelines, reports.
//!
//! Owns: the forwarding of standard output, the failures and records so far. Never: decides anything by them.

mod banner;
mod forwarding;
mod host_report;
mod kept_errors;
mod lines;
mod part;
mod queries;
mod reports;
mod task_table;
mod traces;

pub use banner::banner;
pub use forwarding::{Capture, mark_printing, printing, send_printed};
pub use host_report::{HostReport, ReportSection, host_report};
pub use part::Output;
pub use queries::{all_records, available_on, error_count_of, errors_of, living_hosts};
