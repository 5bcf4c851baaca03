//! Remote tasks, actors and shared immutable objects inside MPI and Slurm jobs.
//!
//! Processes that `mpirun` or `srun` started form the cluster; there is no head node, no daemon and no port. A program
//! that is started alone is a cluster of one process.
//!
//! ```
//! use mobula::prelude::*;
//!
//! #[mobula::remote]
//! fn add(a: f64, b: f64) -> f64 {
//!     a + b
//! }
//!
//! #[mobula::main]
//! fn main() -> mobula::Result<()> {
//!     let x = add::remote(1.0, 2.0);
//!     let y = add::remote(&x, 10.0);
//!     assert_eq!(*y.get()?, 13.0);
//!     Ok(())
//! }
//! ```
//!
//! | to | use |
//! |---|---|
//! | start | [`main`](macro@main), [`init`], [`Config`], [`Cluster`] |
//! | run tasks | [`remote`](macro@remote), [`TaskOptions`], [`Placement`], [`placement_group`], [`cancel`], [`each`] |
//! | share data | [`put`], [`put_array`], [`create_array`], [`ObjectRef`], [`Array`], [`get_all`], [`wait`] |
//! | use several cores in a task | [`pool`], [`Context::enter`] |
//! | keep state | [`actor`](macro@actor), [`ActorOptions`], [`get_actor`] |
//! | handle failures | [`Error`], [`error_info`], [`error_count`], [`on_preempt`] |
//! | see what runs where | [`context`], [`nodes`], [`cluster_resources`], [`available_resources`], [`transports`] |
//! | see what ran | [`visualize`], [`timeline`] |
//!
//! `docs/guide` in the repository explains each of them, `docs/settings.md` lists the settings. `docs/design.md` draws
//! how it works; each module's documentation says what it owns and what its invariants are.
//!
//! What the runtime logs goes to the logger that the program has installed through the crate `log`, with the target
//! `mobula`; without one it is printed on standard error. `MOBULA_LOG` sets the level in both cases.
#![deny(unsafe_code)]

// The macros refer to the crate by its name, also in its own tests.
#[allow(unused_extern_crates)]
extern crate self as mobula;

pub(crate) mod api;
pub(crate) mod base;
pub(crate) mod boot;
pub(crate) mod gpu;
pub(crate) mod lineage;
pub(crate) mod memory;
pub(crate) mod native;
pub(crate) mod objects;
pub(crate) mod observe;
pub(crate) mod protocol;
pub(crate) mod registry;
pub(crate) mod rpc;
pub(crate) mod runtime;
pub(crate) mod scheduling;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod sim;
pub(crate) mod store;
pub(crate) mod topology;
pub(crate) mod transport;

