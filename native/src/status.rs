//! Statuses, and the last failure of each thread and of each task.

use mobula::__native::Failure;
use mobula::Error;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A `mobula_status` of the library. Its name in the header is `MOBULA_` and the name here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    Config = 1,
    Fabric,
    Task,
    Timeout,
    Cancelled,
    ActorDied,
    NodeDied,
    ObjectLost,
    StoreFull,
    Unschedulable,
    InvalidArgument,
    UnknownFunction,
    Type,
    Internal,
}

/// The names of the statuses, from 0 on.
const NAMES: [&CStr; 15] = [
    c"MOBULA_OK",
    c"MOBULA_ERR_CONFIG",
    c"MOBULA_ERR_FABRIC",
    c"MOBULA_ERR_TASK",
    c"MOBULA_ERR_TIMEOUT",
    c"MOBULA_ERR_CANCELLED",
    c"MOBULA_ERR_ACTOR_DIED",
    c"MOBULA_ERR_NODE_DIED",
    c"MOBULA_ERR_OBJECT_LOST",
    c"MOBULA_ERR_STORE_FULL",
    c"MOBULA_ERR_UNSCHEDULABLE",
    c"MOBULA_ERR_INVALID_ARGUMENT",
    c"MOBULA_ERR_UNKNOWN_FUNCTION",
    c"MOBULA_ERR_TYPE",
    c"MOBULA_ERR_INTERNAL",
];

/// Why a call of C failed.
#[derive(Debug)]
pub enum Fault {
    /// An error of the library.
    Error(Error),
    /// A fault of the call itself.
    Call(Status, String),
    /// What the program itself says: a status, also a negative one of its own, and the whole message.
    Program(i32, String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Error(error)
    }
}

impl Fault {
    /// A pointer that may not be NULL is.
    pub fn null(argument: &str) -> Fault {
        Fault::invalid(format!("{argument} is NULL"))
    }

    /// An argument is wrong.
    pub fn invalid(text: impl Into<String>) -> Fault {
        Fault::Call(Status::InvalidArgument, text.into())
    }

    /// The same, of the argument at that position.
    pub fn of(self, position: usize) -> Fault {
        match self {
            Fault::Call(status, text) => Fault::Call(status, format!("args[{position}]: {text}")),
            other => other,
        }
    }

    fn status(&self) -> i32 {
        match self {
            Fault::Call(status, _) => *status as i32,
            Fault::Error(error) => status_of(error) as i32,
            Fault::Program(status, _) => *status,
        }
    }

    /// The message of a failure in that function.
    fn message(&self, function: &str) -> String {
        match self {
            Fault::Call(_, text) => format!("{function}: {text}"),
            Fault::Error(error) => format!("{function}: {error}"),
            Fault::Program(_, text) => text.clone(),
        }
    }

    /// Why a task of that name failed which returns this failure's status. `text` is its message.
    fn of_task(&self, name: &str, text: &CStr) -> Failure {
        match self {
            Fault::Error(error) => Failure::Passed(error.clone()),
            Fault::Call(..) => Failure::Message(text.to_string_lossy().into_owned()),
            Fault::Program(status, text) if *status == Status::Type as i32 => {
                Failure::Passed(Error::Type { function: name.to_string(), mismatch: text.clone() })
            }
            Fault::Program(status, text) if *status == Status::Config as i32 => {
                Failure::Passed(Error::Config { message: format!("{name}: {text}"), source: None })
            }
            Fault::Program(status, text) if *status < 0 => Failure::Message(format!("{text} (status {status})")),
            Fault::Program(_, text) => Failure::Message(text.clone()),
        }
    }
}

fn status_of(error: &Error) -> Status {
    match error {
        Error::Task { .. } => Status::Task,
        Error::Timeout { .. } => Status::Timeout,
        Error::Cancelled { .. } => Status::Cancelled,
        Error::ActorDied { .. } => Status::ActorDied,
        Error::NodeDied { .. } => Status::NodeDied,
        Error::ObjectLost { .. } => Status::ObjectLost,
        Error::StoreFull { .. } | Error::MemoryLimit { .. } => Status::StoreFull,
        Error::Unschedulable { .. } => Status::Unschedulable,
        Error::Config { .. } => Status::Config,
        Error::Fabric { .. } => Status::Fabric,
        Error::Type { .. } => Status::Type,
        _ => Status::Internal,
    }
}

/// The last failure of a task, or of a thread that runs none: for C its text, for the task that returns its status the
/// fault itself.
struct LastFailure {
    text: CString,
    fault: Fault,
}

