//! The ranks that this rank's tasks run on.

use crate::base::Rank;
use crate::protocol::tasks::remote_tasks::RemoteTasks;

impl RemoteTasks {
    /// Visits the ranks that have a task of this rank or forwarded it last, except for calls that an actor's route
    /// tracks.
    pub(in crate::protocol) fn awaited(&self, visit: &mut impl FnMut(Rank)) {
        let tasks = self.tasks.lock();
        // Consecutive tasks are mostly on few ranks.
        let mut last = None;
        self.short.each(|call| {
            if last.replace((call.to, None)) != Some((call.to, None)) {
                visit(call.to);
            }
        });
        for remote in tasks.values().filter(|remote| !remote.has_route) {
            if last.replace((remote.to, remote.via)) != Some((remote.to, remote.via)) {
                visit(remote.to);
                remote.via.into_iter().for_each(&mut *visit);
            }
        }
    }
}
