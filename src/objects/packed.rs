//! Values that carry arrays, as the store keeps them: bytes, and a keeper for each array's memory.
//!
//! ```text
//!   cell PACKED --> Packed { bytes, keeper of array 0, keeper of array 1, .. }      nobody reads: memory may be moved
//!                      | get: open each, decode                 ^
//!                      v                                        | told when the last reader's value is dropped
//!                   Loaded { value } <--- Ref, Ref, ..      the value keeps its memory where it is
//! ```
//! So whether an array is read is known by who holds its memory, and no reader is counted anywhere.
//!
//! A value is packed where its bytes are few and name at least one array in the store; all others stay values in their cell.
//! Whether it is such a value is found by encoding it, up to the bound, once: types that are too small to hold an array, or
//! that own nothing, are not even tried, nor is anything while the process has made no array.

use crate::base::sync::{Ordering, lock, statics::AtomicBool};
use crate::base::{Error, ObjectId};
use crate::objects::cell::{Cell, Core};
use crate::objects::reference::{encode_cell, offer};
use crate::objects::{AnySlot, Array, ArrayMemory, Attachment, Links, Object, Parcel, Slot, decode, parcel};
use std::any::Any;
use std::sync::{Arc, Mutex, Weak};

/// Bytes that a packed value has at most, its arrays not counted. A value with more is kept as it is, and so are its arrays.
pub(super) const PACKED_BYTES_MAX: usize = 512;

/// What keeps an array's bytes for packed values, and where they are.
pub trait Keeper: Send + Sync + 'static {
    /// The bytes as memory that stays where it is while anybody holds it.
    ///
    /// # Errors
    /// Why they cannot be had.
    fn open(&self) -> Result<Arc<dyn ArrayMemory>, Error>;
    /// A value that was made of what `open` gave is gone.
    fn closed(&self);
    /// The bytes are a copy of a part of `object`: who asks `links` for that is answered by `refill` or `refuse`.
    fn is_copy(&self, _object: ObjectId, _links: &Arc<dyn Links>) {}
    /// The bytes came again.
    fn refill(&self, _memory: Arc<dyn ArrayMemory>) {}
    /// They did not.
    fn refuse(&self, _error: &Arc<Error>) {}
}

/// One thing that travels beside the bytes.
enum Part {
    Kept(Arc<dyn Keeper>),
    Plain(Attachment),
}

/// A value with arrays, not decoded.
pub struct Packed {
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// The value, while somebody reads it: a `Loaded<T>`.
    loaded: Mutex<Option<Weak<dyn Any + Send + Sync>>>,
}

static ARRAYS_MADE: AtomicBool = AtomicBool::new(false);

/// An array was made in this process: from now on values may hold one.
#[inline]
pub(super) fn note_array() {
    if !ARRAYS_MADE.load(Ordering::Relaxed) {
        ARRAYS_MADE.store(true, Ordering::Relaxed);
    }
}

/// Whether a `T` may hold an array by value, or in a list of them.
const fn may_hold_arrays<T>() -> bool {
    size_of::<T>() >= size_of::<Array<u8>>() && std::mem::needs_drop::<T>()
}

/// The value in packed form; given back where it has no arrays, or too many bytes beside them.
pub(super) fn pack<T: Object>(value: T) -> Result<Packed, T> {
    if !may_hold_arrays::<T>() || !ARRAYS_MADE.load(Ordering::Relaxed) {
        return Err(value);
    }
    pack_slowly(value)
}

#[cold]
fn pack_slowly<T: Object>(value: T) -> Result<Packed, T> {
    let parcel = parcel::encode_small::<PACKED_BYTES_MAX>(&value);
    match parcel.and_then(|parcel| Packed::of(&parcel.bytes, parcel.attachments, std::any::type_name::<T>()).ok()) {
        Some(packed) => Ok(packed),
        None => Err(value),
    }
}

impl Packed {
    /// Of a value of type `kind` as it is encoded; the attachments are given back where no keeper takes any of them.
    pub(super) fn of(
        bytes: &[u8],
        attachments: Vec<Attachment>,
        kind: &'static str,
    ) -> Result<Packed, Vec<Attachment>> {
        if !attachments.iter().any(|attachment| matches!(attachment, Attachment::Array(_))) {
            return Err(attachments);
        }
        let part = |attachment| match attachment {
            Attachment::Array(memory) => match memory.clone().keeper(kind) {
                Some(keeper) => Part::Kept(keeper),
                None => Part::Plain(Attachment::Array(memory)),
            },
            other => Part::Plain(other),
        };
        let parts: Vec<Part> = attachments.iter().cloned().map(part).collect();
        if parts.iter().all(|part| matches!(part, Part::Plain(_))) {
            return Err(attachments);
        }
        Ok(Packed { bytes: bytes.to_vec(), parts, loaded: Mutex::new(None) })
    }

