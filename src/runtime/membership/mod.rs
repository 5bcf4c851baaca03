//! TODO

mod arbitration;
mod failures;
mod heartbeat;
mod remote_watch;
mod suspicion;

pub use arbitration::Arbitration;
