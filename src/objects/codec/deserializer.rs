//! Reads values.

use crate::base::copy::copy_of;
use crate::objects::codec::CodecError;
use crate::objects::codec::access::{Named, OneVariant, Values};
use crate::objects::codec::depth::Depth;
use crate::objects::codec::format::{HAS_SEPARATE_RUNS, Tag, take, take_array, take_length, take_str};
use crate::objects::codec::numbers::vector_of;
use crate::objects::codec::runs::{NumberRun, take_attached, visit_number};
use crate::objects::codec::shapes::{ReadTables, Reading};
use crate::objects::encoding::take_refused;
use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserializer, Visitor};
use std::rc::Rc;

/// Reads a value that `to_bytes` wrote.
///
/// # Errors
/// What the type's `Deserialize` returns, or that the bytes are damaged or too many.
pub fn from_bytes<'de, T: Deserialize<'de>>(mut bytes: &'de [u8]) -> Result<T, CodecError> {
    let tables = ReadTables::take(&mut bytes)?;
    let mut decoder = Decoder { input: bytes, tables, omitted: None, by_name: false, depth: Depth::new() };
    match decoder.whole() {
        // A Deserialize that was written by hand may know a struct's fields by their names only.
        Err(error) if decoder.tables.is_some() => {
            decoder = Decoder { input: bytes, omitted: None, by_name: true, depth: Depth::new(), ..decoder };
            let value = decoder.whole().map_err(|_| error)?;
            take_refused::<T>();
            Ok(value)
        }
        outcome => outcome,
    }
}

/// True if memory that is attached to a value holds runs of its bytes.
pub fn has_separate_runs(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|end| end & HAS_SEPARATE_RUNS != 0)
}

pub(super) struct Decoder<'de> {
    pub(super) input: &'de [u8],
    /// If there is a struct or an enum.
    tables: Option<Box<ReadTables<'de>>>,
    /// The tag of the next value, which was written without it.
    pub(super) omitted: Option<Tag>,
    /// Read each struct by the names of its fields.
    by_name: bool,
    depth: Depth,
}

