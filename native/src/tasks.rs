//! Tasks: their registration, and calls.

use crate::actors::ActorPointer;
use crate::call;
use crate::cluster::{ClusterId, need_cluster};
use crate::given::owned;
use crate::layout::{ACTOR, AS_IS, BY_REFERENCE, BY_VALUE, CArgument, COptions, CTask};
use crate::objects::{Handle, give_references, given};
use crate::options::read_options;
use crate::pointers::{elements, is_text, places, text};
use crate::status::{Fault, Status, guard};
use mobula::__native::{Arg, CallArguments, NativeArgument, NativeBody, NativeFunction};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::fmt::{Display, Formatter};
use std::sync::{Mutex, PoisonError};

/// The first registration before main that failed: there is nobody to return it to.
static FAILED_BEFORE_MAIN: Mutex<Option<String>> = Mutex::new(None);

/// Why the start is refused: a function that was to be registered before main is not.
pub fn registration_failure() -> Option<String> {
    FAILED_BEFORE_MAIN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The body that calls a function of C with a pointer: the user's, or that of an actor's state if it is `None`.
///
/// # Safety
/// The header's contract: the function may be called from any thread, as long as the process lives.
pub unsafe fn body_of(function: CTask, user: Option<*mut c_void>) -> NativeBody {
    let user = user.map(<*mut c_void>::expose_provenance);
    Box::new(move |frame| {
        let pointer = std::ptr::with_exposed_provenance_mut(user.unwrap_or(frame.state));
        // SAFETY: the caller's promise; the call lives until the function returns.
        call::run(frame, |call| unsafe { function(call, pointer) })
    })
}

/// # Safety
/// The header's contract.
unsafe fn register(
    name: *const c_char,
    function: Option<CTask>,
    user: *mut c_void,
    num_returns: u32,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    let name = unsafe { text(name, "name") }?;
    let function = function.ok_or_else(|| Fault::null("function"))?;
    // SAFETY: the caller's promise.
    let body = unsafe { body_of(function, Some(user)) };
    Ok(mobula::__native::register_function(name, num_returns as usize, body)?)
}

/// `mobula_register` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_register(
    name: *const c_char,
    function: Option<CTask>,
    user: *mut c_void,
    num_returns: u32,
) -> i32 {
    // SAFETY: the header's contract.
    guard("mobula_register", || unsafe { register(name, function, user, num_returns) })
}

/// `mobula_register_before_main` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_register_before_main(name: *const c_char, function: Option<CTask>, num_returns: u32) {
    // SAFETY: the header's contract.
    let status = guard("MOBULA_TASK", || unsafe { register(name, function, std::ptr::null_mut(), num_returns) });
    if status != 0 {
        // SAFETY: the text of this thread's last failure, which was recorded just now.
        let text = unsafe { CStr::from_ptr(crate::status::mobula_last_error()) };
        let mut failed = FAILED_BEFORE_MAIN.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert_with(|| text.to_string_lossy().into_owned());
    }
}

/// An argument's handle, in messages.
#[derive(Clone, Copy)]
struct Position(usize);

impl Display for Position {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the handle of args[{}]", self.0)
    }
}

/// The arguments of a call in the running cluster.
///
/// # Errors
/// `InvalidArgument`, with the argument's position; `Config` for handles of another cluster; what copying a value fails
/// with.
///
/// # Safety
/// The header's contract.
pub unsafe fn read_arguments(args: *const CArgument, count: usize, running: ClusterId) -> Result<CallArguments, Fault> {
    // SAFETY: the caller's promise.
    let all = unsafe { elements(args, count, "args") }?;
    let mut read = CallArguments::default();
    for (position, argument) in all.iter().enumerate() {
        let named = Position(position);
        // SAFETY: the caller's promise: the handle is of the kind that it says.
        let reference = || {
            let handle = unsafe { owned(argument.handle.cast::<Handle>(), named) }?;
            handle.usable_in(running, named).cloned()
        };
        match argument.kind {
            BY_VALUE => {
                // SAFETY: the caller's promise.
                let copied = unsafe { given(argument.data, argument.count, argument.element) };
                let (element, bytes) = copied.map_err(|fault| fault.of(position))?;
                read.push_copy(element, bytes)?;
            }
            BY_REFERENCE => read.push(NativeArgument::Array(Arg::Ref(reference()?))),
            AS_IS => read.push(NativeArgument::Reference(reference()?)),
            ACTOR => {
                // SAFETY: as above.
                let handle = unsafe { owned(argument.handle.cast::<ActorPointer>(), named) }?;
                read.push(NativeArgument::Actor(handle.usable_in(running, named)?.clone()));
            }
            kind => {
                return Err(Fault::invalid(format!("args[{position}].kind is {kind}: use MOBULA_VALUE and others")));
            }
        }
    }
    Ok(read)
}

thread_local! {
    /// The task that this thread submitted last: a program most often submits many of one.
    static LAST_TASK: Cell<Option<&'static NativeFunction>> = const { Cell::new(None) };
}

/// The task of that name.
///
/// # Errors
/// `UnknownFunction` if there is none; as of `text`.
///
/// # Safety
/// The header's contract.
unsafe fn task_named(name: *const c_char) -> Result<&'static NativeFunction, Fault> {
    if let Some(last) = LAST_TASK.get() {
        // SAFETY: the caller's promise.
        if unsafe { is_text(name, last.entry.name) } {
            return Ok(last);
        }
    }
    // SAFETY: the caller's promise.
    let name = unsafe { text(name, "name") }?;
    let found = mobula::__native::find_task(name)?;
    let task = found.ok_or_else(|| unknown(format!("no function named {name:?} is registered")))?;
    LAST_TASK.set(Some(task));
    Ok(task)
}

/// `mobula_submit` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_submit(
    name: *const c_char,
    args: *const CArgument,
    num_args: usize,
    options: *const COptions,
    out: *mut *mut Handle,
    num_returns: usize,
) -> i32 {
    guard("mobula_submit", || {
        // SAFETY: the header's contract.
        let out = unsafe { places(out, num_returns, "out") }?;
        let cluster = need_cluster()?;
        // SAFETY: the header's contract.
        let task = unsafe { task_named(name) }?;
        // SAFETY: the header's contract.
        let (args, options) = unsafe { (read_arguments(args, num_args, cluster)?, read_options(options, cluster)?) };
        give_references(mobula::__native::submit(task, args, options, num_returns)?, cluster, out);
        Ok(())
    })
}

/// The fault of a name that nothing has.
pub fn unknown(text: String) -> Fault {
    Fault::Call(
        Status::UnknownFunction,
        format!("{text}: register it before mobula_init, on every rank (MOBULA_TASK, mobula_register)"),
    )
}
