//! `mobula::c_task!(fn add(f64, f64) -> f64)`: a type `add` by which Rust submits a task that C registers.

use crate::conditions::conditions;
use crate::crate_path::CratePath;
use crate::function::submission;
use crate::options::{Options, ReturnCount};
use crate::returns::ReturnObjects;
use crate::shape::{CallShape, Callee, local};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Attribute, LitStr, ReturnType, Signature, Token, Type, Visibility};

const KIND: &str = "a task of C";

/// `pub fn add(a: f64, f64) -> f64 = "name in C"`: the names of parameters may be left out, and the name in C if it is
/// the same.
struct Declaration {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    name: String,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Declaration> {
        let (attributes, visibility) = (input.call(Attribute::parse_outer)?, input.parse()?);
        input.parse::<Token![fn]>()?;
        let ident: Ident = input.parse()?;
        let inputs;
        syn::parenthesized!(inputs in input);
        let parameters = inputs.parse_terminated(parameter, Token![,])?.into_iter().enumerate();
        let parameters = parameters.map(|(index, (name, object))| {
            let name = name.unwrap_or_else(|| format_ident!("__argument_{index}"));
            quote!(#name: #object)
        });
        let output: ReturnType = input.parse()?;
        let signature = syn::parse2(quote!(fn #ident(#(#parameters),*) #output))?;
        let name = match input.parse::<Option<Token![=]>>()? {
            Some(_) => {
                let name = input.parse::<LitStr>()?;
                if name.value().is_empty() {
                    return Err(syn::Error::new(name.span(), "a task of C has a name"));
                }
                name.value()
            }
            None => ident.unraw().to_string(),
        };
        input.parse::<Option<Token![;]>>()?;
        Ok(Declaration { attributes, visibility, signature, name })
    }
}

/// `f64`, or `a: f64`.
fn parameter(input: ParseStream<'_>) -> syn::Result<(Option<Ident>, Type)> {
    let is_named = input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::]);
    let name = if is_named {
        let name = input.parse::<Ident>()?; // no keyword, and not `self`
        input.parse::<Token![:]>()?;
        Some(name)
    } else {
        None
    };
    Ok((name, input.parse()?))
}

/// Expands the macro.
pub fn expand(declaration: TokenStream) -> syn::Result<TokenStream> {
    let Declaration { attributes, visibility, signature, name } = syn::parse2(declaration).map_err(|error| {
        let form = "mobula::c_task! declares a task of C, as c_task!(fn add(f64, f64) -> f64)";
        syn::Error::new(error.span(), format!("{error}: {form}"))
    })?;
    let ident = &signature.ident;
    let mut options = Options::default();
    if let ReturnType::Type(_, output) = &signature.output
        && let Type::Tuple(tuple) = &**output
        && tuple.elems.len() > 1
    {
        options.num_returns = Some((ReturnCount::Exactly(tuple.elems.len()), output.span()));
    }
    let conditions = conditions(&attributes);
    let mobula = CratePath::of(None, "mobula::c_task!")?;
    let import = mobula.import();
    let shape = CallShape::of(&signature, name.clone(), &options, KIND)?;
    if shape.returns.fallible {
        let message = "a task of C fails by its status, and no result says so: write the value alone";
        return Err(syn::Error::new_spanned(&signature.output, message));
    }
    let returns = shape.returns.count().unwrap_or(1);
    let submission = submission(ident, &visibility, &shape, &options, &mobula);
    let task = shape.callable(&format_ident!("__Task"), Callee::Import(&format_ident!("__IMPORT")));
    let summary =
        format!("Runs the task `{name}` of C: `{ident}::remote(..)`, `{ident}::options()`, `{ident}::on(rank)`.");
    Ok(quote! {
        #[doc = #summary]
        #(#attributes)*
        #[allow(missing_debug_implementations, non_camel_case_types)]
        #visibility struct #ident {}

        #[allow(
            dead_code, deprecated, missing_debug_implementations, non_camel_case_types, non_snake_case,
            unused_imports, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery
        )]
        #conditions
        const _: () = {
            #import

            static __IMPORT: __mobula::__private::ImportedTask =
                __mobula::__private::ImportedTask::new(#name, #returns);

            fn __submit<__C: __mobula::__private::Callable>(
                options: __mobula::__private::CallOptions,
                arguments: __C::Args,
            ) -> <__C::Outputs as __mobula::__private::Outputs>::Refs {
                __IMPORT.submit::<__C>(options, arguments)
            }

            fn __submit_plain<__C: __mobula::__private::Callable>(
                arguments: __C::Args,
            ) -> <__C::Outputs as __mobula::__private::Outputs>::Refs {
                __IMPORT.submit::<__C>(::core::default::Default::default(), arguments)
            }

            #submission
            #task
        };
    })
}

