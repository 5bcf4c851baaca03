//! TODO

mod banner;
mod forwarding;
mod host_report;
mod queries;
mod reports;
mod traces;

pub use forwarding::{Capture, OutputForwarding};
pub use host_report::{HostReport, ReportSection, host_report};
pub use reports::Reports;
pub use traces::Traces;
