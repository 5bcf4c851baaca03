//! The wire format: every message between ranks, the values and tasks in them, and the header before each message.
//!
//! Owns no state but the sequence numbers of `header`. Nothing here acts on a message.
//!
//! Invariants:
//! - WIRE-1: the order of variants and fields is the encoding; it changes only with the version that ranks compare when
//!   they connect.

pub mod actor_message;
pub mod failure_kind;
pub mod header;
pub mod last_work;
pub mod message;
pub mod values;
