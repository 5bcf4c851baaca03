//! Scripts at work: each deed done with the runtime's own cells, references and tasks.

use crate::base::Error;
use crate::objects::{ObjectRef, Ref, Value, Waiter};
use crate::protocol::Driver;
use crate::registry::Runnable;
use crate::sim::feats::Feat;
use crate::sim::holding::{Holding, Reader};
use crate::sim::naming::{Answered, Errand, POLL_NS};
use crate::sim::script::{Deed, Script, Spec, begin};
use crate::sim::site::{Awaited, Job};
use crate::sim::task::{Begun, Body, SimTask};
use crate::sim::value::{Handle, Reference, SimLoad, SimValue};
use crate::sim::world::{Event, Here};
use std::collections::VecDeque;
use std::sync::Arc;

/// A script under way.
pub struct Running {
    script: Box<dyn Script<Reference, Handle>>,
    /// Whose results it makes; `None` for the driver.
    task: Option<Arc<SimTask>>,
    /// Itself as a caller of actors.
    caller: u64,
    /// What it waits for.
    awaited: Option<Reference>,
    /// What it asked about a name.
    pub errand: Option<Errand>,
    /// Values that it reads: their arrays stay where they are.
    read: VecDeque<Ref<SimValue>>,
    /// What the runtime did for it on the worker and the clock does not show yet.
    debt_ns: u64,
}

/// What a failure that was made on purpose is called.
pub const ON_PURPOSE: &str = "it failed on purpose, code ";

/// Values that a script goes on reading, at most.
const READ_MAX: usize = 3;

/// What came of a value that a script waited for.
enum Taken {
    In,
    /// Its arrays are not here any more: they are to be fetched.
    Missed(Vec<Arc<Holding>>),
    Failed(Error),
}

/// Up to so much of what the runtime does is counted together.
const DEBT_NS_MAX: u64 = 2_000;

impl Here {
    /// Starts the driver's script, on a worker of this rank.
    pub fn drive(&self) {
        let spec = self.world.setting.work.clone();
        self.world.script_begins();
        let running = Running::new(&spec, Vec::new(), None, self.world.fresh_caller());
        let slot = self.site().reserve();
        self.site().put_aside(slot, Job::Script(running));
        Awaited::new(self, slot).ready();
    }

    /// Runs a task that a worker claimed.
    pub fn begin(&self, task: Arc<dyn Runnable>) {
        if self.protocol().unwanted.contains(task.header().origin) {
            task.fail(Arc::new(Error::Cancelled { task: task.header().name().to_string() }));
            self.protocol().over(self, &task);
            return self.site().free_worker();
        }
        let slot = self.site().reserve();
        self.begin_at(slot, task);
    }

    /// Begins a task, or puts it aside until the arrays of its arguments are here again.
    pub fn begin_at(&self, slot: usize, task: Arc<dyn Runnable>) {
        let Some(sim) = SimTask::of(&task) else { return self.world.violated("a task is none of these".to_string()) };
        match self.load(&sim) {
            Taken::In => {}
            Taken::Missed(missed) => {
                self.site().put_aside(slot, Job::Task(task));
                self.site().free_worker();
                return self.fetch_again(slot, &missed);
            }
            Taken::Failed(error) => {
                task.fail(Arc::new(error));
                self.protocol().over(self, &task);
                return self.vacate(slot);
            }
        }
        let Some(Begun { body: Body::Script(spec), values, read, .. }) = sim.begin() else {
            return self.world.violated(format!("{} is run where only scripts are", task.header().name()));
        };
        self.world.script_begins();
        let mut running = Running::new(&spec, values, Some(sim), self.world.fresh_caller());
        running.debt_ns = self.world.setting.costs.begin_ns;
        running.read = read.into();
        self.advance(slot, running);
    }

    fn load(&self, task: &SimTask) -> Taken {
        self.tried(|| task.load().map_err(Arc::new))
    }

    /// What came of an attempt to read: arrays that are not here are named.
    fn tried(&self, read: impl FnOnce() -> Result<(), Arc<Error>>) -> Taken {
        let holdings = &self.site().store.holdings;
        drop(holdings.missed());
        match read() {
            Ok(()) => Taken::In,
            Err(error) => match holdings.missed() {
                missed if missed.is_empty() => Taken::Failed((*error).clone()),
                missed => Taken::Missed(missed),
            },
        }
    }

