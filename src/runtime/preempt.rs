//! The signal that says that the job's time nears its end, and who is told of it.
//!
//! A signal handler may do next to nothing: this one wakes a thread through an eventfd, and the thread calls the user's code.
#![allow(unsafe_code)]

use crate::base::log::{Level, say};
use crate::base::sync::statics::AtomicI32;
use crate::base::sync::{Ordering, lock};
use crate::base::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What Slurm's users ask for with `--signal=USR1@SECONDS`, and what `mpirun` passes on to every rank.
const SIGNAL: libc::c_int = libc::SIGUSR1;

/// The job is about to be ended. See [`on_preempt`](crate::on_preempt).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preempt {
    /// The signal that said so: SIGUSR1.
    pub signal: i32,
    /// Time until the job's time limit, where Slurm said when that is (`SLURM_JOB_END_TIME`).
    pub left: Option<Duration>,
}

type Callback = Arc<dyn Fn(Preempt) + Send + Sync>;

static CALLBACKS: Mutex<Vec<Callback>> = Mutex::new(Vec::new());

/// What the handler writes to; below zero before there is somebody to tell.
static DESCRIPTOR: AtomicI32 = AtomicI32::new(-1);

/// What the signal did before, and still does.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Calls `callback`, on a thread of its own, each time the signal comes.
pub fn on_preempt(callback: impl Fn(Preempt) + Send + Sync + 'static) -> Result<()> {
    let mut callbacks = lock(&CALLBACKS);
    if DESCRIPTOR.load(Ordering::Relaxed) < 0 {
        DESCRIPTOR.store(start_thread()?, Ordering::Relaxed);
    }
    // Known before the signal is taken: from then on somebody hears it.
    callbacks.push(Arc::new(callback));
    take_signal()
}

/// Keeps the signal from ending this process, where that is all that it would do: Slurm sends it to every rank of a step,
/// and those that only serve have no callback.
pub fn outlive() {
    let _callbacks = lock(&CALLBACKS); // one thread at a time takes the signal
    let now = action_now();
    if now.is_ok_and(|now| now.sa_sigaction == libc::SIG_DFL)
        && let Err(error) = take_signal()
    {
        say(Level::Warn, || format!("SIGUSR1 before the job's end will end this rank: {error}"));
    }
}

fn action_now() -> Result<libc::sigaction> {
    // SAFETY: a zeroed sigaction is valid to be written, and the call writes one and reads none.
    let (result, now) = unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(SIGNAL, std::ptr::null(), &mut now), now)
    };
    if result == 0 { Ok(now) } else { Err(refused("asking what SIGUSR1 does")) }
}

fn take_signal() -> Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    // The handler may run as soon as it is installed, and goes on to what was there: that is kept first.
    BEFORE.get_or_init(|| action_now().unwrap_or_else(|_| default_action()));
    let mut action = default_action();
    action.sa_sigaction = on_signal as extern "C" fn(_, _, _) as usize;
    // On the thread's stack for handlers where it has one: what runs may be a fiber near the end of its own.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: the action is whole, and its handler does only what a handler may.
    let result = unsafe { libc::sigaction(SIGNAL, &action, std::ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(refused("taking SIGUSR1")) }
}

fn default_action() -> libc::sigaction {
    // SAFETY: a zeroed sigaction is the default action with an empty mask.
    unsafe { std::mem::zeroed() }
}

fn refused(what: &str) -> Error {
    Error::config(format!("{what}: {}", std::io::Error::last_os_error()))
}

extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, machine: *mut libc::c_void) {
    let descriptor = DESCRIPTOR.load(Ordering::Relaxed);
    if descriptor >= 0 {
        // SAFETY: write may be called from a handler; it reads the eight bytes. The code that was interrupted finds its errno.
        unsafe {
            let errno = libc::__errno_location();
            let kept = *errno;
            libc::write(descriptor, (&raw const ONE).cast(), size_of::<u64>());
            *errno = kept;
        }
    }
    let Some(before) = BEFORE.get() else { return };
    if before.sa_sigaction == libc::SIG_DFL || before.sa_sigaction == libc::SIG_IGN {
        return;
    }
    // SAFETY: what was installed before: a handler with three arguments, or one with one.
    unsafe {
        if before.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(before.sa_sigaction);
            handler(signal, info, machine);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(before.sa_sigaction);
            handler(signal);
        }
    }
}

