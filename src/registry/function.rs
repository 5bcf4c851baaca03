//! What can be called from other ranks, and its table.

use crate::base::Error;
use crate::base::panic::catch;
use crate::base::sync::lock;
use crate::objects::{Attachment, Object, SerializedValue, encode};
use crate::registry::failure::Failure;
use crate::registry::leaf::{LeafFn, run_leaf};
use crate::registry::task::{Runnable, Task, TaskHeader};
use crate::registry::{Arg, ArgList, CheckedTypes, Outputs};
use rustc_hash::FxHashMap as HashMap;
use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock};

/// A type whose `impl` block has the attribute [`#[mobula::actor]`](macro@crate::actor), which implements this trait.
///
/// ```
/// use mobula::Actor;
/// # pub struct Counter;
/// # #[mobula::actor]
/// # impl Counter {
/// #     pub fn new() -> Self {
/// #         Counter
/// #     }
/// # }
/// assert_eq!(Counter::NAME, "Counter");
/// let handles: Vec<<Counter as Actor>::Handle> = Vec::<CounterHandle>::new();
/// # drop(handles);
/// ```
pub trait Actor: Sized + Send + 'static {
    /// Its handle, `<Name>Handle`.
    type Handle;
    /// The type's name.
    const NAME: &'static str;
    /// How its state is saved, if its attribute says `checkpoint`.
    const CHECKPOINT: Option<&'static Checkpoint> = None;
}

/// How an actor's state becomes arguments of the constructor that restores it.
pub struct Checkpoint {
    /// Encodes the arguments; only for a state of that actor.
    pub save: SaveFn,
    /// The constructor's key in the table.
    pub restore: u64,
}

/// An actor's state as arguments.
///
/// # Errors
/// If `save` panics, or its result does not encode.
pub type SaveFn = fn(&ActorState) -> Result<SerializedValue, Error>;

impl Checkpoint {
    /// For the actor that `R` builds.
    pub const fn of<R: Callable>(save: SaveFn) -> Checkpoint {
        Checkpoint { save, restore: key_of(R::PATH, R::SIGNATURE) }
    }
}

/// The body of a `SaveFn` of the actor `A`.
///
/// # Errors
/// As for `SaveFn`.
pub fn save<A: Actor, S: Object>(state: &ActorState, save: impl FnOnce(&A) -> S) -> Result<SerializedValue, Error> {
    let state_lost = |reason: String| Error::ObjectLost { object: format!("the state of {}", A::NAME), reason };
    let Some(actor) = state.as_ref().and_then(|state| state.downcast_ref::<A>()) else {
        return Err(state_lost("it does not exist".to_string()));
    };
    match catch(|| encode(&(Arg::Value(save(actor)),))) {
        Ok(saved) => saved,
        Err(panic) => Err(state_lost(format!("its save panicked: {}", panic.text()))),
    }
}

/// An actor's state, by its type; `None` before it is created.
pub type ActorState = Option<Box<dyn Any + Send>>;

/// Creates an actor: what a constructor's `invoke` does.
///
/// # Errors
/// Those of `new`.
pub fn construct<A: Actor>(state: &mut ActorState, new: impl FnOnce() -> Result<A, Failure>) -> Result<(), Failure> {
    *state = Some(Box::new(new()?));
    Ok(())
}

/// Calls an actor's method `name`: what its `invoke` does.
///
/// # Errors
/// Those of the method; or that the state is not of that actor.
#[inline]
pub fn with_actor<A: Actor, V>(
    name: &str,
    state: &mut ActorState,
    call: impl FnOnce(&mut A) -> Result<V, Failure>,
) -> Result<V, Failure> {
    match state.as_mut().and_then(|state| state.downcast_mut::<A>()) {
        Some(actor) => call(actor),
        None => Err(Failure::Message(format!("{name} was called on something that is not a {}", A::NAME))),
    }
}

/// What a task calls: a function, an actor's constructor or its method. The macros implement it.
pub trait Callable: Sized + 'static {
    /// Its parameters, as a tuple of `Arg`s.
    type Args: ArgList;
    /// Its results: one object, or several.
    type Outputs: Outputs;
    /// Its name: of a constructor its actor's, of a method `Type.method`.
    const NAME: &'static str;
    /// Its location in the source.
    const PATH: &'static str;
    /// Its signature as written.
    const SIGNATURE: &'static str;
    /// What kind.
    const KIND: FunctionKind;
    /// For a constructor: how the actor's state is saved.
    const CHECKPOINT: Option<&'static Checkpoint> = None;
    /// True if it neither waits nor calls mobula, so that it may run where its call is received.
    const LEAF: bool = false;
    /// Its row in the table.
    const ENTRY: &'static TableEntry = &TableEntry {
        name: Self::NAME,
        path: Self::PATH,
        signature: Self::SIGNATURE,
        kind: Self::KIND,
        decode: |bytes, attachments, header| Ok(Task::<Self>::received(header, bytes, attachments)?),
        decode_plain: |entry, bytes, header| Some(Task::<Self>::received_plain(entry, header, bytes)?),
        leaf: if Self::LEAF { Some(run_leaf::<Self>) } else { None },
        returns: Self::Outputs::COUNT,
        key: key_of(Self::PATH, Self::SIGNATURE),
        checkpoint: Self::CHECKPOINT,
    };
    /// What this process has looked at of its types; `None` if they are never looked at.
    #[inline]
    fn checked() -> Option<&'static CheckedTypes> {
        None
    }
    /// The row of a call with these arguments: its own, unless one type stands for functions that were registered at
    /// run time.
    #[inline]
    fn entry_of(_args: &Self::Args) -> &'static TableEntry {
        Self::ENTRY
    }
    /// Runs the body.
    ///
    /// # Errors
    /// What the body returned as `Err`.
    fn invoke(args: Self::Args, state: &mut ActorState) -> Result<<Self::Outputs as Outputs>::Value, Failure>;
}

