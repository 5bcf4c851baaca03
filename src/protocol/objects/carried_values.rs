//! Values that travel with a reference: a rank that gets its first reference to an object of the sender gets the value
//! too, if that is there and small, its arrays in stores that both ranks map. Reading it then costs no question to the
//! owner.
//!
//! The counts need no rule of their own: the arrays are counted as every array in a message is, so each block lives as
//! long as the receiver has its memory (COUNTS-1). The receiver may lose the value at any time, because the owner has
//! it as long as the reference lives: where an array's store is gone, or its memory was given back to a full store, it
//! asks the owner, as it does for values that did not travel. That is also so where the sender thinks that the
//! receiver has the value, and it has dropped it meanwhile.

use crate::base::Rank;
use crate::base::limits::CARRIED_BYTES_MAX;
use crate::objects::{AnySlot, Attachment, SerializedValue};
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::references::ExportPin;
use crate::protocol::{BlockAddress, CarriedValue, WireAttachment};
use std::sync::Arc;

/// Bytes of an array's address in a message, at most.
const ADDRESS_BYTES: usize = 32;

/// The value of an object for a message to `to`, whose arrays are then counted. `None` if it does not travel: it is not
/// there, has more than `space` bytes, or has attachments other than arrays that both ranks map.
pub fn export_carried(env: &impl Environment, slot: &dyn AnySlot, to: Rank, space: &mut usize) -> Option<CarriedValue> {
    if *space == 0 || !slot.core().is_complete() {
        return None;
    }
    let references = &env.protocol().objects.references;
    let SerializedValue { bytes, attachments } = slot.encode_carried()?;
    let array = |attachment: &Attachment| {
        let Attachment::Array(memory) = attachment else { return None };
        let address = env.address_of(&**memory, &|| references.fresh_number())?;
        let owner = address.block.owner;
        let both_map = env.is_mapped(to) && (owner == env.rank() || env.is_mapped(owner));
        both_map.then(|| (address, memory.clone()))
    };
    // All are known to be readable before the first is counted.
    let arrays: Vec<_> = attachments.iter().map(array).collect::<Option<_>>()?;
    let length = bytes.len() + arrays.len() * ADDRESS_BYTES;
    *space = space.checked_sub(length).filter(|_| length <= CARRIED_BYTES_MAX)?;
    let count = |(address, memory): (BlockAddress, Arc<_>)| {
        references.on_sent(env, address.block, to, || ExportPin::Memory(memory));
        address
    };
    Some(CarriedValue { bytes, arrays: arrays.into_iter().map(count).collect() })
}

/// A value that came with a reference from `from`; its arrays are counted as received. `None` if one of them cannot be
/// read here.
pub fn import_carried(env: &impl Environment, value: &CarriedValue, from: Rank) -> Option<SerializedValue> {
    let references = &env.protocol().objects.references;
    let import = |address: &BlockAddress| references.import_memory(env, *address, from, &FetchedBlocks::default());
    let memories: Vec<_> = value.arrays.iter().map(import).collect();
    let arrays = memories.into_iter().map(|memory| memory.ok().map(Attachment::Array));
    Some(SerializedValue { bytes: value.bytes.clone(), attachments: arrays.collect::<Option<_>>()? })
}

/// Bytes that an attachment takes in a message because a value travels with it, at most.
pub fn carried_bytes(attachment: &WireAttachment) -> usize {
    match attachment {
        WireAttachment::Carried(_, value) => value.bytes.len() + value.arrays.len() * ADDRESS_BYTES,
        WireAttachment::Array(_) | WireAttachment::Reference(_) | WireAttachment::Actor(_) => 0,
    }
}

#[cfg(test)]
mod tests;
