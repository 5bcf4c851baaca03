//! Which task runs on this thread: for `context()`, and for the order of an actor's calls.
#![allow(unsafe_code)]

use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicU64;
use crate::base::{BundleSlot, ObjectId};
use crate::objects::AnySlot;
use crate::protocol::WorkId;
use crate::registry::{Runnable, TableEntry, TaskHeader};
use crate::runtime::Runtime;
use crate::runtime::memory::Quota;
use crate::runtime::tasks::thread_context;
use crate::runtime::workers::worker;
use crate::scheduling::Grant;
use crate::scheduling::{UNIT, amount_of, fixed_of};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, LazyLock, Weak};

/// A task or actor call that runs on this stack. The function that runs it keeps it on its stack, and a thread-local
/// pointer leads to it meanwhile; a fiber that pauses saves the pointer and restores it.
pub struct TaskContext<'a> {
    task: &'a Arc<dyn Runnable>,
    /// What the runtime knows of the task.
    pub header: &'a TaskHeader,
    gpus: &'a [(u32, i64)],
    actor: Option<&'a str>,
    /// The bundle that the task runs in, and the CPUs that it has of it.
    bundle: Option<&'a (BundleSlot, i64)>,
    /// The quota that its arrays count against, if it has a limit.
    quota: Option<&'a Arc<Quota>>,
    /// Distinguishes the task from every other of this rank; assigned on first use.
    number: Cell<u64>,
    /// The actor whose call it is.
    actor_id: Option<ObjectId>,
}

/// Leads nowhere: the thread is not a worker's, and has taken on the context of a task (`thread_context`).
const ENTERED: *const TaskContext<'static> = std::ptr::dangling();

thread_local! {
    static CURRENT: Cell<*const TaskContext<'static>> = const { Cell::new(std::ptr::null()) };
}

