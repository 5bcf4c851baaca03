//! Values that contain arrays, as the store holds them: bytes, and a pin for each array's memory.
//!
//! ```text
//!   promise PACKED --> PackedValue { bytes, pin of array 0, pin of array 1, .. }     no reader: memory may be moved
//!                      | get: pin each, decode                  ^
//!                      v                                        | unpinned when the last reader's value is dropped
//!                   Loaded { value } <--- Ref, Ref, ..      the value keeps its memory where it is
//! ```
//! So the number of holders of an array's memory says if the array is being read; no separate count of readers exists.
//!
//! A value is packed if its bytes are few and name at least one array in the store; all others stay plain values in
//! their promise. This is found by encoding the value once, up to the bound: types that are too small to hold an array,
//! or that own nothing, are not even tried, nor is anything while the process has created no array.

use crate::base::arc_pool::Recycle;
use crate::base::sync::{Ordering, lock, statics::AtomicBool};
use crate::base::{Error, ObjectId};
use crate::objects::promise::Promise;
use crate::objects::{Array, ArrayMemory, Attachment, Links, Object, SerializedValue, decode, encoding, slot};
use std::any::Any;
use std::sync::{Arc, Mutex, Weak};

/// Bytes that a packed value has at most, its arrays not counted. A larger value stays a plain value, and so do its
/// arrays.
pub(super) const PACKED_BYTES_MAX: usize = 512;

/// Pins an array's bytes for packed values, and knows their location.
pub trait Pin: Send + Sync + 'static {
    /// The bytes as memory that stays in place while it is held.
    ///
    /// # Errors
    /// Why they are not available.
    fn pin(&self) -> Result<Arc<dyn ArrayMemory>, Error>;
    /// As `pin`, if the bytes are in memory.
    fn pin_here(&self) -> Option<Arc<dyn ArrayMemory>> {
        None
    }
    /// A value that was decoded from memory given by `pin` was dropped.
    fn unpin(&self);
    /// The bytes are a copy of a part of `object`: after a request through `links`, `refill` or `refill_failed` is
    /// called.
    fn set_copy_of(&self, _object: ObjectId, _links: &Arc<dyn Links>) {}
    /// The bytes were fetched again.
    fn refill(&self, _memory: Arc<dyn ArrayMemory>) {}
    /// They could not be fetched again.
    fn refill_failed(&self, _error: &Arc<Error>) {}
}

/// One attachment of the bytes.
enum PackedPart {
    Pinned(Arc<dyn Pin>),
    Plain(Attachment),
}

/// A value with arrays, not decoded.
pub struct PackedValue {
    bytes: Vec<u8>,
    parts: Vec<PackedPart>,
    /// The value, while a reader holds it: a `Loaded<T>`.
    loaded: Mutex<Option<Weak<dyn Any + Send + Sync>>>,
}

static ARRAYS_EXIST: AtomicBool = AtomicBool::new(false);

/// An array was created in this process: from now on values may contain one.
#[inline]
pub(super) fn record_array() {
    if !ARRAYS_EXIST.load(Ordering::Relaxed) {
        ARRAYS_EXIST.store(true, Ordering::Relaxed);
    }
}

/// True if a `T` may hold an array by value, or in a list of them.
const fn may_hold_arrays<T>() -> bool {
    size_of::<T>() >= size_of::<Vec<Array<u8>>>() && std::mem::needs_drop::<T>()
}

/// The value in packed form; returned unchanged if it has no arrays, or too many bytes besides them.
pub(super) fn pack<T: Object>(value: T) -> Result<PackedValue, T> {
    if !may_hold_arrays::<T>() || !ARRAYS_EXIST.load(Ordering::Relaxed) {
        return Err(value);
    }
    pack_slowly(value)
}

#[cold]
fn pack_slowly<T: Object>(value: T) -> Result<PackedValue, T> {
    let serialized = encoding::encode_small::<PACKED_BYTES_MAX>(&value);
    match serialized.and_then(|serialized| {
        PackedValue::of(&serialized.bytes, serialized.attachments, std::any::type_name::<T>()).ok()
    }) {
        Some(packed) => Ok(packed),
        None => Err(value),
    }
}

impl PackedValue {
    /// Packs an encoded value of type `kind`; the attachments are returned if none of them can be pinned.
    pub(super) fn of(
        bytes: &[u8],
        attachments: Vec<Attachment>,
        kind: &'static str,
    ) -> Result<PackedValue, Vec<Attachment>> {
        if !attachments.iter().any(|attachment| matches!(attachment, Attachment::Array(_))) {
            return Err(attachments);
        }
        let part = |attachment| match attachment {
            Attachment::Array(memory) => match memory.clone().into_pin(kind) {
                Some(pin) => PackedPart::Pinned(pin),
                None => PackedPart::Plain(Attachment::Array(memory)),
            },
            other => PackedPart::Plain(other),
        };
        let parts: Vec<PackedPart> = attachments.iter().cloned().map(part).collect();
        if parts.iter().all(|part| matches!(part, PackedPart::Plain(_))) {
            return Err(attachments);
        }
        Ok(PackedValue { bytes: bytes.to_vec(), parts, loaded: Mutex::new(None) })
    }

