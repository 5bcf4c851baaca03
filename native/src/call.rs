//! Inside of a task: its arguments and results.

use crate::actors::ActorPointer;
use crate::cluster::{ClusterId, not_forked};
use crate::given::{give, owned};
use crate::layout::{CArray, CCall};
use crate::objects::{Handle, KeptArray, bytes_of, copy_of, element_of, given_number, kept_view, view_of};
use crate::pointers::{place, required, text};
use crate::status::{Fault, Status, failure_of, forget_last_failure, guard};
use mobula::__native::{ArgumentView, ArrayView, CallArguments, Failure, NativeArray, NativeDraft, NativeFrame};
use mobula::Error;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A call that runs: what `mobula_call` points to. Threads that its body starts may use it at the same time.
#[repr(C)]
pub struct Call<'a> {
    /// [`RUNS`] until the body returns.
    stamp: AtomicU64,
    name: &'static str,
    cluster: ClusterId,
    args: &'a CallArguments,
    num_results: usize,
    outcome: Mutex<Outcome<'a>>,
}

/// The stamp of a call that runs.
const RUNS: u64 = u64::from_ne_bytes(*b"mobula_c");

/// What a body has set so far.
struct Outcome<'a> {
    results: &'a mut [Option<NativeArray>],
    /// Results that are written in place, by position; boxed, because C has their addresses.
    drafts: Vec<(usize, Box<NativeDraft>)>,
    /// The text of `mobula_fail`.
    reason: Option<String>,
}

/// Runs `body`, a function of C, with the call of `frame`.
///
/// # Errors
/// Why it failed.
pub fn run(frame: &mut NativeFrame<'_>, body: impl FnOnce(*mut CCall) -> i32) -> Result<(), Failure> {
    let NativeFrame { name, args, results, .. } = frame;
    let (num_results, cluster) = (results.len(), ClusterId::current());
    let outcome = Mutex::new(Outcome { results, drafts: Vec::new(), reason: None });
    let call = Call { stamp: AtomicU64::new(RUNS), name, cluster, args, num_results, outcome };
    let status = body((&raw const call).cast_mut().cast());
    call.stamp.store(0, Ordering::Relaxed);
    let Outcome { results, drafts, reason } = call.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failed = match (status, reason) {
        (_, Some(reason)) => Some(Failure::Message(reason)),
        (0, None) => None,
        (status, None) => Some(failure_of(status, name)),
    };
    forget_last_failure();
    if let Some(failure) = failed {
        return Err(failure);
    }
    if !drafts.is_empty() {
        drafts.into_iter().for_each(|(position, draft)| results[position] = Some(draft.seal()));
    }
    Ok(())
}

/// The call behind a pointer of C.
///
/// # Errors
/// `InvalidArgument` for NULL, and where that can be seen, for the call of a task that has returned.
///
/// # Safety
/// The header's contract: it is the pointer that the running task was given, or NULL.
unsafe fn call_of<'a>(call: *mut CCall) -> Result<&'a Call<'a>, Fault> {
    const {
        const fn shared_by_threads<T: Sync>() {}
        shared_by_threads::<Call<'static>>();
    }
    // SAFETY: the caller's promise. `run` made it, and keeps it while the body runs.
    let call = unsafe { required(call.cast::<Call<'a>>(), "call") }?;
    if call.stamp.load(Ordering::Relaxed) != RUNS {
        return Err(Fault::invalid("call is none that runs: it ends when the function that got it returns"));
    }
    not_forked()?;
    Ok(call)
}

/// As `call_of`; `None` where that is an error.
///
/// # Safety
/// As of `call_of`.
#[inline]
unsafe fn running_call<'a>(call: *mut CCall) -> Option<&'a Call<'a>> {
    // SAFETY: the caller's promise.
    let call = unsafe { call.cast::<Call<'a>>().as_ref() }?;
    (call.stamp.load(Ordering::Relaxed) == RUNS && !mobula::__native::is_forked()).then_some(call)
}

impl<'a> Call<'a> {
    /// That the call does not fit what the body wants.
    fn mismatch(&self, mismatch: String) -> Fault {
        Fault::Error(Error::Type { function: self.name.to_string(), mismatch })
    }

    fn argument(&self, index: usize) -> Result<ArgumentView<'a>, Fault> {
        self.args.get(index).ok_or_else(|| {
            let count = self.args.count();
            self.mismatch(format!("it wants an argument {index}, and got {count} arguments, counted from 0"))
        })
    }

    fn array(&self, index: usize, wanted: &str) -> Result<ArrayView<'a>, Fault> {
        let got = match self.argument(index)? {
            ArgumentView::Array(array) => return Ok(array),
            ArgumentView::Reference(_) => "a reference that was passed as it is",
            ArgumentView::Actor(_) => "an actor",
        };
        Err(self.mismatch(format!("argument {index}: it wants {wanted}, and got {got}")))
    }

    /// # Errors
    /// `Type` if the function has no such result.
    fn check_result(&self, index: usize) -> Result<(), Fault> {
        let count = self.num_results;
        if index >= count {
            return Err(self.mismatch(format!("it returns a result {index}, and has {count} results, counted from 0")));
        }
        Ok(())
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome<'a>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the result `index`, which exists, to an array or to a draft. What it was before is dropped last: the array
    /// may be a copy of it.
    fn set(&self, index: usize, array: Option<NativeArray>, draft: Option<Box<NativeDraft>>) {
        let mut outcome = self.outcome();
        if outcome.drafts.is_empty() && draft.is_none() {
            let before = std::mem::replace(&mut outcome.results[index], array);
            drop(outcome);
            drop(before);
            return;
        }
        let earlier = outcome.drafts.iter().position(|(position, _)| *position == index);
        let earlier = earlier.map(|place| outcome.drafts.swap_remove(place));
        outcome.drafts.extend(draft.map(|draft| (index, draft)));
        let before = std::mem::replace(&mut outcome.results[index], array);
        drop(outcome);
        drop((earlier, before));
    }
}

