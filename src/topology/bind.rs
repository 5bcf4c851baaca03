//! Which CPUs the calling thread may run on, and pinning it to some of them.
#![allow(unsafe_code)]

#[cfg(any(test, not(feature = "hwloc")))]
use super::error::TopologyError;
use crate::base::{Error, Result};
use std::io;
use std::thread::ThreadId;

/// The kernel's largest mask (`NR_CPUS` = 8192); `cpu_set_t` alone ends at 1024.
const MASK_WORDS: usize = 128;
type Mask = [u64; MASK_WORDS];

/// The logical CPUs on which the calling thread may run, ascending: those to which the launcher bound it, unless it was
/// pinned since.
pub fn allowed_cpus() -> Vec<u32> {
    let mut mask: Mask = [0; MASK_WORDS];
    // SAFETY: the kernel writes at most the size it is told into `mask`, which is that large; 0 is the calling thread.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<Mask>(), mask.as_mut_ptr().cast()) };
    assert_eq!(result, 0, "a thread can always ask for its own mask: {}", io::Error::last_os_error());
    (0..(MASK_WORDS * 64) as u32).filter(|cpu| mask[*cpu as usize / 64] >> (cpu % 64) & 1 == 1).collect()
}

/// Restricts the calling thread to `cpus`.
///
/// # Errors
/// `Error::Config` if `cpus` is empty or the job may not use them.
pub fn bind_this_thread(cpus: &[u32]) -> Result<()> {
    super::binder::bind(cpus).map_err(|reason| {
        let text = format!("a thread could not be pinned to CPUs {cpus:?}: {reason}; set MOBULA_PIN=0 not to pin");
        Error::config(text).caused_by(&reason)
    })
}

/// The affinity of a thread that was restricted to fewer CPUs; dropping this on the same thread restores it.
pub struct SavedAffinity {
    thread: ThreadId,
    before: Vec<u32>,
    during: Vec<u32>,
}

impl SavedAffinity {
    /// Restricts the calling thread, and the threads it starts from now on, to `cpus`; `None` if it has no other CPUs.
    ///
    /// # Errors
    /// As `bind_this_thread`.
    pub fn restrict(cpus: Vec<u32>) -> Result<Option<SavedAffinity>> {
        let before = allowed_cpus();
        let during: Vec<u32> = before.iter().copied().filter(|cpu| cpus.contains(cpu)).collect();
        if during.is_empty() || during == before {
            return Ok(None);
        }
        bind_this_thread(&during)?;
        Ok(Some(SavedAffinity { thread: std::thread::current().id(), before, during }))
    }
}

impl Drop for SavedAffinity {
    fn drop(&mut self) {
        // If the program has bound its thread otherwise meanwhile, that binding stays.
        if std::thread::current().id() == self.thread && allowed_cpus() == self.during {
            // This fails if the job's CPUs were changed meanwhile: then the restriction stays.
            let _ = bind_this_thread(&self.before);
        }
    }
}

/// Pins the calling thread by the kernel's own call.
#[cfg(any(test, not(feature = "hwloc")))]
pub(super) fn bind(cpus: &[u32]) -> Result<(), TopologyError> {
    let mut mask: Mask = [0; MASK_WORDS];
    for cpu in cpus {
        let word = mask.get_mut(*cpu as usize / 64).ok_or(TopologyError::NoCpu { cpu: *cpu })?;
        *word |= 1 << (cpu % 64);
    }
    // SAFETY: the kernel reads the size it is told from `mask`, which is that large; 0 is the calling thread.
    match unsafe { libc::sched_setaffinity(0, size_of::<Mask>(), mask.as_ptr().cast()) } {
        0 => Ok(()),
        _ => Err(TopologyError::SetAffinity(std::sync::Arc::new(io::Error::last_os_error()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `work` on a thread of its own, so that the test harness's mask does not change.
    fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    #[test]
    fn pinned_thread_may_run_only_on_its_cpus() {
        let allowed = allowed_cpus();
        let last = *allowed.last().unwrap();
        for pin in [bind_this_thread, |cpus: &[u32]| bind(cpus).map_err(Error::from)] {
            assert_eq!(on_own_thread(|| pin(&[last]).map(|()| allowed_cpus())), Ok(vec![last]));
        }
        assert_eq!(allowed_cpus(), allowed, "only the thread that called it is pinned");
    }

    #[test]
    fn dropping_saved_affinity_restores_all_cpus() {
        let allowed = allowed_cpus();
        let first = vec![allowed[0]];
        assert!(SavedAffinity::restrict(allowed.clone()).is_ok_and(|saved| saved.is_none()), "it has no others");
        assert!(SavedAffinity::restrict(Vec::new()).is_ok_and(|saved| saved.is_none()), "nothing is known of them");
        let seen = on_own_thread(|| {
            let saved = SavedAffinity::restrict(first.clone());
            let during = allowed_cpus();
            drop(saved);
            (during, allowed_cpus())
        });
        assert_eq!(seen, (first, allowed));
    }

    #[test]
    fn pin_to_no_cpu_or_a_missing_cpu_returns_error() {
        for cpus in [vec![], vec![8191], vec![1 << 20]] {
            let before = allowed_cpus();
            let message = on_own_thread(|| bind_this_thread(&cpus)).unwrap_err().to_string();
            assert!(message.contains("MOBULA_PIN=0"), "{message}");
            assert!(on_own_thread(|| bind(&cpus)).is_err());
            assert_eq!(allowed_cpus(), before);
        }
    }
}
