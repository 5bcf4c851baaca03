//! A rank without threads and transports, for tests of the message handlers, and functions for it to run.

mod environment;
mod functions;

pub use environment::{Effect, MockEnvironment};
pub use functions::{Add, Double, New, double, result_of};

use crate::base::{ObjectId, TaskId};
use crate::objects::encode;
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget};
use crate::protocol::{Bytes, Message, WireAttachment, WireTask, WireValue};
use crate::registry::TableEntry;

/// A number as its result is encoded.
pub fn encoded(number: u64) -> Vec<u8> {
    encode(&number).expect("a number encodes").bytes
}

/// A value of these bytes.
pub fn wire_value(bytes: &[u8], attachments: Vec<WireAttachment>) -> WireValue<'_> {
    WireValue { bytes: Bytes(bytes), spilled: None, attachments }
}

/// A task as its sender describes it.
pub fn wire_task<'a>(
    task: TaskId,
    entry: &TableEntry,
    actor: Option<ActorTarget>,
    args: WireValue<'a>,
) -> WireTask<'a> {
    WireTask { task, function: entry.key, caller: 0, number: 0, actor, stealable: true, hops: 0, options: None, args }
}

/// A message about an actor.
pub fn about(actor: ObjectId, message: ActorMessage<'_>) -> Message<'_> {
    Message::Actor { actor, message }
}
