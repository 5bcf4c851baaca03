//! Which task runs on this thread: for `context()`, for the order of an actor's calls, and for the location of a panic.
#![allow(unsafe_code)]

use crate::base::limits::FAILURE_BYTES_MAX;
use crate::base::panic::Panic;
use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicU64;
use crate::base::text::cut;
use crate::base::{BundleSlot, Error, ObjectId};
use crate::objects::AnySlot;
use crate::protocol::WorkId;
use crate::registry::TaskHeader;
use crate::runtime::Runtime;
use crate::runtime::memory::Quota;
use crate::runtime::workers::worker;
use crate::scheduling::Grant;
use crate::scheduling::{UNIT, amount_of, fixed_of};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::{Arc, LazyLock};

/// A task or actor call that runs on this stack. The function that runs it keeps it on its stack, and a thread-local
/// pointer leads to it meanwhile; a fiber that pauses saves the pointer and restores it.
pub struct TaskContext<'a> {
    header: &'a TaskHeader,
    gpus: &'a [(u32, i64)],
    actor: Option<&'a str>,
    /// The bundle that the task runs in, and the CPUs that it has of it.
    bundle: Option<(BundleSlot, i64)>,
    /// The quota that its arrays count against, if it has a limit.
    quota: Option<&'a Arc<Quota>>,
    /// Distinguishes the task from every other of this rank; assigned on first use.
    number: Cell<u64>,
    /// The actor whose call it is.
    actor_id: Option<ObjectId>,
}

thread_local! {
    static CURRENT: Cell<*const TaskContext<'static>> = const { Cell::new(std::ptr::null()) };
    static PANIC_SITE: RefCell<PanicSite> = const { RefCell::new(PanicSite { location: None, backtrace: None }) };
    /// The error that a task on this thread got last.
    static LAST_ERROR: RefCell<Option<Arc<Error>>> = const { RefCell::new(None) };
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
            visit(context.header, context.actor, awaited);
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
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl<'a> TaskContext<'a> {
    /// The context of a task; arrays that it creates count against `quota`.
    pub fn of_task(header: &'a TaskHeader, grant: &'a Grant, quota: Option<&'a Arc<Quota>>) -> TaskContext<'a> {
        let number = Cell::new(0);
        TaskContext { header, gpus: &grant.gpus, actor: None, bundle: grant.bundle, quota, number, actor_id: None }
    }

    /// The context of a call of an actor, which has that id and label; arrays that it creates count against `quota`.
    pub fn of_call(
        header: &'a TaskHeader,
        gpus: &'a [(u32, i64)],
        (id, actor): (ObjectId, &'a str),
        quota: Option<&'a Arc<Quota>>,
    ) -> TaskContext<'a> {
        let number = Cell::new(0);
        TaskContext { header, gpus, actor: Some(actor), bundle: None, quota, number, actor_id: Some(id) }
    }

    /// The number by which the tasks that it submits name it.
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

    /// How other ranks know it, if they do.
    fn work_id(&self) -> Option<WorkId> {
        self.actor_id.map(WorkId::Actor).or(self.header.origin.map(WorkId::Task))
    }

    /// Makes it the current one until what is returned is dropped; both stay in the same block.
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
#[derive(Clone, Debug, Default, PartialEq)]
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
}

fn with_current<R>(body: impl FnOnce(Option<&TaskContext<'_>>) -> R) -> R {
    let pointer = CURRENT.get();
    // SAFETY: `enter` set it to a context on this very stack, and its guard resets it before the context
    // goes; the reference does not leave this function.
    body((!pointer.is_null()).then(|| unsafe { &*pointer }))
}

/// Describes the task that runs on this thread.
pub fn snapshot() -> Snapshot {
    let worker = worker::here().map(|worker| worker.shared.index as u32);
    let worker = worker.unwrap_or_else(|| Runtime::current().map_or(0, |runtime| runtime.workers.list().len() as u32));
    with_current(|current| {
        let Some(context) = current else { return Snapshot { worker, ..Snapshot::default() } };
        let requested = context.header.options.as_ref().and_then(|options| options.num_cpus).map(fixed_of);
        let default = if context.actor.is_some() { 0 } else { UNIT };
        Snapshot {
            task: Some(context.header.name().to_string()),
            actor: context.actor.map(str::to_string),
            cpus: amount_of(requested.unwrap_or(default)),
            gpus: context.gpus.iter().map(|(gpu, _)| *gpu).collect(),
            worker,
        }
    })
}

/// The number of the task that runs on this thread, 0 for a driver.
pub fn current_number() -> u64 {
    with_current(|current| current.map_or(0, TaskContext::number))
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

/// What runs on this thread. Takes no lock and allocates nothing, for handlers of signals.
pub fn running() -> Option<RunningWork> {
    with_current(|current| {
        let context = current?;
        let (id, caller) = (context.work_id(), context.header.caller);
        Some(RunningWork { id, function: context.header.entry?.key, caller })
    })
}

/// The name of the task that runs on this thread, if it was cancelled.
pub fn cancelled() -> Option<String> {
    with_current(|current| {
        let is_cancelled = |header: &TaskHeader| {
            header.is_cancelled()
                || Runtime::current().is_some_and(|runtime| runtime.protocol.tasks.cancelled.contains(header.origin))
        };
        current.filter(|context| is_cancelled(context.header)).map(|context| context.header.name().to_string())
    })
}

/// The bundle slot of the task on this thread, and the CPUs that it has of it; an actor keeps its CPUs while it waits.
pub fn bundle_slot() -> Option<(BundleSlot, i64)> {
    with_current(|current| current.and_then(|context| context.bundle))
}

/// The function of the task that runs on this thread.
pub fn function() -> Option<&'static str> {
    with_current(|current| current?.header.entry.map(|entry| entry.name))
}

/// The memory quota of the task that runs on this thread.
pub fn quota() -> Option<Arc<Quota>> {
    with_current(|current| current?.quota.cloned())
}

/// Returns true if a task runs on this thread.
pub fn in_task() -> bool {
    !CURRENT.get().is_null()
}

/// Calls `body` with the name of the task on this thread. Takes no lock and allocates nothing, for the fault handler.
pub fn with_name<R>(body: impl FnOnce(&str) -> R) -> R {
    with_current(|current| body(current.map_or("", |context| context.header.name())))
}

/// Installs a panic hook that records where a task panics, for its error. The hook of the program before is called for
/// every panic; that of the standard library, which prints, only for those outside of tasks.
pub fn install_panic_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        // Now no hook is set, so this is the standard library's.
        let standard = std::panic::take_hook();
        // Both may be of no size, with one address: then their tables of methods tell them apart.
        #[allow(ambiguous_wide_pointer_comparisons)]
        let is_standard = std::ptr::eq(&raw const *before, &raw const *standard);
        std::panic::set_hook(Box::new(move |info| {
            if in_task() {
                PANIC_SITE.set(PanicSite::here(info.location()));
            }
            if !in_task() || !is_standard {
                before(info);
            }
        }));
    });
}

