//! A simulated task as the runtime sees it: the same header, the same promises, the same encoded arguments as a real
//! one.

use crate::base::Error;
use crate::base::arc_pool::Recycle;
use crate::base::sync::lock;
use crate::objects::{
    AnySlot, Attachment, ObjectRef, Promise, PromiseCore, Ref, SerializedValue, Slot, StoreRun, Value, Waiter,
    complete_value, decode, encode,
};
use crate::registry::{
    ActorState, Arg, Argument, Checkpoint, DecodeFn, DecodePlainFn, Failure, FunctionKind, Runnable, TableEntry,
    TaskHeader,
};
use crate::rpc::{PlainBytes, plain};
use crate::sim::names::KIND;
use crate::sim::script::Spec;
use crate::sim::state::{self, Saved, SimActor};
use crate::sim::value::{Reference, SimLoad, SimValue};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::{Arc, Mutex};

/// The arguments of a task: what it does, and with what.
#[derive(Serialize, Deserialize)]
pub struct SimArguments {
    /// The body.
    pub body: Body,
    /// Its inputs.
    pub given: Vec<Arg<SimValue>>,
}

/// The body of a task, a constructor or a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// A script.
    Script(Spec),
    /// Constructs an actor that counts from this, and is not restarted.
    CreateActor(u64),
    /// The same, with checkpoints and restarts.
    CreateCheckpointed(u64),
    /// Constructs an actor without a state.
    CreateStateless(u64),
    /// Restores a saved actor.
    Restore(Saved),
    /// Calls an actor, as this caller.
    Call(u64),
}

/// A simulated task.
pub struct SimTask {
    header: TaskHeader,
    arguments: Mutex<Option<SimArguments>>,
    result: Promise<SimValue>,
    /// The results after the first.
    others: Vec<Arc<Value<SimValue>>>,
}

const fn entry(
    name: &'static str,
    kind: FunctionKind,
    returns: usize,
    key: u64,
    checkpoint: Option<&'static Checkpoint>,
) -> TableEntry {
    let (decode, decode_plain) = (SimTask::decode as DecodeFn, SimTask::decode_plain as DecodePlainFn);
    let (path, signature, leaf) = ("mobula::sim", "", None);
    TableEntry { name, path, signature, kind, decode, decode_plain, leaf, returns, key, checkpoint }
}

/// The function table of a simulated cluster: the key of a function is its position, counted from 1.
static FUNCTIONS: [TableEntry; 7] = [
    entry("script", FunctionKind::Task, 1, 1, None),
    entry("pair", FunctionKind::Task, 2, 2, None),
    entry(KIND, FunctionKind::New, 1, 3, None),
    entry("totals.call", FunctionKind::Method, 1, 4, None),
    entry(KIND, FunctionKind::New, 1, 5, Some(&CHECKPOINT)),
    entry(KIND, FunctionKind::New, 1, 6, None),
    entry(KIND, FunctionKind::New, 1, RESTORE_KEY, Some(&CHECKPOINT)),
];
static CHECKPOINT: Checkpoint = Checkpoint { save: state::save, restore: RESTORE_KEY };

/// The key of the function that restores a saved actor.
pub const RESTORE_KEY: u64 = 7;

/// The function with that key.
pub fn function(key: u64) -> Option<&'static TableEntry> {
    FUNCTIONS.get((key as usize).checked_sub(1)?)
}

/// Why a call has no result after one that never ran.
const SKIPPED_CALL: &str = "an argument of an earlier call was lost, and what this one gives follows from that";

impl Body {
    fn entry(&self) -> &'static TableEntry {
        match self {
            Body::Script(spec) if spec.returns > 1 => &FUNCTIONS[1],
            Body::Script(_) => &FUNCTIONS[0],
            Body::CreateActor(_) => &FUNCTIONS[2],
            Body::Call(_) => &FUNCTIONS[3],
            Body::CreateCheckpointed(_) => &FUNCTIONS[4],
            Body::CreateStateless(_) => &FUNCTIONS[5],
            Body::Restore(_) => &FUNCTIONS[6],
        }
    }
}

