//! The blocks that a message waits for.

use crate::protocol::Message;
use crate::protocol::actors::caller::calls::is_checkpointed_call;
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::{FetchedBlocks, MissingBlock, missing_of};

/// The blocks that must be here before the message can be handled, and are not. Values of objects can stay unfetched
/// and are not included. Results of an actor with checkpoints cannot: once the caller has acknowledged them no other
/// rank retains them, and they cannot be reconstructed.
pub fn missing_blocks(env: &impl Environment, message: &Message<'_>, fetched: &FetchedBlocks) -> Vec<MissingBlock> {
    match message {
        Message::Task(task) => missing_of(env, &task.args, fetched),
        Message::StealReply { tasks, .. } => {
            tasks.iter().flat_map(|task| missing_of(env, &task.args, fetched)).collect()
        }
        Message::Done { task, results } => {
            let missing: Vec<MissingBlock> =
                results.iter().flatten().flat_map(|value| missing_of(env, value, fetched)).collect();
            if !missing.is_empty() && is_checkpointed_call(env, *task) { missing } else { Vec::new() }
        }
        Message::Response { response, .. } => missing_of(env, response, fetched),
        Message::Actor { message, .. } => {
            message.values().into_iter().flat_map(|value| missing_of(env, value, fetched)).collect()
        }
        _ => Vec::new(),
    }
}
