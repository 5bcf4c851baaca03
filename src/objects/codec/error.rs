//! Why a value could not be written or read.

use std::fmt::Display;

/// Why a value could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// What the value's own `Serialize` or `Deserialize` said.
    #[error("{0}")]
    Value(String),
    /// The value takes more bytes than it may.
    #[error("it takes more than {0} bytes")]
    TooLong(usize),
    /// It has values within values beyond the bound.
    #[error("values lie in each other deeper than {0} levels: put them into a Vec, and name each by its index")]
    TooDeep(usize),
    /// The stack has no space for a further level.
    #[error("values lie in each other deeper than the stack allows: raise MOBULA_STACK_BYTES, or put them into a Vec")]
    NoStack,
    /// The bytes end too early, or are not of the format.
    #[error("the bytes are damaged: {0}")]
    Damaged(&'static str),
    /// Bytes are left after the value.
    #[error("{0} bytes are left after decoding it")]
    BytesLeft(usize),
}

impl serde::ser::Error for CodecError {
    fn custom<T: Display>(message: T) -> CodecError {
        CodecError::Value(message.to_string())
    }
}

impl serde::de::Error for CodecError {
    fn custom<T: Display>(message: T) -> CodecError {
        CodecError::Value(message.to_string())
    }
}
