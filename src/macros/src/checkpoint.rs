//! `#[mobula::actor(checkpoint)]`: the block's `save` and `restore`, which are not remote methods.

use crate::options::Options;
use crate::shape::{CallShape, Callee, local, without_self};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, ImplItemFn, ReturnType, Type};

const KIND: &str = "an actor's `restore`";

/// The error of an actor with checkpoints that lacks them.
const REQUIRED: &str = "an actor with checkpoints needs `fn save(&self) -> S` and `fn restore(saved: S) -> Self` in \
                        this impl block, where S is what is saved";

/// The two functions, as far as they were found.
#[derive(Default)]
pub struct SaveRestore {
    save: Option<ImplItemFn>,
    restore: Option<ImplItemFn>,
}

impl SaveRestore {
    /// Returns true, and stores the function, if it is one of the two.
    pub fn takes(&mut self, function: &ImplItemFn) -> bool {
        let slot = match function.sig.ident.to_string().as_str() {
            "save" => &mut self.save,
            "restore" => &mut self.restore,
            _ => return false,
        };
        *slot = Some(function.clone());
        true
    }

    /// The constructor that calls `restore`, and the function that turns the state into its argument.
    pub fn expand(&self, actor: &Ident, block: &Type) -> syn::Result<TokenStream> {
        let (Some(save), Some(restore)) = (&self.save, &self.restore) else {
            return Err(syn::Error::new_spanned(block, REQUIRED));
        };
        let saved = saved_type(save, actor)?;
        let shape = restore_shape(restore, actor)?;
        let constructor = shape.callable(&format_ident!("__Restore"), Callee::Constructor(actor, &restore.sig.ident));
        let (state, object) = (local("state"), local("actor"));
        // A type mismatch is reported where the user wrote the type.
        let called = quote_spanned!(saved.span()=> <#actor>::save(#object));
        let argument = shape.first_object().expect("`restore_shape` has checked it");
        Ok(quote! {
            #constructor

            fn __save(
                #state: &__mobula::__private::ActorState,
            ) -> ::core::result::Result<__mobula::__private::SerializedValue, __mobula::Error> {
                __mobula::__private::save(#state, |#object: &#actor| -> #argument { #called })
            }
        })
    }
}

/// The type that `save` returns.
fn saved_type(save: &ImplItemFn, actor: &Ident) -> syn::Result<Type> {
    let signature = without_self(&save.sig, actor)?;
    let refuse = |message: &str| Err(syn::Error::new_spanned(&save.sig, format!("{message}: {REQUIRED}")));
    let by_reference = save.sig.receiver().is_some_and(|receiver| match &*receiver.ty {
        Type::Reference(reference) => reference.mutability.is_none() && reference.lifetime.is_none(),
        _ => false,
    });
    if !by_reference || signature.inputs.len() != 1 {
        return refuse("`save` takes `&self` and nothing else");
    }
    if signature.asyncness.is_some() {
        return refuse("`save` cannot be async");
    }
    match signature.output {
        ReturnType::Type(_, saved) => Ok(*saved),
        ReturnType::Default => refuse("`save` returns what is saved"),
    }
}

/// `restore` as a constructor of one argument.
fn restore_shape(restore: &ImplItemFn, actor: &Ident) -> syn::Result<CallShape> {
    let refuse = |message: &str| Err(syn::Error::new_spanned(&restore.sig, format!("{message}: {REQUIRED}")));
    if restore.sig.receiver().is_some() {
        return refuse("`restore` has no `self`, because it builds one");
    }
    if restore.sig.inputs.len() != 1 {
        return refuse("`restore` takes what was saved and nothing else");
    }
    let name = format!("{}.restore", actor.unraw());
    let shape = CallShape::of(&without_self(&restore.sig, actor)?, name, &Options::default(), KIND)?;
    if !shape.gives(actor) {
        return refuse(&format!("`restore` returns Self, or Result<Self, E>, where Self is {actor}"));
    }
    if shape.borrows() {
        return refuse("`restore` takes what was saved by value");
    }
    Ok(shape)
}
