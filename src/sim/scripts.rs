//! Execution of scripts: each op performed with the runtime's own promises, references and tasks.

use crate::base::Error;
use crate::objects::{ObjectRef, Ref, Value, Waiter};
use crate::protocol::{ActorHandle, Environment};
use crate::registry::Runnable;
use crate::sim::coverage::Coverage;
use crate::sim::names::{KIND, NamePurpose, NameRequest, POLL_NS};
use crate::sim::node::{JobWaker, SimJob};
use crate::sim::resident::{Reader, SimResidentBlock};
use crate::sim::script::{Name, Op, Script, Spec, begin};
use crate::sim::task::{Body, SimTask, StartedTask};
use crate::sim::value::{Reference, SimLoad, SimValue};
use crate::sim::world::SimEnvironment;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

/// A script under way.
pub struct RunningScript {
    script: Box<dyn Script<Reference, ActorHandle>>,
    /// The task whose results it produces; `None` for the driver.
    task: Option<Arc<SimTask>>,
    /// Its number as a caller of actors.
    caller: u64,
    /// What it waits for.
    pub awaited: Awaited,
    /// Values that it reads: their arrays stay where they are.
    read: VecDeque<Ref<SimValue>>,
    /// Time that the runtime took for it on the worker and that the clock does not show yet.
    overhead_ns: u64,
}

/// The text of a failure made on purpose.
pub const ON_PURPOSE: &str = "it failed on purpose, code ";

/// Values that a script goes on reading, at most.
const READ_MAX: usize = 3;

/// What a suspended script waits for.
#[derive(Default)]
pub enum Awaited {
    /// The end of what it computes.
    #[default]
    Time,
    /// A value, or the arrays of one that were evicted.
    Value(Reference),
    /// The response about a name, or the time to request it again.
    Name(NameRequest),
}

/// Why a script does not go on at once.
pub enum ScriptPause {
    /// It computes for so many nanoseconds.
    Compute(u64),
    /// It waits for a value.
    Value(Reference),
    /// These arrays of the awaited value are no longer here.
    Evicted(Vec<Arc<SimResidentBlock>>),
    /// It requests something of a name.
    Name(NameRequest),
    /// The same, after a while.
    Repeat(NameRequest),
    /// It ends.
    End(Result<Vec<SimLoad>, Error>),
}

/// Why something cannot be read.
pub enum NotRead {
    /// Its arrays are no longer here: they are to be fetched.
    Evicted(Vec<Arc<SimResidentBlock>>),
    /// It will never be there.
    Failed(Error),
}

/// Runtime overhead is added up to this much before the clock shows it.
const OVERHEAD_NS_MAX: u64 = 2_000;

impl SimEnvironment {
    /// Starts the driver's script, on a worker of this rank.
    pub fn start_driver(&self) {
        let spec = self.world.setting.work.clone();
        let running = RunningScript::new(&spec, Vec::new(), None, self.world.begin_script());
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
        match self.load(&task) {
            Ok(()) => {}
            Err(NotRead::Evicted(missed)) => return self.fetch_again(slot, SimJob::Task(task), &missed),
            Err(NotRead::Failed(error)) => {
                task.fail(Arc::new(error));
                self.protocol().tasks.on_finished(self, &task);
                return self.release_slot(slot);
            }
        }
        let Some(StartedTask { body: Body::Script(spec), values, read, .. }) = sim.begin() else {
            return self.world.report_violation(format!("{} is run where only scripts are", task.header().name()));
        };
        let mut running = RunningScript::new(&spec, values, Some(sim), self.world.begin_script());
        running.overhead_ns = self.world.setting.costs.begin_ns;
        running.read = read.into();
        self.advance(slot, running);
    }

    /// Reads the arguments of a task or call.
    pub fn load(&self, task: &Arc<dyn Runnable>) -> Result<(), NotRead> {
        SimTask::of(task).map_or(Ok(()), |sim| self.try_read(|| sim.load().map_err(Arc::new)))
    }

    /// Tries to read; names the arrays that are not here.
    fn try_read(&self, read: impl FnOnce() -> Result<(), Arc<Error>>) -> Result<(), NotRead> {
        let blocks = &self.node().store.resident_blocks;
        drop(blocks.take_misses());
        read().map_err(|error| match blocks.take_misses() {
            missed if missed.is_empty() => NotRead::Failed((*error).clone()),
            missed => NotRead::Evicted(missed),
        })
    }

