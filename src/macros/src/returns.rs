//! What a remote function or method gives: the value with its `Result` taken off, as one object or as several.

use crate::options::Options;
use crate::params::{PARAMS_MAX, owned_type};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Type, parse_quote};

/// What a call gives.
pub struct Returns {
    /// The value on success.
    pub value: Type,
    /// Whether the function returns a `Result` of that value.
    pub fallible: bool,
    /// The types of the tuple's parts where each becomes an object of its own.
    parts: Option<Vec<Type>>,
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
        let parts = match options.num_returns() {
            None | Some((1, _)) => None,
            Some((count, span)) => Some(tuple(&value, count).map_err(|message| syn::Error::new(span, message))?),
        };
        Ok(Returns { value, fallible, parts })
    }

    /// The type that says how many objects the value becomes.
    pub fn outputs(&self) -> TokenStream {
        let value = &self.value;
        match &self.parts {
            None => quote!(::mobula::__private::Single<#value>),
            Some(_) => quote!(::mobula::__private::Multiple<#value>),
        }
    }

    /// What the caller gets at once: a reference, or a tuple of them.
    pub fn references(&self) -> TokenStream {
        let value = &self.value;
        match &self.parts {
            None => quote!(::mobula::ObjectRef<#value>),
            Some(parts) => quote!((#(::mobula::ObjectRef<#parts>,)*)),
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

/// The `count` types of a tuple, or why they cannot be had.
fn tuple(value: &Type, count: usize) -> Result<Vec<Type>, String> {
    if !(1..=PARAMS_MAX).contains(&count) {
        return Err(format!("num_returns is 1 to {PARAMS_MAX}: return a Vec of references for more"));
    }
    match value {
        Type::Tuple(tuple) if tuple.elems.len() == count => Ok(tuple.elems.iter().cloned().collect()),
        Type::Tuple(tuple) => {
            let found = tuple.elems.len();
            Err(format!("num_returns = {count} needs a tuple of {count} types: this one has {found}"))
        }
        _ => {
            Err(format!("num_returns = {count} needs a tuple of {count} types (or a Result of one) as the return type"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::TASK;
    use quote::ToTokens as _;

    fn returns(output: ReturnType, attribute: TokenStream) -> syn::Result<Returns> {
        Returns::of(&output, &Options::parse(attribute, &TASK).unwrap(), "a remote function")
    }

    fn value(output: ReturnType) -> (String, bool) {
        let returns = returns(output, quote!()).unwrap();
        (returns.value.to_token_stream().to_string().replace(' ', ""), returns.fallible)
    }

    fn message(output: ReturnType, attribute: TokenStream) -> String {
        returns(output, attribute).err().expect("refused").to_string()
    }

    #[test]
    fn a_result_is_taken_off() {
        assert_eq!(value(parse_quote!()), ("()".into(), false));
        assert_eq!(value(parse_quote!(-> f64)), ("f64".into(), false));
        assert_eq!(value(parse_quote!(-> Result<Model, TrainError>)), ("Model".into(), true));
        assert_eq!(value(parse_quote!(-> mobula::Result<()>)), ("()".into(), true));
        assert_eq!(value(parse_quote!(-> std::io::Result<Vec<u8>>)), ("Vec<u8>".into(), true));
        assert!(message(parse_quote!(-> std::fmt::Result), quote!()).contains("write this Result out"));
    }

    #[test]
    fn several_returns_need_a_tuple_of_as_many() {
        let three = returns(parse_quote!(-> Result<(i32, String, Vec<u8>), Error>), quote!(num_returns = 3)).unwrap();
        assert!(three.references().to_string().matches("ObjectRef").count() == 3);
        assert!(message(parse_quote!(-> (i32, String)), quote!(num_returns = 3)).contains("this one has 2"));
        assert!(message(parse_quote!(-> f64), quote!(num_returns = 2)).contains("needs a tuple of 2 types"));
        assert!(message(parse_quote!(-> ()), quote!(num_returns = 0)).contains("1 to 12"));
        assert!(message(parse_quote!(-> ()), quote!(num_returns = 13)).contains("1 to 12"));
        let one = returns(parse_quote!(-> (i32, String)), quote!(num_returns = 1)).unwrap();
        assert_eq!(one.references().to_string().matches("ObjectRef").count(), 1);
    }

    #[test]
    fn what_cannot_come_back_is_refused() {
        assert!(
            message(parse_quote!(-> &f64), quote!())
                .contains("the result of a remote function cannot hold a reference")
        );
        assert!(message(parse_quote!(-> Result<&str, Error>), quote!()).contains("cannot hold a reference"));
        assert!(message(parse_quote!(-> impl Iterator<Item = u8>), quote!()).contains("`impl Trait`"));
        assert!(message(parse_quote!(-> !), quote!()).contains("must return"));
    }
}
