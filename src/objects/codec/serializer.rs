//! Writes values.

use crate::base::limits::SEPARATE_BYTES_MIN;
use crate::objects::codec::CodecError;
use crate::objects::codec::depth::Depth;
use crate::objects::codec::format::{HAS_SEPARATE_RUNS, HAS_TABLES, StoreRun, Tag, put_length};
use crate::objects::codec::numbers::run_of;
use crate::objects::codec::parts::{Compound, Map, Sequence, Struct};
use crate::objects::codec::shapes::Tables;
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// Writes a value into `out`, which is empty, in at most `bytes_max` bytes. `store_run` takes long runs of bytes.
///
/// # Errors
/// What the value's `Serialize` returns, or that it takes more bytes.
pub fn to_bytes(
    value: &impl Serialize,
    out: Vec<u8>,
    bytes_max: usize,
    store_run: Option<StoreRun>,
) -> Result<Vec<u8>, CodecError> {
    let depth = Depth::new();
    let mut encoder = Encoder { out, bytes_max, tables: None, omit: None, omitted: false, end: 0, store_run, depth };
    value.serialize(&mut encoder)?;
    if let Some(tables) = encoder.tables.take() {
        tables.finish(&mut encoder.out);
        encoder.end |= HAS_TABLES;
    }
    encoder.out.push(encoder.end);
    match encoder.out.len() <= bytes_max {
        true => Ok(encoder.out),
        false => Err(CodecError::TooLong(bytes_max)),
    }
}

/// Room for what follows a run: the ends of the values around it, and of the message.
const AFTER_RUN_BYTES: usize = 32;

pub(super) struct Encoder {
    pub(super) out: Vec<u8>,
    /// How many bytes `out` may have.
    bytes_max: usize,
    /// Once there is a struct or an enum.
    pub(super) tables: Option<Box<Tables>>,
    /// The tag that the value that comes next is written without, if that is its tag.
    pub(super) omit: Option<Tag>,
    /// It was.
    pub(super) omitted: bool,
    /// The last byte of the message.
    end: u8,
    store_run: Option<StoreRun>,
    pub(super) depth: Depth,
}

impl Encoder {
    /// Checks the bound, if what is added next has a length of its own.
    #[inline]
    fn reserve(&mut self, bytes: usize) -> Result<(), CodecError> {
        if self.out.len().saturating_add(bytes) > self.bytes_max {
            return Err(CodecError::TooLong(self.bytes_max));
        }
        Ok(())
    }

    #[inline]
    fn tag(&mut self, tag: Tag) -> Result<(), CodecError> {
        self.reserve(1)?;
        self.omit = None;
        self.out.push(tag as u8);
        Ok(())
    }

    #[inline]
    fn number<const N: usize>(&mut self, tag: Tag, bytes: [u8; N]) -> Result<(), CodecError> {
        self.reserve(1 + N)?;
        if self.omit.take() == Some(tag) {
            self.omitted = true;
        } else {
            self.out.push(tag as u8);
        }
        self.out.extend_from_slice(&bytes);
        Ok(())
    }

    /// Gives a long run to the place that the caller has for it: the index of the attachment.
    #[inline]
    fn store(&mut self, bytes: &[u8]) -> Option<u32> {
        if bytes.len() < SEPARATE_BYTES_MIN {
            return None;
        }
        let index = self.store_run?(bytes)?;
        self.end |= HAS_SEPARATE_RUNS;
        Some(index)
    }

