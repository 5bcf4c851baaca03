//! Waits with a deadline.

use crate::base::sync::lock;
use crate::runtime::waiting::event::WaitEvent;
use std::collections::BTreeMap;
use std::sync::{Mutex, Weak};
use std::time::{Duration, Instant};

/// The deadlines of a rank's fibers.
#[derive(Default)]
pub struct Timers {
    /// By time, and a number that tells equal times apart.
    due: Mutex<(u64, BTreeMap<(Instant, u64), Weak<WaitEvent>>)>,
}

impl Timers {
    /// Ends the wait at `deadline`; true if this is now the earliest deadline, so that the sleeping thread must be
    /// woken.
    pub fn add(&self, deadline: Instant, event: Weak<WaitEvent>) -> bool {
        let mut due = lock(&self.due);
        due.0 += 1;
        let number = due.0;
        let first = due.1.first_key_value().is_none_or(|((earliest, _), _)| deadline < *earliest);
        due.1.insert((deadline, number), event);
        first
    }

    /// True if there is a wait with a deadline.
    pub fn any(&self) -> bool {
        lock(&self.due).1.values().any(|event| event.strong_count() > 0)
    }

    /// Ends the waits that are due; returns the time until the next deadline, if there is one.
    pub fn fire_due(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut fired = Vec::new();
        let mut due = lock(&self.due);
        while let Some(entry) = due.1.first_entry() {
            // A wait that has ended needs no deadline.
            let ended = entry.get().strong_count() == 0;
            if entry.key().0 > now && !ended {
                break;
            }
            fired.extend(entry.remove().upgrade());
        }
        let next = due.1.first_key_value().map(|((deadline, _), _)| deadline.saturating_duration_since(now));
        drop(due);
        fired.iter().for_each(|event| event.fire());
        next
    }
}