impl<'de> Decoder<'de> {
    fn whole<T: Deserialize<'de>>(&mut self) -> Result<T, CodecError> {
        let value = T::deserialize(&mut *self)?;
        if self.input.is_empty() { Ok(value) } else { Err(CodecError::BytesLeft(self.input.len())) }
    }

    #[inline]
    pub(super) fn peek(&self) -> Result<Tag, CodecError> {
        if let Some(tag) = self.omitted {
            return Ok(tag);
        }
        let byte = self.input.first().ok_or(CodecError::Damaged("they end too early"))?;
        Tag::of(*byte).ok_or(CodecError::Damaged("a tag is unknown"))
    }

    #[inline]
    fn tag(&mut self) -> Result<Tag, CodecError> {
        if let Some(tag) = self.omitted.take() {
            return Ok(tag);
        }
        let tag = self.peek()?;
        self.input = &self.input[1..];
        Ok(tag)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        take_array(&mut self.input)
    }

    fn tables(&mut self) -> Result<&mut ReadTables<'de>, CodecError> {
        self.tables.as_deref_mut().ok_or(CodecError::Damaged("the tables are missing"))
    }

    fn index(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn count(&mut self) -> Result<usize, CodecError> {
        usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| CodecError::Damaged("a length is too large"))
    }

    /// The vector that `V` reads, if what comes next is a sequence of plain values of its type only.
    #[inline]
    fn uniform_vector<V: Visitor<'de>>(&mut self) -> Option<V::Value> {
        let mut input = self.input.get(1..)?;
        let (count, uniform) = (take_array::<8>(&mut input).ok()?, take_array::<8>(&mut input).ok()?);
        let ([tag], true) = (take_array(&mut input).ok()?, count == uniform) else { return None };
        let tag = Tag::of(tag).filter(|tag| tag.is_number())?;
        let length = usize::try_from(u64::from_le_bytes(count)).ok()?.checked_mul(tag.number_bytes())?;
        let vector = vector_of::<V>(tag, take(&mut input, length).ok()?)?;
        self.input = input;
        Some(vector)
    }

    #[inline]
    fn values(&mut self, left: usize, uniform: usize) -> Values<'_, 'de> {
        Values { decoder: self, left, uniform, tag: None }
    }

    /// Removes the tag of an optional value where the reader expects the value itself.
    #[inline]
    fn skip_some(&mut self) -> Result<(), CodecError> {
        while self.peek()? == Tag::Some {
            self.tag()?;
        }
        Ok(())
    }

    /// Reads what lies within the current value.
    #[inline]
    pub(super) fn inner<R>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'de>) -> Result<R, CodecError>,
    ) -> Result<R, CodecError> {
        self.depth.enter(1)?;
        let value = read(self)?;
        self.depth.leave(1);
        Ok(value)
    }

    /// The names and the number of the shape that follows.
    fn names(&mut self) -> Result<Rc<[&'de str]>, CodecError> {
        let shape = self.index()?;
        self.tables()?.names(shape).cloned()
    }

    #[inline]
    fn visit_values<V: Visitor<'de>>(
        &mut self,
        visitor: V,
        count: usize,
        uniform: usize,
    ) -> Result<V::Value, CodecError> {
        self.depth.enter(1)?;
        let mut values = self.values(count, uniform);
        let value = visitor.visit_seq(&mut values)?;
        values.decoder.depth.leave(1);
        // A reader that expects fewer values than there are has misread them.
        if values.left == 0 { Ok(value) } else { Err(serde::de::Error::invalid_length(count, &"fewer values")) }
    }

    fn visit_names<V: Visitor<'de>>(&mut self, visitor: V, names: Rc<[&'de str]>) -> Result<V::Value, CodecError> {
        self.depth.enter(1)?;
        let mut fields = Named { decoder: self, names, next: 0 };
        let value = visitor.visit_map(&mut fields)?;
        fields.decoder.depth.leave(1);
        let count = fields.names.len();
        if fields.next == count { Ok(value) } else { Err(serde::de::Error::invalid_length(count, &"fewer fields")) }
    }
}

/// Methods whose reader asks for a plain value: the tag says which it is.
macro_rules! plain {
    ($($method:ident)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            self.skip_some()?;
            self.deserialize_any(visitor)
        })*
    };
}

