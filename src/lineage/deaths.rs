//! The ranks that died while a task ran there, and where the task may start after that. Pure.

use crate::base::{Error, Rank};

/// How far a task is known to have ended a rank's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// It had not begun there, or the rank was stopped or cut off.
    None,
    /// The process ended, and no rank could read what it ran.
    Unknown,
    /// It was one of several that the process ran.
    Suspected,
    /// It was the only one that the process ran.
    OnlyOne,
    /// It faulted, aborted or called `exit`.
    Witnessed,
}

impl Blame {
    fn is_certain(self) -> bool {
        matches!(self, Blame::OnlyOne | Blame::Witnessed)
    }
}

/// Where a task may start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStart {
    /// On any rank.
    Anywhere,
    /// As `Elsewhere`, or anywhere if there is no such rank: a signal from outside may have ended the last one.
    PreferablyElsewhere,
    /// On any rank but rank 0, whose end is the end of the cluster, and its owner, whose end is its own.
    Elsewhere,
    /// Nowhere: it has ended too many ranks.
    Nowhere,
}

/// A task that certainly ended so many ranks is not started again.
const CERTAIN_MAX: usize = 2;

/// Deaths that are kept of one task.
const KEPT_MAX: usize = 16;

/// The ranks that died while a task may have run there, the first one first.
#[derive(Clone, Debug, Default)]
pub struct Deaths {
    ranks: Vec<(Rank, Blame)>,
    /// The errors of the deaths, as texts.
    texts: Vec<String>,
}

impl Deaths {
    /// The rank died of that error, and the task has that part in it.
    pub fn add(&mut self, rank: Rank, blame: Blame, error: &Error) {
        if blame != Blame::None && self.ranks.len() < KEPT_MAX {
            self.ranks.push((rank, blame));
            self.texts.push(error.to_string());
        }
    }

    fn certain(&self) -> usize {
        self.ranks.iter().filter(|(_, blame)| blame.is_certain()).count()
    }

    /// Where the task may start again; `is_bound` if its options bind it to a place, where a placement group is.
    pub fn next_start(&self, is_bound: bool) -> NextStart {
        let count = |blame| self.ranks.iter().filter(|(_, other)| *other == blame).count();
        if self.certain() >= CERTAIN_MAX {
            NextStart::Nowhere
        } else if count(Blame::Witnessed) > 0 || (count(Blame::OnlyOne) > 0 && !is_bound) || count(Blame::Unknown) > 1 {
            NextStart::Elsewhere
        } else if self.ranks.is_empty() {
            NextStart::Anywhere
        } else {
            NextStart::PreferablyElsewhere
        }
    }

    /// The error of a task of that name that is not started again; `last` is the error of the last death.
    pub fn error(&self, task: &str, last: &Error) -> Error {
        let Error::NodeDied { rank, host, reason } = last else { return last.clone() };
        let certain = self.certain();
        let what = match (certain, self.ranks.len()) {
            (_, 0) => return last.clone(),
            (CERTAIN_MAX.., _) => format!("task {task} has ended {certain} ranks and is not started again"),
            (_, 1) if certain == 1 => format!(
                "task {task} ended it, and only ranks are left that it must not end: rank 0, and the rank that \
                 submitted it"
            ),
            (_, 1) => format!(
                "task {task} ran there and may have ended it, and only ranks are left that it must not end: rank 0, \
                 and the rank that submitted it"
            ),
            (_, count) => format!("task {task} ran on {count} ranks that died and is not started again"),
        };
        let before = self.texts.len().saturating_sub(1);
        let list = if before == 0 { String::new() } else { format!("; before: {}", self.texts[..before].join("; ")) };
        Error::NodeDied { rank: *rank, host: host.clone(), reason: format!("{reason}; {what}{list}") }
    }

    /// How many ranks died while the task may have run there.
    pub fn count(&self) -> usize {
        self.ranks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn death(rank: Rank) -> Error {
        Error::NodeDied { rank, host: "n1".to_string(), reason: format!("its process ({rank}00) ended by signal 6") }
    }

    fn after(blames: &[Blame]) -> Deaths {
        let mut deaths = Deaths::default();
        blames.iter().zip(1..).for_each(|(blame, rank)| deaths.add(rank, *blame, &death(rank)));
        deaths
    }

    #[test]
    fn task_that_had_not_begun_may_start_anywhere() {
        for is_bound in [false, true] {
            assert_eq!(after(&[]).next_start(is_bound), NextStart::Anywhere);
            assert_eq!(after(&[Blame::None, Blame::None, Blame::None]).next_start(is_bound), NextStart::Anywhere);
        }
    }

    #[test]
    fn task_that_ended_a_rank_is_kept_from_those_that_must_not_end() {
        for blames in
            [&[Blame::Witnessed][..], &[Blame::OnlyOne], &[Blame::Unknown; 2], &[Blame::Witnessed, Blame::None]]
        {
            assert_eq!(after(blames).next_start(false), NextStart::Elsewhere, "{blames:?}");
        }
        assert_eq!(after(&[Blame::Witnessed]).next_start(true), NextStart::Elsewhere);
        assert_eq!(after(&[Blame::OnlyOne]).next_start(true), NextStart::PreferablyElsewhere, "where its bundle is");
    }

    #[test]
    fn suspect_may_start_anywhere_if_no_other_rank_is_left() {
        for blames in [&[Blame::Suspected][..], &[Blame::Suspected; 3], &[Blame::Unknown]] {
            assert_eq!(after(blames).next_start(false), NextStart::PreferablyElsewhere, "{blames:?}");
        }
    }

    #[test]
    fn task_that_certainly_ended_two_ranks_starts_nowhere_and_its_error_lists_them() {
        for blames in
            [[Blame::Witnessed, Blame::OnlyOne, Blame::None], [Blame::OnlyOne, Blame::Suspected, Blame::OnlyOne]]
        {
            assert_eq!(after(&blames).next_start(true), NextStart::Nowhere, "{blames:?}");
        }
        let deaths = after(&[Blame::Witnessed, Blame::None, Blame::Witnessed]);
        let text = deaths.error("sweep", &death(3)).to_string();
        assert!(text.starts_with("rank 3 on host n1 died: its process (300) ended by signal 6"), "{text}");
        assert!(
            text.contains("task sweep has ended 2 ranks and is not started again; before: rank 1 on host"),
            "{text}"
        );
    }

    #[test]
    fn error_says_what_is_known() {
        let text = |blames: &[Blame]| after(blames).error("f", &death(1)).to_string();
        assert!(text(&[Blame::Witnessed]).contains("task f ended it"));
        assert!(text(&[Blame::Suspected]).contains("may have ended it"));
        assert!(text(&[Blame::Suspected, Blame::OnlyOne]).contains("ran on 2 ranks that died"));
        assert_eq!(after(&[]).error("f", &death(1)), death(1));
    }

    #[test]
    fn deaths_of_a_task_that_is_started_for_ever_are_bounded() {
        assert_eq!(after(&[Blame::Suspected; 100]).count(), KEPT_MAX);
    }
}
