//! The type of a value whose own lifetimes do not matter: serde's traits are generic over types that may borrow, for
//! which `TypeId::of` is not available.
#![allow(unsafe_code)]

use std::any::TypeId;
use std::marker::PhantomData;

/// A type of a vector's elements.
///
/// # Safety
/// It has no lifetime, not even `'static`: types that differ in lifetimes only have one `TypeId`.
pub(super) unsafe trait Element: Copy + 'static {}

macro_rules! element {
    ($($element:ty)*) => {
        // SAFETY: numbers.
        $(unsafe impl Element for $element {})*
    };
}

element!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool);

/// The type `T`, where lifetimes are as good as `'static`.
pub(super) struct TypeOf<T>(TypeId, PhantomData<T>);

impl<T> TypeOf<T> {
    #[inline]
    pub(super) fn new() -> TypeOf<T> {
        trait Erased {
            fn id(&self) -> TypeId
            where
                Self: 'static;
        }
        impl<T> Erased for PhantomData<T> {
            #[inline]
            fn id(&self) -> TypeId
            where
                Self: 'static,
            {
                TypeId::of::<T>()
            }
        }
        let phantom = PhantomData::<T>;
        let erased: &dyn Erased = &phantom;
        // SAFETY: only the lifetime bound of the trait object changes. `id` reads nothing of the value, which has no
        // bytes, and a `TypeId` does not depend on lifetimes.
        let erased = unsafe { std::mem::transmute::<&dyn Erased, &(dyn Erased + 'static)>(erased) };
        TypeOf(erased.id(), PhantomData)
    }

    /// The same for all types that differ in lifetimes only.
    #[inline]
    pub(super) fn id(&self) -> TypeId {
        self.0
    }

    /// The elements, if `T` is a reference to a vector or a slice of `E`.
    #[inline]
    pub(super) fn elements<'a, E: Element>(&self, value: &'a T) -> Option<&'a [E]> {
        let value = std::ptr::from_ref(value);
        if self.0 == TypeId::of::<&'static Vec<E>>() {
            // SAFETY: `T` is `&Vec<E>` with a lifetime that is not shorter than `'a`, and `E` has none.
            return Some(unsafe { *value.cast::<&'a Vec<E>>() });
        }
        if self.0 == TypeId::of::<&'static [E]>() {
            // SAFETY: as above, with a slice.
            return Some(unsafe { *value.cast::<&'a [E]>() });
        }
        None
    }

    /// True if `T` is a vector of `E`.
    #[inline]
    pub(super) fn is_vector<E: Element>(&self) -> bool {
        self.0 == TypeId::of::<Vec<E>>()
    }

    /// The vector as a `T`, if that is its type.
    #[inline]
    pub(super) fn of_vector<E: Element>(&self, vector: Vec<E>) -> Option<T> {
        if !self.is_vector::<E>() {
            return None;
        }
        let vector = std::mem::ManuallyDrop::new(vector);
        // SAFETY: `T` is `Vec<E>`, which has no lifetime; the original is not dropped.
        Some(unsafe { std::mem::transmute_copy::<Vec<E>, T>(&vector) })
    }
}
