//! Where the results of this rank's tasks are to come from.

use crate::base::Rank;
use crate::protocol::away::Away;

impl Away {
    /// Names the ranks that tasks are at, or were last seen to be sent on by. Calls whose actor's route knows where they are
    /// are left to that.
    pub(in crate::protocol) fn awaited(&self, note: &mut impl FnMut(Rank)) {
        let tasks = self.tasks.lock();
        // Of many tasks in a row, most are at few ranks.
        let mut last = None;
        for sent in tasks.values().filter(|sent| !sent.has_route) {
            if last.replace((sent.to, sent.via)) != Some((sent.to, sent.via)) {
                note(sent.to);
                sent.via.into_iter().for_each(&mut *note);
            }
        }
    }
}
