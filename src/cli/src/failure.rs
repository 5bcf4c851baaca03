//! Errors of the command, each of which ends it with an exit code that is not zero.

use std::fmt;
use std::path::PathBuf;

/// `Result` with [`CommandError`].
pub type Result<T, E = CommandError> = std::result::Result<T, E>;

/// Why a demo or a report failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CommandError {
    /// An error of the runtime.
    Runtime(mobula::Error),
    /// It ran, and the answer is wrong.
    Check(String),
    /// The options ask for something impossible.
    Usage(String),
    /// A picture could not be written.
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
}

impl From<mobula::Error> for CommandError {
    fn from(error: mobula::Error) -> Self {
        CommandError::Runtime(error)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Runtime(error) => error.fmt(formatter),
            CommandError::Check(what) => write!(formatter, "check failed: {what}"),
            CommandError::Usage(what) => formatter.write_str(what),
            CommandError::File { path, reason } => write!(formatter, "cannot write {}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for CommandError {}

/// Returns [`CommandError::Check`] unless what was computed is right.
///
/// # Errors
/// `CommandError::Check` with the text of `what`.
pub fn check(right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if right { Ok(()) } else { Err(CommandError::Check(what())) }
}
