//! Names of actors, as the runtime's `handles` resolves them: the directory rank of the name responds to each request,
//! and the script is suspended until then.

use crate::base::{Error, Rank};
use crate::objects::Waiter;
use crate::protocol::{ActorHandle, ActorRef, Environment, Liveness, Message, Messenger, NameError};
use crate::sim::coverage::Coverage;
use crate::sim::node::{JobWaker, SimJob};
use crate::sim::script::TAKEN;
use crate::sim::scripts::{Awaited, ON_PURPOSE, RunningScript, ScriptPause};
use crate::sim::tasks::PendingActor;
use crate::sim::world::SimEnvironment;
use std::sync::Arc;

/// A script's request about a name.
pub struct NameRequest {
    /// What it requests.
    pub purpose: NamePurpose,
    /// The name.
    pub name: String,
    tries: u32,
    /// The directory rank that it was sent to, and the response, once there is one.
    pub response: Option<Box<(Rank, NameOutcome)>>,
}

/// What a script requests of a name.
pub enum NamePurpose {
    /// Register it for this actor.
    Register(Box<PendingActor>),
    /// Which actor has it?
    Find,
    /// Is it free?
    AwaitFree,
}

/// The response of the directory rank, or why there is none.
pub type NameOutcome = Result<Option<Arc<ActorRef>>, NameError>;

/// How long a script waits before it repeats a request.
pub const POLL_NS: u64 = 5_000;

/// How often a script repeats a request. A name resolves to its actor again soon after its directory rank died, and is
/// free soon after the named actor died.
const TRIES_MAX: u32 = 400;

/// The type of all simulated actors.
pub const KIND: &str = "totals";

impl NameRequest {
    /// A request that is to be sent.
    pub fn new(purpose: NamePurpose, name: String) -> NameRequest {
        NameRequest { purpose, name, tries: 0, response: None }
    }
}

impl SimEnvironment {
    /// Sends a request to the name's directory rank; the script goes on after the response.
    pub fn request_name(&self, slot: usize, mut running: RunningScript, request: NameRequest) {
        let name = request.name.clone();
        let names = &self.protocol().names;
        let directory_rank = names.directory_rank(self, &name);
        let registered = match &request.purpose {
            NamePurpose::Register(pending) => Some(pending.actor.clone()),
            _ => None,
        };
        running.awaited = Awaited::Name(request);
        self.node().suspend_waiting(slot, SimJob::Script(running));
        let token = self.node().add_name_request(slot, directory_rank);
        let kind = KIND.to_string();
        match registered {
            Some(actor) if directory_rank == self.rank => {
                self.on_name_response(token, names.set(name, kind, actor).map(|()| None));
            }
            Some(actor) => names.request_registration(self, directory_rank, token, (name, kind), &actor),
            None => self.send(directory_rank, &Message::NameGet { token, name, kind }),
        }
        if self.is_dead(directory_rank) {
            self.on_name_response(token, Err(self.death_error(directory_rank).into()));
        }
        self.schedule_work();
    }

    /// The request with that token has its response.
    pub fn on_name_response(&self, token: u64, outcome: NameOutcome) {
        if let Some(slot) = self.node().complete_name_request(token, outcome) {
            JobWaker::new(self, slot).notify();
        }
    }

    /// The actor that a script's name request yields, if any; else why the script cannot go on yet.
    pub fn name_reply(&self, mut request: NameRequest) -> Result<Option<ActorHandle>, ScriptPause> {
        let Some(response) = request.response.take() else { return Err(ScriptPause::Name(request)) };
        let (directory_rank, outcome) = *response;
        if outcome.is_err() && self.is_dead(directory_rank) {
            self.world.covered(Coverage::DirectoryRanksLost);
            return Err(ScriptPause::Name(request));
        }
        let NameRequest { purpose, name, tries, .. } = request;
        match (purpose, outcome) {
            (NamePurpose::Register(pending), Ok(_)) => {
                self.world.covered(Coverage::NamesRegistered);
                Ok(Some(self.create_actor(*pending)))
            }
            (NamePurpose::Register(pending), Err(reason)) => {
                let label = pending.actor.label.clone();
                if !matches!(reason, NameError::Taken { .. }) {
                    self.world.report_violation(format!("a name is refused: {reason}"));
                }
                self.world.covered(Coverage::NameConflicts);
                let (actor, reason) = (label.clone(), format!("{reason}; {ON_PURPOSE}{TAKEN}."));
                let error = Error::ActorDied { actor, reason };
                Ok(Some(ActorHandle(ActorRef::failed(self, label, error))))
            }
            (NamePurpose::Find, Ok(Some(actor))) => {
                self.world.covered(Coverage::NamesFound);
                Ok(Some(ActorHandle(actor)))
            }
            (NamePurpose::AwaitFree, Err(_)) => {
                self.world.covered(Coverage::NamesFreed);
                Ok(None)
            }
            (purpose, _) if tries < TRIES_MAX => {
                if matches!(purpose, NamePurpose::Find) {
                    self.world.covered(Coverage::NameLookupsRetried);
                }
                Err(ScriptPause::Repeat(NameRequest { tries: tries + 1, ..NameRequest::new(purpose, name) }))
            }
            (NamePurpose::Find, _) => {
                let reason = "no actor has the name by now".to_string();
                Err(ScriptPause::End(Err(Error::ActorDied { actor: name, reason })))
            }
            (NamePurpose::AwaitFree, Ok(_)) => {
                self.world.report_violation(format!("the name {name} is never free"));
                Ok(None)
            }
        }
    }
}
