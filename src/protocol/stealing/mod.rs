//! Work stealing between ranks.
//!
//! Owns: which rank to request work from, and which idle ranks are remembered here (`scheduling::StealState`).
//!
//! Invariants:
//! - STEALING-1: one request is in flight at a time, and each request gets one reply.

#[cfg(test)]
mod tests;
pub mod work_stealing;
