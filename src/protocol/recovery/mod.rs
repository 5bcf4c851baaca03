//! What a rank does about losses: tasks are retried, lost values are reconstructed, references of a dead rank are
//! drained.
//!
//! Owns: the drain requests that wait while messages of a dead rank are still processed (`drain`). The tasks to retry
//! are in `tasks`, the values to reconstruct in `objects`.
//!
//! Invariants:
//! - RECOVERY-1: a task's retry is decided once for each death.
//! - RECOVERY-2: an owner gets its drain acknowledgement only when no thread here processes a message of the dead rank.

pub mod drain;
pub mod lost_values;
pub mod part;
pub mod retries;
#[cfg(test)]
mod tests;

pub use part::Recovery;
