//! Blocks that a message names and that cannot be read here: they must be brought first.

use crate::base::{Error, ObjectId};
use crate::objects::ArrayMemory;
use crate::protocol::driver::Driver;
use crate::protocol::{Message, WireAttachment, WireParcel, WirePlace};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Blocks that were brought here from other hosts, or why they were not.
pub type Pulled = FxHashMap<ObjectId, Result<Arc<dyn ArrayMemory>, Error>>;

/// Whether a block must be brought here to be read.
pub fn is_far(driver: &impl Driver, place: &WirePlace) -> bool {
    place.block.owner != driver.rank() && !driver.is_mapped(place.block.owner)
}

/// The blocks that must be here before the message can be acted upon, and are not. What may stay where it is, the values
/// of objects, is not among them. Results of an actor with checkpoints may not: once its caller has heard of them nobody else
/// keeps them, and they cannot be made again.
pub fn missing_blocks(driver: &impl Driver, message: &Message<'_>, pulled: &Pulled) -> Vec<Missing> {
    match message {
        Message::Run(run) => missing_of(driver, &run.args, pulled),
        Message::Loot { runs, .. } => runs.iter().flat_map(|run| missing_of(driver, &run.args, pulled)).collect(),
        Message::Done { task, results } => {
            let missing: Vec<Missing> =
                results.iter().flatten().flat_map(|parcel| missing_of(driver, parcel, pulled)).collect();
            if !missing.is_empty() && driver.protocol().is_saved_call(*task) { missing } else { Vec::new() }
        }
        Message::Answer { answer, .. } => missing_of(driver, answer, pulled),
        Message::Actor { about, .. } => {
            about.parcels().into_iter().flat_map(|parcel| missing_of(driver, parcel, pulled)).collect()
        }
        _ => Vec::new(),
    }
}

/// A block that must be brought, and whether other ranks of this host may need it too: a value's bytes lie in a block that
/// was made for one rank.
pub type Missing = (WirePlace, bool);

/// The blocks of a parcel that are neither readable here nor in `pulled`.
pub fn missing_of(driver: &impl Driver, parcel: &WireParcel<'_>, pulled: &Pulled) -> Vec<Missing> {
    let mut places: Vec<Missing> = Vec::new();
    let mut add = |place: &WirePlace, shared: bool| {
        let known = places.iter().any(|(other, _)| other == place);
        if is_far(driver, place) && !pulled.contains_key(&place.block) && !known {
            places.push((*place, shared));
        }
    };
    let mut arrays = |attachments: &[WireAttachment]| {
        for attachment in attachments {
            if let WireAttachment::Array(place) = attachment {
                add(place, true);
            }
        }
    };
    arrays(&parcel.attachments);
    let Some(spilled) = parcel.spilled else { return places };
    // A spilled parcel shows what it names only once it is here itself.
    let memory = match pulled.get(&spilled.block) {
        Some(memory) => memory.as_ref().ok().cloned(),
        None if driver.is_mapped(spilled.block.owner) => driver.map(spilled).ok(),
        None => {
            add(&spilled, false);
            return places;
        }
    };
    let inner = memory.as_ref().map(|memory| postcard::from_bytes::<WireParcel<'_>>(memory.bytes()));
    if let Some(Ok(inner)) = inner {
        arrays(&inner.attachments);
    }
    places
}
