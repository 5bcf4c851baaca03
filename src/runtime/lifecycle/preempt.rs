//! The signal that announces the end of the job's time, and the callbacks that it calls.
//!
//! A signal handler may do next to nothing: this one wakes a thread through an eventfd, and the thread calls the user's
//! code.
#![allow(unsafe_code)]

use crate::base::log::{Level, log};
use crate::base::panic::catch;
use crate::base::sync::statics::AtomicI32;
use crate::base::sync::{Ordering, lock};
use crate::base::{Error, Result};
use crate::runtime::workers::overflow::call_handler;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The signal that Slurm's users request with `--signal=USR1@SECONDS`, and that `mpirun` passes on to every rank.
const SIGNAL: libc::c_int = libc::SIGUSR1;

/// The job is about to be ended. See [`on_preempt`](crate::on_preempt).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preempt {
    /// The signal that came: SIGUSR1.
    pub signal: i32,
    /// Time until the job's time limit, if Slurm gave it (`SLURM_JOB_END_TIME`).
    pub left: Option<Duration>,
}

type Callback = Arc<dyn Fn(Preempt) + Send + Sync>;

static CALLBACKS: Mutex<Vec<Callback>> = Mutex::new(Vec::new());

/// The eventfd that the handler writes to; below zero before the first callback.
static DESCRIPTOR: AtomicI32 = AtomicI32::new(-1);