#[cfg(feature = "mpi")]
pub use api::init_with_comm;
pub use api::{
    ActorOptions, Cluster, Context, EnteredContext, Node, NodeTopology, Pool, TaskOptions, available_resources, cancel,
    cluster_resources, context, create_array, dashboard_url, error_count, error_info, get_all, init, is_initialized,
    nodes, placement_group, pool, put, put_array, timeline, transports, visualize, wait,
};
pub use base::config::{Config, FabricChoice, Pages};
pub use base::error::{Error, ErrorSource, Result};
#[doc(no_inline)]
pub use bytemuck::Pod;
/// Makes a type an actor: `Counter::remote(..)` creates one with `new` somewhere in the cluster and returns a
/// `CounterHandle`, whose methods are the other `pub` methods of this `impl` block, each returning an [`ObjectRef`].
///
/// ```
/// use mobula::prelude::*;
///
/// pub struct Counter {
///     value: u64,
/// }
///
/// #[mobula::actor(max_restarts = 2)]
/// impl Counter {
///     pub fn new(start: u64) -> Self {
///         Counter { value: start }
///     }
///     pub fn increment(&mut self) -> u64 {
///         self.value += 1;
///         self.value
///     }
///     #[mobula::method(num_returns = 2)]
///     pub fn halves(&self) -> (u64, u64) {
///         (self.value / 2, self.value - self.value / 2)
///     }
/// }
///
/// #[mobula::remote]
/// fn increment_twice(counter: CounterHandle) -> mobula::Result<u64> {
///     counter.increment();
///     Ok(*counter.increment().get()?)
/// }
///
/// #[mobula::main]
/// fn main() -> mobula::Result<()> {
///     let counter = Counter::remote(0); // a handle, at once
///     assert_eq!(*counter.increment().get()?, 1);
///     assert_eq!(*increment_twice::remote(&counter).get()?, 3);
///     let (low, high) = counter.halves();
///     assert_eq!((*low.get()?, *high.get()?), (1, 2));
///     Ok(())
/// }
/// ```
///
/// The calls of one caller run in the order made, one call at a time; different actors run in parallel. An actor ends
/// when its last handle is dropped or by `kill()`; one with a name only by `kill()`, or with the program.
///
/// The options are those of [`ActorOptions`] (`resources = { "Name": 1 }` is `resource("Name", 1.0)`) and
/// `checkpoint`. `handle = Other` names the handle's type, and `crate = facade::mobula` says where mobula is if
/// Cargo.toml does not name it.
///
/// # Restarts
///
/// An actor with `max_restarts` is created again on another rank when its rank dies: with `new` and its original
/// arguments, or, with `checkpoint`, from its newest state, by two functions of this block that are not remote methods:
///
/// ```
/// use mobula::prelude::*;
///
/// pub struct Counter {
///     value: u64,
/// }
///
/// #[mobula::actor(checkpoint, max_restarts = 3, max_task_retries = 3)]
/// impl Counter {
///     pub fn new(start: u64) -> Self {
///         Counter { value: start }
///     }
///     pub fn increment(&mut self) -> u64 {
///         self.value += 1;
///         self.value
///     }
///     fn save(&self) -> u64 {
///         self.value
///     }
///     fn restore(saved: u64) -> Self {
///         Counter { value: saved }
///     }
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let counter = Counter::remote(10);
/// assert_eq!(*counter.increment().get()?, 11);
/// # drop(counter);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// `save` runs after each call, and a result is delivered only when the rank that created the actor has the state: so
/// no caller sees a result that a death undoes. Calls that ran are not run again; calls in progress are retried as
/// `max_task_retries` says, else they fail with [`Error::ActorDied`] and later ones continue. `u32::MAX` means no
/// bound.
pub use mobula_macros::actor;
/// Declares a task that C registers, or C++ or Fortran, as a type by which Rust submits it: `add::remote(..)`,
/// `add::options()`, `add::on(rank)`.
///
/// ```
/// use mobula::prelude::*;
///
/// mobula::c_task!(fn add(f64, f64) -> f64);
/// mobula::c_task! {
///     /// The scaled array, and its largest element.
///     pub fn scaled(x: Array<f64>, factor: f64) -> (Array<f64>, f64) = "linear::scaled"
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let sum = add::remote(1.0, 2.0);
/// let error = sum.get().unwrap_err().to_string(); // this program has no part in C
/// assert!(error.contains("no function named \"add\" is registered"));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// An argument is a value or an [`ObjectRef`], as of every remote function. Parameters and results are numbers, `bool`,
/// `String` (`MOBULA_BYTES`), and [`Array`] and `Vec` of numbers; `[f64; 2]` is `MOBULA_C128`, `[f32; 2]`
/// `MOBULA_C64`. Arrays are not copied. A tuple is several results, and `()` one that is not looked at. The name in C
/// follows after `=` where it is another one.
///
/// A name that nothing is registered under, and another number of results, fail the call at once; other types of the
/// arguments or results fail it with [`Error::Type`] when it runs. How such a program is linked: `docs/guide/c.md`.
pub use mobula_macros::c_task;
/// Starts the cluster around `main`: rank 0 runs the body, every other rank serves until it returns. With `spmd` every
/// rank runs the body and is a driver of its own.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::main(num_cpus = 10, num_gpus = 2, resources = { "Custom": 2 })]
/// fn main() -> mobula::Result<()> {
///     assert_eq!(mobula::cluster_resources()["CPU"], 10.0);
///     Ok(())
/// }
/// ```
///
/// ```
/// #[mobula::main(spmd)]
/// async fn main() {
///     let context = mobula::context();
///     println!("rank {} on host {}", context.rank(), context.host());
/// }
/// ```
///
/// The other options are `workers`, `memory_bytes`, `store_bytes`, `store_wait_s`, `spill_dir`, `stack_bytes` and
/// `pin`, each as in [`Config`].
pub use mobula_macros::main;
/// Makes a function callable as a task on any rank: `add::remote(..)`, `add::options()`, `add::on(rank)`. The function
/// itself stays callable.
///
/// Each parameter is `T`, or `&T`, which borrows the object in place (`&[X]` borrows an [`Array`], `&str` a `String`);
/// a caller gives a value or an [`ObjectRef`] to one. Errors and panics surface at [`get`](ObjectRef::get). An
/// `async fn` runs on the same workers.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote(num_cpus = 2, resources = { "Licence": 1 }, max_retries = 0)]
/// fn mean(data: &[f64]) -> Result<f64, String> {
///     if data.is_empty() { Err("no data".to_string()) } else { Ok(data.iter().sum::<f64>() / data.len() as f64) }
/// }
///
/// #[mobula::remote(num_returns = 3)]
/// fn three() -> (i32, String, Vec<u8>) {
///     (1, "two".to_string(), vec![3])
/// }
///
/// #[mobula::remote(num_returns = "many")]
/// fn split(data: Vec<f64>) -> Vec<Vec<f64>> {
///     data.chunks(2).map(<[f64]>::to_vec).collect()
/// }
///
/// #[mobula::remote]
/// fn total(parts: Vec<Vec<f64>>) -> f64 {
///     parts.iter().flatten().sum()
/// }
///
/// #[mobula::main(num_cpus = 4, resources = { "Licence": 1 })]
/// fn main() -> mobula::Result<()> {
///     let data = mobula::put_array(&[1.0, 2.0, 6.0])?;
///     assert_eq!(*mean::remote(&data).get()?, 3.0);
///     let none = mobula::put_array::<f64>(&[])?;
///     assert!(matches!(mean::on(0).remote(&none).get(), Err(Error::Task { .. })));
///
///     let (one, two, _) = three::remote();
///     assert_eq!((*one.get()?, two.get()?.as_str()), (1, "two"));
///
///     let parts: Vec<ObjectRef<Vec<f64>>> = split::options().num_returns(3).remote(vec![1.0; 6]);
///     assert_eq!(*total::remote(&parts).get()?, 6.0);
///     Ok(())
/// }
/// ```
///
/// A `Vec` with `num_returns = N` becomes N objects, with "many" as many as the call says; if the body returns another
/// number of values, each of them is an error that says so. A parameter `Vec<T>`, `&Vec<T>` or `&[T]` also accepts
/// references to its elements, as `&references` or [`mobula::each(references)`](each): the task starts when all of
/// them are complete.
///
/// A function that takes and returns numbers, in microseconds, and neither waits nor calls mobula, may be a `leaf`: it
/// runs on the worker or progress thread of its rank that receives the call, without becoming a task there. Waiting,
/// submitting a task and calling an actor in it is an error that says so; one that runs longer than a millisecond is
/// reported once. It takes no lock that a task holds while it waits.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote(leaf)]
/// fn index_of(key: u64) -> u64 {
///     key.count_ones().into()
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// assert_eq!(*index_of::on(0).remote(7).get()?, 3);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// With `c`, C, C++ and Fortran call the function too, by its path, `name_of_the_crate::module::function`: see
/// [`c_task`](macro@c_task) for the types that it may have, and `docs/guide/c.md`.
///
/// ```
/// # use mobula::prelude::*;
/// #[mobula::remote(c)]
/// fn norm(x: Array<f64>, p: f64) -> f64 {
///     x.iter().map(|element| element.abs().powf(p)).sum::<f64>().powf(1.0 / p)
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// assert_eq!(*norm::remote(mobula::put_array(&[3.0, 4.0])?, 2.0).get()?, 5.0);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// The options are those of [`TaskOptions`] (`resources = { "Name": 1 }` is `resource("Name", 1.0)`), `num_returns`,
/// `leaf` and `c`. Two concern what is generated: `name = other`, a name in lower case without quotes, names the type
/// (`other::remote(..)`) where the function's own name is taken; `crate = facade::mobula` says where mobula is if
/// Cargo.toml does not name it.
pub use mobula_macros::remote;
pub use objects::{Array, ArrayMut, Object, ObjectRef, Ref};
pub use registry::{Actor, Bundle, Each, Placement, PlacementGroup, each};
pub use runtime::{
    HostReport, Preempt, ReportSection, Strategy, TransportReason, TransportRow, Transports, get_actor, host_report,
    on_preempt,
};

