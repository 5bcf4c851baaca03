//! Leaf functions: short, and neither waiting nor calling mobula, so that they may run where their call is received.

use crate::base::Error;
use crate::base::panic::catch;
use crate::registry::failure::Failure;
use crate::registry::function::{ActorState, Callable};
use crate::registry::{ArgList, Outputs};
use crate::rpc::PlainBytes;
use std::cell::Cell;

/// How a leaf function ended.
pub enum LeafOutcome {
    /// Its plain value was written.
    Returned,
    /// It failed.
    Failed(Failure),
    /// It did not run: its value is not plain, or the bytes are not its arguments.
    NotPlain,
}

/// Runs a leaf function with plain arguments, and writes its plain value.
pub type LeafFn = fn(&[u8], &mut PlainBytes) -> LeafOutcome;

thread_local! {
    /// The leaf function that runs on this thread.
    static RUNNING: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Ends the mark of a leaf function when dropped.
struct Running(Option<&'static str>);

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(self.0);
    }
}

/// Runs the body of a call; that of a leaf function is marked.
///
/// # Errors
/// What the body returned as `Err`.
#[inline]
pub fn run_body<C: Callable>(args: C::Args, state: &mut ActorState) -> Result<<C::Outputs as Outputs>::Value, Failure> {
    let _running = C::LEAF.then(|| Running(RUNNING.replace(Some(C::NAME))));
    C::invoke(args, state)
}

/// Runs `C`: what `TableEntry::leaf` is.
pub fn run_leaf<C: Callable>(args: &[u8], value: &mut PlainBytes) -> LeafOutcome {
    let args = if C::Outputs::is_plain() { C::Args::from_plain(C::ENTRY, args) } else { None };
    let Some(args) = args else { return LeafOutcome::NotPlain };
    match catch(|| run_body::<C>(args, &mut None)) {
        Ok(Ok(result)) if C::Outputs::push_plain_value(&result, value) => LeafOutcome::Returned,
        Ok(Ok(_)) => LeafOutcome::Failed(Failure::Message("its result has more bytes than a short call".to_string())),
        Ok(Err(failure)) => LeafOutcome::Failed(failure),
        Err(panic) => LeafOutcome::Failed(Failure::Panic(panic)),
    }
}

/// Refuses `call` in a leaf function.
///
/// # Errors
/// In a leaf function: what to do instead.
#[inline]
pub fn refuse_in_leaf(call: &str) -> Result<(), Error> {
    RUNNING.get().map_or(Ok(()), |function| Err(refusal(call, function)))
}

/// True if a leaf function runs on this thread.
#[inline]
pub fn runs_leaf() -> bool {
    RUNNING.get().is_some()
}

#[cold]
fn refusal(call: &str, function: &str) -> Error {
    Error::config(format!(
        "calling {call} is not possible in the leaf function {function}: it may run where its call is received, so it \
         neither waits nor calls mobula; a function without `leaf` may"
    ))
}
