//! Objects: arrays of plain data in the store, and references to them.

use crate::layout::CArray;
use crate::pointers::{elements, elements_mut, give, required, required_mut, take};
use crate::start::need_cluster;
use crate::status::{Fault, guard, guard_value};
use mobula::__native::{ElementType, NativeArray, NativeDraft};
use mobula::{ObjectRef, Ref};
use std::ffi::c_void;
use std::time::Duration;

/// `mobula_ref`.
pub struct Handle(pub ObjectRef<NativeArray>);

/// The element type of that number.
///
/// # Errors
/// `InvalidArgument` if there is none.
pub fn element_of(number: u32) -> Result<ElementType, Fault> {
    ElementType::from_number(number).ok_or_else(|| Fault::invalid(format!("type is {number}, which is no mobula_type")))
}

/// A copy of elements of C.
///
/// # Errors
/// `InvalidArgument` for NULL and for an unknown type; what creating an array fails with.
///
/// # Safety
/// The header's contract.
pub unsafe fn copy_of(data: *const c_void, count: usize, element: u32) -> Result<NativeArray, Fault> {
    let element = element_of(element)?;
    let Some(bytes) = count.checked_mul(element.size()) else {
        return Err(Fault::invalid(format!("count is {count}: no memory has as many elements")));
    };
    // SAFETY: the caller's promise.
    let bytes = unsafe { elements(data.cast::<u8>(), bytes, "data") }?;
    Ok(NativeArray::copy_of(element, bytes)?)
}

/// A view of an array that `internal` keeps, or that lives longer than the view.
pub fn view_of(array: &NativeArray, internal: *mut c_void) -> CArray {
    let data = array.bytes().as_ptr().cast_mut().cast();
    CArray { data, count: array.count(), element: array.element() as u32, internal }
}

const NO_ARRAY: CArray = CArray { data: std::ptr::null_mut(), count: 0, element: 0, internal: std::ptr::null_mut() };

/// A time-out of the header: negative is none.
///
/// # Errors
/// `InvalidArgument` if it is not a number.
pub fn timeout_of(timeout_s: f64) -> Result<Option<Duration>, Fault> {
    if timeout_s.is_nan() {
        return Err(Fault::invalid("timeout_s is not a number"));
    }
    // More than a duration can hold is for ever.
    Ok(if timeout_s < 0.0 { None } else { Duration::try_from_secs_f64(timeout_s).ok() })
}

/// `mobula_put` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_put(data: *const c_void, count: usize, element: u32, out: *mut *mut Handle) -> i32 {
    guard("mobula_put", || {
        // SAFETY: the header's contract.
        let out = unsafe { required_mut(out, "out") }?;
        need_cluster()?;
        // SAFETY: the header's contract.
        let array = unsafe { copy_of(data, count, element) }?;
        *out = give(Handle(mobula::put(array)?));
        Ok(())
    })
}

/// `mobula_create` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_create(count: usize, element: u32, out: *mut CArray) -> i32 {
    guard("mobula_create", || {
        // SAFETY: the header's contract: `out` may be uninitialized, and is only written.
        unsafe { required_mut(out, "out") }?;
        need_cluster()?;
        let element = element_of(element)?;
        let draft = give(NativeDraft::new(element, count)?);
        // SAFETY: `give` returned it, and nothing else has it yet.
        let data = unsafe { &mut *draft }.bytes_mut().as_mut_ptr().cast();
        // SAFETY: it is not NULL.
        unsafe { out.write(CArray { data, count, element: element as u32, internal: draft.cast() }) };
        Ok(())
    })
}

/// `mobula_seal` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_seal(buffer: *mut CArray, out: *mut *mut Handle) -> i32 {
    guard("mobula_seal", || {
        // SAFETY: the header's contract.
        let (buffer, out) = unsafe { (required_mut(buffer, "buffer")?, required_mut(out, "out")?) };
        if buffer.internal.is_null() {
            return Err(Fault::invalid("buffer was sealed or discarded already, or mobula_create did not set it up"));
        }
        need_cluster()?;
        // SAFETY: the header's contract: `mobula_create` set it up, and it is given up here.
        let draft = *unsafe { Box::from_raw(buffer.internal.cast::<NativeDraft>()) };
        *buffer = NO_ARRAY;
        *out = give(Handle(mobula::put(draft.seal())?));
        Ok(())
    })
}

