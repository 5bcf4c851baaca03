//! `#[mobula::actor]`: an impl block, and next to it the handle whose methods call the block's `pub` ones.

use crate::checkpoint::SaveRestore;
use crate::conditions::conditions;
use crate::construction::construction;
use crate::crate_path::CratePath;
use crate::handle;
use crate::method::{method, take_attribute};
use crate::options::{Attribute, Options};
use crate::taken::refuse_taken;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Ident, ImplItem, ImplItemFn, ItemImpl, PathArguments, Type, Visibility};

/// Expands the attribute on an impl block.
pub fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut block: ItemImpl = syn::parse2(item).map_err(|error| {
        syn::Error::new(error.span(), "#[mobula::actor] stands on an impl block; functions take #[mobula::remote]")
    })?;
    let options = Options::parse(attribute, Attribute::Actor)?;
    let actor = actor_name(&block)?;
    let handle = options.type_name.clone().unwrap_or_else(|| handle::name(&actor));
    refuse_taken(&handle, &actor, "#[mobula::actor(handle = OtherName)]")?;
    let mobula = CratePath::of(options.crate_path.as_ref(), Attribute::Actor.name())?;
    let mut pair = options.checkpoint()?.then(SaveRestore::default);
    let mut constructor: Option<TokenStream> = None;
    let mut methods = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let method_options = take_attribute(function)?;
        refuse_reserved(function)?;
        if function.sig.ident == "new" {
            constructor.get_or_insert_default().extend(construction(&actor, &handle, function, &options, &mobula)?);
        } else if pair.as_mut().is_some_and(|pair| pair.takes(function)) {
            // Functions that save the state are called by the runtime alone.
        } else if function.sig.receiver().is_some() && !matches!(function.vis, Visibility::Inherited) {
            let method = method(&actor, &handle, function, &method_options).map_err(|error| {
                syn::Error::new(error.span(), format!("{error}; a private method is left alone and not on the handle"))
            })?;
            methods.push(method);
        }
    }
    let Some(constructor) = constructor else {
        let message =
            "an actor needs `pub fn new(..) -> Self` in this impl block; its other blocks go without #[mobula::actor]";
        return Err(syn::Error::new_spanned(&block.self_ty, message));
    };

    let checkpoint = pair.as_ref().map(|pair| pair.expand(&actor, &block.self_ty)).transpose()?;
    let constant = checkpoint.as_ref().map(|_| {
        quote! {
            const CHECKPOINT: ::core::option::Option<&'static __mobula::__private::Checkpoint> =
                ::core::option::Option::Some(&__mobula::__private::Checkpoint::of::<__Restore>(__save));
        }
    });
    let shown = actor.unraw().to_string();
    let (conditions, import) = (conditions(&block.attrs), mobula.import());
    let definition = handle::definition(&actor, &handle, &block.attrs, &mobula);
    let abilities = handle::abilities(&actor, &handle);
    Ok(quote! {
        #[allow(clippy::ptr_arg, clippy::new_without_default)]
        #block

        #definition

        #conditions
        #[allow(
            dead_code, deprecated, missing_debug_implementations, non_camel_case_types, non_snake_case,
            unused_imports, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery
        )]
        const _: () = {
            #import

            impl __mobula::Actor for #actor {
                type Handle = #handle;
                const NAME: &'static ::core::primitive::str = #shown;
                #constant
            }

            #abilities
            #constructor
            #checkpoint
            #(#methods)*
        };
    })
}

/// The actor's name: a plain type of this module, so that the handle can be defined next to it.
fn actor_name(block: &ItemImpl) -> syn::Result<Ident> {
    if let Some((_, path, _)) = &block.trait_ {
        let message = "#[mobula::actor] stands on the type's own impl block, not on that of a trait";
        return Err(syn::Error::new_spanned(path, message));
    }
    let message = "an actor cannot be generic or have lifetimes: write one for each type";
    if !block.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(&block.generics.params, message));
    }
    let Type::Path(path) = &*block.self_ty else {
        return Err(syn::Error::new_spanned(&block.self_ty, "an actor is a struct or an enum of yours"));
    };
    let last = path.path.segments.last().expect("a path has a segment");
    if !matches!(last.arguments, PathArguments::None) {
        return Err(syn::Error::new_spanned(&last.arguments, message));
    }
    path.path.get_ident().cloned().ok_or_else(|| {
        syn::Error::new_spanned(
            path,
            "put #[mobula::actor] into the type's own module: its handle is defined next to it",
        )
    })
}

