//! Execution of scripts: each op performed with the runtime's own promises, references and tasks.

use crate::base::Error;
use crate::objects::{ObjectRef, Ref, Value, Waiter};
use crate::protocol::Environment;
use crate::registry::Runnable;
use crate::sim::coverage::Coverage;
use crate::sim::names::{NameReply, NameRequest, POLL_NS};
use crate::sim::node::{JobWaker, SimJob};
use crate::sim::resident::{Reader, SimResidentBlock};
use crate::sim::script::{Op, Script, Spec, begin};
use crate::sim::task::{Body, SimTask, StartedTask};
use crate::sim::value::{Handle, Reference, SimLoad, SimValue};
use crate::sim::world::{Event, SimEnvironment};
use std::collections::VecDeque;
use std::sync::Arc;

/// A script under way.
pub struct RunningScript {
    script: Box<dyn Script<Reference, Handle>>,
    /// The task whose results it produces; `None` for the driver.
    task: Option<Arc<SimTask>>,
    /// Its number as a caller of actors.
    caller: u64,
    /// The value that it waits for.
    awaited: Option<Reference>,
    /// Its pending request about a name.
    pub name_request: Option<NameRequest>,
    /// Values that it reads: their arrays stay where they are.
    read: VecDeque<Ref<SimValue>>,
    /// Time that the runtime took for it on the worker and that the clock does not show yet.
    overhead_ns: u64,
}

/// The text of a failure made on purpose.
pub const ON_PURPOSE: &str = "it failed on purpose, code ";

/// Values that a script goes on reading, at most.
const READ_MAX: usize = 3;

/// The outcome of reading a value that a script waited for.
enum ReadOutcome {
    Done,
    /// Its arrays are no longer here: they are to be fetched.
    Evicted(Vec<Arc<SimResidentBlock>>),
    Failed(Error),
}

/// Runtime overhead is added up to this much before the clock shows it.
const OVERHEAD_NS_MAX: u64 = 2_000;

impl SimEnvironment {
    /// Starts the driver's script, on a worker of this rank.
    pub fn start_driver(&self) {
        let spec = self.world.setting.work.clone();
        self.world.script_begins();
        let running = RunningScript::new(&spec, Vec::new(), None, self.world.fresh_caller());
        let slot = self.node().reserve();
        self.node().suspend(slot, SimJob::Script(running));
        JobWaker::new(self, slot).notify();
    }

    /// Runs a task that a worker claimed.
    pub fn begin_task(&self, task: Arc<dyn Runnable>) {
        if self.protocol().tasks.cancelled.contains(task.header().origin) {
            task.fail(Arc::new(Error::Cancelled { task: task.header().name().to_string() }));
            self.protocol().tasks.on_finished(self, &task);
            return self.node().free_worker();
        }
        let slot = self.node().reserve();
        self.begin_task_in(slot, task);
    }

    /// Begins a task, or suspends it until the arrays of its arguments are here again.
    pub fn begin_task_in(&self, slot: usize, task: Arc<dyn Runnable>) {
        let Some(sim) = SimTask::of(&task) else {
            return self.world.report_violation("a task is not a simulated one".to_string());
        };
        match self.load(&sim) {
            ReadOutcome::Done => {}
            ReadOutcome::Evicted(missed) => {
                self.node().suspend(slot, SimJob::Task(task));
                self.node().free_worker();
                return self.fetch_again(slot, &missed);
            }
            ReadOutcome::Failed(error) => {
                task.fail(Arc::new(error));
                self.protocol().tasks.on_finished(self, &task);
                return self.release_slot(slot);
            }
        }
        let Some(StartedTask { body: Body::Script(spec), values, read, .. }) = sim.begin() else {
            return self.world.report_violation(format!("{} is run where only scripts are", task.header().name()));
        };
        self.world.script_begins();
        let mut running = RunningScript::new(&spec, values, Some(sim), self.world.fresh_caller());
        running.overhead_ns = self.world.setting.costs.begin_ns;
        running.read = read.into();
        self.advance(slot, running);
    }

    fn load(&self, task: &SimTask) -> ReadOutcome {
        self.try_read(|| task.load().map_err(Arc::new))
    }

    /// Tries to read; names the arrays that are not here.
    fn try_read(&self, read: impl FnOnce() -> Result<(), Arc<Error>>) -> ReadOutcome {
        let holdings = &self.node().store.resident_blocks;
        drop(holdings.take_misses());
        match read() {
            Ok(()) => ReadOutcome::Done,
            Err(error) => match holdings.take_misses() {
                missed if missed.is_empty() => ReadOutcome::Failed((*error).clone()),
                missed => ReadOutcome::Evicted(missed),
            },
        }
    }

