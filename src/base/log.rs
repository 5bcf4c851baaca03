//! Log lines for the user, by level, through the crate `log`.
//!
//! A program that has installed a logger of its own receives them, with the target [`TARGET`]; for every other program
//! this module prints them on standard error. It installs no logger itself, because `#[mobula::main]` starts the
//! runtime before the program's own code, which could then install none any more.

use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

/// The target of the lines that a program's logger receives.
const TARGET: &str = "mobula";

/// How much is logged: a level includes those above it. `Off` is nothing, `Error` failures of tasks and of the runtime,
/// `Warn` what the user would want to know, `Info` the start banner, `Debug` what the runtime decides.
pub use log::LevelFilter as Level;

/// A level by the name that `MOBULA_LOG` gives it.
pub(super) fn parse_level(text: &str) -> Option<Level> {
    text.parse().ok().filter(|level: &Level| *level <= Level::Debug && level.as_str().to_lowercase() == text)
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Warn as u8);

/// Sets how much is logged from now on.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// True if lines of this level are logged.
pub fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Logs a line if `level` is enabled; the line is formatted only then.
pub fn log(level: Level, line: impl FnOnce() -> String) {
    if enabled(level) {
        emit(level, "mobula: ", &line());
    }
}

/// As [`log`], for a line that names its origin itself: our printer puts no `mobula: ` before it.
pub fn log_from_task(level: Level, line: impl FnOnce() -> String) {
    if enabled(level) {
        emit(level, "", &line());
    }
}

/// Gives a line to the program's logger, or prints it.
fn emit(level: Level, prefix: &str, line: &str) {
    let Some(facade_level) = level.to_level() else { return };
    // The maximum level is `Off` until a program installs a logger and says what it wants to receive.
    if log::max_level() == log::LevelFilter::Off {
        print_whole(&format!("{prefix}{line}\n"));
    } else {
        log::log!(target: TARGET, facade_level, "{line}");
    }
}

/// Writes a line to standard error in one piece: launchers mix the pieces of several ranks.
pub fn print_whole(line: &str) {
    // If standard error is closed there is nowhere to report that.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
