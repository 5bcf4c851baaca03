//! How a body failed, before the node adds who and where.

use crate::base::Error;
use std::fmt::{Debug, Display};

/// A failure of a task's body.
#[derive(Debug)]
pub enum Failure {
    /// An error of mobula itself that the body passed on, or that an argument carried: goes on as it is.
    Passed(Error),
    /// An `Err` of the user's, as text.
    Message(String),
    /// A panic, as text.
    Panic(String),
}

/// An `Err` on its way to becoming a [`Failure`]; the three traits choose by what the error's type offers.
pub struct Explain<'a, E>(pub &'a E);

/// First choice: mobula's own error stays what it is.
pub trait ExplainError {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl ExplainError for &&Explain<'_, Error> {
    fn explain(&self) -> Failure {
        Failure::Passed(self.0.clone())
    }
}

/// Second choice: what it displays.
pub trait ExplainDisplay {
    /// The failure.
    fn explain(&self) -> Failure;
}

impl<E: Display> ExplainDisplay for &Explain<'_, E> {
    fn explain(&self) -> Failure {
        Failure::Message(self.0.to_string())
    }
}

/// Third choice: what it prints for debugging.
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

    /// Written as the macros write it: the references choose the trait.
    #[test]
    #[allow(clippy::needless_borrow)]
    fn the_best_that_the_type_offers_is_chosen() {
        let error = Error::config("kept");
        assert!(matches!((&&&Explain(&error)).explain(), Failure::Passed(kept) if kept == error));
        assert!(matches!((&&&Explain(&"shown")).explain(), Failure::Message(text) if text == "shown"));
        assert!(matches!((&&&Explain(&OnlyDebug)).explain(), Failure::Message(text) if text == "OnlyDebug"));
    }
}
