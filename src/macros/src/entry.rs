//! `#[mobula::main]`: the cluster around `main`.

use crate::crate_path::CratePath;
use crate::options::{Attribute, Options};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ItemFn;

/// Expands the attribute on `main`.
pub fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(item).map_err(|error| {
        syn::Error::new(error.span(), "#[mobula::main] stands on `fn main() -> mobula::Result<()>`")
    })?;
    let options = Options::parse(attribute, Attribute::Main)?;
    let mobula = CratePath::of(options.crate_path.as_ref(), Attribute::Main.name())?;
    if !function.sig.inputs.is_empty() {
        let message = "main takes no parameters: read std::env::args() and the environment instead";
        return Err(syn::Error::new_spanned(&function.sig.inputs, message));
    }
    if !function.sig.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(&function.sig.generics.params, "main cannot be generic"));
    }

    // The user's block stays the body of a function, so that `return` and `?` keep their meaning.
    let mut body = function.clone();
    body.attrs.clear();
    body.vis = syn::Visibility::Inherited;
    body.sig.ident = format_ident!("__mobula_main");
    let name = &body.sig.ident;
    let run = match function.sig.asyncness {
        Some(_) => quote!(|| #mobula::__private::block_on(#name())),
        None => quote!(#name),
    };

    let ItemFn { attrs, vis, sig, .. } = &function;
    let mut sig = sig.clone();
    sig.asyncness = None;
    let (spmd, calls) = (options.spmd(), &options.calls);
    Ok(quote! {
        #(#attrs)*
        #vis #sig {
            #body
            #mobula::__private::run_main(
                #spmd,
                <#mobula::Config as ::core::default::Default>::default() #calls,
                #run,
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_with_parameters_or_unknown_options_is_refused() {
        for (attribute, item, why) in [
            ("", "fn main(rank: u32) {}", "takes no parameters"),
            ("", "fn main<T>() {}", "cannot be generic"),
            ("", "static MAIN: u8 = 0;", "stands on `fn main()"),
            ("ranks = 4", "fn main() {}", "#[mobula::main] has no option `ranks`"),
        ] {
            let message = expand(attribute.parse().unwrap(), item.parse().unwrap()).expect_err(item).to_string();
            assert!(message.contains(why), "{item} is refused with: {message}");
        }
    }

    #[test]
    fn generated_main_is_not_async() {
        let item = "async fn main() -> mobula::Result<()> { Ok(()) }".parse().unwrap();
        let output = expand(quote!(spmd), item).unwrap().to_string();
        assert!(output.starts_with("fn main () -> mobula :: Result < () >"), "{output}");
        assert!(output.contains("run_main (true"), "{output}");
    }
}
