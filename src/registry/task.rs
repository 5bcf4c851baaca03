//! One call: its arguments, its state, its results, in one allocation.
//!
//! ```text
//!   Waiting --last argument ready--> Queued --claim--> Claimed --(runs, is sent away, is failed)--> finished
//! ```
//! `claim` is the only transition out of `Queued` (REGISTRY-2): its winner owns the arguments.
#![allow(unsafe_code)]

use crate::base::arc_pool::{self, Recycle};
use crate::base::panic::catch;
use crate::base::spin_lock::SpinLock;
use crate::base::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering, UnsafeCell, fence};
use crate::base::{Error, TaskId};
use crate::objects::{
    AnySlot, Attachment, Object, SerializedValue, StoreRun, Waiter, check, decode, encode_for_peer, slot,
};
use crate::registry::failure::Failure;
use crate::registry::function::{ActorState, Callable, FunctionKind, TableEntry};
use crate::registry::leaf::{refuse_in_leaf, run_body};
use crate::registry::outputs::{Outputs, PlainForm, Single};
use crate::registry::{ArgList, Options};
use crate::rpc::PlainBytes;
use std::any::Any;
use std::sync::Arc;

/// The phase of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TaskPhase {
    /// Arguments are missing.
    Waiting,
    /// May be claimed.
    Queued,
    /// Claimed: running, sent to another rank or finished.
    Claimed,
}

/// What the runtime knows of a task, whatever it calls.
pub struct TaskHeader {
    phase: AtomicU8,
    cancelled: AtomicU8,
    /// References that are not ready yet, plus one while they are being counted.
    pub missing: AtomicU32,
    /// Where it is in its queue, if it is queued.
    pub position: AtomicU32,
    /// A number for graphs; 0 if the task is not recorded.
    pub number: AtomicU64,
    /// The function's row in the table; set when the task is created.
    pub entry: Option<&'static TableEntry>,
    /// What was requested beyond the function's own defaults: merged, or `None` for 1 CPU and nothing else.
    pub options: Option<Box<Options>>,
    /// The name of the task at its owner, if that is another rank.
    pub origin: Option<TaskId>,
    /// The task that submitted this one, 0 for a driver: calls of an actor keep the order of their caller.
    pub caller: u64,
    /// True if another rank may run it.
    pub stealable: bool,
    /// How often it was passed on to another rank or restarted: its owner believes the report of its location with the
    /// highest number.
    pub hops: u32,
    /// What must live until the task is finished: the handle of the actor that it is a call of.
    target: SpinLock<Option<Arc<dyn Any + Send + Sync>>>,
}

impl TaskHeader {
    /// For a task that this process creates.
    #[inline]
    pub fn new(options: Option<Box<Options>>, caller: u64) -> TaskHeader {
        TaskHeader {
            phase: AtomicU8::new(TaskPhase::Waiting as u8),
            cancelled: AtomicU8::new(0),
            missing: AtomicU32::new(0),
            position: AtomicU32::new(0),
            number: AtomicU64::new(0),
            entry: None,
            options,
            origin: None,
            caller,
            stealable: true,
            hops: 0,
            target: SpinLock::new(None),
        }
    }

    /// Keeps `target` alive until `take_target`.
    pub fn set_target(&self, target: Arc<dyn Any + Send + Sync>) {
        *self.target.lock() = Some(target);
    }

    /// The target that `set_target` stored.
    pub fn target(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.target.lock().clone()
    }

    /// The task is finished: takes the target that `set_target` stored.
    pub fn take_target(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        // Other tasks never had one.
        if self.entry.is_none_or(|entry| entry.kind == FunctionKind::Method) { self.target.lock().take() } else { None }
    }

    /// The phase of the task.
    #[inline]
    pub fn phase(&self) -> TaskPhase {
        match self.phase.load(Ordering::Acquire) {
            0 => TaskPhase::Waiting,
            1 => TaskPhase::Queued,
            _ => TaskPhase::Claimed,
        }
    }

    #[inline]
    fn transition(&self, from: TaskPhase, to: TaskPhase, success: Ordering) -> bool {
        self.phase.compare_exchange(from as u8, to as u8, success, Ordering::Relaxed).is_ok()
    }

    /// Allows the task to be claimed; false if it was claimed while it waited. Pairs with the acquire of `claim`.
    #[inline]
    pub fn queue(&self) -> bool {
        self.transition(TaskPhase::Waiting, TaskPhase::Queued, Ordering::Release)
    }

    /// As `queue`, for a task that no other thread has seen yet.
    #[inline]
    pub fn queue_fresh(&self) {
        self.phase.store(TaskPhase::Queued as u8, Ordering::Release);
    }

    /// The claimer allows the task to be claimed again; false if it was cancelled meanwhile, and is still claimed.
    pub fn queue_again(&self) -> bool {
        self.queue_fresh();
        // Its partner is the fence in `cancel`: either this sees the cancellation, or the canceller a queued task.
        fence(Ordering::SeqCst);
        !(self.is_cancelled() && self.claim())
    }

