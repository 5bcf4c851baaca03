//! Vectors of numbers as their memory: encoding and decoding them element by element takes ten times as long and more.
//!
//! A `Vec<f64>` (or a vector of another number type) that is a value by itself, or an argument, is written as bytes;
//! within other types its own `Serialize` applies. Hosts of a cluster have one byte order, which arrays need too.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;

/// Calls `$each` with every type of number.
macro_rules! of_each_number {
    ($each:ident) => {
        $each!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64)
    };
}

/// True if `T` is a vector of numbers.
fn is_vector<T: 'static>() -> bool {
    macro_rules! is_one {
        ($($number:ty)*) => { false $(|| TypeId::of::<T>() == TypeId::of::<Vec<$number>>())* };
    }
    of_each_number!(is_one)
}

/// The elements of a vector of numbers.
fn bytes_of<T: 'static>(value: &T) -> Option<&[u8]> {
    let value: &dyn Any = value;
    macro_rules! bytes_of_one {
        ($($number:ty)*) => {
            None $(.or_else(|| {
                value.downcast_ref::<Vec<$number>>().map(|vector| bytemuck::cast_slice(vector))
            }))*
        };
    }
    of_each_number!(bytes_of_one)
}

/// The vector of numbers with these elements; `None` if the bytes are not a whole number of elements.
fn vector_of<T: 'static>(bytes: &[u8]) -> Option<T> {
    let mut vector: Option<T> = None;
    let target: &mut dyn Any = &mut vector;
    macro_rules! fill_one {
        ($($number:ty)*) => {
            $(if let Some(target) = target.downcast_mut::<Option<Vec<$number>>>()
                && bytes.len().is_multiple_of(size_of::<$number>())
            {
                let mut vector = vec![<$number>::default(); bytes.len() / size_of::<$number>()];
                bytemuck::cast_slice_mut(&mut vector).copy_from_slice(bytes);
                *target = Some(vector);
            })*
        };
    }
    of_each_number!(fill_one);
    vector
}

/// Writes a value: a vector of numbers as bytes, others by their own `Serialize`.
///
/// # Errors
/// The value's own.
#[inline]
pub fn serialize<T: Serialize + 'static, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes_of(value) {
        Some(bytes) => serializer.serialize_bytes(bytes),
        None => value.serialize(serializer),
    }
}

/// Reads what `serialize` wrote.
///
/// # Errors
/// The value's own, or that half an element is left.
pub fn deserialize<'de, T: Deserialize<'de> + 'static, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    if is_vector::<T>() { deserializer.deserialize_bytes(Elements(PhantomData)) } else { T::deserialize(deserializer) }
}

struct Elements<T>(PhantomData<T>);

impl<T: 'static> Visitor<'_> for Elements<T> {
    type Value = T;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the bytes of a {}", std::any::type_name::<T>())
    }
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        vector_of(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
    }
}

/// A value that is written by `serialize`.
pub struct NumbersRef<'a, T>(pub &'a T);

impl<T: Serialize + 'static> Serialize for NumbersRef<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

/// A value that is read by `deserialize`.
pub struct Numbers<T>(pub T);

impl<'de, T: Deserialize<'de> + 'static> Deserialize<'de> for Numbers<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_round_trip<T: Serialize + for<'de> Deserialize<'de> + PartialEq + fmt::Debug + 'static>(
        value: &T,
        bytes: usize,
    ) {
        let encoded = postcard::to_allocvec(&NumbersRef(value)).unwrap();
        assert_eq!(encoded.len(), bytes, "{value:?}");
        assert_eq!(&postcard::from_bytes::<Numbers<T>>(&encoded).unwrap().0, value);
    }

    #[test]
    fn vector_of_numbers_is_encoded_as_bytes_and_length() {
        assert_round_trip(&vec![1u8, 200, 3], 1 + 3);
        assert_round_trip(&vec![i64::MIN, -1, 7], 1 + 24);
        assert_round_trip(&vec![1.5f64; 100], 2 + 800);
        assert_round_trip(&vec![u128::MAX], 1 + 16);
        assert_round_trip(&Vec::<f32>::new(), 1);
    }

    #[test]
    fn other_types_use_their_own_serialize() {
        assert_round_trip(&vec![true, false], 3);
        assert_round_trip(&vec![vec![1u64], vec![]], 4);
        assert_round_trip(&7u64, 1);
        assert_round_trip(&String::from("seven"), 6);
    }

    #[test]
    fn half_an_element_and_missing_bytes_are_errors() {
        let three = postcard::to_allocvec(&NumbersRef(&vec![1u8, 2, 3])).unwrap();
        let error = postcard::from_bytes::<Numbers<Vec<u16>>>(&three);
        assert!(error.is_err());
        assert!(postcard::from_bytes::<Numbers<Vec<u8>>>(&three[..3]).is_err());
        assert!(postcard::from_bytes::<Numbers<Vec<u8>>>(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]).is_err());
    }
}