/// A task that begins.
pub struct StartedTask {
    /// What it does.
    pub body: Body,
    /// The values of its arguments.
    pub values: Vec<SimLoad>,
    /// What it reads: its arrays stay where they are.
    pub read: Vec<Ref<SimValue>>,
    /// The last argument that came by value.
    pub page: Option<SimValue>,
}

impl SimTask {
    /// A task in phase `Waiting`.
    pub fn new(mut header: TaskHeader, arguments: SimArguments) -> Arc<SimTask> {
        let entry = arguments.body.entry();
        header.entry = Some(entry);
        let others = (1..entry.returns).map(|_| Value::pending()).collect();
        Arc::new(SimTask { header, arguments: Mutex::new(Some(arguments)), result: Promise::default(), others })
    }

    fn decode(bytes: &[u8], attachments: Vec<Attachment>, header: TaskHeader) -> Result<Arc<dyn Runnable>, Error> {
        let arguments: SimArguments = decode(bytes, attachments)?;
        Ok(SimTask::new(header, arguments))
    }

    fn decode_plain(_: &'static TableEntry, bytes: &[u8], header: TaskHeader) -> Option<Arc<dyn Runnable>> {
        SimTask::decode(bytes, Vec::new(), header).ok()
    }

    /// The simulated task behind a task of the cluster.
    pub fn of(task: &Arc<dyn Runnable>) -> Option<Arc<SimTask>> {
        let mut found: Option<Arc<SimTask>> = None;
        task.clone().slots().into_iter().next()?.downcast(&mut found);
        found
    }

    /// The references of its results.
    pub fn references(self: &Arc<Self>) -> Vec<Reference> {
        let others = self.others.iter().map(|other| other.clone() as Arc<dyn Slot<SimValue>>);
        std::iter::once(self.clone() as Arc<dyn Slot<SimValue>>).chain(others).map(ObjectRef::new).collect()
    }

    /// Reads what its arguments refer to, which stays where it is until the task has finished.
    ///
    /// # Errors
    /// Why one cannot be had.
    pub fn load(&self) -> Result<(), Error> {
        let mut arguments = lock(&self.arguments);
        let mut given = arguments.iter_mut().flat_map(|arguments| &mut arguments.given);
        given.try_for_each(Argument::load)
    }

    /// What it does, the values of its arguments, which must all be there, and what it reads while it runs. Only the
    /// claimer of the task may call it; `None` the second time.
    pub fn begin(&self) -> Option<StartedTask> {
        let SimArguments { body, given } = lock(&self.arguments).take()?;
        let values = given.iter().map(|argument| argument.value().load()).collect();
        let (mut read, mut page) = (Vec::new(), None);
        for given in given {
            match given {
                Arg::Loaded(value) => read.push(value),
                Arg::Value(value) => page = Some(value),
                Arg::Ref(_) => {}
            }
        }
        Some(StartedTask { body, values, read, page })
    }

    /// Completes the results.
    pub fn complete(&self, values: Vec<SimValue>) {
        let cells = std::iter::once(&self.result).chain(self.others.iter().map(|other| other.promise()));
        for (cell, value) in cells.zip(values) {
            complete_value(cell, value);
        }
    }
}

impl Recycle for SimTask {}

/// The protocol waits for its references, so nothing notifies the task itself.
impl Waiter for SimTask {
    fn notify(self: Arc<Self>) {}
}

