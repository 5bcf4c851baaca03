//! The life of a task on this rank: launched, queued, admitted, run, over.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank, clock};
use crate::objects::AnySlot;
use crate::protocol::request_of;
use crate::registry::{Callable, Failure, Header, Options, Outputs, Phase, Runnable, State, Task};
use crate::runtime::Runtime;
use crate::runtime::context::{self, Context};
use crate::runtime::notes::Account;
use crate::runtime::queues::Work;
use crate::runtime::worker::{self, Worker};
use crate::scheduling::{Grant, Request, UNIT};
use std::sync::Arc;

/// What a task has that asked for CPUs of the host alone.
pub(super) static NOTHING: Grant = Grant { gpus: Vec::new(), custom: Vec::new(), bundle: None };

/// Makes a task of `C` and launches it; without a cluster, its results hold the error that says so.
pub fn submit<C: Callable>(options: Options, args: C::Args) -> <C::Outputs as Outputs>::Refs {
    let defaults = C::options();
    let options = match (options.is_unset(), defaults.is_unset()) {
        (true, true) => None,
        (false, true) => Some(Box::new(options)),
        _ => Some(Box::new(options.over(defaults))),
    };
    let task = Task::<C>::new(Header::new(options, context::current_number()), args);
    let refs = task.refs();
    match Runtime::current() {
        Some(runtime) => {
            if runtime.pressure.is_high() {
                runtime.hold_submission();
            }
            runtime.launch(task);
        }
        None => task.fail(Arc::new(Error::no_cluster(C::ENTRY.name))),
    }
    refs
}

impl Runtime {
    /// Starts the life of a task made here.
    #[inline]
    pub fn launch(&'static self, task: Arc<dyn Runnable>) {
        self.traces.made(self, &task);
        let header = task.header();
        if header.options.is_none() && task.all_values() {
            header.queue_fresh();
            self.push(Work::Task(task));
        } else {
            self.launch_with_care(task);
        }
    }

    #[cold]
    fn launch_with_care(&'static self, task: Arc<dyn Runnable>) {
        if let Some(options) = &task.header().options {
            if let Some(rank) = options.just_rank()
                && rank < self.size
                && rank != self.rank
                && self.totals_of(rank).cpu >= UNIT
            {
                // The shortest path there is.
                return self.launch_there(task, rank);
            }
            match self.place(options, task.header().name()) {
                Ok(Some(rank)) if rank != self.rank => return self.launch_there(task, rank),
                // Its arguments must be there a second time.
                Ok(_) if options.retry_on_error == Some(true) => return self.launch_there(task, self.rank),
                // What was placed here stays here: a thief that fits would move it.
                Ok(_) => {}
                Err(error) => return self.protocol.fail_task(&self, &task, error),
            }
        }
        if task.header().options.as_deref().is_none_or(Options::is_free)
            && let Some(rank) = self.drawn_to(&task)
        {
            return self.launch_after_arguments(task, rank);
        }
        self.launch_here(task);
    }

    /// A task that is to run on this rank, or on one that steals it, once its arguments are there.
    pub fn launch_here(&'static self, task: Arc<dyn Runnable>) {
        self.protocol.launch_here(&self, task);
    }

    /// Sends a task of this rank to another.
    pub(super) fn launch_there(&'static self, task: Arc<dyn Runnable>, to: Rank) {
        if task.header().claim_waiting() {
            self.protocol.send_task(&self, &task, to, None);
            self.throttle(to);
        }
    }

    /// Cancels the task behind `slot`.
    pub fn cancel(&'static self, slot: Arc<dyn AnySlot>) {
        self.protocol.cancel(&self, slot);
    }

    /// A task is over: who waits elsewhere is told.
    pub(super) fn over(&'static self, task: &Arc<dyn Runnable>) {
        self.protocol.over(&self, task);
    }

    /// Makes work known to the workers.
    pub fn push(&'static self, work: Work) {
        let (stealable, light) = match &work {
            Work::Task(task) => {
                let header = task.header();
                let options = header.options.as_ref();
                // Of the host's own CPUs: a bundle's are the host's no more.
                let light = options.is_some_and(|options| options.num_cpus == Some(0.0) || options.seat().is_some());
                (header.stealable && options.is_none_or(|options| options.is_free()), light)
            }
            Work::Actor(_) => (false, true),
        };
        match worker::here() {
            // Who found it on the road, with nothing else to do, runs it.
            Some(worker) if worker.takes_it_up() => return worker.deque.push(work),
            _ if light => self.queues.push_light(work),
            Some(worker) if stealable => worker.deque.push(work),
            None if stealable => self.queues.push_shared(work),
            _ => self.queues.push_bound(work),
        }
        self.work_is_there();
        if stealable && self.protocol.thieving.thieves_wait() {
            self.protocol.feed_thieves(&self);
        }
    }

