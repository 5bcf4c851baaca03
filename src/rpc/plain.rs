//! Plain data: numbers, which are copied as bytes instead of being serialized. Hosts of a cluster have one byte order.

use std::any::{Any, TypeId};

/// Bytes that the arguments of a short call have, or its result.
pub const PLAIN_BYTES_MAX: usize = 40;

/// A few plain values, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct PlainBytes {
    length: usize,
    bytes: [u8; PLAIN_BYTES_MAX],
}

impl PlainBytes {
    /// No value yet.
    #[inline]
    pub fn new() -> PlainBytes {
        PlainBytes { length: 0, bytes: [0; PLAIN_BYTES_MAX] }
    }

    /// The bytes of the values so far.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Appends a value; false if it is not plain, or there is no space for it.
    #[inline]
    pub fn push<T: 'static>(&mut self, value: &T) -> bool {
        let value: &dyn Any = value;
        macro_rules! push_one {
            ($($number:ty)*) => {
                $(if let Some(number) = value.downcast_ref::<$number>() {
                    return self.push_bytes(&number.to_ne_bytes());
                })*
            };
        }
        push_one!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
        if let Some(truth) = value.downcast_ref::<bool>() {
            return self.push_bytes(&[u8::from(*truth)]);
        }
        value.is::<()>()
    }

    /// Appends bytes; false if there is no space for them.
    #[inline]
    pub fn push_bytes(&mut self, bytes: &[u8]) -> bool {
        let Some(space) = self.bytes.get_mut(self.length..self.length + bytes.len()) else { return false };
        space.copy_from_slice(bytes);
        self.length += bytes.len();
        true
    }
}

/// True if values of type `T` are plain.
#[inline]
pub fn is_plain<T: 'static>() -> bool {
    macro_rules! is_one {
        ($($plain:ty)*) => { false $(|| TypeId::of::<T>() == TypeId::of::<$plain>())* };
    }
    is_one!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool) || TypeId::of::<T>() == TypeId::of::<()>()
}

/// Takes a value of type `T` from the front of `bytes`; `None` if they do not begin with one, or `T` is not plain.
#[inline]
pub fn take<T: 'static>(bytes: &mut &[u8]) -> Option<T> {
    let mut value: Option<T> = None;
    let target: &mut dyn Any = &mut value;
    macro_rules! take_one {
        ($($number:ty)*) => {
            $(if let Some(target) = target.downcast_mut::<Option<$number>>() {
                let (first, rest) = bytes.split_first_chunk()?;
                *target = Some(<$number>::from_ne_bytes(*first));
                *bytes = rest;
                return value;
            })*
        };
    }
    take_one!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
    if let Some(target) = target.downcast_mut::<Option<bool>>() {
        let (first, rest) = bytes.split_first()?;
        *target = Some(match first {
            0 => false,
            1 => true,
            _ => return None,
        });
        *bytes = rest;
    } else if let Some(target) = target.downcast_mut::<Option<()>>() {
        *target = Some(());
    }
    value
}

/// The one value of type `T` that is all of `bytes`.
#[inline]
pub fn only<T: 'static>(mut bytes: &[u8]) -> Option<T> {
    take(&mut bytes).filter(|_| bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn comes_back<T: PartialEq + Debug + 'static>(values: &[T]) {
        for value in values {
            let mut bytes = PlainBytes::new();
            assert!(bytes.push(value), "{value:?} is plain");
            assert_eq!(only::<T>(bytes.as_slice()).as_ref(), Some(value));
            let longer = [bytes.as_slice(), &[0]].concat();
            assert_eq!(only::<T>(&longer), None, "{value:?} with a byte too many");
            if let Some(shorter) = bytes.as_slice().split_last().map(|(_, shorter)| shorter) {
                assert_eq!(only::<T>(shorter), None, "{value:?} without its last byte");
            }
        }
    }

    #[test]
    fn numbers_come_back_and_need_all_their_bytes() {
        comes_back(&[0u8, 255]);
        comes_back(&[i16::MIN, -1, i16::MAX]);
        comes_back(&[u64::MAX, 1 << 40]);
        comes_back(&[i128::MIN, 7]);
        comes_back(&[usize::MAX]);
        comes_back(&[0.1f32, f32::INFINITY, f32::MIN_POSITIVE]);
        comes_back(&[-0.0f64, f64::MAX]);
        comes_back(&[true, false]);
        comes_back(&[()]);
        let mut bytes = PlainBytes::new();
        assert!(bytes.push(&f64::from_bits(0x7ff8_0000_0000_beef)));
        assert_eq!(only::<f64>(bytes.as_slice()).map(f64::to_bits), Some(0x7ff8_0000_0000_beef), "NaN's bits too");
    }

    #[test]
    fn bytes_that_are_no_truth_value_are_refused() {
        assert_eq!(only::<bool>(&[2]), None);
    }

    #[test]
    fn other_types_and_too_many_values_are_refused() {
        let mut bytes = PlainBytes::new();
        assert!(!bytes.push(&"text".to_string()) && !bytes.push(&vec![1u8]) && !bytes.push(&Some(1u8)));
        assert_eq!(bytes.as_slice(), [0u8; 0]);
        assert!(is_plain::<f32>() && is_plain::<()>() && !is_plain::<String>() && !is_plain::<[u8; 2]>());
        assert_eq!(take::<String>(&mut &[1u8, 2][..]), None);
        assert!((0..5).all(|number: u64| bytes.push(&number)) && !bytes.push(&1u8) && bytes.push(&()));
        let mut rest = bytes.as_slice();
        assert!((0..5u64).all(|number| take(&mut rest) == Some(number)) && take::<u8>(&mut rest).is_none());
    }
}
