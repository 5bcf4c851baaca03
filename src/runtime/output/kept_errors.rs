//! The failures that a driver keeps: the last ones, bounded in number and in bytes, and how many there were in all.

use crate::base::Error;
use crate::base::limits::{ERRORS_KEPT_BYTES_MAX, ERRORS_KEPT_MAX};
use std::collections::VecDeque;

/// The failures that were reported to a driver.
#[derive(Default)]
pub struct KeptErrors {
    /// Oldest first.
    kept: VecDeque<Error>,
    /// Of all that are kept.
    bytes: usize,
    total: u64,
}

impl KeptErrors {
    /// Keeps the failure, and forgets the oldest ones that are too many then. One that is longer than all of them may
    /// be, which only a peer could make, is counted only.
    pub fn push(&mut self, error: Error) {
        self.total += 1;
        let bytes = error.memory_bytes();
        if bytes > ERRORS_KEPT_BYTES_MAX {
            return;
        }
        self.bytes += bytes;
        self.kept.push_back(error);
        while self.kept.len() > ERRORS_KEPT_MAX || self.bytes > ERRORS_KEPT_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.memory_bytes();
        }
    }

    /// The last failure.
    pub fn last(&self) -> Option<&Error> {
        self.kept.back()
    }

    /// Those that are kept, oldest first.
    pub fn to_vec(&self) -> Vec<Error> {
        self.kept.iter().cloned().collect()
    }

    /// How many there were in all.
    pub fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::FAILURE_BYTES_MAX;

    fn failure(number: usize, message: String) -> Error {
        Error::Task { task: number.to_string(), rank: 0, host: "n1".to_string(), pid: 1, message }
    }

    fn numbers(errors: &KeptErrors) -> Vec<usize> {
        let number = |error: Error| match error {
            Error::Task { task, .. } => task.parse().expect("a number"),
            other => panic!("{other}"),
        };
        errors.to_vec().into_iter().map(number).collect()
    }

    #[test]
    fn short_errors_are_kept_up_to_their_number_and_one_more_ends_the_oldest() {
        let mut errors = KeptErrors::default();
        (0..ERRORS_KEPT_MAX).for_each(|number| errors.push(failure(number, "it failed".to_string())));
        assert_eq!((numbers(&errors).len(), numbers(&errors)[0], errors.total()), (ERRORS_KEPT_MAX, 0, 10_000));
        errors.push(failure(ERRORS_KEPT_MAX, "it failed".to_string()));
        assert_eq!((numbers(&errors).len(), numbers(&errors)[0], errors.total()), (ERRORS_KEPT_MAX, 1, 10_001));
    }

    #[test]
    fn long_errors_are_kept_up_to_their_bytes_and_one_more_ends_the_oldest() {
        let mut errors = KeptErrors::default();
        let long = |number| failure(number + 1_000, "e".repeat(FAILURE_BYTES_MAX));
        let fit = ERRORS_KEPT_BYTES_MAX / long(0).memory_bytes();
        (0..fit).for_each(|number| errors.push(long(number)));
        assert_eq!((numbers(&errors).len(), numbers(&errors)[0]), (fit, 1_000));
        errors.push(long(fit));
        assert_eq!((numbers(&errors).len(), numbers(&errors)[0], errors.total()), (fit, 1_001, fit as u64 + 1));
        assert!(errors.bytes <= ERRORS_KEPT_BYTES_MAX);
    }

    #[test]
    fn error_that_is_too_long_to_keep_is_counted_and_leaves_the_others() {
        let mut errors = KeptErrors::default();
        errors.push(failure(1, String::new()));
        errors.push(failure(2, "e".repeat(ERRORS_KEPT_BYTES_MAX)));
        assert_eq!((numbers(&errors), errors.total()), (vec![1], 2));
    }
}
