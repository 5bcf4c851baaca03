//! Objects: arrays of plain data in the store, and references to them.

use crate::actors::ActorPointer;
use crate::cluster::{ClusterId, OfCluster, need_cluster, not_forked};
use crate::given::{give, owned, take};
use crate::layout::CArray;
use crate::pointers::{Places, elements, place, places, required_mut};
use crate::status::{Fault, Status, guard, guard_end};
use mobula::__native::{ArrayView, ElementType, NativeArray, NativeDraft, ResultReferences};
use mobula::{ObjectRef, Ref};
use std::ffi::c_void;
use std::time::Duration;

/// `mobula_ref`.
pub type Handle = OfCluster<ObjectRef<NativeArray>>;

/// `mobula_buffer.internal`.
type Draft = OfCluster<NativeDraft>;

/// `mobula_view.internal`.
type Kept = OfCluster<KeptArray>;

/// What keeps the elements of a view.
pub enum KeptArray {
    /// An object that a call has waited for.
    Object(Ref<NativeArray>),
    /// An argument, beyond its call.
    Argument(Box<NativeArray>),
}

impl KeptArray {
    fn array(&self) -> &NativeArray {
        match self {
            KeptArray::Object(array) => array,
            KeptArray::Argument(array) => array,
        }
    }
}

/// A view that keeps its elements until `mobula_release`.
pub fn kept_view(array: KeptArray, cluster: ClusterId) -> CArray {
    let kept = give(Kept::new(array, cluster));
    // SAFETY: `give` returned it; the value stays in place until `mobula_release` takes it back.
    view_of(unsafe { &*kept }.get().array().view(), kept.cast())
}

/// The element type of that number.
///
/// # Errors
/// `InvalidArgument` if there is none.
pub fn element_of(number: u32) -> Result<ElementType, Fault> {
    ElementType::from_number(number).ok_or_else(|| Fault::invalid(format!("type is {number}, which is no mobula_type")))
}

/// How many bytes `count` elements have.
///
/// # Errors
/// `InvalidArgument` if no memory has as many.
pub fn bytes_of(element: ElementType, count: usize) -> Result<usize, Fault> {
    let bytes = count.checked_mul(element.size()).filter(|bytes| isize::try_from(*bytes).is_ok());
    bytes.ok_or_else(|| Fault::invalid(format!("count is {count}: no memory has as many elements")))
}

/// The one element of C that a copy is made of, the most frequent case; `None` if it is another one, or wrong.
///
/// # Safety
/// The header's contract.
#[inline]
pub unsafe fn given_number<'a>(data: *const c_void, count: usize, element: u32) -> Option<(ElementType, &'a [u8])> {
    let element = ElementType::from_number(element).filter(|_| count == 1 && !data.is_null())?;
    // SAFETY: the caller's promise: there is an element.
    Some((element, unsafe { std::slice::from_raw_parts(data.cast::<u8>(), element.size()) }))
}

/// The elements of C that a copy is made of.
///
/// # Errors
/// `InvalidArgument` for NULL and for an unknown type.
///
/// # Safety
/// The header's contract.
#[inline]
pub unsafe fn given<'a>(data: *const c_void, count: usize, element: u32) -> Result<(ElementType, &'a [u8]), Fault> {
    // SAFETY: the caller's promise.
    if let Some(number) = unsafe { given_number(data, count, element) } {
        return Ok(number);
    }
    let element = element_of(element)?;
    // SAFETY: the caller's promise.
    let bytes = unsafe { elements(data.cast::<u8>(), bytes_of(element, count)?, "data") }?;
    Ok((element, bytes))
}

/// A copy of elements of C.
///
/// # Errors
/// As of `given`; what creating an array fails with.
///
/// # Safety
/// The header's contract.
pub unsafe fn copy_of(data: *const c_void, count: usize, element: u32) -> Result<NativeArray, Fault> {
    // SAFETY: the caller's promise.
    let (element, bytes) = unsafe { given(data, count, element) }?;
    Ok(NativeArray::copy_of(element, bytes)?)
}

