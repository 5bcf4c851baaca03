//! The tags, and how lengths are written.

use crate::objects::codec::CodecError;

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// The first byte of a value: what follows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Tag {
            $($(#[$doc])* $name = $number,)*
        }

        impl Tag {
            /// The tag of that number.
            #[inline]
            pub fn of(byte: u8) -> Option<Tag> {
                match byte {
                    $($number => Some(Tag::$name),)*
                    _ => None,
                }
            }
        }
    };
}

tags! {
    /// Nothing.
    Unit = 0,
    /// 1 byte.
    Bool = 1,
    /// 1 byte.
    U8 = 2,
    /// 2 bytes.
    U16 = 3,
    /// 4 bytes.
    U32 = 4,
    /// 8 bytes.
    U64 = 5,
    /// 16 bytes.
    U128 = 6,
    /// 1 byte.
    I8 = 7,
    /// 2 bytes.
    I16 = 8,
    /// 4 bytes.
    I32 = 9,
    /// 8 bytes.
    I64 = 10,
    /// 16 bytes.
    I128 = 11,
    /// 4 bytes.
    F32 = 12,
    /// 8 bytes.
    F64 = 13,
    /// 4 bytes.
    Char = 14,
    /// Length and bytes of text.
    Str = 15,
    /// Length and bytes.
    Bytes = 16,
    /// Nothing.
    None = 17,
    /// A value.
    Some = 18,
    /// Length in 8 bytes; in 8 bytes, how many of the first values are plain values of one tag, which only the first of
    /// them has; the values.
    Seq = 19,
    /// Length in 8 bytes, and as many pairs of values.
    Map = 20,
    /// Length, and as many values.
    Tuple = 21,
    /// Shape in 4 bytes, and as many values as it has names.
    Struct = 22,
    /// Variant in 4 bytes.
    UnitVariant = 23,
    /// Variant in 4 bytes, and a value: the one of a newtype variant, a tuple, or a struct.
    Variant = 24,
    /// The index of an attachment, in 4 bytes: its memory holds the text.
    SeparateStr = 25,
    /// As above: its memory holds the bytes.
    SeparateBytes = 26,
    /// A sequence of numbers: the tag of all of them, length, and the numbers.
    Numbers = 27,
    /// The index of an attachment, in 4 bytes, whose memory holds the numbers; the tag of all of them.
    SeparateNumbers = 28,
}

impl Tag {
    /// True if a fixed number of bytes follows, which is a plain value.
    pub fn is_number(self) -> bool {
        (Tag::Bool as u8..=Tag::Char as u8).contains(&(self as u8))
    }

    /// That number of bytes.
    #[inline]
    pub fn number_bytes(self) -> usize {
        match self {
            Tag::U16 | Tag::I16 => 2,
            Tag::U32 | Tag::I32 | Tag::F32 | Tag::Char => 4,
            Tag::U64 | Tag::I64 | Tag::F64 => 8,
            Tag::U128 | Tag::I128 => 16,
            _ => 1,
        }
    }
}

/// Copies a run of bytes into memory that other ranks can read, and attaches that to the value that is being written:
/// the index of the attachment; `None` if there is no place for it.
pub type StoreRun = fn(&[u8]) -> Option<u32>;

/// The last byte of a message, if its tables precede it.
pub const HAS_TABLES: u8 = 1;
/// The same, if a value in it is separate.
pub const HAS_SEPARATE_RUNS: u8 = 2;

/// Appends a length: seven bits a byte, the lowest first.
#[inline]
pub fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// Removes a length from the front.
///
/// # Errors
/// If the bytes end, or it has more bits than a length can have.
#[inline]
pub fn take_length(input: &mut &[u8]) -> Result<usize, CodecError> {
    // Most are short.
    if let [byte @ 0..0x80, rest @ ..] = *input {
        let length = usize::from(*byte);
        *input = rest;
        return Ok(length);
    }
    take_long_length(input)
}

fn take_long_length(input: &mut &[u8]) -> Result<usize, CodecError> {
    let mut length = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(input, 1)?[0];
        if shift == 63 && byte > 1 {
            break;
        }
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(length).map_err(|_| CodecError::Damaged("a length is too large"));
        }
    }
    Err(CodecError::Damaged("a length is too large"))
}

/// Removes `count` bytes from the front.
///
/// # Errors
/// If there are fewer.
#[inline]
pub fn take<'de>(input: &mut &'de [u8], count: usize) -> Result<&'de [u8], CodecError> {
    let (taken, rest) = input.split_at_checked(count).ok_or(CodecError::Damaged("they end too early"))?;
    *input = rest;
    Ok(taken)
}

/// Removes a number's bytes from the front.
///
/// # Errors
/// If there are fewer.
#[inline]
pub fn take_array<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (taken, rest) = input.split_first_chunk::<N>().ok_or(CodecError::Damaged("they end too early"))?;
    *input = rest;
    Ok(*taken)
}

/// Removes a length and as many bytes of text.
///
/// # Errors
/// If the bytes end, or are no text.
pub fn take_str<'de>(input: &mut &'de [u8]) -> Result<&'de str, CodecError> {
    let length = take_length(input)?;
    std::str::from_utf8(take(input, length)?).map_err(|_| CodecError::Damaged("a text is not valid"))
}