    /// Wakes a worker; where none sleeps, asks for the watch over those that run.
    pub(super) fn work_is_there(&'static self) {
        match self.idle.rouse() {
            Some(index) => self.workers()[index].unpark(),
            None => self.ask_for_watch(),
        }
    }

    /// Runs a piece of work on the calling worker's fiber, where the host has the resources now.
    pub fn execute(&'static self, worker: &'static Worker, work: Work) {
        match work {
            Work::Actor(actor) => {
                if worker.take_cpu(0) {
                    worker.count_begun(None);
                    self.run_actor(&actor);
                }
            }
            Work::Task(task) => self.execute_task(worker, task),
        }
    }

    fn execute_task(&'static self, worker: &'static Worker, task: Arc<dyn Runnable>) {
        let header = task.header();
        if header.phase() != Phase::Queued {
            // It was run in place by who waited for it, or was cancelled.
            return;
        }
        let Some(options) = &header.options else {
            if !worker.take_cpu(UNIT) {
                return self.starve(Request::one_cpu(), Work::Task(task));
            }
            if header.claim() {
                worker.count_begun(header.entry);
                let before = worker.set_running_cpu(UNIT);
                self.run_claimed(&task, &NOTHING, Some(worker));
                worker.set_running_cpu(before);
            }
            return;
        };
        let request = request_of(options);
        let grant = self.table.take_rest(&request);
        let Some(grant) = grant else { return self.starve(request, Work::Task(task)) };
        if !worker.take_cpu(request.cpu) {
            self.give_back(&grant);
            return self.starve(request, Work::Task(task));
        }
        if header.claim() {
            worker.count_begun(header.entry);
            let before = worker.set_running_cpu(request.cpu);
            self.run_claimed(&task, &grant, Some(worker));
            worker.set_running_cpu(before);
        }
        worker.release_cpu(UNIT);
        self.give_back(&grant);
    }

    /// Puts work aside until resources are given back; looks once more, because they may have been meanwhile.
    pub(super) fn starve(&'static self, request: Request, work: Work) {
        if self.unseat(&request, &work) {
            return;
        }
        self.queues.push_starved(request, work);
        self.feed_starved();
    }

    /// Tries again what waits for resources that may be free now. While something still waits, this rank is flagged in the
    /// table, and what was given back before the flag was seen is found by one more look after it.
    pub fn feed_starved(&'static self) {
        if self.hungry.load(Ordering::Relaxed) > 0 {
            self.table.wait();
            if self.table.free_cpu() > 0 {
                self.workers().iter().for_each(|worker| worker.unpark());
            }
        }
        if self.protocol.thieving.thieves_wait() {
            self.protocol.feed_thieves(&self);
        }
        while self.queues.starved() > 0 {
            self.table.wait();
            let fed = self.queues.feed(|request| self.table.fits(request));
            if fed.is_empty() {
                return;
            }
            for work in fed {
                self.queues.push_bound(work);
                self.work_is_there();
            }
        }
    }

    /// CPUs are free again.
    pub fn give_back_cpu(&'static self, amount: i64) {
        self.table.give_cpu(amount);
        self.resources_freed();
    }

    /// Resources other than CPUs are free again.
    pub fn give_back(&'static self, grant: &Grant) {
        self.table.give_rest(grant);
        self.resources_freed();
    }

    pub(super) fn resources_freed(&'static self) {
        self.table.announce(|place| {
            let rank = self.host_ranks()[place];
            if rank == self.rank { self.feed_starved() } else { self.ring(rank) }
        });
    }

    /// Runs a task that the caller has claimed, on this stack.
    pub fn run_claimed(&'static self, task: &Arc<dyn Runnable>, grant: &Grant, worker: Option<&'static Worker>) {
        if self.protocol.unwanted.contains(task.header().origin) {
            task.fail(Arc::new(Error::Cancelled { task: task.header().name().to_string() }));
            return self.over(task);
        }
        let printing = self.printing(task.header());
        let began_ns = self.traces.on(task).then(clock::now_ns);
        {
            let account = Account::of(task.header());
            let context = Context::of_task(task.header(), grant).on_account(account.as_ref());
            let _running = context.enter();
            task.invoke(&mut None as &mut State, &|failure| self.blame(task.header(), failure));
        }
        drop(printing);
        if let Some(began_ns) = began_ns {
            self.traces.ran(self, task, began_ns, worker.map_or(u32::MAX, |worker| worker.shared.index as u32));
        }
        self.over(task);
    }

    /// Turns a failure of a body into the error that its results hold, and tells the driver.
    pub fn blame(&'static self, header: &Header, failure: Failure) -> Error {
        let message = match failure {
            Failure::Passed(error) => return error,
            Failure::Message(message) => message,
            Failure::Panic(message) => context::panic_place()
                .map_or_else(|| message.clone(), |place| format!("panicked at {place}: {message}")),
        };
        let error = Error::Task {
            task: header.name().to_string(),
            rank: self.rank,
            host: self.host.clone(),
            pid: std::process::id(),
            message,
        };
        self.report(error.clone());
        error
    }
}