/// A view of an array that `internal` keeps, or that lives longer than the view.
#[inline]
pub fn view_of(array: ArrayView<'_>, internal: *mut c_void) -> CArray {
    let data = array.bytes.as_ptr().cast_mut().cast();
    CArray { data, count: array.count(), element: array.element as u32, internal }
}

const NO_ARRAY: CArray = CArray { data: std::ptr::null_mut(), count: 0, element: 0, internal: std::ptr::null_mut() };

/// A time-out of the header: negative is none.
///
/// # Errors
/// `InvalidArgument` if it is not a number.
#[inline]
pub fn timeout_of(timeout_s: f64) -> Result<Option<Duration>, Fault> {
    if timeout_s < 0.0 {
        return Ok(None);
    }
    if timeout_s.is_nan() {
        return Err(Fault::invalid("timeout_s is not a number"));
    }
    // More than a duration can hold is for ever.
    Ok(Duration::try_from_secs_f64(timeout_s).ok())
}

/// The value of an object, once it is complete.
fn wait_for(reference: &ObjectRef<NativeArray>, timeout_s: f64) -> Result<Ref<NativeArray>, Fault> {
    Ok(match timeout_of(timeout_s)? {
        None => reference.get(),
        Some(timeout) => reference.get_timeout(timeout),
    }?)
}

/// `mobula_put` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_put(data: *const c_void, count: usize, element: u32, out: *mut *mut Handle) -> i32 {
    guard("mobula_put", || {
        // SAFETY: the header's contract.
        let out = unsafe { place(out, "out") }?;
        let cluster = need_cluster()?;
        // SAFETY: the header's contract.
        let array = unsafe { copy_of(data, count, element) }?;
        out.write([give(Handle::new(mobula::put(array)?, cluster))]);
        Ok(())
    })
}

/// `mobula_create` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_create(count: usize, element: u32, out: *mut CArray) -> i32 {
    guard("mobula_create", || {
        // SAFETY: the header's contract.
        let out = unsafe { place(out, "out") }?;
        let cluster = need_cluster()?;
        let element = element_of(element)?;
        bytes_of(element, count)?;
        let draft = give(Draft::new(NativeDraft::new(element, count)?, cluster));
        // SAFETY: `give` returned it, and nothing else has it yet.
        let data = unsafe { &mut *draft }.get_mut().bytes_mut().as_mut_ptr().cast();
        out.write([CArray { data, count, element: element as u32, internal: draft.cast() }]);
        Ok(())
    })
}

/// `mobula_seal` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_seal(buffer: *mut CArray, out: *mut *mut Handle) -> i32 {
    guard("mobula_seal", || {
        // SAFETY: the header's contract.
        let (buffer, out) = unsafe { (required_mut(buffer, "buffer")?, place(out, "out")?) };
        if buffer.internal.is_null() {
            return Err(Fault::invalid("buffer was sealed or discarded already, or mobula_create did not set it up"));
        }
        let cluster = need_cluster()?;
        let draft = buffer.internal.cast::<Draft>();
        // SAFETY: the header's contract: `mobula_create` set it up.
        unsafe { owned(draft, "buffer") }?.usable_in(cluster, "buffer")?;
        // SAFETY: as above.
        let Some(draft) = unsafe { take(draft, "buffer") }? else { return Err(Fault::null("buffer")) };
        *buffer = NO_ARRAY;
        out.write([give(Handle::new(mobula::put(draft.into_inner().seal())?, cluster))]);
        Ok(())
    })
}

/// `mobula_discard` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_discard(buffer: *mut CArray) {
    guard_end("mobula_discard", || {
        // SAFETY: the header's contract.
        if let Some(buffer) = unsafe { buffer.as_mut() } {
            // SAFETY: as in `mobula_seal`.
            unsafe { take(buffer.internal.cast::<Draft>(), "buffer") }?;
            *buffer = NO_ARRAY;
        }
        Ok(())
    });
}

