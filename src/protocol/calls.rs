//! Calls of actors that are started again when their rank dies, from their callers' side: sent, waiting while the actor is
//! between two homes, made again.
//!
//! Whoever finds its actor's home dead asks the owner where it is now; nobody need know who holds handles, and a handle that was
//! on its way meanwhile finds out by itself.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::{Ordering, lock};
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::Parcel;
use crate::protocol::actor_message::{About, Target, Terms, WireActor};
use crate::protocol::away::Results;
use crate::protocol::driver::Driver;
use crate::protocol::handles::ActorRef;
use crate::protocol::route::Onward;
use crate::protocol::{Message, Protocol, Run};
use crate::registry::{Header, Runnable};
use std::sync::Arc;

/// A call of this rank that has no answer yet.
pub struct Flight {
    task: Arc<dyn Runnable>,
    /// Its arguments, where it may have to be sent, or sent again.
    args: Option<Arc<Parcel>>,
    retries: u32,
}

impl Flight {
    /// Its home died: whether it may be made again.
    pub(super) fn spend_retry(&mut self) -> bool {
        let Some(left) = self.retries.checked_sub(1).filter(|_| self.args.is_some()) else { return false };
        if self.retries != u32::MAX {
            self.retries = left;
        }
        true
    }
}

impl Protocol {
    /// Calls an actor that may be started again. The caller has claimed the task.
    pub fn call_actor(&self, driver: &impl Driver, actor: &Arc<ActorRef>, terms: Terms, task: Arc<dyn Runnable>) {
        let args = match task.pack() {
            Ok(args) => Arc::new(args),
            Err(error) => {
                driver.report(error.clone());
                return self.fail_call(&task, Arc::new(error));
            }
        };
        // What is made after the death of its home was noticed was never under way: it waits for the next home.
        self.mind_home(driver, actor);
        let mut route = lock(&actor.route);
        if let Some(error) = route.end() {
            drop(route);
            return self.fail_call(&task, error);
        }
        let number = self.away.put_call(task.clone(), route.home().0);
        let keep = terms.retries > 0 || !route.is_settled();
        let kept = keep.then(|| args.clone());
        let onward = route.add(number, Flight { task: task.clone(), args: kept, retries: terms.retries });
        let heard_below = route.heard_below();
        drop(route);
        if let Onward::Send(home, incarnation) = onward {
            let target = Target { actor: actor.id, incarnation, heard_below };
            self.send_call(driver, &task, (number, &args), home, target);
        }
    }

    /// Sends a call to the actor's home. What is sent to a rank that died meanwhile is lost: who finds that out makes it again.
    fn send_call(
        &self,
        driver: &impl Driver,
        task: &Arc<dyn Runnable>,
        (number, args): (u64, &Parcel),
        to: Rank,
        target: Target,
    ) {
        let (header, Some(entry)) = (task.header(), task.header().entry) else { return };
        let id = TaskId { owner: self.rank, number };
        let shown = header.number.load(Ordering::Relaxed);
        if to == self.rank {
            let mut again = Header::new(None, header.caller);
            again.origin = Some(id);
            again.number.store(shown, Ordering::Relaxed);
            return match (entry.decode)(args.clone(), again) {
                Ok(call) => self.actors.call(driver, target, (to, header.caller), call),
                Err(error) => self.send_failure(driver, id, entry.returns, error),
            };
        }
        match self.sealed(driver, args, to, INLINE_BYTES_MAX) {
            Ok(args) => driver.send(
                to,
                &Message::of_run(
                    Run {
                        task: id,
                        function: entry.key,
                        caller: header.caller,
                        number: shown,
                        actor: Some(target),
                        stealable: false,
                        hops: 0,
                        options: None,
                        args,
                    },
                    self.rank,
                ),
            ),
            Err(error) => {
                driver.report(error.clone());
                self.call_over(driver, number, task);
                self.away.take(number);
                self.fail_call(task, Arc::new(error));
            }
        }
    }

    fn fail_call(&self, task: &Arc<dyn Runnable>, error: Arc<Error>) {
        task.fail(error);
        task.header().take_target();
    }

    /// Fails calls that are not made again.
    fn fail_calls(&self, driver: &impl Driver, calls: Vec<(u64, Flight)>, error: &Arc<Error>) {
        for (number, flight) in calls {
            if self.away.take(number).is_some() {
                driver.report((**error).clone());
                self.fail_call(&flight.task, error.clone());
            }
        }
    }

    /// Whether that is a call of an actor with checkpoints.
    pub(super) fn is_saved_call(&self, number: u64) -> bool {
        let Some(Results::Of(task)) = self.away.get(number).map(|sent| sent.results) else { return false };
        let actor = task.header().target().and_then(|target| target.downcast::<ActorRef>().ok());
        actor.and_then(|actor| actor.terms).is_some_and(|terms| terms.checkpoint)
    }

