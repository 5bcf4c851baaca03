//! AddressSanitizer, in a program that was compiled with it: it is told of each change of the stack.
//!
//! This library is compiled without it, and finds its functions in the program. In other programs there are none, and
//! each switch costs a load and a branch. Valgrind is told of each stack by corosensei.
#![allow(unsafe_code)]

use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicPtr;
use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};
use std::sync::Once;

/// The interface of AddressSanitizer for stacks: its `common_interface_defs.h`.
struct Sanitizer {
    /// The calling stack will be left for the one at that lowest address, of that size. Where the first points to is
    /// written what the second function needs once the calling stack runs again; NULL: it never will.
    start_switch: unsafe extern "C" fn(*mut *mut c_void, *const c_void, usize),
    /// Writes lowest address and size of the stack that ran before.
    finish_switch: unsafe extern "C" fn(*mut c_void, *mut *const c_void, *mut usize),
    unpoison: unsafe extern "C" fn(*const c_void, usize),
}

thread_local! {
    /// Lowest address and size of this thread's own stack, from which fibers are resumed.
    static OF_THREAD: Cell<(*const c_void, usize)> = const { Cell::new((null(), 0)) };
}

/// NULL if there is none. Found when a thread makes its first stack, before it switches to one.
static FOUND: AtomicPtr<Sanitizer> = AtomicPtr::new(null_mut());

/// True in a program of AddressSanitizer.
pub fn has_address_sanitizer() -> bool {
    sanitizer().is_some()
}

#[inline]
fn sanitizer() -> Option<&'static Sanitizer> {
    // SAFETY: it is NULL, or leaked; this thread has passed `look_for`, which wrote it before.
    unsafe { FOUND.load(Ordering::Relaxed).as_ref() }
}

fn look_for() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Some(found) = find() {
            FOUND.store(Box::leak(Box::new(found)), Ordering::Relaxed);
        }
    });
}

fn find() -> Option<Sanitizer> {
    let symbol = |name: &CStr| {
        // SAFETY: the name ends with a zero byte.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    let start = symbol(c"__sanitizer_start_switch_fiber")?;
    let finish = symbol(c"__sanitizer_finish_switch_fiber")?;
    let unpoison = symbol(c"__asan_unpoison_memory_region")?;
    // SAFETY: the functions of these names have these types.
    unsafe {
        Some(Sanitizer {
            start_switch: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(_, _, _)>(start),
            finish_switch: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(_, _, _)>(finish),
            unpoison: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(_, _)>(unpoison),
        })
    }
}

impl Sanitizer {
    fn start(&self, saved: *mut *mut c_void, (bottom, size): (*const c_void, usize)) {
        // SAFETY: `saved` is NULL or a local value; the bounds are those of a stack that exists.
        unsafe { (self.start_switch)(saved, bottom, size) };
    }

    /// Returns the bounds of the stack that ran before.
    fn finish(&self, saved: *mut c_void) -> (*const c_void, usize) {
        let (mut bottom, mut size) = (null(), 0);
        // SAFETY: `start` wrote `saved` when this stack was left, or it is a new one's.
        unsafe { (self.finish_switch)(saved, &raw mut bottom, &raw mut size) };
        (bottom, size)
    }
}

fn region((low, high): (usize, usize)) -> (*const c_void, usize) {
    (std::ptr::without_provenance(low), high - low)
}

/// A new stack has these bounds: what an earlier one at the same place left there is forgotten.
pub fn clear(bounds: (usize, usize)) {
    look_for();
    if let Some(sanitizer) = sanitizer() {
        let (bottom, size) = region(bounds);
        // SAFETY: the stack exists, and nothing is on it.
        unsafe { (sanitizer.unpoison)(bottom, size) };
    }
}

/// Switches by `resume` to the fiber with these bounds; returns when this stack runs again.
#[inline]
pub fn around_resume<R>(bounds: (usize, usize), resume: impl FnOnce() -> R) -> R {
    let Some(sanitizer) = sanitizer() else { return resume() };
    let mut saved = null_mut();
    sanitizer.start(&raw mut saved, region(bounds));
    let result = resume();
    sanitizer.finish(saved);
    result
}

/// A fiber runs for the first time.
pub fn entered() {
    if let Some(sanitizer) = sanitizer() {
        OF_THREAD.set(sanitizer.finish(null_mut()));
    }
}

/// Switches by `pause` from a fiber to its thread's own stack; returns when the fiber runs again.
#[inline]
pub fn around_pause(pause: impl FnOnce()) {
    let Some(sanitizer) = sanitizer() else { return pause() };
    let mut saved = null_mut();
    sanitizer.start(&raw mut saved, OF_THREAD.get());
    pause();
    OF_THREAD.set(sanitizer.finish(saved));
}

/// A fiber ends, and never runs again.
pub fn leaving() {
    if let Some(sanitizer) = sanitizer() {
        sanitizer.start(null_mut(), OF_THREAD.get());
    }
}
