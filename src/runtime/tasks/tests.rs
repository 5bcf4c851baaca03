//! A task for tests of contexts.

use crate::registry::{ActorState, Callable, Failure, FunctionKind, Runnable, Single, Task, TaskHeader};
use crate::runtime::tasks::context::{Snapshot, TaskContext};
use crate::runtime::tasks::execute::NO_GRANT;
use std::sync::Arc;

struct Nothing;

impl Callable for Nothing {
    type Args = ();
    type Outputs = Single<()>;
    const NAME: &'static str = "nothing";
    const PATH: &'static str = "tests::nothing";
    const SIGNATURE: &'static str = "fn nothing()";
    const KIND: FunctionKind = FunctionKind::Task;
    fn invoke((): (), _: &mut ActorState) -> Result<(), Failure> {
        Ok(())
    }
}

/// A task that does nothing.
pub fn task() -> Arc<dyn Runnable> {
    Task::<Nothing>::new(TaskHeader::new(None, 0), ())
}

/// The snapshot of a task that has ended, and the task's number.
pub fn ended_task() -> (Snapshot, u64) {
    let task = task();
    let snapshot = TaskContext::of_task(&task, &NO_GRANT, None).snapshot();
    let number = snapshot.identity.as_ref().map_or(0, |identity| identity.number);
    (snapshot, number)
}
