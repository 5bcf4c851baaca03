//! What a `Serialize` writes one by one: values, pairs, fields.

use crate::objects::codec::CodecError;
use crate::objects::codec::format::Tag;
use crate::objects::codec::serializer::Encoder;
use crate::objects::codec::shapes::Fields;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

/// A tuple that is being written.
pub(super) struct Compound<'e> {
    pub(super) encoder: &'e mut Encoder,
    /// Values that were announced and not given yet.
    pub(super) missing: usize,
    /// Its own, and that of the variant whose value it is.
    pub(super) levels: usize,
}

impl Compound<'_> {
    #[inline]
    fn value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), CodecError> {
        self.missing = self.missing.checked_sub(1).ok_or_else(wrong_count)?;
        value.serialize(&mut *self.encoder)
    }
    #[inline]
    fn finish(self) -> Result<(), CodecError> {
        self.encoder.depth.leave(self.levels);
        if self.missing == 0 { Ok(()) } else { Err(wrong_count()) }
    }
}

fn wrong_count() -> CodecError {
    CodecError::Value("a tuple has not as many values as its Serialize announced".to_string())
}

macro_rules! compound {
    ($($trait:ident $method:ident,)*) => {
        $(impl $trait for Compound<'_> {
            type Ok = ();
            type Error = CodecError;
            #[inline]
            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), CodecError> {
                self.value(value)
            }
            #[inline]
            fn end(self) -> Result<(), CodecError> {
                self.finish()
            }
        })*
    };
}

compound! {
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

/// The first values of a sequence.
enum Run {
    /// None was written yet.
    Empty,
    /// All are plain values of this tag.
    Uniform(Tag),
    /// Not all.
    Ended,
}

/// A sequence that is being written; the length that its `Serialize` announced does not matter.
pub(super) struct Sequence<'e> {
    encoder: &'e mut Encoder,
    /// Where the two lengths belong.
    at: usize,
    count: u64,
    /// Values of the first run.
    uniform: u64,
    run: Run,
}

impl<'e> Sequence<'e> {
    /// An empty one, whose lengths belong `at` this index.
    pub(super) fn new(encoder: &'e mut Encoder, at: usize) -> Sequence<'e> {
        Sequence { encoder, at, count: 0, uniform: 0, run: Run::Empty }
    }
}

impl SerializeSeq for Sequence<'_> {
    type Ok = ();
    type Error = CodecError;
    #[inline]
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), CodecError> {
        self.count += 1;
        let encoder = &mut *self.encoder;
        let start = encoder.out.len();
        encoder.omitted = false;
        encoder.omit = if let Run::Uniform(tag) = self.run { Some(tag) } else { None };
        value.serialize(&mut *encoder)?;
        match self.run {
            Run::Empty => match encoder.out.get(start).and_then(|tag| Tag::of(*tag)).filter(|tag| tag.is_number()) {
                Some(tag) => (self.run, self.uniform) = (Run::Uniform(tag), 1),
                None => self.run = Run::Ended,
            },
            Run::Uniform(_) if encoder.omitted => self.uniform += 1,
            Run::Uniform(_) => self.run = Run::Ended,
            Run::Ended => {}
        }
        Ok(())
    }
    fn end(self) -> Result<(), CodecError> {
        self.encoder.depth.leave(1);
        self.encoder.patch(self.at, self.count.to_le_bytes());
        self.encoder.patch(self.at + 8, self.uniform.to_le_bytes());
        Ok(())
    }
}

/// A map that is being written.
pub(super) struct Map<'e> {
    pub(super) encoder: &'e mut Encoder,
    /// Where the length belongs.
    pub(super) at: usize,
    pub(super) count: u64,
}

impl SerializeMap for Map<'_> {
    type Ok = ();
    type Error = CodecError;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), CodecError> {
        self.count += 1;
        key.serialize(&mut *self.encoder)
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), CodecError> {
        value.serialize(&mut *self.encoder)
    }
    fn end(self) -> Result<(), CodecError> {
        self.encoder.depth.leave(1);
        self.encoder.patch(self.at, self.count.to_le_bytes());
        Ok(())
    }
}

/// A struct that is being written.
pub(super) struct Struct<'e> {
    pub(super) encoder: &'e mut Encoder,
    /// Where the shape belongs.
    pub(super) at: usize,
    pub(super) fields: Fields,
    /// As of a tuple.
    pub(super) levels: usize,
}

macro_rules! structure {
    ($($trait:ident)*) => {
        $(impl $trait for Struct<'_> {
            type Ok = ();
            type Error = CodecError;
            #[inline]
            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), CodecError> {
                self.encoder.tables.get_or_insert_default().add(&mut self.fields, name);
                value.serialize(&mut *self.encoder)
            }
            fn end(self) -> Result<(), CodecError> {
                self.encoder.depth.leave(self.levels);
                let shape = self.encoder.tables.get_or_insert_default().end(self.fields);
                self.encoder.patch(self.at, shape.to_le_bytes());
                Ok(())
            }
        })*
    };
}

structure!(SerializeStruct SerializeStructVariant);
