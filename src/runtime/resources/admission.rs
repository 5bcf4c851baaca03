//! Work whose resources are not free waits, and is admitted when resources are given back.

use crate::base::sync::Ordering;
use crate::runtime::Runtime;
use crate::runtime::resources::bundle_dispatch::fail_without_slot;
use crate::runtime::workers::Work;
use crate::scheduling::{Grant, ResourceRequest};

impl Runtime {
    /// Admits work that waits for resources which may be free now. While some still waits, this rank is flagged in the
    /// table, and resources that were given back before the flag was visible are found by one more check after it.
    pub fn readmit_pending(&'static self) {
        if self.workers.waiting_for_cpu.load(Ordering::Relaxed) > 0 {
            self.resources.table.set_waiting();
            if self.resources.table.free_cpu() > 0 {
                self.workers.list().iter().for_each(|worker| worker.unpark());
            }
        }
        if self.protocol.stealing.has_stealers() {
            self.protocol.stealing.serve_stealers(&self);
        }
        while self.workers.queues.pending_count() > 0 {
            self.resources.table.set_waiting();
            let admitted = self.workers.queues.take_admissible(|request| self.resources.table.fits(request));
            if admitted.is_empty() {
                return;
            }
            for work in admitted {
                self.workers.queues.local.push(work);
                self.workers.wake_one();
            }
        }
    }

    /// CPUs are free again.
    pub fn give_back_cpu(&'static self, amount: i64) {
        self.resources.table.give_cpu(amount);
        self.resources_freed();
    }

    /// Resources other than CPUs are free again.
    pub fn give_back(&'static self, grant: &Grant) {
        self.resources.table.give_non_cpu(grant);
        self.resources_freed();
    }

    pub fn resources_freed(&'static self) {
        if self.resources.table.notify_ranks() {
            self.readmit_pending();
        }
    }
}

/// Queues work until resources are given back; checks once more, because they may have been meanwhile.
pub fn queue_for_resources(runtime: &'static Runtime, request: ResourceRequest, work: Work) {
    if fail_without_slot(runtime, &request, &work) {
        return;
    }
    runtime.workers.queues.push_pending_resources(request, work);
    runtime.readmit_pending();
}
