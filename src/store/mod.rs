//! Who holds what: reference counts across ranks; and what leaves a store that is full. Pure.
//!
//! Owns: for each object that left its rank, how many grants each borrower has; for each borrowed one, how many were
//! received; what is pinned while a reference travels between two borrowers. The order in which blocks leave.
//! Never: the values, the memory, the messages, the disk; the node keeps what an entry here stands for.

mod counts;
mod eviction;

pub use counts::{Action, CountMessage, Counts};
pub use eviction::{Candidate, Class, Exit, choose};
