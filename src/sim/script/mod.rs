//! Bodies of simulated tasks: state machines made from a seed, because the simulation has no fibers that it could
//! suspend.
//!
//! A script names its next op and is given the outcome. It is the same for the simulated cluster, where references are
//! the runtime's own, and for the sequential run, where they are indices into a list: what it computes follows from its
//! [`Spec`] and its arguments alone, never from time, and so the two must agree (SIM-2).

mod length;
mod named_actor;
mod random_workload;
mod shaped;
mod spec;

pub use length::Length;
pub use random_workload::SHARED_NAMES;
pub use spec::{Features, Life, Program, ScriptOptions, Spec};

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
    /// Bytes of the array that goes with it, 0 if there is none. Its contents follow from `number`.
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

/// The next op of a script.
#[derive(Debug)]
pub enum Op<R, A> {
    /// Computes for so many nanoseconds.
    Compute(u64),
    /// Starts a task; `on_references` is given its references.
    Spawn {
        /// Its body.
        spec: Spec,
        /// Its arguments.
        given: Vec<Given<R, A>>,
        /// Its options.
        task_options: ScriptOptions,
    },
    /// Puts a value; `on_references` is given its reference.
    Put(Load<R, A>),
    /// Waits for a value; `on_value` is given the outcome.
    Get(R),
    /// Cancels the task that computes this; its outcome is not read.
    Cancel(R),
    /// Creates an actor; `on_actor` is given its handle.
    CreateActor {
        /// The number that it starts from.
        seed: u64,
        /// The arguments of its constructor.
        given: Vec<Given<R, A>>,
        /// On which rank.
        task_options: ScriptOptions,
        /// What becomes of it when its rank dies.
        life: Life,
        /// Its name. If another actor has it, every call of this one fails with `TAKEN`.
        name: Option<Name>,
    },
    /// Looks up an actor that has the name by now, or will have it again; `on_actor` is given its handle.
    LookUpActor(Name),
    /// Kills an actor that no script calls any more.
    Kill(A),
    /// Waits until no actor has that name.
    AwaitNameFree(Name),
    /// Calls an actor; `on_references` is given the reference.
    Call {
        /// The actor.
        actor: A,
        /// The arguments.
        given: Vec<Given<R, A>>,
    },
    /// Ends: an actor has died that was not killed.
    ActorLost,
    /// Ends with its results.
    Finish(Vec<Load<R, A>>),
    /// Ends with a failure that both runs know.
    Fail(u64),
}

/// The name of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// One that no other script uses, by its number among those of this script.
    Own(u32),
    /// One that all scripts know.
    Shared(u32),
}

impl Name {
    /// The text of the name, if `caller` is the script.
    pub fn of(self, caller: u64) -> String {
        match self {
            Name::Own(number) => format!("own-{caller}-{number}"),
            Name::Shared(number) => format!("shared-{number}"),
        }
    }
}

/// The failure of a call by a name that another actor has.
pub const TAKEN: u64 = 7;

/// The outcome of a value that was waited for.
pub type ValueOutcome<R, A> = Result<Load<R, A>, u64>;

/// Everything about an outcome that both runs must agree on.
fn digest_of<R, A>(outcome: &ValueOutcome<R, A>) -> u64 {
    outcome.as_ref().map_or_else(|code| !code, Load::digest)
}

/// A script under way.
pub trait Script<R, A>: Send {
    /// Its next op. It is not called again after `Finish` and `Fail`.
    fn next(&mut self) -> Op<R, A>;
    /// The references that an op produced.
    fn on_references(&mut self, references: Vec<R>);
    /// The handle that an op produced.
    fn on_actor(&mut self, _actor: A) {}
    /// The value that was waited for, or the failure that a script made on purpose.
    fn on_value(&mut self, outcome: ValueOutcome<R, A>);
}

/// A reference or a handle.
pub trait ScriptRef: Clone + Send + 'static {}
impl<T: Clone + Send + 'static> ScriptRef for T {}

/// The script of `spec`, with the values of its arguments.
pub fn begin<R: ScriptRef, A: ScriptRef>(spec: &Spec, arguments: Vec<Load<R, A>>) -> Box<dyn Script<R, A>> {
    let seen = arguments.iter().fold(spec.seed, |seen, load| mix(seen, load.digest()));
    match &spec.program {
        Program::RandomWorkload { budget, features } => {
            Box::new(random_workload::RandomWorkload::new(spec, *budget, *features, seen, arguments))
        }
        _ => Box::new(shaped::Shaped::new(spec, seen)),
    }
}
