//! Actors: the registration of their classes, and calls.

use crate::call;
use crate::cluster::{OfCluster, need_cluster, not_forked};
use crate::given::{give, owned, take};
use crate::layout::{CArgument, CClass, CConstructor, CMethod, COptions};
use crate::objects::{Handle, give_references};
use crate::options::read_options;
use crate::pointers::{elements, place, places, sized, text};
use crate::status::{Fault, guard, guard_end};
use crate::tasks::{body_of, read_arguments, unknown};
use mobula::__native::{ClassDescription, MethodDescription, NativeBody, NativeHandle};
use std::ffi::{c_char, c_void};

/// `mobula_actor`.
pub type ActorPointer = OfCluster<NativeHandle>;

const NO_CLASS: CClass = CClass {
    size: size_of::<CClass>(),
    name: std::ptr::null(),
    construct: None,
    user: std::ptr::null_mut(),
    destroy: None,
    methods: std::ptr::null(),
    num_methods: 0,
    save: None,
    restore: None,
};

/// The body of a constructor: what it writes as its state is the actor's.
///
/// # Safety
/// As of `body_of`.
unsafe fn constructor_of(construct: CConstructor, user: *mut c_void) -> NativeBody {
    let user = user.expose_provenance();
    Box::new(move |frame| {
        let (user, mut state) = (std::ptr::with_exposed_provenance_mut(user), std::ptr::null_mut());
        // SAFETY: the caller's promise; the call lives until the function returns.
        call::run(frame, |call| unsafe { construct(call, user, &raw mut state) })?;
        frame.state = state.expose_provenance();
        Ok(())
    })
}

/// # Safety
/// The header's contract.
unsafe fn describe(class: &CClass) -> Result<ClassDescription, Fault> {
    // SAFETY: the caller's promise.
    let (name, methods) = unsafe {
        (text(class.name, "actor_class->name")?, elements(class.methods, class.num_methods, "actor_class->methods")?)
    };
    let construct = class.construct.ok_or_else(|| Fault::null("actor_class->construct"))?;
    let method = |(position, method): (usize, &CMethod)| {
        let member = |member: &str| format!("actor_class->methods[{position}].{member}");
        // SAFETY: the caller's promise.
        let name = unsafe { text(method.name, &member("name")) }?;
        let call = method.call.ok_or_else(|| Fault::null(&member("call")))?;
        // SAFETY: the caller's promise.
        let body = unsafe { body_of(call, None) };
        Ok(MethodDescription { name: name.to_string(), returns: method.num_returns as usize, body })
    };
    let methods = methods.iter().enumerate().map(method).collect::<Result<Vec<_>, Fault>>()?;
    // SAFETY: the caller's promise, here and below.
    let construct = unsafe { constructor_of(construct, class.user) };
    let checkpoint = match (class.save, class.restore) {
        (None, None) => None,
        (Some(save), Some(restore)) => Some(unsafe { (body_of(save, None), constructor_of(restore, class.user)) }),
        (None, Some(_)) => return Err(Fault::null("actor_class->save, which belongs to restore,")),
        (Some(_), None) => return Err(Fault::null("actor_class->restore, which belongs to save,")),
    };
    let destroy = class.destroy;
    let destroy = Box::new(move |state: usize| {
        if let Some(destroy) = destroy {
            // SAFETY: the caller's promise; the state is one of the constructor's, and is given up here.
            unsafe { destroy(std::ptr::with_exposed_provenance_mut(state)) };
        }
    });
    Ok(ClassDescription { name: name.to_string(), construct, destroy, checkpoint, methods })
}

/// `mobula_register_actor` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_register_actor(class: *const CClass) -> i32 {
    guard("mobula_register_actor", || {
        if class.is_null() {
            return Err(Fault::null("actor_class"));
        }
        // SAFETY: the header's contract.
        let description = unsafe { describe(&sized(class, NO_CLASS, "actor_class")?) }?;
        Ok(mobula::__native::register_class(description)?)
    })
}

/// `mobula_actor_create` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_actor_create(
    class: *const c_char,
    args: *const CArgument,
    num_args: usize,
    options: *const COptions,
    out: *mut *mut ActorPointer,
) -> i32 {
    guard("mobula_actor_create", || {
        // SAFETY: the header's contract.
        let (class, out) = unsafe { (text(class, "class_name")?, place(out, "out")?) };
        let cluster = need_cluster()?;
        // SAFETY: the header's contract.
        let (args, options) = unsafe { (read_arguments(args, num_args, cluster)?, read_options(options, cluster)?) };
        let handle = mobula::__native::create_actor(class, args, options.into_options())?;
        let handle = handle.ok_or_else(|| unknown(format!("no actor class named {class:?} is registered")))?;
        out.write([give(ActorPointer::new(handle, cluster))]);
        Ok(())
    })
}

/// `mobula_actor_call` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_actor_call(
    actor: *mut ActorPointer,
    method: *const c_char,
    args: *const CArgument,
    num_args: usize,
    out: *mut *mut Handle,
    num_returns: usize,
) -> i32 {
    guard("mobula_actor_call", || {
        // SAFETY: the header's contract.
        let (actor, method, out) =
            unsafe { (owned(actor, "actor")?, text(method, "method")?, places(out, num_returns, "out")?) };
        let cluster = need_cluster()?;
        let handle = actor.usable_in(cluster, "actor")?;
        // SAFETY: the header's contract.
        let args = unsafe { read_arguments(args, num_args, cluster) }?;
        let references = handle.call(method, args, num_returns)?;
        let label = handle.label();
        let references = references.ok_or_else(|| unknown(format!("{label} has no method named {method:?}")))?;
        give_references(references, cluster, out);
        Ok(())
    })
}

/// `mobula_actor_find` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_actor_find(name: *const c_char, out: *mut *mut ActorPointer) -> i32 {
    guard("mobula_actor_find", || {
        // SAFETY: the header's contract.
        let (name, out) = unsafe { (text(name, "name")?, place(out, "out")?) };
        let cluster = need_cluster()?;
        out.write([give(ActorPointer::new(mobula::__native::find_actor(name)?, cluster))]);
        Ok(())
    })
}

/// `mobula_actor_kill` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_actor_kill(actor: *mut ActorPointer) -> i32 {
    guard("mobula_actor_kill", || {
        // SAFETY: the header's contract.
        let actor = unsafe { owned(actor, "actor") }?;
        actor.usable_in(need_cluster()?, "actor")?.kill();
        Ok(())
    })
}

/// `mobula_actor_clone` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_actor_clone(actor: *const ActorPointer, out: *mut *mut ActorPointer) -> i32 {
    guard("mobula_actor_clone", || {
        // SAFETY: the header's contract.
        let (actor, out) = unsafe { (owned(actor, "actor")?, place(out, "out")?) };
        not_forked()?;
        out.write([give(actor.clone())]);
        Ok(())
    })
}

/// `mobula_actor_free` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_actor_free(actor: *mut ActorPointer) {
    // SAFETY: the header's contract.
    guard_end("mobula_actor_free", || unsafe { take(actor, "actor") }.map(drop));
}
