//! The life of a task on this rank: launched, queued, admitted, run, finished.

use crate::base::{Error, Rank, clock};
use crate::objects::AnySlot;
use crate::protocol::request_of;
use crate::registry::{ActorState, Callable, Failure, Options, Outputs, Runnable, Task, TaskHeader, TaskPhase};
use crate::runtime::memory::{self, Quota};
use crate::runtime::tasks::context::{self, TaskContext};
use crate::runtime::workers::Work;
use crate::runtime::workers::worker::{self, Worker};
use crate::runtime::{Runtime, actors, output, resources, router};
use crate::scheduling::{Grant, ResourceRequest, UNIT};
use std::sync::Arc;

/// The grant of a task that requested only CPUs of the host.
pub static NO_GRANT: Grant = Grant { gpus: Vec::new(), custom: Vec::new(), bundle: None };

/// Creates a task of `C` and launches it; without a cluster, its results hold the error that says so.
pub fn submit<C: Callable>(options: Options, args: C::Args) -> <C::Outputs as Outputs>::Refs {
    let defaults = C::options();
    let options = match (options.is_unset(), defaults.is_unset()) {
        (true, true) => None,
        (false, true) => Some(Box::new(options)),
        _ => Some(Box::new(options.or_defaults(defaults))),
    };
    let task = Task::<C>::new(TaskHeader::new(options, context::current_number()), args);
    let refs = task.refs();
    match Runtime::current() {
        Some(runtime) => {
            if runtime.memory.is_under_pressure() {
                memory::delay_submission(runtime);
            }
            runtime.launch(task);
        }
        None => task.fail(Arc::new(Error::no_cluster(C::ENTRY.name))),
    }
    refs
}

impl Runtime {
    /// Launches a task that was submitted here.
    #[inline]
    pub fn launch(&'static self, task: Arc<dyn Runnable>) {
        self.output.traces().record_submission(self, &task);
        let header = task.header();
        if header.options.is_none() && task.all_values() {
            header.queue_fresh();
            self.push(Work::Task(task));
        } else {
            launch_with_options(self, task);
        }
    }

    /// Queues work for the workers.
    pub fn push(&'static self, work: Work) {
        let (stealable, zero_cpu) = match &work {
            Work::Task(task) => {
                let header = task.header();
                let options = header.options.as_ref();
                // Of the host's own CPUs: a bundle's CPUs are no longer the host's.
                let zero_cpu =
                    options.is_some_and(|options| options.num_cpus == Some(0.0) || options.bundle_slot().is_some());
                (header.stealable && options.is_none_or(|options| options.is_free()), zero_cpu)
            }
            Work::Actor(_) => (false, true),
        };
        match worker::here() {
            // A worker that received it from a transport while idle runs it.
            Some(worker) if worker.accepts_directly() => return worker.deque.push(work),
            _ if zero_cpu => self.workers.queues().push_zero_cpu(work),
            Some(worker) if stealable => worker.deque.push(work),
            None if stealable => self.workers.queues().push_shared(work),
            _ => self.workers.queues().push_local(work),
        }
        self.workers.wake_one();
        if stealable && self.protocol.stealing.has_stealers() {
            self.protocol.stealing.serve_stealers(&self);
        }
    }

    /// Admits work that waits for resources which may be free now. While some still waits, this rank is flagged in the
    /// table, and resources that were given back before the flag was visible are found by one more check after it.
    pub fn readmit_pending(&'static self) {
        if self.workers.any_fiber_waits_for_cpu() {
            self.resources.table().set_waiting();
            if self.resources.table().free_cpu() > 0 {
                self.workers.list().iter().for_each(|worker| worker.unpark());
            }
        }
        if self.protocol.stealing.has_stealers() {
            self.protocol.stealing.serve_stealers(&self);
        }
        while self.workers.queues().pending_count() > 0 {
            self.resources.table().set_waiting();
            let admitted = self.workers.queues().take_admissible(|request| self.resources.table().fits(request));
            if admitted.is_empty() {
                return;
            }
            for work in admitted {
                self.workers.queues().push_local(work);
                self.workers.wake_one();
            }
        }
    }

    /// CPUs are free again.
    pub fn give_back_cpu(&'static self, amount: i64) {
        self.resources.table().give_cpu(amount);
        self.resources_freed();
    }

    /// Resources other than CPUs are free again.
    pub fn give_back(&'static self, grant: &Grant) {
        self.resources.table().give_non_cpu(grant);
        self.resources_freed();
    }

    pub fn resources_freed(&'static self) {
        if self.resources.table().notify_ranks() {
            self.readmit_pending();
        }
    }
}

#[cold]
fn launch_with_options(runtime: &'static Runtime, task: Arc<dyn Runnable>) {
    if let Some(options) = &task.header().options {
        if let Some(rank) = options.just_rank()
            && rank < runtime.cluster.size
            && rank != runtime.cluster.rank
            && runtime.cluster.totals_of(rank).cpu >= UNIT
        {
            // The shortest path.
            return launch_on(runtime, task, rank);
        }
        match resources::choose_rank(runtime, options, task.header().name()) {
            Ok(Some(rank)) if rank != runtime.cluster.rank => return launch_on(runtime, task, rank),
            // A retry needs its arguments a second time.
            Ok(_) if options.retry_on_error == Some(true) => return launch_on(runtime, task, runtime.cluster.rank),
            // A task that was placed here stays here: a stealer that fits would move it.
            Ok(_) => {}
            Err(error) => return runtime.protocol.tasks.fail(&runtime, &task, error),
        }
    }
    if task.header().options.as_deref().is_none_or(Options::is_free)
        && let Some(rank) = resources::preferred_rank(runtime, &task)
    {
        return resources::launch_after_arguments(runtime, task, rank);
    }
    launch_here(runtime, task);
}

