//! The types of an array's elements, as programs in C name them.

/// The type of an array's elements: `mobula_type` in the header, with the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ElementType {
    /// Bytes without a meaning.
    Bytes,
    /// `int8_t`.
    I8,
    /// `uint8_t`.
    U8,
    /// `int16_t`.
    I16,
    /// `uint16_t`.
    U16,
    /// `int32_t`.
    I32,
    /// `uint32_t`.
    U32,
    /// `int64_t`.
    I64,
    /// `uint64_t`.
    U64,
    /// `float`.
    F32,
    /// `double`.
    F64,
    /// `float _Complex`.
    C64,
    /// `double _Complex`.
    C128,
}

/// In the order of their numbers: name in the header, size in bytes.
const ELEMENTS: [(ElementType, &str, usize); 13] = [
    (ElementType::Bytes, "MOBULA_BYTES", 1),
    (ElementType::I8, "MOBULA_I8", 1),
    (ElementType::U8, "MOBULA_U8", 1),
    (ElementType::I16, "MOBULA_I16", 2),
    (ElementType::U16, "MOBULA_U16", 2),
    (ElementType::I32, "MOBULA_I32", 4),
    (ElementType::U32, "MOBULA_U32", 4),
    (ElementType::I64, "MOBULA_I64", 8),
    (ElementType::U64, "MOBULA_U64", 8),
    (ElementType::F32, "MOBULA_F32", 4),
    (ElementType::F64, "MOBULA_F64", 8),
    (ElementType::C64, "MOBULA_C64", 8),
    (ElementType::C128, "MOBULA_C128", 16),
];

impl ElementType {
    /// The type of that number.
    #[inline]
    pub fn from_number(number: u32) -> Option<ElementType> {
        ELEMENTS.get(number as usize).map(|(element, ..)| *element)
    }

    /// Its name in the header.
    pub fn name(self) -> &'static str {
        ELEMENTS[self as usize].1
    }

    /// Bytes of an element.
    #[inline]
    pub fn size(self) -> usize {
        ELEMENTS[self as usize].2
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn table_of_elements_is_in_the_order_of_their_numbers() {
        for (number, (element, name, size)) in ELEMENTS.iter().enumerate() {
            assert!(size.is_power_of_two());
            assert_eq!(*element as usize, number);
            assert_eq!((element.name(), element.size()), (*name, *size));
            assert_eq!(ElementType::from_number(number as u32), Some(*element));
        }
        assert_eq!(ElementType::from_number(13), None);
    }
}
