//! The state of a simulated actor on its rank, and how it is saved and restored.

use crate::base::Error;
use crate::objects::{SerializedValue, encode};
use crate::protocol::ActorHandle;
use crate::registry::{ActorState, Arg};
use crate::sim::actor_model::{ActorModel, CallerState};
use crate::sim::task::{Body, SimArguments};
use crate::sim::value::{Reference, SimLoad, SimValue};
use serde::{Deserialize, Serialize};

/// An actor on its rank.
pub struct SimActor {
    /// What the sequential run has as well.
    pub model: ActorModel<Reference, ActorHandle>,
    /// An array that it holds, of which its owner keeps a copy of its own.
    pub page: Option<SimValue>,
}

/// A saved state without its attachments: a value for each caller with its references, one with the constructor's
/// arguments, and its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    seed: u64,
    /// Caller, number, and whether a call was skipped.
    caller_states: Vec<(u64, u64, bool)>,
    has_page: bool,
}

fn plain(load: SimLoad) -> Arg<SimValue> {
    Arg::Value(SimValue::new(load, |_, _| unreachable!("it has no array")))
}

/// The arguments that restore the actor.
///
/// # Errors
/// If the state is not that of a simulated actor.
pub fn save(state: &ActorState) -> Result<SerializedValue, Error> {
    let Some(SimActor { model, page }) = state.as_ref().and_then(|state| state.downcast_ref()) else {
        return Err(Error::config("the state to save is not that of a simulated actor"));
    };
    let caller_states = model.caller_states();
    let states = caller_states.iter().map(|state| (state.caller, state.number, state.skipped_call)).collect();
    let before =
        caller_states.iter().map(|state| SimLoad { references: state.last_references.clone(), ..SimLoad::of(0) });
    let constructor_arguments = model.constructor_arguments.iter();
    let references = constructor_arguments.clone().flat_map(|load| load.references.iter().cloned()).collect();
    let actors = constructor_arguments.flat_map(|load| load.actors.iter().cloned()).collect();
    let constructor_arguments = SimLoad { references, actors, ..SimLoad::of(0) };
    let mut given: Vec<Arg<SimValue>> = before.chain([constructor_arguments]).map(plain).collect();
    given.extend(page.clone().map(Arg::Value));
    let saved = Saved { seed: model.seed, caller_states: states, has_page: page.is_some() };
    encode(&SimArguments { body: Body::Restore(saved), given })
}

/// The actor that a constructor makes of its arguments, the last of which is `page`; `None` if the body is no
/// constructor.
pub fn construct(body: Body, mut values: Vec<SimLoad>, page: Option<SimValue>) -> Option<SimActor> {
    match body {
        Body::CreateActor(seed) | Body::CreateCheckpointed(seed) => {
            Some(SimActor { model: ActorModel::new(seed, false, values), page: None })
        }
        Body::CreateStateless(seed) => Some(SimActor { model: ActorModel::new(seed, true, values), page: None }),
        Body::Restore(Saved { seed, caller_states, has_page }) => {
            let constructor_arguments = values.split_off(caller_states.len()).into_iter().take(1).collect();
            let caller_states = caller_states.into_iter().zip(values).map(|((caller, number, skipped_call), load)| {
                CallerState { caller, number, last_references: load.references, skipped_call }
            });
            let model = ActorModel::restored(seed, caller_states.collect(), constructor_arguments);
            Some(SimActor { model, page: page.filter(|_| has_page) })
        }
        Body::Script(_) | Body::Call(_) => None,
    }
}
