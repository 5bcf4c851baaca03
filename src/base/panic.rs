//! Panics of user code, caught where they must go no further.

use crate::base::Error;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic said.
#[derive(Debug)]
pub enum Panic {
    /// An error of mobula, which the user's code passed to `panic_any`.
    Error(Error),
    /// A text.
    Text(String),
}

impl Panic {
    /// The payload's content. The payload is dropped, and if that panics as well, what it panics with is leaked: it
    /// could panic again, without end.
    #[cold]
    pub fn of(payload: Box<dyn Any + Send>) -> Panic {
        let panic = if let Some(error) = payload.downcast_ref::<Error>() {
            Panic::Error(error.clone())
        } else if let Some(text) = payload.downcast_ref::<&str>() {
            Panic::Text((*text).to_string())
        } else if let Some(text) = payload.downcast_ref::<String>() {
            Panic::Text(text.clone())
        } else {
            Panic::Text("a panic without a message".to_string())
        };
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        panic
    }

    /// As a text.
    pub fn text(&self) -> String {
        match self {
            Panic::Error(error) => error.to_string(),
            Panic::Text(text) => text.clone(),
        }
    }
}

/// Runs code of the user. State that it shares with others must be valid wherever it panics.
///
/// # Errors
/// Its panic.
#[inline]
pub fn catch<R>(body: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(body)).map_err(Panic::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;

    struct PanicsInDrop(u32);
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(PanicsInDrop(self.0 - 1));
            }
        }
    }

    #[test]
    fn payload_that_panics_in_drop_is_caught() {
        for depth in 1..4 {
            assert_eq!(catch(|| panic_any(PanicsInDrop(depth))).unwrap_err().text(), "a panic without a message");
        }
    }

    #[test]
    fn texts_and_errors_are_kept() {
        assert_eq!(catch(|| panic!("plain")).unwrap_err().text(), "plain");
        assert_eq!(catch(|| panic!("formatted {}", 1)).unwrap_err().text(), "formatted 1");
        let error = Error::config("wrong");
        let panic = catch(|| panic_any(error.clone())).unwrap_err();
        assert!(matches!(panic, Panic::Error(kept) if kept == error));
        assert_eq!(catch(|| 7).unwrap(), 7);
    }
}
