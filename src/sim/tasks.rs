//! Tasks and actors, created as the runtime's `launch`, `create` and `call` do.

use crate::base::Error;
use crate::objects::ArrayMemory;
use crate::protocol::{ActorHandle, ActorRef, Environment, RankSelection, WorkQueue, label_of, restart_policy_of};
use crate::registry::{Arg, Options, Placement, Runnable, TaskHeader};
use crate::sim::names::KIND;
use crate::sim::script::{Given, Life, ScriptOptions};
use crate::sim::task::{Body, SimArguments, SimTask};
use crate::sim::value::{Reference, SimLoad, SimValue};
use crate::sim::world::SimEnvironment;
use std::sync::Arc;

/// An actor that is to be created.
pub struct PendingActor {
    /// Its handle.
    pub actor: Arc<ActorRef>,
    task: Arc<dyn Runnable>,
    /// The name that it is to have.
    pub name: Option<String>,
    /// Why no rank can run it.
    placement_error: Option<Error>,
}

impl SimEnvironment {
    /// Creates a task and launches it.
    pub fn spawn(
        &self,
        body: Body,
        given: Vec<Given<Reference, ActorHandle>>,
        task_options: ScriptOptions,
        caller: u64,
    ) -> Vec<Reference> {
        let task = SimTask::new(TaskHeader::new(self.options(task_options), caller), self.arguments(body, given));
        let references = task.references();
        self.launch(task);
        references
    }

    fn launch(&self, task: Arc<dyn Runnable>) {
        let header = task.header();
        if header.options.is_none() && task.all_values() {
            header.queue_fresh();
            return self.enqueue(task);
        }
        let placed = header.options.as_deref().map_or(Ok(None), |options| self.select_rank(options, header.name()));
        match placed {
            Ok(Some(rank)) if rank != self.rank => {
                if header.claim_waiting() {
                    self.protocol().tasks.send(self, &task, rank, None);
                }
            }
            Ok(_) => {
                let free = header.options.as_deref().is_none_or(Options::is_free);
                match if free { self.place_near_arguments(&task) } else { None } {
                    Some(rank) => self.send_to_arguments(&task, rank),
                    None => self.protocol().tasks.launch_here(self, task),
                }
            }
            Err(error) => self.protocol().tasks.fail(self, &task, error),
        }
    }

    /// Prepares an actor; it is created once it has its name.
    pub fn prepare_actor(
        &self,
        seed: u64,
        given: Vec<Given<Reference, ActorHandle>>,
        (task_options, life, name): (ScriptOptions, Life, Option<String>),
        caller: u64,
    ) -> PendingActor {
        let mut options = self.options(task_options).unwrap_or_default();
        options.name.clone_from(&name);
        let body = match life {
            Life::NotRestarted => Body::CreateActor(seed),
            Life::Checkpointed { restarts } => {
                (options.max_restarts, options.max_task_retries) = (Some(restarts), Some(u32::MAX));
                Body::CreateCheckpointed(seed)
            }
            Life::Stateless { restarts, retries } => {
                (options.max_restarts, options.max_task_retries) = (Some(restarts), Some(retries));
                Body::CreateStateless(seed)
            }
        };
        let label = label_of(KIND, name.as_deref());
        let location = self.protocol().actors.owner.select_rank(self, &options, &label);
        let at = location.as_ref().map_or(self.rank, |location| *location);
        let policy = restart_policy_of(&options, matches!(life, Life::Checkpointed { .. }));
        let actor = ActorRef::created(self, at, policy, label);
        let header = TaskHeader::new(Some(options), caller);
        let task: Arc<dyn Runnable> = SimTask::new(header, self.arguments(body, given));
        // An actor without a rank has no name either.
        let (name, placement_error) = (name.filter(|_| location.is_ok()), location.err());
        PendingActor { actor, task, name, placement_error }
    }

    /// Creates an actor that has its name; its handle is there at once.
    pub fn create_actor(&self, pending: PendingActor) -> ActorHandle {
        let PendingActor { actor, task, name, placement_error } = pending;
        if let Some(error) = placement_error {
            return ActorHandle(ActorRef::failed(self, actor.label.clone(), error));
        }
        self.protocol().actors.owner.create(self, &actor, name.map(|name| (name, KIND.to_string())), task);
        ActorHandle(actor)
    }

    /// Calls an actor.
    pub fn call(&self, actor: &ActorHandle, given: Vec<Given<Reference, ActorHandle>>, caller: u64) -> Vec<Reference> {
        let task = SimTask::new(TaskHeader::new(None, caller), self.arguments(Body::Call(caller), given));
        let references = task.references();
        actor.0.submit(self, task);
        references
    }

    /// Ends the actors of this rank.
    pub fn end_actors(&self) {
        let actors = &self.protocol().actors.instance;
        actors.living().into_iter().for_each(|id| actors.kill(self, id, "the run is over", false));
    }

    /// A value of this rank.
    pub fn value(&self, load: SimLoad) -> SimValue {
        SimValue::new(load, |bytes, length| self.block(bytes, length) as Arc<dyn ArrayMemory>)
    }

    fn arguments(&self, body: Body, given: Vec<Given<Reference, ActorHandle>>) -> SimArguments {
        let argument = |given| match given {
            Given::Value(load) => Arg::Value(self.value(load)),
            Given::Reference(reference) => Arg::Ref(reference),
        };
        SimArguments { body, given: given.into_iter().map(argument).collect() }
    }

    fn options(&self, task_options: ScriptOptions) -> Option<Box<Options>> {
        let options = match task_options {
            ScriptOptions::Default => return None,
            ScriptOptions::Rank(rank) => {
                Options { place: Placement::Rank(rank % self.world.setting.ranks), ..Options::default() }
            }
            ScriptOptions::Spread => Options { place: Placement::Spread, ..Options::default() },
            ScriptOptions::NoRetry => Options { max_retries: Some(0), ..Options::default() },
        };
        Some(Box::new(options))
    }
}
