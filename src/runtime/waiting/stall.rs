//! Stall detection: if no task of the cluster can make progress, a waiting driver logs which tasks wait for what.
//!
//! A parked driver checks its own rank every quarter of a second, which costs the other ranks nothing. Only when no
//! task began or failed here for half of `MOBULA_STALL_S` does it request the state of each rank, and once more at the
//! end: the two responses of each rank decide (`scheduling::stall`). A report is logged once, and again when it
//! differs.

use crate::base::log::{Level, log};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::objects::Promise;
use crate::protocol::{InfoRequest, Message};
use crate::runtime::Runtime;
use crate::runtime::waiting::block::wait_on_thread;
use crate::scheduling::{BlockedTask, DriverState, RankActivity, StallStatus, stall_status};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long the other ranks have to respond.
const RESPONSE_TIME: Duration = Duration::from_secs(2);

/// A wait that begins so soon after the one before counts as the same: a driver may call `get` with a time-out
/// repeatedly.
const SAME_WAIT: Duration = Duration::from_secs(1);

/// Objects about which their owners are requested, at most.
const OBJECTS_MAX: usize = 32;

/// The stall detector of a rank's drivers.
#[derive(Default)]
pub struct StallWatch {
    state: Mutex<StallState>,
    /// A thread collects the states of all ranks.
    pub(super) collecting: AtomicBool,
}

#[derive(Default)]
struct StallState {
    /// `moves` at the last progress, and the time of that.
    moves: u64,
    since: Option<Instant>,
    /// When a driver was last seen waiting.
    seen: Option<Instant>,
    /// The state of each rank at half time, and the time of that.
    before: Option<(Vec<RankActivity>, Instant)>,
    /// The last report.
    last_report: String,
}

type ResponseBytes = crate::base::Result<Vec<u8>>;

/// A parked driver checks for progress. May take `RESPONSE_TIME` if a rank does not respond.
pub fn watch_for_stall(runtime: &'static Runtime) {
    let limit = runtime.cluster.config.stall;
    if limit.is_zero() || runtime.stopping() || runtime.waiting.stall.collecting.swap(true, Ordering::Acquire) {
        return;
    }
    if let Some(before) = collection_due(runtime, limit) {
        let now: Vec<RankActivity> = request_activities(runtime);
        match before {
            None => lock(&runtime.waiting.stall.state).before = Some((now, Instant::now())),
            Some(before) => report_stall(runtime, &before, &now, limit),
        }
    }
    runtime.waiting.stall.collecting.store(false, Ordering::Release);
}

/// A number that grows when a task begins here, or fails because another has failed.
pub fn moves(runtime: &Runtime) -> u64 {
    runtime.workers.begun() + runtime.protocol.tasks.failures_passed_on()
}

/// If it is time to collect the states: `Some(None)` at half time, `Some` with the states of then at the end.
fn collection_due(runtime: &Runtime, limit: Duration) -> Option<Option<Vec<RankActivity>>> {
    let moves = moves(runtime);
    let mut state = lock(&runtime.waiting.stall.state);
    let continues = state.seen.is_some_and(|seen| seen.elapsed() < SAME_WAIT);
    state.seen = Some(Instant::now());
    if state.moves != moves || !continues || state.since.is_none() {
        (state.moves, state.since, state.before) = (moves, state.seen, None);
        return None;
    }
    let still = state.since.map_or(Duration::ZERO, |since| since.elapsed());
    match &state.before {
        None => (still >= limit / 2).then_some(None),
        Some((before, at)) => (at.elapsed() >= limit / 2 && still >= limit).then(|| Some(before.clone())),
    }
}