/// `mobula_get` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_get(reference: *mut Handle, timeout_s: f64, out: *mut CArray) -> i32 {
    guard("mobula_get", || {
        // SAFETY: the header's contract.
        let (reference, out) = unsafe { (owned(reference, "ref")?, place(out, "out")?) };
        let cluster = need_cluster()?;
        let reference = reference.usable_in(cluster, "ref")?;
        let array = wait_for(reference, timeout_s)?;
        if array.actor().is_some() {
            return Err(mismatch("the object is an actor: mobula_get_actor gets it"));
        }
        out.write([kept_view(KeptArray::Object(array), cluster)]);
        Ok(())
    })
}

/// An object is of another kind than the call is for.
fn mismatch(text: &str) -> Fault {
    Fault::Call(Status::Type, text.to_string())
}

/// `mobula_get_actor` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_get_actor(reference: *mut Handle, timeout_s: f64, out: *mut *mut ActorPointer) -> i32 {
    guard("mobula_get_actor", || {
        // SAFETY: the header's contract.
        let (reference, out) = unsafe { (owned(reference, "ref")?, place(out, "out")?) };
        let cluster = need_cluster()?;
        let array = wait_for(reference.usable_in(cluster, "ref")?, timeout_s)?;
        let handle = array.actor().ok_or_else(|| mismatch("the object is an array: mobula_get gets it"))?;
        out.write([give(ActorPointer::new(handle.clone(), cluster))]);
        Ok(())
    })
}

/// `mobula_release` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_release(view: *mut CArray) {
    guard_end("mobula_release", || {
        // SAFETY: the header's contract.
        if let Some(view) = unsafe { view.as_mut() } {
            // SAFETY: `mobula_get` set it; a view of an argument has NULL.
            unsafe { take(view.internal.cast::<Kept>(), "view") }?;
            *view = NO_ARRAY;
        }
        Ok(())
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
        // SAFETY: the header's contract.
        let (given, ready, num_ready) = unsafe {
            (elements(references, count, "refs")?, places(ready, count, "ready")?, place(num_ready, "num_ready")?)
        };
        if num_returns > count || (num_returns == 0 && count > 0) {
            return Err(Fault::invalid(format!(
                "num_returns is {num_returns}: of {count} references, 1 to {count} can be waited for"
            )));
        }
        let cluster = need_cluster()?;
        let reference_of = |(position, one): (usize, &*mut Handle)| {
            let name = format!("refs[{position}]");
            // SAFETY: the header's contract.
            Ok(unsafe { owned(*one, &name) }?.usable_in(cluster, &name)?.clone())
        };
        let waited: Vec<ObjectRef<NativeArray>> =
            given.iter().enumerate().map(reference_of).collect::<Result<_, Fault>>()?;
        mobula::wait(&waited, num_returns, timeout_of(timeout_s)?)?;
        let flags: Vec<bool> = waited.iter().map(ObjectRef::is_ready).collect();
        num_ready.write([flags.iter().filter(|is_ready| **is_ready).count()]);
        ready.write(flags);
        Ok(())
    })
}

/// `mobula_cancel` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_cancel(reference: *mut Handle) -> i32 {
    guard("mobula_cancel", || {
        // SAFETY: the header's contract.
        let reference = unsafe { owned(reference, "ref") }?;
        mobula::cancel(reference.usable_in(need_cluster()?, "ref")?);
        Ok(())
    })
}

/// `mobula_ref_clone` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_ref_clone(reference: *const Handle, out: *mut *mut Handle) -> i32 {
    guard("mobula_ref_clone", || {
        // SAFETY: the header's contract.
        let (reference, out) = unsafe { (owned(reference, "ref")?, place(out, "out")?) };
        not_forked()?;
        out.write([give(reference.clone())]);
        Ok(())
    })
}

/// `mobula_ref_free` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_ref_free(reference: *mut Handle) {
    // SAFETY: the header's contract.
    guard_end("mobula_ref_free", || unsafe { take(reference, "ref") }.map(drop));
}

/// Gives references of that cluster to `out`, one each; `out` has as many places.
pub fn give_references(references: ResultReferences, cluster: ClusterId, out: Places<*mut Handle>) {
    let given = |reference| give(Handle::new(reference, cluster));
    match references {
        ResultReferences::One(reference) => out.write([given(reference)]),
        ResultReferences::Many(references) => out.write(references.into_iter().map(given)),
    }
}