    /// Asks for arrays that made room for others; the job of that slot goes on when they are here.
    pub fn fetch_again(&self, slot: usize, missed: &[Arc<Holding>]) {
        self.world.saw(Feat::CopiesFetchedAgain);
        let reader: Arc<dyn Reader> = Awaited::new(self, slot);
        // One after the other: who goes on looks at the next.
        if let Some((object, links)) = missed.first().and_then(|holding| holding.await_it(&reader)) {
            links.request(object);
        }
        self.rouse();
    }

    /// As `load`, of a call.
    pub fn load_call(&self, task: &Arc<dyn Runnable>) -> Result<(), Result<Vec<Arc<Holding>>, Error>> {
        match SimTask::of(task).map_or(Taken::In, |sim| self.load(&sim)) {
            Taken::In => Ok(()),
            Taken::Missed(missed) => Err(Ok(missed)),
            Taken::Failed(error) => Err(Err(error)),
        }
    }

    fn vacate(&self, slot: usize) {
        self.site().vacate(slot);
        self.site().free_worker();
        self.rouse();
    }

    /// Does one deed after the other, until the script computes, waits or is over.
    pub fn advance(&self, slot: usize, mut running: Running) {
        let costs = self.world.setting.costs;
        if let Some(errand) = running.errand.take() {
            match self.answered_about(slot, errand) {
                Answered::Met(handle) => running.script.meet(handle),
                Answered::Free => {}
                Answered::Nobody(error) => return self.ends(slot, running, Err(error)),
                Answered::Later(errand) => {
                    running.errand = Some(errand);
                    return self.compute(slot, running, POLL_NS);
                }
                Answered::Again(errand) => return self.ask_about(slot, running, errand),
            }
        }
        if let Some(awaited) = running.awaited.take() {
            match self.take_in(&mut running, &awaited) {
                Taken::In => {}
                Taken::Missed(missed) => return self.wait_again(slot, running, awaited, &missed),
                Taken::Failed(error) => return self.ends(slot, running, Err(error)),
            }
        }
        loop {
            if running.debt_ns > DEBT_NS_MAX {
                return self.compute(slot, running, 0);
            }
            match running.script.next() {
                Deed::Burn(burn_ns) => return self.compute(slot, running, burn_ns),
                Deed::Get(reference) if reference.is_ready() => match self.take_in(&mut running, &reference) {
                    Taken::In => {}
                    Taken::Missed(missed) => return self.wait_again(slot, running, reference, &missed),
                    Taken::Failed(error) => return self.ends(slot, running, Err(error)),
                },
                Deed::Get(reference) => {
                    running.debt_ns += costs.resume_ns;
                    return self.wait(slot, running, reference);
                }
                Deed::Finish(loads) => return self.ends(slot, running, Ok(loads)),
                Deed::Fail(code) => return self.ends(slot, running, Err(self.failure(&code.to_string()))),
                Deed::Spawn { spec, given, asks } => {
                    running.debt_ns += costs.spawn_ns;
                    let references = self.spawn(Body::Script(spec), given, asks, running.caller);
                    running.script.keep(references);
                }
                Deed::Put(load) => {
                    running.script.keep(vec![ObjectRef::new(Value::ready(self.value(load)))]);
                }
                Deed::Cancel(reference) => self.protocol().cancel(self, reference.any()),
                Deed::Make { seed, given, asks, life, name } => {
                    let name = name.map(|name| name.of(running.caller));
                    let making = self.make(seed, given, (asks, life, name), running.caller);
                    match making.name {
                        None => running.script.meet(self.build(making)),
                        Some(_) => return self.ask_about(slot, running, Errand::Name(making)),
                    }
                }
                Deed::Find(name) => {
                    let name = name.of(running.caller);
                    return self.ask_about(slot, running, Errand::Find { name, tries: 0 });
                }
                Deed::AwaitFree(name) => {
                    let name = name.of(running.caller);
                    return self.ask_about(slot, running, Errand::AwaitFree { name, tries: 0 });
                }
                Deed::Kill(actor) => self.kill(&actor),
                Deed::Lost => {
                    let (actor, reason) = ("ledger".to_string(), "its name was free".to_string());
                    return self.ends(slot, running, Err(Error::ActorDied { actor, reason }));
                }
                Deed::Call { actor, given } => {
                    running.debt_ns += costs.spawn_ns;
                    let references = self.call(&actor, given, running.caller);
                    running.script.keep(references);
                }
            }
        }
    }