/// The action of the signal before, which is still done.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Calls `callback` when the job's time nears its end: time to save a checkpoint, or to end with a partial answer.
///
/// The notice is SIGUSR1, which the job requests, here two minutes ahead (Slurm may be up to one minute early):
///
/// ```text
/// #SBATCH --signal=USR1@120       to every rank of every step that srun started, and not to the batch script
/// #SBATCH --signal=B:USR1@120     to the batch script alone, which must pass it on: mpirun hands it to every rank
/// ```
///
/// If the site lets a job of higher priority preempt this one, the signal is also sent then if the site's
/// `PreemptParameters` have `send_user_signal`. `scancel --signal=USR1 JOB` sends it by hand.
///
/// May be called on any rank, before or after [`init`](crate::init), and several times: callbacks run one after the
/// other in the order in which they were given, on a thread of their own, once for each time the signal comes; signals
/// that come close together are one. A handler that the program had for SIGUSR1 is called as before. Without a callback
/// the signal keeps its effect, except on ranks that [`serve`](crate::Cluster::serve): it no longer ends those.
///
/// ```
/// use std::sync::mpsc::channel;
///
/// let (sender, notices) = channel();
/// mobula::on_preempt(move |preempt| {
///     println!("{:?} left", preempt.left);
///     sender.send(preempt.signal).unwrap();
/// })?;
///
/// // As Slurm would:
/// let this = std::process::id().to_string();
/// std::process::Command::new("kill").args(["-s", "USR1", &this]).status().unwrap();
/// assert!(notices.recv().is_ok());
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Error::Config` if the system provides no thread, no descriptor or no signal.
pub fn on_preempt(callback: impl Fn(Preempt) + Send + Sync + 'static) -> Result<()> {
    let mut callbacks = lock(&CALLBACKS);
    if DESCRIPTOR.load(Ordering::Relaxed) < 0 {
        DESCRIPTOR.store(start_thread()?, Ordering::Relaxed);
    }
    // Registered before the handler is installed: from then on no signal is missed.
    callbacks.push(Arc::new(callback));
    take_signal()
}

/// Keeps the signal from ending this process, if its action is the default: Slurm sends it to every rank of a step, and
/// ranks that only serve have no callback.
pub fn ignore_sigusr1() {
    let _callbacks = lock(&CALLBACKS); // one thread at a time installs the handler
    let now = action_now();
    if now.is_ok_and(|now| now.sa_sigaction == libc::SIG_DFL)
        && let Err(error) = take_signal()
    {
        log(Level::Warn, || format!("SIGUSR1 before the job's end will end this rank: {error}"));
    }
}

fn action_now() -> Result<libc::sigaction> {
    // SAFETY: a zeroed sigaction is valid to be written, and the call writes one and reads none.
    let (result, now) = unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(SIGNAL, std::ptr::null(), &mut now), now)
    };
    if result == 0 { Ok(now) } else { Err(last_error("reading the action of SIGUSR1")) }
}

fn take_signal() -> Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    // The handler may run as soon as it is installed, and calls the earlier one: that is saved first.
    BEFORE.get_or_init(|| action_now().unwrap_or_else(|_| default_action()));
    let mut action = default_action();
    action.sa_sigaction = on_signal as extern "C" fn(_, _, _) as usize;
    // On the thread's alternate stack, if it has one: the running code may be a fiber near the end of its own stack.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: the action is initialised, and its handler does only what a handler may.
    let result = unsafe { libc::sigaction(SIGNAL, &action, std::ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(last_error("installing a handler of SIGUSR1")) }
}

fn default_action() -> libc::sigaction {
    // SAFETY: a zeroed sigaction is the default action with an empty mask.
    unsafe { std::mem::zeroed() }
}

fn last_error(what: &str) -> Error {
    Error::config(format!("{what}: {}", std::io::Error::last_os_error()))
}

extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, machine: *mut libc::c_void) {
    let descriptor = DESCRIPTOR.load(Ordering::Relaxed);
    if descriptor >= 0 {
        // SAFETY: write may be called from a handler; it reads the eight bytes. The interrupted code gets its errno
        // back.
        unsafe {
            let errno = libc::__errno_location();
            let saved = *errno;
            libc::write(descriptor, (&raw const ONE).cast(), size_of::<u64>());
            *errno = saved;
        }
    }
    let Some(before) = BEFORE.get() else { return };
    if before.sa_sigaction == libc::SIG_DFL || before.sa_sigaction == libc::SIG_IGN {
        return;
    }
    // SAFETY: it was installed before, and is not the default.
    unsafe { call_handler(before, signal, info, machine) };
}

/// The number that a write adds to an eventfd's count.
static ONE: u64 = 1;

/// Starts the thread that calls the callbacks; returns the descriptor that wakes it. Both stay until the process ends.
fn start_thread() -> Result<i32> {
    // SAFETY: creates a descriptor, or returns -1.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(last_error("on_preempt needs one more file descriptor"));
    }
    let thread = std::thread::Builder::new().name("mobula-preempt".to_string());
    let started = thread.spawn(move || {
        while wait(descriptor) {
            call_callbacks(Preempt {
                signal: SIGNAL,
                left: time_left(std::env::var("SLURM_JOB_END_TIME").ok(), SystemTime::now()),
            });
        }
    });
    started
        .map(|_| descriptor)
        .map_err(|error| Error::config(format!("on_preempt needs one more thread: {error}")).caused_by(&error))
}

/// Blocks until the signal came, once or several times; false if waiting fails.
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
            log(Level::Error, || format!("on_preempt will not be called any more: {error}"));
            return false;
        }
    }
}

/// Calls every callback, in the order of registration.
fn call_callbacks(preempt: Preempt) {
    // A copy of the list: a callback may add another.
    let callbacks: Vec<Callback> = lock(&CALLBACKS).clone();
    for callback in callbacks {
        if catch(|| callback(preempt)).is_err() {
            log(Level::Error, || "a callback of on_preempt panicked; the later ones are still called".to_string());
        }
    }
}

/// The time from `now` to the end, which Slurm gives as seconds since 1970.
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
    fn signal_calls_earlier_handler_and_all_callbacks_in_order_despite_a_panic() {
        // SAFETY: the handler only stores.
        unsafe { libc::signal(SIGNAL, earlier as extern "C" fn(_) as usize) };
        ignore_sigusr1(); // changes nothing where a handler is installed
        raise();
        assert_eq!(EARLIER.swap(0, Ordering::Relaxed), SIGNAL);

        let (sender, received) = channel();
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
            let names: Vec<_> = (0..3).map(|_| received.recv().unwrap()).collect();
            assert_eq!(names, [("first", SIGNAL), ("second", SIGNAL), ("third", SIGNAL)]);
            assert_eq!(EARLIER.swap(0, Ordering::Relaxed), SIGNAL, "the earlier handler is called too");
        }
    }

    #[test]
    fn time_left_is_computed_from_slurm_end_time() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        assert_eq!(time_left(None, now), None);
        assert_eq!(time_left(Some("soon".to_string()), now), None);
        assert_eq!(time_left(Some(u64::MAX.to_string()), now), None);
        assert_eq!(time_left(Some("1120\n".to_string()), now), Some(Duration::from_secs(120)));
        assert_eq!(time_left(Some("900".to_string()), now), Some(Duration::ZERO));
    }
}
