//! Actors on this rank's workers: their constructors and calls, run as the protocol says.

use crate::protocol::{ActorHome, Step, failed_argument};
use crate::registry::{Runnable, State};
use crate::runtime::context::Context;
use crate::runtime::notes::Account;
use crate::runtime::queues::Work;
use crate::runtime::{Runtime, worker};
use crate::scheduling::{Grant, Request};
use std::sync::Arc;

/// Calls that an actor runs before its worker looks at other work.
const TURN_CALLS: usize = 64;

impl Runtime {
    /// Runs an actor's constructor or next calls, on the calling worker's fiber.
    pub(super) fn run_actor(&'static self, home: &Arc<ActorHome>) {
        for _ in 0..TURN_CALLS {
            match home.next(&self) {
                Step::Admit(request) => {
                    let Some(grant) = self.admit(&request) else {
                        return self.starve(request, Work::Actor(home.clone()));
                    };
                    if let Some((grant, cpu)) = home.admitted(grant) {
                        self.give_back(&grant);
                        self.give_back_cpu(cpu);
                    }
                }
                Step::Construct(task) => {
                    let options = task.header().options.as_ref();
                    let label = home.label();
                    if let Some(account) = options.and_then(|options| Account::new(options, &label)) {
                        let _ = home.kept.set(account);
                    }
                    let mut state = None;
                    self.perform(home, &task, &mut state);
                    home.constructed(&self, &task, state);
                }
                Step::Call(task, mut state) => {
                    self.perform(home, &task, &mut state);
                    home.called(&self, &task, state);
                }
                Step::Nothing => return,
            }
        }
        // The others had to wait long enough.
        self.push(Work::Actor(home.clone()));
    }

    /// Takes what an actor asks for, for as long as it lives.
    fn admit(&'static self, request: &Request) -> Option<Grant> {
        let grant = self.table.take_rest(request)?;
        if self.table.take_cpu(request.cpu) {
            return Some(grant);
        }
        self.give_back(&grant);
        None
    }

    /// Runs one call, or passes on the failure that one of its arguments holds.
    pub(super) fn perform(&'static self, home: &ActorHome, task: &Arc<dyn Runnable>, state: &mut State) {
        if !task.header().claim_waiting() {
            return;
        }
        if let Some(error) = failed_argument(task) {
            return task.fail(error);
        }
        let (label, gpus) = home.label_and_gpus();
        let began_ns = self.traces.on(task).then(crate::base::clock::now_ns);
        let worker = worker::here();
        let before = worker.map(|worker| worker.set_running_cpu(0));
        let printing = self.printing(task.header());
        {
            let account = home.kept.get().cloned().and_then(|kept| kept.downcast::<Account>().ok());
            let context = Context::of_call(task.header(), &gpus, &label).on_account(account.as_ref());
            let _running = context.enter();
            task.invoke(state, &|failure| self.blame(task.header(), failure));
        }
        drop(printing);
        if let (Some(worker), Some(before)) = (worker, before) {
            worker.set_running_cpu(before);
        }
        if let Some(began_ns) = began_ns {
            self.traces.ran(self, task, began_ns, worker.map_or(u32::MAX, |worker| worker.shared.index as u32));
        }
    }
}
