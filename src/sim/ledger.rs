//! The state of a simulated actor. What a call yields depends on the calls of the same caller before it, and on no others':
//! so the answers follow from the order of each caller alone (D3), and a call that is lost, repeated or overtaken shows.

use crate::sim::random::mix;
use crate::sim::script::Load;
use rustc_hash::FxHashMap;

/// An actor: for each caller, a number made of all its calls so far, and what it gave last.
pub struct Ledger<R, A> {
    seed: u64,
    callers: FxHashMap<u64, (u64, Vec<R>)>,
    /// What its constructor was given: held until it ends.
    _held: Vec<Load<R, A>>,
}

impl<R, A> Ledger<R, A> {
    /// Counts from `seed` and the constructor's arguments.
    pub fn new(seed: u64, arguments: Vec<Load<R, A>>) -> Ledger<R, A> {
        let seed = arguments.iter().fold(seed, |seen, load| mix(seen, load.digest()));
        Ledger { seed, callers: FxHashMap::default(), _held: arguments }
    }

    /// A call: yields the number so far, and the references that this caller gave in the call before.
    pub fn call(&mut self, caller: u64, arguments: Vec<Load<R, A>>) -> Load<R, A> {
        let (number, before) = self.callers.entry(caller).or_insert_with(|| (self.seed, Vec::new()));
        *number = arguments.iter().fold(mix(*number, 1), |seen, load| mix(seen, load.digest()));
        let given = arguments.into_iter().flat_map(|load| load.references).collect();
        Load { references: std::mem::replace(before, given), ..Load::of(*number) }
    }
}
