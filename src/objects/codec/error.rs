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
