//! `CounterHandle`: the handle of an actor, without the actor's own methods.

use crate::conditions::conditions;
use crate::crate_path::CratePath;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Ident};

/// The name of an actor's handle type.
pub fn name(actor: &Ident) -> Ident {
    format_ident!("{actor}Handle")
}

/// The handle type, next to the actor's type. Always `pub`, so that a `pub` actor may name it.
pub fn definition(actor: &Ident, handle: &Ident, block: &[Attribute], mobula: &CratePath) -> TokenStream {
    let conditions = conditions(block);
    let serde = format!("{}::__private::serde", mobula.text());
    let summary = format!(
        "A handle to a [`{actor}`] actor, to clone, to store, to pass to tasks. Its methods are the actor's `pub` ones."
    );
    quote! {
        #conditions
        #[doc = #summary]
        #[allow(deprecated, unreachable_pub)]
        #[derive(
            ::core::clone::Clone, #mobula::__private::serde::Serialize, #mobula::__private::serde::Deserialize
        )]
        #[serde(crate = #serde, transparent)]
        pub struct #handle {
            raw: #mobula::__private::RawHandle<#actor>,
        }
    }
}

/// The methods and traits of every handle: `kill`, and the traits that let it be cloned, shown, stored and passed.
pub fn abilities(actor: &Ident, handle: &Ident) -> TokenStream {
    let raw = quote!(__mobula::__private::RawHandle<#actor>);
    quote! {
        impl #handle {
            /// Ends the actor now; calls that have not run fail with `Error::ActorDied`.
            pub fn kill(&self) {
                self.raw.kill();
            }
        }

        impl ::core::convert::From<#raw> for #handle {
            fn from(raw: #raw) -> Self {
                #handle { raw }
            }
        }

        impl ::core::fmt::Debug for #handle {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.raw, formatter)
            }
        }

        // So that `task::remote(&handle)` works as `task::remote(&reference)` does.
        impl __mobula::__private::IntoArg<#handle> for &#handle {
            fn into_arg(self) -> __mobula::__private::Arg<#handle> {
                __mobula::__private::IntoArg::<#handle>::into_arg(::core::clone::Clone::clone(self))
            }
        }
    }
}
