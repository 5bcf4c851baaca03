//! Tasks whose rank died: started again, as long as their options allow; the rest fails by name.
//!
//! A task may run twice: the rank that died may have run it to its end and not been heard. Results count once, the first.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank, TaskId};
use crate::lineage::{Maker, Why};
use crate::objects::AnySlot;
use crate::protocol::away::{Fate, Results, Sent};
use crate::protocol::driver::Driver;
use crate::protocol::handles::ActorRef;
use crate::protocol::{Message, Protocol};
use crate::registry::{Header, Kind, Options, Runnable};
use std::sync::Arc;

/// How often a task is started again where its options do not say.
const RETRIES: u32 = 3;

/// How often a task with these options may be started again. One that was sent to a certain rank has no other place.
pub fn retries_of(options: Option<&Options>, kind: Kind) -> u32 {
    let moves = options.is_none_or(|options| options.just_rank().is_none() || options.retry_on_error == Some(true));
    if moves && kind == Kind::Task { options.and_then(|options| options.max_retries).unwrap_or(RETRIES) } else { 0 }
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
        let fate = self.away.spend_retry(number, gone, self.rank);
        self.meet(driver, number, fate, error);
    }

    /// A task of this rank could not begin where it was: its arguments were lost on the way there.
    pub(super) fn on_unbegun(&self, driver: &impl Driver, number: u64, hops: u32, error: &Error) {
        let fate = self.away.spend_on_loss(number, hops, self.rank);
        self.meet(driver, number, fate, error);
    }

    fn meet(&self, driver: &impl Driver, number: u64, fate: Fate, error: &Error) {
        match fate {
            Fate::Again(sent, hops) => {
                self.unwanted_no_more(driver, number, &sent);
                self.start_again(driver, number, &sent, hops);
            }
            Fate::Elsewhere => {}
            Fate::Fails(sent) => {
                self.unwanted_no_more(driver, number, &sent);
                let results = sent.results;
                let error = match &results {
                    Results::Of(task) => {
                        // Its label is its actor's, which it lets go of. Its route must not keep it: it may hold its own actor.
                        let error = error_of(task, error);
                        self.call_over(driver, number, task);
                        error
                    }
                    Results::Again(_) => error.clone(),
                };
                driver.report(error.clone());
                let error = Arc::new(error);
                match results {
                    Results::Of(task) => task.fail(error),
                    Results::Again(slots) => slots.iter().flatten().for_each(|slot| slot.fail(error.clone())),
                }
            }
        }
    }

    /// A task of this rank is over, or elsewhere, and who was told that nobody wants it may have let it go before it heard that:
    /// nothing would make it forget again.
    pub(super) fn unwanted_no_more(&self, driver: &impl Driver, number: u64, sent: &Sent) {
        if let Some(told) = sent.told {
            driver.send(told, &Message::Over { task: TaskId { owner: self.rank, number } });
        }
    }

    /// A task failed by itself: where its options say so, it is started again.
    pub(super) fn retried_on_error<'a>(
        &self,
        driver: &impl Driver,
        number: u64,
        mut errors: impl Iterator<Item = Option<&'a Error>>,
    ) -> bool {
        // Every result holds the same failure.
        if !matches!(errors.next(), Some(Some(Error::Task { .. }))) || !self.away.retries_errors(number) {
            return false;
        }
        let Some((sent, hops)) = self.away.spend_on_error(number, self.rank) else { return false };
        self.start_again(driver, number, &sent, hops);
        true
    }

    /// Starts a task of this rank again, under the number that it has.
    fn start_again(&self, driver: &impl Driver, number: u64, sent: &Sent, hops: u32) {
        let id = TaskId { owner: self.rank, number };
        let Some(args) = &sent.args else { return };
        let (entry, mut again) = match (&sent.results, &sent.recipe) {
            (Results::Of(task), _) => {
                let header = task.header();
                let Some(entry) = header.entry else { return };
                let mut again = Header::new(header.options.clone(), header.caller);
                again.stealable = header.stealable;
                again.number.store(header.number.load(Ordering::Relaxed), Ordering::Relaxed);
                (entry, again)
            }
            (Results::Again(_), Some(recipe)) => {
                let mut again = Header::new(recipe.options.clone(), recipe.caller);
                again.stealable = recipe.stealable;
                (recipe.entry, again)
            }
            (Results::Again(_), None) => return,
        };
        (again.origin, again.hops) = (Some(id), hops);
        match (entry.decode)((**args).clone(), again) {
            Ok(again) => self.launch_again(driver, again),
            Err(error) => self.send_failure(driver, id, entry.returns, error),
        }
    }

    /// Makes a result again that is not there any more; `slot` gets it. False where that may not be.
    pub(super) fn remake_into(&self, driver: &impl Driver, maker: &Maker, slot: Arc<dyn AnySlot>, why: Why) -> bool {
        let recipe = &maker.recipe;
        let under_way = recipe.again.load(Ordering::Acquire);
        if under_way != 0 && self.away.join(under_way, maker.index, &slot) {
            return true;
        }
        let Some(retries) = recipe.spend(why) else { return false };
        let Some(args) = recipe.parcel(&mut |argument| self.remake(driver, argument, why)) else { return false };
        let number = self.away.put_again(self.rank, recipe.clone(), Arc::new(args), retries);
        recipe.again.store(number, Ordering::Release);
        self.away.join(number, maker.index, &slot);
        let Some(sent) = self.away.get(number) else { return true };
        self.start_again(driver, number, &sent, 1);
        true
    }

    /// Makes an object again of which no reference is left: it is an argument of another one.
    fn remake(&self, driver: &impl Driver, maker: &Maker, why: Why) -> Option<Arc<dyn AnySlot>> {
        let recipe = &maker.recipe;
        recipe.spend(why)?;
        let args = recipe.parcel(&mut |argument| self.remake(driver, argument, why))?;
        let header = Header::new(recipe.options.clone(), recipe.caller);
        let task = (recipe.entry.decode)(args, header).ok()?;
        let slot = task.clone().slots().get(maker.index).cloned();
        self.launch_again(driver, task);
        slot
    }

    fn launch_again(&self, driver: &impl Driver, task: Arc<dyn Runnable>) {
        let placed =
            task.header().options.as_deref().map_or(Ok(None), |options| driver.place(options, task.header().name()));
        match placed {
            Ok(Some(rank)) if rank != self.rank => {
                if task.header().claim_waiting() {
                    self.send_task(driver, &task, rank, None);
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