    fn attachments(&self) -> Result<Vec<Attachment>, Error> {
        let attachment = |part: &PackedPart| match part {
            PackedPart::Pinned(pin) => pin.pin().map(Attachment::Array),
            PackedPart::Plain(attachment) => Ok(attachment.clone()),
        };
        self.parts.iter().map(attachment).collect()
    }

    /// The value is a copy of `object`, which `links` fetches again.
    pub(super) fn is_copy(&self, object: ObjectId, links: &Arc<dyn Links>) {
        self.pins().for_each(|pin| pin.set_copy_of(object, links));
    }

    /// The attachments of the value were fetched again.
    pub(super) fn refill(&self, attachments: Vec<Attachment>) {
        for (part, attachment) in self.parts.iter().zip(attachments) {
            if let (PackedPart::Pinned(pin), Attachment::Array(memory)) = (part, attachment) {
                pin.refill(memory);
            }
        }
    }

    /// It was requested again and will not arrive.
    pub(super) fn refuse(&self, error: &Arc<Error>) {
        self.pins().for_each(|pin| pin.refill_failed(error));
    }

    fn pins(&self) -> impl Iterator<Item = &Arc<dyn Pin>> {
        self.parts.iter().filter_map(|part| if let PackedPart::Pinned(pin) = part { Some(pin) } else { None })
    }

    /// The value in serialized form, whose memory stays in place while that lives.
    ///
    /// # Errors
    /// Why an array is not available.
    pub(super) fn serialized(&self) -> Result<SerializedValue, Error> {
        Ok(SerializedValue { bytes: self.bytes.clone(), attachments: self.attachments()? })
    }

    /// As `serialized`, if all of its attachments are arrays that are in memory.
    pub(super) fn serialized_here(&self) -> Option<SerializedValue> {
        let attachment = |part: &PackedPart| match part {
            PackedPart::Pinned(pin) => pin.pin_here().map(Attachment::Array),
            PackedPart::Plain(_) => None,
        };
        let attachments = self.parts.iter().map(attachment).collect::<Option<_>>()?;
        Some(SerializedValue { bytes: self.bytes.clone(), attachments })
    }

    /// The value: the one that other readers hold, else a new one.
    ///
    /// # Errors
    /// Why an array is not available, or the value does not decode.
    pub(super) fn load<T: Object>(self: &Arc<PackedValue>) -> Result<Arc<Loaded<T>>, Error> {
        if let Some(loaded) = self.loaded() {
            return Ok(loaded);
        }
        let value = decode::<T>(&self.bytes, self.attachments()?)?;
        let fresh = Arc::new(Loaded { cell: Promise::ready(value), _unpin: UnpinOnDrop(self.clone()) });
        let mut loaded = lock(&self.loaded);
        // Another thread may have been faster: readers of one object see one value.
        if let Some(other) = loaded.as_ref().and_then(Weak::upgrade).and_then(|any| any.downcast().ok()) {
            drop(loaded);
            return Ok(other);
        }
        let any: Arc<dyn Any + Send + Sync> = fresh.clone();
        *loaded = Some(Arc::downgrade(&any));
        Ok(fresh)
    }

    fn loaded<T: Object>(&self) -> Option<Arc<Loaded<T>>> {
        lock(&self.loaded).as_ref()?.upgrade()?.downcast().ok()
    }
}

/// A decoded value, while a reader holds it: a slot of its own, so that readers of packed values and of others work
/// alike.
pub(super) struct Loaded<T> {
    cell: Promise<T>,
    // Dropped after the value.
    _unpin: UnpinOnDrop,
}

slot! {
    [T: Object] Loaded<T>: T, cell, {
        fn complete_with(&self, _: &[u8], _: Vec<Attachment>) {}
    }
}

impl<T> Recycle for Loaded<T> {}

/// Tells the pins that a value decoded from their memory was dropped.
struct UnpinOnDrop(Arc<PackedValue>);

impl Drop for UnpinOnDrop {
    fn drop(&mut self) {
        self.0.pins().for_each(|pin| pin.unpin());
    }
}

#[cfg(test)]
impl PackedValue {
    /// The content of a promise that is complete in this form, and no more.
    pub(super) fn empty() -> PackedValue {
        PackedValue { bytes: Vec::new(), parts: Vec::new(), loaded: Mutex::new(None) }
    }
}

#[cfg(test)]
mod tests;
