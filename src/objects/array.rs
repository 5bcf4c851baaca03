//! Arrays of plain data in the store: written once in place, then shared without a copy.
#![allow(unsafe_code)]

use crate::objects::encoding::{self, Attachment};
use crate::objects::form::{self, Forms, Parts};
use crate::objects::packed::{self, Pin};
use bytemuck::Pod;
use serde::de::{Error as _, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// Memory that holds a sealed array, for as long as this lives.
pub trait ArrayMemory: Send + Sync + 'static {
    /// The bytes: always the same ones, never written again, aligned to 64.
    fn bytes(&self) -> &[u8];
    /// For the runtime, which allocated it and knows its location.
    fn as_any(&self) -> &dyn Any;
    /// The pin of the bytes for a packed value of type `kind`, which may move them while no reader uses them; `None` if
    /// they stay in place.
    fn into_pin(self: Arc<Self>, _kind: &'static str) -> Option<Arc<dyn Pin>> {
        None
    }
}

/// An immutable array of plain data, in the store of some rank of this host. Cloning it copies nothing.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default())?;
/// let mut writer = mobula::create_array::<f64>(4)?;
/// writer.as_mut_slice().copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
/// let array: Array<f64> = writer.seal();
/// assert_eq!(array.iter().sum::<f64>(), 10.0);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub struct Array<T> {
    memory: Arc<dyn ArrayMemory>,
    /// Where the elements begin in the memory, which is aligned to 64: more than 0 where they need more.
    offset: usize,
    length: usize,
    element: PhantomData<T>,
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        Array { memory: self.memory.clone(), offset: self.offset, length: self.length, element: PhantomData }
    }
}

// SAFETY: plain data that is not written any more; the memory is Send and Sync.
unsafe impl<T: Pod> Send for Array<T> {}
// SAFETY: as above.
unsafe impl<T: Pod> Sync for Array<T> {}

impl<T: Pod> Array<T> {
    /// An array over `length` elements that begin at `offset` in `memory`; `None` if it is too short. Elements that
    /// need more alignment than they have there, as memory of another host may be aligned to 64 bytes only, are copied.
    pub(crate) fn over(memory: Arc<dyn ArrayMemory>, offset: usize, length: usize) -> Option<Array<T>> {
        packed::record_array();
        let end = length.checked_mul(size_of::<T>())?.checked_add(offset)?;
        let bytes = memory.bytes().get(offset..end)?;
        if !bytes.is_empty() && !bytes.as_ptr().addr().is_multiple_of(align_of::<T>()) {
            return Some(Array::copied(bytes, length));
        }
        Some(Array { memory, offset, length, element: PhantomData })
    }

    /// A copy of `elements` outside of any store, which never leaves its process.
    pub(crate) fn outside_store(elements: &[T]) -> Array<T> {
        Array::copied(bytemuck::cast_slice(elements), elements.len())
    }

    /// A copy of the bytes of `length` elements, outside of any store.
    fn copied(bytes: &[u8], length: usize) -> Array<T> {
        let memory = Heap::copy_of(bytes, align_of::<T>());
        let offset = memory.offset;
        Array { memory: Arc::new(memory), offset, length, element: PhantomData }
    }

    /// The same memory as elements of another type; `None` if it is not a whole number of them. As `over`, it is copied
    /// only where they need more alignment than they have.
    pub(crate) fn cast<U: Pod>(&self) -> Option<Array<U>> {
        let bytes = self.length * size_of::<T>();
        let length = bytes.checked_div(size_of::<U>()).filter(|length| length * size_of::<U>() == bytes)?;
        Array::over(self.memory.clone(), self.offset, length)
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        self
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        let end = self.offset + self.length * size_of::<T>();
        elements_of(&self.memory.bytes()[self.offset..end], self.length)
    }
}

/// The `length` elements in these bytes, which have their size and alignment.
fn elements_of<T: Pod>(bytes: &[u8], length: usize) -> &[T] {
    if bytes.is_empty() {
        // SAFETY: no byte is read: there is no element, or each has a size of 0. The pointer is aligned.
        return unsafe { std::slice::from_raw_parts(std::ptr::NonNull::dangling().as_ptr(), length) };
    }
    bytemuck::cast_slice(bytes)
}

