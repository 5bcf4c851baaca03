//! Actors at work on a simulated rank: one step after the other, as the protocol says, and each call takes its time.

use crate::base::Error;
use crate::protocol::{ActorHome, Step, failed_argument};
use crate::registry::{Failure, Runnable, State};
use crate::sched::Grant;
use crate::sim::ledger::Ledger;
use crate::sim::running::code_of;
use crate::sim::site::Job;
use crate::sim::value::{Handle, Reference};
use crate::sim::world::{Event, Here};
use std::sync::Arc;

/// A call, or a constructor, that an actor is busy with.
pub struct Acting {
    home: Arc<ActorHome>,
    task: Arc<dyn Runnable>,
    state: State,
    constructs: bool,
}

/// How long a call takes.
const CALL_NS: u64 = 500;

impl Here {
    /// A worker does what an actor has to do next.
    pub fn step(&self, home: Arc<ActorHome>) {
        loop {
            match home.next(self) {
                Step::Admit(_) => drop(home.admitted(Grant::default())),
                Step::Construct(task) => return self.act(Acting { home, task, state: None, constructs: true }),
                Step::Call(task, state) => return self.act(Acting { home, task, state, constructs: false }),
                Step::Nothing => {
                    self.site().free_worker();
                    return self.rouse();
                }
            }
        }
    }

    fn act(&self, acting: Acting) {
        let slot = self.site().reserve();
        let busy_ns = CALL_NS * self.site().slowness;
        self.site().computes(busy_ns);
        self.site().put_aside(slot, Job::Actor(acting));
        self.world.later(busy_ns, Event::Continue(self.rank, slot));
    }

    /// The time that the call took is over: its result is there.
    pub fn acted(&self, slot: usize, acting: Acting) {
        let Acting { home, task, mut state, constructs } = acting;
        match self.load_call(&task) {
            Ok(()) => self.perform(&task, &mut state),
            Err(Ok(missed)) => {
                self.site().put_aside(slot, Job::Actor(Acting { home, task, state, constructs }));
                self.site().free_worker();
                return self.fetch_again(slot, &missed);
            }
            Err(Err(error)) => {
                if task.header().claim_waiting() {
                    self.refuse(&task, &mut state, Arc::new(error));
                }
            }
        }
        if constructs {
            home.constructed(self, &task, state);
        } else {
            home.called(self, &task, state);
        }
        self.site().vacate(slot);
        self.step(home);
    }

    /// A call does not run, because of an argument.
    fn refuse(&self, task: &Arc<dyn Runnable>, state: &mut State, error: Arc<Error>) {
        let ledger = state.as_mut().and_then(|state| state.downcast_mut::<Ledger<Reference, Handle>>());
        // A failure that was made on purpose is the same in the sequential run.
        if let (Some(ledger), None) = (ledger, code_of(&error)) {
            ledger.spoil(task.header().caller);
        }
        task.fail(error);
    }

    fn perform(&self, task: &Arc<dyn Runnable>, state: &mut State) {
        if !task.header().claim_waiting() {
            return;
        }
        match failed_argument(task) {
            Some(error) => self.refuse(task, state, error),
            None => task.invoke(state, &|failure| match failure {
                Failure::Passed(error) => error,
                failure => {
                    self.world.violated(format!("{} fails: {failure:?}", task.header().name()));
                    self.failure("0")
                }
            }),
        }
    }
}
