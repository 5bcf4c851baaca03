//! Why the command ends with an exit code that is not zero.

use std::fmt;
use std::path::PathBuf;

/// `Result` with [`Failure`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a demo or a report did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The runtime said so.
    Runtime(mobula::Error),
    /// It ran, and the answer is wrong.
    Check(String),
    /// The options ask for something that cannot be.
    Usage(String),
    /// A picture could not be written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl From<mobula::Error> for Failure {
    fn from(error: mobula::Error) -> Self {
        Failure::Runtime(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Runtime(error) => error.fmt(formatter),
            Failure::Check(what) => write!(formatter, "check failed: {what}"),
            Failure::Usage(what) => formatter.write_str(what),
            Failure::File { path, reason } => write!(formatter, "cannot write {}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for Failure {}

/// Ends with [`Failure::Check`] unless what was computed is right.
///
/// # Errors
/// `Failure::Check` with the text of `what`.
pub fn check(right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if right { Ok(()) } else { Err(Failure::Check(what())) }
}
