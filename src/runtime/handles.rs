//! Actors from their callers' side: making one, calling it, naming it.

use crate::base::{Error, ObjectId, Result};
use crate::objects::{Attachment, attach, attached};
use crate::protocol::{ActorRef, Message, Target, WireActor, label_of, terms_of};
use crate::registry::{Actor, ActorFn, ActorNew, Header, MethodOf, NewOf, Options, Outputs, Placement, Runnable, Task};
use crate::runtime::Runtime;
use crate::runtime::context;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A handle without the methods: what every `<Name>Handle` wraps.
pub struct RawHandle<A> {
    actor: Arc<ActorRef>,
    kind: PhantomData<fn(A) -> A>,
}

impl<A> Clone for RawHandle<A> {
    fn clone(&self) -> Self {
        RawHandle { actor: self.actor.clone(), kind: PhantomData }
    }
}

impl<A> fmt::Debug for RawHandle<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({} on rank {})", self.actor.label, self.actor.id, self.actor.home())
    }
}

impl<A> RawHandle<A> {
    fn new(actor: Arc<ActorRef>) -> RawHandle<A> {
        RawHandle { actor, kind: PhantomData }
    }

    /// Ends the actor: calls that have not run, and later ones, fail with `ActorDied`.
    pub fn kill(&self) {
        if let Some(runtime) = Runtime::current() {
            runtime.protocol.kill_actor(&runtime, &self.actor);
        }
    }

    /// The rank that it runs on; while it is being started again, the one before.
    pub fn rank(&self) -> u32 {
        self.actor.home()
    }
}

impl<A> Serialize for RawHandle<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match attach(Attachment::Handle(self.actor.clone())) {
            Some(index) => serializer.serialize_u32(index),
            None => Err(serde::ser::Error::custom("an actor's handle has a meaning only inside its cluster")),
        }
    }
}

impl<'de, A> Deserialize<'de> for RawHandle<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = u32::deserialize(deserializer)?;
        match attached(index) {
            Some(Attachment::Handle(handle)) => handle
                .downcast::<ActorRef>()
                .map(RawHandle::new)
                .map_err(|_| serde::de::Error::custom("what travels beside these bytes is no actor")),
            _ => Err(serde::de::Error::custom("no actor travels beside these bytes")),
        }
    }
}

/// Makes an actor; its handle is there at once.
pub fn create<N: ActorNew>(options: Options, args: N::Args) -> RawHandle<N::Actor> {
    let options = options.over(N::options());
    let label = label_of(N::Actor::NAME, options.name.as_deref());
    let Some(runtime) = Runtime::current() else {
        return RawHandle::new(ActorRef::nowhere(label));
    };
    let id = ObjectId { owner: runtime.rank, number: runtime.protocol.references.fresh_number() };
    let header = Header::new(Some(Box::new(options.clone())), context::current_number());
    let task: Arc<dyn Runnable> = Task::<NewOf<N>>::new(header, args);
    // As a task: after its arguments first.
    let drawn = if matches!(options.place, Placement::Auto) { runtime.drawn_to(&task) } else { None };
    let home = match (drawn, options.seat()) {
        (Some(rank), _) => Ok(rank),
        (None, Some(seat)) => runtime.home_for_actor(&options, seat, &label),
        (None, None) => runtime.protocol.place_actor(&runtime, &options, &label),
    };
    let home = match home {
        Ok(rank) => rank,
        Err(error) => return stillborn(runtime, id, label, error),
    };
    let terms = terms_of(&options, N::Actor::CHECKPOINT.is_some()).filter(|_| home != runtime.rank);
    let actor = ActorRef::new(&runtime, WireActor { actor: id, home, incarnation: 0, terms, label: label.clone() });
    let name = options.name.clone().map(|name| (name, N::Actor::NAME.to_string()));
    if let Some((name, kind)) = &name
        && let Err(error) = runtime.name(name, kind, &actor)
    {
        // Nobody may get at it by that name; it never lives. What is forgotten with the handle that was to have the name must
        // not be what the caller holds.
        let id = ObjectId { owner: runtime.rank, number: runtime.protocol.references.fresh_number() };
        return stillborn(runtime, id, label, error);
    }
    runtime.traces.made(runtime, &task);
    runtime.protocol.build_actor(&runtime, &actor, name, task);
    RawHandle::new(actor)
}

