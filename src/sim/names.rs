//! Names of actors, as the runtime's `handles` resolves them: the directory rank of the name responds to each request,
//! and the script is suspended until then.

use crate::base::{Error, Rank};
use crate::objects::{Attachment, Waiter};
use crate::protocol::{ActorRef, Environment, Liveness, Message, Messenger, NameError, export_attachments};
use crate::sim::coverage::Coverage;
use crate::sim::node::{JobWaker, SimJob};
use crate::sim::script::TAKEN;
use crate::sim::scripts::{ON_PURPOSE, RunningScript};
use crate::sim::tasks::PendingActor;
use crate::sim::value::Handle;
use crate::sim::world::SimEnvironment;
use std::sync::Arc;

/// What a script requests of a name.
pub enum NameRequest {
    /// Register it for this actor.
    Name(PendingActor),
    /// Which actor has it?
    Find {
        /// The name.
        name: String,
        /// How often that was requested.
        tries: u32,
    },
    /// Is it free?
    AwaitFree {
        /// The name.
        name: String,
        /// How often that was requested.
        tries: u32,
    },
}

/// The response of the directory rank, or why there is none.
pub type NameOutcome = Result<Option<Arc<ActorRef>>, NameError>;

/// What came of a name request.
pub enum NameReply {
    /// An actor.
    Actor(Handle),
    /// The name is free.
    Free,
    /// No actor has had the name for too long.
    NotFound(Error),
    /// Request again after a while.
    RetryLater(NameRequest),
    /// Request again now: the directory rank has died.
    RetryNow(NameRequest),
}

/// How long a script waits before it repeats a request.
pub const POLL_NS: u64 = 5_000;

/// How often a script repeats a request. A name resolves to its actor again soon after its directory rank died, and is
/// free soon after the named actor died.
const TRIES_MAX: u32 = 400;

impl SimEnvironment {
    /// Sends a request to the name's directory rank; the script goes on after the response.
    pub fn request_name(&self, slot: usize, mut running: RunningScript, name_request: NameRequest) {
        let name = name_request.name().to_string();
        let directory_rank = self.protocol().names.directory_rank(self, &name);
        let named = match &name_request {
            NameRequest::Name(pending) => Some((pending.actor.clone(), pending.kind())),
            _ => None,
        };
        running.name_request = Some(name_request);
        self.node().suspend(slot, SimJob::Script(running));
        self.node().free_worker();
        let token = self.node().add_name_request(slot, directory_rank);
        match named {
            Some((actor, kind)) if directory_rank == self.rank => {
                let outcome = self.protocol().names.set(name, kind, actor);
                self.on_name_response(token, outcome.map(|()| None));
            }
            Some((actor, kind)) => {
                let attachment = Attachment::Handle(actor);
                let wire = export_attachments(self, std::slice::from_ref(&attachment), directory_rank);
                if let Some(handle) = wire.ok().and_then(|wire| wire.into_iter().next()) {
                    self.send(directory_rank, &Message::NameSet { token, name, kind, handle });
                }
            }
            None => self.send(directory_rank, &Message::NameGet { token, name, kind: KIND.to_string() }),
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

    /// The outcome of the name request of the script in that slot.
    pub fn take_name_reply(&self, slot: usize, name_request: NameRequest) -> NameReply {
        let Some((directory_rank, outcome)) = self.node().take_name_response(slot) else {
            return NameReply::RetryNow(name_request);
        };
        let dead = self.is_dead(directory_rank);
        match (name_request, outcome) {
            (NameRequest::Name(pending), Ok(_)) => {
                self.world.covered(Coverage::NamesRegistered);
                NameReply::Actor(self.create_actor(pending))
            }
            (NameRequest::Find { .. }, Ok(Some(actor))) => {
                self.world.covered(Coverage::NamesFound);
                NameReply::Actor(Handle(actor))
            }
            (name_request, Err(_)) if dead => {
                self.world.covered(Coverage::DirectoryRanksLost);
                NameReply::RetryNow(name_request)
            }
            (NameRequest::Name(pending), Err(reason)) => {
                if !matches!(reason, NameError::Taken { .. }) {
                    self.world.report_violation(format!("a name is refused: {reason}"));
                }
                self.world.covered(Coverage::NameConflicts);
                let (actor, reason) = (pending.actor.label.clone(), format!("{reason}; {ON_PURPOSE}{TAKEN}."));
                let error = Error::ActorDied { actor: actor.clone(), reason };
                NameReply::Actor(self.create_failed_actor(actor, error))
            }
            (NameRequest::AwaitFree { .. }, Err(_)) => {
                self.world.covered(Coverage::NamesFreed);
                NameReply::Free
            }
            (NameRequest::Find { name, tries }, _) if tries < TRIES_MAX => {
                self.world.covered(Coverage::NameLookupsRetried);
                NameReply::RetryLater(NameRequest::Find { name, tries: tries + 1 })
            }
            (NameRequest::AwaitFree { name, tries }, Ok(_)) if tries < TRIES_MAX => {
                NameReply::RetryLater(NameRequest::AwaitFree { name, tries: tries + 1 })
            }
            (NameRequest::Find { name, .. }, _) => {
                let reason = "no actor has the name by now".to_string();
                NameReply::NotFound(Error::ActorDied { actor: name, reason })
            }
            (NameRequest::AwaitFree { name, .. }, Ok(_)) => {
                self.world.report_violation(format!("the name {name} is never free"));
                NameReply::Free
            }
        }
    }
}

/// The type of all simulated actors.
pub const KIND: &str = "totals";

impl NameRequest {
    fn name(&self) -> &str {
        match self {
            NameRequest::Name(pending) => pending.name.as_deref().unwrap_or_default(),
            NameRequest::Find { name, .. } | NameRequest::AwaitFree { name, .. } => name,
        }
    }
}

impl PendingActor {
    fn kind(&self) -> String {
        KIND.to_string()
    }
}

/// Requests about names that have no response yet, or whose response was not taken yet.
#[derive(Default)]
pub struct NameRequests {
    tokens: u64,
    /// By token: the requesting slot, and the directory rank.
    pending: Vec<(u64, usize, Rank)>,
    /// By slot.
    responses: Vec<(usize, Rank, NameOutcome)>,
}

impl NameRequests {
    /// Adds a request of the job in that slot; returns its token, which is never 0.
    pub fn add(&mut self, slot: usize, directory_rank: Rank) -> u64 {
        self.tokens += 1;
        self.pending.push((self.tokens, slot, directory_rank));
        self.tokens
    }

    /// Adds the response; returns the requesting slot if the request was pending.
    pub fn complete(&mut self, token: u64, outcome: NameOutcome) -> Option<usize> {
        let index = self.pending.iter().position(|(pending, ..)| *pending == token)?;
        let (_, slot, directory_rank) = self.pending.swap_remove(index);
        self.responses.push((slot, directory_rank, outcome));
        Some(slot)
    }

    /// The requests pending at a dead rank.
    pub fn pending_at(&self, dead: Rank) -> Vec<u64> {
        self.pending.iter().filter(|(.., directory_rank)| *directory_rank == dead).map(|(token, ..)| *token).collect()
    }

    /// Takes the response for the job in that slot, with the directory rank.
    pub fn take(&mut self, slot: usize) -> Option<(Rank, NameOutcome)> {
        let index = self.responses.iter().position(|(other, ..)| *other == slot)?;
        let (_, directory_rank, outcome) = self.responses.swap_remove(index);
        Some((directory_rank, outcome))
    }
}