    fn compute(&self, slot: usize, mut running: Running, burn_ns: u64) {
        let busy_ns = (burn_ns + std::mem::take(&mut running.debt_ns)) * self.site().slowness;
        self.site().computes(busy_ns);
        self.site().put_aside(slot, Job::Script(running));
        self.world.later(busy_ns, Event::Continue(self.rank, slot));
    }

    /// The worker is free while the script waits.
    fn wait(&self, slot: usize, mut running: Running, reference: Reference) {
        running.awaited = Some(reference.clone());
        self.site().put_aside(slot, Job::Script(running));
        self.site().free_worker();
        let slot_of_value = reference.any();
        slot_of_value.request();
        self.protocol().want(self, &slot_of_value);
        slot_of_value.core().when_complete(Awaited::new(self, slot));
        self.rouse();
    }

    /// The worker is free while the arrays of a value are fetched again.
    fn wait_again(&self, slot: usize, mut running: Running, reference: Reference, missed: &[Arc<Holding>]) {
        running.awaited = Some(reference);
        self.site().put_aside(slot, Job::Script(running));
        self.site().free_worker();
        self.fetch_again(slot, missed);
    }

    /// Tells the script what it waited for.
    fn take_in(&self, running: &mut Running, reference: &Reference) -> Taken {
        let mut failed = None;
        let taken = self.tried(|| match reference.ready() {
            Some(Ok(value)) => {
                running.script.got(Ok(value.load()));
                running.goes_on_reading(value);
                Ok(())
            }
            Some(Err(error)) => {
                failed = code_of(&error);
                Err(error)
            }
            None => Err(Arc::new(Error::config("a script was woken before what it waits for was there"))),
        });
        match (taken, failed) {
            (Taken::Failed(_), Some(code)) => {
                running.script.got(Err(code));
                Taken::In
            }
            (taken, _) => taken,
        }
    }

    fn ends(&self, slot: usize, running: Running, outcome: Result<Vec<SimLoad>, Error>) {
        let Running { script, task, read, .. } = running;
        read.iter().for_each(|value| drop(value.load()));
        drop(read);
        match task {
            Some(task) => {
                match outcome {
                    Ok(loads) => task.complete(loads.into_iter().map(|load| self.value(load)).collect()),
                    Err(error) => Runnable::fail(&*task, Arc::new(error)),
                }
                let task: Arc<dyn Runnable> = task;
                self.protocol().over(self, &task);
                drop(task);
                if self.world.setting.crowded {
                    self.protocol().reclaim_bytes(self, u64::MAX);
                }
            }
            None => self.world.answered(match outcome {
                Ok(loads) => Ok(loads.iter().map(|load| Ok(load.digest())).collect()),
                Err(error) => code_of(&error).map_or(Err(error), |code| Ok(vec![Err(code)])),
            }),
        }
        drop(script);
        self.vacate(slot);
    }

    /// The failure of that code, made on purpose.
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

/// The code of a failure that was made on purpose, wherever it stands in an error's text.
pub fn code_of(error: &Error) -> Option<u64> {
    let text = error.to_string();
    let (_, after) = text.split_once(ON_PURPOSE)?;
    after.split('.').next()?.parse().ok()
}

impl Running {
    fn new(spec: &Spec, arguments: Vec<SimLoad>, task: Option<Arc<SimTask>>, caller: u64) -> Running {
        Running {
            script: begin(spec, arguments),
            task,
            caller,
            awaited: None,
            errand: None,
            read: VecDeque::new(),
            debt_ns: 0,
        }
    }

    /// A value is read for a while: its array must be what it was until then.
    fn goes_on_reading(&mut self, value: Ref<SimValue>) {
        self.read.push_back(value);
        if self.read.len() > READ_MAX {
            drop(self.read.pop_front().map(|value| value.load()));
        }
    }
}