/// Launches a task on this rank, or on one that steals it, once its arguments are there.
pub fn launch_here(runtime: &'static Runtime, task: Arc<dyn Runnable>) {
    runtime.protocol.tasks.launch_here(&runtime, task);
}

/// Sends a task of this rank to another.
pub fn launch_on(runtime: &'static Runtime, task: Arc<dyn Runnable>, to: Rank) {
    if task.header().claim_waiting() {
        runtime.protocol.tasks.send(&runtime, &task, to, None);
        router::throttle(runtime, to);
    }
}

/// Cancels the task behind `slot`.
pub fn cancel(runtime: &'static Runtime, slot: Arc<dyn AnySlot>) {
    runtime.protocol.tasks.cancel(&runtime, slot);
}

/// A task has finished: ranks that wait for it are notified.
pub fn on_finished(runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
    runtime.protocol.tasks.on_finished(&runtime, task);
}

/// Runs a unit of work on the calling worker's fiber, if the host has the resources now.
pub fn execute(runtime: &'static Runtime, worker: &'static Worker, work: Work) {
    match work {
        Work::Actor(actor) => {
            if worker.take_cpu(0) {
                worker.count_begun(None);
                actors::run_actor(runtime, &actor);
            }
        }
        Work::Task(task) => execute_task(runtime, worker, task),
    }
}

fn execute_task(runtime: &'static Runtime, worker: &'static Worker, task: Arc<dyn Runnable>) {
    let header = task.header();
    if header.phase() != TaskPhase::Queued {
        // A waiter ran it in place, or it was cancelled.
        return;
    }
    let Some(options) = &header.options else {
        if !worker.take_cpu(UNIT) {
            return queue_for_resources(runtime, ResourceRequest::one_cpu(), Work::Task(task));
        }
        if header.claim() {
            worker.count_begun(header.entry);
            let before = worker.set_running_cpu(UNIT);
            run_claimed(runtime, &task, &NO_GRANT, Some(worker));
            worker.set_running_cpu(before);
        }
        return;
    };
    let request = request_of(options);
    let grant = runtime.resources.table().take_non_cpu(&request);
    let Some(grant) = grant else { return queue_for_resources(runtime, request, Work::Task(task)) };
    if !worker.take_cpu(request.cpu) {
        runtime.give_back(&grant);
        return queue_for_resources(runtime, request, Work::Task(task));
    }
    if header.claim() {
        worker.count_begun(header.entry);
        let before = worker.set_running_cpu(request.cpu);
        run_claimed(runtime, &task, &grant, Some(worker));
        worker.set_running_cpu(before);
    }
    worker.release_cpu(UNIT);
    runtime.give_back(&grant);
}

/// Queues work until resources are given back; checks once more, because they may have been meanwhile.
pub fn queue_for_resources(runtime: &'static Runtime, request: ResourceRequest, work: Work) {
    if resources::fail_without_slot(runtime, &request, &work) {
        return;
    }
    runtime.workers.queues().push_pending_resources(request, work);
    runtime.readmit_pending();
}

/// Runs a task that the caller has claimed, on this stack.
pub fn run_claimed(
    runtime: &'static Runtime,
    task: &Arc<dyn Runnable>,
    grant: &Grant,
    worker: Option<&'static Worker>,
) {
    if runtime.protocol.tasks.cancelled.contains(task.header().origin) {
        task.fail(Arc::new(Error::Cancelled { task: task.header().name().to_string() }));
        return on_finished(runtime, task);
    }
    let printing = output::printing(runtime, task.header());
    let began_ns = runtime.output.traces().is_recorded(task).then(clock::now_ns);
    {
        let account = Quota::of(task.header());
        let context = TaskContext::of_task(task.header(), grant).with_quota(account.as_ref());
        let _running = context.enter();
        task.invoke(&mut None as &mut ActorState, &|failure| to_error(runtime, task.header(), failure));
    }
    drop(printing);
    if let Some(began_ns) = began_ns {
        runtime.output.traces().record_run(
            runtime,
            task,
            began_ns,
            worker.map_or(u32::MAX, |worker| worker.shared.index as u32),
        );
    }
    on_finished(runtime, task);
}

/// Turns a failure of a task's body into the error that its results hold, and reports it to the driver.
pub fn to_error(runtime: &'static Runtime, header: &TaskHeader, failure: Failure) -> Error {
    let message = match failure {
        Failure::Passed(error) => return error,
        Failure::Message(message) => message,
        Failure::Panic(message) => context::take_panic_location()
            .map_or_else(|| message.clone(), |location| format!("panicked at {location}: {message}")),
    };
    let error = Error::Task {
        task: header.name().to_string(),
        rank: runtime.cluster.rank,
        host: runtime.cluster.host.clone(),
        pid: std::process::id(),
        message,
    };
    runtime.report(error.clone());
    error
}
