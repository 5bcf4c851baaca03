//! Attributes of the user's item that generated code takes over, and parameters under `#[cfg]`.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, ImplItemFn, Meta, Signature, Token, parse_quote};

/// The most conditions that the parameters of one function may have: each doubles the shims.
const CONDITIONS_MAX: usize = 4;

/// The `cfg` attributes of an item: what is generated for it exists if it does.
pub fn conditions(attributes: &[Attribute]) -> TokenStream {
    carried(attributes, &["cfg"])
}

/// What `block` generates of each variant of a method's parameters, each in a scope of its own under its conditions.
pub fn blocks(
    function: &ImplItemFn,
    block: impl Fn(&ImplItemFn) -> syn::Result<TokenStream>,
) -> syn::Result<TokenStream> {
    let conditions = conditions(&function.attrs);
    let blocks = variants(&function.sig)?.into_iter().map(|(present, signature)| {
        let block = block(&ImplItemFn { sig: signature, ..function.clone() })?;
        Ok(quote! {
            #conditions
            #present
            const _: () = {
                #block
            };
        })
    });
    blocks.collect()
}

/// The attributes of a function that its callers must see at the generated one too.
pub fn seen_by_callers(attributes: &[Attribute]) -> TokenStream {
    carried(attributes, &["cfg", "deprecated"])
}

/// The documentation of an item, `#[doc(hidden)]` and the like included.
pub fn documentation(attributes: &[Attribute]) -> TokenStream {
    carried(attributes, &["doc"])
}

