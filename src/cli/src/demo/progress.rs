//! Progress bars on standard error, where it is a terminal; nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar from 0 to `total`.
pub fn bar(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {human_pos}/{human_len} {elapsed}")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(total).with_style(style).with_message(what)
}

/// A clock for work whose end is not known.
pub fn clock(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is well formed");
    let clock = ProgressBar::new_spinner().with_style(style).with_message(what);
    clock.enable_steady_tick(Duration::from_millis(100));
    clock
}
