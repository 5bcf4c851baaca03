//! What frame headers are on the wire. One declaration gives a struct, its encoding and its checked decoding: the
//! fields follow each other in the order declared, without gaps, little-endian.
//!
//! A header tells of bytes that a peer sent; which lengths a kind admits is checked where the header is declared.

use std::fmt::Debug;

/// A value that has a fixed number of bytes on the wire.
pub trait WireField: Copy + Debug + Eq {
    /// How many.
    const BYTES: usize;

    /// Writes the value to a slice of that length.
    fn write(self, to: &mut [u8]);

    /// Reads a value from a slice of that length; `None` where the bytes are none.
    fn read(from: &[u8]) -> Option<Self>;
}

macro_rules! impl_wire_value {
    ($($Number:ty)*) => {$(
        impl WireField for $Number {
            const BYTES: usize = size_of::<$Number>();

            fn write(self, to: &mut [u8]) {
                to.copy_from_slice(&self.to_le_bytes());
            }

            fn read(from: &[u8]) -> Option<$Number> {
                Some(<$Number>::from_le_bytes(from.try_into().ok()?))
            }
        }
    )*};
}
impl_wire_value!(u8 u16 u32 u64);

impl<const BYTES: usize> WireField for [u8; BYTES] {
    const BYTES: usize = BYTES;

    fn write(self, to: &mut [u8]) {
        to.copy_from_slice(&self);
    }

    fn read(from: &[u8]) -> Option<[u8; BYTES]> {
        from.try_into().ok()
    }
}

/// Bytes without a meaning, all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zeros<const BYTES: usize>;

impl<const BYTES: usize> WireField for Zeros<BYTES> {
    const BYTES: usize = BYTES;

    fn write(self, to: &mut [u8]) {
        to.fill(0);
    }

    fn read(from: &[u8]) -> Option<Zeros<BYTES>> {
        from.iter().all(|byte| *byte == 0).then_some(Zeros)
    }
}

/// Declares an enum whose variants are numbers on the wire: `enum Kind: u8 { First = 1 }`.
macro_rules! wire_enum {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident: $Number:ident { $($(#[$variant_meta:meta])* $Variant:ident = $value:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr($Number)]
        pub enum $Name { $($(#[$variant_meta])* $Variant = $value,)* }

        impl $crate::transport::framing::WireField for $Name {
            const BYTES: usize = size_of::<$Number>();

            fn write(self, to: &mut [u8]) {
                <$Number as $crate::transport::framing::WireField>::write(self as $Number, to);
            }

            fn read(from: &[u8]) -> Option<$Name> {
                match <$Number as $crate::transport::framing::WireField>::read(from)? {
                    $($value => Some($Name::$Variant),)*
                    _ => None,
                }
            }
        }
    };
}

/// Declares a struct of [`WireField`]s that takes the given number of bytes: `struct Header [8] { kind: Kind, ... }`.
macro_rules! wire_struct {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident$(<$Generic:ident>)? [$bytes:expr] {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $Type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis struct $Name$(<$Generic>)? { $($(#[$field_meta])* $field_vis $field: $Type,)* }

        impl$(<$Generic: $crate::transport::framing::WireField>)? $Name$(<$Generic>)? {
            /// Its bytes on the wire.
            #[inline]
            pub fn encode(&self) -> [u8; $bytes] {
                const { assert!($bytes == 0 $(+ <$Type as $crate::transport::framing::WireField>::BYTES)*) };
                let mut bytes = [0; $bytes];
                let mut at = 0;
                $(
                    let end = at + <$Type as $crate::transport::framing::WireField>::BYTES;
                    $crate::transport::framing::WireField::write(self.$field, &mut bytes[at..end]);
                    at = end;
                )*
                debug_assert_eq!(at, $bytes);
                bytes
            }

            /// The struct whose bytes these are; `None` where a field has a value that it cannot have.
            #[inline]
            pub fn parse(bytes: &[u8; $bytes]) -> Option<Self> {
                let mut at = 0;
                $(
                    let end = at + <$Type as $crate::transport::framing::WireField>::BYTES;
                    let $field = $crate::transport::framing::WireField::read(&bytes[at..end])?;
                    at = end;
                )*
                debug_assert_eq!(at, $bytes);
                Some(Self { $($field,)* })
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};

#[cfg(test)]
mod tests {
    use super::*;

    wire_enum! {
        /// Of the tests.
        pub enum TestKind: u16 {
            /// One.
            One = 1,
            /// Other.
            Other = 0x0203,
        }
    }

    wire_struct! {
        /// Of the tests.
        pub struct TestHeader [20] {
            /// The kind.
            pub kind: TestKind,
            /// Nothing.
            pub zeros: Zeros<1>,
            /// A byte.
            pub byte: u8,
            /// A number.
            pub number: u32,
            /// A long number.
            pub long: u64,
            /// Bytes.
            pub bytes: [u8; 4],
        }
    }

    #[test]
    fn fields_are_little_endian_in_the_order_declared() {
        let header =
            TestHeader { kind: TestKind::Other, zeros: Zeros, byte: 9, number: 0x0102_0304, long: 7, bytes: *b"four" };
        let bytes = header.encode();
        assert_eq!(bytes, *b"\x03\x02\x00\x09\x04\x03\x02\x01\x07\0\0\0\0\0\0\0four");
        assert_eq!(TestHeader::parse(&bytes), Some(header));
    }

    #[test]
    fn unknown_kind_and_nonzero_padding_are_not_parsed() {
        let header = TestHeader { kind: TestKind::One, zeros: Zeros, byte: 0, number: 0, long: 0, bytes: [0; 4] };
        for (at, value) in [(0, 2), (1, 1), (2, 1)] {
            let mut bytes = header.encode();
            bytes[at] = value;
            assert_eq!(TestHeader::parse(&bytes), None);
        }
    }
}
