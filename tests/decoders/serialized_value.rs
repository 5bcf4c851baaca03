//! Serialized values with their attachments.

use crate::base::ObjectId;
use crate::objects::{
    AnySlot, Array, ArrayMemory, Attachment, Links, ObjectRef, ReceivedReference, Value, decode, encode,
};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A value with arrays, references and runs of numbers at every depth.
#[derive(Debug, Serialize, Deserialize)]
pub struct Nested {
    pub name: String,
    pub array: Option<Array<u32>>,
    pub reference: Option<ObjectRef<u64>>,
    pub inside: Vec<Nested>,
    pub by_number: BTreeMap<u8, Array<[u64; 3]>>,
    pub of_references: Option<ObjectRef<Vec<ObjectRef<u64>>>>,
    pub numbers: Vec<u16>,
    pub other_numbers: VecDeque<f32>,
}

/// The first byte gives the kinds of the attachments, two bits each. A value that decodes is encoded and decodes again.
pub fn serialized_value(bytes: &[u8]) {
    let Some((kinds, bytes)) = bytes.split_first() else { return };
    let attachments = (0..4).map(|at| attachment(kinds >> (2 * at) & 3, at)).collect();
    let Ok(nested) = decode::<Nested>(bytes, attachments) else { return };
    let written = encode(&nested).expect("plain data encodes");
    let again = decode::<Nested>(&written.bytes, written.attachments).expect("what was written is read");
    assert_eq!(format!("{again:?}"), format!("{nested:?}"));
}

fn attachment(kind: u8, at: u8) -> Attachment {
    match kind {
        0 => Attachment::Slot(Value::ready(u64::from(at))),
        1 => Attachment::Array(Arc::new(Bytes([at; 64], 16 * usize::from(at)))),
        2 => {
            let id = ObjectId { owner: 1, number: u64::from(at) + 1 };
            let carried = (at % 2 == 1).then(|| encode(&u64::from(at)).expect("a number encodes"));
            Attachment::Remote(Arc::new(ReceivedReference::new(id, Arc::new(Nowhere), carried)))
        }
        _ => Attachment::Handle(Arc::new(at)),
    }
}

/// An array's memory: the first bytes, as many as the second field says.
#[repr(align(64))]
pub struct Bytes(pub [u8; 64], pub usize);

impl ArrayMemory for Bytes {
    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Links of a rank that knows no object yet.
struct Nowhere;

impl Links for Nowhere {
    fn find(&self, _: ObjectId) -> Option<Arc<dyn AnySlot>> {
        None
    }
    fn on_reference_decoded(&self, _: ObjectId) {}
    fn intern(&self, _: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        slot
    }
    fn request(&self, _: ObjectId) {}
    fn on_dropped(&self, _: ObjectId, _: usize) {}
}

/// A serialized value with the kinds of its attachments, in the form that the target takes.
#[cfg(test)]
pub fn input_of(nested: &Nested) -> crate::base::Result<Vec<u8>> {
    let serialized = encode(nested)?;
    let kinds = serialized.attachments.iter().take(4).enumerate().map(|(at, attachment)| {
        let kind = u8::from(matches!(attachment, Attachment::Array(_)));
        kind << (2 * at)
    });
    let kinds = kinds.fold(0, |all, kind| all | kind);
    Ok([vec![kinds], serialized.bytes].concat())
}
