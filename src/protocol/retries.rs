//! Tasks whose rank died: started again, as long as their options allow; the rest fails by name.
//!
//! A task may run twice: the rank that died may have run it to its end and not been heard. Results count once, the first.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank, TaskId};
use crate::protocol::Protocol;
use crate::protocol::away::{Fate, Sent};
use crate::protocol::driver::Driver;
use crate::protocol::handles::ActorRef;
use crate::registry::{Header, Kind, Options, Runnable};
use std::sync::Arc;

/// How often a task is started again where its options do not say.
const RETRIES: u32 = 3;

/// How often a task with these options may be started again. One that was sent to a certain rank has no other place.
pub fn retries_of(options: Option<&Options>, kind: Kind) -> u32 {
    let moves = kind == Kind::Task && options.is_none_or(|options| options.just_rank().is_none());
    if moves { options.and_then(|options| options.max_retries).unwrap_or(RETRIES) } else { 0 }
}

impl Protocol {
    /// Starts again, or fails, this rank's tasks that were on `rank`, which is gone.
    pub fn retry_all_of(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        for number in self.away.on(rank) {
            self.retry(driver, number, rank, error);
        }
    }

    /// As `retry_all_of`, for one task.
    pub fn retry(&self, driver: &impl Driver, number: u64, gone: Rank, error: &Error) {
        let (Sent { task, args, .. }, hops) = match self.away.spend_retry(number, gone, self.rank) {
            Fate::Again(sent, hops) => (sent, hops),
            Fate::Elsewhere => return,
            Fate::Fails(task) => {
                let error = Arc::new(error_of(&task, error));
                task.header().release_target();
                driver.report((*error).clone());
                return task.fail(error);
            }
        };
        let (header, Some(entry), Some(args)) = (task.header(), task.header().entry, args) else { return };
        let id = TaskId { owner: self.rank, number };
        let mut again = Header::new(header.options.clone(), header.caller);
        again.origin = Some(id);
        (again.stealable, again.hops) = (header.stealable, hops);
        again.number.store(header.number.load(Ordering::Relaxed), Ordering::Relaxed);
        let returns = entry.returns;
        match (entry.decode)((*args).clone(), again) {
            Ok(again) => self.launch_again(driver, again),
            Err(error) => self.send_failure(driver, id, returns, error),
        }
    }

    fn launch_again(&self, driver: &impl Driver, task: Arc<dyn Runnable>) {
        let placed =
            task.header().options.as_deref().map_or(Ok(None), |options| driver.place(options, task.header().name()));
        match placed {
            Ok(Some(rank)) if rank != self.rank => {
                if task.header().claim_waiting() {
                    self.send_task(driver, &task, rank, false, None);
                }
            }
            Ok(_) => self.launch_here(driver, task),
            Err(error) => self.fail_task(driver, &task, error),
        }
    }
}

/// What a task that cannot be started again holds: for a call of an actor, that the actor is gone.
fn error_of(task: &Arc<dyn Runnable>, error: &Error) -> Error {
    let kind = task.header().entry.map_or(Kind::Task, |entry| entry.kind);
    if kind == Kind::Task {
        return error.clone();
    }
    let target = task.header().target().and_then(|target| target.downcast::<ActorRef>().ok());
    let actor = target.map_or_else(|| task.header().name().to_string(), |actor| actor.label.clone());
    Error::ActorDied { actor, reason: error.to_string() }
}
