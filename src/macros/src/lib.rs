//! The attribute macros of `mobula`: [`macro@remote`], [`macro@actor`] and [`macro@main`]. Use them through `mobula`,
//! which re-exports them.
//!
//! A macro writes one registration and one thin shim; everything else is ordinary code in `mobula::__private`.
//! Invariants:
//!
//! - MACROS-1: The user's code is emitted unchanged, less the `#[mobula::method(..)]` attributes inside an actor's
//!   block. It is allowed `&Vec<T>` parameters: clippy's suggestion `&[T]` would take another object, an `Array<T>`.
//! - MACROS-2: The output holds no `unsafe`: it compiles under `#![forbid(unsafe_code)]`.
//! - MACROS-3: Generated items live in a `const _` block and never take a name that the user's code could mean; the
//!   exceptions are those promised to the user (`struct add`, `struct CounterHandle`). Generated locals are hygienic.
//! - MACROS-4: Every path starts with `::mobula`, `::core` or `::std`, so nothing need be imported.
//! - MACROS-5: Code that cannot be remote is refused here, at the offending token, with a message that says what to
//!   write instead.
#![forbid(unsafe_code)]

mod actor;
mod checkpoint;
mod construction;
mod entry;
mod function;
mod handle;
mod method;
mod options;
mod params;
mod returns;
mod shape;

use proc_macro::TokenStream;

/// Makes a function callable as a task on any rank: `add::remote(..)`, `add::options()`, `add::on(rank)`. The function
/// itself stays callable.
///
/// Each parameter is `T`, or `&T`, which borrows the object in place (`&[X]` borrows an `Array<X>`, `&str` a `String`);
/// a caller gives a value or an `ObjectRef` to one. Errors and panics surface at `get`. An `async fn` runs on the same
/// workers.
///
/// ```ignore
/// #[mobula::remote(num_cpus = 4, num_gpus = 0.5, resources = { "Custom": 1 }, max_retries = 3)]
/// fn train(data: Array<f32>) -> Result<Model, TrainError> { .. }
///
/// #[mobula::remote(num_returns = 3)]
/// fn three() -> (i32, String, Vec<u8>) { .. }
///
/// #[mobula::remote(num_returns = "many")]
/// fn split(data: Vec<f64>) -> Vec<Part> { .. }
/// let parts: Vec<ObjectRef<Part>> = split::options().num_returns(3000).remote(data);
/// ```
///
/// A `Vec` with `num_returns = N` becomes N objects, with "many" as many as the call says; if the body returns another
/// number of values, each of them is an error that says so. A parameter `Vec<T>`, `&Vec<T>` or `&[T]` also accepts
/// references to its elements, as `&references` or `mobula::each(references)`: the task starts when all of them are
/// complete.
///
/// The other options are `retry_on_error = true`, `name = "x"` and `place = Placement::Spread`.
#[proc_macro_attribute]
pub fn remote(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(function::expand, attribute, item)
}

/// Makes a type an actor: `Counter::remote(..)` builds one with `new` somewhere in the cluster and returns a
/// `CounterHandle`, whose methods are the `pub` methods of this `impl` block, each returning an `ObjectRef`.
///
/// ```ignore
/// #[mobula::actor(num_gpus = 1, max_restarts = 2)]
/// impl Counter {
///     pub fn new(start: u64) -> Self { Counter { value: start } }
///     pub fn increment(&mut self) -> u64 { self.value += 1; self.value }
///     #[mobula::method(num_returns = 2)]
///     pub fn pair(&self) -> (u64, u64) { (self.value, self.value) }
/// }
/// ```
///
/// The options are `num_cpus`, `num_gpus`, `resources`, `max_restarts`, `max_task_retries`, `checkpoint`, `name` and
/// `place`.
///
/// An actor with `max_restarts` is rebuilt on another rank when its rank dies: with `new` and its original arguments,
/// or, with `checkpoint`, from its newest state, by two functions of this block that are not remote methods:
///
/// ```ignore
/// #[mobula::actor(checkpoint, max_restarts = 3, max_task_retries = 3)]
/// impl Counter {
///     pub fn new(start: u64) -> Self { Counter { value: start } }
///     pub fn increment(&mut self) -> u64 { self.value += 1; self.value }
///     fn save(&self) -> u64 { self.value }
///     fn restore(saved: u64) -> Self { Counter { value: saved } }
/// }
/// ```
///
/// `save` runs after each call, and a result is delivered only when the rank that created the actor has the state: so
/// no caller sees a result that a death undoes. Calls that ran are not run again; calls in progress are retried as
/// `max_task_retries` says, else they fail with `Error::ActorDied` and later ones continue. `u32::MAX` means no bound.
#[proc_macro_attribute]
pub fn actor(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(actor::expand, attribute, item)
}

/// Starts the cluster around `main`: rank 0 runs the body, every other rank serves until it returns. With `spmd` every
/// rank runs the body.
///
/// ```ignore
/// #[mobula::main(num_cpus = 10, num_gpus = 2, resources = { "Custom": 2 })]
/// fn main() -> mobula::Result<()> { .. }
/// ```
///
/// The other options are `workers`, `store_bytes`, `stack_bytes` and `pin`, each as in `Config`.
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(entry::expand, attribute, item)
}

type Expand = fn(proc_macro2::TokenStream, proc_macro2::TokenStream) -> syn::Result<proc_macro2::TokenStream>;

/// The expansion; or the unchanged item with the error after it, so that the compiler's other messages stay those of
/// the user's own code.
fn finish(expand: Expand, attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(attribute.into(), item.clone().into()).map(TokenStream::from).unwrap_or_else(|error| {
        let mut output = item;
        output.extend(TokenStream::from(error.into_compile_error()));
        output
    })
}
