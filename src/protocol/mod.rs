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

mod actor_message;
mod actors;
mod awaited;
mod away;
#[cfg(test)]
mod bench;
mod blocks;
mod calls;
mod census;
mod checkpoints;
mod commits;
mod copies;
mod departing;
mod dependencies;
mod driver;
mod envelope;
mod evidence;
mod far;
mod handles;
mod home;
mod inbound;
mod links;
mod made;
mod message;
mod mourning;
mod names;
mod parcels;
mod rank;
mod reclaim;
mod references;
mod requests;
mod retries;
mod route;
mod stealing;
mod unwanted;
mod values;
mod wire;

#[cfg(any(test, fuzzing, feature = "sim"))]
pub use actor_message::About;
pub use actor_message::{Target, WireActor};
#[cfg(any(test, fuzzing))]
pub use actor_message::{Terms, WireCommit, WireFinished};
pub use census::Census;
pub use dependencies::failed_argument;
pub use driver::Driver;
pub use envelope::{ABOUT_ROADS, Departures, ENVELOPE_BYTES};
#[cfg(test)]
pub use envelope::{Arrival, Arrivals};
pub use evidence::Evidence;
pub use handles::{ActorRef, label_of};
pub use home::{ActorHome, Step};
pub use links::ProtocolLinks;
pub use made::terms_of;
pub use message::{Message, Question};
pub use rank::Protocol;
pub use references::Lent;
pub use requests::{request_of, request_of_actor};
pub use wire::{Bytes, Run, WireAttachment, WireOptions, WireParcel, WirePlace};
#[cfg(test)]
pub use wire::{Call, Moved};
