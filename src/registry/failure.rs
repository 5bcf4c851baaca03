//! How a body failed, before the runtime adds task, rank and host.

use crate::base::Error;
use crate::base::error::with_causes;
use crate::base::panic::Panic;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};

/// A failure of a task's body.
#[derive(Debug)]
pub enum Failure {
    /// An error of mobula itself that the body returned, or that an argument held: passed on unchanged.
    Passed(Error),
    /// An `Err` of the user's type, as text.
    Message(String),
    /// A panic.
    Panic(Panic),
}

/// An `Err` to be converted to a [`Failure`]; the traits choose by what the error's type implements.
pub struct Explain<'a, E>(pub &'a E);

/// First choice: mobula's own error is passed on unchanged.
pub trait ExplainOwn {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl ExplainOwn for &&&&Explain<'_, Error> {
    fn explain(&self) -> Failure {
        Failure::Passed(self.0.clone())
    }
}

/// Second choice: the text of an error, and of the errors that led to it.
pub trait ExplainError {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl<E: StdError + 'static> ExplainError for &&&Explain<'_, E> {
    fn explain(&self) -> Failure {
        Failure::Message(with_causes(self.0))
    }
}

/// Third choice: the same for a boxed error, which is no `std::error::Error` itself.
pub trait ExplainBoxed {
    /// The failure.
    fn explain(&self) -> Failure;
}

macro_rules! boxed {
    ($($error:ty),*) => {
        $(impl ExplainBoxed for &&Explain<'_, Box<$error>> {
            fn explain(&self) -> Failure {
                match self.0.downcast_ref::<Error>() {
                    Some(error) => Failure::Passed(error.clone()),
                    None => Failure::Message(with_causes(&**self.0)),
                }
            }
        })*
    };
}

boxed!(dyn StdError, dyn StdError + Send, dyn StdError + Send + Sync);

/// Fourth choice: its `Display` text, in the alternate form, in which types that box errors name the causes.
pub trait ExplainDisplay {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl<E: Display> ExplainDisplay for &Explain<'_, E> {
    fn explain(&self) -> Failure {
        Failure::Message(format!("{:#}", self.0))
    }
}

/// Fifth choice: its `Debug` text.
pub trait ExplainDebug {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl<E: Debug> ExplainDebug for Explain<'_, E> {
    fn explain(&self) -> Failure {
        Failure::Message(format!("{:?}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt, io};

    #[derive(Debug)]
    struct OnlyDebug;

    #[derive(Debug, thiserror::Error)]
    #[error("reading the mesh failed")]
    struct Outer(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("reading the mesh failed: {0}")]
    struct SaysItsCause(#[source] io::Error);

    /// As `anyhow::Error` is: the alternate form names the causes.
    struct Alternate;
    impl fmt::Display for Alternate {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(if formatter.alternate() { "outer: inner" } else { "outer" })
        }
    }

    fn missing() -> io::Error {
        io::Error::from_raw_os_error(libc::ENOENT)
    }

    /// Written as in the macros' output: the number of references selects the trait.
    macro_rules! explained {
        ($error:expr) => {
            match (&&&&&Explain(&$error)).explain() {
                Failure::Message(text) => text,
                other => panic!("{other:?}"),
            }
        };
    }

    #[test]
    #[allow(clippy::needless_borrow)]
    fn explain_uses_the_best_trait_of_the_type() {
        let error = Error::config("wrong");
        assert!(matches!((&&&&&Explain(&error)).explain(), Failure::Passed(passed) if passed == error));
        let boxed: Box<dyn StdError + Send + Sync> = Box::new(error.clone());
        assert!(matches!((&&&&&Explain(&boxed)).explain(), Failure::Passed(passed) if passed == error));
        assert_eq!(explained!("shown"), "shown");
        assert_eq!(explained!(OnlyDebug), "OnlyDebug");
        assert_eq!(explained!(Alternate), "outer: inner");
    }

    #[test]
    #[allow(clippy::needless_borrow)]
    fn explain_names_each_cause_once() {
        let whole = format!("reading the mesh failed: {}", missing());
        assert_eq!(explained!(Outer(missing())), whole);
        assert_eq!(explained!(SaysItsCause(missing())), whole);
        let boxed: Box<dyn StdError> = Box::new(Outer(missing()));
        assert_eq!(explained!(boxed), whole);
        assert_eq!(explained!(Box::<dyn StdError + Send + Sync>::from("text")), "text");
    }
}