/// `mobula_arg` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg(call: *mut CCall, index: usize, element: u32, out: *mut CArray) -> i32 {
    // SAFETY: the header's contract, as of `call_of`.
    let running = unsafe { running_call(call) };
    let short = running.and_then(|call| call.args.short(index, element));
    // The most frequent case, in which nothing can panic.
    if let Some(array) = short
        && !out.is_null()
    {
        // SAFETY: the header's contract.
        unsafe { out.write(view_of(array, std::ptr::null_mut())) };
        return 0;
    }
    guard("mobula_arg", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (place(out, "out")?, call_of(call)?) };
        let wanted = element_of(element)?;
        let array = call.array(index, wanted.name())?;
        let got = array.element;
        if got != wanted {
            let (wanted, got) = (wanted.name(), got.name());
            return Err(call.mismatch(format!("argument {index}: it wants {wanted}, and got {got}")));
        }
        out.write([view_of(array, std::ptr::null_mut())]);
        Ok(())
    })
}

/// `mobula_arg_any` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_any(call: *mut CCall, index: usize, out: *mut CArray) -> i32 {
    guard("mobula_arg_any", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (place(out, "out")?, call_of(call)?) };
        out.write([view_of(call.array(index, "an array")?, std::ptr::null_mut())]);
        Ok(())
    })
}

/// `mobula_arg_keep` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_keep(call: *mut CCall, index: usize, out: *mut CArray) -> i32 {
    guard("mobula_arg_keep", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (place(out, "out")?, call_of(call)?) };
        let array = Box::new(call.array(index, "an array")?.to_array());
        out.write([kept_view(KeptArray::Argument(array), call.cluster)]);
        Ok(())
    })
}

/// `mobula_arg_count` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_count(call: *mut CCall, out: *mut usize) -> i32 {
    guard("mobula_arg_count", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (place(out, "out")?, call_of(call)?) };
        out.write([call.args.count()]);
        Ok(())
    })
}

/// `mobula_arg_ref` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_arg_ref(call: *mut CCall, index: usize, out: *mut *mut Handle) -> i32 {
    guard("mobula_arg_ref", || {
        // SAFETY: the header's contract.
        let (out, call) = unsafe { (place(out, "out")?, call_of(call)?) };
        if let ArgumentView::Reference(reference) = call.argument(index)? {
            out.write([give(Handle::new(reference.clone(), call.cluster))]);
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
        let (out, call) = unsafe { (place(out, "out")?, call_of(call)?) };
        if let ArgumentView::Actor(handle) = call.argument(index)? {
            out.write([give(ActorPointer::new(handle.clone(), call.cluster))]);
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
    // SAFETY: the header's contract, as of `call_of`.
    let (running, number) = unsafe { (running_call(call), given_number(data, count, element)) };
    // The most frequent case, in which nothing can panic.
    if let (Some(call), Some((element, bytes))) = (running, number)
        && index < call.num_results
        && let Ok(array) = NativeArray::copy_of(element, bytes)
    {
        call.set(index, Some(array), None);
        return 0;
    }
    guard("mobula_return", || {
        // SAFETY: the header's contract.
        let call = unsafe { call_of(call) }?;
        call.check_result(index)?;
        // SAFETY: the header's contract. The data may be those of the result's earlier draft, which is still there.
        let array = unsafe { copy_of(data, count, element) }?;
        call.set(index, Some(array), None);
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
        let (data, call) = unsafe { (place(data, "data")?, call_of(call)?) };
        let element = element_of(element)?;
        call.check_result(index)?;
        bytes_of(element, count)?;
        let mut draft = Box::new(NativeDraft::new(element, count)?);
        data.write([draft.bytes_mut().as_mut_ptr().cast()]);
        call.set(index, None, Some(draft));
        Ok(())
    })
}

/// `mobula_return_ref` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_return_ref(call: *mut CCall, index: usize, reference: *mut Handle) -> i32 {
    guard("mobula_return_ref", || {
        // SAFETY: the header's contract.
        let (reference, call) = unsafe { (owned(reference, "ref")?, call_of(call)?) };
        let reference = reference.usable_in(call.cluster, "ref")?;
        call.check_result(index)?;
        // The fiber waits here.
        let array = NativeArray::clone(&*reference.get()?);
        call.set(index, Some(array), None);
        Ok(())
    })
}

/// `mobula_return_actor` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_return_actor(call: *mut CCall, index: usize, actor: *mut ActorPointer) -> i32 {
    guard("mobula_return_actor", || {
        // SAFETY: the header's contract.
        let (actor, call) = unsafe { (owned(actor, "actor")?, call_of(call)?) };
        let handle = actor.usable_in(call.cluster, "actor")?;
        call.check_result(index)?;
        call.set(index, Some(NativeArray::of_actor(handle.clone())), None);
        Ok(())
    })
}

/// `mobula_fail` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_fail(call: *mut CCall, why: *const c_char) -> i32 {
    guard("mobula_fail", || {
        // SAFETY: the header's contract.
        let (call, why) = unsafe { (call_of(call)?, text(why, "why")?) };
        call.outcome().reason = Some(why.to_string());
        Err(Fault::Call(Status::Task, why.to_string()))
    })
}
