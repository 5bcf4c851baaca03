//! The attribute macros of `mobula`: [`macro@remote`], [`macro@actor`] and [`macro@main`]. Programs use them through
//! `mobula`, which re-exports them and documents them: an example here could not name `mobula`.
//!
//! A macro writes one registration and one thin shim; everything else is ordinary code in `mobula::__private`.
//! Invariants:
//!
//! - MACROS-1: The user's code is emitted unchanged, less the `#[mobula::method(..)]` attributes inside an actor's
//!   block. It is allowed `&Vec<T>` parameters: clippy's suggestion `&[T]` would take another object, an `Array<T>`.
//! - MACROS-2: The output holds no `unsafe`: it compiles under `#![forbid(unsafe_code)]`.
//! - MACROS-3: Generated items live in a `const _` block and never take a name that the user's code could mean; the
//!   exceptions are those promised to the user (`struct add`, `struct CounterHandle`). Generated locals are hygienic.
//! - MACROS-4: Every path starts with `::core`, `::std` or the path of the crate in Cargo.toml (or `crate = ..`), which
//!   generated blocks import as `__mobula`: nothing need be imported, and types of the user may have any name.
//! - MACROS-5: Code that cannot be remote is refused here, at the offending token, with a message that says what to
//!   write instead.
#![forbid(unsafe_code)]

mod actor;
mod c_task;
mod checkpoint;
mod conditions;
mod construction;
mod crate_path;
mod entry;
mod export;
mod function;
mod handle;
mod method;
mod option_table;
mod options;
mod params;
mod returns;
mod shape;
mod taken;

use proc_macro::TokenStream;

/// Expanded by the crate `mobula-macros`; programs use it through `mobula`, which also has its examples.
#[proc_macro_attribute]
pub fn remote(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(function::expand, attribute, item)
}

/// Expanded by the crate `mobula-macros`; programs use it through `mobula`, which also has its examples.
#[proc_macro_attribute]
pub fn actor(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(actor::expand, attribute, item)
}

/// Expanded by the crate `mobula-macros`; programs use it through `mobula`, which also has its examples.
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(entry::expand, attribute, item)
}

/// Expanded by the crate `mobula-macros`; programs use it through `mobula`, which also has its examples.
#[proc_macro]
pub fn c_task(declaration: TokenStream) -> TokenStream {
    c_task::expand(declaration.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// For `mobula` alone: the builder methods of tasks' or actors' options, `option_methods!(task)`.
#[doc(hidden)]
#[proc_macro]
pub fn option_methods(of: TokenStream) -> TokenStream {
    let methods = match of.to_string().as_str() {
        "task" => option_table::methods(options::Attribute::Task, "TaskOptions"),
        _ => option_table::methods(options::Attribute::Actor, "ActorOptions"),
    };
    // Inside `mobula` there is no alias.
    methods.to_string().replace(crate_path::ALIAS, "crate").parse().expect("the table is Rust")
}

/// For `mobula` alone: passes the options that are fields to the macro of that name.
#[doc(hidden)]
#[proc_macro]
pub fn option_fields(callback: TokenStream) -> TokenStream {
    let (callback, fields) = (proc_macro2::TokenStream::from(callback), option_table::fields());
    quote::quote!(#callback! { #fields }).into()
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
