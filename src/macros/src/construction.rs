//! An actor's `new`: the shim that calls it, and the functions by which users create actors.

use crate::conditions::blocks;
use crate::crate_path::CratePath;
use crate::option_table::methods;
use crate::options::{Attribute, Options};
use crate::shape::{CallShape, Callee, without_self};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{Ident, ImplItemFn};

const KIND: &str = "an actor's `new`";

/// `Counter::remote(..)`, `Counter::options()` and `Counter::on(rank)`, and the shim that builds an actor.
pub fn construction(
    actor: &Ident,
    handle: &Ident,
    function: &ImplItemFn,
    options: &Options,
    mobula: &CratePath,
) -> syn::Result<TokenStream> {
    if let Some(receiver) = function.sig.receiver() {
        return Err(syn::Error::new_spanned(receiver, "an actor's `new` has no `self`: it is what builds one"));
    }
    blocks(function, |function| block(actor, handle, function, options, mobula))
}

fn block(
    actor: &Ident,
    handle: &Ident,
    function: &ImplItemFn,
    options: &Options,
    mobula: &CratePath,
) -> syn::Result<TokenStream> {
    let name = format!("{}.new", actor.unraw());
    let shape = CallShape::of(&without_self(&function.sig, actor)?, name, &Options::default(), KIND)?;
    if !shape.gives(actor) {
        let message = format!("an actor's `new` returns Self, or Result<Self, E>, where Self is {actor}");
        return Err(syn::Error::new_spanned(&function.sig.output, message));
    }

    let (visibility, calls) = (&function.vis, &options.calls);
    let documented = format!(
        "The options of one actor, those of the attribute to begin with: the methods of \
         [`mobula::ActorOptions`]({}::ActorOptions), and `remote(..)`, which creates the actor.",
        mobula.text()
    );
    let (arguments, names, argument_list) = (shape.arguments(), shape.names(), shape.argument_list());
    let setters = methods(Attribute::Actor, "__mobula::ActorOptions");
    let new = shape.callable(&format_ident!("__New"), Callee::Constructor(actor, &function.sig.ident));
    Ok(quote! {
        impl #actor {
            /// Creates the actor somewhere in the cluster and returns its handle at once.
            #visibility fn remote(#arguments) -> #handle {
                Self::options().remote(#names)
            }

            #[doc = #documented]
            #visibility fn options() -> __Create {
                __Create { options: ::core::default::Default::default() } #calls
            }

            /// The options of an actor on one rank: as `options()` with `Placement::Rank(rank)`.
            #visibility fn on(rank: ::core::primitive::u32) -> __Create {
                Self::options().place(__mobula::Placement::Rank(rank))
            }
        }

        /// The options of one actor.
        pub struct __Create {
            options: __mobula::__private::Options,
        }

        impl __Create {
            #setters

            /// Creates the actor and returns its handle at once.
            pub fn remote(self, #arguments) -> #handle {
                ::core::convert::From::from(__mobula::__private::create::<#actor, __New>(self.options, #argument_list))
            }
        }

        #new
    })
}
