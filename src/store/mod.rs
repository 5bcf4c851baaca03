//! Who holds what: reference counts across ranks. Pure.
//!
//! Owns: for each object that left its rank, how many grants each borrower has; for each borrowed one, how many were
//! received; what is pinned while a reference travels between two borrowers.
//! Never: the values, the memory, the messages; the node keeps what an entry here stands for.

mod counts;

pub use counts::{Action, CountMessage, Counts};
