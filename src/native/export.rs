//! Functions of Rust that C calls by their paths: `#[mobula::remote(c)]`.

use crate::base::Error;
use crate::native::arguments::ArgumentView;
use crate::native::function::{NativeFrame, row};
use crate::native::value::NativeValue;
use crate::registry::{CallOptions, Callable, Failure, FunctionKind, Outputs, TableEntry, run_body};

/// What the macro writes of such a function: a row of the function table of its own, for calls of C.
pub struct ExportedFunction {
    pub(super) entry: &'static TableEntry,
    pub(super) returns: usize,
    pub(super) body: fn(&mut NativeFrame<'_>) -> Result<(), Failure>,
    /// The options of its attribute, if it has any.
    pub(super) options: Option<fn() -> CallOptions>,
}

inventory::collect!(ExportedFunction);

impl ExportedFunction {
    /// Of the function with that row.
    pub const fn new(
        entry: &'static TableEntry,
        returns: usize,
        body: fn(&mut NativeFrame<'_>) -> Result<(), Failure>,
        options: Option<fn() -> CallOptions>,
    ) -> ExportedFunction {
        ExportedFunction { entry, returns, body, options }
    }

    /// The row of the function at `path`.
    pub const fn row(path: &'static str, signature: &'static str, returns: usize) -> TableEntry {
        row(path, path, signature, FunctionKind::Task, returns, None)
    }

    /// The last part of its path.
    pub(super) fn last_part(&self) -> &'static str {
        self.entry.path.rsplit_once("::").map_or(self.entry.path, |(_, last)| last)
    }
}

/// Runs the body of `C`.
///
/// # Errors
/// What it returned as `Err`.
pub fn run_exported<C: Callable>(args: C::Args) -> Result<<C::Outputs as Outputs>::Value, Failure> {
    run_body::<C>(args, &mut None)
}

/// Checks how many arguments C has passed.
///
/// # Errors
/// `Type` if they are not `wanted`.
pub fn check_argument_count(frame: &NativeFrame<'_>, wanted: usize) -> Result<(), Failure> {
    let got = frame.args.count();
    if got == wanted {
        return Ok(());
    }
    Err(mismatch(frame.name, format!("it wants {wanted} arguments, and got {got}")))
}

/// The argument of that index, which is there, of the type that the function takes.
///
/// # Errors
/// `Type`, with position, wanted and got; those of creating an array.
pub fn exported_argument<T: NativeValue>(frame: &NativeFrame<'_>, index: usize) -> Result<T, Failure> {
    let got = match frame.args.get(index) {
        Some(ArgumentView::Array(array)) => match T::from_native(array).map_err(Failure::Passed)? {
            Some(value) => return Ok(value),
            None => array.described(),
        },
        Some(ArgumentView::Reference(_)) => "a reference that was passed as it is".to_string(),
        Some(ArgumentView::Actor(_)) => "an actor".to_string(),
        None => "none".to_string(),
    };
    let wanted = T::wanted();
    Err(mismatch(frame.name, format!("argument {index}: it wants {wanted}, and got {got}")))
}

/// Sets the result of that index, which is there.
///
/// # Errors
/// Those of creating an array.
pub fn export_result<T: NativeValue>(frame: &mut NativeFrame<'_>, index: usize, value: &T) -> Result<(), Failure> {
    if let Some(result) = frame.results.get_mut(index) {
        *result = Some(value.to_native().map_err(Failure::Passed)?);
    }
    Ok(())
}

/// Sets the results to the elements of a list.
///
/// # Errors
/// If it has another number; those of creating an array.
pub fn export_results<T: NativeValue>(frame: &mut NativeFrame<'_>, values: &[T]) -> Result<(), Failure> {
    let (returned, expected) = (values.len(), frame.results.len());
    if returned != expected {
        let text = format!("it returned {returned} values where num_returns is {expected}");
        return Err(Failure::Message(text));
    }
    values.iter().enumerate().try_for_each(|(index, value)| export_result(frame, index, value))
}

/// A call that does not fit the function.
pub(super) fn mismatch(function: &str, mismatch: String) -> Failure {
    Failure::Passed(Error::Type { function: function.to_string(), mismatch })
}