/// Where a task panicked, as its error says it.
#[derive(Default)]
pub struct PanicSite {
    location: Option<String>,
    /// If the environment asks for one (`RUST_BACKTRACE`).
    backtrace: Option<String>,
}

impl PanicSite {
    fn here(location: Option<&Location<'_>>) -> PanicSite {
        let backtrace = Backtrace::capture();
        PanicSite {
            location: location.map(|location| format!("{}:{}", location.file(), location.line())),
            backtrace: (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
        }
    }

    /// The message of a panic there.
    ///
    /// # Errors
    /// The error that it passes on: it is the panic of an `unwrap` of an error of mobula, or has one as its payload.
    pub fn describe(self, panic: Panic) -> Result<String, Error> {
        let text = match panic {
            Panic::Error(error) => return Err(error),
            Panic::Text(text) => text,
        };
        let mut text = match LAST_ERROR.take() {
            // What `unwrap` and `expect` write: the error with its quotes escaped, and longer at each level.
            Some(error) => match text.strip_suffix(&format!("{error:?}")) {
                Some("called `Result::unwrap()` on an `Err` value: ") => return Err((*error).clone()),
                Some(expected) => format!("{expected}{error}"),
                None => text,
            },
            None => text,
        };
        if let Some(location) = self.location {
            text = format!("panicked at {location}: {text}");
        }
        if let Some(backtrace) = self.backtrace {
            text = format!("{}\nstack backtrace:\n{backtrace}", cut(text, FAILURE_BYTES_MAX / 2));
        }
        Ok(text)
    }
}

/// Takes the site of the last panic of a task on this thread.
pub fn take_panic_site() -> PanicSite {
    PANIC_SITE.take()
}

/// The task on this thread gets an error of another task: if it panics with that, it passes it on.
pub fn record_error(error: &Arc<Error>) {
    if in_task() {
        LAST_ERROR.set(Some(error.clone()));
    }
}

/// The trace number of the task that runs on this thread, 0 for a driver or a task that is not recorded.
pub fn trace_number() -> u64 {
    with_current(|current| current.map_or(0, |context| context.header.number.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspended_context_is_not_current_until_restored() {
        let (paused, other) = (TaskHeader::new(None, 0), TaskHeader::new(None, 0));
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
