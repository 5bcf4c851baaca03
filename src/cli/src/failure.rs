//! Errors of the command, each of which ends it with an exit code that is not zero.

use std::path::PathBuf;

/// `Result` with [`CommandError`].
pub type Result<T, E = CommandError> = std::result::Result<T, E>;

/// Why a demo or a report failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// An error of the runtime.
    #[error(transparent)]
    Runtime(#[from] mobula::Error),
    /// It ran, and the answer is wrong.
    #[error("check failed: {0}")]
    Check(String),
    /// The options ask for something impossible.
    #[error("{0}")]
    Usage(String),
    /// A picture could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the file system or the encoder.
        source: png::EncodingError,
    },
}

/// Returns [`CommandError::Check`] unless what was computed is right.
///
/// # Errors
/// `CommandError::Check` with the text of `what`.
pub fn check(right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if right { Ok(()) } else { Err(CommandError::Check(what())) }
}