    /// Claims a queued task; true for one caller alone (REGISTRY-2).
    #[inline]
    pub fn claim(&self) -> bool {
        self.transition(TaskPhase::Queued, TaskPhase::Claimed, Ordering::AcqRel)
    }

    /// Claims a task that waits for arguments, so that it can be failed or sent to another rank.
    #[inline]
    pub fn claim_waiting(&self) -> bool {
        self.transition(TaskPhase::Waiting, TaskPhase::Claimed, Ordering::AcqRel)
    }

    /// Requests that a running task ends: its waits fail from now on.
    pub fn cancel(&self) {
        self.cancelled.store(1, Ordering::Relaxed);
        // Its partner is the fence in `queue_again`.
        fence(Ordering::SeqCst);
    }

    /// True if the task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) != 0
    }

    /// The name to display: the option's, else the function's.
    pub fn name(&self) -> &str {
        if let Some(name) = self.options.as_ref().and_then(|options| options.name.as_deref()) {
            // An actor's name is its own, not that of its constructor's task.
            if self.entry.is_none_or(|entry| entry.kind == FunctionKind::Task) {
                return name;
            }
        }
        self.entry.map_or("task", |entry| entry.name)
    }
}

/// A million queued tasks are a million of these. A checker's atomics are larger.
#[cfg(not(loom))]
const _: () = assert!(size_of::<TaskHeader>() <= 96);

