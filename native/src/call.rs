//! Inside of a task: its arguments and results.

use crate::actors::ActorPointer;
use crate::layout::{CArray, CCall};
use crate::objects::{Handle, copy_of, element_of, view_of};
use crate::pointers::{give, required, required_mut, text};
use crate::status::{Fault, Status, failure_of, forget_last_failure, guard};
use mobula::__native::{Failure, NativeArgument, NativeArray, NativeDraft, NativeFrame};
use mobula::Error;
use std::ffi::{c_char, c_void};

/// A call that runs: what `mobula_call` points to.
pub struct Call<'a> {
    name: &'static str,
    args: &'a [NativeArgument],
    results: &'a mut [Option<NativeArray>],
    /// Results that are written in place, by position; boxed, because C has their addresses.
    drafts: Vec<(usize, Box<NativeDraft>)>,
    /// The text of `mobula_fail`.
    reason: Option<String>,
    /// An argument or result of another type than the body wanted.
    mismatch: Option<Error>,
}

/// Runs `body`, a function of C, with the call of `frame`.
///
/// # Errors
/// Why it failed.
pub fn run(frame: &mut NativeFrame<'_>, body: impl FnOnce(*mut CCall) -> i32) -> Result<(), Failure> {
    let NativeFrame { name, args, results, .. } = frame;
    let mut call = Call { name, args, results, drafts: Vec::new(), reason: None, mismatch: None };
    let status = body((&raw mut call).cast());
    let failed = ended(&call, status);
    forget_last_failure();
    if let Some(failure) = failed {
        return Err(failure);
    }
    for (position, draft) in call.drafts {
        call.results[position] = Some(draft.seal());
    }
    Ok(())
}

/// Why the body failed, which returned `status`.
fn ended(call: &Call<'_>, status: i32) -> Option<Failure> {
    if let Some(reason) = &call.reason {
        return Some(Failure::Message(reason.clone()));
    }
    match (status, &call.mismatch) {
        (0, _) => None,
        (status, Some(error)) if status == Status::Type as i32 => Some(Failure::Passed(error.clone())),
        (status, _) => Some(failure_of(status)),
    }
}

/// The call behind a pointer of C.
///
/// # Errors
/// `InvalidArgument` for NULL.
///
/// # Safety
/// The header's contract: it is the pointer that the running task was given, or NULL.
unsafe fn call_of<'a>(call: *mut CCall) -> Result<&'a mut Call<'a>, Fault> {
    // SAFETY: the caller's promise. `run` made it, and nothing else uses it while the body runs.
    unsafe { required_mut(call.cast::<Call<'a>>(), "call") }
}

impl<'a> Call<'a> {
    /// Records that the call does not fit what the body wants.
    fn mismatch(&mut self, mismatch: String) -> Fault {
        let error = Error::Type { function: self.name.to_string(), mismatch };
        self.mismatch = Some(error.clone());
        Fault::Error(error)
    }

    fn argument(&mut self, index: usize) -> Result<&'a NativeArgument, Fault> {
        let args = self.args;
        args.get(index).ok_or_else(|| {
            let count = args.len();
            self.mismatch(format!("it wants an argument {index}, and got {count} arguments, counted from 0"))
        })
    }

    fn array(&mut self, index: usize, wanted: &str) -> Result<&'a NativeArray, Fault> {
        let got = match self.argument(index)? {
            NativeArgument::Array(array) => return Ok(array.value()),
            NativeArgument::Reference(_) => "a reference that was passed as it is",
            NativeArgument::Actor(_) => "an actor",
        };
        Err(self.mismatch(format!("argument {index}: it wants {wanted}, and got {got}")))
    }

    fn result(&mut self, index: usize) -> Result<&mut Option<NativeArray>, Fault> {
        let count = self.results.len();
        if index >= count {
            return Err(self.mismatch(format!("it returns a result {index}, and has {count} results, counted from 0")));
        }
        self.drafts.retain(|(position, _)| *position != index);
        Ok(&mut self.results[index])
    }
}

