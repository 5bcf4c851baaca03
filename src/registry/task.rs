//! One call: its arguments, its state, its results, in one allocation.
//!
//! ```text
//!   Waiting --last argument ready--> Queued --claim--> Claimed --(runs, is sent away, is failed)--> over
//! ```
//! `claim` is the only way out of `Queued` (R2): who wins it owns the arguments.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering, UnsafeCell, lock};
use crate::base::{Error, TaskId};
use crate::objects::{AnySlot, Attachment, Cell, Core, Object, Parcel, Slot};
use crate::registry::failure::Failure;
use crate::registry::function::{Callable, Kind, State, TableEntry};
use crate::registry::outputs::{Outputs, Single};
use crate::registry::{ArgList, Options};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Arguments are missing.
    Waiting,
    /// May be claimed.
    Queued,
    /// Claimed: running, sent away or over.
    Claimed,
}

/// What the node knows of a task, whatever it calls.
pub struct Header {
    phase: AtomicU8,
    cancelled: AtomicU8,
    /// References that are not ready yet, plus one while they are being counted.
    pub missing: AtomicU32,
    /// A number for pictures; 0 where the task is not recorded.
    pub number: AtomicU64,
    /// The function's row in the table; set when the task is made.
    pub entry: Option<&'static TableEntry>,
    /// What was asked for beyond the function's own defaults: merged, or `None` for 1 CPU and nothing else.
    pub options: Option<Box<Options>>,
    /// Who made the task and waits for its results, where that is another rank.
    pub origin: Option<TaskId>,
    /// The task that made this one, 0 for a driver: calls of an actor keep the order of their caller.
    pub caller: u64,
    /// Whether another rank may run it.
    pub stealable: bool,
    /// How often it was passed on to another rank or started again: its owner believes the latest word of where it is.
    pub hops: u32,
    /// What must live until the task is over: the handle of the actor that it is a call of.
    target: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
}

impl Header {
    /// Of a task that this process makes.
    pub fn new(options: Option<Box<Options>>, caller: u64) -> Header {
        Header {
            phase: AtomicU8::new(Phase::Waiting as u8),
            cancelled: AtomicU8::new(0),
            missing: AtomicU32::new(0),
            number: AtomicU64::new(0),
            entry: None,
            options,
            origin: None,
            caller,
            stealable: true,
            hops: 0,
            target: Mutex::new(None),
        }
    }

    /// Keeps `target` alive until `take_target`.
    pub fn hold_target(&self, target: Arc<dyn Any + Send + Sync>) {
        *lock(&self.target) = Some(target);
    }

    /// What `hold_target` keeps.
    pub fn target(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        lock(&self.target).clone()
    }

    /// The task is over: what `hold_target` kept.
    pub fn take_target(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        // Others never had one.
        if self.entry.is_none_or(|entry| entry.kind == Kind::Method) { lock(&self.target).take() } else { None }
    }