thread_local! {
    /// By the number of the task, 0 for the thread itself: a task that waits shares its thread with others. `call::run`
    /// removes that of a task that ends, so there are no more than tasks that live.
    static LAST: RefCell<BTreeMap<u64, LastFailure>> = const { RefCell::new(BTreeMap::new()) };
}

/// The last failure of the task that runs on this stack is not needed any more: it ends. One of no task stays: it is of
/// whatever else runs on the thread.
pub fn forget_last_failure() {
    // A thread that is ending has none any more, here and below.
    let forgotten = LAST.try_with(|last| {
        if last.borrow().is_empty() {
            return None;
        }
        let task = mobula::__native::current_task();
        if task == 0 { None } else { last.borrow_mut().remove(&task) }
    });
    drop(forgotten);
}

/// Calls `body` with the last failure of the running task, or of this thread if it runs none.
fn with_last_failure<R>(body: impl FnOnce(Option<&LastFailure>) -> R) -> Option<R> {
    let with = |last: &RefCell<BTreeMap<u64, LastFailure>>| {
        let last = last.borrow();
        body(if last.is_empty() { None } else { last.get(&mobula::__native::current_task()) })
    };
    LAST.try_with(with).ok()
}

/// Runs what the function of the header named `function` does. A failure becomes the thread's last one; a panic is one.
pub fn guard(function: &str, body: impl FnOnce() -> Result<(), Fault>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => 0,
        Ok(Err(fault)) => record(function, fault),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            // What a panic holds may panic when it is dropped.
            std::mem::forget(panic);
            record(function, Fault::Call(Status::Internal, format!("it panicked, which is a bug of mobula: {text}")))
        }
    }
}

/// As `guard`, for a function that returns nothing: a failure is also printed, since nobody looks for it.
pub fn guard_end(function: &str, body: impl FnOnce() -> Result<(), Fault>) {
    if guard(function, body) != 0 {
        let text = with_last_failure(|last| last.map(|last| last.text.to_string_lossy().into_owned()));
        mobula::__native::warn(&text.flatten().unwrap_or_default());
    }
}

/// As `guard`, for a function that returns a value and cannot fail.
pub fn guard_value<V>(otherwise: V, body: impl FnOnce() -> V) -> V {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        std::mem::forget(panic);
        otherwise
    })
}

fn record(function: &str, fault: Fault) -> i32 {
    let status = fault.status();
    let text = fault.message(function).replace('\0', "\\0");
    let text = CString::new(text).unwrap_or_default();
    let task = mobula::__native::current_task();
    // Also of a task of Rust that calls C.
    mobula::__native::at_end_of_tasks(forget_last_failure);
    let before = LAST.try_with(|last| last.borrow_mut().insert(task, LastFailure { text, fault }));
    drop(before);
    status
}

/// The failure of the task of that name that returns `status`: its last one if that has this status.
pub fn failure_of(status: i32, name: &str) -> Failure {
    let last = with_last_failure(|last| match last? {
        LastFailure { fault, text } if fault.status() == status => Some(fault.of_task(name, text)),
        _ => None,
    });
    last.flatten().unwrap_or_else(|| {
        Failure::Message(match name_of(status) {
            Some(name) => format!("it returned {}", name.to_string_lossy()),
            None => format!("it returned the status {status}"),
        })
    })
}

fn name_of(status: i32) -> Option<&'static CStr> {
    NAMES.get(usize::try_from(status).ok()?).copied()
}

/// `mobula_last_error` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn mobula_last_error() -> *const c_char {
    let text = with_last_failure(|last| last.map(|last| last.text.as_ptr()));
    text.flatten().unwrap_or(c"".as_ptr())
}

/// `mobula_set_last_error` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_set_last_error(status: i32, message: *const c_char) -> i32 {
    guard("mobula_set_last_error", || {
        if message.is_null() {
            return Err(Fault::null("message"));
        }
        if status == 0 {
            return Err(Fault::invalid("status is MOBULA_OK, which is no failure"));
        }
        // SAFETY: the header's contract.
        let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
        Err(Fault::Program(status, text))
    })
}

/// `mobula_status_name` of the header.
#[unsafe(no_mangle)]
extern "C" fn mobula_status_name(status: i32) -> *const c_char {
    let user = if status < 0 { c"a status of the program" } else { c"no status of mobula" };
    name_of(status).unwrap_or(user).as_ptr()
}