    /// Appends a run, and makes room for what follows it: growth would copy the run again.
    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + AFTER_RUN_BYTES);
        self.out.extend_from_slice(bytes);
    }

    fn text(&mut self, tag: Tag, bytes: &[u8]) -> Result<(), CodecError> {
        if let Some(index) = self.store(bytes) {
            let tag = if tag == Tag::Str { Tag::SeparateStr } else { Tag::SeparateBytes };
            return self.number(tag, index.to_le_bytes());
        }
        self.reserve(bytes.len())?;
        self.tag(tag)?;
        put_length(&mut self.out, bytes.len());
        self.append(bytes);
        Ok(())
    }

    /// Numbers of that tag.
    fn numbers(&mut self, tag: Tag, bytes: &[u8]) -> Result<(), CodecError> {
        if let Some(index) = self.store(bytes) {
            self.number(Tag::SeparateNumbers, index.to_le_bytes())?;
            self.out.push(tag as u8);
            return Ok(());
        }
        self.reserve(bytes.len())?;
        self.tag(Tag::Numbers)?;
        self.out.push(tag as u8);
        put_length(&mut self.out, bytes.len() / tag.number_bytes());
        self.append(bytes);
        Ok(())
    }

    /// A tag with a number that is known only at the end.
    fn begin<const N: usize>(&mut self, tag: Tag) -> Result<usize, CodecError> {
        self.number(tag, [0; N])?;
        Ok(self.out.len() - N)
    }

    pub(super) fn patch<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self.out[at..at + N].copy_from_slice(&bytes);
    }

    fn variant(&mut self, tag: Tag, index: u32, name: &'static str) -> Result<(), CodecError> {
        let variant = self.tables.get_or_insert_default().variant(index, name);
        self.number(tag, variant.to_le_bytes())
    }

    #[inline]
    fn tuple(&mut self, length: usize, levels: usize) -> Result<Compound<'_>, CodecError> {
        self.tag(Tag::Tuple)?;
        put_length(&mut self.out, length);
        self.depth.enter(levels)?;
        Ok(Compound { encoder: self, missing: length, levels })
    }

    fn structure(&mut self, name: &'static str, levels: usize) -> Result<Struct<'_>, CodecError> {
        let at = self.begin::<4>(Tag::Struct)?;
        let fields = self.tables.get_or_insert_default().begin(name);
        self.depth.enter(levels)?;
        Ok(Struct { encoder: self, at, fields, levels })
    }

    /// The one value within another.
    fn inner(&mut self, value: &(impl ?Sized + Serialize)) -> Result<(), CodecError> {
        self.depth.enter(1)?;
        value.serialize(&mut *self)?;
        self.depth.leave(1);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident $number:ty, $tag:ident;)*) => {
        $(#[inline]
        fn $method(self, number: $number) -> Result<(), CodecError> {
            self.number(Tag::$tag, number.to_le_bytes())
        })*
    };
}

impl<'e> Serializer for &'e mut Encoder {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Sequence<'e>;
    type SerializeTuple = Compound<'e>;
    type SerializeTupleStruct = Compound<'e>;
    type SerializeTupleVariant = Compound<'e>;
    type SerializeMap = Map<'e>;
    type SerializeStruct = Struct<'e>;
    type SerializeStructVariant = Struct<'e>;

    numbers! {
        serialize_u8 u8, U8;
        serialize_u16 u16, U16;
        serialize_u32 u32, U32;
        serialize_u64 u64, U64;
        serialize_u128 u128, U128;
        serialize_i8 i8, I8;
        serialize_i16 i16, I16;
        serialize_i32 i32, I32;
        serialize_i64 i64, I64;
        serialize_i128 i128, I128;
        serialize_f32 f32, F32;
        serialize_f64 f64, F64;
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), CodecError> {
        self.number(Tag::Bool, [u8::from(value)])
    }
    fn serialize_char(self, value: char) -> Result<(), CodecError> {
        self.number(Tag::Char, u32::from(value).to_le_bytes())
    }
    fn serialize_str(self, text: &str) -> Result<(), CodecError> {
        self.text(Tag::Str, text.as_bytes())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), CodecError> {
        self.text(Tag::Bytes, bytes)
    }
    fn serialize_none(self) -> Result<(), CodecError> {
        self.tag(Tag::None)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), CodecError> {
        self.tag(Tag::Some)?;
        self.inner(value)
    }
    #[inline]
    fn serialize_unit(self) -> Result<(), CodecError> {
        self.tag(Tag::Unit)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CodecError> {
        self.tag(Tag::Unit)
    }
    fn serialize_unit_variant(self, _: &'static str, index: u32, name: &'static str) -> Result<(), CodecError> {
        self.variant(Tag::UnitVariant, index, name)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), CodecError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.variant(Tag::Variant, index, name)?;
        self.inner(value)
    }
    #[inline]
    fn collect_seq<I: IntoIterator<Item: Serialize>>(self, list: I) -> Result<(), CodecError> {
        if let Some((tag, bytes)) = run_of(&list) {
            return self.numbers(tag, bytes);
        }
        let mut values = self.serialize_seq(None)?;
        list.into_iter().try_for_each(|value| values.serialize_element(&value))?;
        values.end()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Sequence<'e>, CodecError> {
        let at = self.begin::<16>(Tag::Seq)?;
        self.depth.enter(1)?;
        Ok(Sequence::new(self, at))
    }
    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Compound<'e>, CodecError> {
        self.tuple(length, 1)
    }
    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Compound<'e>, CodecError> {
        self.tuple(length, 1)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Compound<'e>, CodecError> {
        self.variant(Tag::Variant, index, name)?;
        self.tuple(length, 2)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Map<'e>, CodecError> {
        let at = self.begin::<8>(Tag::Map)?;
        self.depth.enter(1)?;
        Ok(Map { encoder: self, at, count: 0 })
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Struct<'e>, CodecError> {
        self.structure(name, 1)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Struct<'e>, CodecError> {
        self.variant(Tag::Variant, index, name)?;
        self.structure(name, 2)
    }
    /// What serde keeps before it knows the type, it reads as a format for people has it.
    fn is_human_readable(&self) -> bool {
        true
    }
}
