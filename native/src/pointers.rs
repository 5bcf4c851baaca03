//! Pointers from C: checked for NULL, and read.

use crate::status::Fault;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

/// What `pointer` points to; it may not be NULL.
///
/// # Errors
/// `InvalidArgument`, with the argument's name.
///
/// # Safety
/// It is NULL, or valid for as long as the caller uses what is returned.
pub unsafe fn required<'a, T>(pointer: *const T, argument: &str) -> Result<&'a T, Fault> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| Fault::null(argument))
}

/// As `required`, to be written.
///
/// # Errors
/// As `required`.
///
/// # Safety
/// As `required`, and nothing else uses it meanwhile.
pub unsafe fn required_mut<'a, T>(pointer: *mut T, argument: &str) -> Result<&'a mut T, Fault> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }.ok_or_else(|| Fault::null(argument))
}

/// A text; it may not be NULL.
///
/// # Errors
/// `InvalidArgument` for NULL, and for bytes that are not UTF-8.
///
/// # Safety
/// It is NULL, or a text that ends with a zero byte and is valid for as long as the caller uses it.
pub unsafe fn text<'a>(pointer: *const c_char, argument: &str) -> Result<&'a str, Fault> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(pointer, argument) }?.ok_or_else(|| Fault::null(argument))
}

/// True if it is that text, which has no zero byte. NULL is none.
///
/// # Safety
/// As `text`.
pub unsafe fn is_text(pointer: *const c_char, text: &str) -> bool {
    let is_byte = |(position, byte): (usize, u8)| {
        // SAFETY: the caller's promise: those before it are bytes of `text`, and so no zero byte, which ends it.
        unsafe { pointer.add(position).cast::<u8>().read() == byte }
    };
    !pointer.is_null() && text.bytes().chain([0]).enumerate().all(is_byte)
}

/// As `text`; NULL is none.
///
/// # Errors
/// `InvalidArgument` for bytes that are not UTF-8.
///
/// # Safety
/// As `text`.
pub unsafe fn optional_text<'a>(pointer: *const c_char, argument: &str) -> Result<Option<&'a str>, Fault> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) }.to_str();
    text.map(Some).map_err(|_| Fault::invalid(format!("{argument} is not UTF-8")))
}

/// The elements of an array of C; it may be NULL only if there are none.
///
/// # Errors
/// `InvalidArgument`, with the argument's name.
///
/// # Safety
/// It is NULL, or `count` elements are valid there for as long as the caller uses them.
pub unsafe fn elements<'a, T>(pointer: *const T, count: usize, argument: &str) -> Result<&'a [T], Fault> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Fault::null(argument));
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(Fault::invalid(format!("{count} elements of {argument} are more than any memory has")));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// Where C wants results: `count` values, which may be uninitialized and are only written.
pub struct Places<T> {
    first: *mut T,
    count: usize,
}

/// The places for `count` results; NULL only if there are none.
///
/// # Errors
/// As `elements`.
///
/// # Safety
/// It is NULL, or `count` values can be written there for as long as the caller has what is returned.
pub unsafe fn places<T>(first: *mut T, count: usize, argument: &str) -> Result<Places<T>, Fault> {
    // SAFETY: the caller's promise; of bytes that need no value, nothing is read.
    unsafe { elements(first.cast::<MaybeUninit<T>>(), count, argument) }?;
    Ok(Places { first, count })
}

/// The place for one result.
///
/// # Errors
/// As `required`.
///
/// # Safety
/// As `places`.
pub unsafe fn place<T>(pointer: *mut T, argument: &str) -> Result<Places<T>, Fault> {
    // SAFETY: the caller's promise.
    unsafe { places(pointer, 1, argument) }
}

impl<T> Places<T> {
    /// Writes one value into each place, as long as there are both.
    pub fn write(self, values: impl IntoIterator<Item = T>) {
        for (position, value) in values.into_iter().take(self.count).enumerate() {
            // SAFETY: the promise of who made it: there are `count` places.
            unsafe { self.first.add(position).write(value) };
        }
    }
}

/// A struct of the header whose first member is its size in the program: members that an older header does not have
/// keep the values of `default`.
///
/// # Errors
/// `InvalidArgument` if it was not set up, or by a newer header.
///
/// # Safety
/// `pointer` is valid, and so are as many bytes there as its first member says. `T` is `repr(C)`, begins with a `usize`
/// and has no member with bytes that are not allowed.
pub unsafe fn sized<T: Copy>(pointer: *const T, default: T, argument: &str) -> Result<T, Fault> {
    // SAFETY: the caller's promise: the first member is a `usize`.
    let size = unsafe { pointer.cast::<usize>().read() };
    if size < size_of::<usize>() || size > size_of::<T>() {
        let most = size_of::<T>();
        return Err(Fault::invalid(format!(
            "{argument}: its size is {size}, and this library knows up to {most} bytes of it: set it up with its \
             MOBULA_..._INIT, and compile with the header of this library"
        )));
    }
    let mut value = default;
    // SAFETY: `size` bytes are valid there, and no more than a `T` has.
    unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut value).cast::<u8>(), size) };
    Ok(value)
}