    /// Where the task stands.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Waiting,
            1 => Phase::Queued,
            _ => Phase::Claimed,
        }
    }

    /// Lets the task be claimed; false where somebody took it while it waited. Pairs with the acquire of `claim`.
    pub fn queue(&self) -> bool {
        self.phase
            .compare_exchange(Phase::Waiting as u8, Phase::Queued as u8, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// As `queue`, for a task that nobody else has seen yet.
    pub fn queue_fresh(&self) {
        self.phase.store(Phase::Queued as u8, Ordering::Release);
    }

    /// Takes a queued task; true for one caller alone (R2).
    pub fn claim(&self) -> bool {
        self.phase
            .compare_exchange(Phase::Queued as u8, Phase::Claimed as u8, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes a task that waits for arguments, so that it can be failed or sent away.
    pub fn claim_waiting(&self) -> bool {
        self.phase
            .compare_exchange(Phase::Waiting as u8, Phase::Claimed as u8, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Asks a running task to end: its waits fail from now on.
    pub fn cancel(&self) {
        self.cancelled.store(1, Ordering::Relaxed);
    }

    /// Whether the task was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) != 0
    }

    /// The name for people: the option's, else the function's.
    pub fn name(&self) -> &str {
        if let Some(name) = self.options.as_ref().and_then(|options| options.name.as_deref()) {
            // An actor's name is its own, not that of its constructor's task.
            if self.entry.is_none_or(|entry| entry.kind == Kind::Task) {
                return name;
            }
        }
        self.entry.map_or("task", |entry| entry.name)
    }
}

/// A million queued tasks are a million of these. A checker's atomics are larger.
#[cfg(not(loom))]
const _: () = assert!(size_of::<Header>() <= 96);

/// A call, whatever its types.
pub trait Runnable: Send + Sync {
    /// What the node knows of it.
    fn header(&self) -> &Header;
    /// Whether every argument is by value.
    fn all_values(&self) -> bool;
    /// Each argument that is a reference. Only before the claim, or by who claimed it.
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>));
    /// Runs the body and completes the results. Only by who claimed it; a second call does nothing.
    /// `blame` turns a failure into the error that the results hold.
    fn invoke(&self, state: &mut State, blame: &dyn Fn(Failure) -> Error);
    /// Drops the arguments and completes the results with a failure. Only by who claimed it.
    fn fail(&self, error: Arc<Error>);
    /// The arguments as bytes; they are dropped. Only by who claimed it.
    ///
    /// # Errors
    /// Where they do not encode.
    fn pack(&self) -> Result<Parcel, Error>;
    /// The results without their types, in order, as they are sent home.
    fn slots(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>>;
    /// The result, where a call has one alone that lives in it.
    fn only_slot(self: Arc<Self>) -> Option<Arc<dyn AnySlot>>;
    /// The objects that the caller holds, in order.
    fn objects(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>>;
}

/// One call of `C`.
pub struct Task<C: Callable> {
    header: Header,
    args: UnsafeCell<Option<C::Args>>,
    cells: <C::Outputs as Outputs>::Cells,
}

// SAFETY: `args` is touched only before the task is shared, or by who claimed it (R2); shared reads of it (`references`,
// `all_values`) happen before the claim is possible, in the thread that made the task. The rest is Sync by itself.
unsafe impl<C: Callable> Sync for Task<C> {}
// SAFETY: arguments and cells are Send.
unsafe impl<C: Callable> Send for Task<C> {}

impl<C: Callable> Task<C> {
    /// A call with its arguments, in phase `Waiting`.
    #[inline]
    pub fn new(mut header: Header, args: C::Args) -> Arc<Task<C>> {
        header.entry = Some(C::ENTRY);
        let cells = C::Outputs::cells(header.options.as_deref());
        Arc::new(Task { header, args: UnsafeCell::new(Some(args)), cells })
    }

    /// A call that came from another rank.
    ///
    /// # Errors
    /// Where its arguments do not decode.
    pub fn arrived(mut header: Header, mut arguments: Parcel) -> Result<Arc<Task<C>>, Error> {
        header.entry = Some(C::ENTRY);
        let cells = C::Outputs::arrive(&mut arguments)?;
        Ok(Arc::new(Task { header, args: UnsafeCell::new(Some(C::Args::decode(arguments)?)), cells }))
    }

    /// What the caller holds.
    #[inline]
    pub fn refs(self: &Arc<Self>) -> <C::Outputs as Outputs>::Refs {
        C::Outputs::refs(self)
    }

    /// Where the results go.
    pub(crate) fn cells(&self) -> &<C::Outputs as Outputs>::Cells {
        &self.cells
    }

    fn args(&self) -> Option<&C::Args> {
        // SAFETY: per the trait's contract the caller is the only one who may touch the arguments now (R2).
        self.args.with(|args| unsafe { (*args).as_ref() })
    }

    fn take_args(&self) -> Option<C::Args> {
        // SAFETY: as above.
        self.args.with_mut(|args| unsafe { (*args).take() })
    }
}

impl<C: Callable> Runnable for Task<C> {
    fn header(&self) -> &Header {
        &self.header
    }
    #[inline]
    fn all_values(&self) -> bool {
        self.args().is_none_or(ArgList::all_values)
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        if let Some(args) = self.args() {
            args.references(visit);
        }
    }
    fn invoke(&self, state: &mut State, blame: &dyn Fn(Failure) -> Error) {
        let Some(mut args) = self.take_args() else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if !args.all_values() {
                args.load().map_err(Failure::Passed)?;
            }
            C::invoke(args, state)
        }));
        let failure = match outcome {
            Ok(Ok(value)) => match C::Outputs::misfit(&self.cells, &value) {
                None => return C::Outputs::complete(&self.cells, value),
                Some(reason) => Failure::Message(reason),
            },
            Ok(Err(failure)) => failure,
            Err(panic) => Failure::Panic(crate::objects::panic_text(&*panic)),
        };
        C::Outputs::fail(&self.cells, &Arc::new(blame(failure)));
    }
    fn fail(&self, error: Arc<Error>) {
        drop(catch_unwind(AssertUnwindSafe(|| drop(self.take_args()))));
        C::Outputs::fail(&self.cells, &error);
    }
    fn pack(&self) -> Result<Parcel, Error> {
        let Some(args) = self.take_args() else {
            return Err(Error::ObjectLost {
                object: self.header.name().to_string(),
                reason: "its arguments were sent already".to_string(),
            });
        };
        let mut parcel = args.encode();
        if let Ok(parcel) = &mut parcel {
            C::Outputs::leave(&self.cells, parcel);
        }
        // A value whose Drop panics has been sent all the same; the panic hook has said so.
        drop(catch_unwind(AssertUnwindSafe(|| drop(args))));
        parcel
    }
    fn slots(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>> {
        C::Outputs::slots(&self)
    }
    fn only_slot(self: Arc<Self>) -> Option<Arc<dyn AnySlot>> {
        C::Outputs::only_slot(self)
    }
    fn objects(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>> {
        C::Outputs::objects(&self)
    }
}

impl<T: Object, C: Callable<Outputs = Single<T>, Value = T>> AnySlot for Task<C> {
    fn core(&self) -> &Core {
        self.cells.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        crate::objects::offer::<T>(self, out);
    }
    fn encode(&self) -> Result<Parcel, Error> {
        crate::objects::encode_cell(&self.cells)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        crate::objects::complete_cell(&self.cells, bytes, attachments);
    }
    fn producer(self: Arc<Self>, out: &mut dyn Any) {
        if let Some(out) = out.downcast_mut::<Option<Arc<dyn Runnable>>>() {
            *out = Some(self);
        }
    }
}

impl<T: Object, C: Callable<Outputs = Single<T>, Value = T>> Slot<T> for Task<C> {
    fn cell(&self) -> &Cell<T> {
        &self.cells
    }
}

#[cfg(all(test, loom))]
mod loom;
