//! `#[mobula::remote(c)]`: what makes a function of Rust one that C calls too.

use crate::options::Options;
use crate::returns::ReturnObjects;
use crate::shape::{CallShape, local};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

impl CallShape {
    /// The row for calls of C of the function of that name, whose calls of Rust are `__Task`, and whose options
    /// `type_name::options()` gives.
    pub fn export(&self, name: &str, type_name: &Ident, options: &Options) -> syn::Result<TokenStream> {
        let Some(returns) = self.returns.count() else {
            let message = "a function that C calls has a number of results of its own: write num_returns = N";
            return Err(syn::Error::new(Span::call_site(), message));
        };
        let (path, signature) = (format!("::{name}"), format!("C {}", self.signature));
        let (frame, value, count) = (local("frame"), local("value"), self.params.len());
        let arguments = self.params.iter().enumerate().map(|(index, param)| {
            let object = &param.object;
            // A type that C cannot have is reported where the user wrote it.
            let read =
                quote_spanned!(object.span()=> __mobula::__private::exported_argument::<#object>(#frame, #index)?);
            match &param.element {
                Some(element) => quote!(__mobula::__private::ListArg::<#object, #element>::Value(#read)),
                None => quote!(__mobula::__private::Arg::<#object>::Value(#read)),
            }
        });
        let result = |index: usize, object: &syn::Type, value: TokenStream| {
            quote_spanned! {
                object.span()=> __mobula::__private::export_result::<#object>(#frame, #index, &#value)
            }
        };
        let results = match &self.returns.objects {
            ReturnObjects::One => result(0, &self.returns.value, quote!(#value)),
            ReturnObjects::Parts(parts) => {
                let each = parts.iter().enumerate().map(|(index, part)| {
                    let place = syn::Index::from(index);
                    result(index, part, quote!(#value.#place))
                });
                quote!({ #(#each?;)* ::core::result::Result::Ok(()) })
            }
            ReturnObjects::Elements(element, _) => quote_spanned! {
                element.span()=> __mobula::__private::export_results::<#element>(#frame, &#value)
            },
        };
        let (some, none) = (quote!(::core::option::Option::Some), quote!(::core::option::Option::None));
        let options = if options.calls.is_empty() { none } else { quote!(#some(|| #type_name::options().options)) };
        Ok(quote! {
            static __ROW: __mobula::__private::TableEntry = __mobula::__private::ExportedFunction::row(
                ::core::concat!(::core::module_path!(), #path), #signature, #returns
            );

            fn __called_from_c(
                #frame: &mut __mobula::__private::NativeFrame<'_>,
            ) -> ::core::result::Result<(), __mobula::__private::Failure> {
                __mobula::__private::check_argument_count(#frame, #count)?;
                let #value = __mobula::__private::run_exported::<__Task>((#(#arguments,)*))?;
                #results
            }

            __mobula::__private::inventory::submit! { __mobula::__private::Function::of_row(&__ROW) }
            __mobula::__private::inventory::submit! {
                __mobula::__private::ExportedFunction::new(&__ROW, #returns, __called_from_c, #options)
            }
        })
    }
}