/// `mobula_arg` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg(call: *mut CCall, index: usize, element: u32, out: *mut CArray) -> i32 {
    guard("mobula_arg", || {
        // SAFETY: the header's contract: `out` may be uninitialized, and is only written.
        let call = unsafe {
            required_mut(out, "out")?;
            call_of(call)?
        };
        let wanted = element_of(element)?;
        let array = call.array(index, wanted.name())?;
        let got = array.element();
        if got != wanted {
            let (wanted, got) = (wanted.name(), got.name());
            return Err(call.mismatch(format!("argument {index}: it wants {wanted}, and got {got}")));
        }
        // SAFETY: it is not NULL.
        unsafe { out.write(view_of(array, std::ptr::null_mut())) };
        Ok(())
    })
}

/// `mobula_arg_any` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_any(call: *mut CCall, index: usize, out: *mut CArray) -> i32 {
    guard("mobula_arg_any", || {
        // SAFETY: the header's contract: `out` may be uninitialized, and is only written.
        let call = unsafe {
            required_mut(out, "out")?;
            call_of(call)?
        };
        let view = view_of(call.array(index, "an array")?, std::ptr::null_mut());
        // SAFETY: it is not NULL.
        unsafe { out.write(view) };
        Ok(())
    })
}

/// `mobula_arg_count` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_count(call: *mut CCall, out: *mut usize) -> i32 {
    guard("mobula_arg_count", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (required_mut(out, "out")?, call_of(call)?) };
        *out = call.args.len();
        Ok(())
    })
}

/// `mobula_arg_ref` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_ref(call: *mut CCall, index: usize, out: *mut *mut Handle) -> i32 {
    guard("mobula_arg_ref", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (required_mut(out, "out")?, call_of(call)?) };
        if let NativeArgument::Reference(reference) = call.argument(index)? {
            *out = give(Handle(reference.clone()));
            return Ok(());
        }
        Err(call.mismatch(format!("argument {index}: it wants a reference, and got a value: pass MOBULA_REF_AS_IS")))
    })
}

/// `mobula_arg_actor` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_actor(call: *mut CCall, index: usize, out: *mut *mut ActorPointer) -> i32 {
    guard("mobula_arg_actor", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (required_mut(out, "out")?, call_of(call)?) };
        if let NativeArgument::Actor(handle) = call.argument(index)? {
            *out = give(ActorPointer(handle.clone()));
            return Ok(());
        }
        Err(call.mismatch(format!("argument {index}: it wants an actor, and got a value: pass MOBULA_ACTOR")))
    })
}

/// `mobula_return` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_return(
    call: *mut CCall,
    index: usize,
    data: *const c_void,
    count: usize,
    element: u32,
) -> i32 {
    guard("mobula_return", || {
        // SAFETY: the header's contract.
        let call = unsafe { call_of(call) }?;
        let place = call.result(index)?;
        // SAFETY: the header's contract.
        *place = Some(unsafe { copy_of(data, count, element) }?);
        Ok(())
    })
}

/// `mobula_return_create` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_return_create(
    call: *mut CCall,
    index: usize,
    count: usize,
    element: u32,
    data: *mut *mut c_void,
) -> i32 {
    guard("mobula_return_create", || {
        // SAFETY: the header's contract.
        let (data, call) = unsafe { (required_mut(data, "data")?, call_of(call)?) };
        let element = element_of(element)?;
        *call.result(index)? = None;
        let mut draft = Box::new(NativeDraft::new(element, count)?);
        *data = draft.bytes_mut().as_mut_ptr().cast();
        call.drafts.push((index, draft));
        Ok(())
    })
}

/// `mobula_return_ref` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_return_ref(call: *mut CCall, index: usize, reference: *mut Handle) -> i32 {
    guard("mobula_return_ref", || {
        // SAFETY: the header's contract.
        let (Handle(reference), call) = unsafe { (required(reference, "ref")?, call_of(call)?) };
        call.result(index)?;
        // The fiber waits here; the call is its own.
        let array = NativeArray::clone(&*reference.get()?);
        *call.result(index)? = Some(array);
        Ok(())
    })
}

/// `mobula_fail` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_fail(call: *mut CCall, why: *const c_char) -> i32 {
    guard("mobula_fail", || {
        // SAFETY: the header's contract.
        let (call, why) = unsafe { (call_of(call)?, text(why, "why")?) };
        call.reason = Some(why.to_string());
        Err(Fault::Call(Status::Task, why.to_string()))
    })
}
