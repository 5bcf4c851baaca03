//! The blocked fibers of this rank and what they wait for, as texts: requested only when a driver suspects a stall.
//!
//! The description of a paused fiber's wait is on its own stack, which only its worker may read. So workers are called
//! to report: each worker that has nothing to do reports its fibers; one that does not report computes.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{ObjectId, clock};
use crate::objects::AnySlot;
use crate::protocol::ActorRef;
use crate::registry::{FunctionKind, Runnable, TaskHeader, TaskPhase};
use crate::runtime::Runtime;
use crate::runtime::tasks::context;
use crate::runtime::waiting::stall::moves;
use crate::runtime::workers::{WorkerShared, blocked_call};
use crate::scheduling::{BlockedTask, DriverState, RankActivity};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

/// Objects that are named of all those of one wait.
const OBJECTS_NAMED: usize = 4;

/// The reports of this rank's workers and of other threads.
#[derive(Default)]
pub struct BlockedFibers {
    /// How often the workers were called to report.
    calls: AtomicU64,
    /// By worker: the call to which it reported, the tasks it had begun then, and what its fibers wait for.
    reports: Mutex<BTreeMap<usize, (u64, u64, Vec<BlockedTask>)>>,
    /// Threads outside of the workers that are parked, and what they wait for.
    threads: Mutex<Vec<(ThreadId, BlockedTask)>>,
}

/// A worker has nothing to do: if there was a call since its last report, it reports its fibers.
pub fn report_blocked_fibers(runtime: &'static Runtime, worker: &WorkerShared) {
    let calls = runtime.waiting.blocked_fibers.calls.load(Ordering::Relaxed);
    if calls == 0 {
        return;
    }
    let began = worker.began();
    let reported = |(call, at, _): &(u64, u64, Vec<BlockedTask>)| (*call, *at) == (calls, began);
    if lock(&runtime.waiting.blocked_fibers.reports).get(&worker.index).is_some_and(reported) {
        return;
    }
    let mut waits = Vec::new();
    context::each_paused(|header, actor, awaited| {
        let label = label(header, actor);
        waits.push(describe_wait(runtime, label, Some(header), awaited));
    });
    lock(&runtime.waiting.blocked_fibers.reports).insert(worker.index, (calls, began, waits));
}

/// The calling thread, which is no worker's, is about to park; it drops the returned value when it continues.
pub fn record_parked_thread(runtime: &'static Runtime) -> ParkedThread {
    let wait = describe_wait(runtime, label_of_thread(runtime), None, &|visit| context::visit_awaited(visit));
    let thread = std::thread::current().id();
    lock(&runtime.waiting.blocked_fibers.threads).push((thread, wait));
    ParkedThread { runtime, thread }
}

fn label_of_thread(runtime: &Runtime) -> String {
    let thread = std::thread::current();
    let is_driver = runtime.lifecycle.is_init_thread();
    match (context::entry(), thread.name()) {
        (Some(entry), _) => format!("`{}`", entry.name),
        (None, _) if is_driver => "the driver".to_string(),
        (None, Some(name)) => format!("the thread \"{name}\" of no known task"),
        (None, None) => format!("a thread of no known task ({:?})", thread.id()),
    }
}

/// The activity of this rank; calls the workers to report for the next time.
pub fn waiters(runtime: &'static Runtime) -> RankActivity {
    let workers = runtime.workers.list();
    let calls = runtime.waiting.blocked_fibers.calls.load(Ordering::Relaxed);
    let reports = lock(&runtime.waiting.blocked_fibers.reports).clone();
    let mut waits = Vec::new();
    let (mut computing, mut outside) = (Vec::new(), Vec::new());
    for worker in workers.iter() {
        let began = worker.began();
        match reports.get(&worker.index) {
            Some((call, at, reported)) if (*call, *at) == (calls, began) => waits.extend(reported.iter().cloned()),
            // It was never idle since the call.
            _ => match worker.blocked_outside() {
                Some(task) => outside.push(task),
                None => computing.push(worker.running_name().to_string()),
            },
        }
    }
    runtime.waiting.blocked_fibers.calls.fetch_add(1, Ordering::Relaxed);
    runtime.workers.unpark_all();
    let waits_of_workers = waits.len();
    let driver = driver_state(runtime, &mut waits);
    let has_waiting_threads = waits.len() > waits_of_workers;
    let keeps_others = outside.iter().any(|task| !task.ready.is_empty());
    let none_is_free = keeps_others && computing.is_empty() && outside.len() == workers.len();
    RankActivity {
        rank: runtime.cluster.rank,
        moves: moves(runtime),
        can_progress: (runtime.workers.has_work() && !none_is_free)
            || runtime.memory.any_pulls()
            || runtime.waiting.timers.any(),
        computing,
        outside,
        has_waiting_threads,
        at_ms: clock::now_ns() / 1_000_000,
        cpu_ms: clock::process_cpu_ns() / 1_000_000,
        driver,
        blocked: waits,
        resources: resource_waits(runtime),
        waiting_for_space: runtime.memory.space_waits(),
    }
}