/// The usual imports.
///
/// ```
/// use mobula::prelude::*;
///
/// # let cluster = mobula::init(Config::default())?;
/// let reference: ObjectRef<u64> = mobula::put(7)?;
/// assert_eq!(*reference.get_timeout(Duration::from_secs(10))?, 7);
/// # cluster.shutdown()?;
/// # Ok::<(), Error>(())
/// ```
pub mod prelude {
    pub use crate::{Array, ArrayMut, Cluster, Config, Error, ObjectRef, Placement, Ref};
    pub use std::time::Duration;
}

/// For the macros' output. Not for programs: it changes with the macros.
#[doc(hidden)]
pub mod __private {
    pub use crate::api::run_main;
    pub use crate::native::{
        CallArguments, ExportedFunction, ImportedTask, NativeFrame, check_argument_count, export_result,
        export_results, exported_argument, imported_argument, run_exported,
    };
    pub use crate::objects::SerializedValue;
    pub use crate::registry::{
        ActorState, Arg, CallOptions, Callable, CheckedTypes, Checkpoint, Explain, ExplainBoxed, ExplainDebug,
        ExplainDisplay, ExplainError, ExplainOwn, Failure, Function, FunctionKind, IntoArg, IntoListArg, ListArg, Many,
        Multiple, Options, Outputs, Own, OwnByClone, OwnBySerde, Single, TableEntry, construct, save, with_actor,
    };
    pub use crate::runtime::{RawHandle, block_on, call, create, submit, submit_plain};
    pub use {inventory, serde};
}

