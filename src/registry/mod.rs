//! Remote functions, actor constructors and methods: their table, their arguments and results, and calls as tasks.
//!
//! Owns: the function table and its digest, `Task` (one call: arguments, results, state), argument and result shapes.
//! Never: queues, places, sends or retries a task.
//!
//! Invariants:
//! - REGISTRY-1: a function is named by a hash of its path and signature, the same on every rank that runs the same
//!   binary.
//! - REGISTRY-2: a task is claimed once; only its claimer runs it, sends it to another rank or fails it.
//! - REGISTRY-3: a task's results complete exactly once, whatever its body does.

mod args;
mod call_options;
mod checked;
mod failure;
mod function;
mod group;
mod leaf;
mod options;
mod outputs;
mod ready;
mod task;

pub use args::{Arg, ArgList, Argument, Each, IntoArg, IntoListArg, ListArg, Own, OwnByClone, OwnBySerde, each};
pub use call_options::CallOptions;
pub use checked::CheckedTypes;
pub use failure::{Explain, ExplainBoxed, ExplainDebug, ExplainDisplay, ExplainError, ExplainOwn, Failure};
pub use function::{
    Actor, ActorState, Callable, Checkpoint, DecodeFn, DecodePlainFn, Function, FunctionKind, TableEntry, construct,
    functions, is_open, key_of, register, save, with_actor,
};
pub use group::{Bundle, PlacementGroup};
pub use leaf::{LeafOutcome, refuse_in_leaf, run_body, runs_leaf};
pub use options::{Options, Placement};
pub use outputs::{Many, Multiple, Outputs, PlainForm, Single};
pub use ready::launch_ready_by;
pub use task::{Runnable, Task, TaskHeader, TaskPhase};
