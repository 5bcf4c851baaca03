//! Actors whose classes a program registers at run time.

use crate::base::{Error, Result};
use crate::native::arguments::CallArguments;
use crate::native::array::NativeArray;
use crate::native::call::{ManyResults, NativeArguments, OneResult, ResultReferences, check_count, outside_cluster};
use crate::native::function::{
    NativeBody, NativeFrame, NativeFunction, add_class, check_name, check_returns, signature_of, table,
};
use crate::objects::{SerializedValue, encode};
use crate::registry::{self, ActorState, Checkpoint, Failure, FunctionKind, Options};
use crate::runtime::{self, RawHandle, Runtime};
use rustc_hash::FxHashMap as HashMap;
use serde::{Deserialize, Serialize};

/// A method to be registered.
pub struct MethodDescription {
    /// Its name.
    pub name: String,
    /// How many results it has.
    pub returns: usize,
    /// Its body, which reads the state's address.
    pub body: NativeBody,
}

/// A class to be registered.
pub struct ClassDescription {
    /// Its name.
    pub name: String,
    /// Creates a state, and writes its address.
    pub construct: NativeBody,
    /// Ends a state.
    pub destroy: Box<dyn Fn(usize) + Send + Sync>,
    /// Saves a state as one result, and creates one from what was saved, its one argument.
    pub checkpoint: Option<(NativeBody, NativeBody)>,
    /// Its methods.
    pub methods: Vec<MethodDescription>,
}

/// A registered class.
pub struct NativeClass {
    /// Its name.
    pub name: String,
    construct: &'static NativeFunction,
    /// The body that saves a state, and the constructor that restores one.
    checkpoint: Option<(NativeBody, &'static NativeFunction)>,
    destroy: Box<dyn Fn(usize) + Send + Sync>,
    methods: HashMap<String, &'static NativeFunction>,
}

/// The state of an actor, which only the bodies of its class use.
pub struct NativeState {
    class: &'static NativeClass,
    address: usize,
}

impl Drop for NativeState {
    fn drop(&mut self) {
        (self.class.destroy)(self.address);
    }
}

impl NativeState {
    /// What a constructor created.
    pub(super) fn of(constructor: &NativeFunction, address: usize) -> ActorState {
        let class = constructor.class.get()?;
        Some(Box::new(NativeState { class, address }))
    }

    /// The address of a state, for a method of its class.
    ///
    /// # Errors
    /// If it is not of that class.
    pub(super) fn address_for(state: &ActorState, method: &NativeFunction) -> std::result::Result<usize, Failure> {
        let class = method.class.get().map(|class| &class.name);
        match state.as_ref().and_then(|state| state.downcast_ref::<NativeState>()) {
            Some(state) if Some(&state.class.name) == class => Ok(state.address),
            _ => {
                let (name, class) = (method.entry.name, class.map_or("class", String::as_str));
                Err(Failure::Message(format!("{name} was called on something that is not a {class}")))
            }
        }
    }

    /// The state as arguments of the constructor that restores it.
    fn save(state: &ActorState) -> Result<SerializedValue> {
        let lost =
            |object: &str, reason: String| Error::ObjectLost { object: format!("the state of {object}"), reason };
        let Some(state) = state.as_ref().and_then(|state| state.downcast_ref::<NativeState>()) else {
            return Err(lost("an actor of C", "it does not exist".to_string()));
        };
        let name = state.class.name.as_str();
        let Some((save, restore)) = &state.class.checkpoint else {
            return Err(lost(name, "its class has no save".to_string()));
        };
        let mut results = [None];
        let args = CallArguments::default();
        let mut frame =
            NativeFrame { name: restore.entry.name, args: &args, results: &mut results, state: state.address };
        if let Err(failure) = save(&mut frame) {
            return Err(match failure {
                Failure::Passed(error) => error,
                Failure::Message(text) => lost(name, format!("its save failed: {text}")),
                Failure::Panic(panic) => lost(name, format!("its save panicked: {}", panic.text())),
            });
        }
        let [saved] = results;
        let mut values = CallArguments::default();
        values.push_array(saved.unwrap_or_else(NativeArray::empty));
        encode(&NativeArguments { function: restore, values })
    }
}

/// Registers a class.
///
/// # Errors
/// `Config` if its name or one of its methods' is taken or not possible, or after the first start.
pub fn register_class(description: ClassDescription) -> Result<()> {
    let ClassDescription { name, construct, destroy, checkpoint, methods } = description;
    for (position, method) in methods.iter().enumerate() {
        check_name(&method.name)?;
        if methods[..position].iter().any(|other| other.name == method.name) {
            return Err(Error::config(format!("{name} has two methods named {}", method.name)));
        }
        check_returns(&format!("{name}.{}", method.name), method.returns)?;
    }
    add_class(&name.clone(), || {
        let constructor =
            |path: String, saves, body| NativeFunction::leaked(FunctionKind::New, name.clone(), path, 0, saves, body);
        let restore_path = format!("{name}::restore");
        let saved: Option<&'static Checkpoint> = checkpoint.as_ref().map(|_| {
            let restore = registry::key_of(&restore_path, &signature_of(FunctionKind::New, 0));
            &*Box::leak(Box::new(Checkpoint { save: NativeState::save, restore }))
        });
        let construct = constructor(name.clone(), saved, construct)?;
        let checkpoint = match checkpoint {
            Some((save, restore)) => Some((save, constructor(restore_path, saved, restore)?)),
            None => None,
        };
        let mut by_name = HashMap::default();
        for method in methods {
            let (shown, path) = (format!("{name}.{}", method.name), format!("{name}::{}", method.name));
            let kind = FunctionKind::Method;
            let function = NativeFunction::leaked(kind, shown, path, method.returns, None, method.body)?;
            by_name.insert(method.name, function);
        }
        let mut functions: Vec<&'static NativeFunction> = by_name.values().copied().collect();
        functions.push(construct);
        functions.extend(checkpoint.as_ref().map(|(_, restore)| *restore));
        let class = NativeClass { name: name.clone(), construct, checkpoint, destroy, methods: by_name };
        let class: &'static NativeClass = Box::leak(Box::new(class));
        for function in &functions {
            let _ = function.class.set(class); // it was created above, and has none yet
        }
        Ok((class, functions))
    })
}

