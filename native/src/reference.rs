//! ResultReferences that functions of Rust and of C in one program hand to each other.

use crate::cluster::{ClusterId, need_cluster};
use crate::given::{give, owned};
use crate::objects::Handle;
use crate::status::Fault;
use mobula::__native::{NativeValue, from_native, to_native};
use mobula::{Error, ObjectRef};

/// What a pointer of C to a `mobula_ref` points to.
#[repr(C)]
pub struct CReference {
    _opaque: [u8; 0],
}

/// A `mobula_ref` to the object of a Rust reference, which C frees. Of an array C reads the same bytes.
///
/// What is still to come is awaited on this rank. In C a number is an array of one, and a `String` one of
/// `MOBULA_BYTES`.
///
/// # Errors
/// `Config` outside of a running cluster.
pub fn reference_for_c<T: NativeValue>(reference: &ObjectRef<T>) -> mobula::Result<*mut CReference> {
    let cluster = running()?;
    Ok(give(Handle::new(to_native(reference), cluster)).cast())
}

/// A Rust reference to the object of a `mobula_ref`, which stays C's own. Of an array Rust reads the same bytes; if the
/// object is none of the type `T`, `get` is [`Error::Type`].
///
/// # Errors
/// `Config` for NULL, for a reference of an ended cluster, and outside of a running one.
///
/// # Safety
/// It is NULL, or a `mobula_ref` that is not freed.
pub unsafe fn reference_from_c<T: NativeValue>(reference: *const CReference) -> mobula::Result<ObjectRef<T>> {
    let cluster = running()?;
    // SAFETY: the caller's promise.
    let handle = unsafe { owned(reference.cast::<Handle>(), "reference") };
    let own = handle.and_then(|handle| handle.usable_in(cluster, "reference")).map_err(error_of)?;
    Ok(from_native(own))
}

fn running() -> mobula::Result<ClusterId> {
    need_cluster().map_err(error_of)
}

fn error_of(fault: Fault) -> Error {
    match fault {
        Fault::Error(error) => error,
        Fault::Call(_, text) | Fault::Program(_, text) => Error::Config { message: text, source: None },
    }
}