/// Ends a context when dropped.
pub struct ContextGuard(*const TaskContext<'static>);

/// Visits the objects that a fiber or thread waits for and that are not complete.
pub type AwaitedObjects<'a> = dyn Fn(&mut dyn FnMut(&Arc<dyn AnySlot>)) + 'a;

/// What is on the stack of a paused fiber: its context, and what it waits for.
#[derive(Clone, Copy)]
struct PausedFiber {
    context: *const TaskContext<'static>,
    awaited: Option<*const AwaitedObjects<'static>>,
}

thread_local! {
    static AWAITED: Cell<Option<*const AwaitedObjects<'static>>> = const { Cell::new(None) };
    /// The paused fibers of this thread, by slot. A fiber makes its entry before it pauses and removes it as soon as it
    /// goes on, on this same thread (RUNTIME-1): what an entry points to does not change while the entry is here.
    static PAUSED: RefCell<Vec<Option<PausedFiber>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `body`; while it waits, it waits for what `awaited` visits.
pub fn while_awaiting<R>(awaited: &AwaitedObjects<'_>, body: impl FnOnce() -> R) -> R {
    struct Before(Option<*const AwaitedObjects<'static>>);
    impl Drop for Before {
        fn drop(&mut self) {
            AWAITED.set(self.0);
        }
    }
    // SAFETY: only the lifetime changes; the pointer is followed only while `body` runs or is paused: `Before` takes it
    // away.
    let pointer = unsafe { std::mem::transmute::<*const AwaitedObjects<'_>, *const AwaitedObjects<'static>>(awaited) };
    let _before = Before(AWAITED.replace(Some(pointer)));
    body()
}

/// Visits what the calling thread waits for, as registered by `while_awaiting`.
pub fn visit_awaited(visit: &mut dyn FnMut(&Arc<dyn AnySlot>)) {
    if let Some(awaited) = AWAITED.get() {
        // SAFETY: `while_awaiting` set it, below on this very stack, and takes it away before it returns.
        unsafe { (*awaited)(visit) };
    }
}

/// Visits each paused fiber of this thread: the task, its actor, and a visitor of what it waits for.
pub fn each_paused(mut visit: impl FnMut(&TaskHeader, Option<&str>, &AwaitedObjects<'_>)) {
    PAUSED.with_borrow(|paused| {
        for fiber in paused.iter().flatten() {
            if fiber.context.is_null() {
                continue;
            }
            // SAFETY: the fiber is paused while its entry is here: its stack does not change, and only this thread
            // resumes it.
            let context = unsafe { &*fiber.context };
            let nothing: &AwaitedObjects<'_> = &|_| {};
            // SAFETY: as above.
            let awaited = fiber.awaited.map_or(nothing, |awaited| unsafe { &*awaited });
            visit(context.task.header(), context.actor, awaited);
        }
    });
}

/// When dropped, removes the entry of a fiber that goes on, and makes its context the current one again.
pub struct SuspendedContext {
    slot: usize,
    context: *const TaskContext<'static>,
    awaited: Option<*const AwaitedObjects<'static>>,
}

impl Drop for SuspendedContext {
    fn drop(&mut self) {
        PAUSED.with_borrow_mut(|paused| paused[self.slot] = None);
        CURRENT.set(self.context);
        AWAITED.set(self.awaited);
    }
}

impl Drop for ContextGuard {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl<'a> TaskContext<'a> {
    /// The context of a task; arrays that it creates count against `quota`.
    #[inline]
    pub fn of_task(task: &'a Arc<dyn Runnable>, grant: &'a Grant, quota: Option<&'a Arc<Quota>>) -> TaskContext<'a> {
        let (header, number) = (task.header(), Cell::new(0));
        let bundle = grant.bundle.as_ref();
        TaskContext { task, header, gpus: &grant.gpus, actor: None, bundle, quota, number, actor_id: None }
    }

    /// The context of a call of an actor, which has that id and label; arrays that it creates count against `quota`.
    pub fn of_call(
        task: &'a Arc<dyn Runnable>,
        gpus: &'a [(u32, i64)],
        (id, actor): (ObjectId, &'a str),
        quota: Option<&'a Arc<Quota>>,
    ) -> TaskContext<'a> {
        let (header, number) = (task.header(), Cell::new(0));
        TaskContext { task, header, gpus, actor: Some(actor), bundle: None, quota, number, actor_id: Some(id) }
    }

    /// The number by which the tasks that it submits name it; another for every task of all ranks.
    pub fn number(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Read once: it is a system call.
        static PROCESS: LazyLock<u64> = LazyLock::new(|| u64::from(std::process::id()));
        if self.number.get() == 0 {
            // The process id distinguishes tasks of two ranks.
            self.number.set(*PROCESS << 40 | NEXT.fetch_add(1, Ordering::Relaxed));
        }
        self.number.get()
    }

    /// Describes it.
    pub fn snapshot(&self) -> Snapshot {
        let header = self.header;
        let requested = header.options.as_ref().and_then(|options| options.num_cpus).map(fixed_of);
        let default = if self.actor.is_some() { 0 } else { UNIT };
        Snapshot {
            task: Some(header.name().to_string()),
            actor: self.actor.map(str::to_string),
            cpus: amount_of(requested.unwrap_or(default)),
            gpus: self.gpus.iter().map(|(gpu, _)| *gpu).collect(),
            worker: worker_here(),
            identity: Some(TaskIdentity {
                number: self.number(),
                trace_number: header.number.load(Ordering::Relaxed),
                entry: header.entry,
                quota: self.quota.cloned(),
                task: Arc::downgrade(self.task),
            }),
        }
    }

    /// Makes it the current one until what is returned is dropped; both stay in the same block.
    #[inline]
    #[must_use]
    pub fn enter(&self) -> ContextGuard {
        ContextGuard(CURRENT.replace(std::ptr::from_ref(self).cast()))
    }
}

/// Suspends the current context while the fiber that will be stored in `slot` pauses.
pub fn suspend(slot: usize) -> SuspendedContext {
    let (context, awaited) = (CURRENT.get(), AWAITED.get());
    PAUSED.with_borrow_mut(|paused| {
        if paused.len() <= slot {
            paused.resize(slot + 1, None);
        }
        paused[slot] = Some(PausedFiber { context, awaited });
    });
    // What runs next on this thread, on a stack of its own, is no task yet and waits for nothing. If it kept this
    // context, it would restore it after a pause of its own, when this fiber's task may have finished and its stack
    // have been reused.
    CURRENT.set(std::ptr::null());
    AWAITED.set(None);
    SuspendedContext { slot, context, awaited }
}

/// What a task can learn about itself.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The function's name.
    pub task: Option<String>,
    /// The actor's label.
    pub actor: Option<String>,
    /// CPUs requested.
    pub cpus: f64,
    /// GPUs granted.
    pub gpus: Vec<u32>,
    /// The worker whose thread runs the task; for a driver, one more than the last worker.
    pub worker: u32,
    /// Which task it is, if one runs.
    pub identity: Option<TaskIdentity>,
}

/// What distinguishes a task from others.
#[derive(Clone)]
pub struct TaskIdentity {
    /// Its number.
    pub number: u64,
    trace_number: u64,
    /// Its function.
    pub entry: Option<&'static TableEntry>,
    quota: Option<Arc<Quota>>,
    /// Weak: whoever keeps a snapshot keeps no results.
    task: Weak<dyn Runnable>,
}

impl fmt::Debug for TaskIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}", self.number)
    }
}

/// The task of a thread.
enum CurrentTask<'a> {
    /// It runs on the thread's stack.
    Running(&'a TaskContext<'a>),
    /// The thread has taken on its context. The task may have ended.
    Entered(&'a Snapshot, &'a TaskIdentity),
}

fn with_current<R>(body: impl FnOnce(Option<CurrentTask<'_>>) -> R) -> R {
    let pointer = CURRENT.get();
    if pointer.is_null() {
        return body(None);
    }
    if pointer == ENTERED {
        let snapshot = thread_context::entered();
        let entered = snapshot.as_deref().and_then(|snapshot| Some((snapshot, snapshot.identity.as_ref()?)));
        return body(entered.map(|(snapshot, identity)| CurrentTask::Entered(snapshot, identity)));
    }
    // SAFETY: `enter` set it to a context on this very stack, and its guard resets it before the context
    // goes; the reference does not leave this function.
    body(Some(CurrentTask::Running(unsafe { &*pointer })))
}

/// This thread, on which no task runs, has taken on a context, or has none any more.
pub fn set_entered(is_entered: bool) {
    match (runs_task(), is_entered) {
        // A task that a driver's thread runs in place puts back what was before.
        (true, _) => {}
        (false, true) => CURRENT.set(ENTERED),
        (false, false) => CURRENT.set(std::ptr::null()),
    }
}

/// The worker of this thread; for a driver's, one more than the last.
fn worker_here() -> u32 {
    let worker = worker::here().map(|worker| worker.shared.index as u32);
    worker.unwrap_or_else(|| Runtime::current().map_or(0, |runtime| runtime.workers.list().len() as u32))
}

/// Describes the task of this thread.
pub fn snapshot() -> Snapshot {
    with_current(|current| match current {
        None => Snapshot { worker: worker_here(), ..Snapshot::default() },
        Some(CurrentTask::Running(context)) => context.snapshot(),
        Some(CurrentTask::Entered(snapshot, _)) => snapshot.clone(),
    })
}

/// The number of the task of this thread, 0 for a driver.
pub fn current_number() -> u64 {
    with_current(|current| match current {
        None => 0,
        Some(CurrentTask::Running(context)) => context.number(),
        Some(CurrentTask::Entered(_, identity)) => identity.number,
    })
}

/// A task or call that runs on a thread.
pub struct RunningWork {
    /// How other ranks know it, if they do.
    pub id: Option<WorkId>,
    /// The key of its function.
    pub function: u64,
    /// The number of the task that submitted it, 0 for a driver.
    pub caller: u64,
}

/// The task that runs on this thread. Takes no lock and allocates nothing, for handlers of signals; so it does not see
/// the task whose context the thread has taken on.
pub fn running() -> Option<RunningWork> {
    if !runs_task() {
        return None;
    }
    with_current(|current| match current? {
        CurrentTask::Running(context) => {
            let header = context.header;
            let id = context.actor_id.map(WorkId::Actor).or(header.origin.map(WorkId::Task));
            Some(RunningWork { id, function: header.entry?.key, caller: header.caller })
        }
        CurrentTask::Entered(..) => None,
    })
}

/// The name of the task of this thread, if it was cancelled.
pub fn cancelled() -> Option<String> {
    let is_cancelled = |header: &TaskHeader| {
        header.is_cancelled()
            || Runtime::current().is_some_and(|runtime| runtime.protocol.tasks.cancelled.contains(header.origin))
    };
    let name_if_cancelled = |header: &TaskHeader| is_cancelled(header).then(|| header.name().to_string());
    with_current(|current| match current? {
        CurrentTask::Running(context) => name_if_cancelled(context.header),
        CurrentTask::Entered(_, identity) => name_if_cancelled(identity.task.upgrade()?.header()),
    })
}

/// The bundle slot of the task on this thread, and the CPUs that it has of it; an actor keeps its CPUs while it waits.
pub fn bundle_slot() -> Option<(BundleSlot, i64)> {
    with_current(|current| match current? {
        CurrentTask::Running(context) => context.bundle.copied(),
        CurrentTask::Entered(..) => None,
    })
}

/// The function of the task of this thread.
pub fn entry() -> Option<&'static TableEntry> {
    with_current(|current| match current? {
        CurrentTask::Running(context) => context.header.entry,
        CurrentTask::Entered(_, identity) => identity.entry,
    })
}

/// The name of that function.
pub fn function() -> Option<&'static str> {
    entry().map(|entry| entry.name)
}