impl<T: Pod> AsRef<[T]> for Array<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: Pod + PartialEq> PartialEq for Array<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// The first part of an encoded array: its memory is attached; index, offset and length follow.
const ATTACHED: u8 = 0;
/// As above: the bytes and the length follow, because nothing can be attached.
const INLINE: u8 = 1;

impl<T: Pod> Serialize for Array<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = self.length as u64;
        match encoding::attach(Attachment::Array(self.memory.clone())) {
            Some(index) => (ATTACHED, index, self.offset as u32, length).serialize(serializer),
            None => {
                let end = self.offset + self.length * size_of::<T>();
                (INLINE, &self.memory.bytes()[self.offset..end], length).serialize(serializer)
            }
        }
    }
}

impl<'de, T: Pod> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::deserialize(deserializer)
    }
}

impl<'de, T: Pod> Forms<'de> for Array<T> {
    const WHAT: &'static str = "an array";
    const PARTS: usize = 4;
    fn read<A: SeqAccess<'de>>(form: u8, mut parts: Parts<A>) -> Result<Option<Array<T>>, A::Error> {
        if form == ATTACHED {
            let (index, offset, length) = (parts.next::<u32>()?, parts.next::<u32>()?, parts.next::<u64>()?);
            let (Some(index), Some(offset), Some(length)) = (index, offset, length) else { return Ok(None) };
            let Some(Attachment::Array(memory)) = encoding::attached(index) else {
                return Err(A::Error::custom("no array is attached to these bytes"));
            };
            return Array::over(memory, offset as usize, length as usize)
                .map(Some)
                .ok_or_else(|| A::Error::custom("the array attached to these bytes is too short"));
        }
        let (Some(bytes), Some(length)) = (parts.next::<Vec<u8>>()?, parts.next::<u64>()?) else { return Ok(None) };
        match (length as usize).checked_mul(size_of::<T>()) {
            Some(expected) if expected == bytes.len() => Ok(Some(Array::copied(&bytes, length as usize))),
            _ => Err(A::Error::custom("the bytes are not a whole number of elements")),
        }
    }
}

/// An array outside of any store: the result of another deserializer, or a copy with more alignment.
struct Heap {
    lines: Vec<Line>,
    /// Where the copied bytes begin.
    offset: usize,
    /// Where they end.
    end: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Heap {
    fn copy_of(bytes: &[u8], align: usize) -> Heap {
        let padding = align.saturating_sub(64);
        let mut lines = vec![Line([0; 64]); (bytes.len() + padding).div_ceil(64)];
        let address = lines.as_ptr().addr();
        let offset = if bytes.is_empty() { 0 } else { address.next_multiple_of(align) - address };
        for (line, chunk) in lines[offset / 64..].iter_mut().zip(bytes.chunks(64)) {
            line.0[..chunk.len()].copy_from_slice(chunk);
        }
        Heap { lines, offset, end: offset + bytes.len() }
    }
}

impl ArrayMemory for Heap {
    fn bytes(&self) -> &[u8] {
        // SAFETY: `Line` is 64 plain bytes without padding; `copy_of` made room for as many bytes.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<u8>(), self.end) }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Memory of an array that is still being written.
pub(crate) trait ArrayDraft: Send + Sync {
    fn bytes_mut(&mut self) -> &mut [u8];
    fn seal(self: Box<Self>) -> Arc<dyn ArrayMemory>;
}

/// An array in the store that is still being written; [`seal`](ArrayMut::seal) turns it into an immutable [`Array`].
/// [`create_array`](crate::create_array) creates it.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default())?;
/// let mut writer: ArrayMut<u32> = mobula::create_array(1000)?;
/// writer.as_mut_slice().fill(7);
/// let array: Array<u32> = writer.seal();
/// assert_eq!(array.len(), 1000);
/// let reference = mobula::put(array)?; // no copy
/// assert_eq!(reference.get()?[999], 7);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub struct ArrayMut<T> {
    draft: Box<dyn ArrayDraft>,
    /// Where the elements begin in the memory.
    offset: usize,
    length: usize,
    element: PhantomData<T>,
}

impl<T: Pod> ArrayMut<T> {
    /// The bytes that memory aligned to 64 must have for `length` elements; `None` if there are not as many addresses.
    pub(crate) fn bytes_for(length: usize) -> Option<usize> {
        length.checked_mul(size_of::<T>())?.checked_add(align_of::<T>().saturating_sub(64))
    }

