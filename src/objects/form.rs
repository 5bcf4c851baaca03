//! Values that are written as a tuple whose first part, a byte, says in which form the others are.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// A value of several forms.
pub(crate) trait Forms<'de>: Sized {
    /// What it is, for errors.
    const WHAT: &'static str;
    /// How many parts the longest form has, the first byte included.
    const PARTS: usize;
    /// Reads the parts that follow the first byte; `None` if there is no such form, or a part is missing.
    ///
    /// # Errors
    /// Those of the parts.
    fn read<A: SeqAccess<'de>>(form: u8, parts: Parts<A>) -> Result<Option<Self>, A::Error>;
}

/// Reads a value of several forms.
///
/// # Errors
/// Those of the parts; or that there is no such form, or a part is missing.
#[inline]
pub(crate) fn deserialize<'de, T: Forms<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_tuple(T::PARTS, FormVisitor(PhantomData))
}

struct FormVisitor<T>(PhantomData<T>);

impl<'de, T: Forms<'de>> Visitor<'de> for FormVisitor<T> {
    type Value = T;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::WHAT)
    }
    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<T, A::Error> {
        let mut parts = Parts(parts);
        let value = match parts.next()? {
            Some(form) => T::read(form, parts)?,
            None => None,
        };
        value.ok_or_else(|| A::Error::invalid_length(0, &self))
    }
}

/// The parts of a form.
pub(crate) struct Parts<A>(A);

impl<'de, A: SeqAccess<'de>> Parts<A> {
    /// The next one, if there is one.
    ///
    /// # Errors
    /// Its own.
    #[inline]
    pub(crate) fn next<P: Deserialize<'de>>(&mut self) -> Result<Option<P>, A::Error> {
        self.0.next_element()
    }
}
