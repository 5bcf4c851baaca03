//! Nothing moves any more: a driver that waits says who waits for what, instead of hanging in silence.
//!
//! A parked driver looks at its own rank every quarter of a second, which costs the others nothing. Only when nothing began here
//! for half of `MOBULA_STALL_S` does it ask each rank, and once more at the end: what each said twice decides (`sched::stall`).
//! A picture is said once, and again when it is another.

use crate::base::log::{Level, say};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::objects::Cell;
use crate::protocol::{Message, Question};
use crate::runtime::Runtime;
use crate::scheduling::{Driver, StallVerdict, Wait, Waits, stall_verdict};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long the others have to answer.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// A wait that begins so soon after the one before is the same to the watch: a driver that asks again and again.
const SAME_WAIT: Duration = Duration::from_secs(1);

/// Objects whose owners are asked about them.
const OBJECTS_MAX: usize = 32;

/// The watch of a rank's drivers.
#[derive(Default)]
pub struct StallWatch {
    suspicion: Mutex<Suspicion>,
    /// A thread is at it.
    asking: AtomicBool,
}

#[derive(Default)]
struct Suspicion {
    /// Tasks begun here when something last moved, and when that was.
    moves: u64,
    since: Option<Instant>,
    /// When a driver was last seen waiting.
    seen: Option<Instant>,
    /// What each said at half time, and when that was.
    before: Option<(Vec<Waits>, Instant)>,
    /// What was said last.
    told: String,
}

impl StallWatch {
    /// Whether a driver asks the others just now.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }
}

type Answer = crate::base::Result<Vec<u8>>;

impl Runtime {
    /// A parked driver looks whether anything moves. May take `ANSWER_TIME` where a rank does not answer.
    pub(super) fn watch_for_stall(&'static self) {
        let limit = self.config.stall;
        if limit.is_zero() || self.stopping() || self.stall.asking.swap(true, Ordering::Acquire) {
            return;
        }
        if let Some(before) = self.suspects(limit) {
            let now: Vec<Waits> = self.ask_everybody();
            match before {
                None => lock(&self.stall.suspicion).before = Some((now, Instant::now())),
                Some(before) => self.judge(&before, &now, limit),
            }
        }
        self.stall.asking.store(false, Ordering::Release);
    }

    /// Whether it is time to ask: `Some(None)` at half time, with what was said then at the end.
    fn suspects(&self, limit: Duration) -> Option<Option<Vec<Waits>>> {
        let moves = self.workers().iter().map(|worker| worker.began.load(Ordering::Relaxed)).sum();
        let mut suspicion = lock(&self.stall.suspicion);
        let goes_on = suspicion.seen.is_some_and(|seen| seen.elapsed() < SAME_WAIT);
        suspicion.seen = Some(Instant::now());
        if suspicion.moves != moves || !goes_on || suspicion.since.is_none() {
            (suspicion.moves, suspicion.since, suspicion.before) = (moves, suspicion.seen, None);
            return None;
        }
        let still = suspicion.since.map_or(Duration::ZERO, |since| since.elapsed());
        match &suspicion.before {
            None => (still >= limit / 2).then_some(None),
            Some((before, at)) => (at.elapsed() >= limit / 2 && still >= limit).then(|| Some(before.clone())),
        }
    }

