//! Objects that ranks share: references to them, their values, and blocks of the store that hold large values.
//!
//! Owns: the reference counts and what they keep alive (`references`), and what is fetched from other hosts
//! (`fetch`).
//!
//! Invariants:
//! - PROTOCOL-OBJECTS-1: every reference in a message is counted when it is sent and when it is received, even if the
//!   value that contains it is then discarded (COUNTS-1).

pub mod attachments;
mod carried_values;
pub mod fetch;
pub mod links;
pub mod part;
pub mod reclaim;
pub mod references;
pub mod value_encoding;

pub use part::Objects;
