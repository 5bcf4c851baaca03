//! A task that runs over its fiber's stack hits the guard page: the message names the task and the knob.
#![allow(unsafe_code)]

use crate::node::{context, fiber};
use std::sync::OnceLock;

static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Bytes below a stack that are taken for an overflow of it: the guard page, and frames that jump over it.
const REACH_BYTES: usize = 64 << 10;

/// Installs the handler; faults that are no overflow of a fiber go on to the handler that was there.
pub fn install() {
    BEFORE.get_or_init(|| {
        // SAFETY: a zeroed sigaction is valid; the handler does only what a handler may.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_fault as extern "C" fn(_, _, _) as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            let mut before: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGSEGV, &action, &mut before);
            before
        }
    });
}

extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, machine: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid siginfo to a SA_SIGINFO handler.
    let address = unsafe { (*info).si_addr() }.addr();
    let (low, high) = fiber::bounds();
    if low != 0 && (low.saturating_sub(REACH_BYTES)..low).contains(&address) {
        context::with_name(|name| say_overflow(name, high - low));
        // SAFETY: ends the process; the default action leaves a core where the user wants one.
        unsafe {
            libc::signal(libc::SIGABRT, libc::SIG_DFL);
            libc::abort();
        }
    }
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: what was installed before: a handler with three arguments, one with one, or the default, put back so that
    // the instruction faults again under it.
    unsafe {
        if before.sa_sigaction == libc::SIG_DFL || before.sa_sigaction == libc::SIG_IGN {
            libc::sigaction(signal, before, std::ptr::null_mut());
        } else if before.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(before.sa_sigaction);
            handler(signal, info, machine);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(before.sa_sigaction);
            handler(signal);
        }
    }
}

/// Writes without allocating: this runs in a signal handler.
fn say_overflow(task: &str, stack_bytes: usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = stack_bytes;
    while at > 0 && (rest > 0 || at == digits.len()) {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for part in [
        b"mobula: task ".as_slice(),
        task.as_bytes(),
        b" overflowed its stack of ",
        &digits[at..],
        b" bytes: raise MOBULA_STACK_BYTES, or put large arrays on the heap\n",
    ] {
        // SAFETY: write is async-signal-safe; the pointer and length are of a live slice.
        unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
    }
}
