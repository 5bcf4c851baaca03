//! Why a number is missing.

use std::fmt;
use std::path::PathBuf;

/// `Result` with [`Failure`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a case was not measured, or a suite not run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// An error of the runtime.
    Runtime(mobula::Error),
    /// It ran, and the answer is wrong.
    Wrong(String),
    /// It ran and has no number: something else keeps the machine busy, or the machine is far from what the case is
    /// made for.
    Unsteady(String),
    /// A peer's program, or one that starts ranks, is missing or failed.
    Program {
        /// The command.
        program: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// A file could not be written.
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// A result file cannot be used.
    Results {
        /// The file.
        path: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
    /// So many cases take more instructions than are kept.
    Risen(usize),
    /// The suite cannot run like this.
    Usage(String),
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
            Failure::Wrong(what) => write!(formatter, "wrong answer: {what}"),
            Failure::Unsteady(what) => write!(formatter, "no number: {what}; is the machine busy with something else?"),
            Failure::Program { program, reason } => write!(formatter, "{program}: {reason}"),
            Failure::File { path, reason } => write!(formatter, "cannot write {}: {reason}", path.display()),
            Failure::Results { path, reason } => write!(formatter, "{}: {reason}", path.display()),
            Failure::Risen(cases) => write!(
                formatter,
                "{cases} cases take more instructions than are kept, see above: find what costs them \
                 (callgrind_annotate), or keep the new numbers (--keep) and say in the commit why"
            ),
            Failure::Usage(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for Failure {}

/// Returns [`Failure::Wrong`] unless what was computed is right: a fast wrong answer is no result.
///
/// # Errors
/// `Failure::Wrong` with the text of `what`.
pub fn check(right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if right { Ok(()) } else { Err(Failure::Wrong(what())) }
}
