//! What a `Deserialize` reads one by one: values, fields, a variant.

use crate::objects::codec::CodecError;
use crate::objects::codec::deserializer::Decoder;
use crate::objects::codec::format::Tag;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, U32Deserializer, UnitDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::rc::Rc;

/// The values of a sequence or tuple, or the pairs of a map.
pub(super) struct Values<'d, 'de> {
    pub(super) decoder: &'d mut Decoder<'de>,
    pub(super) left: usize,
    /// How many of the next ones are of the tag that only the first of them was written with.
    pub(super) uniform: usize,
    pub(super) tag: Option<Tag>,
}

impl<'de> SeqAccess<'de> for &mut Values<'_, 'de> {
    type Error = CodecError;
    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CodecError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        if let Some(uniform) = self.uniform.checked_sub(1) {
            self.uniform = uniform;
            match self.tag {
                Some(tag) => self.decoder.omitted = Some(tag),
                None => {
                    let tag = self.decoder.peek()?;
                    if !tag.is_number() {
                        // Values without bytes of their own would never come to an end.
                        return Err(CodecError::Damaged("values of this tag have no common one"));
                    }
                    self.tag = Some(tag);
                }
            }
        }
        let value = seed.deserialize(&mut *self.decoder).map(Some);
        self.decoder.omitted = None;
        value
    }
    /// A value takes a byte at least, whatever length the bytes claim.
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.input.len()))
    }
}

impl<'de> MapAccess<'de> for &mut Values<'_, 'de> {
    type Error = CodecError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, CodecError> {
        self.next_element_seed(seed)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, CodecError> {
        seed.deserialize(&mut *self.decoder)
    }
    fn size_hint(&self) -> Option<usize> {
        SeqAccess::size_hint(self)
    }
}

/// The fields of a struct by their names, or a variant by its name.
pub(super) struct Named<'d, 'de> {
    pub(super) decoder: &'d mut Decoder<'de>,
    pub(super) names: Rc<[&'de str]>,
    pub(super) next: usize,
}

impl<'de> MapAccess<'de> for &mut Named<'_, 'de> {
    type Error = CodecError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, CodecError> {
        let Some(name) = self.names.get(self.next) else { return Ok(None) };
        self.next += 1;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, CodecError> {
        seed.deserialize(&mut *self.decoder)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.names.len() - self.next)
    }
}

/// A variant of an enum.
pub(super) struct OneVariant<'d, 'de> {
    pub(super) decoder: &'d mut Decoder<'de>,
    pub(super) index: u32,
    /// Unless the reader knows no variant of that name: then the index counts, as for a variant that has one name to
    /// write and another to read.
    pub(super) name: Option<&'de str>,
    pub(super) has_value: bool,
}

impl<'d, 'de> EnumAccess<'de> for OneVariant<'d, 'de> {
    type Error = CodecError;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), CodecError> {
        let value = match self.name {
            Some(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            None => seed.deserialize::<U32Deserializer<CodecError>>(self.index.into_deserializer()),
        };
        Ok((value?, self))
    }
}

impl<'de> VariantAccess<'de> for OneVariant<'_, 'de> {
    type Error = CodecError;
    fn unit_variant(self) -> Result<(), CodecError> {
        if self.has_value { <()>::deserialize(self.decoder) } else { Ok(()) }
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, CodecError> {
        match self.has_value {
            true => self.decoder.inner(|decoder| seed.deserialize(decoder)),
            false => seed.deserialize(UnitDeserializer::new()),
        }
    }
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, CodecError> {
        self.decoder.inner(|decoder| decoder.deserialize_tuple(length, visitor))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.decoder.inner(|decoder| decoder.deserialize_struct("", fields, visitor))
    }
}
