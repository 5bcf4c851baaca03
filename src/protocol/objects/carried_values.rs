//! Values that travel with a reference: a rank that gets its first reference to an object of the sender gets the value
//! too, if that is there and small. Its arrays come as bytes if they are few, else as blocks in a store that both ranks
//! map. Reading the value then costs no question to the owner.
//!
//! The counts need no rule of their own: a block is counted as every block in a message is, so it lives as long as the
//! receiver has its memory (COUNTS-1). The receiver may lose the value at any time, because the owner has it as long as
//! the reference lives: where a block cannot be mapped, there is no space for bytes, or memory was given back to a full
//! store, it asks the owner, as it does for values that did not travel. That is also so where the sender thinks that
//! the receiver has the value, and it has dropped it meanwhile.

use crate::base::Rank;
use crate::base::limits::CARRIED_BYTES_MAX;
use crate::objects::{AnySlot, ArrayMemory, Attachment, SerializedValue};
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::references::ExportPin;
use crate::protocol::{BlockAddress, CarriedArray, CarriedValue, WireAttachment};
use std::sync::Arc;

/// Bytes of a block's address in a message, at most.
const ADDRESS_BYTES: usize = 32;

/// An array, and how it travels.
enum Export<'a> {
    Bytes(&'a [u8]),
    Block(BlockAddress, &'a Arc<dyn ArrayMemory>),
}

/// The value of an object for a message to `to`, whose blocks are then counted. `None` if it does not travel: it is not
/// there, has more than `space` bytes, or has attachments other than arrays, or long arrays that a rank does not map.
pub fn export_carried(env: &impl Environment, slot: &dyn AnySlot, to: Rank, space: &mut usize) -> Option<CarriedValue> {
    if *space == 0 || !slot.core().is_complete() {
        return None;
    }
    let references = &env.protocol().objects.references;
    let SerializedValue { bytes, attachments } = slot.encode_carried()?;
    let mut length = bytes.len();
    let mut exports = Vec::with_capacity(attachments.len());
    // All are known to be readable before the first is counted.
    for attachment in &attachments {
        let Attachment::Array(memory) = attachment else { return None };
        let as_bytes = memory.bytes();
        if length + as_bytes.len() <= CARRIED_BYTES_MAX {
            length += as_bytes.len();
            exports.push(Export::Bytes(as_bytes));
            continue;
        }
        length += ADDRESS_BYTES;
        let address = env.address_of(&**memory, &|| references.fresh_number())?;
        let owner = address.block.owner;
        if !env.is_mapped(to) || owner != env.rank() && !env.is_mapped(owner) {
            return None;
        }
        exports.push(Export::Block(address, memory));
    }
    *space = space.checked_sub(length).filter(|_| length <= CARRIED_BYTES_MAX)?;
    let arrays = exports.into_iter().map(|array| match array {
        Export::Bytes(bytes) => CarriedArray::Bytes(bytes.to_vec()),
        Export::Block(address, memory) => {
            references.on_sent(env, address.block, to, || ExportPin::Memory(memory.clone()));
            CarriedArray::Block(address)
        }
    });
    Some(CarriedValue { arrays: arrays.collect(), bytes })
}

/// A value that came with a reference from `from`; its blocks are counted as received. `None` if one of its arrays
/// cannot be read here.
pub fn import_carried(env: &impl Environment, value: &CarriedValue, from: Rank) -> Option<SerializedValue> {
    let references = &env.protocol().objects.references;
    let import = |array: &CarriedArray| match array {
        // Its owner has it: no space is made for it.
        CarriedArray::Bytes(bytes) => env.try_store_block(bytes),
        CarriedArray::Block(address) => references.import_memory(env, *address, from, &FetchedBlocks::default()).ok(),
    };
    let memories: Vec<_> = value.arrays.iter().map(import).collect();
    let arrays = memories.into_iter().map(|memory| memory.map(Attachment::Array));
    Some(SerializedValue { bytes: value.bytes.clone(), attachments: arrays.collect::<Option<_>>()? })
}

/// Bytes that an attachment takes in a message because a value travels with it, at most.
pub fn carried_bytes(attachment: &WireAttachment) -> usize {
    let WireAttachment::Carried(_, value) = attachment else { return 0 };
    let arrays = value.arrays.iter().map(|array| match array {
        CarriedArray::Bytes(bytes) => bytes.len(),
        CarriedArray::Block(_) => ADDRESS_BYTES,
    });
    value.bytes.len() + arrays.sum::<usize>()
}

#[cfg(test)]
mod tests;
