//! The blocks of a value or message that cannot be read here until they are fetched.

use crate::base::{Error, ObjectId};
use crate::objects::ArrayMemory;
use crate::protocol::environment::{BlockStore, Messenger};
use crate::protocol::{BlockAddress, WireAttachment, WireValue};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Blocks that were fetched from other hosts, or why they could not be fetched.
pub type FetchedBlocks = FxHashMap<ObjectId, Result<Arc<dyn ArrayMemory>, Error>>;

/// True if a block must be fetched before this rank can read it.
pub fn must_fetch(env: &(impl Messenger + BlockStore), address: &BlockAddress) -> bool {
    address.block.owner != env.rank() && !env.is_mapped(address.block.owner)
}

/// A block to fetch, and whether other ranks of this host may need it too. The block of a value's bytes was created for
/// one rank.
pub type MissingBlock = (BlockAddress, bool);

/// The blocks of a value that are neither readable here nor in `fetched`.
pub fn missing_of(
    env: &(impl Messenger + BlockStore),
    value: &WireValue<'_>,
    fetched: &FetchedBlocks,
) -> Vec<MissingBlock> {
    let arrays = value.attachments.iter().filter_map(as_array);
    missing_parts(env, arrays, value.spilled, fetched)
}

fn as_array(attachment: &WireAttachment) -> Option<&BlockAddress> {
    if let WireAttachment::Array(address) = attachment { Some(address) } else { None }
}

/// The blocks that are neither readable here nor in `fetched`, of a value with these arrays; its bytes are in the block
/// `spilled`, if they are in one.
pub fn missing_parts<'a>(
    env: &(impl Messenger + BlockStore),
    arrays: impl Iterator<Item = &'a BlockAddress>,
    spilled: Option<BlockAddress>,
    fetched: &FetchedBlocks,
) -> Vec<MissingBlock> {
    let mut addresses: Vec<MissingBlock> = Vec::new();
    let mut add = |address: &BlockAddress, shared: bool| {
        let known = addresses.iter().any(|(other, _)| other == address);
        if must_fetch(env, address) && !fetched.contains_key(&address.block) && !known {
            addresses.push((*address, shared));
        }
    };
    arrays.for_each(|address| add(address, true));
    let Some(spilled) = spilled else { return addresses };
    // The references in a spilled value are known only once its block is here.
    let memory = match fetched.get(&spilled.block) {
        Some(memory) => memory.as_ref().ok().cloned(),
        None if env.is_mapped(spilled.block.owner) => env.map_block(spilled).ok(),
        None => {
            add(&spilled, false);
            return addresses;
        }
    };
    let inner = memory.as_ref().map(|memory| postcard::from_bytes::<WireValue<'_>>(memory.bytes()));
    if let Some(Ok(inner)) = inner {
        inner.attachments.iter().filter_map(as_array).for_each(|address| add(address, true));
    }
    addresses
}