/// The memory quota of the task of this thread.
pub fn quota() -> Option<Arc<Quota>> {
    with_current(|current| match current? {
        CurrentTask::Running(context) => context.quota.cloned(),
        CurrentTask::Entered(_, identity) => identity.quota.clone(),
    })
}

/// Returns true if a task runs on this thread, or the thread has taken on a task's context.
pub fn in_task() -> bool {
    !CURRENT.get().is_null()
}

/// Returns true if a task runs on the stack of this thread.
pub fn runs_task() -> bool {
    let pointer = CURRENT.get();
    !pointer.is_null() && pointer != ENTERED
}

/// Calls `body` with the name of the task on this thread. Takes no lock and allocates nothing, for the fault handler.
pub fn with_name<R>(body: impl FnOnce(&str) -> R) -> R {
    if !runs_task() {
        return body("");
    }
    with_current(|current| match current {
        Some(CurrentTask::Running(context)) => body(context.header.name()),
        _ => body(""),
    })
}

/// The trace number of the task of this thread, 0 for a driver or a task that is not recorded.
pub fn trace_number() -> u64 {
    with_current(|current| match current {
        None => 0,
        Some(CurrentTask::Running(context)) => context.header.number.load(Ordering::Relaxed),
        Some(CurrentTask::Entered(_, identity)) => identity.trace_number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tasks::tests::task;

    #[test]
    fn suspended_context_is_not_current_until_restored() {
        let (paused, other) = (task(), task());
        let grant = Grant { gpus: Vec::new(), custom: Vec::new(), bundle: None };
        let context = TaskContext::of_task(&paused, &grant, None);
        let running = context.enter();
        let number = current_number();
        let aside = suspend(0);
        assert!(!in_task());
        {
            let context = TaskContext::of_task(&other, &grant, None);
            let _running = context.enter();
            assert_ne!(current_number(), number);
        }
        assert!(!in_task(), "the end of the other context restored it");
        drop(aside);
        assert_eq!(current_number(), number);
        drop(running);
        assert!(!in_task());
    }
}