/// What a write adds to an eventfd's count.
static ONE: u64 = 1;

/// Starts the thread that calls the callbacks; the descriptor that wakes it. Both stay until the process ends.
fn start_thread() -> Result<i32> {
    // SAFETY: makes a descriptor, or says -1.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(refused("on_preempt needs one more file descriptor"));
    }
    let thread = std::thread::Builder::new().name("mobula-preempt".to_string());
    let started = thread.spawn(move || {
        while wait(descriptor) {
            tell(Preempt {
                signal: SIGNAL,
                left: time_left(std::env::var("SLURM_JOB_END_TIME").ok(), SystemTime::now()),
            });
        }
    });
    started.map(|_| descriptor).map_err(|error| Error::config(format!("on_preempt needs one more thread: {error}")))
}

/// Blocks until the signal came, once or several times; false where that cannot be waited for.
fn wait(descriptor: i32) -> bool {
    loop {
        let mut count = 0u64;
        // SAFETY: the descriptor is never closed, and the call writes eight bytes into the count.
        let read = unsafe { libc::read(descriptor, (&raw mut count).cast(), size_of::<u64>()) };
        if read == size_of::<u64>() as isize {
            return true;
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            say(Level::Error, || format!("on_preempt will not be called any more: {error}"));
            return false;
        }
    }
}

/// Calls every callback, in the order in which they came.
fn tell(preempt: Preempt) {
    // A copy of the list: a callback may add another.
    let callbacks: Vec<Callback> = lock(&CALLBACKS).clone();
    for callback in callbacks {
        if catch_unwind(AssertUnwindSafe(|| callback(preempt))).is_err() {
            say(Level::Error, || {
                "a callback of on_preempt panicked; those after it are called all the same".to_string()
            });
        }
    }
}

/// From now to the end, which Slurm gives as seconds since 1970.
fn time_left(end: Option<String>, now: SystemTime) -> Option<Duration> {
    let end = UNIX_EPOCH.checked_add(Duration::from_secs(end?.trim().parse().ok()?))?;
    Some(end.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    static EARLIER: AtomicI32 = AtomicI32::new(0);

    extern "C" fn earlier(signal: libc::c_int) {
        EARLIER.store(signal, Ordering::Relaxed);
    }

    fn raise() {
        // SAFETY: the signal has a handler.
        assert_eq!(unsafe { libc::raise(SIGNAL) }, 0);
    }

    /// One test, because a process has one disposition of a signal.
    #[test]
    fn callbacks_come_in_order_after_a_panic_and_beside_an_earlier_handler() {
        // SAFETY: the handler only stores.
        unsafe { libc::signal(SIGNAL, earlier as extern "C" fn(_) as usize) };
        outlive(); // has nothing to do where somebody took the signal
        raise();
        assert_eq!(EARLIER.swap(0, Ordering::Relaxed), SIGNAL);

        let (sender, heard) = channel();
        for name in ["first", "second", "third"] {
            let sender = sender.clone();
            on_preempt(move |preempt| {
                sender.send((name, preempt.signal)).unwrap();
                assert_ne!(name, "second", "a panic of the user's code");
            })
            .unwrap();
        }
        for _ in 0..2 {
            raise();
            let names: Vec<_> = (0..3).map(|_| heard.recv().unwrap()).collect();
            assert_eq!(names, [("first", SIGNAL), ("second", SIGNAL), ("third", SIGNAL)]);
            assert_eq!(EARLIER.swap(0, Ordering::Relaxed), SIGNAL, "the earlier handler is called too");
        }
    }

    #[test]
    fn the_time_left_is_known_where_slurm_says_the_end() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        assert_eq!(time_left(None, now), None);
        assert_eq!(time_left(Some("soon".to_string()), now), None);
        assert_eq!(time_left(Some(u64::MAX.to_string()), now), None);
        assert_eq!(time_left(Some("1120\n".to_string()), now), Some(Duration::from_secs(120)));
        assert_eq!(time_left(Some("900".to_string()), now), Some(Duration::ZERO));
    }
}
