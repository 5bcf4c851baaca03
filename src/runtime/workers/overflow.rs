//! A task that overflows its fiber's stack hits the guard page: the error message names the task and the setting.
#![allow(unsafe_code)]

use crate::base::stack;
use crate::runtime::membership::leave_note;
use crate::runtime::tasks::context;
use std::sync::OnceLock;

/// The handler's stack: space for the registers that the kernel saves, and some frames.
const HANDLER_STACK_BYTES: usize = 64 << 10;

static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Bytes below a stack in which a fault counts as its overflow: the guard page, and frames that jump over it.
const REACH_BYTES: usize = 64 << 10;

/// Installs the handler; other faults go on to the previous handler.
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

/// Gives the calling thread a stack for the handler, if it has none. Rust's own threads usually have one, but not if
/// another library took the signal before `main`.
pub fn prepare_thread() {
    // SAFETY: a zeroed stack_t is valid to be written; the new stack is leaked, so it lives longer than the thread.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(std::ptr::null(), &mut now);
        if now.ss_flags & libc::SS_DISABLE == 0 {
            return;
        }
        let stack: &'static mut [u8] = Box::leak(vec![0u8; HANDLER_STACK_BYTES].into_boxed_slice());
        let fresh = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
        libc::sigaltstack(&fresh, std::ptr::null_mut());
    }
}

extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, machine: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid siginfo to a SA_SIGINFO handler.
    let address = unsafe { (*info).si_addr() }.addr();
    let (low, high) = stack::bounds();
    // A task that a driver runs in place is on its thread's own stack, whose bounds are not known: there, a fault just
    // below the stack pointer is an overflow.
    let of_fiber = low != 0 && (low.saturating_sub(REACH_BYTES)..low).contains(&address);
    let of_thread = low == 0 && context::runs_task() && stack_pointer(machine).abs_diff(address) < REACH_BYTES;
    if of_fiber || of_thread {
        context::with_name(|name| report_overflow(name, high - low));
        leave_note();
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
        } else {
            call_handler(before, signal, info, machine);
        }
    }
}

/// Calls a signal handler that another library installed.
///
/// # Safety
/// `action` was installed as it is, with a handler, and a handler of the same signal is running.
pub unsafe fn call_handler(
    action: &libc::sigaction,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    machine: *mut libc::c_void,
) {
    // SAFETY: a handler has three arguments or one, as its flags say.
    unsafe {
        if action.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(action.sa_sigaction);
            handler(signal, info, machine);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(action.sa_sigaction);
            handler(signal);
        }
    }
}

/// The stack pointer at the fault; 0 if the architecture is not known.
fn stack_pointer(machine: *mut libc::c_void) -> usize {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel hands a valid ucontext to a SA_SIGINFO handler.
    return unsafe { (*machine.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RSP as usize] as usize };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    return unsafe { (*machine.cast::<libc::ucontext_t>()).uc_mcontext.sp as usize };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = machine;
        0
    }
}

/// Writes without allocating: this runs in a signal handler.
fn report_overflow(task: &str, stack_bytes: usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut remaining = stack_bytes;
    while at > 0 && (remaining > 0 || at == digits.len()) {
        at -= 1;
        digits[at] = b'0' + (remaining % 10) as u8;
        remaining /= 10;
    }
    let size = if stack_bytes > 0 { &digits[at..] } else { b"its driver's thread, in".as_slice() };
    for part in [
        b"mobula: task ".as_slice(),
        task.as_bytes(),
        b" overflowed its stack of ",
        size,
        b" bytes: raise MOBULA_STACK_BYTES (a driver's own: ulimit -s), or put large arrays on the heap\n",
    ] {
        // SAFETY: write is async-signal-safe; the pointer and length are of a live slice.
        unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
    }
}
