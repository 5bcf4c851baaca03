//! The CPUs of the host that a worker's thread holds. It keeps them from task to task, so that a stream of ordinary
//! tasks takes and returns nothing, and returns them when other ranks of the host wait, or when the thread has nothing
//! to do.

use crate::runtime::workers::worker::Worker;

/// How long a thread may keep CPUs for which other ranks of its host wait.
const QUANTUM_NS: u64 = 1_000_000;

impl Worker {
    /// Makes this thread hold exactly `cpu`. If the host has not so many free, returns false and holds nothing.
    pub fn take_cpu(&self, cpu: i64) -> bool {
        let held = self.held_cpu.get();
        if held == cpu && !self.runtime.resources.table.has_waiters() {
            return true;
        }
        self.retake_cpu(held, cpu)
    }

    #[cold]
    fn retake_cpu(&self, held: i64, cpu: i64) -> bool {
        let now_ns = crate::base::clock::now_ns();
        let table = &self.runtime.resources.table;
        if held >= cpu && held > 0 && table.has_waiters() && now_ns - self.held_since_ns.get() > QUANTUM_NS {
            // Other ranks of this host wait, and this thread has used its quantum.
            self.release_cpu(0);
            std::thread::yield_now();
            return self.retake_cpu(0, cpu);
        }
        if held >= cpu {
            self.release_cpu(cpu);
            return true;
        }
        if table.take_cpu(cpu - held) {
            self.held_cpu.set(cpu);
            self.held_since_ns.set(now_ns);
            return true;
        }
        self.release_cpu(0);
        // What this thread held may have been what was missing.
        if table.take_cpu(cpu) {
            self.held_cpu.set(cpu);
            self.held_since_ns.set(now_ns);
            return true;
        }
        false
    }

    /// Returns what this thread holds above `keep`.
    pub fn release_cpu(&self, keep: i64) {
        let held = self.held_cpu.get();
        if held > keep {
            self.held_cpu.set(keep);
            self.runtime.give_back_cpu(held - keep);
        }
    }
}