/// `mobula_discard` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_discard(buffer: *mut CArray) {
    guard_value((), || {
        // SAFETY: the header's contract.
        if let Some(buffer) = unsafe { buffer.as_mut() } {
            // SAFETY: as in `mobula_seal`.
            unsafe { take(buffer.internal.cast::<NativeDraft>()) };
            *buffer = NO_ARRAY;
        }
    });
}

/// `mobula_get` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_get(reference: *mut Handle, timeout_s: f64, out: *mut CArray) -> i32 {
    guard("mobula_get", || {
        // SAFETY: the header's contract.
        let Handle(reference) = unsafe { required(reference, "ref") }?;
        // SAFETY: the header's contract: `out` may be uninitialized, and is only written.
        unsafe { required_mut(out, "out") }?;
        need_cluster()?;
        let array = match timeout_of(timeout_s)? {
            None => reference.get(),
            Some(timeout) => reference.get_timeout(timeout),
        }?;
        let kept = give(array);
        // SAFETY: `give` returned it; the value stays in place until `mobula_release` takes it back.
        let view = view_of(unsafe { &*kept }, kept.cast());
        // SAFETY: it is not NULL.
        unsafe { out.write(view) };
        Ok(())
    })
}

/// `mobula_release` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_release(view: *mut CArray) {
    guard_value((), || {
        // SAFETY: the header's contract.
        if let Some(view) = unsafe { view.as_mut() } {
            // SAFETY: `mobula_get` set it; a view of an argument has NULL.
            unsafe { take(view.internal.cast::<Ref<NativeArray>>()) };
            *view = NO_ARRAY;
        }
    });
}

/// `mobula_wait` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_wait(
    references: *const *mut Handle,
    count: usize,
    num_returns: usize,
    timeout_s: f64,
    ready: *mut bool,
    num_ready: *mut usize,
) -> i32 {
    guard("mobula_wait", || {
        // SAFETY: the header's contract: `ready` may be uninitialized, and is only written.
        let (given, num_ready) =
            unsafe { (elements(references, count, "refs")?, required_mut(num_ready, "num_ready")?) };
        if count > 0 && ready.is_null() {
            return Err(Fault::null("ready"));
        }
        if num_returns > count || (num_returns == 0 && count > 0) {
            return Err(Fault::invalid(format!(
                "num_returns is {num_returns}: of {count} references, 1 to {count} can be waited for"
            )));
        }
        need_cluster()?;
        let waited: Vec<ObjectRef<NativeArray>> = given
            .iter()
            .enumerate()
            // SAFETY: the header's contract.
            .map(|(position, one)| Ok(unsafe { required(*one, &format!("refs[{position}]")) }?.0.clone()))
            .collect::<Result<_, Fault>>()?;
        mobula::wait(&waited, num_returns, timeout_of(timeout_s)?)?;
        *num_ready = 0;
        for (position, reference) in waited.iter().enumerate() {
            let is_ready = reference.is_ready();
            // SAFETY: the header's contract: there are as many flags as references.
            unsafe { ready.add(position).write(is_ready) };
            *num_ready += usize::from(is_ready);
        }
        Ok(())
    })
}

/// `mobula_cancel` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_cancel(reference: *mut Handle) -> i32 {
    guard("mobula_cancel", || {
        // SAFETY: the header's contract.
        let Handle(reference) = unsafe { required(reference, "ref") }?;
        need_cluster()?;
        mobula::cancel(reference);
        Ok(())
    })
}

/// `mobula_ref_clone` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_ref_clone(reference: *const Handle, out: *mut *mut Handle) -> i32 {
    guard("mobula_ref_clone", || {
        // SAFETY: the header's contract.
        let (Handle(reference), out) = unsafe { (required(reference, "ref")?, required_mut(out, "out")?) };
        *out = give(Handle(reference.clone()));
        Ok(())
    })
}

/// `mobula_ref_free` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_ref_free(reference: *mut Handle) {
    // SAFETY: the header's contract.
    guard_value((), || unsafe { take(reference) });
}

/// Gives references to `out`, one each; `out` has as many elements.
pub fn give_references(references: Vec<ObjectRef<NativeArray>>, out: &mut [*mut Handle]) {
    for (place, reference) in out.iter_mut().zip(references) {
        *place = give(Handle(reference));
    }
}

/// The places for `count` references; NULL only if there are none.
///
/// # Errors
/// `InvalidArgument` for NULL.
///
/// # Safety
/// The header's contract.
pub unsafe fn places<'a>(out: *mut *mut Handle, count: usize) -> Result<&'a mut [*mut Handle], Fault> {
    // SAFETY: the caller's promise. A pointer has no value that is not allowed.
    unsafe { elements_mut(out, count, "out") }
}
