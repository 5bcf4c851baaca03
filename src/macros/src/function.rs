//! `#[mobula::remote]`: a function, and next to it a type of the same name that submits it.
//!
//! `fn add` lives in the value namespace and `struct add {}`, braced on purpose, in the type namespace, so both can be
//! named `add`.

use crate::conditions::{conditions, documentation, refuse_attributes, seen_by_callers, variants};
use crate::crate_path::CratePath;
use crate::option_table::methods;
use crate::options::{Attribute, Options};
use crate::shape::{CallShape, Callee};
use crate::taken::refuse_taken;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{FnArg, Ident, ItemFn, Visibility};

/// What the errors call the function.
const KIND: &str = "a remote function";

/// Expands the attribute on a function.
pub fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(item).map_err(|error| {
        syn::Error::new(
            error.span(),
            "#[mobula::remote] stands on a function with a body; actors take #[mobula::actor]",
        )
    })?;
    let options = Options::parse(attribute, Attribute::Task)?;
    if let Some(receiver @ FnArg::Receiver(_)) = function.sig.inputs.first() {
        let message = "a remote function has no `self`: use #[mobula::actor] on the impl block";
        return Err(syn::Error::new_spanned(receiver, message));
    }
    refuse_attributes(&function.attrs, KIND)?;
    let name = &function.sig.ident;
    let type_name = options.type_name.as_ref().unwrap_or(name);
    let (shown, type_shown) = (name.unraw().to_string(), type_name.unraw().to_string());
    refuse_taken(type_name, name, &format!("#[mobula::remote(name = {shown}_task)], and {shown}_task::remote(..)"))?;
    let mobula = CratePath::of(options.crate_path.as_ref(), Attribute::Task.name())?;
    let import = mobula.import();

    let blocks = variants(&function.sig)?.into_iter().map(|(present, signature)| {
        let shape = CallShape::of(&signature, shown.clone(), &options, KIND)?;
        let submission = submission(type_name, &function.vis, &shape, &options, &mobula);
        // A private type of its own, so that a `pub` function may use private types.
        let task = shape.callable(&format_ident!("__Task"), Callee::Function(name));
        let export = if options.c()? { Some(shape.export(&shown, type_name, &options)?) } else { None };
        let conditions = conditions(&function.attrs);
        Ok(quote! {
            #conditions
            #present
            #[allow(
                dead_code, deprecated, missing_debug_implementations, non_camel_case_types, non_snake_case,
                unused_imports, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery
            )]
            const _: () = {
                #import
                use __mobula::__private::{submit as __submit, submit_plain as __submit_plain};
                #submission
                #task
                #export
            };
        })
    });
    let blocks = blocks.collect::<syn::Result<TokenStream>>()?;
    let (seen, documentation) = (seen_by_callers(&function.attrs), documentation(&function.attrs));
    let summary = format!(
        "Runs [`{shown}`](fn@{shown}) as a task: `{type_shown}::remote(..)`, `{type_shown}::options()`, \
         `{type_shown}::on(rank)`."
    );
    let separator: Option<syn::Attribute> = (!documentation.is_empty()).then(|| syn::parse_quote!(#[doc = ""]));
    let visibility = &function.vis;
    Ok(quote! {
        #[allow(clippy::ptr_arg)]
        #function

        #seen
        #[doc = #summary]
        #separator
        #documentation
        #[allow(missing_debug_implementations, non_camel_case_types)]
        #visibility struct #type_name {}

        #blocks
    })
}

/// The functions that users call: `add::remote(..)`, `add::options()..remote(..)`, `add::on(rank).remote(..)`. They
/// submit by `__submit` and, where there are no options, `__submit_plain`.
pub fn submission(
    name: &Ident,
    visibility: &Visibility,
    shape: &CallShape,
    options: &Options,
    mobula: &CratePath,
) -> TokenStream {
    let calls = &options.calls;
    let documented = format!(
        "The options of one call, those of the attribute to begin with: the methods of \
         [`mobula::TaskOptions`]({}::TaskOptions), and `remote(..)`, which submits the task.",
        mobula.text()
    );
    let setters = methods(Attribute::Task, "__mobula::TaskOptions");
    let (arguments, names, argument_list, references) =
        (shape.arguments(), shape.names(), shape.argument_list(), shape.returns.references());
    let at_once = (!shape.returns.need_count()).then(|| {
        let submit = if calls.is_empty() {
            quote!(__submit_plain::<__Task>(#argument_list))
        } else {
            quote!(Self::options().remote(#names))
        };
        quote! {
            /// Submits the task and returns a reference to its result at once.
            #visibility fn remote(#arguments) -> #references {
                #submit
            }
        }
    });
    let submitted = quote! {
        /// Submits the task and returns a reference to its result at once.
        pub fn remote(self, #arguments) -> #references {
            __submit::<__Task>(self.options, #argument_list)
        }
    };
    let (of_submit, counted) = match (shape.returns.need_count(), shape.returns.are_elements()) {
        (true, _) => {
            let number = number(quote!(__Counted));
            let counted = quote! {
                /// The options of one call, with the number of its results.
                pub struct __Counted {
                    options: __mobula::__private::CallOptions,
                }

                impl __Counted {
                    #setters
                    #submitted
                }
            };
            (number, Some(counted))
        }
        (false, true) => {
            let number = number(quote!(__Submit));
            (quote!(#number #submitted), None)
        }
        (false, false) => (submitted, None),
    };
    quote! {
        impl #name {
            #at_once

            #[doc = #documented]
            #visibility fn options() -> __Submit {
                __Submit { options: ::core::default::Default::default() } #calls
            }

            /// The options of a call on one rank: as `options()` with `Placement::Rank(rank)`.
            #visibility fn on(rank: ::core::primitive::u32) -> __Submit {
                let __Submit { options } = Self::options();
                __Submit { options: options.on(rank) }
            }
        }

        /// The options of one call.
        pub struct __Submit {
            options: __mobula::__private::CallOptions,
        }

        impl __Submit {
            #setters

            #of_submit
        }

        #counted
    }
}

/// The builder method that sets how many objects the list of results becomes, after which the task is `submit`'s.
fn number(submit: TokenStream) -> TokenStream {
    quote! {
        /// How many objects the list of results becomes: as many references are returned, and the body returns as many
        /// values. Above 1,048,576 one reference is returned, whose `get` is an error that says so.
        pub fn num_returns(mut self, returns: ::core::primitive::usize) -> #submit {
            self.options.set().num_returns = ::core::option::Option::Some(returns);
            #submit { options: self.options }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_that_is_no_plain_function_is_refused() {
        for (item, why) in [
            ("fn f<T>(x: T) {}", "cannot be generic: write one for each type"),
            ("fn f() where u8: Copy {}", "cannot be generic"),
            ("fn f<'a>(x: &'a u8) {}", "cannot have lifetimes"),
            ("fn f(&self) {}", "use #[mobula::actor] on the impl block"),
            ("unsafe fn f() {}", "cannot be unsafe"),
            ("extern \"C\" fn f(x: u8, ...) {}", "cannot be variadic"),
            ("struct S;", "stands on a function"),
        ] {
            let message = expand(quote!(), item.parse().unwrap()).expect_err(item).to_string();
            assert!(message.contains(why), "{item} is refused with: {message}");
        }
    }

    #[test]
    fn function_is_emitted_first_and_unchanged() {
        let item = quote!(
            #[inline]
            pub(crate) fn add(mut a: f64, (b, c): (f64, f64)) -> f64 {
                a += b;
                a + c
            }
        );
        let output = expand(quote!(num_cpus = 2), item.clone()).unwrap().to_string();
        assert!(output.starts_with(&format!("# [allow (clippy :: ptr_arg)] {item}")), "{output}");
    }
}