    /// Suspends a job whose arrays were evicted, and requests them: it goes on when they are here.
    pub fn fetch_again(&self, slot: usize, job: SimJob, missed: &[Arc<SimResidentBlock>]) {
        self.node().suspend_waiting(slot, job);
        self.world.covered(Coverage::CopiesFetchedAgain);
        let reader: Arc<dyn Reader> = JobWaker::new(self, slot);
        // One after the other: the job looks for the next when it goes on.
        if let Some((object, links)) = missed.first().and_then(|block| block.wait_for_block(&reader)) {
            links.request(object);
        }
        self.schedule_work();
    }

    fn release_slot(&self, slot: usize) {
        self.node().release_slot(slot);
        self.node().free_worker();
        self.schedule_work();
    }

    /// Goes on with a script, until it computes, waits or ends.
    pub fn advance(&self, slot: usize, mut running: RunningScript) {
        let Err(pause) = self.run_script(&mut running);
        match pause {
            ScriptPause::Compute(compute_ns) => self.compute(slot, running, compute_ns),
            ScriptPause::Value(reference) => self.wait(slot, running, reference),
            ScriptPause::Evicted(missed) => self.fetch_again(slot, SimJob::Script(running), &missed),
            ScriptPause::Name(request) => self.request_name(slot, running, request),
            ScriptPause::Repeat(request) => {
                running.awaited = Awaited::Name(request);
                self.compute(slot, running, POLL_NS);
            }
            ScriptPause::End(outcome) => self.finish_script(slot, running, outcome),
        }
    }

    /// Performs one op after the other.
    fn run_script(&self, running: &mut RunningScript) -> Result<Infallible, ScriptPause> {
        let costs = self.world.setting.costs;
        match std::mem::take(&mut running.awaited) {
            Awaited::Time => {}
            Awaited::Value(reference) => self.deliver_value(running, reference)?,
            Awaited::Name(request) => {
                self.name_reply(request)?.into_iter().for_each(|handle| running.script.on_actor(handle));
            }
        }
        loop {
            if running.overhead_ns > OVERHEAD_NS_MAX {
                return Err(ScriptPause::Compute(0));
            }
            let name_request =
                |purpose, name: Name| Err(ScriptPause::Name(NameRequest::new(purpose, name.of(running.caller))));
            match running.script.next() {
                Op::Compute(compute_ns) => return Err(ScriptPause::Compute(compute_ns)),
                Op::Get(reference) if reference.is_ready() => self.deliver_value(running, reference)?,
                Op::Get(reference) => {
                    running.overhead_ns += costs.resume_ns;
                    return Err(ScriptPause::Value(reference));
                }
                Op::Finish(loads) => return Err(ScriptPause::End(Ok(loads))),
                Op::Fail(code) => return Err(ScriptPause::End(Err(self.failure(&code.to_string())))),
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
                    match pending.name.clone() {
                        None => running.script.on_actor(self.create_actor(pending)),
                        Some(name) => {
                            return Err(ScriptPause::Name(NameRequest::new(
                                NamePurpose::Register(Box::new(pending)),
                                name,
                            )));
                        }
                    }
                }
                Op::LookUpActor(name) => return name_request(NamePurpose::Find, name),
                Op::AwaitNameFree(name) => return name_request(NamePurpose::AwaitFree, name),
                Op::Kill(actor) => actor.0.kill(self),
                Op::ActorLost => {
                    let (actor, reason) = (KIND.to_string(), "its name was free".to_string());
                    return Err(ScriptPause::End(Err(Error::ActorDied { actor, reason })));
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
        let overhead_ns = std::mem::take(&mut running.overhead_ns);
        self.compute_for(slot, compute_ns + overhead_ns, SimJob::Script(running));
    }

    /// The worker is free while the script waits.
    fn wait(&self, slot: usize, mut running: RunningScript, reference: Reference) {
        running.awaited = Awaited::Value(reference.clone());
        self.node().suspend_waiting(slot, SimJob::Script(running));
        let value = reference.any();
        value.request();
        self.protocol().objects.request(self, &value);
        value.core().when_complete(JobWaker::new(self, slot));
        self.schedule_work();
    }

    /// Gives the script the value that it waited for.
    fn deliver_value(&self, running: &mut RunningScript, reference: Reference) -> Result<(), ScriptPause> {
        let read = self.try_read(|| {
            match reference.ready() {
                Some(Ok(value)) => {
                    running.script.on_value(Ok(value.load()));
                    running.keep_reading(value);
                }
                Some(Err(error)) => running.script.on_value(Err(code_of(&error).ok_or(error)?)),
                None => Err(Error::config("a script was woken before what it waits for was there"))?,
            }
            Ok(())
        });
        read.map_err(|error| {
            running.awaited = Awaited::Value(reference);
            match error {
                NotRead::Evicted(missed) => ScriptPause::Evicted(missed),
                NotRead::Failed(error) => ScriptPause::End(Err(error)),
            }
        })
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
            awaited: Awaited::Time,
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