    fn attachments(&self) -> Result<Vec<Attachment>, Error> {
        let attachment = |part: &Part| match part {
            Part::Kept(keeper) => keeper.open().map(Attachment::Array),
            Part::Plain(attachment) => Ok(attachment.clone()),
        };
        self.parts.iter().map(attachment).collect()
    }

    /// The value is a copy of `object`, which `links` fetches again.
    pub(super) fn is_copy(&self, object: ObjectId, links: &Arc<dyn Links>) {
        self.keepers().for_each(|keeper| keeper.is_copy(object, links));
    }

    /// What travels beside the value came again.
    pub(super) fn refill(&self, attachments: Vec<Attachment>) {
        for (part, attachment) in self.parts.iter().zip(attachments) {
            if let (Part::Kept(keeper), Attachment::Array(memory)) = (part, attachment) {
                keeper.refill(memory);
            }
        }
    }

    /// It was asked for again and will not come.
    pub(super) fn refuse(&self, error: &Arc<Error>) {
        self.keepers().for_each(|keeper| keeper.refuse(error));
    }

    fn keepers(&self) -> impl Iterator<Item = &Arc<dyn Keeper>> {
        self.parts.iter().filter_map(|part| if let Part::Kept(keeper) = part { Some(keeper) } else { None })
    }

    /// The value as a parcel, whose memory stays where it is while the parcel lives.
    ///
    /// # Errors
    /// Why an array cannot be had.
    pub(super) fn parcel(&self) -> Result<Parcel, Error> {
        Ok(Parcel { bytes: self.bytes.clone(), attachments: self.attachments()? })
    }

    /// The value: the one that somebody reads, else a new one.
    ///
    /// # Errors
    /// Why an array cannot be had, or the value does not decode.
    pub(super) fn load<T: Object>(self: &Arc<Packed>) -> Result<Arc<Loaded<T>>, Error> {
        if let Some(loaded) = self.loaded() {
            return Ok(loaded);
        }
        let value = decode::<T>(&self.bytes, self.attachments()?)?;
        let fresh = Arc::new(Loaded { cell: Cell::ready(value), _closing: Closing(self.clone()) });
        let mut place = lock(&self.loaded);
        // Another thread may have been faster: readers of one object see one value.
        if let Some(other) = place.as_ref().and_then(Weak::upgrade).and_then(|any| any.downcast().ok()) {
            drop(place);
            return Ok(other);
        }
        let any: Arc<dyn Any + Send + Sync> = fresh.clone();
        *place = Some(Arc::downgrade(&any));
        Ok(fresh)
    }

    fn loaded<T: Object>(&self) -> Option<Arc<Loaded<T>>> {
        lock(&self.loaded).as_ref()?.upgrade()?.downcast().ok()
    }
}

/// A decoded value, while somebody reads it: a slot of its own, so that readers of packed values and of others do the same.
pub(super) struct Loaded<T> {
    cell: Cell<T>,
    // Dropped after the value.
    _closing: Closing,
}

impl<T: Object> AnySlot for Loaded<T> {
    fn core(&self) -> &Core {
        self.cell.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        offer::<T>(self, out);
    }
    fn encode(&self) -> Result<Parcel, Error> {
        encode_cell(&self.cell)
    }
    fn complete_with(&self, _: &[u8], _: Vec<Attachment>) {}
}

impl<T: Object> Slot<T> for Loaded<T> {
    fn cell(&self) -> &Cell<T> {
        &self.cell
    }
}

/// Tells the keepers that a value made of their memory is gone.
struct Closing(Arc<Packed>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.keepers().for_each(|keeper| keeper.closed());
    }
}

#[cfg(test)]
impl Packed {
    /// What a cell holds that is complete in this form, and no more.
    pub(super) fn of_nothing() -> Packed {
        Packed { bytes: Vec::new(), parts: Vec::new(), loaded: Mutex::new(None) }
    }
}

#[cfg(test)]
mod tests;