    /// A call of this rank is over, whichever way: it lets go of its actor.
    pub(super) fn call_over(&self, driver: &impl Driver, number: u64, task: &Arc<dyn Runnable>) {
        let Some(target) = task.header().take_target() else { return };
        let Ok(actor) = target.downcast::<ActorRef>() else { return };
        let Some(terms) = actor.terms else { return };
        let mut route = lock(&actor.route);
        let (flight, tell) = route.over(number);
        let (home, below) = (route.home().0, route.heard_below());
        drop(route);
        drop(flight);
        if tell && terms.checkpoint {
            driver.send(home, &Message::Actor { actor: actor.id, about: About::Heard { below } });
        }
    }

    /// The handle of an actor named in a message from `from`.
    pub fn import_actor(&self, driver: &impl Driver, wire: &WireActor, from: Rank) -> Result<Arc<ActorRef>, Error> {
        let actor = self.references.import_actor(driver, wire, from)?;
        if actor.terms.is_some() {
            self.settle_actor(driver, &actor, wire.home, wire.incarnation);
            self.mind_home(driver, &actor);
        }
        Ok(actor)
    }

    /// The actor lives there now, where that is news.
    pub(super) fn settle_actor(&self, driver: &impl Driver, actor: &Arc<ActorRef>, home: Rank, incarnation: u32) {
        let doomed = lock(&actor.route).settle(home, incarnation, Flight::spend_retry);
        let Some(doomed) = doomed else { return };
        let reason = "its rank died while the call ran; it has been started again. To have such calls made again, give the \
                      actor max_task_retries";
        self.fail_calls(driver, doomed, &Arc::new(actor.died(reason)));
        self.forward(driver, actor, incarnation);
    }

    /// Sends the calls that wait to the actor's new home, one after the other; what is made meanwhile waits behind them.
    fn forward(&self, driver: &impl Driver, actor: &Arc<ActorRef>, incarnation: u32) {
        loop {
            let mut route = lock(&actor.route);
            let (home, heard_below) = (route.home().0, route.heard_below());
            let Some((number, flight)) = route.next(incarnation) else {
                if route.is_settled() && route.home().1 == incarnation {
                    actor.show_home(home);
                }
                return;
            };
            let task = flight.task.clone();
            let args = if flight.retries == 0 { flight.args.take() } else { flight.args.clone() };
            drop(route);
            let target = Target { actor: actor.id, incarnation, heard_below };
            if let Some(args) = args {
                self.send_call(driver, &task, (number, &args), home, target);
            }
        }
    }

    /// The actor is gone for good.
    pub(super) fn finish_actor(&self, driver: &impl Driver, actor: &Arc<ActorRef>, error: &Arc<Error>) {
        let calls = lock(&actor.route).finish(error.clone());
        self.fail_calls(driver, calls, error);
    }

    /// Where the actor's home is gone already, finds out where it is now.
    fn mind_home(&self, driver: &impl Driver, actor: &Arc<ActorRef>) {
        let (home, _) = lock(&actor.route).home();
        if driver.is_dead(home) {
            self.home_lost(driver, actor, home, &driver.death_of(home));
        }
    }

    /// The home of an actor of another rank may be gone, with `rank`; or its owner, while it was between two homes.
    fn home_lost(&self, driver: &impl Driver, actor: &Arc<ActorRef>, rank: Rank, error: &Error) {
        let owner = actor.id.owner;
        let (incarnation, asks) = {
            let mut route = lock(&actor.route);
            let lost = route.lost(rank, Flight::spend_retry);
            (route.home().1, lost || (rank == owner && route.is_moving()))
        };
        if !asks || owner == self.rank {
            return;
        }
        if !driver.is_dead(owner) {
            driver.send(owner, &Message::Actor { actor: actor.id, about: About::Where { incarnation } });
        }
        if driver.is_dead(owner) {
            let reason = format!("{error}; nobody starts it again, because rank {owner}, which made it, is gone");
            self.finish_actor(driver, actor, &Arc::new(actor.died(reason)));
        }
    }

    /// A rank is gone: actors of other ranks that lived there, or that this rank waits to hear of from there.
    pub(super) fn homes_lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        let actors = self.references.actors_of_others();
        let affected = actors.iter().filter(|actor| actor.terms.is_some());
        affected.for_each(|actor| self.home_lost(driver, actor, rank, error));
    }

    /// Its owner says what became of an actor.
    pub(super) fn on_lives(&self, driver: &impl Driver, id: ObjectId, incarnation: u32, home: Result<Rank, Error>) {
        // Where no handle is left here, nobody asks any more.
        let Some(actor) = self.references.find_actor(id) else { return };
        match home {
            Ok(home) => {
                self.settle_actor(driver, &actor, home, incarnation);
                self.mind_home(driver, &actor);
            }
            Err(error) => self.finish_actor(driver, &actor, &Arc::new(error)),
        }
    }
}
