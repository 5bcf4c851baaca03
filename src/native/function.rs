//! Functions that C calls by their names: rows of the function table that live as long as the process. A program
//! registers its own at run time.

use crate::base::sync::lock;
use crate::base::{Error, Result, limits};
use crate::native::actor::NativeClass;
use crate::native::arguments::CallArguments;
use crate::native::array::NativeArray;
use crate::native::call::{ManyResults, OneResult};
use crate::native::export::ExportedFunction;
use crate::registry::{
    self, CallOptions, Checkpoint, DecodeFn, DecodePlainFn, Failure, FunctionKind, TableEntry, Task,
};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Mutex, OnceLock};

/// A call as its body sees it.
pub struct NativeFrame<'a> {
    /// The name of what is called.
    pub name: &'static str,
    /// Its arguments; references are resolved, unless they were passed as they are.
    pub args: &'a CallArguments,
    /// Its results: one that is left out is an empty array.
    pub results: &'a mut [Option<NativeArray>],
    /// The address of the actor's state: written by a constructor, read by a method.
    pub state: usize,
}

/// What a registered function does.
pub type NativeBody = Box<dyn Fn(&mut NativeFrame<'_>) -> Result<(), Failure> + Send + Sync>;

/// A registered function.
pub struct NativeFunction {
    /// Its row in the function table.
    pub entry: TableEntry,
    /// How many results it has.
    pub returns: usize,
    /// The class of a constructor or a method.
    pub class: OnceLock<&'static NativeClass>,
    pub(super) body: NativeBody,
    /// The options that a call has where it sets no others.
    pub(super) options: Option<fn() -> CallOptions>,
}

/// Tasks and classes by name; all functions by key.
#[derive(Default)]
pub(super) struct NativeTable {
    tasks: HashMap<&'static str, &'static NativeFunction>,
    classes: HashMap<&'static str, &'static NativeClass>,
    by_key: HashMap<u64, &'static NativeFunction>,
}

/// What was registered before the first start.
static REGISTERED: Mutex<Option<NativeTable>> = Mutex::new(None);

/// The table of a process whose cluster has started (NATIVE-1).
pub(super) fn table() -> &'static NativeTable {
    static TABLE: OnceLock<NativeTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = lock(&REGISTERED).take().unwrap_or_default();
        table.add_exports();
        table
    })
}

impl NativeTable {
    /// The function of that key.
    pub(super) fn by_key(&self, key: u64) -> Option<&'static NativeFunction> {
        self.by_key.get(&key).copied()
    }

    /// The task of that name.
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn task(&self, name: &str) -> Option<&'static NativeFunction> {
        self.tasks.get(name).copied()
    }

    /// The class of that name.
    pub(super) fn class(&self, name: &str) -> Option<&'static NativeClass> {
        self.classes.get(name).copied()
    }

    fn add(&mut self, function: &'static NativeFunction) {
        self.by_key.insert(function.entry.key, function);
    }

    /// Adds the functions of Rust, by their paths. The last part of a path is a name too, if no other function has it.
    fn add_exports(&mut self) {
        let exports: Vec<&ExportedFunction> = inventory::iter::<ExportedFunction>.into_iter().collect();
        let mut having: HashMap<&str, usize> = HashMap::default();
        for export in &exports {
            *having.entry(export.last_part()).or_default() += 1;
        }
        for export in exports {
            let ExportedFunction { entry, returns, body, options } = *export;
            let (entry, class, body) = (*entry, OnceLock::new(), Box::new(body));
            let function: &'static NativeFunction =
                Box::leak(Box::new(NativeFunction { entry, returns, class, body, options }));
            self.add(function);
            self.tasks.entry(entry.path).or_insert(function);
            if having.get(export.last_part()) == Some(&1) {
                self.tasks.entry(export.last_part()).or_insert(function);
            }
        }
    }
}

/// Registers a task.
///
/// # Errors
/// `Config` if its name is taken or not possible, if it has too many results, or after the first start.
pub fn register_function(name: &str, returns: usize, body: NativeBody) -> Result<()> {
    check_name(name)?;
    check_returns(name, returns)?;
    if inventory::iter::<ExportedFunction>.into_iter().any(|export| export.entry.path == name) {
        return Err(Error::config(format!("{name} is the path of a function of Rust: give this one another name")));
    }
    register_with(|table| {
        if table.tasks.contains_key(name) {
            return Err(Error::config(format!(
                "a function named {name} is registered already: give each its own name"
            )));
        }
        let (kind, path) = (FunctionKind::Task, name.to_string());
        let function = NativeFunction::leaked(kind, name.to_string(), path, returns, None, body)?;
        table.add(function);
        table.tasks.insert(function.entry.name, function);
        Ok(())
    })
}

