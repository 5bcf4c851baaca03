//! Who waits on this rank, and what for, in words: asked only when a driver suspects that nothing can move any more.
//!
//! What a paused fiber waits for stands on its own stack, where only its worker may look. So the roll is called: each worker
//! that has nothing to do tells of its fibers; one that does not answer computes.

use crate::base::ObjectId;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::objects::AnySlot;
use crate::protocol::ActorRef;
use crate::registry::{Header, Kind, Phase, Runnable};
use crate::runtime::Runtime;
use crate::runtime::context;
use crate::runtime::worker::WorkerShared;
use crate::scheduling::{Driver, Wait, Waits};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

/// Objects that are named of all that somebody waits for.
const OBJECTS_NAMED: usize = 4;

/// What the workers and drivers of this rank told.
#[derive(Default)]
pub struct Roll {
    /// How often it was called.
    called: AtomicU64,
    /// By worker: which call it answered, after how many tasks, and what its fibers wait for.
    answers: Mutex<BTreeMap<usize, (u64, u64, Vec<Wait>)>>,
    /// Driver threads that are parked, and what they wait for.
    drivers: Mutex<Vec<(ThreadId, Wait)>>,
}

impl Runtime {
    /// A worker has nothing to do: where the roll was called since it last answered, it tells of its fibers.
    pub(super) fn answer_roll(&'static self, worker: &WorkerShared) {
        let called = self.roll.called.load(Ordering::Relaxed);
        if called == 0 {
            return;
        }
        let began = worker.began.load(Ordering::Relaxed);
        let answered = |(call, at, _): &(u64, u64, Vec<Wait>)| (*call, *at) == (called, began);
        if lock(&self.roll.answers).get(&worker.index).is_some_and(answered) {
            return;
        }
        let mut waits = Vec::new();
        context::each_paused(|header, actor, awaited| {
            let who = who(header, actor);
            waits.push(self.wait_of(who, Some(header), awaited));
        });
        lock(&self.roll.answers).insert(worker.index, (called, began, waits));
    }

    /// A driver's thread is about to park; what is returned is dropped when it goes on.
    pub(super) fn driver_parks(&'static self) -> DriverParked {
        let wait = self.wait_of("the driver".to_string(), None, &|visit| context::awaited(visit));
        let thread = std::thread::current().id();
        lock(&self.roll.drivers).push((thread, wait));
        DriverParked { runtime: self, thread }
    }

    /// What this rank says of itself; calls the roll for the next time.
    pub(super) fn waits(&'static self) -> Waits {
        let workers = self.workers();
        let called = self.roll.called.load(Ordering::Relaxed);
        let answers = lock(&self.roll.answers).clone();
        let mut waits = Vec::new();
        let mut computes = Vec::new();
        for worker in workers.iter() {
            let began = worker.began.load(Ordering::Relaxed);
            match answers.get(&worker.index) {
                Some((call, at, told)) if (*call, *at) == (called, began) => waits.extend(told.iter().cloned()),
                // It never rested since the roll was called.
                _ => computes.push(worker.last_began().to_string()),
            }
        }
        self.roll.called.fetch_add(1, Ordering::Relaxed);
        workers.iter().for_each(|worker| worker.unpark());
        let drivers: Vec<Wait> = lock(&self.roll.drivers).iter().map(|(_, wait)| wait.clone()).collect();
        let driver = match (drivers.is_empty(), self.leaver.get().is_some()) {
            (false, _) => Driver::Waits(drivers),
            (true, true) => Driver::Through,
            (true, false) => Driver::Computes,
        };
        Waits {
            rank: self.rank,
            moves: workers.iter().map(|worker| worker.began.load(Ordering::Relaxed)).sum(),
            is_busy: self.queues.has_any()
                || workers.iter().any(|worker| !worker.stealer.is_empty())
                || self.roads.pulls.any()
                || self.timers.any(),
            computes,
            driver,
            waits,
            resources: self.resource_waits(),
            for_room: self.room.waits(),
        }
    }

