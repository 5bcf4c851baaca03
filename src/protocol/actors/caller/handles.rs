//! Handles of actors.

use crate::base::forked::is_forked;
use crate::base::limits::NAME_SHOWN_BYTES;
use crate::base::sync::{AtomicU32, Ordering};
use crate::base::text::cut;
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{Attachment, attach, attached};
use crate::protocol::Message;
use crate::protocol::actors::caller::calls::PendingCall;
use crate::protocol::actors::caller::route::ActorRoute;
use crate::protocol::actors::instance::actor_instance::ActorInstance;
use crate::protocol::environment::{Environment, Liveness, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::wire::actor_message::{ActorMessage, RestartPolicy, WireActor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::{Arc, Mutex, OnceLock};

/// An actor as its handles know it. The handles of a process share one such value.
pub struct ActorRef {
    /// Its id; the owner created it and counts the ranks with handles.
    pub id: ObjectId,
    /// Its type, and its name where it has one.
    pub label: String,
    /// The policy for restarts when its rank dies; `None` if it is never restarted.
    pub restart_policy: Option<RestartPolicy>,
    /// The rank that runs it. It changes only for an actor with a restart policy, and only when no call is waiting: so
    /// a caller on that rank may go straight to the actor.
    location: AtomicU32,
    /// The route of this rank's calls, for an actor with a restart policy.
    pub(in crate::protocol) route: Mutex<ActorRoute<PendingCall>>,
    on_drop: Option<Arc<dyn HandleDrop>>,
    /// The actor itself, once this rank has called it here: one without a restart policy never moves.
    pub(in crate::protocol) instance: OnceLock<Arc<ActorInstance>>,
}

/// Called when the last handle of this process is dropped.
trait HandleDrop: Send + Sync {
    fn on_last_drop(&self, actor: &ActorRef);
}

struct CountedHandles<D>(D);

impl<D: Environment> HandleDrop for CountedHandles<D> {
    fn on_last_drop(&self, actor: &ActorRef) {
        let env = &self.0;
        if actor.restart_policy.is_some_and(|policy| policy.checkpoint) && !env.is_stopping() {
            let route = lock(&actor.route);
            let (unacked, (location, _)) = (route.unacked(), route.location());
            drop(route);
            if let Some(acked_below) = unacked {
                env.send(
                    location,
                    &Message::Actor { actor: actor.id, message: ActorMessage::ResultsAck { acked_below } },
                );
            }
        }
        if actor.id.owner != env.rank() {
            env.protocol().objects.references.on_released(env, actor.id, std::ptr::from_ref(actor).addr());
        } else if !env.is_stopping() {
            let _dropped_after_the_lock = env.protocol().actors.owner.forget(actor.id);
            let (location, _) = lock(&actor.route).location();
            let message = ActorMessage::Kill { reason: LAST_HANDLE_DROPPED.to_string(), forget: true };
            env.send(location, &Message::Actor { actor: actor.id, message });
        }
    }
}

/// The reason of an actor's end when no handle is left.
pub const LAST_HANDLE_DROPPED: &str = "its last handle was dropped";

impl ActorRef {
    /// From a handle in wire form.
    pub fn new(env: &impl Environment, wire: WireActor) -> Arc<ActorRef> {
        ActorRef::from_wire(wire, Some(Arc::new(CountedHandles(env.clone()))))
    }

    /// The first handle of an actor that this rank creates on `location`.
    pub fn created(
        env: &impl Environment,
        location: Rank,
        policy: Option<RestartPolicy>,
        label: String,
    ) -> Arc<ActorRef> {
        let actor = ObjectId { owner: env.rank(), number: env.protocol().objects.references.fresh_number() };
        let restart_policy = policy.filter(|_| location != env.rank());
        ActorRef::new(env, WireActor { actor, location, incarnation: 0, restart_policy, label })
    }

    /// The handle of an actor of this rank that failed at its creation: every call fails with `error`.
    pub fn failed(env: &impl Environment, label: String, error: Error) -> Arc<ActorRef> {
        let actor = ActorRef::created(env, env.rank(), None, label);
        env.protocol().actors.instance.fail_at_creation(actor.id, error);
        actor
    }

    /// An actor of no cluster, which cannot be called.
    pub fn detached(label: String) -> Arc<ActorRef> {
        let id = ObjectId { owner: Rank::MAX, number: 0 };
        ActorRef::uncounted(WireActor { actor: id, location: 0, incarnation: 0, restart_policy: None, label })
    }

    /// An actor whose handles are not counted.
    pub(in crate::protocol) fn uncounted(wire: WireActor) -> Arc<ActorRef> {
        ActorRef::from_wire(wire, None)
    }

    fn from_wire(wire: WireActor, on_drop: Option<Arc<dyn HandleDrop>>) -> Arc<ActorRef> {
        let WireActor { actor, location, incarnation, restart_policy: policy, label } = wire;
        let route = Mutex::new(ActorRoute::new(location, incarnation));
        Arc::new(ActorRef {
            id: actor,
            label,
            restart_policy: policy,
            location: AtomicU32::new(location),
            route,
            on_drop,
            instance: OnceLock::new(),
        })
    }

    /// The rank that runs it; while it is being moved, the previous one.
    pub fn location(&self) -> Rank {
        self.location.load(Ordering::Acquire)
    }

    /// Publishes a new location, once no call is waiting. The caller holds the lock of the route.
    pub(in crate::protocol) fn set_location(&self, location: Rank) {
        self.location.store(location, Ordering::Release);
    }

    /// The handle in wire form, with the newest known location.
    pub fn wire(&self) -> WireActor {
        let (location, incarnation) = lock(&self.route).location();
        WireActor {
            actor: self.id,
            location,
            incarnation,
            restart_policy: self.restart_policy,
            label: self.label.clone(),
        }
    }

    /// Ends an actor at its user's request.
    pub fn kill(&self, env: &(impl Messenger + Liveness)) {
        let message = ActorMessage::Kill { reason: "it was killed".to_string(), forget: false };
        // The rank that would restart it must know first.
        let owner_decides = self.restart_policy.is_some() && !env.is_dead(self.id.owner);
        let to = if owner_decides { self.id.owner } else { self.location() };
        env.send(to, &Message::Actor { actor: self.id, message });
    }

    /// The error of an operation that is impossible because the actor ended.
    pub fn died_error(&self, reason: impl Into<String>) -> Error {
        Error::ActorDied { actor: self.label.clone(), reason: reason.into() }
    }
}

impl Drop for ActorRef {
    fn drop(&mut self) {
        // A forked child's handles are those of the rank that it was made from.
        if let Some(on_drop) = self.on_drop.take().filter(|_| !is_forked()) {
            on_drop.on_last_drop(self);
        }
    }
}

/// A handle as part of a value: it travels as an attachment, and is counted.
#[derive(Clone)]
pub struct ActorHandle(pub Arc<ActorRef>);

impl Serialize for ActorHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match attach(Attachment::Handle(self.0.clone())) {
            Some(index) => serializer.serialize_u32(index),
            None => Err(serde::ser::Error::custom("an actor's handle has a meaning only inside its cluster")),
        }
    }
}

impl<'de> Deserialize<'de> for ActorHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = u32::deserialize(deserializer)?;
        match attached(index) {
            Some(Attachment::Handle(handle)) => handle
                .downcast::<ActorRef>()
                .map(ActorHandle)
                .map_err(|_| serde::de::Error::custom("the value attached to these bytes is no actor")),
            _ => Err(serde::de::Error::custom("no actor is attached to these bytes")),
        }
    }
}

/// How errors refer to an actor.
pub fn label_of(kind: &str, name: Option<&str>) -> String {
    name.map_or_else(|| kind.to_string(), |name| cut(format!("{kind} {name:?}"), NAME_SHOWN_BYTES))
}