/// Logs a stall, if it is new.
fn report_stall(runtime: &'static Runtime, before: &[RankActivity], now: &[RankActivity], limit: Duration) {
    let moved = || {
        let mut state = lock(&runtime.waiting.stall.state);
        (state.since, state.before) = (Some(Instant::now()), None);
    };
    match stall_status(before, now) {
        StallStatus::Progressing => return moved(),
        // While tasks compute, there is nothing to warn of.
        StallStatus::Computing(who) => {
            log(Level::Debug, || format!("a driver waits for {} s or more; {}", limit.as_secs(), who.join("; ")));
            return moved();
        }
        StallStatus::Stalled => {}
    }
    // Of several drivers that wait, the one of the lowest rank logs it.
    let waits = |one: &&RankActivity| matches!(one.driver, DriverState::Waiting(_));
    if now.iter().filter(waits).map(|one| one.rank).min().is_some_and(|first| first < runtime.cluster.rank) {
        return moved();
    }
    let stall_report = stall_report(runtime, now);
    {
        let mut state = lock(&runtime.waiting.stall.state);
        state.before = Some((now.to_vec(), Instant::now()));
        state.seen = Some(Instant::now());
        if state.last_report == stall_report {
            return;
        }
        state.last_report.clone_from(&stall_report);
    }
    log(Level::Warn, || {
        format!("nothing has moved for {} s, and nothing can (MOBULA_STALL_S):{stall_report}", limit.as_secs())
    });
}

/// The report: which task waits for what, a line each.
fn stall_report(runtime: &'static Runtime, now: &[RankActivity]) -> String {
    let mut awaited: Vec<ObjectId> = Vec::new();
    for one in now {
        let of_driver: &[BlockedTask] = if let DriverState::Waiting(waits) = &one.driver { waits } else { &[] };
        for wait in of_driver.iter().chain(&one.blocked) {
            awaited
                .extend(wait.objects.iter().filter(|id| id.owner < runtime.cluster.size && !runtime.is_dead(id.owner)));
        }
    }
    awaited.sort_unstable();
    awaited.dedup();
    awaited.truncate(OBJECTS_MAX);
    let requests: Vec<(Rank, InfoRequest)> =
        awaited.iter().map(|id| (id.owner, InfoRequest::Object(id.number))).collect();
    let descriptions: Vec<Option<String>> = request_in_time(runtime, &requests);
    let descriptions: BTreeMap<ObjectId, String> =
        awaited.into_iter().zip(descriptions).filter_map(|(id, text)| Some((id, text?))).collect();
    let mut lines = Vec::new();
    let mut line =
        |rank: Rank, text: String| lines.push(format!("\n  rank {rank} on {}: {text}", runtime.cluster.host_of(rank)));
    for one in now {
        let of_driver: &[BlockedTask] = if let DriverState::Waiting(waits) = &one.driver { waits } else { &[] };
        for wait in of_driver.iter().chain(&one.blocked) {
            let more: Vec<String> = wait
                .objects
                .iter()
                .filter_map(|id| descriptions.get(id).map(|text| format!(" ({id} is {text})")))
                .collect();
            line(one.rank, format!("{} waits for {}{}", wait.name, wait.waits_for, more.concat()));
        }
        one.outside.iter().for_each(|task| line(one.rank, task.to_string()));
        one.resources.iter().for_each(|text| line(one.rank, text.clone()));
    }
    let silent =
        (0..runtime.cluster.size).filter(|rank| !runtime.is_dead(*rank) && now.iter().all(|one| one.rank != *rank));
    silent.for_each(|rank| line(rank, "does not respond".to_string()));
    lines.concat()
}

fn request_activities(runtime: &'static Runtime) -> Vec<RankActivity> {
    let ranks: Vec<(Rank, InfoRequest)> = (0..runtime.cluster.size)
        .filter(|rank| !runtime.is_dead(*rank))
        .map(|rank| (rank, InfoRequest::Waiters))
        .collect();
    request_in_time(runtime, &ranks).into_iter().flatten().collect()
}

/// The responses that came in time.
fn request_in_time<T: DeserializeOwned>(runtime: &'static Runtime, requests: &[(Rank, InfoRequest)]) -> Vec<Option<T>> {
    let sent: Vec<(u64, Arc<Promise<ResponseBytes>>)> = requests
        .iter()
        .map(|(rank, request)| {
            let send = |token| runtime.send(*rank, &Message::Request { token, request: *request });
            runtime.waiting.requests.begin(*rank, send)
        })
        .collect();
    let deadline = Instant::now() + RESPONSE_TIME;
    wait_on_thread(runtime, sent.len(), Some(deadline), |event| {
        sent.iter().for_each(|(_, promise)| promise.core().when_complete(event.clone()));
    });
    let response = |(token, promise): (u64, Arc<Promise<ResponseBytes>>)| {
        runtime.waiting.requests.forget(token);
        postcard::from_bytes(promise.value()?.as_ref().ok()?).ok()
    };
    sent.into_iter().map(response).collect()
}
