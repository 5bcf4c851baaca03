//! Whether the other ranks of the host still count their beats: a process that was stopped does not.
//!
//! Time counts only while this rank looks: one that was stopped itself, perhaps with the whole job, holds that against nobody.

use crate::base::limits::NEVER;
use std::time::Duration;

/// What was seen of a rank.
#[derive(Clone, Copy, Default)]
struct Seen {
    beats: i64,
    silent: Duration,
}

/// What one rank has seen of the others, by their places on the host.
pub struct Pulse {
    seen: Vec<Seen>,
    /// How long a rank may be silent.
    patience: Duration,
}

impl Pulse {
    /// Of so many ranks; nothing seen yet.
    pub fn new(ranks: usize, patience: Duration) -> Pulse {
        Pulse { seen: vec![Seen::default(); ranks], patience }
    }

    /// How often ranks beat and look: once a second, and several times within a shorter patience.
    pub fn interval(&self) -> Duration {
        (self.patience / 5).clamp(Duration::from_millis(200), Duration::from_secs(1))
    }

    /// Looks at every rank, so long after the look before; the places of those that have been silent for too long.
    pub fn look(&mut self, since: Duration, beats_of: impl Fn(usize) -> i64) -> Vec<usize> {
        // Of a longer time, in which this rank did not look, no more is held against one that has not beaten since.
        let since = since.min(2 * self.interval());
        let mut silent = Vec::new();
        for (place, seen) in self.seen.iter_mut().enumerate() {
            let beats = beats_of(place);
            if beats != seen.beats {
                *seen = Seen { beats, silent: Duration::ZERO };
                continue;
            }
            seen.silent = seen.silent.saturating_add(since);
            if seen.silent >= self.patience && self.patience < NEVER {
                silent.push(place);
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_beats_is_alive_and_who_stops_is_told_after_the_time() {
        let mut pulse = Pulse::new(2, 5 * SECOND);
        for look in 1..20 {
            let silent = pulse.look(SECOND, |place| if place == 0 { look } else { look.min(3) });
            let expected: &[usize] = if look >= 8 { &[1] } else { &[] };
            assert_eq!(silent, expected, "look {look}");
        }
        assert!(pulse.look(SECOND, |_| 100).is_empty(), "it may go on");
    }

    #[test]
    fn the_time_that_this_rank_stood_still_itself_counts_little() {
        let mut pulse = Pulse::new(1, 5 * SECOND);
        assert!(pulse.look(3600 * SECOND, |_| 0).is_empty());
        assert!(pulse.look(SECOND, |_| 0).is_empty());
        assert_eq!(pulse.look(3600 * SECOND, |_| 0), [0]);
        assert!(
            Pulse::new(1, SECOND).look(3600 * SECOND, |_| 0).is_empty(),
            "also where little is held against others"
        );
    }

    #[test]
    fn never_is_never() {
        let mut pulse = Pulse::new(1, NEVER);
        assert!((0..100).all(|_| pulse.look(NEVER, |_| 0).is_empty()));
        assert_eq!(pulse.interval(), SECOND);
    }
}
