//! The transport over MPI: two-sided messages and bulk reads on a communicator of its own.
//!
//! ```text
//! send  --> MpiOutbox: page from the pool, credit taken, MPI_Isend --------> MpiInbox: receives posted in a ring,
//!           (small ones in quick succession share a page until a poll)       tested and delivered oldest first
//! read  --> MpiReads: request message, MPI_Irecv into the block <- MPI_Isend - ReadServer: straight from the arena
//!       or: MPI_Rget into the block from the peer's RmaWindow
//! ```
//!
//! The ranks choose one of the two read methods together after start, by measuring both (`read_method`).
//!
//! The MPI library is found at run time (`library`), and called through a table of its functions, which communicators
//! and what is in flight refer to.
//!
//! Owns: its duplicate of the communicator, its window, message pages, requests in flight. Never: initializes or
//! finalizes MPI, starts a thread, blocks except in `open_reads` and `close`. Needs MPI_THREAD_MULTIPLE.
//!
//! Invariants:
//! - MPI-TRANSPORT-1: MPI matches messages of one pair in the order sent to receives in the order posted, so testing
//!   receives in the order posted delivers in the order sent (TRANSPORT-1). All sends of the process take one lock.
//! - MPI-TRANSPORT-2: memory that MPI may access is owned by its [`transfer::Transfer`] until MPI reports that it is
//!   done; if MPI can no longer report it, the memory is leaked.
//! - MPI-TRANSPORT-3: a peer has at most [`peers::WINDOW_MESSAGES`] undelivered messages here, besides credit
//!   returns.
//! - MPI-TRANSPORT-4: after `close`, this transport does not call MPI.
//! - MPI-TRANSPORT-5: a get reads only sealed blocks of a live window (`window` argues why that is no race). A window
//!   is freed by all ranks together or by none: if one rank is missing, it is leaked with the mapping under it.

mod batch;
mod collective;
mod comm;
mod header;
mod inbox;
mod library;
mod outbox;
mod page;
mod peers;
mod read_method;
mod read_server;
mod reads;
mod sharing;
#[cfg(test)]
mod tests;
mod transfer;
mod transport;
mod window;

pub use collective::{Allgather, is_complete, wait_until};
pub use comm::{Comm, MpiFailure, check};
pub use library::{
    Abi, LoadedMpi, MpiLibraryError, MpiState, RawComm, Request, THREAD_MULTIPLE, loaded, mpi_state, open,
};
pub use read_method::ReadMethod;
#[cfg(test)]
pub(crate) use tests::launch;
pub use transport::MpiTransport;
