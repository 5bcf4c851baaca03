//! Reads runs: of numbers, and those that lie in memory of their own.

use crate::objects::ArrayMemory;
use crate::objects::codec::CodecError;
use crate::objects::codec::format::{Tag, take, take_array, take_length};
use crate::objects::codec::numbers::vector_of;
use crate::objects::encoding::attached_run;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::sync::Arc;

/// Removes the index of an attachment: the memory that holds a run.
///
/// # Errors
/// If no memory of that index is attached.
pub(super) fn take_attached(input: &mut &[u8]) -> Result<Arc<dyn ArrayMemory>, CodecError> {
    let index = u32::from_le_bytes(take_array(input)?);
    attached_run(index).ok_or(CodecError::Damaged("a run of bytes is not attached"))
}

fn take_number_tag(input: &mut &[u8]) -> Result<Tag, CodecError> {
    let [tag] = take_array(input)?;
    Tag::of(tag).filter(|tag| tag.is_number()).ok_or(CodecError::Damaged("a run is of no kind of number"))
}

/// A run that is being read.
pub(super) struct NumberRun<'de> {
    /// Of each number.
    tag: Tag,
    bytes: RunBytes<'de>,
}

/// Where its bytes are: whole numbers.
enum RunBytes<'de> {
    Here(&'de [u8]),
    Attached(Arc<dyn ArrayMemory>),
}

impl<'de> NumberRun<'de> {
    /// Removes the run that follows its tag. Bytes are numbers for a reader that asks for a sequence.
    ///
    /// # Errors
    /// If there is none, or it ends too early.
    pub(super) fn after(tag: Tag, input: &mut &'de [u8]) -> Result<NumberRun<'de>, CodecError> {
        let run = match tag {
            Tag::Bytes => {
                let length = take_length(input)?;
                NumberRun { tag: Tag::U8, bytes: RunBytes::Here(take(input, length)?) }
            }
            Tag::SeparateBytes => NumberRun { tag: Tag::U8, bytes: RunBytes::Attached(take_attached(input)?) },
            Tag::Numbers => {
                let (tag, count) = (take_number_tag(input)?, take_length(input)?);
                let length =
                    count.checked_mul(tag.number_bytes()).ok_or(CodecError::Damaged("a length is too large"))?;
                NumberRun { tag, bytes: RunBytes::Here(take(input, length)?) }
            }
            Tag::SeparateNumbers => {
                let (memory, tag) = (take_attached(input)?, take_number_tag(input)?);
                if !memory.bytes().len().is_multiple_of(tag.number_bytes()) {
                    return Err(CodecError::Damaged("a run ends within a number"));
                }
                NumberRun { tag, bytes: RunBytes::Attached(memory) }
            }
            _ => return Err(CodecError::Damaged("numbers are expected, and something else was written")),
        };
        Ok(run)
    }

    /// What the visitor of a sequence makes of it.
    ///
    /// # Errors
    /// The visitor's, or that it left numbers.
    pub(super) fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let bytes = match &self.bytes {
            RunBytes::Here(bytes) => bytes,
            RunBytes::Attached(memory) => memory.bytes(),
        };
        if let Some(vector) = vector_of::<V>(self.tag, bytes) {
            return Ok(vector);
        }
        let mut numbers = Numbers { tag: self.tag, bytes };
        let count = numbers.left();
        let value = visitor.visit_seq(&mut numbers)?;
        match numbers.bytes.is_empty() {
            true => Ok(value),
            false => Err(serde::de::Error::invalid_length(count, &"fewer values")),
        }
    }
}

/// The numbers of a run, one by one.
struct Numbers<'a> {
    tag: Tag,
    bytes: &'a [u8],
}

impl Numbers<'_> {
    fn left(&self) -> usize {
        self.bytes.len() / self.tag.number_bytes()
    }
}

impl<'de> SeqAccess<'de> for &mut Numbers<'_> {
    type Error = CodecError;
    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CodecError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let (number, rest) = self.bytes.split_at(self.tag.number_bytes());
        self.bytes = rest;
        seed.deserialize(OneNumber { tag: self.tag, bytes: number }).map(Some)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.left())
    }
}

/// One of them.
struct OneNumber<'a> {
    tag: Tag,
    bytes: &'a [u8],
}

impl<'de> Deserializer<'de> for OneNumber<'_> {
    type Error = CodecError;
    #[inline]
    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, CodecError> {
        visit_number(self.tag, &mut self.bytes, visitor)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_some(self)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }
    /// As the deserializer of the value.
    fn is_human_readable(&self) -> bool {
        true
    }
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// Removes a number of that tag from the front.
///
/// # Errors
/// If it is the tag of no number, or the bytes end; the visitor's.
#[inline]
pub(super) fn visit_number<'de, V: Visitor<'de>>(
    tag: Tag,
    input: &mut &[u8],
    visitor: V,
) -> Result<V::Value, CodecError> {
    match tag {
        Tag::Bool => visitor.visit_bool(take_array::<1>(input)? != [0]),
        Tag::U8 => visitor.visit_u8(u8::from_le_bytes(take_array(input)?)),
        Tag::U16 => visitor.visit_u16(u16::from_le_bytes(take_array(input)?)),
        Tag::U32 => visitor.visit_u32(u32::from_le_bytes(take_array(input)?)),
        Tag::U64 => visitor.visit_u64(u64::from_le_bytes(take_array(input)?)),
        // What serde reads twice, as an untagged enum, it keeps in 64 bits.
        Tag::U128 => {
            let number = u128::from_le_bytes(take_array(input)?);
            match u64::try_from(number) {
                Ok(small) => visitor.visit_u64(small),
                Err(_) => visitor.visit_u128(number),
            }
        }
        Tag::I8 => visitor.visit_i8(i8::from_le_bytes(take_array(input)?)),
        Tag::I16 => visitor.visit_i16(i16::from_le_bytes(take_array(input)?)),
        Tag::I32 => visitor.visit_i32(i32::from_le_bytes(take_array(input)?)),
        Tag::I64 => visitor.visit_i64(i64::from_le_bytes(take_array(input)?)),
        Tag::I128 => {
            let number = i128::from_le_bytes(take_array(input)?);
            match i64::try_from(number) {
                Ok(small) => visitor.visit_i64(small),
                Err(_) => visitor.visit_i128(number),
            }
        }
        Tag::F32 => visitor.visit_f32(f32::from_le_bytes(take_array(input)?)),
        Tag::F64 => visitor.visit_f64(f64::from_le_bytes(take_array(input)?)),
        Tag::Char => {
            let number = u32::from_le_bytes(take_array(input)?);
            visitor.visit_char(char::from_u32(number).ok_or(CodecError::Damaged("a character does not exist"))?)
        }
        _ => Err(CodecError::Damaged("values of this tag have no common one")),
    }
}
