//! Arrays whose element type is known at run time only.

use crate::base::{Error, Result};
use crate::native::actor::NativeHandle;
use crate::native::element::ElementType;
use crate::objects::form::{self, Forms, Parts};
use crate::objects::{Array, ArrayMut};
use crate::registry::PlainForm;
use crate::rpc::PlainBytes;
use crate::runtime;
use bytemuck::Pod;
use serde::de::{Error as _, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that an array has at most which is a value and no block of the store.
const INLINE_BYTES: usize = 32;

/// Aligned for every element type.
type InlineWords = [u64; INLINE_BYTES / 8];

#[derive(Clone)]
enum NativeStorage {
    Inline {
        length: u8,
        words: InlineWords,
    },
    Stored(Array<u8>),
    /// No elements, but an actor's handle, which a task returned.
    Actor(Box<NativeHandle>),
}

/// The elements of an array, where they lie.
#[derive(Clone, Copy)]
pub struct ArrayView<'a> {
    /// The type of the elements.
    pub element: ElementType,
    /// The elements, aligned for their type.
    pub bytes: &'a [u8],
    /// The bytes as an array of Rust, unless it is short.
    stored: Option<&'a Array<u8>>,
}

impl<'a> ArrayView<'a> {
    /// Of a short array.
    #[inline]
    pub(super) fn of(element: ElementType, bytes: &'a [u8]) -> ArrayView<'a> {
        ArrayView { element, bytes, stored: None }
    }

    /// How many elements.
    #[inline]
    pub fn count(&self) -> usize {
        // Every size is a power of two, and a division takes longer than a call of C otherwise does.
        self.bytes.len() >> self.element.size().trailing_zeros()
    }

    /// True if the bytes are a whole number of elements.
    pub(super) fn is_whole(&self) -> bool {
        self.bytes.len().is_multiple_of(self.element.size())
    }

    /// The array, which is copied only if it is short.
    pub fn to_array(self) -> NativeArray {
        match self.stored {
            Some(array) => NativeArray { element: self.element, storage: NativeStorage::Stored(array.clone()) },
            None => NativeArray::short(self.element, self.bytes),
        }
    }

    /// The bytes as an array of Rust, unless it is short.
    pub(super) fn stored(&self) -> Option<&'a Array<u8>> {
        self.stored
    }

    /// A copy of the elements, if the bytes are a whole number of them.
    pub(super) fn to_vec<T: Pod>(self) -> Option<Vec<T>> {
        let (bytes, size) = (self.bytes, size_of::<T>());
        let read = |chunk| bytemuck::pod_read_unaligned(chunk);
        (size > 0 && bytes.len().is_multiple_of(size)).then(|| bytes.chunks_exact(size).map(read).collect())
    }

    /// What it is, for errors: `3 of MOBULA_F64`.
    pub(super) fn described(&self) -> String {
        format!("{} of {}", self.count(), self.element.name())
    }
}

/// An immutable array of plain data. Cloning it copies nothing of an array in the store; short ones are plain values.
#[derive(Clone)]
pub struct NativeArray {
    element: ElementType,
    storage: NativeStorage,
}

impl NativeArray {
    /// No element.
    pub fn empty() -> NativeArray {
        NativeArray { element: ElementType::Bytes, storage: NativeStorage::Inline { length: 0, words: [0; 4] } }
    }

    /// A copy of the bytes of elements: in the store, unless they are few.
    ///
    /// # Errors
    /// As of `put_array`.
    #[inline]
    pub fn copy_of(element: ElementType, bytes: &[u8]) -> Result<NativeArray> {
        if bytes.len() <= INLINE_BYTES {
            return Ok(NativeArray::short(element, bytes));
        }
        Ok(NativeArray { element, storage: NativeStorage::Stored(runtime::put_array(bytes)?) })
    }

    /// A copy of at most `INLINE_BYTES`.
    #[inline]
    pub(super) fn short(element: ElementType, bytes: &[u8]) -> NativeArray {
        let mut words = [0; 4];
        copy_short(&mut bytemuck::bytes_of_mut::<InlineWords>(&mut words)[..bytes.len()], bytes);
        NativeArray { element, storage: NativeStorage::Inline { length: bytes.len() as u8, words } }
    }

