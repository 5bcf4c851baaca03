//! Failures: raised by `get`, passed on to dependent tasks, and listed.

use super::tasks::nap;
use super::tour::show;
use crate::failure::Result;

#[mobula::remote(max_retries = 0)]
fn panics() -> i64 {
    panic!("this task failed on purpose")
}

#[mobula::remote(max_retries = 0)]
fn refuses(number: i64) -> Result<i64, String> {
    if number < 0 { Err(format!("{number} is below zero")) } else { Ok(number) }
}

#[mobula::remote]
fn depends(value: i64) -> i64 {
    value
}

#[mobula::remote]
fn after(milliseconds: u64) -> u64 {
    milliseconds
}

/// Shows failures. The driver also prints each as it happens, on standard error.
pub fn run() -> Result<()> {
    let panicked = panics::remote();
    let message = text(panicked.get());
    show("a panic is raised at get", &message, message.contains("on purpose"))?;
    let message = text(refuses::remote(-1).get());
    show("so is an Err", &message, message.contains("-1 is below zero"))?;
    let message = text(depends::remote(depends::remote(&panicked)).get());
    show("what depends on it fails alike", &message, message.contains("panics") && message.contains("on purpose"))?;
    let listed = mobula::error_info();
    let found = listed.iter().filter(|error| error.to_string().contains("on purpose")).count();
    show("error_info() lists them", format!("{} listed", listed.len()), found >= 1)?;

    let slow = nap::remote(200);
    let dependent = after::remote(&slow);
    mobula::cancel(&dependent);
    let cancelled = dependent.get();
    let right = matches!(cancelled, Err(mobula::Error::Cancelled { .. }));
    show("a task cancelled before it began", text(cancelled), right)?;
    // The tour ends here: a task that still ran would lose its result, and the runtime would warn.
    slow.get()?;
    Ok(())
}

/// The error as text, or `no error`.
fn text<T>(outcome: mobula::Result<T>) -> String {
    outcome.err().map_or("no error".to_string(), |error| error.to_string())
}
