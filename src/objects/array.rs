//! Arrays of plain data in the store: written once in place, then shared without a copy.
#![allow(unsafe_code)]

use crate::objects::encoding::{self, Attachment};
use crate::objects::packed::{self, Pin};
use bytemuck::Pod;
use serde::de::Error as _;
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
    length: usize,
    element: PhantomData<T>,
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        Array { memory: self.memory.clone(), length: self.length, element: PhantomData }
    }
}

// SAFETY: plain data that is not written any more; the memory is Send and Sync.
unsafe impl<T: Pod> Send for Array<T> {}
// SAFETY: as above.
unsafe impl<T: Pod> Sync for Array<T> {}

impl<T: Pod> Array<T> {
    /// An array over `length` elements at the start of `memory`.
    pub(crate) fn over(memory: Arc<dyn ArrayMemory>, length: usize) -> Option<Array<T>> {
        let bytes = memory.bytes();
        let fits = length.checked_mul(size_of::<T>()).is_some_and(|needed| needed <= bytes.len());
        let aligned = length == 0 || bytes.as_ptr().addr().is_multiple_of(align_of::<T>());
        packed::record_array();
        (fits && aligned).then_some(Array { memory, length, element: PhantomData })
    }

    /// A copy of `elements` outside of any store, which never leaves its process; `None` if their type takes no bytes.
    pub(crate) fn outside_store(elements: &[T]) -> Option<Array<T>> {
        Array::over(Arc::new(Heap::copy_of(bytemuck::cast_slice(elements))), elements.len())
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        self
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        let pointer = self.memory.bytes().as_ptr();
        if self.length == 0 || size_of::<T>() == 0 {
            return &[];
        }
        // SAFETY: `over` checked length and alignment of the same bytes; T is plain data, valid for any bytes; the
        // memory stays mapped and unwritten while `self.memory` lives.
        unsafe { std::slice::from_raw_parts(pointer.cast::<T>(), self.length) }
    }
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

/// As an attachment: its index and the length in elements; without attachments: the bytes themselves.
#[derive(Serialize, Deserialize)]
enum Form<'a> {
    Attached {
        index: u32,
        length: u64,
    },
    #[serde(borrow)]
    Inline(&'a [u8]),
}

impl<T: Pod> Serialize for Array<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match encoding::attach(Attachment::Array(self.memory.clone())) {
            Some(index) => Form::Attached { index, length: self.length as u64 }.serialize(serializer),
            None => Form::Inline(bytemuck::cast_slice(self)).serialize(serializer),
        }
    }
}

impl<'de, T: Pod> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Attached { index, length } => match encoding::attached(index) {
                Some(Attachment::Array(memory)) => Array::over(memory, length as usize)
                    .ok_or_else(|| D::Error::custom("the array attached to these bytes is too short")),
                _ => Err(D::Error::custom("no array is attached to these bytes")),
            },
            Form::Inline(bytes) => {
                let length = bytes.len().checked_div(size_of::<T>()).unwrap_or(0);
                Array::over(Arc::new(Heap::copy_of(bytes)), length)
                    .ok_or_else(|| D::Error::custom("the bytes are not a whole number of elements"))
            }
        }
    }
}

/// An array outside of any store: the result of another deserializer.
struct Heap(Vec<Line>, usize);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Heap {
    fn copy_of(bytes: &[u8]) -> Heap {
        let mut lines = vec![Line([0; 64]); bytes.len().div_ceil(64)];
        for (line, chunk) in lines.iter_mut().zip(bytes.chunks(64)) {
            line.0[..chunk.len()].copy_from_slice(chunk);
        }
        Heap(lines, bytes.len())
    }
}

impl ArrayMemory for Heap {
    fn bytes(&self) -> &[u8] {
        // SAFETY: `Line` is 64 plain bytes without padding; the length was that of the copied bytes, no more.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<u8>(), self.1) }
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
    length: usize,
    element: PhantomData<T>,
}

impl<T: Pod> ArrayMut<T> {
    /// Over memory of at least `length` elements, aligned to 64.
    pub(crate) fn over(draft: Box<dyn ArrayDraft>, length: usize) -> ArrayMut<T> {
        ArrayMut { draft, length, element: PhantomData }
    }

    /// The elements, to be written. New memory of the store is not cleared: write all of it.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let bytes = self.length * size_of::<T>();
        bytemuck::cast_slice_mut(&mut self.draft.bytes_mut()[..bytes])
    }

    /// Ends the writing.
    pub fn seal(self) -> Array<T> {
        packed::record_array();
        Array { memory: self.draft.seal(), length: self.length, element: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap(values: &[f64]) -> Array<f64> {
        Array::over(Arc::new(Heap::copy_of(bytemuck::cast_slice(values))), values.len()).unwrap()
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
        let bytes = postcard::to_allocvec(&Form::Attached { index: 0, length: 2 }).unwrap();
        assert!(encoding::decode::<Array<f64>>(&bytes, vec![memory]).is_err());
        assert!(encoding::decode::<Array<f64>>(&bytes, Vec::new()).is_err());
    }

    #[test]
    fn empty_array_is_accepted() {
        assert!(heap(&[]).is_empty());
    }
}
