//! Encoding of values for other ranks, and decoding of values from them.

use crate::base::{Error, Rank};
use crate::objects::{Attachment, SerializedValue};
use crate::protocol::environment::Environment;
use crate::protocol::objects::attachments::{export_attachments, import_attachments};
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::{BlockAddress, Bytes, WireValue};
use std::sync::Arc;

/// Decodes a value from the wire: copies its bytes, and imports its attachments into this process.
pub fn decode_value(
    env: &impl Environment,
    wire: &WireValue<'_>,
    from: Rank,
    fetched: &FetchedBlocks,
) -> Result<SerializedValue, Error> {
    let Some(address) = wire.spilled else {
        let attachments = import_attachments(env, &wire.attachments, from, fetched)?;
        return Ok(SerializedValue { bytes: wire.bytes.0.to_vec(), attachments });
    };
    let outside = import_attachments(env, &wire.attachments, from, fetched);
    let memory = env.protocol().objects.references.import_memory(env, address, from, fetched)?;
    materialize(env, address, memory.bytes(), outside?, (from, fetched))
}

/// Decodes the value in the block of a large value. `outside` are the attachments that were in the message.
pub fn materialize(
    env: &impl Environment,
    address: BlockAddress,
    bytes: &[u8],
    outside: Vec<Attachment>,
    (from, fetched): (Rank, &FetchedBlocks),
) -> Result<SerializedValue, Error> {
    let object_lost = |reason: String| Error::ObjectLost { object: address.block.to_string(), reason };
    let inner: WireValue<'_> = postcard::from_bytes(bytes)
        .map_err(|error| object_lost(format!("the block of a large value does not decode: {error}")))?;
    if inner.highest_rank() >= env.size() || inner.spilled.is_some() {
        return Err(object_lost(format!("the block of a large value names rank {}", inner.highest_rank())));
    }
    let attachments = match outside.is_empty() {
        true => import_attachments(env, &inner.attachments, from, fetched)?,
        false => outside,
    };
    Ok(SerializedValue { bytes: inner.bytes.0.to_vec(), attachments })
}

/// Encodes a value for rank `to`: inline if it takes at most `inline_bytes_max`, in a block of this rank's store
/// otherwise.
pub fn encode_value<'a>(
    env: &impl Environment,
    serialized: &'a SerializedValue,
    to: Rank,
    inline_bytes_max: usize,
) -> Result<WireValue<'a>, Error> {
    let attachments = export_attachments(env, &env.ensure_in_store(&serialized.attachments)?, to)?;
    // An attachment takes at most about forty bytes, without its label.
    let attachment_bytes = attachments.len() * 64;
    if serialized.bytes.len() + attachment_bytes <= inline_bytes_max {
        return Ok(WireValue { bytes: Bytes(&serialized.bytes), spilled: None, attachments });
    }
    // Attachments stay in the message where they fit: then the receiver need not fetch the block to learn of them.
    let (outside, in_block) =
        if attachment_bytes <= inline_bytes_max { (attachments, Vec::new()) } else { (Vec::new(), attachments) };
    let whole = WireValue { bytes: Bytes(&serialized.bytes), spilled: None, attachments: in_block };
    let bytes = postcard::to_allocvec(&whole).map_err(|error| Error::config(error.to_string()))?;
    let memory = env.store_block(&bytes)?;
    let address = env.protocol().objects.references.export_memory(env, &memory, to)?;
    Ok(WireValue { bytes: Bytes(&[]), spilled: Some(address), attachments: outside })
}

/// The arguments of an outbound task.
pub(in crate::protocol) enum OutboundArgs {
    /// Retained on this rank to retry the task.
    Retained(Arc<SerializedValue>),
    /// Dropped once they are sent.
    RemoteTask(SerializedValue),
}

impl OutboundArgs {
    pub fn new(serialized: SerializedValue, retain: bool) -> OutboundArgs {
        if retain { OutboundArgs::Retained(Arc::new(serialized)) } else { OutboundArgs::RemoteTask(serialized) }
    }

    pub fn serialized(&self) -> &SerializedValue {
        match self {
            OutboundArgs::Retained(serialized) => serialized,
            OutboundArgs::RemoteTask(serialized) => serialized,
        }
    }

    pub fn retained(&self) -> Option<Arc<SerializedValue>> {
        match self {
            OutboundArgs::Retained(serialized) => Some(serialized.clone()),
            OutboundArgs::RemoteTask(_) => None,
        }
    }
}