    /// Says what is so, where that is news.
    fn judge(&'static self, before: &[Waits], now: &[Waits], limit: Duration) {
        let moved = || {
            let mut suspicion = lock(&self.stall.suspicion);
            (suspicion.since, suspicion.before) = (Some(Instant::now()), None);
        };
        match stall_verdict(before, now) {
            StallVerdict::Moves => return moved(),
            // As long as they do, there is nothing to warn of.
            StallVerdict::Computes(who) => {
                say(Level::Debug, || format!("a driver waits for {} s or more; {}", limit.as_secs(), who.join("; ")));
                return moved();
            }
            StallVerdict::Stalled => {}
        }
        // Of several drivers that wait, the one of the lowest rank says so.
        let waits = |one: &&Waits| matches!(one.driver, Driver::Waits(_));
        if now.iter().filter(waits).map(|one| one.rank).min().is_some_and(|first| first < self.rank) {
            return moved();
        }
        let picture = self.picture(now);
        {
            let mut suspicion = lock(&self.stall.suspicion);
            suspicion.before = Some((now.to_vec(), Instant::now()));
            suspicion.seen = Some(Instant::now());
            if suspicion.told == picture {
                return;
            }
            suspicion.told.clone_from(&picture);
        }
        say(Level::Warn, || {
            format!("nothing has moved for {} s, and nothing can (MOBULA_STALL_S):{picture}", limit.as_secs())
        });
    }

    /// Who waits for what, a line each.
    fn picture(&'static self, now: &[Waits]) -> String {
        let mut wanted: Vec<ObjectId> = Vec::new();
        for one in now {
            let of_driver: &[Wait] = if let Driver::Waits(waits) = &one.driver { waits } else { &[] };
            for wait in of_driver.iter().chain(&one.waits) {
                wanted.extend(wait.objects.iter().filter(|id| id.owner < self.size && !self.is_dead(id.owner)));
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.truncate(OBJECTS_MAX);
        let questions: Vec<(Rank, Question)> =
            wanted.iter().map(|id| (id.owner, Question::Object(id.number))).collect();
        let told: Vec<Option<String>> = self.ask_in_time(&questions);
        let told: BTreeMap<ObjectId, String> =
            wanted.into_iter().zip(told).filter_map(|(id, told)| Some((id, told?))).collect();
        let mut lines = Vec::new();
        let mut line =
            |rank: Rank, text: String| lines.push(format!("\n  rank {rank} on {}: {text}", self.host_of(rank)));
        for one in now {
            let of_driver: &[Wait] = if let Driver::Waits(waits) = &one.driver { waits } else { &[] };
            for wait in of_driver.iter().chain(&one.waits) {
                let more: Vec<String> = wait
                    .objects
                    .iter()
                    .filter_map(|id| told.get(id).map(|told| format!(" ({id} is {told})")))
                    .collect();
                line(one.rank, format!("{} waits for {}{}", wait.who, wait.what, more.concat()));
            }
            one.resources.iter().for_each(|text| line(one.rank, text.clone()));
        }
        let silent = (0..self.size).filter(|rank| !self.is_dead(*rank) && now.iter().all(|one| one.rank != *rank));
        silent.for_each(|rank| line(rank, "does not answer".to_string()));
        lines.concat()
    }

    fn ask_everybody(&'static self) -> Vec<Waits> {
        let ranks: Vec<(Rank, Question)> =
            (0..self.size).filter(|rank| !self.is_dead(*rank)).map(|rank| (rank, Question::Waits)).collect();
        self.ask_in_time(&ranks).into_iter().flatten().collect()
    }

    /// The answers to questions that came in time.
    fn ask_in_time<T: DeserializeOwned>(&'static self, questions: &[(Rank, Question)]) -> Vec<Option<T>> {
        let asked: Vec<(u64, Arc<Cell<Answer>>)> = questions
            .iter()
            .map(|(rank, question)| {
                let send = |token| self.send(*rank, &Message::Ask { token, question: *question });
                self.questions.begin(*rank, send)
            })
            .collect();
        let deadline = Instant::now() + ANSWER_TIME;
        self.wait_on_thread(asked.len(), deadline, |event| {
            asked.iter().for_each(|(_, cell)| cell.core().when_complete(event.clone()));
        });
        let answer = |(token, cell): (u64, Arc<Cell<Answer>>)| {
            self.questions.give_up(token);
            postcard::from_bytes(cell.value()?.as_ref().ok()?).ok()
        };
        asked.into_iter().map(answer).collect()
    }
}
