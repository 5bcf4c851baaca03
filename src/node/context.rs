//! What runs on this thread: for `context()`, for the order of an actor's calls, and for the place of a panic.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicU64, Ordering};
use crate::node::notes::Account;
use crate::node::{Node, worker};
use crate::registry::Header;
use crate::sched::{UNIT, amount_of, fixed_of};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// A task or actor call that runs on this stack. It lives on the stack of who runs it, and is reached through a
/// thread-local pointer while it does; a fiber that pauses takes its own aside and puts it back.
pub struct Context<'a> {
    header: &'a Header,
    gpus: &'a [(u32, i64)],
    actor: Option<&'a str>,
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

impl Drop for Running {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl<'a> Context<'a> {
    /// Of a task.
    pub fn of_task(header: &'a Header, gpus: &'a [(u32, i64)]) -> Context<'a> {
        Context { header, gpus, actor: None, account: None, number: Cell::new(0) }
    }

    /// Of a call of an actor.
    pub fn of_call(header: &'a Header, gpus: &'a [(u32, i64)], actor: &'a str) -> Context<'a> {
        Context { header, gpus, actor: Some(actor), account: None, number: Cell::new(0) }
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

/// The current context, put aside while the fiber pauses.
pub fn put_aside() -> Running {
    Running(CURRENT.get())
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
    let worker = worker.unwrap_or_else(|| Node::current().map_or(0, |node| node.workers().len() as u32));
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
    with_current(|current| {
        current.map_or(0, |context| {
            if context.number.get() == 0 {
                // The process tells tasks of two ranks apart.
                context.number.set(u64::from(std::process::id()) << 40 | NEXT.fetch_add(1, Ordering::Relaxed));
            }
            context.number.get()
        })
    })
}

/// Whether the task that runs on this thread was asked to end; its name.
pub fn cancelled() -> Option<String> {
    with_current(|current| {
        let unwanted = |header: &Header| {
            header.is_cancelled() || Node::current().is_some_and(|node| node.unwanted.contains(header.origin))
        };
        current.filter(|context| unwanted(context.header)).map(|context| context.header.name().to_string())
    })
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
