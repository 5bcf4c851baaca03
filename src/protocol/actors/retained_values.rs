//! Results and states of actors that one rank retains for another: sent, and retained without being decoded.

use crate::base::{Rank, Result, TaskId};
use crate::objects::{ArrayMemory, Attachment, SerializedValue};
use crate::protocol::WireValue;
use crate::protocol::actors::owner::owned_actors::CallResults;
use crate::protocol::environment::Environment;
use crate::protocol::objects::attachments::pin_own;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::value_encoding::decode_value;
use crate::protocol::objects::value_encoding::encode_value;
use crate::protocol::wire::actor_message::FinishedCall;
use std::sync::Arc;

/// Encodes the results of a call for the rank that is to retain them.
pub fn encode_call<'a>(
    env: &impl Environment,
    call: TaskId,
    results: &'a CallResults,
    to: Rank,
    inline_bytes_max: usize,
) -> Result<FinishedCall<'a>> {
    let encoded = results.iter().map(|result| match result {
        Ok(serialized) => encode_value(env, serialized, to, inline_bytes_max).map(Ok),
        Err(error) => Ok(Err(error.clone())),
    });
    Ok(FinishedCall { call, results: encoded.collect::<Result<_>>()? })
}

/// Decodes a value that this rank retains for another rank, and replaces references to this rank's memory and
/// objects.
pub fn retain_value(
    env: &impl Environment,
    wire: &WireValue<'_>,
    from: Rank,
    fetched: &FetchedBlocks,
) -> Result<SerializedValue> {
    let mut serialized = decode_value(env, wire, from, fetched)?.into_serialized();
    pin_own(env, &mut serialized.attachments);
    for attachment in &mut serialized.attachments {
        if let Attachment::Array(memory) = &*attachment {
            // The array is in the store of the rank against whose death it is saved: copies it.
            let own: Arc<dyn ArrayMemory> = env.store_block(memory.bytes())?;
            *attachment = Attachment::Array(own);
        }
    }
    Ok(serialized)
}

/// As `retain_value`, for the results of calls.
pub fn retain_calls(
    env: &impl Environment,
    calls: &[FinishedCall<'_>],
    from: Rank,
    fetched: &FetchedBlocks,
) -> Vec<(TaskId, CallResults)> {
    let retained = calls.iter().map(|call| {
        let results = call.results.iter();
        let results = results.map(|result| match result {
            Ok(wire) => retain_value(env, wire, from, fetched),
            Err(error) => Err(error.clone()),
        });
        (call.call, Arc::new(results.collect::<Vec<_>>()))
    });
    retained.collect()
}
