//! A simulated task as the runtime sees it: the same header, the same cells, the same encoded arguments as a real one.

use crate::base::Error;
use crate::base::sync::lock;
use crate::objects::{
    AnySlot, Attachment, Cell, Core, ObjectRef, Parcel, Ref, Slot, Value, complete_value, decode, encode,
};
use crate::registry::{Arg, Argument, Checkpoint, Failure, Header, Kind, Runnable, State, TableEntry};
use crate::sim::script::Spec;
use crate::sim::state::{self, ActorState, Saved};
use crate::sim::value::{Reference, SimLoad, SimValue};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::{Arc, Mutex};

/// What a task does, and with what: its arguments.
#[derive(Serialize, Deserialize)]
pub struct Arguments {
    /// The body.
    pub body: Body,
    /// What it is given.
    pub given: Vec<Arg<SimValue>>,
}

/// The body of a task, a constructor or a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// A script.
    Script(Spec),
    /// Makes an actor that counts from this, and is not started again.
    Make(u64),
    /// The same, and it is saved and started again.
    MakeLasting(u64),
    /// Makes an actor without a state.
    MakeEchoing(u64),
    /// Makes a saved actor again.
    Restore(Saved),
    /// Calls one, as this caller.
    Call(u64),
}

/// A simulated task.
pub struct SimTask {
    header: Header,
    arguments: Mutex<Option<Arguments>>,
    result: Cell<SimValue>,
    /// The results after the first.
    others: Vec<Arc<Value<SimValue>>>,
}

const fn entry(name: &'static str, kind: Kind, returns: usize, key: u64) -> TableEntry {
    TableEntry {
        name,
        path: "mobula::sim",
        signature: "",
        kind,
        decode: SimTask::decode,
        returns,
        key,
        checkpoint: None,
    }
}

static SCRIPT: TableEntry = entry("script", Kind::Task, 1, 1);
static PAIR: TableEntry = entry("pair", Kind::Task, 2, 2);
static MAKE: TableEntry = entry("ledger", Kind::New, 1, 3);
static CALL: TableEntry = entry("ledger.call", Kind::Method, 1, 4);
static MAKE_LASTING: TableEntry = TableEntry { checkpoint: Some(&CHECKPOINT), ..entry("ledger", Kind::New, 1, 5) };
static MAKE_ECHOING: TableEntry = entry("ledger", Kind::New, 1, 6);
static RESTORE: TableEntry = TableEntry { checkpoint: Some(&CHECKPOINT), ..entry("ledger", Kind::New, 1, RESTORE_KEY) };
static CHECKPOINT: Checkpoint = Checkpoint { save: state::save, restore: RESTORE_KEY };

/// The key of what makes a saved actor again.
pub const RESTORE_KEY: u64 = 7;

/// The function table of a simulated cluster.
pub fn function(key: u64) -> Option<&'static TableEntry> {
    [&SCRIPT, &PAIR, &MAKE, &CALL, &MAKE_LASTING, &MAKE_ECHOING, &RESTORE].into_iter().find(|entry| entry.key == key)
}

/// Why a call yields nothing after one that never ran.
const SPOILED: &str = "an argument of an earlier call was lost, and what this one gives follows from that";

impl Body {
    fn entry(&self) -> &'static TableEntry {
        match self {
            Body::Script(spec) if spec.returns > 1 => &PAIR,
            Body::Script(_) => &SCRIPT,
            Body::Make(_) => &MAKE,
            Body::MakeLasting(_) => &MAKE_LASTING,
            Body::MakeEchoing(_) => &MAKE_ECHOING,
            Body::Restore(_) => &RESTORE,
            Body::Call(_) => &CALL,
        }
    }
}

/// A task that begins.
pub struct Begun {
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
    pub fn new(mut header: Header, arguments: Arguments) -> Arc<SimTask> {
        let entry = arguments.body.entry();
        header.entry = Some(entry);
        let others = (1..entry.returns).map(|_| Value::pending()).collect();
        Arc::new(SimTask { header, arguments: Mutex::new(Some(arguments)), result: Cell::default(), others })
    }

    fn decode(parcel: Parcel, header: Header) -> Result<Arc<dyn Runnable>, Error> {
        let arguments: Arguments = decode(&parcel.bytes, parcel.attachments)?;
        Ok(SimTask::new(header, arguments))
    }

    /// The simulated task behind a task of the cluster.
    pub fn of(task: &Arc<dyn Runnable>) -> Option<Arc<SimTask>> {
        let mut found: Option<Arc<SimTask>> = None;
        task.clone().slots().into_iter().next()?.typed(&mut found);
        found
    }

