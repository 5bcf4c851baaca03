//! The state of a simulated actor. The result of a call depends on the earlier calls of the same caller, and on no
//! other caller's. The answers therefore follow from the order of each caller alone (SCHEDULING-3), and a call that is
//! lost, repeated or overtaken shows.

use crate::sim::random::mix;
use crate::sim::script::Load;
use rustc_hash::FxHashMap;

/// An actor: for each caller, the state that its calls have produced.
pub struct ActorModel<R, A> {
    /// The number that it starts from.
    pub seed: u64,
    /// It has no state: the result of a call follows from its arguments.
    stateless: bool,
    callers: FxHashMap<u64, CallerState<R>>,
    /// The arguments of its constructor, kept until the actor ends.
    pub constructor_arguments: Vec<Load<R, A>>,
}

/// The state that the calls of one caller have produced.
pub struct CallerState<R> {
    /// The caller.
    pub caller: u64,
    /// A number mixed from all its calls.
    pub number: u64,
    /// The references that the last call was given.
    pub last_references: Vec<R>,
    /// One of the calls never ran, because an argument was lost: the number differs from the sequential run's.
    pub skipped_call: bool,
}

impl<R, A> ActorModel<R, A> {
    /// An actor that starts from `seed` and the constructor's arguments.
    pub fn new(seed: u64, is_stateless: bool, arguments: Vec<Load<R, A>>) -> ActorModel<R, A> {
        let seed = arguments.iter().fold(seed, |seen, load| mix(seen, load.digest()));
        ActorModel { seed, stateless: is_stateless, callers: FxHashMap::default(), constructor_arguments: arguments }
    }

    /// An actor restored from a saved state.
    pub fn restored(seed: u64, states: Vec<CallerState<R>>, arguments: Vec<Load<R, A>>) -> ActorModel<R, A> {
        let callers = states.into_iter().map(|state| (state.caller, state)).collect();
        ActorModel { seed, stateless: false, callers, constructor_arguments: arguments }
    }

    /// The states of all callers, in the same order each time.
    pub fn caller_states(&self) -> Vec<&CallerState<R>> {
        let mut states: Vec<_> = self.callers.values().collect();
        states.sort_unstable_by_key(|state| state.caller);
        states
    }

    fn caller_state(&mut self, caller: u64) -> &mut CallerState<R> {
        let fresh = || CallerState { caller, number: self.seed, last_references: Vec::new(), skipped_call: false };
        self.callers.entry(caller).or_insert_with(fresh)
    }

    /// A call: returns the number so far, and the references that this caller passed in its previous call; `None` if an
    /// earlier call of it never ran.
    pub fn call(&mut self, caller: u64, arguments: Vec<Load<R, A>>) -> Option<Load<R, A>> {
        if self.stateless {
            return Some(Load::of(arguments.iter().fold(mix(self.seed, 1), |seen, load| mix(seen, load.digest()))));
        }
        let state = self.caller_state(caller);
        if state.skipped_call {
            return None;
        }
        state.number = arguments.iter().fold(mix(state.number, 1), |seen, load| mix(seen, load.digest()));
        let given = arguments.into_iter().flat_map(|load| load.references).collect();
        Some(Load { references: std::mem::replace(&mut state.last_references, given), ..Load::of(state.number) })
    }

    /// Records that a call of that caller never ran.
    pub fn skip(&mut self, caller: u64) {
        if !self.stateless {
            self.caller_state(caller).skipped_call = true;
        }
    }
}
