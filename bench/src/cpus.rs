//! The CPUs that the command was started with. A cluster binds the thread that starts it to its rank's share of them;
//! peers run on all.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::OnceLock;

static ALL: OnceLock<CpuSet> = OnceLock::new();

/// Records the CPUs that this thread may use as those of the command. `main` calls it first.
pub fn remember() {
    if let Ok(cpus) = sched_getaffinity(None) {
        let _ = ALL.set(cpus);
    }
}

/// How many there are.
pub fn count() -> usize {
    ALL.get().map_or(1, |cpus| cpus.count() as usize)
}

/// True for the number of one of them.
pub fn may_use(number: usize) -> bool {
    ALL.get().is_none_or(|cpus| number < CpuSet::MAX_CPU && cpus.is_set(number))
}

/// Runs `act` on any of them: the processes and threads that it starts may run on all.
pub fn on_all<T>(act: impl FnOnce() -> T) -> T {
    let (Some(all), Ok(share)) = (ALL.get(), sched_getaffinity(None)) else { return act() };
    // If the system refuses, nothing changes: what is started stays on the share.
    let _ = sched_setaffinity(None, all);
    let outcome = act();
    let _ = sched_setaffinity(None, &share);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_thread_may_use_every_cpu_and_the_caller_only_its_own() {
        remember();
        let mut one = CpuSet::new();
        one.set((0..CpuSet::MAX_CPU).find(|cpu| ALL.get().unwrap().is_set(*cpu)).unwrap());
        std::thread::spawn(move || {
            sched_setaffinity(None, &one).unwrap();
            let inside = on_all(|| std::thread::spawn(|| sched_getaffinity(None).unwrap().count()).join().unwrap());
            assert_eq!(inside as usize, count());
            assert_eq!(sched_getaffinity(None).unwrap(), one);
        })
        .join()
        .unwrap();
    }
}
