//! Handles of actors.

use crate::base::sync::{AtomicU32, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::protocol::actor_message::{About, Terms, WireActor};
use crate::protocol::calls::Flight;
use crate::protocol::driver::Driver;
use crate::protocol::route::Route;
use crate::protocol::{Message, Protocol};
use std::sync::{Arc, Mutex};

/// An actor as its handles know it: one value a process, shared by the handles.
pub struct ActorRef {
    /// Its name; the owner made it and counts who holds handles.
    pub id: ObjectId,
    /// Its type, and its name where it has one.
    pub label: String,
    /// What holds where it is started again when its rank dies; `None` where it never is.
    pub terms: Option<Terms>,
    /// The rank that it runs on. It changes only for an actor with terms, and only when no call waits any more: so a caller on
    /// that rank may go straight to the actor.
    home: AtomicU32,
    /// Where this rank's calls go, of an actor with terms.
    pub(super) route: Mutex<Route<Flight>>,
    keeper: Option<Arc<dyn Keeper>>,
}

/// Who is told when no handle of this process is left.
trait Keeper: Send + Sync {
    fn last_dropped(&self, actor: &ActorRef);
}

struct KeptBy<D>(D);

impl<D: Driver> Keeper for KeptBy<D> {
    fn last_dropped(&self, actor: &ActorRef) {
        let driver = &self.0;
        if actor.terms.is_some_and(|terms| terms.checkpoint) && !driver.stopping() {
            let route = lock(&actor.route);
            let (untold, (home, _)) = (route.untold(), route.home());
            drop(route);
            if let Some(below) = untold {
                driver.send(home, &Message::Actor { actor: actor.id, about: About::Heard { below } });
            }
        }
        if actor.id.owner != driver.rank() {
            driver.protocol().references.released(driver, actor.id, std::ptr::from_ref(actor).addr());
        } else if !driver.stopping() {
            let _dropped_after_the_lock = driver.protocol().made.forget(actor.id);
            let (home, _) = lock(&actor.route).home();
            let about = About::Kill { reason: LAST_DROPPED.to_string(), last: true };
            driver.send(home, &Message::Actor { actor: actor.id, about });
        }
    }
}

/// Why an actor is gone that nobody can call any more.
pub const LAST_DROPPED: &str = "its last handle was dropped";

impl ActorRef {
    /// As the handle on its way says.
    pub fn new(driver: &impl Driver, wire: WireActor) -> Arc<ActorRef> {
        ActorRef::made_of(wire, Some(Arc::new(KeptBy(driver.clone()))))
    }

    /// An actor of no cluster, which nobody can reach.
    pub fn nowhere(label: String) -> Arc<ActorRef> {
        let id = ObjectId { owner: Rank::MAX, number: 0 };
        ActorRef::unkept(WireActor { actor: id, home: 0, incarnation: 0, terms: None, label })
    }

    /// An actor whose handles nobody counts.
    pub(super) fn unkept(wire: WireActor) -> Arc<ActorRef> {
        ActorRef::made_of(wire, None)
    }

    fn made_of(wire: WireActor, keeper: Option<Arc<dyn Keeper>>) -> Arc<ActorRef> {
        let WireActor { actor, home, incarnation, terms, label } = wire;
        let route = Mutex::new(Route::new(home, incarnation));
        Arc::new(ActorRef { id: actor, label, terms, home: AtomicU32::new(home), route, keeper })
    }

    /// The rank that it runs on; while it is between two, the one before.
    pub fn home(&self) -> Rank {
        self.home.load(Ordering::Acquire)
    }

    /// No call waits any more: the home is told to all. Under the lock of the route.
    pub(super) fn show_home(&self, home: Rank) {
        self.home.store(home, Ordering::Release);
    }

    /// The handle in wire form, with the newest that is known of its home.
    pub fn wire(&self) -> WireActor {
        let (home, incarnation) = lock(&self.route).home();
        WireActor { actor: self.id, home, incarnation, terms: self.terms, label: self.label.clone() }
    }

    /// The error of what can't be done because the actor is gone.
    pub fn died(&self, reason: impl Into<String>) -> Error {
        Error::ActorDied { actor: self.label.clone(), reason: reason.into() }
    }
}

impl Drop for ActorRef {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.last_dropped(self);
        }
    }
}

/// How an actor is called in errors.
pub fn label_of(kind: &str, name: Option<&str>) -> String {
    name.map_or_else(|| kind.to_string(), |name| format!("{kind} {name:?}"))
}

impl Protocol {
    /// Ends an actor because its user says so.
    pub fn kill_actor(&self, driver: &impl Driver, actor: &ActorRef) {
        let about = About::Kill { reason: "it was killed".to_string(), last: false };
        // Who would start it again must know first.
        let owner_decides = actor.terms.is_some() && !driver.is_dead(actor.id.owner);
        let to = if owner_decides { actor.id.owner } else { actor.home() };
        driver.send(to, &Message::Actor { actor: actor.id, about });
    }
}
