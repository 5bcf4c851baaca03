//! The state of a simulated actor on its rank, and how it is saved and made again.

use crate::base::Error;
use crate::objects::{Parcel, encode};
use crate::registry::{Arg, State};
use crate::sim::ledger::{Account, Ledger};
use crate::sim::task::{Arguments, Body};
use crate::sim::value::{Handle, Reference, SimLoad, SimValue};
use serde::{Deserialize, Serialize};

/// What an actor is on its rank.
pub struct ActorState {
    /// What the sequential run has as well.
    pub ledger: Ledger<Reference, Handle>,
    /// An array that it holds, of which its owner keeps a copy of its own.
    pub page: Option<SimValue>,
}

/// A saved state, but for what travels beside it: a value for each caller with its references, one with what the actor was
/// made with, and its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    seed: u64,
    /// Caller, number, and whether it is spoiled.
    accounts: Vec<(u64, u64, bool)>,
    has_page: bool,
}

fn plain(load: SimLoad) -> Arg<SimValue> {
    Arg::Value(SimValue::new(load, |_, _| unreachable!("it has no array")))
}

/// The arguments that make the actor again.
///
/// # Errors
/// Where the state is none of these.
pub fn save(state: &State) -> Result<Parcel, Error> {
    let Some(ActorState { ledger, page }) = state.as_ref().and_then(|state| state.downcast_ref()) else {
        return Err(Error::config("a state that is none is saved"));
    };
    let accounts = ledger.accounts();
    let told = accounts.iter().map(|account| (account.caller, account.number, account.spoiled)).collect();
    let before = accounts.iter().map(|account| SimLoad { references: account.before.clone(), ..SimLoad::of(0) });
    let held = ledger.held.iter();
    let references = held.clone().flat_map(|load| load.references.iter().cloned()).collect();
    let actors = held.flat_map(|load| load.actors.iter().cloned()).collect();
    let held = SimLoad { references, actors, ..SimLoad::of(0) };
    let mut given: Vec<Arg<SimValue>> = before.chain([held]).map(plain).collect();
    given.extend(page.clone().map(Arg::Value));
    let saved = Saved { seed: ledger.seed, accounts: told, has_page: page.is_some() };
    encode(&Arguments { body: Body::Restore(saved), given })
}

/// Whether a body makes an actor, and whether that has a state.
pub fn made(body: &Body) -> Option<bool> {
    match body {
        Body::Make(_) | Body::MakeLasting(_) | Body::Restore(_) => Some(true),
        Body::MakeEchoing(_) => Some(false),
        Body::Script(_) | Body::Call(_) => None,
    }
}

/// What a constructor makes of its arguments, the last of which is `page`; `None` where it is none.
pub fn make(body: Body, mut values: Vec<SimLoad>, page: Option<SimValue>) -> Option<ActorState> {
    match body {
        Body::Make(seed) | Body::MakeLasting(seed) => {
            Some(ActorState { ledger: Ledger::new(seed, false, values), page: None })
        }
        Body::MakeEchoing(seed) => Some(ActorState { ledger: Ledger::new(seed, true, values), page: None }),
        Body::Restore(Saved { seed, accounts, has_page }) => {
            let held = values.split_off(accounts.len()).into_iter().take(1).collect();
            let accounts = accounts.into_iter().zip(values).map(|((caller, number, spoiled), load)| Account {
                caller,
                number,
                before: load.references,
                spoiled,
            });
            let ledger = Ledger::restored(seed, accounts.collect(), held);
            Some(ActorState { ledger, page: page.filter(|_| has_page) })
        }
        Body::Script(_) | Body::Call(_) => None,
    }
}
