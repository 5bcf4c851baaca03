//! A task that ends its process by a signal or by `exit`: before it ends, the rank leaves a note of which one ran.
#![allow(unsafe_code)]

use crate::runtime::membership::{leave_note, withdraw_note};
use crate::runtime::workers::overflow::call_handler;
use std::sync::{Once, OnceLock};

/// The signals that a fault of a program raises, and those of `abort`.
const SIGNALS: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGTRAP, libc::SIGSYS];

/// By signal: what was installed before.
static BEFORE: [OnceLock<libc::sigaction>; SIGNALS.len()] = [const { OnceLock::new() }; SIGNALS.len()];

/// Installs the handlers; each goes on to the one before. A signal that the program ignores is left alone.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (signal, before) in SIGNALS.iter().zip(&BEFORE) {
            // SAFETY: a zeroed sigaction is valid; the handler does only what a handler may.
            unsafe {
                let mut found: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(*signal, std::ptr::null(), &mut found) != 0 || found.sa_sigaction == libc::SIG_IGN {
                    continue;
                }
                let _ = before.set(found);
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_crash as extern "C" fn(_, _, _) as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(*signal, &action, std::ptr::null_mut());
            }
        }
        // SAFETY: the handler has the C calling convention, takes nothing, and lives as long as the process.
        unsafe { libc::atexit(on_exit) };
    });
}

/// A driver that exits runs no task: then there is no note.
extern "C" fn on_exit() {
    leave_note();
}

extern "C" fn on_crash(signal: libc::c_int, info: *mut libc::siginfo_t, machine: *mut libc::c_void) {
    let before = SIGNALS.iter().zip(&BEFORE).find(|(own, _)| **own == signal).and_then(|(_, before)| before.get());
    // SAFETY: the kernel hands a valid siginfo to a SA_SIGINFO handler.
    let code = unsafe { (*info).si_code };
    // One that another process sent comes to any thread: what that runs has no part in it.
    if ![libc::SI_USER, libc::SI_QUEUE].contains(&code) {
        leave_note();
    }
    let Some(before) = before else { return };
    let is_default = |action: &libc::sigaction| action.sa_sigaction == libc::SIG_DFL;
    // SAFETY: what was installed before is put back, or called as the kernel would. A signal that is raised here comes
    // after this handler, under the default action: so one that another process sent ends this one too.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        if is_default(before) {
            libc::sigaction(signal, &default, std::ptr::null_mut());
            libc::raise(signal);
            return;
        }
        if before.sa_flags & libc::SA_RESETHAND != 0 {
            libc::sigaction(signal, &default, std::ptr::null_mut());
        }
        call_handler(before, signal, info, machine);
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut now);
        if !is_default(&now) {
            // It handled the fault, and the program goes on.
            withdraw_note();
        }
    }
}
