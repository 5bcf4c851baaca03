//! What a remote function or method returns: the value without its `Result`, as one object or as several.

use crate::options::{Options, ReturnCount};
use crate::params::{PARAMS_MAX, owned_type, vec_element};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Type, parse_quote};

/// What a call returns.
pub struct Returns {
    /// The value on success.
    pub value: Type,
    /// True if the function returns a `Result` of that value.
    pub fallible: bool,
    /// Which objects the value becomes.
    pub objects: ReturnObjects,
}

/// The objects that a value becomes.
pub enum ReturnObjects {
    /// One.
    One,
    /// One for each part of the tuple, of these types.
    Parts(Vec<Type>),
    /// One for each element of the `Vec`, of this type.
    Elements(Box<Type>, ReturnCount),
}

impl Returns {
    /// Reads the return type. `kind` is what the errors call the function.
    pub fn of(output: &ReturnType, options: &Options, kind: &str) -> syn::Result<Returns> {
        let written: Type = match output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, written) => (**written).clone(),
        };
        if let Type::Never(never) = &written {
            return Err(syn::Error::new_spanned(never, format!("{kind} must return: its caller waits for its result")));
        }
        let (value, fallible) = match success(&written)? {
            Some(value) => (value, true),
            None => (written, false),
        };
        owned_type(&value, "the result", kind)?;
        let objects = match options.num_returns {
            None | Some((ReturnCount::Exactly(1), _)) => ReturnObjects::One,
            Some((count, span)) => objects(&value, count, span)?,
        };
        Ok(Returns { value, fallible, objects })
    }

    /// True if each call may say how many objects the value becomes.
    pub fn are_elements(&self) -> bool {
        matches!(self.objects, ReturnObjects::Elements(..))
    }

    /// True if each call must say how many objects the value becomes.
    pub fn need_count(&self) -> bool {
        matches!(self.objects, ReturnObjects::Elements(_, ReturnCount::PerCall))
    }

    /// The type that says how many objects the value becomes.
    pub fn outputs(&self) -> TokenStream {
        let value = &self.value;
        match &self.objects {
            ReturnObjects::One => quote!(__mobula::__private::Single<#value>),
            ReturnObjects::Parts(_) => quote!(__mobula::__private::Multiple<#value>),
            ReturnObjects::Elements(element, ReturnCount::Exactly(count)) => {
                quote!(__mobula::__private::Many<#element, #count>)
            }
            ReturnObjects::Elements(element, ReturnCount::PerCall) => quote!(__mobula::__private::Many<#element, 0>),
        }
    }

    /// How many objects the value becomes; `None` if each call says it.
    pub fn count(&self) -> Option<usize> {
        match &self.objects {
            ReturnObjects::One => Some(1),
            ReturnObjects::Parts(parts) => Some(parts.len()),
            ReturnObjects::Elements(_, ReturnCount::Exactly(count)) => Some(*count),
            ReturnObjects::Elements(_, ReturnCount::PerCall) => None,
        }
    }

    /// What the caller gets at once: a reference, or a tuple or a `Vec` of them.
    pub fn references(&self) -> TokenStream {
        let value = &self.value;
        match &self.objects {
            ReturnObjects::One => quote!(__mobula::ObjectRef<#value>),
            ReturnObjects::Parts(parts) => quote!((#(__mobula::ObjectRef<#parts>,)*)),
            ReturnObjects::Elements(element, _) => quote!(::std::vec::Vec<__mobula::ObjectRef<#element>>),
        }
    }
}

/// `T` of a `Result<T, E>`, under whatever path; `None` for any other type.
fn success(written: &Type) -> syn::Result<Option<Type>> {
    let Type::Path(path) = written else { return Ok(None) };
    let Some(PathSegment { ident, arguments }) = path.path.segments.last() else { return Ok(None) };
    if ident != "Result" {
        return Ok(None);
    }
    let first = match arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(value) => Some(value.clone()),
            _ => None,
        }),
        _ => None,
    };
    match first {
        Some(value) => Ok(Some(value)),
        None => {
            Err(syn::Error::new_spanned(written, "write this Result out, as `Result<T, E>`: T is what the caller gets"))
        }
    }
}

/// The `count` objects of a `Vec` or a tuple, or why the type has none, at the count's place.
fn objects(value: &Type, count: ReturnCount, span: Span) -> syn::Result<ReturnObjects> {
    let refuse = |message: String| Err(syn::Error::new(span, message));
    if count == ReturnCount::Exactly(0) {
        return refuse("num_returns is 1 or more".to_string());
    }
    if let Some(element) = vec_element(value) {
        return Ok(ReturnObjects::Elements(Box::new(element.clone()), count));
    }
    let ReturnCount::Exactly(count) = count else {
        return refuse("num_returns = \"many\" needs a Vec (or a Result of one) as the return type".to_string());
    };
    if count > PARAMS_MAX {
        return refuse(format!("num_returns is 1 to {PARAMS_MAX} for a tuple: return a Vec for more"));
    }
    match value {
        Type::Tuple(tuple) if tuple.elems.len() == count => {
            Ok(ReturnObjects::Parts(tuple.elems.iter().cloned().collect()))
        }
        Type::Tuple(tuple) => {
            let found = tuple.elems.len();
            refuse(format!("num_returns = {count} needs a tuple of {count} types: this one has {found}"))
        }
        _ => refuse(format!(
            "num_returns = {count} needs a tuple of {count} types or a Vec (or a Result of one) as the return type"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Attribute;
    use quote::ToTokens as _;

    fn returns(output: ReturnType, attribute: TokenStream) -> syn::Result<Returns> {
        Returns::of(&output, &Options::parse(attribute, Attribute::Task).unwrap(), "a remote function")
    }

    fn value(output: ReturnType) -> (String, bool) {
        let returns = returns(output, quote!()).unwrap();
        (returns.value.to_token_stream().to_string().replace(' ', ""), returns.fallible)
    }

    fn message(output: ReturnType, attribute: TokenStream) -> String {
        returns(output, attribute).err().expect("refused").to_string()
    }

    #[test]
    fn result_is_unwrapped_to_its_value() {
        assert_eq!(value(parse_quote!()), ("()".into(), false));
        assert_eq!(value(parse_quote!(-> f64)), ("f64".into(), false));
        assert_eq!(value(parse_quote!(-> Result<Model, TrainError>)), ("Model".into(), true));
        assert_eq!(value(parse_quote!(-> mobula::Result<()>)), ("()".into(), true));
        assert_eq!(value(parse_quote!(-> std::io::Result<Vec<u8>>)), ("Vec<u8>".into(), true));
        assert!(message(parse_quote!(-> std::fmt::Result), quote!()).contains("write this Result out"));
    }

    #[test]
    fn several_returns_need_a_tuple_of_that_length() {
        let three = returns(parse_quote!(-> Result<(i32, String, Vec<u8>), Error>), quote!(num_returns = 3)).unwrap();
        assert!(three.references().to_string().matches("ObjectRef").count() == 3);
        assert!(message(parse_quote!(-> (i32, String)), quote!(num_returns = 3)).contains("this one has 2"));
        assert!(message(parse_quote!(-> f64), quote!(num_returns = 2)).contains("needs a tuple of 2 types"));
        assert!(message(parse_quote!(-> ()), quote!(num_returns = 0)).contains("1 or more"));
        assert!(message(parse_quote!(-> ()), quote!(num_returns = 13)).contains("return a Vec for more"));
        let one = returns(parse_quote!(-> (i32, String)), quote!(num_returns = 1)).unwrap();
        assert_eq!(one.references().to_string().matches("ObjectRef").count(), 1);
    }

    #[test]
    fn list_becomes_an_object_for_each_element() {
        let shown = |attribute| {
            let returns = returns(parse_quote!(-> Result<Vec<f64>, Error>), attribute).unwrap();
            let text = [returns.outputs(), returns.references()].map(|tokens| tokens.to_string().replace(' ', ""));
            (text, returns.need_count())
        };
        let references = "::std::vec::Vec<__mobula::ObjectRef<f64>>".to_string();
        let exactly = ["__mobula::__private::Many<f64,3000usize>".to_string(), references.clone()];
        assert_eq!(shown(quote!(num_returns = 3000)), (exactly, false));
        let per_call = ["__mobula::__private::Many<f64,0>".to_string(), references];
        assert_eq!(shown(quote!(num_returns = "many")), (per_call, true));
        assert!(!returns(parse_quote!(-> Vec<f64>), quote!(num_returns = 1)).unwrap().are_elements());
        assert!(message(parse_quote!(-> (f64, f64)), quote!(num_returns = "many")).contains("needs a Vec"));
    }

    #[test]
    fn result_that_cannot_be_sent_is_refused() {
        assert!(
            message(parse_quote!(-> &f64), quote!())
                .contains("the result of a remote function cannot hold a reference")
        );
        assert!(message(parse_quote!(-> Result<&str, Error>), quote!()).contains("cannot hold a reference"));
        assert!(message(parse_quote!(-> impl Iterator<Item = u8>), quote!()).contains("`impl Trait`"));
        assert!(message(parse_quote!(-> !), quote!()).contains("must return"));
    }
}