/// The attributes of these names, also where `cfg_attr` gives them.
fn carried(attributes: &[Attribute], names: &[&str]) -> TokenStream {
    let kept = attributes.iter().filter_map(|attribute| carried_meta(&attribute.meta, names));
    kept.map(|meta| quote!(#[#meta])).collect()
}

fn carried_meta(meta: &Meta, names: &[&str]) -> Option<TokenStream> {
    if names.iter().any(|name| meta.path().is_ident(name)) {
        return Some(meta.to_token_stream());
    }
    let mut parts = conditional(meta)?.into_iter();
    let condition = parts.next()?;
    let kept: Vec<_> = parts.filter_map(|part| carried_meta(&part, names)).collect();
    (!kept.is_empty()).then(|| quote!(cfg_attr(#condition, #(#kept),*)))
}

/// The condition and the attributes of a `cfg_attr`.
fn conditional(meta: &Meta) -> Option<Punctuated<Meta, Token![,]>> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    list.parse_args_with(Punctuated::parse_terminated).ok()
}

/// The first attribute with which a function cannot be remote, and why.
pub fn refuse_attributes(attributes: &[Attribute], kind: &str) -> syn::Result<()> {
    attributes.iter().try_for_each(|attribute| refuse_meta(&attribute.meta, kind))
}

fn refuse_meta(meta: &Meta, kind: &str) -> syn::Result<()> {
    for part in conditional(meta).into_iter().flatten().skip(1) {
        refuse_meta(&part, kind)?;
    }
    let Some(last) = meta.path().segments.last() else { return Ok(()) };
    let message = match last.ident.to_string().as_str() {
        "target_feature" => format!(
            "{kind} runs on CPUs of every kind and cannot have #[target_feature]: call such a function in it, after \
             is_x86_feature_detected!"
        ),
        "test" | "bench" => format!("{kind} is no #[{}]: call it from one", last.ident),
        _ => return Ok(()),
    };
    Err(syn::Error::new_spanned(meta, message))
}

/// The signatures that the function may have, each with the conditions under which it has it: a parameter under
/// `#[cfg]` is there, or is not.
pub fn variants(signature: &Signature) -> syn::Result<Vec<(TokenStream, Signature)>> {
    let mut variants = vec![(TokenStream::new(), signature.clone())];
    for count in 0.. {
        let Some((input, condition)) = variants.iter().find_map(|(_, signature)| first_condition(signature)) else {
            break;
        };
        if count == CONDITIONS_MAX {
            let message =
                format!("parameters have at most {CONDITIONS_MAX} different conditions: put them in a struct");
            return Err(syn::Error::new_spanned(input, message));
        }
        variants = variants.iter().flat_map(|variant| split(variant, &condition)).collect();
    }
    Ok(variants)
}

fn first_condition(signature: &Signature) -> Option<(FnArg, Attribute)> {
    signature.inputs.iter().find_map(|input| {
        let condition = attributes(input).iter().find(|attribute| attribute.path().is_ident("cfg"))?;
        Some((input.clone(), condition.clone()))
    })
}

/// The variant with the parameters of this condition, and the one without them.
fn split((given, signature): &(TokenStream, Signature), condition: &Attribute) -> [(TokenStream, Signature); 2] {
    let mut with = signature.clone();
    for input in &mut with.inputs {
        let (FnArg::Receiver(syn::Receiver { attrs, .. }) | FnArg::Typed(syn::PatType { attrs, .. })) = input;
        attrs.retain(|attribute| !same(attribute, condition));
    }
    let mut without = signature.clone();
    let kept =
        signature.inputs.iter().filter(|input| !attributes(input).iter().any(|attribute| same(attribute, condition)));
    without.inputs = kept.cloned().collect();
    let opposite: Option<Attribute> = match &condition.meta {
        Meta::List(list) => {
            let tokens = &list.tokens;
            Some(parse_quote!(#[cfg(not(#tokens))]))
        }
        _ => None,
    };
    [(quote!(#given #condition), with), (quote!(#given #opposite), without)]
}

fn same(one: &Attribute, other: &Attribute) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

fn attributes(input: &FnArg) -> &[Attribute] {
    let (FnArg::Receiver(syn::Receiver { attrs, .. }) | FnArg::Typed(syn::PatType { attrs, .. })) = input;
    attrs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tokens: impl quote::ToTokens) -> String {
        tokens.to_token_stream().to_string().replace(' ', "")
    }

    #[test]
    fn parameter_under_a_condition_is_there_or_is_not() {
        let signature = parse_quote!(fn f(#[cfg(unix)] a: u8, b: u8, #[cfg(unix)] c: u8, #[cfg(x)] d: u8));
        let variants: Vec<_> = variants(&signature).unwrap().iter().map(|(c, s)| (shown(c), shown(s))).collect();
        let expected = [
            ("#[cfg(unix)]#[cfg(x)]", "fnf(a:u8,b:u8,c:u8,d:u8)"),
            ("#[cfg(unix)]#[cfg(not(x))]", "fnf(a:u8,b:u8,c:u8)"),
            ("#[cfg(not(unix))]#[cfg(x)]", "fnf(b:u8,d:u8)"),
            ("#[cfg(not(unix))]#[cfg(not(x))]", "fnf(b:u8)"),
        ];
        let trimmed = variants.iter().map(|(c, s)| (c.as_str(), s.replace(",)", ")"))).collect::<Vec<_>>();
        assert_eq!(trimmed, expected.map(|(condition, signature)| (condition, signature.to_string())));
        let five =
            parse_quote!(fn f(#[cfg(a)] a: u8, #[cfg(b)] b: u8, #[cfg(c)] c: u8, #[cfg(d)] d: u8, #[cfg(e)] e: u8));
        assert!(super::variants(&five).is_err());
    }

    #[test]
    fn attributes_are_carried_out_of_cfg_attr_too() {
        let item: syn::ItemFn = parse_quote! {
            #[cfg_attr(unix, deprecated, inline)]
            #[cfg(unix)]
            #[cfg_attr(x, doc(hidden))]
            #[must_use]
            fn f() {}
        };
        assert_eq!(shown(seen_by_callers(&item.attrs)), "#[cfg_attr(unix,deprecated)]#[cfg(unix)]");
        assert_eq!(shown(conditions(&item.attrs)), "#[cfg(unix)]");
        assert_eq!(shown(documentation(&item.attrs)), "#[cfg_attr(x,doc(hidden))]");
    }
}
