//! The parameters of a remote function or method: which object each takes, and how the call gets it.

use proc_macro2::Span;
use quote::{ToTokens, format_ident};
use syn::visit::Visit;
use syn::{
    FnArg, GenericArgument, Ident, Lifetime, Pat, PatType, PathArguments, Signature, Type, TypeImplTrait,
    TypeReference, parse_quote,
};

/// The most parameters that one call can have: the longest tuple that is an argument list.
pub const PARAMS_MAX: usize = 12;

/// How the call gets its argument out of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentAccess {
    /// By value: the object itself if there is no other holder, else a copy.
    Own,
    /// By reference to the object in place.
    Borrow,
}

/// One parameter.
pub struct Param {
    /// Its name in the generated signatures: the user's own, where the pattern is a name.
    pub name: Ident,
    /// The type of the object that it takes.
    pub object: Type,
    /// If the object is a list whose elements may be given as separate references: the element type.
    pub element: Option<Type>,
    /// How the call gets its argument out of the object.
    pub access: ArgumentAccess,
}

/// The parameters but `self`. `kind` is what the errors call the function.
pub fn params(signature: &Signature, kind: &str) -> syn::Result<Vec<Param>> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let params =
        typed.enumerate().map(|(index, typed)| Param::of(index, typed, kind)).collect::<syn::Result<Vec<_>>>()?;
    match params.get(PARAMS_MAX) {
        None => Ok(params),
        Some(_) => Err(syn::Error::new_spanned(
            &signature.inputs,
            format!("{kind} takes at most {PARAMS_MAX} parameters: put some of them into one struct"),
        )),
    }
}

impl Param {
    fn of(index: usize, typed: &PatType, kind: &str) -> syn::Result<Param> {
        let name = match &*typed.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            _ => format_ident!("argument_{index}", span = Span::mixed_site()),
        };
        let (object, access) = object(&typed.ty, kind)?;
        let element = element(&typed.ty).cloned();
        Ok(Param { name, object, element, access })
    }
}

/// `E` of a parameter `Vec<E>`, `&Vec<E>` or `&[E]`, under whatever path.
fn element(parameter: &Type) -> Option<&Type> {
    match parameter {
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => Some(&slice.elem),
            owned => vec_element(owned),
        },
        owned => vec_element(owned),
    }
}

/// `E` of a `Vec<E>`, under whatever path.
pub fn vec_element(list: &Type) -> Option<&Type> {
    let Type::Path(path) = list else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Vec")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(element)) if arguments.args.len() == 1 => Some(element),
        _ => None,
    }
}

