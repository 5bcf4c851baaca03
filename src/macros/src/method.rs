//! An actor's method: on the handle, and the shim that calls it on the actor's rank.

use crate::conditions::{blocks, documentation, refuse_attributes, seen_by_callers};
use crate::options::{Attribute, Options, ReturnCount};
use crate::shape::{CallShape, Callee, without_self};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{Ident, ImplItemFn, Meta, Receiver, Type};

const KIND: &str = "a `pub` method of an actor";

/// Removes the method's `#[mobula::method(..)]` and parses it. `#[mobula::remote(..)]` is accepted as the same.
pub fn take_attribute(function: &mut ImplItemFn) -> syn::Result<Options> {
    let is_option_attribute = |attribute: &syn::Attribute| {
        attribute.path().segments.last().is_some_and(|last| last.ident == "method" || last.ident == "remote")
    };
    let Some(position) = function.attrs.iter().position(is_option_attribute) else { return Ok(Options::default()) };
    match function.attrs.remove(position).meta {
        Meta::List(list) => Options::parse(list.tokens, Attribute::Method),
        _ => Ok(Options::default()),
    }
}

/// The handle's method of the same name, and the shim that calls the actor's.
pub fn method(actor: &Ident, handle: &Ident, function: &ImplItemFn, options: &Options) -> syn::Result<TokenStream> {
    let receiver = function.sig.receiver().expect("a method has a receiver");
    refuse_receiver(receiver)?;
    refuse_attributes(&function.attrs, KIND)?;
    blocks(function, |function| block(actor, handle, function, options))
}

fn block(actor: &Ident, handle: &Ident, function: &ImplItemFn, options: &Options) -> syn::Result<TokenStream> {
    let (method, visibility) = (&function.sig.ident, &function.vis);
    let name = format!("{}.{}", actor.unraw(), method.unraw());
    let shape = CallShape::of(&without_self(&function.sig, actor)?, name.clone(), options, KIND)?;
    if let Some((ReturnCount::PerCall, span)) = options.num_returns {
        return Err(syn::Error::new(span, "a call of an actor has no options that could say how many: write a number"));
    }

    let marker = format_ident!("__Method_{}", method.unraw());
    let (seen, documentation) = (seen_by_callers(&function.attrs), documentation(&function.attrs));
    let summary =
        format!("Calls [`{actor}::{}`] on the actor and returns a reference to its result at once.", method.unraw());
    let (arguments, argument_list, references) = (shape.arguments(), shape.argument_list(), shape.returns.references());
    let callable = shape.callable(&marker, Callee::Method(actor, method));
    Ok(quote! {
        impl #handle {
            #seen
            #[doc = #summary]
            #[doc = ""]
            #documentation
            #visibility fn #method(&self, #arguments) -> #references {
                __mobula::__private::call::<#actor, #marker>(&self.raw, #argument_list)
            }
        }

        #callable
    })
}

/// An actor never moves: its methods borrow it for as long as they run.
fn refuse_receiver(receiver: &Receiver) -> syn::Result<()> {
    match &*receiver.ty {
        Type::Reference(reference) if reference.lifetime.is_none() => Ok(()),
        Type::Reference(_) => {
            Err(syn::Error::new_spanned(receiver, "an actor's method takes plain `&self` or `&mut self`"))
        }
        _ => Err(syn::Error::new_spanned(receiver, "an actor's method cannot take `self` by value: take `&mut self`")),
    }
}
