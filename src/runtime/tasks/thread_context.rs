//! The context of a task on threads that are not workers: those that the task started.
//!
//! Such a thread does not know its task: neither std nor any library tells who started it. So it takes on the task's
//! context when the user says so, or because it is of a pool that the task has. From then on `context()`, the parent of
//! tasks, the order of calls, cancellation and the quota of memory are those of the task. The task may end meanwhile:
//! what the thread keeps is a copy.

use crate::base::sync::lock;
use crate::runtime::tasks::context::{self, Snapshot};
use crate::runtime::workers::worker;
use crate::runtime::{Runtime, output};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

/// The context that one or more threads have, while they have one.
#[derive(Default)]
pub struct ThreadContext(Mutex<Option<Arc<Snapshot>>>);

impl ThreadContext {
    /// Changes it for all of these threads.
    pub fn set(&self, snapshot: Option<Arc<Snapshot>>) {
        let _before = std::mem::replace(&mut *lock(&self.0), snapshot);
    }
}

thread_local! {
    static OF_THREAD: RefCell<Option<Arc<ThreadContext>>> = const { RefCell::new(None) };
}

/// What this thread has taken on.
pub fn entered() -> Option<Arc<Snapshot>> {
    // A thread that ends has none.
    OF_THREAD.try_with(|of_thread| of_thread.borrow().as_ref().and_then(|shared| lock(&shared.0).clone())).ok()?
}

/// Replaces what this thread has taken on.
fn replace(shared: Option<Arc<ThreadContext>>) -> Option<Arc<ThreadContext>> {
    context::set_entered(shared.is_some());
    OF_THREAD.try_with(|of_thread| of_thread.replace(shared)).ok().flatten()
}

/// This thread takes on `shared` until it ends.
pub fn enter_for_good(shared: Arc<ThreadContext>) {
    replace(Some(shared));
}

/// A thread that has the context of a task until this is dropped: what [`Context::enter`](crate::Context::enter)
/// returns.
#[must_use = "the thread has the context until this is dropped"]
pub struct EnteredContext {
    /// What it replaced; `None` if it replaced nothing, since the thread runs a task of its own.
    before: Option<Option<Arc<ThreadContext>>>,
    snapshot: Arc<Snapshot>,
    /// It stays on its thread.
    of_thread: PhantomData<*const ()>,
}

/// This thread takes on the context of `snapshot`.
pub fn enter(snapshot: Arc<Snapshot>) -> EnteredContext {
    let is_free = worker::here().is_none() && !context::runs_task() && snapshot.identity.is_some();
    let before = is_free.then(|| {
        if let (Some(runtime), Some(identity)) = (Runtime::current(), &snapshot.identity) {
            output::mark_printing(runtime, identity.entry);
        }
        replace(Some(Arc::new(ThreadContext(Mutex::new(Some(snapshot.clone()))))))
    });
    EnteredContext { before, snapshot, of_thread: PhantomData }
}

impl Drop for EnteredContext {
    fn drop(&mut self) {
        let Some(before) = self.before.take() else { return };
        if let (Some(runtime), Some(task)) = (Runtime::current(), &self.snapshot.task) {
            output::send_printed(runtime, task);
        }
        replace(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tasks::context::TaskContext;
    use crate::runtime::tasks::execute::NO_GRANT;
    use crate::runtime::tasks::tests::{ended_task, task};

    #[test]
    fn thread_has_the_context_while_it_is_entered() {
        let (snapshot, number) = ended_task();
        assert!(!context::in_task());
        {
            let _entered = enter(Arc::new(snapshot));
            assert_eq!((context::current_number(), context::snapshot().task.as_deref()), (number, Some("nothing")));
            assert!(context::in_task() && !context::runs_task() && context::cancelled().is_none());
            assert!(std::thread::spawn(|| !context::in_task()).join().is_ok_and(|has_none| has_none));
        }
        assert!(!context::in_task());
    }

    #[test]
    fn contexts_nest_and_a_task_on_the_thread_has_its_own() {
        let ((outer, outer_number), (inner, inner_number)) = (ended_task(), ended_task());
        let first = enter(Arc::new(outer.clone()));
        let second = enter(Arc::new(inner));
        assert_eq!(context::current_number(), inner_number);
        {
            let task = task();
            let context = TaskContext::of_task(&task, &NO_GRANT, None);
            let _running = context.enter();
            let _ignored = enter(Arc::new(outer));
            assert!(context::runs_task() && ![outer_number, inner_number].contains(&context::current_number()));
        }
        assert_eq!(context::current_number(), inner_number);
        drop(second);
        assert_eq!(context::current_number(), outer_number);
        drop(first);
        assert_eq!(context::current_number(), 0);
    }

    /// A guard that outlives the one below it, or is dropped while a task runs on the thread, frees what others use.
    #[test]
    fn guards_dropped_in_any_order_leave_no_dangling_context() {
        let ((outer, _), (inner, _)) = (ended_task(), ended_task());
        let (first, second) = (enter(Arc::new(outer.clone())), enter(Arc::new(inner)));
        drop(first);
        assert_eq!(context::current_number(), 0);
        drop(second);
        context::current_number();
        replace(None);

        let entered = enter(Arc::new(outer));
        let (snapshot, number) = {
            let task = task();
            let context = TaskContext::of_task(&task, &NO_GRANT, None);
            let _running = context.enter();
            drop(entered);
            (context::snapshot(), context::current_number())
        };
        assert_eq!(snapshot.identity.map(|identity| identity.number), Some(number));
        assert_eq!(context::current_number(), 0);
        replace(None);
        assert!(!context::in_task());
    }
}
