//! Bodies of simulated tasks: state machines made from a seed, because there are no fibers to put aside.
//!
//! A script says what it does next and is told what came of it. It is the same for the simulated cluster, where references
//! are the runtime's own, and for the sequential run, where they are places in a list: what it computes follows from its
//! [`Spec`] and its arguments alone, never from time, and so the two must agree.

mod fan;
mod herald;
mod leaf;
mod naming;
mod rounds;
mod spec;
mod tree;
mod wander;

pub use leaf::Length;
pub use spec::{Asks, Features, Life, Program, Spec};
pub use wander::SHARED_NAMES;

use crate::sim::random::mix;

/// What can be in a value, and what a script holds: a number, references to other values, handles of actors, an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load<R, A> {
    /// The number that the sequential run knows too.
    pub number: u64,
    /// References inside the value.
    pub references: Vec<R>,
    /// Actors' handles inside the value.
    pub actors: Vec<A>,
    /// Bytes of the array that goes with it, 0 where none does. What is in it follows from `number`.
    pub array_bytes: u32,
}

impl<R, A> Load<R, A> {
    /// A number and nothing else.
    pub fn of(number: u64) -> Load<R, A> {
        Load { number, references: Vec::new(), actors: Vec::new(), array_bytes: 0 }
    }

    /// Everything about the value that both runs must agree on.
    pub fn digest(&self) -> u64 {
        let shape = self.references.len() as u64 | (self.actors.len() as u64) << 16 | u64::from(self.array_bytes) << 32;
        mix(self.number, shape)
    }
}

/// An argument.
#[derive(Clone, Debug)]
pub enum Given<R, A> {
    /// By value; references inside it stay references.
    Value(Load<R, A>),
    /// By reference: resolved before the callee runs.
    Reference(R),
}

/// What a script does next.
#[derive(Debug)]
pub enum Deed<R, A> {
    /// Computes for so many nanoseconds.
    Burn(u64),
    /// Starts a task; `keep` is told its references.
    Spawn {
        /// Its body.
        spec: Spec,
        /// Its arguments.
        given: Vec<Given<R, A>>,
        /// Its options.
        asks: Asks,
    },
    /// Puts a value; `keep` is told its reference.
    Put(Load<R, A>),
    /// Waits for a value; `got` is told what came.
    Get(R),
    /// Cancels the task that makes this; nobody looks at what came of it.
    Cancel(R),
    /// Makes an actor; `meet` is told its handle.
    Make {
        /// What it counts from.
        seed: u64,
        /// The arguments of its constructor.
        given: Vec<Given<R, A>>,
        /// Where it goes.
        asks: Asks,
        /// What becomes of it when its rank dies.
        life: Life,
        /// Its name. Where another actor has it, every call of this one fails with `TAKEN`.
        name: Option<Name>,
    },
    /// Looks an actor up that has the name by now, or will have it again; `meet` is told its handle.
    Find(Name),
    /// Ends an actor that nobody calls any more.
    Kill(A),
    /// Waits until nobody has that name.
    AwaitFree(Name),
    /// Calls an actor; `keep` is told the reference.
    Call {
        /// Which.
        actor: A,
        /// The arguments.
        given: Vec<Given<R, A>>,
    },
    /// It is over: an actor is gone that was not ended.
    Lost,
    /// It is over: its results.
    Finish(Vec<Load<R, A>>),
    /// It is over: it failed, in a way that both runs know.
    Fail(u64),
}

/// The name of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// One that no other script gives or knows, by its number among those of this script.
    Own(u32),
    /// One that all know.
    Shared(u32),
}

impl Name {
    /// It, where `caller` is the script.
    pub fn of(self, caller: u64) -> String {
        match self {
            Name::Own(number) => format!("own-{caller}-{number}"),
            Name::Shared(number) => format!("shared-{number}"),
        }
    }
}

/// The failure of what is called by a name that another has.
pub const TAKEN: u64 = 7;

/// What came of a value that was waited for.
pub type Outcome<R, A> = Result<Load<R, A>, u64>;

/// A body under way.
pub trait Script<R, A>: Send {
    /// What it does next. After `Finish` and `Fail` it is not asked again.
    fn next(&mut self) -> Deed<R, A>;
    /// The references that a deed made.
    fn keep(&mut self, references: Vec<R>);
    /// The handle that a deed made.
    fn meet(&mut self, _actor: A) {}
    /// The value that was waited for, or the failure that a script made on purpose.
    fn got(&mut self, outcome: Outcome<R, A>);
}

/// What can stand for a reference or a handle.
pub trait Held: Clone + Send + 'static {}
impl<T: Clone + Send + 'static> Held for T {}

/// The body of `spec`, with the values of its arguments.
pub fn begin<R: Held, A: Held>(spec: &Spec, arguments: Vec<Load<R, A>>) -> Box<dyn Script<R, A>> {
    let seen = arguments.iter().fold(spec.seed, |seen, load| mix(seen, load.digest()));
    match &spec.program {
        Program::Wander { budget, features } => {
            Box::new(wander::Wander::new(spec, *budget, *features, seen, arguments))
        }
        Program::Herald { names, children, budget, features } => {
            Box::new(herald::Herald::new(spec.seed, *names, (*children, *budget), *features))
        }
        Program::Leaf(length) => Box::new(leaf::Burning::new(length.burn_ns(spec.seed), seen, 0)),
        Program::Block { bytes } => Box::new(leaf::Burning::new(0, seen, *bytes)),
        Program::Fan { children, placed, child } => {
            Box::new(fan::Fan::new(spec.seed, *children, *placed, (**child).clone()))
        }
        Program::Rounds { width, rounds, child } => {
            Box::new(rounds::Rounds::new(spec.seed, *width, *rounds, (**child).clone()))
        }
        Program::Near { blocks, bytes, uses, length } => {
            Box::new(rounds::Near::new(spec.seed, *blocks, *bytes, *uses, *length))
        }
        Program::Tree { mean_milli, depth, length } => {
            Box::new(tree::Tree::new(spec.seed, *mean_milli, *depth, *length))
        }
    }
}
