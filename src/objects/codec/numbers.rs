//! Which lists are runs of numbers: a vector or a slice of a number type is written and read as its memory, wherever it
//! lies in a value.
//!
//! serde gives a serializer the vector as a list of any type, and a deserializer a visitor of any type; their types
//! tell which they are. Only the visitor with which serde itself reads a `Vec` is passed over: one of the user's may do
//! anything with the elements, and gets them one by one, as every other reader does.

use crate::base::copy::copy_of;
use crate::objects::codec::format::Tag;
use crate::objects::codec::type_of::{Element, TypeOf};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::any::TypeId;
use std::fmt;

/// Numbers are little-endian in the format. Where they are not in memory, they are written and read one by one.
const IS_MEMORY: bool = cfg!(target_endian = "little");

/// A number whose vectors are runs.
trait Number: Element + DeserializeOwned {
    const TAG: Tag;
    fn bytes(list: &[Self]) -> &[u8];
    /// From bytes of whole elements, in one copy.
    fn vector(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($($number:ty, $tag:ident;)*) => {
        $(impl Number for $number {
            const TAG: Tag = Tag::$tag;
            fn bytes(list: &[$number]) -> &[u8] {
                bytemuck::cast_slice(list)
            }
            fn vector(bytes: &[u8]) -> Vec<$number> {
                match bytemuck::try_cast_slice::<u8, $number>(bytes) {
                    Ok(list) => copy_of(list),
                    Err(_) => bytes.as_chunks().0.iter().map(|bytes| <$number>::from_le_bytes(*bytes)).collect(),
                }
            }
        })*
    };
}

number! {
    u8, U8;
    u16, U16;
    u32, U32;
    u64, U64;
    u128, U128;
    i8, I8;
    i16, I16;
    i32, I32;
    i64, I64;
    i128, I128;
    f32, F32;
    f64, F64;
}

// serde writes them as numbers of 64 bits.
#[cfg(target_pointer_width = "64")]
number! {
    usize, U64;
    isize, I64;
}

impl Number for bool {
    const TAG: Tag = Tag::Bool;
    fn bytes(list: &[bool]) -> &[u8] {
        bytemuck::cast_slice(list)
    }
    fn vector(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().map(|byte| *byte != 0).collect()
    }
}

/// Calls `$each` with every such type.
macro_rules! of_each_number {
    ($each:ident) => {
        $each!(f64 u8 f32 i32 i64 u32 u64 u16 i16 i8 u128 i128 bool);
        #[cfg(target_pointer_width = "64")]
        $each!(usize isize);
    };
}

/// The tag of the numbers and their memory, if the list is a vector or a slice of a number type.
#[inline]
pub(super) fn run_of<I>(list: &I) -> Option<(Tag, &[u8])> {
    let of = TypeOf::<I>::new();
    macro_rules! run_of_one {
        ($($number:ty)*) => {
            $(if let Some(elements) = of.elements::<$number>(list) {
                return IS_MEMORY.then(|| (<$number>::TAG, <$number>::bytes(elements)));
            })*
        };
    }
    of_each_number!(run_of_one);
    None
}

/// The vector that `V` reads, if `V` is serde's own visitor for vectors of numbers of that tag. The bytes are those of
/// whole elements.
#[inline]
pub(super) fn vector_of<'de, V: Visitor<'de>>(tag: Tag, bytes: &[u8]) -> Option<V::Value> {
    let value = TypeOf::<V::Value>::new();
    macro_rules! vector_of_one {
        ($($number:ty)*) => {
            $(if value.is_vector::<$number>() {
                let reads_runs = IS_MEMORY && is_visitor_of_vectors::<$number>(TypeOf::<V>::new().id());
                let is_one = reads_runs && tag == <$number>::TAG;
                return if is_one { value.of_vector(<$number>::vector(bytes)) } else { None };
            })*
        };
    }
    of_each_number!(vector_of_one);
    None
}

/// True if it is the visitor of serde's `Deserialize` for `Vec<E>`.
#[inline]
fn is_visitor_of_vectors<E: DeserializeOwned>(visitor: TypeId) -> bool {
    matches!(<Vec<E> as serde::Deserialize>::deserialize(WhichVisitor), Err(Asked(Some(asked))) if asked == visitor)
}

/// A deserializer that reads nothing and tells which visitor it was given for a sequence.
struct WhichVisitor;

/// The visitor.
#[derive(Debug)]
struct Asked(Option<TypeId>);

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nothing is read")
    }
}

impl std::error::Error for Asked {}

impl serde::de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Asked {
        Asked(None)
    }
}

impl<'de> Deserializer<'de> for WhichVisitor {
    type Error = Asked;
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked(None))
    }
    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked(Some(TypeOf::<V>::new().id())))
    }
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
