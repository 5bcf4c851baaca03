//! The life of a task on this rank: launched, queued, admitted, run, over.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Rank, TaskId, clock};
use crate::node::Node;
use crate::node::context::{self, Context};
use crate::node::queues::Work;
use crate::node::worker::{self, Worker};
use crate::object::{AnySlot, Parcel, Waiter};
use crate::protocol::{Message, Run, WireOptions};
use crate::registry::{Callable, Failure, Header, Options, Outputs, Phase, Placement, Runnable, State, Task};
use crate::sched::{Request, UNIT, fixed_of};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// Makes a task of `C` and launches it; without a cluster, its results hold the error that says so.
pub fn submit<C: Callable>(options: Options, args: C::Args) -> <C::Outputs as Outputs>::Refs {
    let defaults = C::options();
    let options = if options.is_unset() && defaults.is_unset() { None } else { Some(Box::new(options.over(defaults))) };
    let task = Task::<C>::new(Header::new(options, context::current_number()), args);
    let refs = task.refs();
    match Node::current() {
        Some(node) => node.launch(task),
        None => task.fail(Arc::new(Error::no_cluster(C::ENTRY.name))),
    }
    refs
}

impl Node {
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
                // What was placed here stays here: a thief that fits would move it.
                Ok(_) => {}
                Err(error) => return self.fail_task(&task, error),
            }
        }
        self.launch_here(task);
    }

    /// A task that is to run on this rank, or on one that steals it, once its arguments are there.
    pub fn launch_here(&'static self, task: Arc<dyn Runnable>) {
        self.when_arguments(&task.clone(), move |node| node.arguments_ready(task));
    }

    /// Calls `then` when every reference among the arguments is complete.
    pub fn when_arguments(&'static self, task: &Arc<dyn Runnable>, then: impl FnOnce(&'static Node) + Send + 'static) {
        let mut references: Vec<Arc<dyn AnySlot>> = Vec::new();
        task.references(&mut |slot| {
            if !slot.core().is_complete() {
                references.push(slot);
            }
        });
        if references.is_empty() {
            return then(self);
        }
        let missing = &task.header().missing;
        missing.store(references.len() as u32, Ordering::Relaxed);
        let waiter = Arc::new(Dependency { node: self, task: task.clone(), then: Mutex::new(Some(Box::new(then))) });
        for slot in references {
            slot.request();
            slot.core().when_complete(waiter.clone());
        }
    }

    /// Every argument of the task is complete: run it, or pass on the failure that one of them holds.
    fn arguments_ready(&'static self, task: Arc<dyn Runnable>) {
        if let Some(error) = failed_argument(&task) {
            if task.header().claim_waiting() {
                task.fail(error);
                self.over(&task);
            }
        } else if task.header().queue() {
            self.push(Work::Task(task));
        }
    }

    /// Makes work known to the workers.
    pub fn push(&'static self, work: Work) {
        let (stealable, light) = match &work {
            Work::Task(task) => {
                let header = task.header();
                let options = header.options.as_ref();
                let light = options.is_some_and(|options| options.num_cpus == Some(0.0));
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
        if stealable && self.thieves_wait() {
            self.feed_thieves();
        }
    }

    /// Wakes a worker; where none sleeps, asks for the watch over those that run.
    fn work_is_there(&'static self) {
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
                    worker.count_begun();
                    self.actors.run(self, &actor);
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
                worker.count_begun();
                let before = worker.set_running_cpu(UNIT);
                self.run_claimed(task, &[], Some(worker));
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
            worker.count_begun();
            let before = worker.set_running_cpu(request.cpu);
            self.run_claimed(task, &grant.gpus, Some(worker));
            worker.set_running_cpu(before);
        }
        worker.release_cpu(UNIT);
        self.give_back(&grant);
    }

    /// Puts work aside until resources are given back; looks once more, because they may have been meanwhile.
    pub(super) fn starve(&'static self, request: Request, work: Work) {
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
        if self.thieves_wait() {
            self.feed_thieves();
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
    pub fn give_back(&'static self, grant: &crate::node::table::Grant) {
        self.table.give_rest(grant);
        self.resources_freed();
    }

    fn resources_freed(&'static self) {
        self.table.announce(|place| {
            let rank = self.host_ranks()[place];
            if rank == self.rank { self.feed_starved() } else { self.ring(rank) }
        });
    }

    /// Runs a task that the caller has claimed, on this stack.
    pub fn run_claimed(&'static self, task: Arc<dyn Runnable>, gpus: &[(u32, i64)], worker: Option<&'static Worker>) {
        let began_ns = self.traces.on(&task).then(clock::now_ns);
        {
            let context = Context::of_task(task.header(), gpus);
            let _running = context.enter();
            task.invoke(&mut None as &mut State, &|failure| self.blame(task.header(), failure));
        }
        if let Some(began_ns) = began_ns {
            self.traces.ran(self, &task, began_ns, worker.map_or(u32::MAX, |worker| worker.shared.index as u32));
        }
        self.over(&task);
    }

    /// Claims a queued task that the caller waits for and runs it on the caller's own stack.
    pub fn run_in_place(&'static self, task: &Arc<dyn Runnable>, worker: Option<&'static Worker>) {
        if let Some(worker) = worker {
            // Usually it is the newest of the own deque: taking it from there leaves nothing behind.
            match worker.deque.pop() {
                Some(Work::Task(newest)) if !Arc::ptr_eq(&newest, task) => worker.deque.push(Work::Task(newest)),
                Some(Work::Actor(actor)) => worker.deque.push(Work::Actor(actor)),
                _ => {}
            }
            if task.header().claim() {
                worker.count_begun();
                self.run_claimed(task.clone(), &[], Some(worker));
            } else if task.header().phase() == Phase::Queued {
                unreachable!("a queued task can be claimed");
            }
        } else if self.table.take_cpu(UNIT) {
            if task.header().claim() {
                self.run_claimed(task.clone(), &[], None);
            }
            self.give_back_cpu(UNIT);
        }
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

    /// Fails a task that was never queued.
    pub fn fail_task(&'static self, task: &Arc<dyn Runnable>, error: Error) {
        if task.header().claim_waiting() {
            self.report(error.clone());
            task.fail(Arc::new(error));
            self.over(task);
        }
    }

    /// A task is over: who waits elsewhere is told.
    pub fn over(&'static self, task: &Arc<dyn Runnable>) {
        let Some(id) = task.header().origin else { return };
        self.foreign.remove(id);
        let slots = task.clone().slots();
        let parcels: Vec<_> = slots.iter().map(|slot| slot.encode()).collect();
        if id.owner == self.rank {
            // It was stolen, and stolen back.
            return self.complete_own(id.number, parcels);
        }
        let inline_bytes_max = INLINE_BYTES_MAX / parcels.len().max(1);
        let results = parcels.iter().map(|parcel| match parcel {
            Ok(parcel) => self.sealed(parcel, id.owner, inline_bytes_max),
            Err(error) => Err(error.clone()),
        });
        let results = results.collect();
        self.send(id.owner, &Message::Done { task: id.number, results });
    }

    /// A task of this rank ran here under another name.
    fn complete_own(&'static self, number: u64, parcels: Vec<Result<Parcel, Error>>) {
        let Some((task, _)) = self.away.take(number) else { return };
        for (slot, parcel) in task.slots().into_iter().zip(parcels) {
            match parcel {
                Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
                Err(error) => slot.fail(Arc::new(error)),
            }
        }
    }

    /// Tells a task's owner that it failed before it could run here.
    pub fn send_failure(&'static self, id: TaskId, returns: usize, error: Error) {
        self.foreign.remove(id);
        self.send(id.owner, &Message::Done { task: id.number, results: vec![Err(error); returns] });
    }

    /// Sends a task of this rank to another.
    fn launch_there(&'static self, task: Arc<dyn Runnable>, to: Rank) {
        if task.header().claim_waiting() {
            self.send_task(&task, to, false, None);
            self.throttle(to);
        }
    }

    /// Sends a claimed task to `to`. Its results come back to its owner: this rank, or where it came from.
    pub fn send_task(
        &'static self,
        task: &Arc<dyn Runnable>,
        to: Rank,
        stealable: bool,
        actor: Option<crate::base::ObjectId>,
    ) {
        let header = task.header();
        let Some(entry) = header.entry else { return };
        let id = header.origin.unwrap_or_else(|| self.away.put(self.rank, task, to));
        let options = header.options.as_ref().map(|options| WireOptions {
            num_cpus: options.num_cpus,
            num_gpus: options.num_gpus,
            resources: options.resources.clone(),
            name: options.name.clone(),
        });
        let parcel = task.pack();
        let args = parcel.as_ref().map_err(Clone::clone).and_then(|parcel| self.sealed(parcel, to, INLINE_BYTES_MAX));
        match args {
            Ok(args) => {
                let (function, caller) = (entry.key, header.caller);
                let number = header.number.load(Ordering::Relaxed);
                let run = Run { task: id, function, caller, number, actor, stealable, options, args };
                self.send(to, &Message::Run(run));
                if header.origin.is_some() {
                    self.foreign.remove(id);
                }
            }
            Err(error) => {
                self.away.take(id.number);
                self.report(error.clone());
                task.fail(Arc::new(error));
                self.over(task);
            }
        }
    }

    /// Cancels the task behind `slot`: one that has not begun never does, one that runs is asked to end.
    pub fn cancel(&'static self, slot: Arc<dyn AnySlot>) {
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.clone().producer(&mut producer);
        if let Some(task) = producer {
            self.cancel_here(&task);
            if let Some((rank, id)) = self.away.find(self.rank, &task) {
                self.send(rank, &Message::Cancel { task: id });
            }
        }
    }

    /// Cancels a task that is on this rank.
    pub fn cancel_here(&'static self, task: &Arc<dyn Runnable>) {
        let header = task.header();
        header.cancel();
        let error = Arc::new(Error::Cancelled { task: header.name().to_string() });
        if header.claim() || header.claim_waiting() {
            task.fail(error);
            self.over(task);
        } else {
            // It runs, here or elsewhere: its results are decided now, its own come too late.
            task.clone().slots().iter().for_each(|slot| slot.fail(error.clone()));
        }
    }

    /// Where options send a task: a rank, or `None` for wherever there is room. An error where no host can ever run it.
    pub fn place(&self, options: &Options, name: &str) -> Result<Option<Rank>, Error> {
        let request = request_of(options);
        let fits = |rank: Rank| self.totals_of(rank).missing(&request).is_none();
        let refuse = |missing: String| Err(Error::Unschedulable { task: name.to_string(), missing });
        let rank = match &options.place {
            Placement::Rank(rank) if *rank >= self.size => {
                return Err(Error::config(format!("there is no rank {rank}: the ranks are 0 to {}", self.size - 1)));
            }
            Placement::Rank(rank) => Some(*rank),
            Placement::OnHost(host) => match self.ranks_of_host(host) {
                Some(ranks) => Some(if ranks.contains(&self.rank) {
                    self.rank
                } else {
                    ranks[self.spread.fetch_add(1, Ordering::Relaxed) as usize % ranks.len()]
                }),
                None => {
                    return Err(Error::config(format!("there is no host {host}: the hosts are {}", self.host_names())));
                }
            },
            Placement::NearTo(object) => Some(object.0.remote_id().map_or(self.rank, |id| id.owner)),
            Placement::Spread => Some((self.spread.fetch_add(1, Ordering::Relaxed) + self.rank) % self.size),
            _ => None,
        };
        match rank {
            Some(rank) if fits(rank) => Ok(Some(rank)),
            Some(rank) if !matches!(options.place, Placement::Spread) => refuse(format!(
                "rank {rank} is on host {}: {}",
                self.host_of(rank),
                self.totals_of(rank).missing(&request).unwrap_or_default()
            )),
            _ if fits(self.rank) => Ok(None),
            _ => match (0..self.size).find(|rank| fits(*rank)) {
                Some(rank) => Ok(Some(rank)),
                None => refuse(self.totals_of(self.rank).missing(&request).unwrap_or_default()),
            },
        }
    }
}

/// What options ask for, of a task.
pub fn request_of(options: &Options) -> Request {
    Request {
        cpu: options.num_cpus.map_or(UNIT, fixed_of),
        gpu: options.num_gpus.map_or(0, fixed_of),
        custom: options.resources.iter().map(|(name, amount)| (name.clone(), fixed_of(*amount))).collect(),
    }
}

/// The failure that an argument of the task holds, where one does.
pub fn failed_argument(task: &Arc<dyn Runnable>) -> Option<Arc<Error>> {
    let mut failure = None;
    if !task.all_values() {
        task.references(&mut |slot| failure = failure.take().or_else(|| slot.core().failure()));
    }
    failure
}

type Then = Box<dyn FnOnce(&'static Node) + Send>;

/// A task that waits for arguments.
struct Dependency {
    node: &'static Node,
    task: Arc<dyn Runnable>,
    then: Mutex<Option<Then>>,
}

impl Waiter for Dependency {
    fn ready(self: Arc<Self>) {
        if self.task.header().missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            let then = lock(&self.then).take();
            if let Some(then) = then {
                then(self.node);
            }
        }
    }
}

/// Tasks of this rank that run elsewhere, by number, with where.
#[derive(Default)]
pub struct Away {
    next: AtomicU64,
    tasks: Mutex<FxHashMap<u64, (Arc<dyn Runnable>, Rank)>>,
}

impl Away {
    fn put(&self, me: Rank, task: &Arc<dyn Runnable>, to: Rank) -> TaskId {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.tasks).insert(number, (task.clone(), to));
        TaskId { owner: me, number }
    }

    /// The task is over.
    pub fn take(&self, number: u64) -> Option<(Arc<dyn Runnable>, Rank)> {
        lock(&self.tasks).remove(&number)
    }

    fn find(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        lock(&self.tasks)
            .iter()
            .find(|(_, (known, _))| Arc::ptr_eq(known, task))
            .map(|(number, (_, rank))| (*rank, TaskId { owner: me, number: *number }))
    }

    /// Fails what ran on a rank that is gone.
    pub fn fail_all_of(&self, rank: Rank, error: &Error) {
        let lost: Vec<_> = {
            let mut tasks = lock(&self.tasks);
            let numbers: Vec<u64> =
                tasks.iter().filter(|(_, (_, on))| *on == rank).map(|(number, _)| *number).collect();
            numbers.iter().filter_map(|number| tasks.remove(number)).collect()
        };
        lost.iter().for_each(|(task, _)| task.fail(Arc::new(error.clone())));
    }
}
