//! A task is launched: here, on the rank that its options name, or on the one that has its arguments.

use crate::base::{Error, Rank};
use crate::objects::AnySlot;
use crate::registry::{ArgList, CallOptions, Callable, Options, Outputs, Runnable, Task, TaskHeader, refuse_in_leaf};
use crate::rpc::PlainBytes;
use crate::runtime::memory::{self};
use crate::runtime::tasks::context::{self};
use crate::runtime::tasks::dependencies::launch_after_references;
use crate::runtime::workers::Work;
use crate::runtime::workers::worker::{self};
use crate::runtime::{Runtime, resources, router};
use crate::scheduling::UNIT;
use std::sync::Arc;

/// Creates a task of `C` and launches it; without a cluster, its results hold the error that says so.
pub fn submit<C: Callable>(options: CallOptions, args: C::Args) -> <C::Outputs as Outputs>::Refs {
    if let Some(rank) = options.only_rank()
        && let Some(runtime) = Runtime::current().filter(|runtime| runtime.may_send_short(rank))
    {
        let mut plain = PlainBytes::new();
        if args.push_plain(&mut plain) {
            return submit_short::<C>(runtime, rank, args, &plain);
        }
    }
    submit_with::<C>(options.into_box(), args)
}

/// As `submit`, for a function and a call without options.
pub fn submit_plain<C: Callable>(args: C::Args) -> <C::Outputs as Outputs>::Refs {
    submit_with::<C>(None, args)
}

#[inline]
fn submit_with<C: Callable>(options: Option<Box<Options>>, args: C::Args) -> <C::Outputs as Outputs>::Refs {
    let task = Task::<C>::new(TaskHeader::new(options, context::current_number()), args);
    let refs = C::Outputs::refs(&task);
    match Runtime::current() {
        Some(runtime) => {
            if runtime.memory.is_under_pressure() {
                memory::delay_submission(runtime);
            }
            match task.check_args() {
                Ok(()) => runtime.launch(task),
                Err(error) => task.fail(Arc::new(error)),
            }
        }
        None => task.fail(Arc::new(Error::no_cluster(C::ENTRY.name))),
    }
    refs
}

/// Creates a task of `C`, and sends it to `rank` by the short path: `plain` are its arguments.
fn submit_short<C: Callable>(
    runtime: &'static Runtime,
    rank: Rank,
    args: C::Args,
    plain: &PlainBytes,
) -> <C::Outputs as Outputs>::Refs {
    // No options: they would say the rank, which has no further effect.
    let task = Task::<C>::new(TaskHeader::new(None, 0), args);
    let refs = C::Outputs::refs(&task);
    if let Err(error) = refuse_in_leaf(C::NAME) {
        task.fail(Arc::new(error));
        return refs;
    }
    if runtime.memory.is_under_pressure() {
        memory::delay_submission(runtime);
    }
    let task: Arc<dyn Runnable> = task;
    runtime.output.traces.record_submission(runtime, &task);
    if task.header().claim_waiting() {
        runtime.protocol.tasks.send_short(&runtime, task, rank, None, plain);
        router::throttle(runtime, rank);
    }
    refs
}

impl Runtime {
    /// True if calls that are placed on `rank` may be sent there by the short path.
    fn may_send_short(&self, rank: Rank) -> bool {
        self.protocol.tasks.allows_short
            && rank < self.cluster.size
            && rank != self.cluster.rank
            && self.cluster.totals_of(rank).cpu >= UNIT
    }

    /// Launches a task that was submitted here.
    #[inline]
    pub fn launch(&'static self, task: Arc<dyn Runnable>) {
        self.output.traces.record_submission(self, &task);
        let header = task.header();
        if header.options.is_some() {
            launch_with_options(self, task);
        } else if task.all_values() {
            header.queue_fresh();
            self.push_plain(task);
        } else if self.protocol.objects.has_unmapped_stores() {
            launch_with_options(self, task);
        } else {
            launch_after_references(self, task);
        }
    }

    /// Queues a task of this rank that has no options.
    pub fn push_plain(&'static self, task: Arc<dyn Runnable>) {
        match worker::here() {
            Some(worker) => {
                // A worker that received it from a transport while idle runs it.
                let is_direct = worker.accepts_directly();
                worker.shared.queue.push(Work::Task(task));
                if is_direct {
                    return;
                }
            }
            None => self.workers.queues.shared.push(Work::Task(task)),
        }
        self.workers.wake_one();
        if self.protocol.stealing.has_stealers() {
            self.protocol.stealing.serve_stealers(&self);
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
            Some(worker) if worker.accepts_directly() => return worker.shared.queue.push(work),
            _ if zero_cpu => self.workers.queues.zero_cpu.push(work),
            Some(worker) if stealable => worker.shared.queue.push(work),
            None if stealable => self.workers.queues.shared.push(work),
            _ => self.workers.queues.local.push(work),
        }
        self.workers.wake_one();
        if stealable && self.protocol.stealing.has_stealers() {
            self.protocol.stealing.serve_stealers(&self);
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
