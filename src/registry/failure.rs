//! How a body failed, before the runtime adds task, rank and host.

use crate::base::Error;
use std::fmt::{Debug, Display};

/// A failure of a task's body.
#[derive(Debug)]
pub enum Failure {
    /// An error of mobula itself that the body returned, or that an argument held: passed on unchanged.
    Passed(Error),
    /// An `Err` of the user's type, as text.
    Message(String),
    /// A panic, as text.
    Panic(String),
}

/// An `Err` to be converted to a [`Failure`]; the three traits choose by what the error's type implements.
pub struct Explain<'a, E>(pub &'a E);

/// First choice: mobula's own error is passed on unchanged.
pub trait ExplainError {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl ExplainError for &&Explain<'_, Error> {
    fn explain(&self) -> Failure {
        Failure::Passed(self.0.clone())
    }
}

/// Second choice: its `Display` text.
pub trait ExplainDisplay {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl<E: Display> ExplainDisplay for &Explain<'_, E> {
    fn explain(&self) -> Failure {
        Failure::Message(self.0.to_string())
    }
}

/// Third choice: its `Debug` text.
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

    #[derive(Debug)]
    struct OnlyDebug;

    /// Written as in the macros' output: the number of references selects the trait.
    #[test]
    #[allow(clippy::needless_borrow)]
    fn explain_uses_the_best_trait_of_the_type() {
        let error = Error::config("wrong");
        assert!(matches!((&&&Explain(&error)).explain(), Failure::Passed(passed) if passed == error));
        assert!(matches!((&&&Explain(&"shown")).explain(), Failure::Message(text) if text == "shown"));
        assert!(matches!((&&&Explain(&OnlyDebug)).explain(), Failure::Message(text) if text == "OnlyDebug"));
    }
}