    /// The references of its results.
    pub fn references(self: &Arc<Self>) -> Vec<Reference> {
        let first = ObjectRef::new(self.clone() as Arc<dyn Slot<SimValue>>);
        let others = self.others.iter().map(|other| ObjectRef::new(other.clone() as Arc<dyn Slot<SimValue>>));
        std::iter::once(first).chain(others).collect()
    }

    /// Reads what its arguments refer to, which stays where it is until the task is over.
    ///
    /// # Errors
    /// Why one cannot be had.
    pub fn load(&self) -> Result<(), Error> {
        let mut arguments = lock(&self.arguments);
        let mut given = arguments.iter_mut().flat_map(|arguments| &mut arguments.given);
        given.try_for_each(Argument::load)
    }

    /// What it does, the values of its arguments, which must all be there, and what is read of them while it runs. Only by who
    /// claimed it; `None` the second time.
    pub fn begin(&self) -> Option<Begun> {
        let Arguments { body, given } = lock(&self.arguments).take()?;
        let values = given.iter().map(|argument| argument.value().load()).collect();
        let (mut read, mut page) = (Vec::new(), None);
        for given in given {
            match given {
                Arg::Loaded(value) => read.push(value),
                Arg::Value(value) => page = Some(value),
                Arg::Ref(_) => {}
            }
        }
        Some(Begun { body, values, read, page })
    }

    /// Completes the results.
    pub fn complete(&self, values: Vec<SimValue>) {
        let cells = std::iter::once(&self.result).chain(self.others.iter().map(|other| other.cell()));
        for (cell, value) in cells.zip(values) {
            complete_value(cell, value);
        }
    }
}

impl Runnable for SimTask {
    fn header(&self) -> &Header {
        &self.header
    }
    fn all_values(&self) -> bool {
        let arguments = lock(&self.arguments);
        arguments.as_ref().is_none_or(|arguments| arguments.given.iter().all(|given| matches!(given, Arg::Value(_))))
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        let arguments = lock(&self.arguments);
        let given = arguments.iter().flat_map(|arguments| &arguments.given);
        let slots: Vec<_> = given
            .filter_map(|given| if let Arg::Ref(reference) = given { Some(reference.any()) } else { None })
            .collect();
        drop(arguments);
        slots.into_iter().for_each(visit);
    }
    /// Only constructors and methods: a script is run step by step by its rank.
    fn invoke(&self, state: &mut State, blame: &dyn Fn(Failure) -> Error) {
        let Some(Begun { body, values, read: _read, page }) = self.begin() else { return };
        let acts = state.as_mut().and_then(|state| state.downcast_mut::<ActorState>());
        let load = match (body, acts) {
            (Body::Call(caller), Some(acts)) => match acts.ledger.call(caller, values) {
                Some(load) => load,
                None => {
                    let (object, reason) = (self.header.name().to_string(), SPOILED.to_string());
                    return Runnable::fail(self, Arc::new(Error::ObjectLost { object, reason }));
                }
            },
            (body, None) if state::made(&body).is_some() => {
                *state = state::make(body, values, page).map(|acts| Box::new(acts) as Box<dyn Any + Send>);
                SimLoad::of(0)
            }
            (body, _) => {
                let failure = Failure::Message(format!("{body:?} was invoked on what it cannot be invoked on"));
                return Runnable::fail(self, Arc::new(blame(failure)));
            }
        };
        self.complete(vec![SimValue::new(load, |_, _| unreachable!("an actor's answers hold no arrays"))]);
    }
    fn fail(&self, error: Arc<Error>) {
        let _dropped_outside_of_the_lock = lock(&self.arguments).take();
        self.result.core().fail(error.clone());
        self.others.iter().for_each(|other| AnySlot::fail(&**other, error.clone()));
    }
    fn pack(&self) -> Result<Parcel, Error> {
        let Some(arguments) = lock(&self.arguments).take() else {
            let reason = "its arguments were sent already".to_string();
            return Err(Error::ObjectLost { object: self.header.name().to_string(), reason });
        };
        encode(&arguments)
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
    fn core(&self) -> &Core {
        self.result.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        match out.downcast_mut::<Option<Arc<SimTask>>>() {
            Some(out) => *out = Some(self),
            None => crate::objects::offer::<SimValue>(self, out),
        }
    }
    fn encode(&self) -> Result<Parcel, Error> {
        crate::objects::encode_cell(&self.result)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        crate::objects::complete_cell(&self.result, bytes, attachments);
    }
    fn producer(self: Arc<Self>, out: &mut dyn Any) {
        if let Some(out) = out.downcast_mut::<Option<Arc<dyn Runnable>>>() {
            *out = Some(self);
        }
    }
}

impl Slot<SimValue> for SimTask {
    fn cell(&self) -> &Cell<SimValue> {
        &self.result
    }
}
