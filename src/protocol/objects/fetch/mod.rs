//! Fetching: how a rank gets an object's value that it lacks. Everything that fetches is here.
//!
//! ```text
//!   get ---> Fetch to the object's owner ---> Value or Done arrives: all blocks readable here? the promise completes
//!                                                             no |
//!                    its store is full: Reclaim                  v
//!       Released <------------------------------------------- Located: the promise is pending and holds the value
//!          |                                                     | a local waiter needs it (`on_needed`); another
//!          | needed: its task runs again                         v rank that requests it is told where it is
//!          |                                                  Fetching: its blocks are fetched (`on_block`)
//!          v       a store that has some of it is lost           |
//!        Lost <--------------------------------------------------+----> Here: the promise completes
//! ```
//! The state of a value is one enum ([`unfetched`]); `pending` knows which promise it belongs to, and who needs it.
//! `values` has the messages that concern values, and performs the
//! steps that the states decide on. A value is fetched block by block: `blocks` hands each block to
//! [`Copies`](crate::store::Copies), which knows nothing of values: it decides from where a block comes, and fetches it
//! once for the whole host. `blocks` adds no state of its own to that.
//!
//! Invariants:
//! - PROTOCOL-FETCH-1: the promise of an unfetched value is pending, and holds the value.
//! - PROTOCOL-FETCH-2: a rank that requested a value gets one reply.
//! - PROTOCOL-FETCH-3: messages about copies go in the order in which they were decided, whichever threads decide.

pub mod blocks;
pub mod missing;
pub mod pending;
#[cfg(test)]
mod tests;
pub mod unfetched;
pub mod values;
