//! The CPUs of the host that a worker's thread holds. It keeps them from task to task, so that a stream of ordinary
//! tasks takes and returns nothing, and returns them when other ranks of the host wait, or when the thread has nothing
//! to do.

use crate::runtime::workers::worker::Worker;

/// How long a thread may keep CPUs for which other ranks of its host wait.
const QUANTUM_NS: u64 = 1_000_000;

impl Worker {
    /// Makes this thread hold exactly `cpu`. If the host has not so many free, returns false and holds nothing.
    #[inline]
    pub fn take_cpu(&self, cpu: i64) -> bool {
        // What is lent is below zero, and never the amount.
        if self.shared.cpus.amount() == cpu && !self.runtime.resources.table.has_waiters() {
            return true;
        }
        self.retake_cpu(cpu)
    }

    #[cold]
    fn retake_cpu(&self, cpu: i64) -> bool {
        let now_ns = crate::base::clock::now_ns();
        let table = &self.runtime.resources.table;
        let held = self.shared.cpus.withdraw();
        if held >= cpu {
            if held > 0 && table.has_waiters() && now_ns - self.held_since_ns.get() > QUANTUM_NS {
                // Other ranks of this host wait, and this thread has used its quantum.
                self.runtime.give_back_cpu(held);
                std::thread::yield_now();
                return self.retake_cpu(cpu);
            }
            self.shared.cpus.hold(cpu);
            if held > cpu {
                self.runtime.give_back_cpu(held - cpu);
            }
            return true;
        }
        let takes_more = table.take_cpu(cpu - held);
        if !takes_more && held > 0 {
            self.runtime.give_back_cpu(held);
        }
        // What this thread held may have been what was missing.
        if !takes_more && !table.take_cpu(cpu) {
            return false;
        }
        self.shared.cpus.hold(cpu);
        self.held_since_ns.set(now_ns);
        true
    }

    /// Returns what this thread holds above `keep`.
    pub fn release_cpu(&self, keep: i64) {
        if (0..=keep).contains(&self.shared.cpus.amount()) {
            return;
        }
        let held = self.shared.cpus.withdraw();
        self.shared.cpus.hold(held.min(keep));
        if held > keep {
            self.runtime.give_back_cpu(held - keep);
        }
    }
}