    /// The same elements as in an array of Rust, in place.
    pub(super) fn over<T: Pod>(element: ElementType, array: &Array<T>) -> NativeArray {
        match array.cast() {
            Some(bytes) => NativeArray { element, storage: NativeStorage::Stored(bytes) },
            None => unreachable!("every length is a whole number of bytes"),
        }
    }

    /// An object that is an actor's handle.
    pub fn of_actor(handle: NativeHandle) -> NativeArray {
        NativeArray { element: ElementType::Bytes, storage: NativeStorage::Actor(Box::new(handle)) }
    }

    /// The actor's handle that it is.
    #[inline]
    pub fn actor(&self) -> Option<&NativeHandle> {
        match &self.storage {
            NativeStorage::Actor(handle) => Some(handle),
            NativeStorage::Inline { .. } | NativeStorage::Stored(_) => None,
        }
    }

    /// The type of the elements.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// The elements, aligned for their type.
    pub fn bytes(&self) -> &[u8] {
        self.view().bytes
    }

    /// The elements, where they lie; those of an actor are none.
    #[inline(always)]
    pub fn view(&self) -> ArrayView<'_> {
        let (bytes, stored): (&[u8], _) = match &self.storage {
            NativeStorage::Inline { length, words } => (&bytemuck::bytes_of(words)[..usize::from(*length)], None),
            NativeStorage::Stored(array) => (array, Some(array)),
            NativeStorage::Actor(_) => (&[], None),
        };
        ArrayView { element: self.element, bytes, stored }
    }
}

