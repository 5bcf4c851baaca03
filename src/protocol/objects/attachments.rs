//! Attachments of values: encoded for another rank, and decoded from one. Every reference among them is counted.

use crate::base::{Error, ObjectId, Rank};
use crate::objects::{Attachment, ReceivedReference, SerializedValue};
use crate::protocol::WireAttachment;
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::environment::Environment;
use crate::protocol::objects::carried_values::{export_carried, import_carried};
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::references::{ExportPin, object_lost};
use std::sync::Arc;

/// Encodes the attachments of a value for `to`, and counts each reference (COUNTS-1). Values of objects that `to` may
/// not have yet take at most `space` bytes.
pub fn export_attachments(
    env: &impl Environment,
    attachments: &[Attachment],
    to: Rank,
    mut space: usize,
) -> Result<Vec<WireAttachment>, Error> {
    attachments.iter().map(|attachment| export_with_value(env, attachment, to, &mut space)).collect()
}

/// Encodes a handle for `to`, and counts it.
pub fn export_actor(env: &impl Environment, actor: &Arc<ActorRef>, to: Rank) -> WireAttachment {
    env.protocol().objects.references.on_sent(env, actor.id, to, || ExportPin::Actor(actor.clone()));
    WireAttachment::Actor(actor.wire())
}

/// As `export_attachments`, for one of them, without values.
pub fn export_attachment(env: &impl Environment, attachment: &Attachment, to: Rank) -> Result<WireAttachment, Error> {
    export_with_value(env, attachment, to, &mut 0)
}

fn export_with_value(
    env: &impl Environment,
    attachment: &Attachment,
    to: Rank,
    space: &mut usize,
) -> Result<WireAttachment, Error> {
    let references = &env.protocol().objects.references;
    match attachment {
        Attachment::Slot(slot) => {
            let id = slot.remote_id().unwrap_or_else(|| ObjectId {
                owner: env.rank(),
                number: match slot.core().number() {
                    0 => slot.core().set_number(references.fresh_number()),
                    number => number,
                },
            });
            let is_first = references.on_sent(env, id, to, || ExportPin::Slot(slot.clone()));
            let value = if is_first { export_carried(env, &**slot, to, space) } else { None };
            Ok(match value {
                Some(value) => WireAttachment::Carried(id, value),
                None => WireAttachment::Reference(id),
            })
        }
        Attachment::Array(memory) => references.export_memory(env, memory, to).map(WireAttachment::Array),
        Attachment::Handle(handle) => match handle.clone().downcast::<ActorRef>() {
            Ok(actor) => Ok(export_actor(env, &actor, to)),
            Err(_) => Err(object_lost("a handle", "it is of a kind that does not travel")),
        },
        // It is forwarded as it came: this rank retains it for another one, and does not know its type.
        Attachment::Remote(reference) if reference.id.owner == env.rank() => {
            match references.own_slot(reference.id.number) {
                Some(slot) => export_with_value(env, &Attachment::Slot(slot), to, space),
                None => Err(object_lost(&reference.id.to_string(), "its owner does not know it any more")),
            }
        }
        Attachment::Remote(reference) => {
            references.on_sent(env, reference.id, to, || ExportPin::Reference(reference.clone()));
            Ok(WireAttachment::Reference(reference.id))
        }
    }
}

/// Decodes the attachments of a value from `from`. Every reference is counted as received, even if an error is
/// returned.
#[inline]
pub fn import_attachments(
    env: &impl Environment,
    wires: &[WireAttachment],
    from: Rank,
    fetched: &FetchedBlocks,
) -> Result<Vec<Attachment>, Error> {
    if wires.is_empty() {
        return Ok(Vec::new());
    }
    let attachments: Vec<_> = wires.iter().map(|wire| import_attachment(env, wire, from, fetched)).collect();
    attachments.into_iter().collect()
}

/// As `import_attachments`, for one of them.
pub fn import_attachment(
    env: &impl Environment,
    wire: &WireAttachment,
    from: Rank,
    fetched: &FetchedBlocks,
) -> Result<Attachment, Error> {
    let references = &env.protocol().objects.references;
    match wire {
        WireAttachment::Reference(id) => Ok(import_reference(env, *id, from, None)),
        WireAttachment::Carried(id, value) => {
            let value = import_carried(env, value, from);
            Ok(import_reference(env, *id, from, value))
        }
        WireAttachment::Array(address) => references.import_memory(env, *address, from, fetched).map(Attachment::Array),
        WireAttachment::Actor(actor) => Ok(Attachment::Handle(ActorRef::import(env, actor, from)?)),
    }
}

fn import_reference(env: &impl Environment, id: ObjectId, from: Rank, carried: Option<SerializedValue>) -> Attachment {
    // One of this rank's is retained here, because it may be decoded when no other rank holds it any more.
    match env.protocol().objects.references.import_reference(env, id, from) {
        Some(own) => Attachment::Slot(own),
        None => Attachment::Remote(Arc::new(ReceivedReference::new(id, env.links(), carried))),
    }
}

/// Pins this rank's own objects among the attachments of a value that it retains without decoding it.
pub fn pin_own(env: &impl Environment, attachments: &mut [Attachment]) {
    let references = &env.protocol().objects.references;
    for attachment in attachments {
        let Attachment::Remote(reference) = attachment else { continue };
        // Its arrays would stay where they are as long as the value is retained.
        drop(reference.take_carried());
        if reference.id.owner == env.rank()
            && let Some(slot) = references.own_slot(reference.id.number)
        {
            *attachment = Attachment::Slot(slot);
        }
    }
}
