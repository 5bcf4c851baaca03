//! Log lines for the user, by level, through the crate `log`.
//!
//! A program that has installed a logger of its own receives them, with the target [`TARGET`]; for every other program
//! this module prints them on standard error. It installs no logger itself, because `#[mobula::main]` starts the
//! runtime before the program's own code, which could then install none any more.

use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

/// The target of the lines that a program's logger receives.
const TARGET: &str = "mobula";

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

    /// The same level of the crate `log`; `None` for `Off`.
    fn of_facade(self) -> Option<log::Level> {
        match self {
            Level::Off => None,
            Level::Error => Some(log::Level::Error),
            Level::Warn => Some(log::Level::Warn),
            Level::Info => Some(log::Level::Info),
            Level::Debug => Some(log::Level::Debug),
        }
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
    let Some(facade_level) = level.of_facade() else { return };
    // The maximum level is `Off` until a program installs a logger and says what it wants to receive.
    if log::max_level() == log::LevelFilter::Off {
        print_whole(&format!("{prefix}{line}\n"));
    } else {
        log::log!(target: TARGET, facade_level, "{line}");
    }
}

/// Writes a line to standard error in one piece: launchers mix the pieces of several ranks.
fn print_whole(line: &str) {
    // If standard error is closed there is nowhere to report that.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
