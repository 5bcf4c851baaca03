//! Who holds what: reference counts across ranks, copies of blocks on hosts that need them, and what leaves a store that is
//! full. Pure.
//!
//! Owns: for each object that left its rank, how many grants each borrower has; for each borrowed one, how many were
//! received; what is pinned while a reference travels between two borrowers. Which blocks of other hosts are here or on their
//! way, for whom, from whom; at a block's owner, who has copies. The order in which blocks leave.
//! Never: the values, the memory, the messages, the disk; the node keeps what an entry here stands for.

mod chunks;
mod copies;
mod counts;
mod eviction;
mod whereabouts;

pub use chunks::{CHUNK_BYTES, Chunks};
pub use copies::{Copies, CopyAction, CopyMessage, Holders, Loan, Peers, Source, Way, keeper};
pub use counts::{Action, CountMessage, Counts};
pub use eviction::{Candidate, Class, Exit, choose};
pub use whereabouts::Whereabouts;
