//! One rank's protocol: what ranks say to each other, and what each does about it.
//!
//! Owns: the messages and how they are written and checked; objects that crossed ranks, tasks that are elsewhere, actors and
//! their callers' order, names, who is asked for work, what a rank's death means. Pure: it sends, runs and maps through a
//! [`Driver`] and knows no thread, no road, no clock; the node drives it with those, the simulator with none of them.
//!
//! Invariants:
//! - P1: bytes from a peer become a `Message` only through `Message::decode`, which refuses what is not one.
//! - P2: what a message names (ranks, objects, functions) is looked up before it is used; a miss is an error to its
//!   sender or a line in the log, never a panic.
//! - P3: what is decided under a lock is sent under it, so that messages go in the order of the decisions.
//! - P4: no lock is held while a value of the user's is decoded, dropped or run.

mod actors;
mod away;
mod blocks;
mod census;
mod dependencies;
mod driver;
mod envelope;
mod far;
mod handles;
mod inbound;
mod message;
mod mourning;
mod parcels;
mod rank;
mod references;
mod requests;
mod retries;
mod stealing;
mod unwanted;
mod values;

pub use actors::{ActorHome, Step};
pub use census::Census;
pub use dependencies::failed_argument;
pub use driver::{Driver, Purpose};
pub use envelope::{ABOUT_ROADS, Departures, ENVELOPE_BYTES};
pub use handles::{ActorRef, label_of};
pub use message::{Bytes, Message, Question, Run, WireAttachment, WireOptions, WireParcel, WirePlace};
pub use rank::Protocol;
pub use references::ProtocolLinks;
pub use requests::{request_of, request_of_actor};