/// Adds a class with its functions, which `functions` makes.
///
/// # Errors
/// As of `register_function`.
pub(super) fn add_class(
    name: &str,
    make: impl FnOnce() -> Result<(&'static NativeClass, Vec<&'static NativeFunction>)>,
) -> Result<()> {
    check_name(name)?;
    register_with(|table| {
        if table.classes.contains_key(name) {
            return Err(Error::config(format!("an actor class named {name} is registered already")));
        }
        let (class, functions) = make()?;
        functions.into_iter().for_each(|function| table.add(function));
        table.classes.insert(&class.name, class);
        Ok(())
    })
}

fn register_with(add: impl FnOnce(&mut NativeTable) -> Result<()>) -> Result<()> {
    add(lock(&REGISTERED).get_or_insert_default())
}

/// The longest name: with the name of an actor, errors show a class's whole.
const NAME_BYTES: usize = limits::NAME_SHOWN_BYTES / 2;

/// # Errors
/// `Config` for a name that is empty, too long, or not one line.
pub(super) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES || name.contains(|c: char| c.is_control() || c == '"') {
        return Err(Error::config(format!(
            "{name:?} cannot be registered: a name has 1 to {NAME_BYTES} bytes, no quotes and no control characters"
        )));
    }
    Ok(())
}

/// # Errors
/// `Config` if there are more results than a call may have.
pub(super) fn check_returns(name: &str, returns: usize) -> Result<()> {
    if returns > limits::RETURNS_MAX {
        let most = limits::RETURNS_MAX;
        return Err(Error::config(format!("{name} has {returns} results: a function has {most} at most")));
    }
    Ok(())
}

/// The signature of a registered function: what ranks compare, and what its key depends on.
pub(super) fn signature_of(kind: FunctionKind, returns: usize) -> String {
    let what = match kind {
        FunctionKind::Task => "task",
        FunctionKind::New => "constructor",
        FunctionKind::Method => "method",
    };
    format!("C {what}, {returns} results")
}

/// The row of a function that C calls.
pub(super) const fn row(
    name: &'static str,
    path: &'static str,
    signature: &'static str,
    kind: FunctionKind,
    returns: usize,
    checkpoint: Option<&'static Checkpoint>,
) -> TableEntry {
    let (decode, decode_plain): (DecodeFn, DecodePlainFn) = if returns <= 1 {
        (
            |bytes, attachments, header| Ok(Task::<OneResult>::received(header, bytes, attachments)?),
            |entry, bytes, header| Some(Task::<OneResult>::received_plain(entry, header, bytes)?),
        )
    } else {
        (|bytes, attachments, header| Ok(Task::<ManyResults>::received(header, bytes, attachments)?), |_, _, _| None)
    };
    TableEntry {
        name,
        path,
        signature,
        kind,
        decode,
        decode_plain,
        leaf: None,
        returns: 1, // several results are one list between ranks
        key: registry::key_of(path, signature),
        checkpoint,
    }
}

impl NativeFunction {
    /// A function whose row is part of the function table from now on.
    ///
    /// # Errors
    /// `Config` after the first start.
    pub(super) fn leaked(
        kind: FunctionKind,
        name: String,
        path: String,
        returns: usize,
        checkpoint: Option<&'static Checkpoint>,
        body: NativeBody,
    ) -> Result<&'static NativeFunction> {
        let too_late = |name: &str| {
            Error::config(format!(
                "{name} is registered too late: functions and actor classes are registered before the first \
                 mobula_init of the process"
            ))
        };
        if !registry::is_open() {
            return Err(too_late(&name)); // before anything is leaked
        }
        let (name, path) = (&*name.leak(), &*path.leak());
        let signature = &*signature_of(kind, returns).leak();
        let entry = row(name, path, signature, kind, returns, checkpoint);
        let function: &'static NativeFunction =
            Box::leak(Box::new(NativeFunction { entry, returns, class: OnceLock::new(), body, options: None }));
        if !registry::register(&function.entry) {
            return Err(too_late(name));
        }
        Ok(function)
    }
}
