//! Actors from the caller's side: create, call, look up by name.

use crate::base::limits::NAME_BYTES_MAX;
use crate::base::{Error, Result};
use crate::protocol::{ActorHandle, ActorRef, Message, label_of, restart_policy_of};
use crate::registry::{Actor, Callable, Options, Outputs, Placement, Runnable, Task, TaskHeader};
use crate::runtime::tasks::context;
use crate::runtime::{Runtime, resources, router};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A handle without the methods: what every `<Name>Handle` wraps.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct RawHandle<A> {
    handle: ActorHandle,
    #[serde(skip)]
    kind: PhantomData<fn(A) -> A>,
}

impl<A> Clone for RawHandle<A> {
    fn clone(&self) -> Self {
        RawHandle::new(self.handle.0.clone())
    }
}

impl<A> fmt::Debug for RawHandle<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ActorHandle(actor) = &self.handle;
        write!(formatter, "{} ({} on rank {})", actor.label, actor.id, actor.location())
    }
}

impl<A> RawHandle<A> {
    fn new(actor: Arc<ActorRef>) -> RawHandle<A> {
        RawHandle { handle: ActorHandle(actor), kind: PhantomData }
    }

    /// Ends the actor: calls that have not run, and later ones, fail with `ActorDied`.
    pub fn kill(&self) {
        if let Some(runtime) = Runtime::current() {
            self.handle.0.kill(&runtime);
        }
    }

    /// Its type, and its name where it has one.
    pub fn label(&self) -> &str {
        &self.handle.0.label
    }

    /// The rank that it runs on; while it is being restarted, the one before.
    pub fn rank(&self) -> u32 {
        self.handle.0.location()
    }
}

/// Creates an actor; its handle is returned at once.
/// `N` is the actor's constructor.
pub fn create<A: Actor, N: Callable>(options: Options, args: N::Args) -> RawHandle<A> {
    let kind = ActorKind { label: A::NAME, name: A::NAME, has_checkpoint: A::CHECKPOINT.is_some() };
    create_of_kind::<A, N>(&kind, options, args)
}

/// What an actor is, where its type is known at run time only.
pub struct ActorKind<'a> {
    /// What errors call it.
    pub label: &'a str,
    /// The kind under which its name is registered and found.
    pub name: &'a str,
    /// True if its state is saved after each call.
    pub has_checkpoint: bool,
}

/// As `create`, for an actor of that kind.
pub fn create_of_kind<A, N: Callable>(kind: &ActorKind<'_>, options: Options, args: N::Args) -> RawHandle<A> {
    let label = label_of(kind.label, options.name.as_deref());
    let Some(runtime) = Runtime::current() else {
        return RawHandle::new(ActorRef::detached(label));
    };
    let header = TaskHeader::new(Some(Box::new(options.clone())), context::current_number());
    let task = Task::<N>::new(header, args);
    if let Err(error) = task.check_args() {
        return RawHandle::new(ActorRef::failed(&runtime, label, error));
    }
    let task: Arc<dyn Runnable> = task;
    // As for a task: its arguments decide first.
    let preferred =
        if matches!(options.place, Placement::Auto) { resources::preferred_rank(runtime, &task) } else { None };
    let location = match (preferred, options.bundle_slot()) {
        (Some(rank), _) => Ok(rank),
        (None, Some(slot)) => resources::location_for_actor(runtime, &options, slot, &label),
        (None, None) => runtime.protocol.actors.owner.select_rank(&runtime, &options, &label),
    };
    let location = match location {
        Ok(rank) => rank,
        Err(error) => return RawHandle::new(ActorRef::failed(&runtime, label, error)),
    };
    let policy = restart_policy_of(&options, kind.has_checkpoint);
    let actor = ActorRef::created(&runtime, location, policy, label.clone());
    let name = options.name.clone().map(|name| (name, kind.name.to_string()));
    if let Some((name, kind)) = &name
        && let Err(error) = register_name(runtime, name, kind, &actor)
    {
        // The name is not registered and the actor never lives. The caller gets a fresh id: dropping the handle made
        // for registration forgets its own.
        return RawHandle::new(ActorRef::failed(&runtime, label, error));
    }
    runtime.output.traces.record_submission(runtime, &task);
    runtime.protocol.actors.owner.create(&runtime, &actor, name, task);
    RawHandle::new(actor)
}