/// For the crate `mobula-capi`, the C interface. Not for programs: it changes with that crate.
#[doc(hidden)]
pub mod __native {
    #[cfg(feature = "mpi")]
    pub use crate::api::init_with_fortran_comm;
    pub use crate::native::{
        ArgumentView, ArrayView, CallArguments, ClassDescription, ElementType, FORKED, MethodDescription,
        NativeArgument, NativeArray, NativeBody, NativeDraft, NativeFrame, NativeFunction, NativeHandle, NativeValue,
        ResultReferences, at_end_of_tasks, create_actor, current_cluster, current_task, find_actor, find_task,
        from_native, has_address_sanitizer, is_forked, rank_and_size, register_class, register_function, submit,
        to_native, warn,
    };
    pub use crate::registry::{Arg, CallOptions, Failure, Options};
}

/// Decoders of bytes from peers: for tests and fuzzers.
#[cfg(any(all(test, not(loom)), fuzzing))]
#[doc(hidden)]
#[path = "../tests/decoders/mod.rs"]
pub mod decoders;

/// The examples of README.md and of the guide compile and run. Those for MPI programs are in `tests/rsmpi`.
#[cfg(doctest)]
mod documents {
    macro_rules! documents {
        ($($name:ident $path:literal)*) => {
            $(#[doc = include_str!($path)] struct $name;)*
        };
    }

    documents! {
        Readme "../README.md"
        Guide "../docs/guide/README.md"
        GuideTasks "../docs/guide/tasks.md"
        GuideObjects "../docs/guide/objects.md"
        GuideActors "../docs/guide/actors.md"
        GuideSlurmAndMpi "../docs/guide/slurm-and-mpi.md"
        GuideMemory "../docs/guide/memory.md"
        GuideFailures "../docs/guide/failures.md"
        GuideThreads "../docs/guide/threads.md"
        GuidePerformance "../docs/guide/performance.md"
        GuideFromRay "../docs/guide/from-ray.md"
        GuideTroubleshooting "../docs/guide/troubleshooting.md"
    }
}
