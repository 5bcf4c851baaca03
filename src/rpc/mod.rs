//! The short path of remote calls: a call whose arguments are a few numbers, and a result that is one.
//!
//! ```text
//!   caller: f::on(rank).remote(7)                       callee
//!     CallSlots::insert: a slot, with its generation
//!     ShortCall { number, function, args } -----------> the table's `decode_plain`: no codec, no options
//!                                                       a worker runs the task as any other
//!     CallSlots::take   <------------------------------ ShortReturn { number, value }
//!     the promise completes
//! ```
//! A call of an actor says the actor and its caller besides, and the actor's mailbox takes it: it keeps its place
//! behind the calls that its caller made before, whichever path they took.
//!
//! A leaf function (`registry::leaf`) runs at `decode_plain`'s place, in the poll that received the call.
//!
//! Both messages have a fixed layout, and their numbers are copied as bytes. Nothing is allocated for a call besides
//! the task itself on each side, no table is looked up by hash on the caller's side, and nothing is kept for a death: a
//! task that was sent to a certain rank is never retried, and of actors only those take the short path that are never
//! started again. Calls of functions, and results, may overtake messages that wait for blocks of other hosts.
//!
//! What needs more takes the general path: `Tasks::send` decides it for calls, `Tasks::on_finished` for results. Either
//! kind of result answers either kind of call. Everything rare (deaths, cancellation, reports) works on the general
//! table of remote tasks, to which the calls in slots move first.
//!
//! Invariants:
//! - RPC-1: a slot's generation changes when the slot is emptied, so a number names one call, and a late or repeated
//!   result names none.
//! - RPC-2: bytes of a peer become a value only if they have the length and the form of that type.

mod header;
pub mod plain;
mod slots;

pub use header::{ShortCall, ShortReturn, ShortTarget, is_short_message};
pub use plain::PlainBytes;
pub use slots::{CallSlots, is_short};