impl Runnable for SimTask {
    fn header(&self) -> &TaskHeader {
        &self.header
    }
    fn all_values(&self) -> bool {
        lock(&self.arguments).iter().flat_map(|arguments| &arguments.given).all(Argument::is_value)
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        let mut slots = Vec::new();
        let arguments = lock(&self.arguments);
        for given in arguments.iter().flat_map(|arguments| &arguments.given) {
            given.references(&mut |slot| slots.push(slot));
        }
        drop(arguments);
        slots.into_iter().for_each(visit);
    }
    /// Only constructors and methods: the rank runs a script step by step.
    fn invoke(&self, state: &mut ActorState, to_error: &dyn Fn(Failure) -> Error) -> Option<Arc<Error>> {
        let StartedTask { body, values, read: _read, page } = self.begin()?;
        let actor = state.as_mut().and_then(|state| state.downcast_mut::<SimActor>());
        let outcome = match (body, actor) {
            (Body::Call(caller), Some(actor)) => actor.model.call(caller, values).ok_or_else(|| {
                let (object, reason) = (self.header.name().to_string(), SKIPPED_CALL.to_string());
                Error::ObjectLost { object, reason }
            }),
            (body, None) if !matches!(body, Body::Call(_) | Body::Script(_)) => {
                *state = state::construct(body, values, page).map(|actor| Box::new(actor) as Box<dyn Any + Send>);
                Ok(SimLoad::of(0))
            }
            (body, _) => {
                Err(to_error(Failure::Message(format!("{body:?} was invoked on what it cannot be invoked on"))))
            }
        };
        match outcome {
            Ok(load) => {
                self.complete(vec![SimValue::new(load, |_, _| unreachable!("an actor's answers hold no arrays"))]);
                None
            }
            Err(error) => {
                let error = Arc::new(error);
                Runnable::fail(self, error.clone());
                Some(error)
            }
        }
    }
    fn fail(&self, error: Arc<Error>) {
        let _dropped_outside_of_the_lock = lock(&self.arguments).take();
        self.result.core().fail(error.clone());
        self.others.iter().for_each(|other| AnySlot::fail(&**other, error.clone()));
    }
    fn encode_args(&self, _: Option<StoreRun>) -> Result<SerializedValue, Error> {
        let Some(arguments) = lock(&self.arguments).take() else {
            let reason = "its arguments were sent already".to_string();
            return Err(Error::ObjectLost { object: self.header.name().to_string(), reason });
        };
        encode(&arguments)
    }
    fn push_plain_args(&self, out: &mut PlainBytes) -> bool {
        let arguments = lock(&self.arguments);
        let Some(arguments) = arguments.as_ref().filter(|arguments| arguments.given.is_empty()) else { return false };
        encode(arguments).is_ok_and(|encoded| encoded.bytes.iter().all(|byte| out.push(byte)))
    }
    fn push_plain_result(&self, out: &mut PlainBytes) -> bool {
        let number = self.result.value().and_then(SimValue::plain_number).filter(|_| self.others.is_empty());
        number.is_some_and(|number| out.push(&number))
    }
    fn complete_plain(&self, bytes: &[u8]) -> bool {
        let Some(number) = plain::only(bytes).filter(|_| self.others.is_empty()) else { return false };
        let value = SimValue::new(SimLoad::of(number), |_, _| unreachable!("a number holds no array"));
        complete_value(&self.result, value);
        true
    }
    fn slots(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>> {
        let others: Vec<_> = self.others.iter().map(|other| other.clone() as Arc<dyn AnySlot>).collect();
        std::iter::once(self as Arc<dyn AnySlot>).chain(others).collect()
    }
    fn only_slot(self: Arc<Self>) -> Option<Arc<dyn AnySlot>> {
        self.others.is_empty().then_some(self as Arc<dyn AnySlot>)
    }
    fn objects(self: Arc<Self>) -> Vec<Arc<dyn AnySlot>> {
        self.slots()
    }
}

impl AnySlot for SimTask {
    fn core(&self) -> &PromiseCore {
        self.result.core()
    }
    fn downcast(self: Arc<Self>, out: &mut dyn Any) {
        match out.downcast_mut::<Option<Arc<SimTask>>>() {
            Some(out) => *out = Some(self),
            None => crate::objects::offer::<SimValue>(self, out),
        }
    }
    fn encode(&self, store_run: Option<StoreRun>) -> Result<SerializedValue, Error> {
        crate::objects::encode_promise(&self.result, store_run)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        crate::objects::complete_encoded(&self.result, bytes, attachments);
    }
    fn producer(self: Arc<Self>, out: &mut dyn Any) {
        if let Some(out) = out.downcast_mut::<Option<Arc<dyn Runnable>>>() {
            *out = Some(self);
        }
    }
}

impl Slot<SimValue> for SimTask {
    fn promise(&self) -> &Promise<SimValue> {
        &self.result
    }
}
