//! Actors from their callers' side: making one, calling it, naming it.

use crate::base::{Error, ObjectId, Rank, Result};
use crate::node::Node;
use crate::node::actors::{ActorRef, label_of};
use crate::node::context;
use crate::node::placing::request_of;
use crate::object::{Attachment, attach, attached};
use crate::protocol::{Message, WireAttachment};
use crate::registry::{Actor, ActorFn, ActorNew, Header, MethodOf, NewOf, Options, Outputs, Placement, Runnable, Task};
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
        write!(formatter, "{} ({} on rank {})", self.actor.label, self.actor.id, self.actor.home)
    }
}

impl<A> RawHandle<A> {
    fn new(actor: Arc<ActorRef>) -> RawHandle<A> {
        RawHandle { actor, kind: PhantomData }
    }

    /// Ends the actor: calls that have not run, and later ones, fail with `ActorDied`.
    pub fn kill(&self) {
        if let Some(node) = Node::current() {
            let reason = "it was killed".to_string();
            node.send(self.actor.home, &Message::Kill { actor: self.actor.id, reason });
        }
    }

    /// The rank that it runs on.
    pub fn rank(&self) -> u32 {
        self.actor.home
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
    let Some(node) = Node::current() else {
        let id = ObjectId { owner: Rank::MAX, number: 0 };
        return RawHandle::new(Arc::new(ActorRef { id, home: 0, label }));
    };
    let id = ObjectId { owner: node.rank, number: node.references.fresh_number() };
    let home = match node.place_actor(&options, &label) {
        Ok(rank) => rank,
        Err(error) => return stillborn(node, id, label, error),
    };
    let actor = Arc::new(ActorRef { id, home, label: label.clone() });
    if let Some(name) = &options.name
        && let Err(error) = node.name(name, N::Actor::NAME, &actor)
    {
        // Nobody may get at it by that name; it never lives.
        node.actors.stillborn(id, error.clone());
        return stillborn(node, id, label, error);
    }
    let header = Header::new(Some(Box::new(options)), context::current_number());
    let task: Arc<dyn Runnable> = Task::<NewOf<N>>::new(header, args);
    node.traces.made(node, &task);
    if home == node.rank {
        node.actors.build(node, id, task);
    } else if task.header().claim_waiting() {
        node.send_task(&task, home, false, Some(id));
    }
    RawHandle::new(actor)
}

fn stillborn<A>(node: &'static Node, id: ObjectId, label: String, error: Error) -> RawHandle<A> {
    node.actors.stillborn(id, error);
    RawHandle::new(Arc::new(ActorRef { id, home: node.rank, label }))
}

/// Calls a method; its results are references at once.
pub fn call<M: ActorFn>(handle: &RawHandle<M::Actor>, args: M::Args) -> <M::Outputs as Outputs>::Refs {
    let task = Task::<MethodOf<M>>::new(Header::new(None, context::current_number()), args);
    let refs = task.refs();
    let task: Arc<dyn Runnable> = task;
    let Some(node) = Node::current() else {
        task.fail(Arc::new(Error::no_cluster(M::NAME)));
        return refs;
    };
    node.traces.made(node, &task);
    let actor = &handle.actor;
    task.header().hold_target(actor.clone());
    if actor.home == node.rank {
        node.actors.call(node, actor.id, (node.rank, task.header().caller), task);
    } else if task.header().claim_waiting() {
        node.send_task(&task, actor.home, false, Some(actor.id));
        node.throttle(actor.home);
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
    let node = Node::current().ok_or_else(|| Error::no_cluster("get_actor"))?;
    let keeper = node.keeper_of(name);
    let outcome = node.handles.ask(node, keeper, |token| {
        node.send(keeper, &Message::NameGet { token, name: name.to_string(), kind: A::NAME.to_string() });
    })?;
    match outcome {
        Ok(Some(actor)) => Ok(RawHandle::new(actor).into()),
        Ok(None) => {
            Err(Error::ActorDied { actor: label_of(A::NAME, Some(name)), reason: "no handle came".to_string() })
        }
        Err(reason) => Err(Error::ActorDied { actor: label_of(A::NAME, Some(name)), reason }),
    }
}

impl Node {
    /// The rank that keeps a name.
    pub fn keeper_of(&self, name: &str) -> Rank {
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let first = (hash % u64::from(self.size)) as Rank;
        // The names that a rank kept are lost with it; the next one that lives keeps new ones.
        (0..self.size).map(|step| (first + step) % self.size).find(|rank| !self.is_dead(*rank)).unwrap_or(first)
    }

    /// Where an actor goes: where its options say, else the ranks in turn.
    fn place_actor(&'static self, options: &Options, label: &str) -> Result<Rank> {
        if let Some(seat) = options.seat() {
            return self.home_for_actor(options, seat, label);
        }
        let asked = request_of(options);
        let cpus = if options.num_cpus.is_some() { asked.cpu } else { 0 };
        let mut wanted = options.clone().num_cpus(crate::sched::amount_of(cpus));
        if matches!(wanted.place, Placement::Auto) {
            wanted.place = Placement::Spread;
        }
        Ok(self.place(&wanted, label)?.unwrap_or(self.rank))
    }

    /// Gives an actor its name, at the name's rank; waits for the answer.
    fn name(&'static self, name: &str, kind: &str, actor: &Arc<ActorRef>) -> Result<()> {
        let keeper = self.keeper_of(name);
        let outcome = if keeper == self.rank {
            self.actors.name_set(name.to_string(), kind.to_string(), actor.clone())
        } else {
            let attachment = Attachment::Handle(actor.clone());
            let wire = self.references.export(std::slice::from_ref(&attachment), keeper)?;
            let Some(handle) = wire.into_iter().next() else { return Ok(()) };
            let (name, kind) = (name.to_string(), kind.to_string());
            let answer = self
                .handles
                .ask(self, keeper, |token| self.send(keeper, &Message::NameSet { token, name, kind, handle }))?;
            answer.map(drop)
        };
        outcome.map_err(|reason| Error::ActorDied { actor: actor.label.clone(), reason })
    }

    /// Somebody names an actor.
    pub fn on_name_set(&'static self, from: Rank, token: u64, name: String, kind: String, handle: &WireAttachment) {
        let actor = self.named_actor(from, handle);
        let outcome = actor.and_then(|actor| self.actors.name_set(name, kind, actor));
        // The asker has its own handle: none travels back.
        self.send(from, &Message::Named { token, handle: outcome.map(|()| None) });
    }

    fn named_actor(&'static self, from: Rank, handle: &WireAttachment) -> Result<Arc<ActorRef>, String> {
        let WireAttachment::Actor { actor, home, label } = handle else {
            return Err("what came is no handle".to_string());
        };
        self.references.import_actor(self, *actor, *home, label, from).map_err(|error| error.to_string())
    }

    /// Somebody looks an actor up.
    pub fn on_name_get(&'static self, from: Rank, token: u64, name: &str, kind: &str) {
        let found = self.actors.name_get(name, kind);
        if from == self.rank {
            return self.handles.answer(token, found.map(Some));
        }
        let handle = found.and_then(|actor| {
            let attachment = Attachment::Handle(actor);
            let wire =
                self.references.export(std::slice::from_ref(&attachment), from).map_err(|error| error.to_string())?;
            wire.into_iter().next().ok_or_else(String::new)
        });
        self.send(from, &Message::Named { token, handle: handle.map(Some) });
    }

    /// The answer about a name.
    pub fn on_named(&'static self, from: Rank, token: u64, handle: Result<Option<WireAttachment>, String>) {
        let outcome = handle.and_then(|handle| handle.map(|handle| self.named_actor(from, &handle)).transpose());
        self.handles.answer(token, outcome);
    }
}