fn refuse_reserved(function: &ImplItemFn) -> syn::Result<()> {
    let name = &function.sig.ident;
    let holder = match name.to_string().as_str() {
        "remote" | "options" | "on" => "#[mobula::actor] gives the type a function",
        "kill" | "clone" if !matches!(function.vis, Visibility::Inherited) => "the handle has a method",
        _ => return Ok(()),
    };
    Err(syn::Error::new_spanned(name, format!("{holder} `{name}` of its own: call this one something else")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_refused(item: &str, why: &str) {
        let message = expand(quote!(), item.parse().unwrap()).expect_err(item).to_string();
        assert!(message.contains(why), "{item} is refused with: {message}");
    }

    #[test]
    fn impl_block_that_is_no_actor_is_refused() {
        for (item, why) in [
            ("fn f() {}", "stands on an impl block"),
            ("impl Drop for Counter { fn drop(&mut self) {} }", "not on that of a trait"),
            ("impl<T> Counter<T> { pub fn new() -> Self {} }", "cannot be generic"),
            ("impl Counter<u8> { pub fn new() -> Self {} }", "cannot be generic"),
            ("impl inner::Counter { pub fn new() -> Self {} }", "into the type's own module"),
            ("impl [u8] { pub fn new() -> Self {} }", "a struct or an enum"),
            ("impl Counter { pub fn get(&self) {} }", "needs `pub fn new"),
            ("impl Counter { pub fn new() -> u8 { 0 } }", "returns Self, or Result<Self, E>"),
            ("impl Counter { pub fn new() {} }", "returns Self, or Result<Self, E>"),
            ("impl Counter { pub fn new(&self) -> Self {} }", "has no `self`"),
        ] {
            assert_refused(item, why);
        }
    }

    #[test]
    fn function_that_is_no_actor_method_is_refused() {
        for (method, why) in [
            ("pub fn take(self) {}", "cannot take `self` by value"),
            ("pub fn take(self: Box<Self>) {}", "cannot take `self` by value"),
            ("pub fn look(&'static self) {}", "plain `&self`"),
            ("pub fn look(&self) -> &u64 {}", "cannot hold a reference"),
            ("pub fn look(&self) -> &u64 {}", "a private method is left alone"),
            ("pub fn each<T>(&self, t: T) {}", "cannot be generic"),
            ("pub fn kill(&self) {}", "call this one something else"),
            ("fn options() {}", "call this one something else"),
            ("#[mobula::method(num_cpus = 1)] pub fn f(&self) {}", "no option `num_cpus`"),
        ] {
            assert_refused(&format!("impl Counter {{ pub fn new() -> Self {{ Counter }} {method} }}"), why);
        }
    }

    #[test]
    fn save_and_restore_of_wrong_shape_are_refused() {
        let block = |functions: &str| format!("impl Counter {{ pub fn new() -> Self {{ Counter }} {functions} }}");
        for (functions, why) in [
            ("", "needs `fn save(&self) -> S` and `fn restore(saved: S) -> Self`"),
            ("fn save(&self) -> u64 { 0 }", "needs `fn save(&self) -> S` and `fn restore(saved: S) -> Self`"),
            ("fn save(&mut self) -> u64 { 0 } fn restore(s: u64) -> Self {}", "takes `&self` and nothing else"),
            ("fn save(&self) {} fn restore(s: u64) -> Self {}", "returns what is saved"),
            ("fn save(&self) -> u64 { 0 } fn restore(&self, s: u64) -> Self {}", "`restore` has no `self`"),
            ("fn save(&self) -> u64 { 0 } fn restore() -> Self {}", "takes what was saved and nothing else"),
            ("fn save(&self) -> u64 { 0 } fn restore(s: &u64) -> Self {}", "by value"),
            ("fn save(&self) -> u64 { 0 } fn restore(s: u64) -> u64 {}", "returns Self, or Result<Self, E>"),
        ] {
            let message =
                expand(quote!(checkpoint), block(functions).parse().unwrap()).expect_err(functions).to_string();
            assert!(message.contains(why), "{functions} is refused with: {message}");
        }
        let both = "pub fn save(&self) -> u64 { 0 } pub fn restore(s: u64) -> Result<Self, String> { Ok(Counter) }";
        let output = expand(quote!(checkpoint), block(both).parse().unwrap()).unwrap().to_string();
        assert!(!output.contains("__Method_") && output.contains("fn __save"), "{output}");
        let output = expand(quote!(), block(both).parse().unwrap()).unwrap().to_string();
        assert!(output.contains("__Method_save") && !output.contains("__save ("), "{output}");
    }

    #[test]
    fn private_methods_and_plain_functions_get_no_shim() {
        let output = expand(
            quote!(),
            quote!(impl Counter {
                pub fn new() -> Self { Counter }
                pub fn zero() -> u64 { 0 }
                fn look(&self) -> &u64 { &self.0 }
            }),
        );
        let output = output.unwrap().to_string();
        assert!(!output.contains("__Method_"), "{output}");
    }

    #[test]
    fn method_attribute_is_removed_and_self_is_named() {
        let output = expand(
            quote!(),
            quote!(impl Counter {
                pub fn new() -> Result<Self, Error> { Ok(Counter) }
                #[mobula::method(num_returns = 2)]
                pub fn pair(&self, other: Vec<Self>) -> (Self, u8) { (Counter, 0) }
            }),
        );
        let output = output.unwrap().to_string();
        assert!(!output.contains("mobula :: method"), "{output}");
        assert!(output.contains("ListArg < Vec < Counter > , Counter >"), "{output}");
        assert!(output.contains("Multiple < (Counter , u8) >"), "{output}");
    }
}
