//! Where a task panics, for its error.

use crate::base::Error;
use crate::base::limits::FAILURE_BYTES_MAX;
use crate::base::panic::Panic;
use crate::base::sync::lock;
use crate::base::text::cut;
use crate::registry::runs_leaf;
use crate::runtime::tasks::context::runs_task;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{Location, PanicHookInfo};
use std::sync::{Arc, Mutex};

thread_local! {
    static PANIC_SITE: RefCell<PanicSite> = const { RefCell::new(PanicSite { location: None, backtrace: None }) };
    /// The error that a task on this thread got last.
    static LAST_ERROR: RefCell<Option<Arc<Error>>> = const { RefCell::new(None) };
}

/// Installs a panic hook that records where a task panics, for its error. The hook of the program before is called for
/// every panic; that of the standard library, which prints, only for those outside of tasks.
pub fn install_panic_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        // Now no hook is set, so this is the standard library's.
        let standard = std::panic::take_hook();
        // Both may be of no size, with one address: then their tables of methods tell them apart.
        #[allow(ambiguous_wide_pointer_comparisons)]
        let is_standard = std::ptr::eq(&raw const *before, &raw const *standard);
        std::panic::set_hook(Box::new(move |info| {
            let of_task = runs_task() || runs_leaf();
            if of_task {
                PANIC_SITE.set(PanicSite::here(info.location()));
            } else {
                *lock(&THREAD_PANIC) = thread_panic(info);
            }
            if !of_task || !is_standard {
                before(info);
            }
        }));
    });
}

/// What the thread outside of tasks said that panicked last. A task that joins it and unwraps the outcome panics with
/// `Any { .. }`, which says nothing.
static THREAD_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// What the `Debug` text of a panic's payload is, whatever it holds.
const UNKNOWN_PAYLOAD: &str = "Any { .. }";

/// The text of a panic of a thread, if it has one that says something.
fn thread_panic(info: &PanicHookInfo<'_>) -> Option<String> {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.filter(|text| !text.ends_with(UNKNOWN_PAYLOAD))?;
    let at = info.location().map(|location| format!(" at {}:{}", location.file(), location.line()));
    let thread = std::thread::current().name().unwrap_or("without a name").to_string();
    Some(cut(format!("thread {thread} panicked{}: {text}", at.unwrap_or_default()), FAILURE_BYTES_MAX / 4))
}

/// Where a task panicked, as its error says it.
#[derive(Default)]
pub struct PanicSite {
    location: Option<String>,
    /// If the environment asks for one (`RUST_BACKTRACE`).
    backtrace: Option<String>,
}

impl PanicSite {
    fn here(location: Option<&Location<'_>>) -> PanicSite {
        let backtrace = Backtrace::capture();
        PanicSite {
            location: location.map(|location| format!("{}:{}", location.file(), location.line())),
            backtrace: (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
        }
    }

    /// The message of a panic there.
    ///
    /// # Errors
    /// The error that it passes on: it is the panic of an `unwrap` of an error of mobula, or has one as its payload.
    pub fn describe(self, panic: Panic) -> Result<String, Error> {
        let text = match panic {
            Panic::Error(error) => return Err(error),
            Panic::Text(text) => text,
        };
        let mut text = match LAST_ERROR.take() {
            // What `unwrap` and `expect` write: the error with its quotes escaped, and longer at each level.
            Some(error) => match text.strip_suffix(&format!("{error:?}")) {
                Some("called `Result::unwrap()` on an `Err` value: ") => return Err((*error).clone()),
                Some(expected) => format!("{expected}{error}"),
                None => text,
            },
            None => text,
        };
        if text.ends_with(UNKNOWN_PAYLOAD)
            && let Some(of_thread) = lock(&THREAD_PANIC).take()
        {
            text = format!("{text}; before it, {of_thread}");
        }
        if let Some(location) = self.location {
            text = format!("panicked at {location}: {text}");
        }
        if let Some(backtrace) = self.backtrace {
            text = format!("{}\nstack backtrace:\n{backtrace}", cut(text, FAILURE_BYTES_MAX / 2));
        }
        Ok(text)
    }
}

/// Takes the site of the last panic of a task on this thread.
pub fn take_panic_site() -> PanicSite {
    PANIC_SITE.take()
}

/// The task on this thread gets an error of another task: if it panics with that, it passes it on.
pub fn record_error(error: &Arc<Error>) {
    if runs_task() {
        LAST_ERROR.set(Some(error.clone()));
    }
}
