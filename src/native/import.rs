//! Tasks of C that Rust calls: `mobula::c_task!`. Such a call is a task of Rust, whose body runs that of C in place.

use crate::base::Error;
use crate::native::arguments::CallArguments;
use crate::native::array::NativeArray;
use crate::native::export::mismatch;
use crate::native::function::{NativeFrame, NativeFunction, table};
use crate::native::value::{NativeValue, value_of};
use crate::registry::{CallOptions, Callable, Failure, Outputs, Runnable as _, Task, TaskHeader};
use crate::runtime::{self, Runtime};
use std::sync::{Arc, OnceLock};

/// A task that C registers, or C++ or Fortran, as Rust has declared it.
pub struct ImportedTask {
    name: &'static str,
    returns: usize,
    function: OnceLock<&'static NativeFunction>,
}

impl ImportedTask {
    /// Of that name, with as many results.
    pub const fn new(name: &'static str, returns: usize) -> ImportedTask {
        ImportedTask { name, returns, function: OnceLock::new() }
    }

    /// Submits a call. One that cannot be made is a failed task.
    pub fn submit<C: Callable>(&self, options: CallOptions, args: C::Args) -> <C::Outputs as Outputs>::Refs {
        // Before a start the table is open, and the task fails for want of a cluster.
        match if Runtime::current().is_some() { self.function().map(|_| ()) } else { Ok(()) } {
            Ok(()) => runtime::submit::<C>(options, args),
            Err(error) => {
                let task = Task::<C>::new(TaskHeader::new(None, 0), args);
                let references = C::Outputs::refs(&task);
                task.fail(Arc::new(error));
                references
            }
        }
    }

    /// The registered function.
    ///
    /// # Errors
    /// `Config` if there is none; `Type` if it has another number of results.
    #[inline]
    fn function(&self) -> Result<&'static NativeFunction, Error> {
        match self.function.get() {
            Some(function) => Ok(function),
            None => self.find(),
        }
    }

    #[cold]
    fn find(&self) -> Result<&'static NativeFunction, Error> {
        let name = self.name;
        let Some(function) = table().task(name) else {
            return Err(Error::config(format!(
                "mobula::c_task!: no function named {name:?} is registered: register it before mobula_init, on every \
                 rank (MOBULA_TASK, mobula_register)"
            )));
        };
        // One without results may be declared as one that returns `()`.
        if function.returns != self.returns && (function.returns, self.returns) != (0, 1) {
            let (has, declared) = (function.returns, self.returns);
            let mismatch = format!("it has {has} results, and mobula::c_task! declares {declared}");
            return Err(Error::Type { function: name.to_string(), mismatch });
        }
        Ok(self.function.get_or_init(|| function))
    }

    /// Runs the body with these arguments.
    ///
    /// # Errors
    /// Why it failed.
    pub fn run<const RETURNS: usize>(&self, args: &CallArguments) -> Result<[Option<NativeArray>; RETURNS], Failure> {
        let function = self.function().map_err(Failure::Passed)?;
        let mut results = [const { None }; RETURNS];
        let set = &mut results[..function.returns.min(RETURNS)];
        (function.body)(&mut NativeFrame { name: function.entry.name, args, results: set, state: 0 })?;
        Ok(results)
    }

    /// The value of the result of that index.
    ///
    /// # Errors
    /// `Type`, with position, wanted and got; those of creating an array.
    pub fn result<T: NativeValue>(&self, index: usize, result: Option<NativeArray>) -> Result<T, Failure> {
        let array = result.unwrap_or_else(NativeArray::empty);
        value_of(&array).map_err(Failure::Passed)?.map_err(|got| {
            let wanted = T::wanted();
            mismatch(self.name, format!("result {index}: mobula::c_task! declares {wanted}, and it returned {got}"))
        })
    }
}

/// Appends an argument for C.
///
/// # Errors
/// Those of creating an array.
#[inline]
pub fn imported_argument<T: NativeValue>(args: &mut CallArguments, value: &T) -> Result<(), Failure> {
    value.push_to(args).map_err(Failure::Passed)
}