impl CallShape {
    /// The body that calls a task of C with the list `arguments`.
    pub fn call_of_c(&self, import: &Ident, arguments: &Ident) -> TokenStream {
        let (locals, taken) = self.taken(arguments);
        let passed = local("passed");
        let arguments = self.params.iter().zip(&locals).map(|(param, local)| {
            let object = &param.object;
            // A type that C cannot have is reported where the user wrote it.
            quote_spanned! {
                object.span()=> __mobula::__private::imported_argument::<#object>(&mut #passed, #local.value())?;
            }
        });
        let result = |object: &Type, result: TokenStream, index: usize| {
            let read = quote_spanned!(object.span()=> result::<#object>);
            quote!(#import.#read(#index, #result)?)
        };
        let results = local("results");
        let (names, value): (Vec<Ident>, TokenStream) = match &self.returns.objects {
            ReturnObjects::Parts(parts) => {
                let names: Vec<Ident> = (0..parts.len()).map(|index| local(&format!("result_{index}"))).collect();
                let values = parts.iter().zip(&names).enumerate();
                let values = values.map(|(index, (part, name))| result(part, quote!(#name), index));
                let values = quote!((#(#values,)*));
                (names, values)
            }
            _ => {
                let name = local("result");
                let value = result(&self.returns.value, quote!(#name), 0);
                (vec![name], value)
            }
        };
        quote! {
            #taken
            let mut #passed = __mobula::__private::CallArguments::default();
            #(#arguments)*
            let #results = #import.run(&#passed)?;
            let [#(#names),*] = #results;
            ::core::result::Result::Ok(#value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declaration_may_leave_names_out() {
        for (text, name, inputs) in [
            ("fn add(f64, f64) -> f64", "add", 2),
            ("pub fn norm(x: mobula::Array<f64>, p: f64) -> f64;", "norm", 2),
            ("fn norm(::std::vec::Vec<f64>) = \"files::norm\"", "files::norm", 1),
            ("fn now() -> (f64, u32)", "now", 0),
        ] {
            let declaration: Declaration = syn::parse_str(text).unwrap();
            assert_eq!((declaration.name.as_str(), declaration.signature.inputs.len()), (name, inputs), "{text}");
        }
    }

    #[test]
    fn what_declares_no_task_is_refused() {
        for (text, why) in [
            ("add(f64) -> f64", "c_task!(fn add(f64, f64) -> f64)"),
            ("fn add(f64) -> Result<f64, String>", "fails by its status"),
            ("fn add(&mut f64)", "immutable"),
            ("fn add(f64) -> &f64", "cannot hold a reference"),
            ("fn add(f64) { }", "c_task!(fn add(f64, f64) -> f64)"),
        ] {
            let message = expand(text.parse().unwrap()).expect_err(text).to_string();
            assert!(message.contains(why), "{text} is refused with: {message}");
        }
    }

    #[test]
    fn tuple_is_several_results() {
        let output = expand(quote!(fn halves(u64) -> (u64, u64))).unwrap().to_string().replace(' ', "");
        assert!(
            output.contains("ImportedTask::new(\"halves\",2usize)") && output.contains("Multiple<(u64,u64)>"),
            "{output}"
        );
    }
}