/// Copies a few bytes to as many others. Most often they are one number of 8 bytes, which needs no call.
#[inline]
pub(super) fn copy_short(to: &mut [u8], from: &[u8]) {
    match (<&mut [u8; 8]>::try_from(&mut *to), <&[u8; 8]>::try_from(from)) {
        (Ok(to), Ok(from)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

/// Short arrays as plain bytes: the number of the element type, and the elements.
pub(super) struct ShortForm;

impl PlainForm<NativeArray> for ShortForm {
    #[inline]
    fn is_plain() -> bool {
        true
    }
    #[inline]
    fn holds_no_array(array: &NativeArray) -> bool {
        matches!(array.storage, NativeStorage::Inline { .. })
    }
    fn push(array: &NativeArray, out: &mut PlainBytes) -> bool {
        Self::holds_no_array(array) && out.push(&(array.element as u8)) && out.push_bytes(array.bytes())
    }
    fn only(bytes: &[u8]) -> Option<NativeArray> {
        let (number, bytes) = bytes.split_first()?;
        let view = ArrayView::of(ElementType::from_number((*number).into())?, bytes);
        (bytes.len() <= INLINE_BYTES && view.is_whole()).then(|| NativeArray::short(view.element, bytes))
    }
}

/// The first part of an encoded array: type, length and words follow.
const INLINE: u8 = 0;
/// As above: the type and the array follow.
const STORED: u8 = 1;
/// As above: a type and the handle follow.
const ACTOR: u8 = 2;

impl Serialize for NativeArray {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let element = self.element as u8;
        match &self.storage {
            NativeStorage::Inline { length, words } => (INLINE, element, length, words).serialize(serializer),
            NativeStorage::Stored(array) => (STORED, element, array).serialize(serializer),
            NativeStorage::Actor(handle) => (ACTOR, element, handle).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NativeArray {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::deserialize(deserializer)
    }
}

impl<'de> Forms<'de> for NativeArray {
    const WHAT: &'static str = "an array of C";
    const PARTS: usize = 4;
    fn read<A: SeqAccess<'de>>(form: u8, mut parts: Parts<A>) -> Result<Option<NativeArray>, A::Error> {
        let Some(number) = parts.next::<u8>()? else { return Ok(None) };
        let Some(element) = ElementType::from_number(number.into()) else {
            return Err(A::Error::custom(format!("there is no element type of number {number}")));
        };
        let storage = match form {
            INLINE => {
                let (Some(length), Some(words)) = (parts.next::<u8>()?, parts.next::<InlineWords>()?) else {
                    return Ok(None);
                };
                if usize::from(length) > INLINE_BYTES {
                    return Err(A::Error::custom("a short array is longer than one can be"));
                }
                NativeStorage::Inline { length, words }
            }
            STORED => match parts.next::<Array<u8>>()? {
                Some(array) if array.as_ptr().addr().is_multiple_of(element.size().min(8)) => {
                    NativeStorage::Stored(array)
                }
                Some(_) => return Err(A::Error::custom("the elements are not aligned for their type")),
                None => return Ok(None),
            },
            ACTOR => match parts.next()? {
                Some(handle) => NativeStorage::Actor(Box::new(handle)),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let array = NativeArray { element, storage };
        if !array.view().is_whole() {
            return Err(A::Error::custom("the bytes are not a whole number of elements"));
        }
        Ok(Some(array))
    }
}

enum DraftStorage {
    Inline { length: u8, words: InlineWords },
    Stored(ArrayMut<u8>),
}

/// An array that is still being written.
pub struct NativeDraft {
    element: ElementType,
    storage: DraftStorage,
}

impl NativeDraft {
    /// Of `count` elements: in the store, unless they are few. Memory of the store is not cleared.
    ///
    /// # Errors
    /// As of `create_array`; `Config` if no memory has as many bytes.
    pub fn new(element: ElementType, count: usize) -> Result<NativeDraft> {
        let Some(bytes) = count.checked_mul(element.size()).filter(|bytes| isize::try_from(*bytes).is_ok()) else {
            let name = element.name();
            return Err(Error::config(format!("an array of {count} elements of {name} is longer than any memory")));
        };
        let storage = if bytes <= INLINE_BYTES {
            DraftStorage::Inline { length: bytes as u8, words: [0; 4] }
        } else {
            DraftStorage::Stored(runtime::create_array(bytes)?)
        };
        Ok(NativeDraft { element, storage })
    }

    /// The elements, to be written, aligned for their type.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.storage {
            DraftStorage::Inline { length, words } => &mut bytemuck::bytes_of_mut(words)[..usize::from(*length)],
            DraftStorage::Stored(array) => array.as_mut_slice(),
        }
    }

    /// Ends the writing.
    pub fn seal(self) -> NativeArray {
        let storage = match self.storage {
            DraftStorage::Inline { length, words } => NativeStorage::Inline { length, words },
            DraftStorage::Stored(array) => NativeStorage::Stored(array.seal()),
        };
        NativeArray { element: self.element, storage }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::objects::{decode, encode};

    #[test]
    fn short_array_is_a_value_and_arrives_equal() {
        let mut draft = NativeDraft::new(ElementType::F32, 3).unwrap();
        draft.bytes_mut().copy_from_slice(bytemuck::cast_slice(&[1.0f32, 2.0, 3.0]));
        let array = draft.seal();
        let encoded = encode(&array).unwrap();
        let back: NativeArray = decode(&encoded.bytes, encoded.attachments).unwrap();
        assert_eq!((back.element(), back.view().count(), back.bytes()), (ElementType::F32, 3, array.bytes()));
        let mut plain = PlainBytes::new();
        assert!(ShortForm::push(&array, &mut plain));
        let back = ShortForm::only(plain.as_slice()).unwrap();
        assert_eq!((back.element(), back.bytes()), (ElementType::F32, array.bytes()));
        for wrong in [&[][..], &[13], &[10, 1], &[0; 34]] {
            assert!(ShortForm::only(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn wrong_bytes_are_refused() {
        for (form, element, length) in [(INLINE, 13u8, 8u8), (INLINE, 10, 33), (INLINE, 10, 7), (3, 10, 8)] {
            let bytes = encode(&(form, element, length, [0u64; 4])).unwrap().bytes;
            assert!(decode::<NativeArray>(&bytes, Vec::new()).is_err(), "{form} {element} {length}");
        }
        assert!(NativeDraft::new(ElementType::F64, usize::MAX / 8).is_err());
    }
}
