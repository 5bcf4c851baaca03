//! The protocol of one rank: the messages between ranks, and what a rank does on each.
//!
//! Owns: the messages, their encoding and validation; objects shared between ranks, tasks on other ranks, actors and
//! the order of their callers, names, work stealing between ranks, and the consequences of a rank's death. Pure: it
//! sends, runs and maps through an [`Environment`] and knows neither threads nor transports nor clocks. The runtime is
//! the environment that has those; the simulator needs none of them.
//!
//! Invariants:
//! - PROTOCOL-1: bytes from a peer become a `Message` only through `Message::decode`, which rejects anything else.
//! - PROTOCOL-2: what a message names (ranks, objects, functions) is looked up before it is used; a miss is an error to
//!   its sender or a line in the log, never a panic.
//! - PROTOCOL-3: what is decided under a lock is sent under it, so that messages go in the order of the decisions.
//! - PROTOCOL-4: no lock is held while a value of the user's is decoded, dropped or run.

mod actor_message;
mod local_actors;
mod awaited_ranks;
mod remote_tasks;
#[cfg(test)]
mod mock_environment;
mod missing_blocks;
mod actor_calls;
mod leak_check;
mod checkpoints;
mod commits;
mod copies;
mod dispatch;
mod dependencies;
mod environment;
mod header;
mod failure_kind;
mod unfetched;
mod actor_handles;
mod actor_instance;
mod receive;
mod object_links;
mod owned_actors;
mod message;
mod drain;
mod name_directory;
mod value_encoding;
mod rank;
mod reclaim;
mod references;
mod resource_requests;
mod retries;
mod actor_route;
mod stealing;
mod cancelled;
mod value_requests;
mod values;
mod wire;

#[cfg(any(test, fuzzing, feature = "sim"))]
pub use actor_message::ActorMessage;
pub use actor_message::{ActorTarget, WireActor};
#[cfg(any(test, fuzzing))]
pub use actor_message::{RestartPolicy, WireCommit, FinishedCall};
pub use leak_check::TableSizes;
pub use dependencies::failed_argument;
pub use environment::Environment;
pub use header::{UNNUMBERED_HEADER, SendSequence, MESSAGE_HEADER_BYTES};
#[cfg(test)]
pub use header::{ReceiveStatus, ReceiveSequence};
pub use failure_kind::FailureKind;
pub use actor_handles::{ActorRef, label_of};
pub use actor_instance::{ActorInstance, ActorStep};
pub use object_links::ProtocolLinks;
pub use owned_actors::restart_policy_of;
pub use message::{Message, InfoRequest};
pub use rank::Protocol;
pub use references::ReclaimableBlock;
pub use resource_requests::{request_of, request_of_actor};
pub use wire::{Bytes, WireTask, WireAttachment, WireOptions, WireValue, BlockAddress};
#[cfg(test)]
pub use wire::{CompactTask, MovedTask};
