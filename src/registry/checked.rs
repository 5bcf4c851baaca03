//! Whether the types of a call can be sent to other ranks: looked at when a function is first called in a process, so
//! that what fails on several ranks fails on one too, and at once.

use crate::base::Error;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a process has looked at of one function. Relaxed: whoever does not see it looks again.
#[derive(Default)]
pub struct CheckedTypes {
    /// Its arguments.
    pub arguments: Checked,
    /// Its results.
    pub results: Checked,
}

impl CheckedTypes {
    /// Nothing yet.
    pub const fn new() -> CheckedTypes {
        CheckedTypes { arguments: Checked(AtomicBool::new(false)), results: Checked(AtomicBool::new(false)) }
    }
}

/// Set by the first values that could be sent.
#[derive(Default)]
pub struct Checked(AtomicBool);

impl Checked {
    /// Calls `check` until it has succeeded once.
    ///
    /// # Errors
    /// Those of `check`.
    #[inline]
    pub fn unless_done(&self, check: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        if self.0.load(Ordering::Relaxed) { Ok(()) } else { self.run(check) }
    }

    #[cold]
    #[inline(never)]
    fn run(&self, check: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        check()?;
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_runs_until_it_has_succeeded() {
        let checked = CheckedTypes::new().arguments;
        let refuse = || Err(Error::config("no"));
        assert!(checked.unless_done(refuse).is_err() && checked.unless_done(refuse).is_err());
        assert!(checked.unless_done(|| Ok(())).is_ok() && checked.unless_done(refuse).is_ok());
    }
}
