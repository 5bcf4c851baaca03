//! What every module may use: identities, errors, configuration, limits, synchronisation, clock, the process's memory
//! limits, trace records.
//!
//! Owns no thread and no resource; everything here is data, or a thin wrapper of one system facility.

pub mod arc_pool;
pub mod cgroup;
pub mod clock;
pub mod config;
pub mod copy;
pub mod error;
pub mod forked;
pub mod host;
pub mod ids;
pub mod limits;
pub mod log;
pub mod panic;
pub mod parse;
pub mod process_limits;
pub mod process_stat;
pub mod spin_lock;
pub mod stack;
pub mod sync;
pub mod text;
pub mod ticks;
pub mod trace;

pub use config::Config;
pub use error::{Error, Result};
pub use ids::{BundleSlot, ObjectId, Rank, TaskId};
