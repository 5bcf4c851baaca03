//! The state of a simulated actor. What a call yields depends on the calls of the same caller before it, and on no others':
//! so the answers follow from the order of each caller alone (D3), and a call that is lost, repeated or overtaken shows.

use crate::sim::random::mix;
use crate::sim::script::Load;
use rustc_hash::FxHashMap;

/// An actor: for each caller, what its calls so far made.
pub struct Ledger<R, A> {
    /// What it counts from.
    pub seed: u64,
    /// It has no state: a call yields what follows from its arguments.
    echoes: bool,
    callers: FxHashMap<u64, Account<R>>,
    /// What its constructor was given: held until it ends.
    pub held: Vec<Load<R, A>>,
}

/// What the calls of one caller made.
pub struct Account<R> {
    /// Whose.
    pub caller: u64,
    /// A number made of all of them.
    pub number: u64,
    /// What the last one gave.
    pub before: Vec<R>,
    /// One of them never ran, because an argument was lost: the number is not what the sequential run has.
    pub spoiled: bool,
}

impl<R, A> Ledger<R, A> {
    /// Counts from `seed` and the constructor's arguments.
    pub fn new(seed: u64, echoes: bool, arguments: Vec<Load<R, A>>) -> Ledger<R, A> {
        let seed = arguments.iter().fold(seed, |seen, load| mix(seen, load.digest()));
        Ledger { seed, echoes, callers: FxHashMap::default(), held: arguments }
    }

    /// As it was saved.
    pub fn restored(seed: u64, accounts: Vec<Account<R>>, held: Vec<Load<R, A>>) -> Ledger<R, A> {
        let callers = accounts.into_iter().map(|account| (account.caller, account)).collect();
        Ledger { seed, echoes: false, callers, held }
    }

    /// The accounts of all callers, in the same order each time.
    pub fn accounts(&self) -> Vec<&Account<R>> {
        let mut accounts: Vec<_> = self.callers.values().collect();
        accounts.sort_unstable_by_key(|account| account.caller);
        accounts
    }

    fn account(&mut self, caller: u64) -> &mut Account<R> {
        let fresh = || Account { caller, number: self.seed, before: Vec::new(), spoiled: false };
        self.callers.entry(caller).or_insert_with(fresh)
    }

    /// A call: yields the number so far, and the references that this caller gave in the call before; `None` where a call
    /// before it never ran.
    pub fn call(&mut self, caller: u64, arguments: Vec<Load<R, A>>) -> Option<Load<R, A>> {
        if self.echoes {
            return Some(Load::of(arguments.iter().fold(mix(self.seed, 1), |seen, load| mix(seen, load.digest()))));
        }
        let account = self.account(caller);
        if account.spoiled {
            return None;
        }
        account.number = arguments.iter().fold(mix(account.number, 1), |seen, load| mix(seen, load.digest()));
        let given = arguments.into_iter().flat_map(|load| load.references).collect();
        Some(Load { references: std::mem::replace(&mut account.before, given), ..Load::of(account.number) })
    }

    /// A call of that caller never ran.
    pub fn spoil(&mut self, caller: u64) {
        if !self.echoes {
            self.account(caller).spoiled = true;
        }
    }
}
