//! Objects that ranks share: references to them, their values, and blocks of the store that hold large values.
//!
//! Owns: the reference counts and what they keep alive (`references`), the values that were left in the store of
//! another host (`unfetched`), and the blocks of other hosts that are here or are being fetched (`copies`).
//!
//! Invariants:
//! - OBJECTS-1: every reference in a message is counted when it is sent and when it is received, even if the value that
//!   contains it is then discarded (COUNTS-1).
//! - OBJECTS-2: the promise of an unfetched value is pending, and holds the value.
//! - OBJECTS-3: a rank that requested a value gets one reply.

pub mod attachments;
pub mod copies;
pub mod links;
pub mod part;
pub mod reclaim;
pub mod references;
pub mod unfetched;
pub mod value_encoding;
pub mod value_requests;
pub mod values;

pub use part::Objects;