/// The state of this rank's driver. Adds the waits of other threads to `waits`, unless the driver waits for them.
fn driver_state(runtime: &'static Runtime, waits: &mut Vec<BlockedTask>) -> DriverState {
    let parked = lock(&runtime.waiting.blocked_fibers.threads).clone();
    let awaits_threads = || {
        let call = blocked_call(runtime.lifecycle.init_thread_number);
        call.is_some_and(|call| call.awaits_threads)
    };
    let is_driver = |thread: &ThreadId| runtime.lifecycle.is_init(*thread);
    let waits_here = parked.iter().any(|(thread, _)| is_driver(thread)) || (!parked.is_empty() && awaits_threads());
    let parked = parked.into_iter().map(|(_, wait)| wait);
    if runtime.lifecycle.driver_has_finished() {
        waits.extend(parked);
        return DriverState::Finished;
    }
    if waits_here {
        return DriverState::Waiting(parked.collect());
    }
    waits.extend(parked);
    DriverState::Computing
}

/// Resource requests that wait, what is free, and what actors hold for their lifetime.
fn resource_waits(runtime: &'static Runtime) -> Vec<String> {
    let mut lines = Vec::new();
    for (request, count, first) in runtime.workers.queues.pending_requests() {
        let of = first.map_or("of actors".to_string(), |first| format!("of `{first}`"));
        let bundle = request.bundle.map_or(String::new(), |(slot, _)| format!(" of {slot}"));
        lines.push(format!("{count} request(s) {of} for {}{bundle} wait", request.displayed()));
    }
    for (number, bundles) in runtime.resources.pending_groups() {
        let group = ObjectId { owner: runtime.cluster.rank, number };
        lines.push(format!("placement group {group} is not ready: {bundles}"));
    }
    if lines.is_empty() {
        return lines;
    }
    let free: Vec<String> =
        runtime.resources.table.available().iter().map(|(name, amount)| format!("{amount} {name}")).collect();
    lines.push(format!("free on {}: {}", runtime.cluster.host, free.join(", ")));
    runtime.protocol.actors.instance.each(|label, request, has_it| {
        if has_it && request.displayed() != "nothing" {
            lines.push(format!("actor {label} holds {} until it ends", request.displayed()));
        }
    });
    lines
}

fn describe_wait(
    runtime: &'static Runtime,
    label: String,
    header: Option<&TaskHeader>,
    awaited: &context::AwaitedObjects<'_>,
) -> BlockedTask {
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
        names.push(describe(runtime, slot, header));
    });
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let what = if names.is_empty() { "a response".to_string() } else { names.join(", ") };
    BlockedTask { name: label, waits_for: what, objects }
}

/// An object as text: what computes it, and where.
fn describe(runtime: &Runtime, slot: &Arc<dyn AnySlot>, waits: Option<&TaskHeader>) -> String {
    if let Some(id) = slot.remote_id() {
        return format!("object {id} of rank {}", id.owner);
    }
    let mut producer: Option<Arc<dyn Runnable>> = None;
    slot.clone().producer(&mut producer);
    let Some(task) = producer else {
        return match slot.core().number() {
            0 => "an object that no task computes".to_string(),
            number => format!("object {}", ObjectId { owner: runtime.cluster.rank, number }),
        };
    };
    if waits.is_some_and(|header| std::ptr::eq(header, task.header())) {
        return "its own result".to_string();
    }
    format!("the result of {}", describe_task(runtime, &task))
}

fn describe_task(runtime: &Runtime, task: &Arc<dyn Runnable>) -> String {
    let header = task.header();
    let name = header.name();
    let target = header.target().and_then(|target| target.downcast::<ActorRef>().ok());
    if let Some(actor) = target {
        return format!("`{name}`, a call of actor {} on rank {}", actor.label, actor.location());
    }
    match (header.phase(), runtime.protocol.tasks.remote.find(runtime.cluster.rank, task)) {
        (TaskPhase::Waiting, _) => {
            format!("`{name}`, which waits for {} argument(s)", header.missing.load(Ordering::Relaxed))
        }
        (TaskPhase::Queued, _) => format!("`{name}`, which has not begun on rank {}", runtime.cluster.rank),
        (TaskPhase::Claimed, Some((rank, _))) => format!("`{name}`, which is on rank {rank}"),
        (TaskPhase::Claimed, None) => format!("`{name}`, which runs on rank {}", runtime.cluster.rank),
    }
}

/// The state of this rank's object of that number.
pub fn describe_object(runtime: &Runtime, number: u64) -> String {
    match runtime.protocol.objects.references.own_slot(number) {
        Some(slot) if slot.core().is_complete() => "complete".to_string(),
        Some(slot) => describe(runtime, &slot, None),
        None => "no longer known to its owner".to_string(),
    }
}

/// A task or call as text.
fn label(header: &TaskHeader, actor: Option<&str>) -> String {
    match actor {
        Some(label) if header.entry.is_some_and(|entry| entry.kind == FunctionKind::New) => {
            format!("the creation of actor {label}")
        }
        Some(label) => format!("`{}` of actor {label}", header.name()),
        None => format!("`{}`", header.name()),
    }
}

/// A thread outside of the workers that is parked, until this is dropped.
pub struct ParkedThread {
    runtime: &'static Runtime,
    thread: ThreadId,
}

impl Drop for ParkedThread {
    fn drop(&mut self) {
        lock(&self.runtime.waiting.blocked_fibers.threads).retain(|(thread, _)| *thread != self.thread);
    }
}
