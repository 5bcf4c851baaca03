//! Types of Rust that C has too: numbers, arrays of numbers, texts.

use crate::base::Result;
use crate::native::arguments::CallArguments;
use crate::native::array::{ArrayView, NativeArray};
use crate::native::element::ElementType;
use crate::objects::{Array, Object};
use crate::runtime;
use bytemuck::Pod;

/// A number of Rust that is an element of arrays of C. A complex number is its two parts.
#[diagnostic::on_unimplemented(
    message = "arrays of `{Self}` cannot be passed between Rust and C",
    label = "C has arrays of numbers only",
    note = "complex numbers are `[f64; 2]`"
)]
pub trait NativeElement: Pod + Send + Sync {
    /// The type of the element in C.
    const TYPE: ElementType;
}

/// A type that functions of Rust and of C pass to each other: in C it is an array of plain data.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed between Rust and C",
    label = "C has arrays of plain data only",
    note = "use a number, `bool`, `String`, or an `Array` or `Vec` of numbers; complex numbers are `[f64; 2]`",
    note = "several results are a tuple of those, with `num_returns`"
)]
pub trait NativeValue: Object {
    /// What it is in C, for errors: `one MOBULA_F64`.
    fn wanted() -> String;
    /// The value of an array; `None` if it is none of this type.
    ///
    /// # Errors
    /// Those of creating an array.
    fn from_native(array: ArrayView<'_>) -> Result<Option<Self>>;
    /// The array of the value. An array in the store is not copied.
    ///
    /// # Errors
    /// Those of creating an array.
    fn to_native(&self) -> Result<NativeArray>;
    /// Appends the array of the value to arguments.
    ///
    /// # Errors
    /// As of `to_native`.
    #[inline]
    fn push_to(&self, arguments: &mut CallArguments) -> Result<()> {
        arguments.push_array(self.to_native()?);
        Ok(())
    }
}

macro_rules! numbers {
    ($($number:ty: $element:ident)*) => {
        $(
            impl NativeElement for $number {
                const TYPE: ElementType = ElementType::$element;
            }

            impl NativeValue for $number {
                fn wanted() -> String {
                    format!("one {}", ElementType::$element.name())
                }
                #[inline]
                fn from_native(array: ArrayView<'_>) -> Result<Option<Self>> {
                    let one = has_elements_of::<$number>(array);
                    Ok(one.then(|| bytemuck::try_pod_read_unaligned(array.bytes).ok()).flatten())
                }
                #[inline]
                fn to_native(&self) -> Result<NativeArray> {
                    NativeArray::copy_of(ElementType::$element, bytemuck::bytes_of(self))
                }
                #[inline]
                fn push_to(&self, arguments: &mut CallArguments) -> Result<()> {
                    arguments.push_copy(ElementType::$element, bytemuck::bytes_of(self))
                }
            }
        )*
    };
}

numbers! {
    i8: I8 u8: U8 i16: I16 u16: U16 i32: I32 u32: U32 i64: I64 u64: U64 isize: I64 usize: U64
    f32: F32 f64: F64 [f32; 2]: C64 [f64; 2]: C128
}

// Every machine that mobula runs on has addresses of 64 bits.
const _: () = assert!(size_of::<usize>() == size_of::<u64>());

/// True if the array may be one of `T`s: bytes without a meaning are read as `u8`.
/// The value that an object of C is, or else what that is.
///
/// # Errors
/// Those of creating an array.
pub(super) fn value_of<T: NativeValue>(array: &NativeArray) -> Result<std::result::Result<T, String>> {
    if array.actor().is_some() {
        return Ok(Err("an actor".to_string()));
    }
    Ok(T::from_native(array.view())?.ok_or_else(|| array.view().described()))
}

fn has_elements_of<T: NativeElement>(array: ArrayView<'_>) -> bool {
    let element = array.element;
    element == T::TYPE || (element == ElementType::Bytes && T::TYPE == ElementType::U8)
}

impl NativeValue for bool {
    fn wanted() -> String {
        u8::wanted()
    }
    fn from_native(array: ArrayView<'_>) -> Result<Option<bool>> {
        Ok(u8::from_native(array)?.map(|byte| byte != 0))
    }
    fn to_native(&self) -> Result<NativeArray> {
        u8::from(*self).to_native()
    }
}

impl NativeValue for String {
    fn wanted() -> String {
        "a well-formed text of MOBULA_BYTES".to_string()
    }
    fn from_native(array: ArrayView<'_>) -> Result<Option<String>> {
        let is_text = matches!(array.element, ElementType::Bytes | ElementType::I8 | ElementType::U8);
        Ok(is_text.then(|| str::from_utf8(array.bytes).ok().map(String::from)).flatten())
    }
    fn to_native(&self) -> Result<NativeArray> {
        NativeArray::copy_of(ElementType::Bytes, self.as_bytes())
    }
}

/// An empty array, and as a result of C whatever it is.
impl NativeValue for () {
    fn wanted() -> String {
        "an array".to_string()
    }
    fn from_native(_: ArrayView<'_>) -> Result<Option<()>> {
        Ok(Some(()))
    }
    fn to_native(&self) -> Result<NativeArray> {
        Ok(NativeArray::empty())
    }
}

impl<T: NativeElement> NativeValue for Array<T> {
    fn wanted() -> String {
        format!("an array of {}", T::TYPE.name())
    }
    fn from_native(array: ArrayView<'_>) -> Result<Option<Array<T>>> {
        if !has_elements_of::<T>(array) {
            return Ok(None);
        }
        match array.stored() {
            Some(stored) => Ok(stored.cast()),
            // It may become a part of a result, so it lies in the store.
            None => array.to_vec::<T>().map(|elements| runtime::put_array(&elements)).transpose(),
        }
    }
    fn to_native(&self) -> Result<NativeArray> {
        Ok(NativeArray::over(T::TYPE, self))
    }
}

impl<T: NativeElement + Object> NativeValue for Vec<T> {
    fn wanted() -> String {
        Array::<T>::wanted()
    }
    fn from_native(array: ArrayView<'_>) -> Result<Option<Vec<T>>> {
        Ok(has_elements_of::<T>(array).then(|| array.to_vec()).flatten())
    }
    fn to_native(&self) -> Result<NativeArray> {
        NativeArray::copy_of(T::TYPE, bytemuck::cast_slice(self))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::objects::{decode, encode};
    use std::fmt::Debug;

    fn comes_back<T: NativeValue + PartialEq + Debug>(value: &T, element: ElementType, count: usize) {
        let array = value.to_native().unwrap();
        assert_eq!((array.element(), array.view().count()), (element, count), "{value:?}");
        assert_eq!(T::from_native(array.view()).unwrap().as_ref(), Some(value));
    }

    #[test]
    fn number_is_an_array_of_one() {
        comes_back(&-7i64, ElementType::I64, 1);
        comes_back(&7usize, ElementType::U64, 1);
        comes_back(&1.5f32, ElementType::F32, 1);
        comes_back(&[1.0f64, -1.0], ElementType::C128, 1);
        comes_back(&true, ElementType::U8, 1);
        comes_back(&"é".to_string(), ElementType::Bytes, 2);
        comes_back(&vec![1.0f64, 2.0], ElementType::F64, 2);
        comes_back(&(), ElementType::Bytes, 0);
    }

    #[test]
    fn other_types_counts_and_texts_are_refused() {
        let two = NativeArray::copy_of(ElementType::F64, &[0; 16]).unwrap();
        assert_eq!(f64::from_native(two.view()), Ok(None));
        assert_eq!(Vec::<f32>::from_native(two.view()), Ok(None));
        assert_eq!(u64::from_native(1.0f64.to_native().unwrap().view()), Ok(None));
        assert_eq!(String::from_native(NativeArray::copy_of(ElementType::Bytes, &[0xff]).unwrap().view()), Ok(None));
        assert_eq!(Vec::<u8>::from_native("ab".to_string().to_native().unwrap().view()), Ok(Some(vec![97, 98])));
    }

    #[test]
    fn array_is_read_in_place_in_both_languages() {
        let array = Array::outside_store(&[1.0f64, 2.0, 3.0]);
        let native = array.to_native().unwrap();
        assert_eq!((native.element(), native.view().count()), (ElementType::F64, 3));
        assert_eq!(native.bytes().as_ptr(), array.as_ptr().cast());
        let sent = encode(&native).unwrap();
        let received: NativeArray = decode(&sent.bytes, sent.attachments).unwrap();
        let back = Array::<f64>::from_native(received.view()).unwrap().unwrap();
        assert_eq!(back.as_ptr(), array.as_ptr());
        assert!(Array::<i64>::from_native(received.view()).unwrap().is_none());
    }
}