fn stillborn<A>(runtime: &'static Runtime, id: ObjectId, label: String, error: Error) -> RawHandle<A> {
    runtime.protocol.actors.stillborn(id, error);
    let dead = WireActor { actor: id, home: runtime.rank, incarnation: 0, terms: None, label };
    RawHandle::new(ActorRef::new(&runtime, dead))
}

/// Calls a method; its results are references at once.
pub fn call<M: ActorFn>(handle: &RawHandle<M::Actor>, args: M::Args) -> <M::Outputs as Outputs>::Refs {
    let task = Task::<MethodOf<M>>::new(Header::new(None, context::current_number()), args);
    let refs = task.refs();
    let task: Arc<dyn Runnable> = task;
    let Some(runtime) = Runtime::current() else {
        task.fail(Arc::new(Error::no_cluster(M::NAME)));
        return refs;
    };
    runtime.traces.made(runtime, &task);
    let actor = &handle.actor;
    task.header().hold_target(actor.clone());
    let home = actor.home();
    // What an actor with checkpoints gives is shown only when its state is kept: also to a caller on its own rank.
    let terms = actor.terms.filter(|terms| home != runtime.rank || terms.checkpoint);
    if let Some(terms) = terms {
        if task.header().claim_waiting() {
            runtime.protocol.call_actor(&runtime, actor, terms, task);
            runtime.throttle(home);
        }
    } else if home == runtime.rank {
        let target = Target::of(actor.id);
        runtime.protocol.actors.call(&runtime, target, (runtime.rank, task.header().caller), task);
    } else if task.header().claim_waiting() {
        runtime.protocol.send_task(&runtime, &task, home, Some(actor.id));
        runtime.throttle(home);
    }
    refs
}

/// The handle of the actor of that name.
///
/// # Errors
/// `Error::ActorDied` where no actor of that type has the name.
pub fn get_actor<A: Actor>(name: &str) -> Result<A::Handle>
where
    A::Handle: From<RawHandle<A>>,
{
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("get_actor"))?;
    let keeper = runtime.protocol.keeper_of(&runtime, name);
    let outcome = runtime.handles.ask(runtime, keeper, |token| {
        runtime.send(keeper, &Message::NameGet { token, name: name.to_string(), kind: A::NAME.to_string() });
    })?;
    match outcome {
        Ok(Some(actor)) => Ok(RawHandle::new(actor).into()),
        Ok(None) => {
            Err(Error::ActorDied { actor: label_of(A::NAME, Some(name)), reason: "no handle came".to_string() })
        }
        Err(reason) => Err(Error::ActorDied { actor: label_of(A::NAME, Some(name)), reason }),
    }
}

impl Runtime {
    /// Gives an actor its name, at the name's rank; waits for the answer.
    fn name(&'static self, name: &str, kind: &str, actor: &Arc<ActorRef>) -> Result<()> {
        let keeper = self.protocol.keeper_of(&self, name);
        let outcome = if keeper == self.rank {
            self.protocol.names.set(name.to_string(), kind.to_string(), actor.clone())
        } else {
            let attachment = Attachment::Handle(actor.clone());
            let wire = self.protocol.references.export(&self, std::slice::from_ref(&attachment), keeper)?;
            let Some(handle) = wire.into_iter().next() else { return Ok(()) };
            let (name, kind) = (name.to_string(), kind.to_string());
            let answer = self
                .handles
                .ask(self, keeper, |token| self.send(keeper, &Message::NameSet { token, name, kind, handle }))?;
            answer.map(drop)
        };
        outcome.map_err(|reason| Error::ActorDied { actor: actor.label.clone(), reason })
    }
}
