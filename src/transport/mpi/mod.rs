//! The road over MPI: two-sided messages and bulk reads on a communicator of its own.
//!
//! ```text
//! send  --> Outbox: page from the pool, credit spent, MPI_Isend ------------> Inbox: receives posted in a ring,
//!                                                                            tested and delivered oldest first
//! read  --> Reads: request message, MPI_Irecv into the block <-- MPI_Isend -- Serves: straight from the arena
//!       or: MPI_Rget into the block from the peer's Window
//! ```
//!
//! Which of the two, the ranks decide together after start, by trying both (`opening`).
//!
//! Owns: its duplicate of the communicator, its window, message pages, requests in flight. Never: initializes or
//! finalizes MPI, starts a thread, or waits but in `open_reads` and `close`. Needs MPI_THREAD_MULTIPLE.
//!
//! Invariants:
//! - M1: MPI matches messages of one pair in the order sent to receives in the order posted, so testing receives in
//!   the order posted delivers in the order sent (F1). Every send of the process passes under one lock.
//! - M2: memory that MPI may touch is owned by its [`transfer::Transfer`] until MPI says that it is done; where MPI
//!   cannot say so any more, the memory is leaked.
//! - M3: a peer has at most [`credits::WINDOW_MESSAGES`] messages here that were not delivered, credit returns aside.
//! - M4: after `close`, nothing here calls MPI.
//! - M5: a get reads only sealed blocks of a live window (`window` says why that is no race). A window is freed by all
//!   ranks together or by none: where one is missing, it is leaked with the mapping under it.

mod collective;
mod comm;
mod credits;
mod header;
mod inbox;
#[cfg(test)]
pub(crate) mod launch;
mod opening;
mod outbox;
mod page;
mod reads;
mod road;
mod serves;
#[cfg(test)]
mod tests;
mod transfer;
mod window;

pub use collective::{Gather, wait_until};
pub use comm::{Comm, Failure, Life, RawComm, check, life};
pub use opening::ReadsBy;
pub use road::MpiFabric;