/// The object that a parameter of this type takes: `T` for `T` and `&T`, `Array<X>` for `&[X]`, `String` for `&str`.
fn object(parameter: &Type, kind: &str) -> syn::Result<(Type, ArgumentAccess)> {
    let refuse = |message: String| Err(syn::Error::new_spanned(parameter, message));
    let (object, access) = match parameter {
        Type::Reference(reference) if reference.mutability.is_some() => {
            return refuse(format!("the argument of {kind} is immutable: take it by value and return what changed"));
        }
        Type::Reference(reference) if reference.lifetime.is_some() => {
            return refuse(format!("the argument of {kind} lives as long as the call: leave the lifetime out"));
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => {
                let element = &slice.elem;
                (parse_quote!(__mobula::Array<#element>), ArgumentAccess::Borrow)
            }
            Type::Path(path) if path.path.is_ident("str") => {
                (parse_quote!(::std::string::String), ArgumentAccess::Borrow)
            }
            Type::TraitObject(_) => {
                return refuse(format!("{kind} cannot take `dyn Trait`: take a type, or an enum of types"));
            }
            owned => (owned.clone(), ArgumentAccess::Borrow),
        },
        owned => (owned.clone(), ArgumentAccess::Own),
    };
    owned_type(&object, "an argument", kind)?;
    Ok((object, access))
}

/// Refuses a type that cannot leave its process: one that holds references or lifetimes, or `impl Trait`.
pub fn owned_type(object: &Type, role: &str, kind: &str) -> syn::Result<()> {
    let mut finder = Finder { role, kind, found: None };
    finder.visit_type(object);
    finder.found.map_or(Ok(()), Err)
}

/// What to write instead of a reference or a lifetime.
const OWNED: &str = "use owned data (`String`, `Vec<T>`, `Array<T>`, `ObjectRef<T>`)";

/// Searches for the first token that an owned type cannot hold.
struct Finder<'a> {
    role: &'a str,
    kind: &'a str,
    found: Option<syn::Error>,
}

impl Finder<'_> {
    fn refuse(&mut self, found: impl ToTokens, what: &str, instead: &str) {
        let Finder { role, kind, .. } = *self;
        self.found.get_or_insert_with(|| {
            syn::Error::new_spanned(found, format!("{role} of {kind} cannot {what}: {instead}"))
        });
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        self.refuse(found, "be `impl Trait`", "write the type itself, which is what travels between ranks");
    }

    fn visit_type_reference(&mut self, found: &'ast TypeReference) {
        self.refuse(found, "hold a reference", OWNED);
    }

    fn visit_lifetime(&mut self, found: &'ast Lifetime) {
        if found.ident != "static" {
            self.refuse(found, "hold a lifetime", OWNED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(parameter: Type) -> (String, ArgumentAccess) {
        let (object, access) = object(&parameter, "a remote function").unwrap();
        (object.to_token_stream().to_string().replace(' ', ""), access)
    }

    fn refused(parameter: Type) -> String {
        match object(&parameter, "a remote function") {
            Ok(_) => panic!("not refused"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn parameter_takes_the_object_of_its_type() {
        assert_eq!(taken(parse_quote!(f64)), ("f64".into(), ArgumentAccess::Own));
        assert_eq!(taken(parse_quote!(Array<f32>)), ("Array<f32>".into(), ArgumentAccess::Own));
        assert_eq!(taken(parse_quote!(Cow<'static, str>)), ("Cow<'static,str>".into(), ArgumentAccess::Own));
        assert_eq!(taken(parse_quote!(&Vec<f64>)), ("Vec<f64>".into(), ArgumentAccess::Borrow));
        assert_eq!(taken(parse_quote!(&[f64])), ("__mobula::Array<f64>".into(), ArgumentAccess::Borrow));
        assert_eq!(taken(parse_quote!(&str)), ("::std::string::String".into(), ArgumentAccess::Borrow));
    }

    #[test]
    fn list_parameter_has_element_type() {
        let shown = |parameter: Type| element(&parameter).map(|element| element.to_token_stream().to_string());
        assert_eq!(shown(parse_quote!(Vec<f64>)), Some("f64".into()));
        assert_eq!(shown(parse_quote!(&std::vec::Vec<f64>)), Some("f64".into()));
        assert_eq!(shown(parse_quote!(&[f64])), Some("f64".into()));
        for other in [parse_quote!(Array<f64>), parse_quote!(&f64), parse_quote!((f64, f64)), parse_quote!(Vec<u8, A>)]
        {
            assert_eq!(shown(other), None);
        }
    }

    #[test]
    fn parameter_that_cannot_be_sent_is_refused() {
        assert!(refused(parse_quote!(&mut f64)).contains("take it by value"));
        assert!(refused(parse_quote!(&'a f64)).contains("leave the lifetime out"));
        assert!(refused(parse_quote!(&dyn Shape)).contains("dyn Trait"));
        assert!(refused(parse_quote!(impl Shape)).contains("`impl Trait`"));
        assert!(refused(parse_quote!(Vec<impl Shape>)).contains("`impl Trait`"));
        assert!(refused(parse_quote!(Option<&f64>)).contains("hold a reference"));
        assert!(refused(parse_quote!(&&f64)).contains("hold a reference"));
        assert!(refused(parse_quote!(Cow<'_, str>)).contains("hold a lifetime"));
    }

    #[test]
    fn more_than_twelve_parameters_are_refused() {
        let names: Vec<_> = (0..=PARAMS_MAX).map(|index| format_ident!("p{index}")).collect();
        let allowed = &names[..PARAMS_MAX];
        assert_eq!(params(&parse_quote!(fn f(#(#allowed: u8),*)), "a remote function").unwrap().len(), PARAMS_MAX);
        let error = params(&parse_quote!(fn f(#(#names: u8),*)), "a remote function").err().expect("refused");
        assert!(error.to_string().contains("at most 12 parameters"));
    }
}
