//! Actors at work on a simulated rank: one step after the other, as the protocol says, and each call takes its time.

use crate::base::Error;
use crate::protocol::{ActorHome, Step, failed_argument};
use crate::registry::{Failure, Runnable, State};
use crate::scheduling::Grant;
use crate::sim::feats::Feat;
use crate::sim::running::code_of;
use crate::sim::script::Load;
use crate::sim::site::Job;
use crate::sim::state::ActorState;
use crate::sim::task::RESTORE_KEY;
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

/// Bytes of an array that an actor holds, at most.
const PAGE_BYTES_MAX: u64 = 200_000;

fn acts_of(state: &mut State) -> Option<&mut ActorState> {
    state.as_mut().and_then(|state| state.downcast_mut())
}

impl Here {
    /// A worker does what an actor has to do next.
    pub fn step(&self, home: Arc<ActorHome>) {
        loop {
            match home.next(self) {
                Step::Admit(_) => drop(home.admitted(Grant::default())),
                Step::Construct(task) => {
                    if task.header().entry.is_some_and(|entry| entry.key == RESTORE_KEY) {
                        self.world.saw(Feat::StatesRestored);
                    }
                    return self.act(Acting { home, task, state: None, constructs: true });
                }
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
            self.turn_page(&task, &mut state);
            home.called(self, &task, state);
        }
        self.site().vacate(slot);
        self.step(home);
    }

    /// Now and then an actor that is saved takes a new array. The one before must be what it was.
    fn turn_page(&self, task: &Arc<dyn Runnable>, state: &mut State) {
        let Some(acts) = acts_of(state) else { return };
        drop(acts.page.as_ref().map(|page| page.load()));
        let number = task.header().caller.wrapping_mul(7) + self.world.now_ns();
        if number.is_multiple_of(4) {
            let array_bytes = (number % PAGE_BYTES_MAX) as u32;
            acts.page = Some(self.value(Load { array_bytes, ..Load::of(number) }));
        }
    }

    /// A call does not run, because of an argument.
    fn refuse(&self, task: &Arc<dyn Runnable>, state: &mut State, error: Arc<Error>) {
        // A failure that was made on purpose is the same in the sequential run.
        if let (Some(acts), None) = (acts_of(state), code_of(&error)) {
            acts.ledger.spoil(task.header().caller);
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
