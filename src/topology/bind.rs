//! Which CPUs the calling thread may run on, and pinning it to some of them.
#![allow(unsafe_code)]

use crate::base::{Error, Result};
use std::io;
use std::thread::ThreadId;

/// The kernel's largest mask (`NR_CPUS` = 8192); `cpu_set_t` alone ends at 1024.
const MASK_WORDS: usize = 128;
type Mask = [u64; MASK_WORDS];

/// The logical CPUs that the calling thread may run on, ascending: what the launcher bound it to, unless it was pinned since.
pub fn allowed_cpus() -> Vec<u32> {
    let mut mask: Mask = [0; MASK_WORDS];
    // SAFETY: the kernel writes at most the size it is told into `mask`, which is that large; 0 is the calling thread.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<Mask>(), mask.as_mut_ptr().cast()) };
    assert_eq!(result, 0, "a thread can always ask for its own mask: {}", io::Error::last_os_error());
    (0..(MASK_WORDS * 64) as u32).filter(|cpu| mask[*cpu as usize / 64] >> (cpu % 64) & 1 == 1).collect()
}

/// Lets the calling thread run on `cpus` only.
///
/// # Errors
/// `Error::Config` where `cpus` is empty or the job may not use them.
pub fn bind_this_thread(cpus: &[u32]) -> Result<()> {
    super::binder::bind(cpus).map_err(|reason| {
        Error::config(format!("a thread could not be pinned to CPUs {cpus:?}: {reason}; set MOBULA_PIN=0 not to pin"))
    })
}

/// A thread that was kept to fewer CPUs than it had; when this is dropped there, it has them back.
pub struct Kept {
    thread: ThreadId,
    before: Vec<u32>,
    during: Vec<u32>,
}

impl Kept {
    /// Keeps the calling thread, and those it starts from now on, to `cpus`; `None` where it has no others anyway.
    ///
    /// # Errors
    /// As `bind_this_thread`.
    pub fn to(cpus: Vec<u32>) -> Result<Option<Kept>> {
        let before = allowed_cpus();
        let during: Vec<u32> = before.iter().copied().filter(|cpu| cpus.contains(cpu)).collect();
        if during.is_empty() || during == before {
            return Ok(None);
        }
        bind_this_thread(&during)?;
        Ok(Some(Kept { thread: std::thread::current().id(), before, during }))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Where the program has bound its thread otherwise meanwhile, that is left as it is.
        if std::thread::current().id() == self.thread && allowed_cpus() == self.during {
            // What the thread was allowed before it is allowed again, unless its job's CPUs were changed: then these stay.
            let _ = bind_this_thread(&self.before);
        }
    }
}

/// Pins the calling thread by the kernel's own call.
#[cfg(any(test, not(feature = "hwloc")))]
pub(super) fn bind(cpus: &[u32]) -> Result<(), String> {
    let mut mask: Mask = [0; MASK_WORDS];
    for cpu in cpus {
        let word = mask.get_mut(*cpu as usize / 64).ok_or_else(|| format!("there is no CPU {cpu}"))?;
        *word |= 1 << (cpu % 64);
    }
    // SAFETY: the kernel reads the size it is told from `mask`, which is that large; 0 is the calling thread.
    match unsafe { libc::sched_setaffinity(0, size_of::<Mask>(), mask.as_ptr().cast()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a thread of its own: the test harness keeps its mask.
    fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    #[test]
    fn a_pinned_thread_may_run_only_there() {
        let allowed = allowed_cpus();
        let last = *allowed.last().unwrap();
        for pin in [bind_this_thread, |cpus: &[u32]| bind(cpus).map_err(Error::config)] {
            assert_eq!(apart(|| pin(&[last]).map(|()| allowed_cpus())), Ok(vec![last]));
        }
        assert_eq!(allowed_cpus(), allowed, "the thread that asked for it is pinned, no other");
    }

    #[test]
    fn a_thread_that_was_kept_to_some_cpus_has_the_others_back() {
        let allowed = allowed_cpus();
        let first = vec![allowed[0]];
        assert!(Kept::to(allowed.clone()).is_ok_and(|kept| kept.is_none()), "it has no others");
        assert!(Kept::to(Vec::new()).is_ok_and(|kept| kept.is_none()), "nothing is known of them");
        let seen = apart(|| {
            let kept = Kept::to(first.clone());
            let during = allowed_cpus();
            drop(kept);
            (during, allowed_cpus())
        });
        assert_eq!(seen, (first, allowed));
    }

    #[test]
    fn a_pin_to_nothing_or_to_a_cpu_that_is_not_there_is_refused() {
        for cpus in [vec![], vec![8191], vec![1 << 20]] {
            let before = allowed_cpus();
            let message = apart(|| bind_this_thread(&cpus)).unwrap_err().to_string();
            assert!(message.contains("MOBULA_PIN=0"), "{message}");
            assert!(apart(|| bind(&cpus)).is_err());
            assert_eq!(allowed_cpus(), before);
        }
    }
}
