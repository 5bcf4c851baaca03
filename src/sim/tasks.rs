//! Tasks and actors as the runtime's own calls make them: what `launch`, `create` and `call` of the node do.

use crate::base::{Error, ObjectId};
use crate::objects::ArrayMemory;
use crate::protocol::{ActorRef, Driver, Target, WireActor, label_of, terms_of};
use crate::registry::{Arg, Header, Options, Placement, Runnable};
use crate::sim::naming::KIND;
use crate::sim::script::{Asks, Given, Life};
use crate::sim::task::{Arguments, Body, SimTask};
use crate::sim::value::{Handle, Reference, SimLoad, SimValue};
use crate::sim::world::Here;
use std::sync::Arc;

/// An actor that is to be built.
pub struct Making {
    /// Its handle.
    pub actor: Arc<ActorRef>,
    task: Arc<dyn Runnable>,
    /// The name that it is to have.
    pub name: Option<String>,
    /// Why it has no place.
    misplaced: Option<Error>,
}

impl Here {
    /// Makes a task and starts its life.
    pub fn spawn(&self, body: Body, given: Vec<Given<Reference, Handle>>, asks: Asks, caller: u64) -> Vec<Reference> {
        let task = SimTask::new(Header::new(self.options(asks), caller), self.arguments(body, given));
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
        let placed = header.options.as_deref().map_or(Ok(None), |options| self.place(options, header.name()));
        match placed {
            Ok(Some(rank)) if rank != self.rank => {
                if header.claim_waiting() {
                    self.protocol().send_task(self, &task, rank, None);
                }
            }
            Ok(_) => {
                let free = header.options.as_deref().is_none_or(Options::is_free);
                match if free { self.drawn_to(&task) } else { None } {
                    Some(rank) => self.launch_after_arguments(&task, rank),
                    None => self.protocol().launch_here(self, task),
                }
            }
            Err(error) => self.protocol().fail_task(self, &task, error),
        }
    }

    /// An actor that is to be built, once it has its name.
    pub fn make(
        &self,
        seed: u64,
        given: Vec<Given<Reference, Handle>>,
        (asks, life, name): (Asks, Life, Option<String>),
        caller: u64,
    ) -> Making {
        let mut options = self.options(asks).unwrap_or_default();
        options.name.clone_from(&name);
        let body = match life {
            Life::Mortal => Body::Make(seed),
            Life::Lasting { restarts } => {
                (options.max_restarts, options.max_task_retries) = (Some(restarts), Some(u32::MAX));
                Body::MakeLasting(seed)
            }
            Life::Echoing { restarts, retries } => {
                (options.max_restarts, options.max_task_retries) = (Some(restarts), Some(retries));
                Body::MakeEchoing(seed)
            }
        };
        let checkpoint = matches!(life, Life::Lasting { .. });
        let id = self.fresh_actor();
        let label = label_of("ledger", name.as_deref());
        let home = self.protocol().place_actor(self, &options, &label);
        let at = home.as_ref().map_or(self.rank, |home| *home);
        let terms = terms_of(&options, checkpoint).filter(|_| at != self.rank);
        let actor = ActorRef::new(self, WireActor { actor: id, home: at, incarnation: 0, terms, label });
        let header = Header::new(Some(options), caller);
        let task: Arc<dyn Runnable> = SimTask::new(header, self.arguments(body, given));
        // One that has no place has no name either.
        let (name, misplaced) = (name.filter(|_| home.is_ok()), home.err());
        Making { actor, task, name, misplaced }
    }

    /// Builds an actor that has its name; its handle is there at once.
    pub fn build(&self, making: Making) -> Handle {
        let Making { actor, task, name, misplaced } = making;
        if let Some(error) = misplaced {
            return self.stillborn(actor.label.clone(), error);
        }
        let kind = KIND.to_string();
        self.protocol().build_actor(self, &actor, name.map(|name| (name, kind)), task);
        Handle(actor)
    }

    /// The handle of an actor that never lives.
    pub fn stillborn(&self, label: String, error: Error) -> Handle {
        let id = self.fresh_actor();
        self.protocol().actors.stillborn(id, error);
        Handle(ActorRef::new(self, WireActor { actor: id, home: self.rank, incarnation: 0, terms: None, label }))
    }

    fn fresh_actor(&self) -> ObjectId {
        ObjectId { owner: self.rank, number: self.protocol().references.fresh_number() }
    }

    /// Ends an actor.
    pub fn kill(&self, actor: &Handle) {
        if let Ok(actor) = actor.0.clone().downcast::<ActorRef>() {
            self.protocol().kill_actor(self, &actor);
        }
    }

    /// Calls an actor.
    pub fn call(&self, actor: &Handle, given: Vec<Given<Reference, Handle>>, caller: u64) -> Vec<Reference> {
        let task = SimTask::new(Header::new(None, caller), self.arguments(Body::Call(caller), given));
        let references = task.references();
        let task: Arc<dyn Runnable> = task;
        let Ok(actor) = actor.0.clone().downcast::<ActorRef>() else {
            self.world.violated(format!("rank {} calls what is no actor", self.rank));
            return references;
        };
        task.header().hold_target(actor.clone());
        let home = actor.home();
        if let Some(terms) = actor.terms.filter(|terms| home != self.rank || terms.checkpoint) {
            if task.header().claim_waiting() {
                self.protocol().call_actor(self, &actor, terms, task);
            }
        } else if home == self.rank {
            let target = Target::of(actor.id);
            self.protocol().actors.call(self, target, (self.rank, caller), task);
        } else if task.header().claim_waiting() {
            self.protocol().send_task(self, &task, home, Some(actor.id));
        }
        references
    }

    /// Ends the actors that live here.
    pub fn end_actors(&self) {
        let actors = &self.protocol().actors;
        actors.living().into_iter().for_each(|id| actors.kill(self, id, "the run is over", false));
    }

    /// A value of this rank.
    pub fn value(&self, load: SimLoad) -> SimValue {
        SimValue::new(load, |bytes, length| self.block(bytes, length) as Arc<dyn ArrayMemory>)
    }

    fn arguments(&self, body: Body, given: Vec<Given<Reference, Handle>>) -> Arguments {
        let argument = |given| match given {
            Given::Value(load) => Arg::Value(self.value(load)),
            Given::Reference(reference) => Arg::Ref(reference),
        };
        Arguments { body, given: given.into_iter().map(argument).collect() }
    }

    fn options(&self, asks: Asks) -> Option<Box<Options>> {
        let options = match asks {
            Asks::Nothing => return None,
            Asks::Rank(rank) => Options::new().rank(rank % self.world.setting.ranks),
            Asks::Spread => Options::new().place(Placement::Spread),
            Asks::OnlyOnce => Options::new().max_retries(0),
        };
        Some(Box::new(options))
    }
}