/// Calls a method; references to its results are returned at once.
pub fn call<A, M: Callable>(handle: &RawHandle<A>, args: M::Args) -> <M::Outputs as Outputs>::Refs {
    call_with::<A, M>(handle, None, args)
}

/// As `call`, with options: of a call they say no more than how many results it has.
pub fn call_with<A, M: Callable>(
    handle: &RawHandle<A>,
    options: Option<Box<Options>>,
    args: M::Args,
) -> <M::Outputs as Outputs>::Refs {
    let task = Task::<M>::new(TaskHeader::new(options, context::current_number()), args);
    let refs = M::Outputs::refs(&task);
    let Some(runtime) = Runtime::current() else {
        task.fail(Arc::new(Error::no_cluster(M::NAME)));
        return refs;
    };
    if let Err(error) = task.check_args() {
        task.fail(Arc::new(error));
        return refs;
    }
    let task: Arc<dyn Runnable> = task;
    runtime.output.traces.record_submission(runtime, &task);
    if let Some(location) = handle.handle.0.submit(&runtime, task) {
        router::throttle(runtime, location);
    }
    refs
}

/// The handle of the actor of that name, whichever rank created it.
///
/// ```
/// use mobula::prelude::*;
///
/// pub struct Counter {
///     value: u64,
/// }
///
/// #[mobula::actor]
/// impl Counter {
///     pub fn new() -> Self {
///         Counter { value: 0 }
///     }
///     pub fn increment(&mut self) -> u64 {
///         self.value += 1;
///         self.value
///     }
/// }
///
/// #[mobula::remote]
/// fn visit() -> mobula::Result<u64> {
///     Ok(*mobula::get_actor::<Counter>("visits")?.increment().get()?)
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let counter = Counter::options().name("visits").remote();
/// assert_eq!(*visit::remote().get()?, 1);
/// counter.kill();
/// let error = mobula::get_actor::<Counter>("vistis").map(drop).unwrap_err();
/// assert_eq!(error.to_string(), "actor Counter \"vistis\" is not alive: no actor has the name \"vistis\"");
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Error::ActorDied` if no actor of that type has the name.
pub fn get_actor<A: Actor>(name: &str) -> Result<A::Handle>
where
    A::Handle: From<RawHandle<A>>,
{
    find::<A>(A::NAME, name).map(A::Handle::from)
}

/// As `get_actor`, for a type whose name, `kind`, is known at run time.
///
/// # Errors
/// As `get_actor`.
pub fn find<A>(kind: &str, name: &str) -> Result<RawHandle<A>> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("get_actor"))?;
    if name.len() > NAME_BYTES_MAX {
        let reason = format!("no name has more than {NAME_BYTES_MAX} bytes");
        return Err(Error::ActorDied { actor: label_of(kind, Some(name)), reason });
    }
    let directory_rank = runtime.protocol.names.directory_rank(&runtime, name);
    let outcome = runtime.waiting.names.request(runtime, directory_rank, |token| {
        runtime.send(directory_rank, &Message::NameGet { token, name: name.to_string(), kind: kind.to_string() });
    })?;
    match outcome {
        Ok(Some(actor)) => Ok(RawHandle::new(actor)),
        Ok(None) => Err(Error::ActorDied { actor: label_of(kind, Some(name)), reason: "no handle came".to_string() }),
        Err(error) => Err(Error::ActorDied { actor: label_of(kind, Some(name)), reason: error.to_string() }),
    }
}

/// Registers an actor's name at the name's directory rank; waits for the response.
fn register_name(runtime: &'static Runtime, name: &str, kind: &str, actor: &Arc<ActorRef>) -> Result<()> {
    let directory_rank = runtime.protocol.names.directory_rank(&runtime, name);
    let outcome = if directory_rank == runtime.cluster.rank {
        runtime.protocol.names.set(name.to_string(), kind.to_string(), actor.clone())
    } else {
        let name = (name.to_string(), kind.to_string());
        let response = runtime.waiting.names.request(runtime, directory_rank, |token| {
            runtime.protocol.names.request_registration(&runtime, directory_rank, token, name, actor);
        })?;
        response.map(drop)
    };
    outcome.map_err(|error| actor.died_error(error.to_string()))
}