/// The same for numbers, which nearly always are of the type that the reader asks for.
macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty, $tag:ident;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            if self.peek()? == Tag::$tag {
                self.tag()?;
                return visitor.$visit(<$number>::from_le_bytes(self.array()?));
            }
            self.skip_some()?;
            self.deserialize_any(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.tag()? {
            tag if tag.is_number() => visit_number(tag, &mut self.input, visitor),
            Tag::Unit => visitor.visit_unit(),
            Tag::Str => visitor.visit_borrowed_str(take_str(&mut self.input)?),
            Tag::Bytes => {
                let length = take_length(&mut self.input)?;
                visitor.visit_borrowed_bytes(take(&mut self.input, length)?)
            }
            Tag::None => visitor.visit_none(),
            Tag::Some => self.inner(|decoder| visitor.visit_some(decoder)),
            Tag::Seq => {
                let (count, uniform) = (self.count()?, self.count()?);
                self.visit_values(visitor, count, uniform)
            }
            Tag::Tuple => {
                let count = take_length(&mut self.input)?;
                self.visit_values(visitor, count, 0)
            }
            Tag::Map => {
                let left = self.count()?;
                self.depth.enter(1)?;
                let mut pairs = self.values(left, 0);
                let value = visitor.visit_map(&mut pairs)?;
                pairs.decoder.depth.leave(1);
                if pairs.left == 0 { Ok(value) } else { Err(serde::de::Error::invalid_length(left, &"fewer pairs")) }
            }
            Tag::Struct => {
                let names = self.names()?;
                self.visit_names(visitor, names)
            }
            Tag::UnitVariant => {
                let variant = self.index()?;
                visitor.visit_borrowed_str(self.tables()?.variant(variant)?.1)
            }
            // As formats do that write a variant as a map of one pair.
            Tag::Variant => {
                let variant = self.index()?;
                let name = self.tables()?.variant(variant)?.1;
                self.visit_names(visitor, Rc::new([name]))
            }
            Tag::SeparateStr => {
                // Checked after it is copied: then nobody can change it.
                let text = String::from_utf8(copy_of(take_attached(&mut self.input)?.bytes()));
                visitor.visit_string(text.map_err(|_| CodecError::Damaged("a text is not valid"))?)
            }
            Tag::SeparateBytes => visitor.visit_bytes(take_attached(&mut self.input)?.bytes()),
            tag => NumberRun::after(tag, &mut self.input)?.visit(visitor),
        }
    }

    numbers! {
        deserialize_u8 visit_u8 u8, U8;
        deserialize_u16 visit_u16 u16, U16;
        deserialize_u32 visit_u32 u32, U32;
        deserialize_u64 visit_u64 u64, U64;
        deserialize_i8 visit_i8 i8, I8;
        deserialize_i16 visit_i16 i16, I16;
        deserialize_i32 visit_i32 i32, I32;
        deserialize_i64 visit_i64 i64, I64;
        deserialize_f32 visit_f32 f32, F32;
        deserialize_f64 visit_f64 f64, F64;
    }

    plain! {
        deserialize_bool deserialize_u128 deserialize_i128 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_map deserialize_identifier
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_any(visitor)
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_any(visitor)
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_any(visitor)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.peek()? {
            Tag::Some => {
                self.tag()?;
                self.inner(|decoder| visitor.visit_some(decoder))
            }
            Tag::None => self.deserialize_any(visitor),
            // Its Serialize wrote the value itself.
            _ => visitor.visit_some(self),
        }
    }
    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.skip_some()?;
        match self.peek()? {
            Tag::Tuple => {
                self.tag()?;
                let count = take_length(&mut self.input)?;
                self.visit_values(visitor, count, 0)
            }
            Tag::Struct => {
                self.tag()?;
                let count = self.names()?.len();
                self.visit_values(visitor, count, 0)
            }
            Tag::Seq => match self.uniform_vector::<V>() {
                Some(vector) => Ok(vector),
                None => self.deserialize_any(visitor),
            },
            tag @ (Tag::Bytes | Tag::SeparateBytes) => {
                self.tag()?;
                NumberRun::after(tag, &mut self.input)?.visit(visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }
    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_seq(visitor)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.deserialize_seq(visitor)
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.skip_some()?;
        if self.peek()? != Tag::Struct {
            return self.deserialize_any(visitor);
        }
        self.tag()?;
        let shape = self.index()?;
        match self.tables()?.reading(shape, fields)? {
            Reading::InOrder(_) if !self.by_name => self.visit_values(visitor, fields.len(), 0),
            Reading::InOrder(names) | Reading::ByName(names) => self.visit_names(visitor, names),
        }
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.skip_some()?;
        match self.peek()? {
            tag @ (Tag::UnitVariant | Tag::Variant) => {
                self.tag()?;
                let variant = self.index()?;
                let (index, name) = self.tables()?.variant(variant)?;
                let name = variants.contains(&name).then_some(name);
                visitor.visit_enum(OneVariant { decoder: self, index, name, has_value: tag == Tag::Variant })
            }
            // Its Serialize wrote the name of a variant as a text.
            Tag::Str => {
                self.tag()?;
                visitor.visit_enum(BorrowedStrDeserializer::new(take_str(&mut self.input)?))
            }
            _ => Err(serde::de::Error::custom("an enum is expected, and something else was written")),
        }
    }
    /// What serde keeps before it knows the type, it reads as a format for people has it.
    fn is_human_readable(&self) -> bool {
        true
    }
}