    /// Requests arrays that were evicted; the job of that slot goes on when they are here.
    pub fn fetch_again(&self, slot: usize, missed: &[Arc<SimResidentBlock>]) {
        self.world.covered(Coverage::CopiesFetchedAgain);
        let reader: Arc<dyn Reader> = JobWaker::new(self, slot);
        // One after the other: the job looks for the next when it goes on.
        if let Some((object, links)) = missed.first().and_then(|block| block.wait_for_block(&reader)) {
            links.request(object);
        }
        self.schedule_work();
    }

    /// As `load`, for a call.
    pub fn load_call(&self, task: &Arc<dyn Runnable>) -> Result<(), Result<Vec<Arc<SimResidentBlock>>, Error>> {
        match SimTask::of(task).map_or(ReadOutcome::Done, |sim| self.load(&sim)) {
            ReadOutcome::Done => Ok(()),
            ReadOutcome::Evicted(missed) => Err(Ok(missed)),
            ReadOutcome::Failed(error) => Err(Err(error)),
        }
    }

    fn release_slot(&self, slot: usize) {
        self.node().release_slot(slot);
        self.node().free_worker();
        self.schedule_work();
    }

    /// Performs one op after the other, until the script computes, waits or ends.
    pub fn advance(&self, slot: usize, mut running: RunningScript) {
        let costs = self.world.setting.costs;
        if let Some(name_request) = running.name_request.take() {
            match self.take_name_reply(slot, name_request) {
                NameReply::Actor(handle) => running.script.on_actor(handle),
                NameReply::Free => {}
                NameReply::NotFound(error) => return self.finish_script(slot, running, Err(error)),
                NameReply::RetryLater(name_request) => {
                    running.name_request = Some(name_request);
                    return self.compute(slot, running, POLL_NS);
                }
                NameReply::RetryNow(name_request) => return self.request_name(slot, running, name_request),
            }
        }
        if let Some(awaited) = running.awaited.take() {
            match self.deliver_value(&mut running, &awaited) {
                ReadOutcome::Done => {}
                ReadOutcome::Evicted(missed) => return self.wait_again(slot, running, awaited, &missed),
                ReadOutcome::Failed(error) => return self.finish_script(slot, running, Err(error)),
            }
        }
        loop {
            if running.overhead_ns > OVERHEAD_NS_MAX {
                return self.compute(slot, running, 0);
            }
            match running.script.next() {
                Op::Compute(compute_ns) => return self.compute(slot, running, compute_ns),
                Op::Get(reference) if reference.is_ready() => match self.deliver_value(&mut running, &reference) {
                    ReadOutcome::Done => {}
                    ReadOutcome::Evicted(missed) => return self.wait_again(slot, running, reference, &missed),
                    ReadOutcome::Failed(error) => return self.finish_script(slot, running, Err(error)),
                },
                Op::Get(reference) => {
                    running.overhead_ns += costs.resume_ns;
                    return self.wait(slot, running, reference);
                }
                Op::Finish(loads) => return self.finish_script(slot, running, Ok(loads)),
                Op::Fail(code) => return self.finish_script(slot, running, Err(self.failure(&code.to_string()))),
                Op::Spawn { spec, given, task_options } => {
                    running.overhead_ns += costs.spawn_ns;
                    let references = self.spawn(Body::Script(spec), given, task_options, running.caller);
                    running.script.on_references(references);
                }
                Op::Put(load) => {
                    running.script.on_references(vec![ObjectRef::new(Value::ready(self.value(load)))]);
                }
                Op::Cancel(reference) => self.protocol().tasks.cancel(self, reference.any()),
                Op::CreateActor { seed, given, task_options, life, name } => {
                    let name = name.map(|name| name.of(running.caller));
                    let pending = self.prepare_actor(seed, given, (task_options, life, name), running.caller);
                    match pending.name {
                        None => running.script.on_actor(self.create_actor(pending)),
                        Some(_) => return self.request_name(slot, running, NameRequest::Name(pending)),
                    }
                }
                Op::LookUpActor(name) => {
                    let name = name.of(running.caller);
                    return self.request_name(slot, running, NameRequest::Find { name, tries: 0 });
                }
                Op::AwaitNameFree(name) => {
                    let name = name.of(running.caller);
                    return self.request_name(slot, running, NameRequest::AwaitFree { name, tries: 0 });
                }
                Op::Kill(actor) => self.kill(&actor),
                Op::ActorLost => {
                    let (actor, reason) = ("totals".to_string(), "its name was free".to_string());
                    return self.finish_script(slot, running, Err(Error::ActorDied { actor, reason }));
                }
                Op::Call { actor, given } => {
                    running.overhead_ns += costs.spawn_ns;
                    let references = self.call(&actor, given, running.caller);
                    running.script.on_references(references);
                }
            }
        }
    }

