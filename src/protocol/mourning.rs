//! Counts when ranks die: whoever is asked to listen to a dead rank no more does so before it answers.

use crate::base::Rank;
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::protocol::Protocol;
use crate::protocol::driver::Driver;
use crate::store::CountMessage;
use std::sync::Mutex;

/// Owners that wait for an answer while a thread still acts on what a dead rank sent.
#[derive(Default)]
pub struct Mourners {
    any: AtomicBool,
    /// Who asked, and how.
    waiting: Mutex<Vec<(Rank, CountMessage)>>,
}

impl Protocol {
    /// A message about counts.
    pub(super) fn on_count(&self, driver: &impl Driver, from: Rank, message: CountMessage) {
        if let CountMessage::Mourn { gone, .. } | CountMessage::Bereft { gone } = message {
            if gone == self.rank || gone == from {
                // Who is given up itself hears so from rank 0.
                return;
            }
            if !driver.is_dead(gone) {
                driver.give_up(gone, &format!("rank {from} found it gone"));
            }
        }
        if let CountMessage::Mourn { .. } = message {
            lock(&self.mourners.waiting).push((from, message));
            self.mourners.any.store(true, Ordering::SeqCst);
            return self.answer_mourners(driver);
        }
        self.references.handle(driver, from, message);
    }

    /// Answers the owners that wait, unless a thread still acts on what some dead rank sent: what it got from there, the
    /// owner hears of first. That thread calls this when it is done.
    pub(super) fn answer_mourners(&self, driver: &impl Driver) {
        if !self.mourners.any.load(Ordering::SeqCst)
            || (0..self.size).any(|rank| self.arrivals.is_heard(rank) && driver.is_dead(rank))
        {
            return;
        }
        let waiting = {
            let mut waiting = lock(&self.mourners.waiting);
            self.mourners.any.store(false, Ordering::SeqCst);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(|(owner, message)| self.references.handle(driver, owner, message));
    }
}
