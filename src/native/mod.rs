//! What the C interface, the crate `mobula-capi`, needs of the library besides the public API: arrays whose element
//! type is known at run time, functions and actors that a program registers at run time, and calls between Rust and C.
//!
//! ```text
//!   C: mobula_submit("path::norm") --> ExportedFunction: a row of its own --> arrays become the arguments of Rust
//!   Rust: add::remote(1.0, 2.0) -----> ImportedTask: a task of Rust --------> its arguments become arrays of C
//! ```
//! So each language has the types of its own, and an array is read where it lies in both.
//!
//! Owns: the tables of registered functions and classes by name. Never: calls C, or holds a pointer; the bodies of
//! functions are closures, and an actor's state is an address that only they use.
//!
//! Invariants:
//! - NATIVE-1: functions and classes are registered before the first start of the process; the tables never change
//!   after it, and their rows live as long as the process.

mod actor;
mod arguments;
mod array;
mod call;
mod element;
mod export;
mod function;
mod import;
mod reference;
mod value;

pub use actor::{ClassDescription, MethodDescription, NativeHandle, create_actor, find_actor, register_class};
pub use arguments::{ArgumentView, CallArguments, NativeArgument};
pub use array::{ArrayView, NativeArray, NativeDraft};
pub use call::{ResultReferences, find_task, submit};
pub use element::ElementType;
pub use export::{
    ExportedFunction, check_argument_count, export_result, export_results, exported_argument, run_exported,
};
pub use function::{NativeBody, NativeFrame, NativeFunction, register_function};
pub use import::{ImportedTask, imported_argument};
pub use reference::{from_native, to_native};
pub use value::NativeValue;

use crate::base::log::{Level, log};
use crate::base::stack;
use crate::runtime::{self, Runtime};

pub use crate::base::forked::{FORKED, is_forked};
pub use crate::runtime::{at_end_of_tasks, has_address_sanitizer};

/// Set in the number of a stack, and in no number of a task.
const OF_STACK: u64 = 1 << 63;

/// The number of the task that runs on this stack, another for each of all ranks; that of the stack itself for what an
/// actor's `save` calls, which is of no task; 0 if there is neither, also on a thread that took on a task's context.
#[inline]
pub fn current_task() -> u64 {
    if runtime::runs_task() {
        return runtime::current_number();
    }
    match stack::bounds() {
        (0, _) => 0,
        (lowest, _) => lowest as u64 | OF_STACK,
    }
}

/// Tells the user what no status can.
pub fn warn(text: &str) {
    log(Level::Warn, || text.to_string());
}

/// The cluster that runs in this process, by a number that no other cluster of the process ever has.
#[inline]
pub fn current_cluster() -> Option<usize> {
    // A rank is never freed.
    Runtime::current().map(|runtime| std::ptr::from_ref(runtime).addr())
}

/// Rank and size of the cluster that runs in this process.
#[inline]
pub fn rank_and_size() -> Option<(u32, u32)> {
    Runtime::current().map(|runtime| (runtime.cluster.rank, runtime.cluster.size))
}