    /// Over memory of `bytes_for(length)` bytes, aligned to 64.
    pub(crate) fn over(mut draft: Box<dyn ArrayDraft>, length: usize) -> ArrayMut<T> {
        let address = draft.bytes_mut().as_ptr().addr();
        let offset = if length == 0 { 0 } else { address.next_multiple_of(align_of::<T>()) - address };
        ArrayMut { draft, offset, length, element: PhantomData }
    }

    /// The elements, to be written. New memory of the store is not cleared: write all of it.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let end = self.offset + self.length * size_of::<T>();
        let bytes = &mut self.draft.bytes_mut()[self.offset..end];
        if bytes.is_empty() {
            // SAFETY: no byte is written: there is no element, or each has a size of 0. The pointer is aligned.
            return unsafe { std::slice::from_raw_parts_mut(std::ptr::NonNull::dangling().as_ptr(), self.length) };
        }
        bytemuck::cast_slice_mut(bytes)
    }

    /// Ends the writing.
    pub fn seal(self) -> Array<T> {
        packed::record_array();
        Array { memory: self.draft.seal(), offset: self.offset, length: self.length, element: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap(values: &[f64]) -> Array<f64> {
        Array::outside_store(values)
    }

    #[test]
    fn array_in_serialized_value_is_not_copied() {
        let array = heap(&[1.0, 2.0]);
        let serialized = encoding::encode(&vec![Some(array.clone()), None]).unwrap();
        let back: Vec<Option<Array<f64>>> = encoding::decode(&serialized.bytes, serialized.attachments).unwrap();
        assert_eq!(back[0].as_ref().unwrap().as_ptr(), array.as_ptr());
    }

    #[test]
    fn array_without_attachments_is_encoded_as_bytes() {
        let bytes = postcard::to_allocvec(&heap(&[1.0, 2.0, 3.0])).unwrap();
        assert_eq!(*postcard::from_bytes::<Array<f64>>(&bytes).unwrap(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn wrong_length_is_refused() {
        let array = heap(&[1.0]);
        let memory = Attachment::Array(array.memory.clone());
        for (offset, length) in [(0u32, 2u64), (8, 1), (u32::MAX, 1), (0, u64::MAX)] {
            let bytes = encoding::encode(&(ATTACHED, 0u32, offset, length)).unwrap().bytes;
            assert!(encoding::decode::<Array<f64>>(&bytes, vec![memory.clone()]).is_err(), "{offset} {length}");
        }
        let bytes = encoding::encode(&(ATTACHED, 0u32, 0u32, 1u64)).unwrap().bytes;
        assert!(encoding::decode::<Array<f64>>(&bytes, Vec::new()).is_err());
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(C, align(4096))]
    struct Page([u64; 512]);
    // SAFETY: plain numbers without padding.
    unsafe impl bytemuck::Zeroable for Page {}
    // SAFETY: as above.
    unsafe impl Pod for Page {}

    /// Memory that is aligned to 64 bytes and no more, as a copy in another store may be.
    struct Elsewhere(Heap);
    impl ArrayMemory for Elsewhere {
        fn bytes(&self) -> &[u8] {
            &self.0.bytes()[self.0.offset + 64..]
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    #[test]
    fn elements_that_need_a_page_are_aligned_wherever_their_memory_lies() {
        let pages = [Page([3; 512]), Page([4; 512])];
        let array = Array::outside_store(&pages);
        assert_eq!(*array, pages);
        let moved = [&[0; 64], bytemuck::cast_slice::<_, u8>(&pages)].concat();
        let memory = Arc::new(Elsewhere(Heap::copy_of(&moved, 4096)));
        let copied = Array::<Page>::over(memory, 0, 2).unwrap();
        assert_eq!((*copied).as_ptr().addr() % 4096, 0);
        assert_eq!(*copied, pages);
    }

    #[test]
    fn elements_without_a_size_keep_their_length() {
        let array = Array::outside_store(&[(); 7]);
        let serialized = encoding::encode(&array).unwrap();
        assert_eq!(encoding::decode::<Array<()>>(&serialized.bytes, serialized.attachments).unwrap().len(), 7);
        let bytes = postcard::to_allocvec(&array).unwrap();
        assert_eq!(postcard::from_bytes::<Array<()>>(&bytes).unwrap().len(), 7);
    }

    #[test]
    fn empty_array_is_accepted() {
        assert!(heap(&[]).is_empty());
    }
}
