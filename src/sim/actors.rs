//! Execution of actors on a simulated rank: one step after the other, as the protocol decides, and each call takes
//! time.

use crate::base::Error;
use crate::protocol::{ActorInstance, ActorStep, failed_argument};
use crate::registry::{ActorState, Failure, Runnable};
use crate::scheduling::Grant;
use crate::sim::coverage::Coverage;
use crate::sim::node::SimJob;
use crate::sim::script::Load;
use crate::sim::scripts::{NotRead, code_of};
use crate::sim::state::SimActor;
use crate::sim::task::RESTORE_KEY;
use crate::sim::world::SimEnvironment;
use std::sync::Arc;

/// A call, or a constructor, that an actor is executing.
pub struct RunningCall {
    instance: Arc<ActorInstance>,
    task: Arc<dyn Runnable>,
    state: ActorState,
    constructs: bool,
}

/// How long a call takes.
const CALL_NS: u64 = 500;

/// Bytes of the array that an actor holds, at most.
const PAGE_BYTES_MAX: u64 = 200_000;

fn actor_state(state: &mut ActorState) -> Option<&mut SimActor> {
    state.as_mut().and_then(|state| state.downcast_mut())
}

impl SimEnvironment {
    /// Runs the next steps of an actor on a worker.
    pub fn step_actor(&self, instance: Arc<ActorInstance>) {
        loop {
            match instance.next_step(self) {
                ActorStep::Admit(_) => drop(instance.on_admitted(Grant::default())),
                ActorStep::Construct(task) => {
                    if task.header().entry.is_some_and(|entry| entry.key == RESTORE_KEY) {
                        self.world.covered(Coverage::StatesRestored);
                    }
                    return self.start_call(RunningCall { instance, task, state: None, constructs: true });
                }
                ActorStep::Call(task, state) => {
                    return self.start_call(RunningCall { instance, task, state, constructs: false });
                }
                ActorStep::Idle => {
                    self.node().free_worker();
                    return self.schedule_work();
                }
            }
        }
    }

    fn start_call(&self, call: RunningCall) {
        let slot = self.node().reserve();
        self.compute_for(slot, CALL_NS, SimJob::Actor(call));
    }

    /// The time that the call takes is over: runs it and reports its result.
    pub fn finish_call(&self, slot: usize, call: RunningCall) {
        let RunningCall { instance, task, mut state, constructs } = call;
        match self.load(&task) {
            Ok(()) => self.run_call(&task, &mut state),
            Err(NotRead::Evicted(missed)) => {
                let call = RunningCall { instance, task, state, constructs };
                return self.fetch_again(slot, SimJob::Actor(call), &missed);
            }
            Err(NotRead::Failed(error)) => {
                if task.header().claim_waiting() {
                    self.refuse_call(&task, &mut state, Arc::new(error));
                }
            }
        }
        if constructs {
            instance.on_constructed(self, &task, state);
        } else {
            self.replace_page(&task, &mut state);
            instance.on_called(self, &task, state);
        }
        self.node().release_slot(slot);
        self.step_actor(instance);
    }

    /// Now and then a checkpointed actor takes a new array. The one before must still hold what was written.
    fn replace_page(&self, task: &Arc<dyn Runnable>, state: &mut ActorState) {
        let Some(actor) = actor_state(state) else { return };
        drop(actor.page.as_ref().map(|page| page.load()));
        let number = task.header().caller.wrapping_mul(7) + self.world.now_ns();
        if number.is_multiple_of(4) {
            let array_bytes = (number % PAGE_BYTES_MAX) as u32;
            actor.page = Some(self.value(Load { array_bytes, ..Load::of(number) }));
        }
    }

    /// A call does not run, because of an argument.
    fn refuse_call(&self, task: &Arc<dyn Runnable>, state: &mut ActorState, error: Arc<Error>) {
        // A failure made on purpose is the same in the sequential run.
        if let (Some(actor), None) = (actor_state(state), code_of(&error)) {
            actor.model.skip(task.header().caller);
        }
        task.fail(error);
    }

    fn run_call(&self, task: &Arc<dyn Runnable>, state: &mut ActorState) {
        if !task.header().claim_waiting() {
            return;
        }
        match failed_argument(task) {
            Some(error) => self.refuse_call(task, state, error),
            None => drop(task.invoke(state, &|failure| match failure {
                Failure::Passed(error) => error,
                failure => {
                    self.world.report_violation(format!("{} fails: {failure:?}", task.header().name()));
                    self.failure("0")
                }
            })),
        }
    }
}
