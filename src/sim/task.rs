//! A simulated task as the runtime sees it: the same header, the same cells, the same encoded arguments as a real one.

use crate::base::Error;
use crate::base::sync::lock;
use crate::object::{
    AnySlot, Attachment, Cell, Core, ObjectRef, Parcel, Ref, Slot, Value, complete_value, decode, encode,
};
use crate::registry::{Arg, Argument, Failure, Header, Kind, Runnable, State, TableEntry};
use crate::sim::ledger::Ledger;
use crate::sim::script::Spec;
use crate::sim::value::{Handle, Reference, SimLoad, SimValue};
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
    /// Makes an actor that counts from this.
    Make(u64),
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

/// The function table of a simulated cluster.
pub fn function(key: u64) -> Option<&'static TableEntry> {
    [&SCRIPT, &PAIR, &MAKE, &CALL].into_iter().find(|entry| entry.key == key)
}

/// Why a call yields nothing after one that never ran.
const SPOILED: &str = "an argument of an earlier call was lost, and what this one gives follows from that";

impl Body {
    fn entry(&self) -> &'static TableEntry {
        match self {
            Body::Script(spec) if spec.returns > 1 => &PAIR,
            Body::Script(_) => &SCRIPT,
            Body::Make(_) => &MAKE,
            Body::Call(_) => &CALL,
        }
    }
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
        let given = arguments.iter_mut().flat_map(|arguments| &mut arguments.given);
        given.map(Argument::load).collect()
    }

    /// What it does, the values of its arguments, which must all be there, and what is read of them while it runs. Only by who
    /// claimed it; `None` the second time.
    pub fn begin(&self) -> Option<(Body, Vec<SimLoad>, Vec<Ref<SimValue>>)> {
        let Arguments { body, given } = lock(&self.arguments).take()?;
        let values = given.iter().map(|argument| argument.value().load()).collect();
        let read = given.into_iter().filter_map(|given| if let Arg::Loaded(read) = given { Some(read) } else { None });
        Some((body, values, read.collect()))
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
        let Some((body, values, _read)) = self.begin() else { return };
        let ledger = state.as_mut().and_then(|state| state.downcast_mut::<Ledger<Reference, Handle>>());
        let load = match (body, ledger) {
            (Body::Make(seed), None) => {
                *state = Some(Box::new(Ledger::new(seed, values)));
                SimLoad::of(seed)
            }
            (Body::Call(caller), Some(ledger)) => match ledger.call(caller, values) {
                Some(load) => load,
                None => {
                    let (object, reason) = (self.header.name().to_string(), SPOILED.to_string());
                    return Runnable::fail(self, Arc::new(Error::ObjectLost { object, reason }));
                }
            },
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
            None => crate::object::offer::<SimValue>(self, out),
        }
    }
    fn encode(&self) -> Result<Parcel, Error> {
        crate::object::encode_cell(&self.result)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        crate::object::complete_cell(&self.result, bytes, attachments);
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