/// Builds a task from encoded arguments and their attachments.
///
/// # Errors
/// If they do not decode.
pub type DecodeFn = fn(&[u8], Vec<Attachment>, TaskHeader) -> Result<Arc<dyn Runnable>, Error>;

/// Builds a task of the function of that row from plain arguments; `None` if the bytes are not its arguments.
pub type DecodePlainFn = fn(&'static TableEntry, &[u8], TaskHeader) -> Option<Arc<dyn Runnable>>;

/// What kind of callable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// A free function.
    Task,
    /// An actor's constructor.
    New,
    /// An actor's method.
    Method,
}

/// One row of the function table.
#[derive(Clone, Copy)]
pub struct TableEntry {
    /// Its name.
    pub name: &'static str,
    /// Its location in the source.
    pub path: &'static str,
    /// Its signature as written.
    pub signature: &'static str,
    /// What kind.
    pub kind: FunctionKind,
    /// Builds a task from encoded arguments.
    pub decode: DecodeFn,
    /// Builds a task of this rank's peer from plain arguments.
    pub decode_plain: DecodePlainFn,
    /// Runs it where its call is received, if it is a leaf function.
    pub leaf: Option<LeafFn>,
    /// How many results a finished call returns to its owner.
    pub returns: usize,
    /// Its name between ranks (REGISTRY-1).
    pub key: u64,
    /// For a constructor: how the actor's state is saved.
    pub checkpoint: Option<&'static Checkpoint>,
}

/// A registration, which the macros submit.
pub struct Function {
    entry: &'static TableEntry,
}

impl Function {
    /// Of this callable.
    pub const fn of<C: Callable>() -> Function {
        Function { entry: C::ENTRY }
    }

    /// Of a row that stands for more than a type.
    pub const fn of_row(entry: &'static TableEntry) -> Function {
        Function { entry }
    }
}

inventory::collect!(Function);

/// The table: every remote function of this binary, by key, and the same sorted by path.
pub struct Functions {
    by_key: HashMap<u64, &'static TableEntry>,
    sorted: Vec<&'static TableEntry>,
}

/// The rows that the program registered at run time.
enum Registered {
    /// Nothing has used the table yet: more may come.
    Open(Vec<&'static TableEntry>),
    /// The table is in use, and stays as it is.
    Closed,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered::Open(Vec::new()));

/// True until the table is in use.
pub fn is_open() -> bool {
    matches!(*lock(&REGISTERED), Registered::Open(_))
}

/// Adds a row to the table; false if the table is in use already. The macros' functions need no such call.
pub fn register(entry: &'static TableEntry) -> bool {
    match &mut *lock(&REGISTERED) {
        Registered::Open(entries) => entries.push(entry),
        Registered::Closed => return false,
    }
    true
}

/// The function table of this process.
pub fn functions() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let mut sorted: Vec<&'static TableEntry> =
            inventory::iter::<Function>.into_iter().map(|function| function.entry).collect();
        if let Registered::Open(entries) = std::mem::replace(&mut *lock(&REGISTERED), Registered::Closed) {
            sorted.extend(entries);
        }
        sorted.sort_by_key(|entry| (entry.path, entry.signature));
        Functions { by_key: sorted.iter().map(|entry| (entry.key, *entry)).collect(), sorted }
    })
}

impl Functions {
    /// The row of that key.
    pub fn get(&self, key: u64) -> Option<&'static TableEntry> {
        self.by_key.get(&key).copied()
    }

    /// Every function as `path signature`, sorted.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.sorted.iter().map(|entry| format!("{} {}", entry.path, entry.signature))
    }

    /// A digest of the whole table: equal if two ranks have the same functions (REGISTRY-1).
    pub fn digest(&self) -> u64 {
        self.lines().fold(FNV_OFFSET, |digest, line| fnv(digest, line.as_bytes()))
    }

    /// Two functions with one key, if there are any: a path that a macro expanded twice.
    pub fn collision(&self) -> Option<(&'static TableEntry, &'static TableEntry)> {
        let mut seen = HashMap::default();
        self.sorted.iter().find_map(|entry| seen.insert(entry.key, *entry).map(|before| (before, *entry)))
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a.
const fn fnv(mut digest: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        digest = (digest ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    digest
}

/// The key of a function of this path and signature (REGISTRY-1).
pub const fn key_of(path: &str, signature: &str) -> u64 {
    fnv(fnv(FNV_OFFSET, path.as_bytes()), signature.as_bytes())
}