/// A call, whatever its types.
pub trait Runnable: Waiter + Recycle + Send + Sync {
    /// What the runtime knows of it.
    fn header(&self) -> &TaskHeader;
    /// True if every argument is by value.
    fn all_values(&self) -> bool;
    /// Each argument that is a reference. Only before the claim, or by the claimer.
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>));
    /// Runs the body and completes the results. Only by the claimer; a second call does nothing. `to_error` converts a
    /// failure into the error that the results hold, which is returned.
    fn invoke(&self, state: &mut ActorState, to_error: &dyn Fn(Failure) -> Error) -> Option<Arc<Error>>;
    /// Drops the arguments and completes the results with a failure. Only by the claimer.
    fn fail(&self, error: Arc<Error>);
    /// The arguments as bytes; they are dropped. Only by the claimer. `store_run` takes their long runs of bytes.
    ///
    /// # Errors
    /// If they do not encode.
    fn encode_args(&self, store_run: Option<StoreRun>) -> Result<SerializedValue, Error>;
    /// Appends the arguments to `out`; false if one is not a plain value, or there is no space for it. Only by the
    /// claimer.
    fn push_plain_args(&self, _out: &mut PlainBytes) -> bool {
        false
    }
    /// Appends the result to `out`, if there is one, which is plain; false if not.
    fn push_plain_result(&self, _out: &mut PlainBytes) -> bool {
        false
    }
    /// Completes the result with the value that is all of `bytes`; false if they are not that.
    fn complete_plain(&self, _bytes: &[u8]) -> bool {
        false
    }
    /// Gives its result that number, if it has exactly one, which is part of it and has none; false if not.
    fn number_result(&self, _number: u64) -> bool {
        false
    }
    /// The results without their types, in order, as they are returned to the owner.
    fn slots(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>>;
    /// The result, if a call has exactly one, which is part of it.
    fn only_slot(self: Arc<Self>) -> Option<Arc<dyn AnySlot>>;
    /// The objects that the caller holds, in order.
    fn objects(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>>;
}

/// One call of `C`.
pub struct Task<C: Callable> {
    header: TaskHeader,
    args: UnsafeCell<Option<C::Args>>,
    /// The promises of the results.
    pub(crate) promises: <C::Outputs as Outputs>::Promises,
}

// SAFETY: `args` is accessed only before the task is shared, or by its claimer (REGISTRY-2); shared reads of it
// (`references`, `all_values`) happen before a claim is possible, in the thread that created the task. The rest is Sync
// by itself.
unsafe impl<C: Callable> Sync for Task<C> {}
// SAFETY: arguments and promises are Send.
unsafe impl<C: Callable> Send for Task<C> {}

impl<C: Callable> Recycle for Task<C> {
    fn recycle(self: Arc<Self>) {
        arc_pool::recycle(self);
    }
}

impl<C: Callable> Task<C> {
    /// A call with its arguments, in phase `Waiting`.
    #[inline]
    pub fn new(mut header: TaskHeader, args: C::Args) -> Arc<Task<C>> {
        header.entry = Some(C::entry_of(&args));
        let promises = C::Outputs::promises(header.options.as_deref());
        arc_pool::new_with(|| Task { header, args: UnsafeCell::new(Some(args)), promises })
    }

    /// A call received from another rank.
    ///
    /// # Errors
    /// If its arguments do not decode.
    pub fn received(
        mut header: TaskHeader,
        mut arguments: &[u8],
        attachments: Vec<Attachment>,
    ) -> Result<Arc<Task<C>>, Error> {
        let promises = C::Outputs::read_shape(&mut arguments)?;
        let args = decode(arguments, attachments).map_err(of_an_argument::<C>)?;
        header.entry = Some(C::entry_of(&args));
        Ok(arc_pool::new(Task { header, args: UnsafeCell::new(Some(args)), promises }))
    }

    /// As `received`, of the function of that row with plain arguments; `None` if the bytes are not the arguments.
    pub fn received_plain(
        entry: &'static TableEntry,
        mut header: TaskHeader,
        arguments: &[u8],
    ) -> Option<Arc<Task<C>>> {
        let args = C::Args::from_plain(entry, arguments)?;
        header.entry = Some(C::entry_of(&args));
        let promises = C::Outputs::promises(None);
        Some(arc_pool::new(Task { header, args: UnsafeCell::new(Some(args)), promises }))
    }

    /// Looks at whether its arguments can be sent to other ranks, until a call's could. Before the task is shared.
    ///
    /// # Errors
    /// Why they cannot: what sending them would fail with. In a leaf function, that it calls nothing.
    #[inline]
    pub fn check_args(&self) -> Result<(), Error> {
        refuse_in_leaf(C::NAME)?;
        let Some(checked) = C::checked() else { return Ok(()) };
        checked.arguments.unless_done(|| self.args().map_or(Ok(()), check)).map_err(of_an_argument::<C>)
    }

    fn args(&self) -> Option<&C::Args> {
        // SAFETY: per the trait's contract only the caller may access the arguments now (REGISTRY-2).
        self.args.with(|args| unsafe { (*args).as_ref() })
    }

    fn take_args(&self) -> Option<C::Args> {
        // SAFETY: as above.
        self.args.with_mut(|args| unsafe { (*args).take() })
    }
}

/// The error of arguments that do not encode or decode, which names the function.
#[cold]
fn of_an_argument<C: Callable>(error: Error) -> Error {
    let Error::ObjectLost { object, reason } = error else { return error };
    let is_known = object != std::any::type_name::<C::Args>();
    let of =
        if is_known { format!("{object} (an argument of {})", C::NAME) } else { format!("an argument of {}", C::NAME) };
    Error::ObjectLost { object: of, reason }
}

impl<C: Callable> Runnable for Task<C> {
    fn header(&self) -> &TaskHeader {
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
    fn invoke(&self, state: &mut ActorState, to_error: &dyn Fn(Failure) -> Error) -> Option<Arc<Error>> {
        let mut args = self.take_args()?;
        let outcome = catch(|| {
            if !args.all_values() {
                args.load().map_err(Failure::Passed)?;
            }
            let value = run_body::<C>(args, state)?;
            if let Some(checked) = C::checked() {
                checked.results.unless_done(|| C::Outputs::check(&value)).map_err(Failure::Passed)?;
            }
            match C::Outputs::arity_mismatch(&self.promises, &value) {
                None => C::Outputs::complete(&self.promises, value),
                Some(reason) => return Err(Failure::Message(reason)),
            }
            Ok(())
        });
        let failure = match outcome {
            Ok(Ok(())) => return None,
            Ok(Err(failure)) => failure,
            Err(panic) => Failure::Panic(panic),
        };
        let error = Arc::new(to_error(failure));
        // Results that are complete already, because the value came after a cancellation, stay as they are.
        C::Outputs::fail(&self.promises, &error);
        Some(error)
    }
    fn fail(&self, error: Arc<Error>) {
        drop(catch(|| drop(self.take_args())));
        C::Outputs::fail(&self.promises, &error);
    }
    fn encode_args(&self, store_run: Option<StoreRun>) -> Result<SerializedValue, Error> {
        let Some(args) = self.take_args() else {
            return Err(Error::ObjectLost {
                object: self.header.name().to_string(),
                reason: "its arguments were sent already".to_string(),
            });
        };
        let mut serialized = encode_for_peer(&args, store_run).map_err(of_an_argument::<C>);
        if let Ok(serialized) = &mut serialized {
            C::Outputs::write_shape(&self.promises, serialized);
        }
        // A value whose Drop panics has been sent all the same; the panic hook has reported the panic.
        drop(catch(|| drop(args)));
        serialized
    }
    fn push_plain_args(&self, out: &mut PlainBytes) -> bool {
        self.args().is_some_and(|args| args.push_plain(out))
    }
    fn push_plain_result(&self, out: &mut PlainBytes) -> bool {
        C::Outputs::push_plain(&self.promises, out)
    }
    fn complete_plain(&self, bytes: &[u8]) -> bool {
        C::Outputs::complete_plain(&self.promises, bytes)
    }
    fn number_result(&self, number: u64) -> bool {
        C::Outputs::number_result(&self.promises, number)
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

slot! {
    [T: Object, F: PlainForm<T>, C: Callable<Outputs = Single<T, F>>] Task<C>: T, promises, decoded {
        fn producer(self: Arc<Self>, out: &mut dyn Any) {
            if let Some(out) = out.downcast_mut::<Option<Arc<dyn Runnable>>>() {
                *out = Some(self);
            }
        }
    }
}

#[cfg(all(test, loom))]
mod loom;