    fn compute(&self, slot: usize, mut running: RunningScript, compute_ns: u64) {
        let busy_ns = (compute_ns + std::mem::take(&mut running.overhead_ns)) * self.node().slowness;
        self.node().add_busy_time(busy_ns);
        self.node().suspend(slot, SimJob::Script(running));
        self.world.schedule_after(busy_ns, Event::Continue(self.rank, slot));
    }

    /// The worker is free while the script waits.
    fn wait(&self, slot: usize, mut running: RunningScript, reference: Reference) {
        running.awaited = Some(reference.clone());
        self.node().suspend(slot, SimJob::Script(running));
        self.node().free_worker();
        let value = reference.any();
        value.request();
        self.protocol().objects.request(self, &value);
        value.core().when_complete(JobWaker::new(self, slot));
        self.schedule_work();
    }

    /// The worker is free while the arrays of a value are fetched again.
    fn wait_again(
        &self,
        slot: usize,
        mut running: RunningScript,
        reference: Reference,
        missed: &[Arc<SimResidentBlock>],
    ) {
        running.awaited = Some(reference);
        self.node().suspend(slot, SimJob::Script(running));
        self.node().free_worker();
        self.fetch_again(slot, missed);
    }

    /// Gives the script the value that it waited for.
    fn deliver_value(&self, running: &mut RunningScript, reference: &Reference) -> ReadOutcome {
        let mut failed = None;
        let taken = self.try_read(|| match reference.ready() {
            Some(Ok(value)) => {
                running.script.on_value(Ok(value.load()));
                running.keep_reading(value);
                Ok(())
            }
            Some(Err(error)) => {
                failed = code_of(&error);
                Err(error)
            }
            None => Err(Arc::new(Error::config("a script was woken before what it waits for was there"))),
        });
        match (taken, failed) {
            (ReadOutcome::Failed(_), Some(code)) => {
                running.script.on_value(Err(code));
                ReadOutcome::Done
            }
            (taken, _) => taken,
        }
    }

    fn finish_script(&self, slot: usize, running: RunningScript, outcome: Result<Vec<SimLoad>, Error>) {
        let RunningScript { script, task, read, .. } = running;
        read.iter().for_each(|value| drop(value.load()));
        drop(read);
        match task {
            Some(task) => {
                match outcome {
                    Ok(loads) => task.complete(loads.into_iter().map(|load| self.value(load)).collect()),
                    Err(error) => Runnable::fail(&*task, Arc::new(error)),
                }
                let task: Arc<dyn Runnable> = task;
                self.protocol().tasks.on_finished(self, &task);
                drop(task);
                if self.world.setting.store_pressure {
                    self.protocol().objects.reclaim_bytes(self, u64::MAX);
                }
            }
            None => self.world.set_answer(match outcome {
                Ok(loads) => Ok(loads.iter().map(|load| Ok(load.digest())).collect()),
                Err(error) => code_of(&error).map_or(Err(error), |code| Ok(vec![Err(code)])),
            }),
        }
        drop(script);
        self.release_slot(slot);
    }

    /// The failure with that code, made on purpose.
    pub fn failure(&self, code: &str) -> Error {
        Error::Task {
            task: "script".to_string(),
            rank: self.rank,
            host: "simulated".to_string(),
            pid: 0,
            message: format!("{ON_PURPOSE}{code}."),
        }
    }
}

/// The code of a failure made on purpose, at any position of an error's text.
pub fn code_of(error: &Error) -> Option<u64> {
    let text = error.to_string();
    let (_, after) = text.split_once(ON_PURPOSE)?;
    after.split('.').next()?.parse().ok()
}

impl RunningScript {
    fn new(spec: &Spec, arguments: Vec<SimLoad>, task: Option<Arc<SimTask>>, caller: u64) -> RunningScript {
        RunningScript {
            script: begin(spec, arguments),
            task,
            caller,
            awaited: None,
            name_request: None,
            read: VecDeque::new(),
            overhead_ns: 0,
        }
    }

    /// A value is read for a while: its array must not change until then.
    fn keep_reading(&mut self, value: Ref<SimValue>) {
        self.read.push_back(value);
        if self.read.len() > READ_MAX {
            drop(self.read.pop_front().map(|value| value.load()));
        }
    }
}