/// The type of every actor of C, which names no class.
#[derive(Clone)]
pub enum NativeActor {}

/// The kind under which the names of all actors of C are registered, so that a name alone finds one.
const KIND_OF_NAMES: &str = "of C";

/// A handle of an actor of C.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NativeHandle(RawHandle<NativeActor>);

/// Creates an actor; its handle is returned at once.
///
/// # Errors
/// `Ok(None)` if no class has the name; `Config` outside of a running cluster.
pub fn create_actor(class: &str, values: CallArguments, options: Options) -> Result<Option<NativeHandle>> {
    if Runtime::current().is_none() {
        return Err(outside_cluster(class));
    }
    let Some(class) = table().class(class) else { return Ok(None) };
    let kind =
        runtime::ActorKind { label: &class.name, name: KIND_OF_NAMES, has_checkpoint: class.checkpoint.is_some() };
    let args = NativeArguments { function: class.construct, values };
    Ok(Some(NativeHandle(runtime::create_of_kind::<NativeActor, OneResult>(&kind, options, args))))
}

/// The handle of the actor of that name, whichever rank created it.
///
/// # Errors
/// `ActorDied` if no actor has the name.
pub fn find_actor(name: &str) -> Result<NativeHandle> {
    if Runtime::current().is_none() {
        return Err(outside_cluster("mobula_actor_find"));
    }
    runtime::find::<NativeActor>(KIND_OF_NAMES, name).map(NativeHandle)
}

impl NativeHandle {
    /// Calls a method; references to its results are returned at once.
    ///
    /// # Errors
    /// `Ok(None)` if its class has no method of that name; `Config` outside of a running cluster, `Type` for another
    /// number of results than it has.
    pub fn call(&self, method: &str, values: CallArguments, returns: usize) -> Result<Option<ResultReferences>> {
        if Runtime::current().is_none() {
            return Err(outside_cluster(method));
        }
        let Some(function) = self.class().and_then(|class| class.methods.get(method)) else { return Ok(None) };
        check_count(function, returns)?;
        let args = NativeArguments { function, values };
        let references = if function.returns <= 1 {
            ResultReferences::One(runtime::call::<NativeActor, OneResult>(&self.0, args))
        } else {
            let options = Options { num_returns: Some(function.returns), ..Options::default() };
            ResultReferences::Many(runtime::call_with::<NativeActor, ManyResults>(
                &self.0,
                Some(Box::new(options)),
                args,
            ))
        };
        Ok(Some(if returns == 0 { ResultReferences::Many(Vec::new()) } else { references }))
    }

    /// The name of its class, as errors show it, with the actor's name where it has one.
    pub fn label(&self) -> &str {
        self.0.label()
    }

    /// Ends the actor.
    pub fn kill(&self) {
        self.0.kill();
    }

    /// A label is the class's name, and then, in quotes, which no class's name holds, the actor's.
    fn class(&self) -> Option<&'static NativeClass> {
        let label = self.0.label();
        table().class(label.split_once(" \"").map_or(label, |(class, _)| class))
    }
}
