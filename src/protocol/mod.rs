//! The protocol of one rank: the messages between ranks, and what a rank does on each.
//!
//! Pure: it sends, runs and maps through an [`Environment`] and knows neither threads nor transports nor clocks. The
//! runtime is the environment that has those; the simulator needs none of them.
//!
//! [`Protocol`] holds one part for each concept. A part owns its state and the functions that decide on it.
//!
//! | folder | what it decides |
//! |---|---|
//! | `wire` | the format of messages |
//! | `inbound` | which message is handled when |
//! | `tasks` | tasks that cross ranks: sent, received, finished, cancelled |
//! | `objects` | references, values and blocks that ranks share |
//! | `actors` | calls (`caller`), actors that run here (`instance`), restarts and saved states (`owner`) |
//! | `names` | the directory of actor names |
//! | `stealing` | work stealing between ranks |
//! | `recovery` | retries and reconstruction after a loss |
//!
//! Invariants:
//! - PROTOCOL-1: bytes from a peer become a `Message` only through `Message::decode`, which rejects anything else.
//! - PROTOCOL-2: what a message names (ranks, objects, functions) is looked up before it is used; a miss is an error to
//!   its sender or a line in the log, never a panic.
//! - PROTOCOL-3: no message is sent under a lock. Where messages of several threads must go in the order in which they
//!   were decided, a part ensures it (PROTOCOL-FETCH-3).
//! - PROTOCOL-4: no lock is held while a value of the user's is decoded, dropped or run.

mod actors;
mod awaited_ranks;
mod dispatch;
mod environment;
mod inbound;
mod leak_check;
mod locks;
mod names;
mod objects;
mod rank;
mod recovery;
mod stealing;
mod tasks;
#[cfg(test)]
mod tests;
mod wire;

pub use crate::lineage::Blame;
pub use actors::caller::handles::{ActorHandle, ActorRef, label_of};
pub use actors::instance::actor_instance::{ActorInstance, ActorStep, CallSetting};
pub use actors::owner::owned_actors::restart_policy_of;
pub use environment::{BlockStore, Environment, Liveness, Messenger, Observer, RankSelection, WorkQueue};
pub use inbound::InboundBatch;
pub use inbound::fragments::fragments_of;
pub use leak_check::TableSizes;
pub use locks::assert_may_send;
pub use names::error::NameError;
pub use objects::links::ProtocolLinks;
pub use objects::reclaim::ReclaimableBlock;
pub use objects::value_encoding::encode_value;
pub use rank::Protocol;
pub use tasks::dependencies::failed_argument;
pub use tasks::resource_requests::{request_of, request_of_actor};
#[cfg(any(all(test, not(loom)), fuzzing, feature = "sim"))]
pub use wire::actor_message::ActorMessage;
#[cfg(any(all(test, not(loom)), fuzzing))]
pub use wire::actor_message::{ActorTarget, FinishedCall, RestartPolicy, WireActor, WireCommit};
pub use wire::failure_kind::FailureKind;
pub use wire::header::{LoadHeader, MESSAGE_HEADER_BYTES, SendSequence, UNNUMBERED_HEADER};
#[cfg(all(test, not(loom)))]
pub use wire::header::{ReceiveSequence, ReceiveStatus};
pub use wire::last_work::{BEGUN_MAX, BegunWork, LastWork, WorkId};
pub use wire::message::{InfoRequest, Message};
#[cfg(test)]
pub use wire::values::CompactTask;
#[cfg(all(test, not(loom)))]
pub use wire::values::MovedTask;
pub use wire::values::{
    BlockAddress, Bytes, CarriedArray, CarriedValue, WireAttachment, WireOptions, WireTask, WireValue,
};
