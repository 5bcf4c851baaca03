//! Which CPUs the calling thread may run on, and pinning it to some of them.
#![allow(unsafe_code)]

use crate::base::{Error, Result};
use std::io;

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
        Error::config(format!("a worker could not be pinned to CPUs {cpus:?}: {reason}; set MOBULA_PIN=0 not to pin"))
    })
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
