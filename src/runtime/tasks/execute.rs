//! Runs a task on the stack of a worker or a driver, if the host has the resources for it.

use crate::base::Error;
use crate::base::arc_pool::Recycled;
use crate::base::forked::{is_forked, leave_forked};
use crate::base::limits::FAILURE_BYTES_MAX;
use crate::base::panic::Panic;
use crate::base::text::cut;
use crate::protocol::{WorkId, request_of};
use crate::registry::{ActorState, Failure, Runnable, TaskPhase};
use crate::runtime::memory::Quota;
use crate::runtime::resources::queue_for_resources;
use crate::runtime::tasks::context::TaskContext;
use crate::runtime::tasks::panics::take_panic_site;
use crate::runtime::workers::Work;
use crate::runtime::workers::worker::Worker;
use crate::runtime::{Runtime, actors, membership, output};
use crate::scheduling::{Grant, ResourceRequest, UNIT};
use std::cell::Cell;
use std::sync::{Arc, OnceLock};

/// The grant of a task that requested only CPUs of the host.
pub static NO_GRANT: Grant = Grant { gpus: Vec::new(), custom: Vec::new(), bundle: None };

/// Runs a unit of work on the calling worker's fiber, if the host has the resources now.
pub fn execute(runtime: &'static Runtime, worker: &'static Worker, work: Work) {
    match work {
        Work::Actor(actor) => {
            if worker.take_cpu(0) {
                worker.shared.count_begun(None);
                actors::run_actor(runtime, worker, &actor);
            }
        }
        Work::Task(task) => execute_task(runtime, worker, &Recycled::new(task)),
    }
}

fn execute_task(runtime: &'static Runtime, worker: &'static Worker, task: &Arc<dyn Runnable>) {
    let header = task.header();
    if header.phase() != TaskPhase::Queued {
        // A waiter ran it in place, or it was cancelled.
        return;
    }
    let Some(options) = &header.options else {
        if !worker.take_cpu(UNIT) {
            return queue_for_resources(runtime, ResourceRequest::one_cpu(), Work::Task(task.clone()));
        }
        if header.claim() {
            worker.shared.count_begun(header.entry);
            let before = worker.running_cpu.replace(UNIT);
            run_claimed(runtime, task, &NO_GRANT, Some(worker));
            worker.running_cpu.replace(before);
        }
        return;
    };
    let request = request_of(options);
    let grant = runtime.resources.table.take_non_cpu(&request);
    let Some(grant) = grant else { return queue_for_resources(runtime, request, Work::Task(task.clone())) };
    if !worker.take_cpu(request.cpu) {
        runtime.give_back(&grant);
        return queue_for_resources(runtime, request, Work::Task(task.clone()));
    }
    if header.claim() {
        worker.shared.count_begun(header.entry);
        let before = worker.running_cpu.replace(request.cpu);
        let _own_cores = worker.switch_back_later();
        worker.replace_cores(worker.take_cores(&request));
        if let Some((slot, cpu)) = grant.bundle {
            worker.shared.cpus.hold_part(slot, cpu);
        }
        run_claimed(runtime, task, &grant, Some(worker));
        if grant.bundle.is_some() {
            worker.shared.cpus.withdraw_part(runtime);
        }
        worker.running_cpu.replace(before);
    }
    worker.release_cpu(UNIT);
    runtime.give_back(&grant);
}

/// Runs a task that the caller has claimed, on this stack.
pub fn run_claimed(
    runtime: &'static Runtime,
    task: &Arc<dyn Runnable>,
    grant: &Grant,
    worker: Option<&'static Worker>,
) {
    let header = task.header();
    if header.origin.is_some() {
        return run_for_owner(runtime, task, grant, worker);
    }
    let quota = Quota::of(header);
    let context = TaskContext::of_task(task, grant, quota.as_ref());
    run_body(runtime, task, &context, worker, &mut None);
}

/// Runs a task that came from another rank, which gets its results.
fn run_for_owner(runtime: &'static Runtime, task: &Arc<dyn Runnable>, grant: &Grant, worker: Option<&'static Worker>) {
    let header = task.header();
    if runtime.protocol.tasks.cancelled.contains(header.origin) {
        task.fail(Arc::new(Error::Cancelled { task: header.name().to_string() }));
        return runtime.protocol.tasks.on_finished(&runtime, task);
    }
    let quota = Quota::of(header);
    let context = TaskContext::of_task(task, grant, quota.as_ref());
    // Its owner is to know of it if it ends this rank.
    let _begun = header.origin.map(|id| {
        let function = header.entry.map_or(0, |entry| entry.key);
        membership::begin(runtime, worker, WorkId::Task(id), function, context.number())
    });
    run_body(runtime, task, &context, worker, &mut None);
    runtime.protocol.tasks.on_finished(&runtime, task);
}

/// What forgets, at the end of a task, what the C interface keeps for it.
static FORGET: OnceLock<fn()> = OnceLock::new();

/// From now on `forget` is called at the end of each task, in its context.
pub fn at_end_of_tasks(forget: fn()) {
    let _ = FORGET.set(forget);
}

/// Runs the body of a claimed task or call in its context, and records that it ran.
#[inline(always)]
pub fn run_body(
    runtime: &'static Runtime,
    task: &Arc<dyn Runnable>,
    context: &TaskContext<'_>,
    worker: Option<&Worker>,
    state: &mut ActorState,
) {
    let header = context.header;
    let printing = output::printing(runtime, header);
    let began = runtime.output.traces.begin(header);
    {
        let _running = context.enter();
        invoke(runtime, task, state);
        if let Some(forget) = FORGET.get() {
            forget();
        }
    }
    if is_forked() {
        leave_forked();
    }
    drop(printing);
    if let Some(began) = began {
        runtime.output.traces.record_run(runtime.cluster.rank, header, began, worker);
    }
}

/// Turns a failure of a task's body into the error that its results hold.
#[cold]
fn to_error(runtime: &'static Runtime, name: &str, failure: Failure) -> Error {
    let message = match failure {
        Failure::Passed(error) => return error,
        Failure::Message(message) => message,
        Failure::Panic(panic) => match take_panic_site().describe(panic) {
            Ok(message) => message,
            Err(error) => return error,
        },
    };
    Error::Task {
        task: name.to_string(),
        rank: runtime.cluster.rank,
        host: runtime.cluster.host.clone(),
        pid: std::process::id(),
        message: cut(message, FAILURE_BYTES_MAX),
    }
}

/// Runs the body of a task and completes its results; a failure that began in it is reported to the driver afterwards.
#[inline]
fn invoke(runtime: &'static Runtime, task: &Arc<dyn Runnable>, state: &mut ActorState) {
    let is_own = Cell::new(false);
    let failed = task.invoke(state, &|failure| {
        is_own.set(begins_here(&failure));
        to_error(runtime, task.header().name(), failure)
    });
    if let Some(error) = failed.filter(|_| is_own.get()) {
        runtime.report((*error).clone());
    }
}

/// False if the failure was passed on from another task.
fn begins_here(failure: &Failure) -> bool {
    !matches!(failure, Failure::Passed(_) | Failure::Panic(Panic::Error(_)))
}

/// The error of a leaf function that failed; one that began in it is reported to the driver.
#[cold]
pub fn leaf_error(runtime: &'static Runtime, name: &str, failure: Failure) -> Error {
    let is_own = begins_here(&failure);
    let error = to_error(runtime, name, failure);
    if is_own {
        runtime.report(error.clone());
    }
    error
}
