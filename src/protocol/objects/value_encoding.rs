//! Encoding of values for other ranks, and decoding of values from them.

use crate::base::limits::CARRIED_BYTES_SUM_MAX;
use crate::base::{Error, Rank};
use crate::objects::{AnySlot, ArrayMemory, Attachment, SerializedValue};
use crate::protocol::environment::Environment;
use crate::protocol::objects::attachments::{export_attachments, import_attachments};
use crate::protocol::objects::carried_values::carried_bytes;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::{BlockAddress, Bytes, WireValue};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A value from the wire, with its attachments imported into this process. Its bytes stay where they arrived.
pub struct ReceivedValue<'a> {
    bytes: ReceivedBytes<'a>,
    /// As in `SerializedValue`.
    pub attachments: Vec<Attachment>,
}

enum ReceivedBytes<'a> {
    Inline(&'a [u8]),
    /// A part of the block of a large value.
    InBlock(Arc<dyn ArrayMemory>, Range<usize>),
}

impl<'a> ReceivedValue<'a> {
    /// With bytes that are in a message.
    pub fn inline(bytes: &'a [u8], attachments: Vec<Attachment>) -> ReceivedValue<'a> {
        ReceivedValue { bytes: ReceivedBytes::Inline(bytes), attachments }
    }

    /// Its bytes, and its attachments.
    pub fn into_parts(self) -> (impl Deref<Target = [u8]> + use<'a>, Vec<Attachment>) {
        (self.bytes, self.attachments)
    }

    /// Completes a promise with it.
    pub fn complete(self, slot: &dyn AnySlot) {
        slot.complete_with(&self.bytes, self.attachments);
    }

    /// A copy that is not bound to the message or the block.
    pub fn into_serialized(self) -> SerializedValue {
        SerializedValue { bytes: self.bytes.to_vec(), attachments: self.attachments }
    }
}

impl Deref for ReceivedBytes<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            ReceivedBytes::Inline(bytes) => bytes,
            ReceivedBytes::InBlock(memory, range) => &memory.bytes()[range.clone()],
        }
    }
}

/// Decodes a value from the wire: imports its attachments into this process.
pub fn decode_value<'a>(
    env: &impl Environment,
    wire: &WireValue<'a>,
    from: Rank,
    fetched: &FetchedBlocks,
) -> Result<ReceivedValue<'a>, Error> {
    let Some(address) = wire.spilled else {
        let attachments = import_attachments(env, &wire.attachments, from, fetched)?;
        return Ok(ReceivedValue::inline(wire.bytes.0, attachments));
    };
    let outside = import_attachments(env, &wire.attachments, from, fetched);
    let memory = env.protocol().objects.references.import_memory(env, address, from, fetched)?;
    in_block(env, address, memory, outside?, (from, fetched))
}

/// Decodes the value in the block of a large value. `outside` are the attachments that were in the message.
pub fn in_block(
    env: &impl Environment,
    address: BlockAddress,
    memory: Arc<dyn ArrayMemory>,
    outside: Vec<Attachment>,
    (from, fetched): (Rank, &FetchedBlocks),
) -> Result<ReceivedValue<'static>, Error> {
    let object_lost = |reason: String| Error::ObjectLost { object: address.block.to_string(), reason };
    let block = memory.bytes();
    let inner: WireValue<'_> = postcard::from_bytes(block)
        .map_err(|error| object_lost(format!("the block of a large value does not decode: {error}")))?;
    if inner.highest_rank() >= env.size() || inner.spilled.is_some() {
        return Err(object_lost(format!("the block of a large value names rank {}", inner.highest_rank())));
    }
    let attachments = match outside.is_empty() {
        true => import_attachments(env, &inner.attachments, from, fetched)?,
        false => outside,
    };
    let start = inner.bytes.0.as_ptr().addr() - block.as_ptr().addr();
    let range = start..start + inner.bytes.0.len();
    Ok(ReceivedValue { bytes: ReceivedBytes::InBlock(memory, range), attachments })
}

/// An attachment takes at most about forty bytes, without its label and the value of its object.
const ATTACHMENT_BYTES: usize = 64;

/// Encodes a value for rank `to`: inline if it takes at most `inline_bytes_max`, in a block of this rank's store
/// otherwise.
pub fn encode_value<'a>(
    env: &impl Environment,
    serialized: &'a SerializedValue,
    to: Rank,
    inline_bytes_max: usize,
) -> Result<WireValue<'a>, Error> {
    let plain_bytes = serialized.attachments.len() * ATTACHMENT_BYTES;
    let space = match plain_bytes {
        0 => 0,
        _ if env.is_mapped(to) => CARRIED_BYTES_SUM_MAX,
        // The attachments must not come to be in a block only because of values, since `to` must fetch that.
        _ => inline_bytes_max.saturating_sub(serialized.bytes.len() + plain_bytes),
    };
    let attachments = export_attachments(env, &env.ensure_in_store(&serialized.attachments)?, to, space)?;
    let attachment_bytes = plain_bytes + attachments.iter().map(carried_bytes).sum::<usize>();
    if serialized.bytes.len() + attachment_bytes <= inline_bytes_max {
        return Ok(WireValue { bytes: Bytes(&serialized.bytes), spilled: None, attachments });
    }
    // Attachments stay in the message where they fit: then the receiver need not fetch the block to learn of them.
    let (outside, in_block) =
        if attachment_bytes <= inline_bytes_max { (attachments, Vec::new()) } else { (Vec::new(), attachments) };
    let whole = WireValue { bytes: Bytes(&serialized.bytes), spilled: None, attachments: in_block };
    let mut written = Ok(());
    let memory = env.write_block(whole.encoded_bytes(), &mut |block| {
        written = postcard::to_slice(&whole, block).map(drop);
    })?;
    written.map_err(|error| Error::config(error.to_string()))?;
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
