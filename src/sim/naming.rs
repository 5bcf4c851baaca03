//! Names of actors, as the node's `handles` asks about them: each question is answered by the rank that keeps the name, and a
//! script is put aside until then.

use crate::base::{Error, Rank};
use crate::objects::{Attachment, Waiter};
use crate::protocol::{ActorRef, Driver, Message};
use crate::sim::feats::Feat;
use crate::sim::running::{ON_PURPOSE, Running};
use crate::sim::script::TAKEN;
use crate::sim::site::{Awaited, Job};
use crate::sim::tasks::Making;
use crate::sim::value::Handle;
use crate::sim::world::Here;
use std::sync::Arc;

/// What a script asks about a name.
pub enum Errand {
    /// It is to be given to this actor.
    Name(Making),
    /// Who has it?
    Find {
        /// The name.
        name: String,
        /// How often that was asked.
        tries: u32,
    },
    /// Does anybody have it?
    AwaitFree {
        /// The name.
        name: String,
        /// How often that was asked.
        tries: u32,
    },
}

/// The answer about a name, or what its question came to.
pub type Outcome = Result<Option<Arc<ActorRef>>, String>;

/// What came of an errand.
pub enum Answered {
    /// An actor.
    Met(Handle),
    /// Nobody has the name.
    Free,
    /// Nobody has the name, for too long.
    Nobody(Error),
    /// It is to be asked again after a while.
    Later(Errand),
    /// It is to be asked now: again, where who was asked is gone.
    Again(Errand),
}

/// How long who asks in vain waits before it asks again.
pub const POLL_NS: u64 = 5_000;

/// How often it asks. A name leads to its actor again soon after the rank that kept it is gone, and is free soon after its
/// bearer is.
const TRIES_MAX: u32 = 400;

impl Here {
    /// Asks the rank that keeps the name; the script goes on when that has answered.
    pub fn ask_about(&self, slot: usize, mut running: Running, errand: Errand) {
        let name = errand.name().to_string();
        let keeper = self.protocol().keeper_of(self, &name);
        let named = match &errand {
            Errand::Name(making) => Some((making.actor.clone(), making.kind())),
            _ => None,
        };
        running.errand = Some(errand);
        self.site().put_aside(slot, Job::Script(running));
        self.site().free_worker();
        let token = self.site().asks(slot, keeper);
        match named {
            Some((actor, kind)) if keeper == self.rank => {
                let outcome = self.protocol().names.set(name, kind, actor);
                self.named_as(token, outcome.map(|()| None));
            }
            Some((actor, kind)) => {
                let attachment = Attachment::Handle(actor);
                let wire = self.protocol().references.export(self, std::slice::from_ref(&attachment), keeper);
                if let Some(handle) = wire.ok().and_then(|wire| wire.into_iter().next()) {
                    self.send(keeper, &Message::NameSet { token, name, kind, handle });
                }
            }
            None => self.send(keeper, &Message::NameGet { token, name, kind: KIND.to_string() }),
        }
        if self.is_dead(keeper) {
            self.named_as(token, Err(String::new()));
        }
        self.rouse();
    }

    /// The question of that number is answered.
    pub fn named_as(&self, token: u64, outcome: Outcome) {
        if let Some(slot) = self.site().answer(token, outcome) {
            Awaited::new(self, slot).ready();
        }
    }

    /// What came of the errand of the script in that slot.
    pub fn answered_about(&self, slot: usize, errand: Errand) -> Answered {
        let Some((keeper, outcome)) = self.site().take_answer(slot) else { return Answered::Again(errand) };
        let gone = self.is_dead(keeper);
        match (errand, outcome) {
            (Errand::Name(making), Ok(_)) => {
                self.world.saw(Feat::NamesGiven);
                Answered::Met(self.build(making))
            }
            (Errand::Find { .. }, Ok(Some(actor))) => {
                self.world.saw(Feat::NamesFound);
                Answered::Met(Handle(actor))
            }
            (errand, Err(_)) if gone => {
                self.world.saw(Feat::KeepersLost);
                Answered::Again(errand)
            }
            (Errand::Name(making), Err(reason)) => {
                if !reason.contains("belongs to another") {
                    self.world.violated(format!("a name is refused: {reason}"));
                }
                self.world.saw(Feat::NamesTaken);
                let (actor, reason) = (making.actor.label.clone(), format!("{reason}; {ON_PURPOSE}{TAKEN}."));
                let error = Error::ActorDied { actor: actor.clone(), reason };
                Answered::Met(self.stillborn(actor, error))
            }
            (Errand::AwaitFree { .. }, Err(_)) => {
                self.world.saw(Feat::NamesFreed);
                Answered::Free
            }
            (Errand::Find { name, tries }, _) if tries < TRIES_MAX => {
                self.world.saw(Feat::NamesSoughtAgain);
                Answered::Later(Errand::Find { name, tries: tries + 1 })
            }
            (Errand::AwaitFree { name, tries }, Ok(_)) if tries < TRIES_MAX => {
                Answered::Later(Errand::AwaitFree { name, tries: tries + 1 })
            }
            (Errand::Find { name, .. }, _) => {
                let reason = "nobody has the name any more".to_string();
                Answered::Nobody(Error::ActorDied { actor: name, reason })
            }
            (Errand::AwaitFree { name, .. }, Ok(_)) => {
                self.world.violated(format!("the name {name} is never free"));
                Answered::Free
            }
        }
    }
}

/// The type of all simulated actors.
pub const KIND: &str = "ledger";

impl Errand {
    fn name(&self) -> &str {
        match self {
            Errand::Name(making) => making.name.as_deref().unwrap_or_default(),
            Errand::Find { name, .. } | Errand::AwaitFree { name, .. } => name,
        }
    }
}

impl Making {
    fn kind(&self) -> String {
        KIND.to_string()
    }
}

/// Questions about names that are not answered, or of which the answer was not looked at.
#[derive(Default)]
pub struct Asked {
    tokens: u64,
    /// By token: the slot of who asks, and whom.
    open: Vec<(u64, usize, Rank)>,
    /// By slot.
    answers: Vec<(usize, Rank, Outcome)>,
}

impl Asked {
    /// A question of the job in that slot; its number, which is never 0.
    pub fn ask(&mut self, slot: usize, keeper: Rank) -> u64 {
        self.tokens += 1;
        self.open.push((self.tokens, slot, keeper));
        self.tokens
    }

    /// Its answer: the slot of who asked, where it was open.
    pub fn answer(&mut self, token: u64, outcome: Outcome) -> Option<usize> {
        let place = self.open.iter().position(|(open, ..)| *open == token)?;
        let (_, slot, keeper) = self.open.swap_remove(place);
        self.answers.push((slot, keeper, outcome));
        Some(slot)
    }

    /// The questions that a rank was asked which is gone.
    pub fn lost(&self, gone: Rank) -> Vec<u64> {
        self.open.iter().filter(|(.., keeper)| *keeper == gone).map(|(token, ..)| *token).collect()
    }

    /// The answer for the job in that slot, and of whom.
    pub fn take(&mut self, slot: usize) -> Option<(Rank, Outcome)> {
        let place = self.answers.iter().position(|(other, ..)| *other == slot)?;
        let (_, keeper, outcome) = self.answers.swap_remove(place);
        Some((keeper, outcome))
    }
}
