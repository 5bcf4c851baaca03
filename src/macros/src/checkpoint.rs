//! `#[mobula::actor(checkpoint)]`: the block's `save` and `restore`, which are no remote methods.

use crate::options::Options;
use crate::shape::{Shape, local, without_self};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, ImplItemFn, ReturnType, Type};

const KIND: &str = "an actor's `restore`";

/// What an actor with checkpoints must have.
const NEEDED: &str = "an actor with checkpoints needs `fn save(&self) -> S` and `fn restore(saved: S) -> Self` in this impl \
                      block, where S is what is saved";

/// The two functions, as far as they were found.
#[derive(Default)]
pub struct Pair {
    save: Option<ImplItemFn>,
    restore: Option<ImplItemFn>,
}

impl Pair {
    /// Whether the function is one of the two; then it is kept.
    pub fn takes(&mut self, function: &ImplItemFn) -> bool {
        let place = match function.sig.ident.to_string().as_str() {
            "save" => &mut self.save,
            "restore" => &mut self.restore,
            _ => return false,
        };
        *place = Some(function.clone());
        true
    }

    /// The constructor that `restore` is, and how the state becomes its argument.
    pub fn expand(&self, actor: &Ident, block: &Type) -> syn::Result<TokenStream> {
        let (Some(save), Some(restore)) = (&self.save, &self.restore) else {
            return Err(syn::Error::new_spanned(block, NEEDED));
        };
        let saved = saved_type(save, actor)?;
        let shape = restore_shape(restore, actor)?;
        let (args_type, identity, list) = (shape.args_type(), shape.identity(), local("arguments"));
        let body = shape.call(quote!(<#actor>::restore), None, &list);
        let (state, object) = (local("state"), local("actor"));
        // What does not fit is said where it was written.
        let called = quote_spanned!(saved.span()=> <#actor>::save(#object));
        let kept = shape.first_object().expect("`restore_shape` saw to it");
        Ok(quote! {
            struct __Restore {}

            impl ::mobula::__private::ActorNew for __Restore {
                type Actor = #actor;
                #args_type
                #identity

                fn options() -> ::mobula::__private::Options {
                    ::mobula::__private::Options::new()
                }

                fn make(#list: Self::Args) -> ::core::result::Result<Self::Actor, ::mobula::__private::Failure> {
                    #body
                }
            }

            ::mobula::__private::inventory::submit! { ::mobula::__private::Function::of_new::<__Restore>() }

            fn __save(
                #state: &::mobula::__private::State,
            ) -> ::core::result::Result<::mobula::__private::Parcel, ::mobula::Error> {
                ::mobula::__private::save(#state, |#object: &#actor| -> #kept { #called })
            }
        })
    }
}

/// What the actor's `impl Actor` says of it.
pub fn constant() -> TokenStream {
    quote! {
        const CHECKPOINT: ::core::option::Option<&'static ::mobula::__private::Checkpoint> =
            ::core::option::Option::Some(&::mobula::__private::Checkpoint::of::<__Restore>(__save));
    }
}

/// The type that `save` gives.
fn saved_type(save: &ImplItemFn, actor: &Ident) -> syn::Result<Type> {
    let signature = without_self(&save.sig, actor)?;
    let refuse = |message: &str| Err(syn::Error::new_spanned(&save.sig, format!("{message}: {NEEDED}")));
    let by_reference = save.sig.receiver().is_some_and(|receiver| {
        matches!(&*receiver.ty, Type::Reference(reference) if reference.mutability.is_none() && reference.lifetime.is_none())
    });
    if !by_reference || signature.inputs.len() != 1 {
        return refuse("`save` takes `&self` and nothing else");
    }
    if signature.asyncness.is_some() {
        return refuse("`save` cannot be async");
    }
    match signature.output {
        ReturnType::Type(_, saved) => Ok(*saved),
        ReturnType::Default => refuse("`save` gives what is saved"),
    }
}

/// `restore` as a constructor of one argument.
fn restore_shape(restore: &ImplItemFn, actor: &Ident) -> syn::Result<Shape> {
    let refuse = |message: &str| Err(syn::Error::new_spanned(&restore.sig, format!("{message}: {NEEDED}")));
    if restore.sig.receiver().is_some() {
        return refuse("`restore` has no `self`, because it builds one");
    }
    if restore.sig.inputs.len() != 1 {
        return refuse("`restore` takes what was saved and nothing else");
    }
    let name = format!("{}.restore", actor.unraw());
    let shape = Shape::of(&without_self(&restore.sig, actor)?, name, &Options::none(), KIND)?;
    if !shape.gives(actor) {
        return refuse(&format!("`restore` returns Self, or Result<Self, E>, where Self is {actor}"));
    }
    if shape.borrows() {
        return refuse("`restore` takes what was saved by value");
    }
    Ok(shape)
}
