//! Named cases; each runs even if one before it failed.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The result of a case: an error or a panic is a failure.
pub type Outcome = Result<(), Box<dyn Error>>;

/// The results so far.
pub struct Cases {
    only: Option<String>,
    passed: usize,
    failed: Vec<String>,
}

impl Cases {
    /// No case yet. Only cases whose names contain `only` will run.
    pub fn new(only: Option<String>) -> Cases {
        Cases { only, passed: 0, failed: Vec::new() }
    }

    /// Runs a case.
    pub fn case(&mut self, name: &str, body: impl FnOnce() -> Outcome) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return;
        }
        // Printed first, so that a case that hangs or ends the process can be identified.
        println!("case {name}");
        let why = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(payload) => Some(
                payload
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()))
                    .unwrap_or_else(|| "a panic without a text".to_string()),
            ),
        };
        match why {
            None => {
                println!("ok {name}");
                self.passed += 1;
            }
            Some(why) => {
                println!("FAILED {name}: {why}");
                self.failed.push(name.to_string());
            }
        }
    }

    /// Prints the last line; returns true if every case passed.
    pub fn report(&self) -> bool {
        if self.failed.is_empty() {
            println!("passed {}", self.passed);
        } else {
            println!("FAILED {} of {}: {}", self.failed.len(), self.failed.len() + self.passed, self.failed.join("; "));
        }
        self.failed.is_empty() && self.passed > 0
    }
}

/// Waits until `holds` returns true, which must happen in time, after messages between ranks.
#[track_caller]
pub fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
