//! What runs on this thread: for `context()`, for the order of an actor's calls, and for the place of a panic.
#![allow(unsafe_code)]

use crate::base::Seat;
use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicU64;
use crate::objects::AnySlot;
use crate::registry::Header;
use crate::runtime::notes::Account;
use crate::runtime::{Runtime, worker};
use crate::scheduling::Grant;
use crate::scheduling::{UNIT, amount_of, fixed_of};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, LazyLock};

/// A task or actor call that runs on this stack. It lives on the stack of who runs it, and is reached through a
/// thread-local pointer while it does; a fiber that pauses takes its own aside and puts it back.
pub struct Context<'a> {
    header: &'a Header,
    gpus: &'a [(u32, i64)],
    actor: Option<&'a str>,
    /// The bundle that it runs in, and the CPUs that it has of it.
    bundle: Option<(Seat, i64)>,
    /// What the arrays that it makes go on, where it has a limit.
    account: Option<&'a Arc<Account>>,
    /// Tells it from every other task of this rank; given when first asked for.
    number: Cell<u64>,
}

thread_local! {
    static CURRENT: Cell<*const Context<'static>> = const { Cell::new(std::ptr::null()) };
    static PANIC_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Ends a context when dropped.
pub struct Running(*const Context<'static>);

/// What somebody waits for: visits the objects that are not there.
pub type Awaited<'a> = dyn Fn(&mut dyn FnMut(&Arc<dyn AnySlot>)) + 'a;

/// What stands on the stack of a fiber that pauses: who it is, and what it waits for.
#[derive(Clone, Copy)]
struct Note {
    context: *const Context<'static>,
    awaited: Option<*const Awaited<'static>>,
}

thread_local! {
    static AWAITED: Cell<Option<*const Awaited<'static>>> = const { Cell::new(None) };
    /// By slot: the fibers of this thread that are paused. A fiber notes itself before it pauses and strikes the note out as
    /// soon as it goes on, on this same thread (N1): what a note points to stands still while the note is here.
    static PAUSED: RefCell<Vec<Option<Note>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `body`, whose waits are for what `awaited` visits.
pub fn awaiting<R>(awaited: &Awaited<'_>, body: impl FnOnce() -> R) -> R {
    struct Before(Option<*const Awaited<'static>>);
    impl Drop for Before {
        fn drop(&mut self) {
            AWAITED.set(self.0);
        }
    }
    // SAFETY: only the lifetime changes; the pointer is followed only while `body` runs or is paused: `Before` takes it away.
    let pointer = unsafe { std::mem::transmute::<*const Awaited<'_>, *const Awaited<'static>>(awaited) };
    let _before = Before(AWAITED.replace(Some(pointer)));
    body()
}

/// What the calling thread waits for, as far as it said.
pub fn awaited(visit: &mut dyn FnMut(&Arc<dyn AnySlot>)) {
    if let Some(awaited) = AWAITED.get() {
        // SAFETY: `awaiting` set it, below on this very stack, and takes it away before it goes.
        unsafe { (*awaited)(visit) };
    }
}

/// Visits each fiber of this thread that is paused: the task, its actor, and the way to what it waits for.
pub fn each_paused(mut visit: impl FnMut(&Header, Option<&str>, &Awaited<'_>)) {
    PAUSED.with_borrow(|paused| {
        for note in paused.iter().flatten() {
            if note.context.is_null() {
                continue;
            }
            // SAFETY: the fiber is paused while its note is here, so its stack stands still, and only this thread resumes it.
            let context = unsafe { &*note.context };
            let nothing: &Awaited<'_> = &|_| {};
            // SAFETY: as above.
            let awaited = note.awaited.map_or(nothing, |awaited| unsafe { &*awaited });
            visit(context.header, context.actor, awaited);
        }
    });
}

/// Strikes out the note of a fiber that goes on, and makes its context the current one again.
pub struct Paused {
    slot: usize,
    context: *const Context<'static>,
    awaited: Option<*const Awaited<'static>>,
}

impl Drop for Paused {
    fn drop(&mut self) {
        PAUSED.with_borrow_mut(|paused| paused[self.slot] = None);
        CURRENT.set(self.context);
        AWAITED.set(self.awaited);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl<'a> Context<'a> {
    /// Of a task.
    pub fn of_task(header: &'a Header, grant: &'a Grant) -> Context<'a> {
        Context { header, gpus: &grant.gpus, actor: None, bundle: grant.bundle, account: None, number: Cell::new(0) }
    }

    /// Of a call of an actor.
    pub fn of_call(header: &'a Header, gpus: &'a [(u32, i64)], actor: &'a str) -> Context<'a> {
        Context { header, gpus, actor: Some(actor), bundle: None, account: None, number: Cell::new(0) }
    }

    /// The same; the arrays that it makes go on `account`.
    pub fn on_account(self, account: Option<&'a Arc<Account>>) -> Context<'a> {
        Context { account, ..self }
    }

    /// Makes it the current one until what is returned is dropped; both stay in the same block.
    #[must_use]
    pub fn enter(&self) -> Running {
        Running(CURRENT.replace(std::ptr::from_ref(self).cast()))
    }
}

/// The current context, put aside while the fiber pauses that will lie in `slot`.
pub fn put_aside(slot: usize) -> Paused {
    let (context, awaited) = (CURRENT.get(), AWAITED.get());
    PAUSED.with_borrow_mut(|paused| {
        if paused.len() <= slot {
            paused.resize(slot + 1, None);
        }
        paused[slot] = Some(Note { context, awaited });
    });
    // What runs next on this thread, on a stack of its own, is no task yet and waits for nothing. Were it left with this
    // context, it would come back to it after a pause of its own, when this fiber's task may be over and its stack another's.
    CURRENT.set(std::ptr::null());
    AWAITED.set(None);
    Paused { slot, context, awaited }
}

/// What a task may know of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The function's name.
    pub task: Option<String>,
    /// The actor's label.
    pub actor: Option<String>,
    /// CPUs asked for.
    pub cpus: f64,
    /// GPUs given.
    pub gpus: Vec<u32>,
    /// The worker whose thread it is; the number past the last for a driver's.
    pub worker: u32,
}

fn with_current<R>(body: impl FnOnce(Option<&Context<'_>>) -> R) -> R {
    let pointer = CURRENT.get();
    // SAFETY: `enter` set it to a context on this very stack, and the guard beside it resets it before the context goes;
    // the reference does not leave this function.
    body((!pointer.is_null()).then(|| unsafe { &*pointer }))
}

/// What runs on this thread.
pub fn snapshot() -> Snapshot {
    let worker = worker::here().map(|worker| worker.shared.index as u32);
    let worker = worker.unwrap_or_else(|| Runtime::current().map_or(0, |runtime| runtime.workers().len() as u32));
    with_current(|current| {
        let Some(context) = current else { return Snapshot { worker, ..Snapshot::default() } };
        let asked = context.header.options.as_ref().and_then(|options| options.num_cpus).map(fixed_of);
        let default = if context.actor.is_some() { 0 } else { UNIT };
        Snapshot {
            task: Some(context.header.name().to_string()),
            actor: context.actor.map(str::to_string),
            cpus: amount_of(asked.unwrap_or(default)),
            gpus: context.gpus.iter().map(|(gpu, _)| *gpu).collect(),
            worker,
        }
    })
}

/// The number of the task that runs on this thread, 0 for a driver.
pub fn current_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Asked for once: it is a system call.
    static PROCESS: LazyLock<u64> = LazyLock::new(|| u64::from(std::process::id()));
    with_current(|current| {
        current.map_or(0, |context| {
            if context.number.get() == 0 {
                // The process tells tasks of two ranks apart.
                context.number.set(*PROCESS << 40 | NEXT.fetch_add(1, Ordering::Relaxed));
            }
            context.number.get()
        })
    })
}

/// Whether the task that runs on this thread was asked to end; its name.
pub fn cancelled() -> Option<String> {
    with_current(|current| {
        let unwanted = |header: &Header| {
            header.is_cancelled()
                || Runtime::current().is_some_and(|runtime| runtime.protocol.unwanted.contains(header.origin))
        };
        current.filter(|context| unwanted(context.header)).map(|context| context.header.name().to_string())
    })
}

/// The place in a placement group, and the CPUs of it, that the task on this thread has; an actor keeps its own while it waits.
pub fn seat() -> Option<(Seat, i64)> {
    with_current(|current| current.and_then(|context| context.bundle))
}

/// The function of the task that runs on this thread.
pub fn function() -> Option<&'static str> {
    with_current(|current| current?.header.entry.map(|entry| entry.name))
}

/// The account of the task that runs on this thread.
pub fn account() -> Option<Arc<Account>> {
    with_current(|current| current?.account.cloned())
}

/// Whether a task runs on this thread.
pub fn in_task() -> bool {
    !CURRENT.get().is_null()
}

/// The name of the task that runs on this thread; for the fault handler it takes no lock and allocates nothing.
pub fn with_name<R>(body: impl FnOnce(&str) -> R) -> R {
    with_current(|current| body(current.map_or("", |context| context.header.name())))
}

/// Panics of tasks are kept for their error instead of printed; others go on to the hook that was there.
pub fn install_panic_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if in_task() {
                let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
                PANIC_PLACE.set(place);
            } else {
                before(info);
            }
        }));
    });
}

/// Where the last panic on this thread was; asked once.
pub fn panic_place() -> Option<String> {
    PANIC_PLACE.take()
}

/// The number in pictures of the task that runs on this thread, 0 for a driver or one that is not recorded.
pub fn trace_number() -> u64 {
    with_current(|current| current.map_or(0, |context| context.header.number.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_while_a_task_is_paused_is_not_that_task() {
        let (paused, other) = (Header::new(None, 0), Header::new(None, 0));
        let grant = Grant { gpus: Vec::new(), custom: Vec::new(), bundle: None };
        let context = Context::of_task(&paused, &grant);
        let running = context.enter();
        let number = current_number();
        let aside = put_aside(0);
        assert!(!in_task());
        {
            let context = Context::of_task(&other, &grant);
            let _running = context.enter();
            assert_ne!(current_number(), number);
        }
        assert!(!in_task(), "the other's end brought it back");
        drop(aside);
        assert_eq!(current_number(), number);
        drop(running);
        assert!(!in_task());
    }
}
