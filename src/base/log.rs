//! Log lines for the user, on standard error, by level.

use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

/// How much is logged: a level includes those above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    Off,
    /// Failures of tasks and of the runtime.
    Error,
    /// What the user would want to know.
    Warn,
    /// The start banner.
    Info,
    /// What the runtime decides.
    Debug,
}

impl Level {
    /// A level by the name that `MOBULA_LOG` gives it.
    pub(super) fn parse(text: &str) -> Option<Level> {
        Some(match text {
            "off" => Level::Off,
            "error" => Level::Error,
            "warn" => Level::Warn,
            "info" => Level::Info,
            "debug" => Level::Debug,
            _ => return None,
        })
    }
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
        print_whole(&format!("mobula: {}\n", line()));
    }
}

/// Writes a line to standard error in one piece: launchers mix the pieces of several ranks.
pub fn print_whole(line: &str) {
    // If standard error is closed there is nowhere to report that.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