    /// Requests that wait, what is free, and who holds what for as long as it lives.
    fn resource_waits(&'static self) -> Vec<String> {
        let mut lines = Vec::new();
        for (request, count, first) in self.queues.starving() {
            let of = first.map_or("of actors".to_string(), |first| format!("of `{first}`"));
            let place = request.seat.map_or(String::new(), |(seat, _)| format!(" of {seat}"));
            lines.push(format!("{count} request(s) {of} for {}{place} wait", request.shown()));
        }
        for (number, bundles) in self.own_groups.pending() {
            let group = ObjectId { owner: self.rank, number };
            lines.push(format!("placement group {group} is not ready: {bundles}"));
        }
        if lines.is_empty() {
            return lines;
        }
        let free: Vec<String> =
            self.table.available().iter().map(|(name, amount)| format!("{amount} {name}")).collect();
        lines.push(format!("free on {}: {}", self.host, free.join(", ")));
        self.protocol.actors.each(|label, request, has_it| {
            if has_it && request.shown() != "nothing" {
                lines.push(format!("actor {label} holds {} until it ends", request.shown()));
            }
        });
        lines
    }

    fn wait_of(&'static self, who: String, header: Option<&Header>, awaited: &context::Awaited<'_>) -> Wait {
        let mut names = Vec::new();
        let mut objects = Vec::new();
        let mut more = 0;
        awaited(&mut |slot| {
            if slot.core().is_complete() {
                return;
            }
            if names.len() == OBJECTS_NAMED {
                more += 1;
                return;
            }
            objects.extend(slot.remote_id());
            names.push(self.described(slot, header));
        });
        if more > 0 {
            names.push(format!("{more} more"));
        }
        let what = if names.is_empty() { "an answer".to_string() } else { names.join(", ") };
        Wait { who, what, objects }
    }

    /// An object in words: what makes it, and where.
    fn described(&self, slot: &Arc<dyn AnySlot>, waits: Option<&Header>) -> String {
        if let Some(id) = slot.remote_id() {
            return format!("object {id} of rank {}", id.owner);
        }
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.clone().producer(&mut producer);
        let Some(task) = producer else {
            return match slot.core().number() {
                0 => "an object that nobody has made".to_string(),
                number => format!("object {}", ObjectId { owner: self.rank, number }),
            };
        };
        if waits.is_some_and(|header| std::ptr::eq(header, task.header())) {
            return "its own result".to_string();
        }
        format!("the result of {}", self.task_in_words(&task))
    }

    fn task_in_words(&self, task: &Arc<dyn Runnable>) -> String {
        let header = task.header();
        let name = header.name();
        let target = header.target().and_then(|target| target.downcast::<ActorRef>().ok());
        if let Some(actor) = target {
            return format!("`{name}`, a call of actor {} on rank {}", actor.label, actor.home());
        }
        match (header.phase(), self.protocol.away.find(self.rank, task)) {
            (Phase::Waiting, _) => {
                format!("`{name}`, which waits for {} argument(s)", header.missing.load(Ordering::Relaxed))
            }
            (Phase::Queued, _) => format!("`{name}`, which has not begun on rank {}", self.rank),
            (Phase::Claimed, Some((rank, _))) => format!("`{name}`, which is on rank {rank}"),
            (Phase::Claimed, None) => format!("`{name}`, which runs on rank {}", self.rank),
        }
    }

    /// What becomes of this rank's object of that number.
    pub(super) fn described_object(&self, number: u64) -> String {
        match self.protocol.references.own_slot(number) {
            Some(slot) if slot.core().is_complete() => "it is there".to_string(),
            Some(slot) => self.described(&slot, None),
            None => "its owner does not know it any more".to_string(),
        }
    }
}

/// A task or call in words.
fn who(header: &Header, actor: Option<&str>) -> String {
    match actor {
        Some(label) if header.entry.is_some_and(|entry| entry.kind == Kind::New) => {
            format!("the making of actor {label}")
        }
        Some(label) => format!("`{}` of actor {label}", header.name()),
        None => format!("`{}`", header.name()),
    }
}

/// A driver's thread that is parked.
pub struct DriverParked {
    runtime: &'static Runtime,
    thread: ThreadId,
}

impl Drop for DriverParked {
    fn drop(&mut self) {
        lock(&self.runtime.roll.drivers).retain(|(thread, _)| *thread != self.thread);
    }
}
