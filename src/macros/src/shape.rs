//! The shape of a call, which functions, constructors and methods share: its arguments, its value, and the shim that
//! executes it.

use crate::options::Options;
use crate::params::{ArgumentAccess, Param, params};
use crate::returns::Returns;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Signature, Type};

/// What a task's shim calls: the actor comes first.
#[derive(Clone, Copy)]
pub enum Callee<'a> {
    /// A function.
    Function(&'a Ident),
    /// An actor's function that creates one.
    Constructor(&'a Ident, &'a Ident),
    /// An actor's method.
    Method(&'a Ident, &'a Ident),
    /// A task of C, by the static that stands for it.
    Import(&'a Ident),
}

/// What the macros know of one function.
pub struct CallShape {
    /// Its parameters.
    pub params: Vec<Param>,
    /// What a call returns.
    pub returns: Returns,
    asynchronous: bool,
    /// True for a function that may run where its call is received.
    leaf: bool,
    name: String,
    /// The signature as people write it.
    pub signature: String,
}

impl CallShape {
    /// Parses a signature, whose name is `name` to users. `kind` is what the errors call it: "a remote function".
    pub fn of(signature: &Signature, name: String, options: &Options, kind: &str) -> syn::Result<CallShape> {
        let signature = &ungrouped(signature);
        refuse_generics(signature, kind)?;
        refuse_qualifiers(signature, kind)?;
        Ok(CallShape {
            params: params(signature, kind)?,
            returns: Returns::of(&signature.output, options, kind)?,
            asynchronous: signature.asyncness.is_some(),
            leaf: is_leaf(signature, options)?,
            name,
            signature: spelled(signature),
        })
    }

    /// `a: impl IntoArg<f64>, ..`: the parameters of the caller.
    pub fn arguments(&self) -> TokenStream {
        let arguments = self.params.iter().map(|Param { name, object, element, .. }| match element {
            Some(element) => quote!(#name: impl __mobula::__private::IntoListArg<#object, #element>),
            None => quote!(#name: impl __mobula::__private::IntoArg<#object>),
        });
        quote!(#(#arguments),*)
    }

    /// True if the value is of this type.
    pub fn gives(&self, name: &Ident) -> bool {
        *name == self.returns.value.to_token_stream().to_string()
    }

    /// The type of the first argument.
    pub fn first_object(&self) -> Option<&syn::Type> {
        self.params.first().map(|param| &param.object)
    }

    /// True if an argument is taken by reference.
    pub fn borrows(&self) -> bool {
        self.params.iter().any(|param| param.access == ArgumentAccess::Borrow)
    }

    /// The names of [`CallShape::arguments`], to pass them on.
    pub fn names(&self) -> TokenStream {
        let names = self.params.iter().map(|param| &param.name);
        quote!(#(#names),*)
    }

    /// `(a.into_arg(), ..,)`: the argument list built from [`CallShape::arguments`].
    pub fn argument_list(&self) -> TokenStream {
        let converted = self.params.iter().map(|Param { name, object, element, .. }| match element {
            Some(element) => quote!(__mobula::__private::IntoListArg::<#object, #element>::into_list_arg(#name)),
            None => quote!(__mobula::__private::IntoArg::<#object>::into_arg(#name)),
        });
        quote!((#(#converted,)*))
    }

    /// The type `marker`, which stands for the function as a `Callable`, and its registration.
    pub fn callable(&self, marker: &Ident, callee: Callee<'_>) -> TokenStream {
        let elements = self.params.iter().map(|Param { object, element, .. }| match element {
            Some(element) => quote!(__mobula::__private::ListArg<#object, #element>),
            None => quote!(__mobula::__private::Arg<#object>),
        });
        let (at, name, signature) = (format!("::{}@", self.name), &self.name, &self.signature);
        let (arguments, state, object) = (local("arguments"), local("state"), local("actor"));
        let value = &self.returns.value;
        let outcome = quote!(::core::result::Result<#value, __mobula::__private::Failure>);
        let (kind, name, outputs, body) = match callee {
            Callee::Function(function) => {
                let body = self.call(quote!(#function), None, &arguments);
                (quote!(Task), quote!(#name), self.returns.outputs(), body)
            }
            Callee::Import(import) => {
                let body = self.call_of_c(import, &arguments);
                (quote!(Task), quote!(#name), self.returns.outputs(), body)
            }
            Callee::Method(actor, method) => {
                let body = self.call(quote!(<#actor>::#method), Some(&object), &arguments);
                let call = quote!(|#object: &mut #actor| -> #outcome { #body });
                let body = quote!(__mobula::__private::with_actor(Self::NAME, #state, #call));
                (quote!(Method), quote!(#name), self.returns.outputs(), body)
            }
            Callee::Constructor(actor, new) => {
                let body = self.call(quote!(<#actor>::#new), None, &arguments);
                let body = quote!(__mobula::__private::construct(#state, || -> #outcome { #body }));
                let name = quote!(<#actor as __mobula::Actor>::NAME);
                (quote!(New), name, quote!(__mobula::__private::Single<()>), body)
            }
        };
        let (checkpoint, outcome) = match callee {
            Callee::Constructor(actor, _) => {
                let checkpoint = quote! {
                    const CHECKPOINT: ::core::option::Option<&'static __mobula::__private::Checkpoint> =
                        <#actor as __mobula::Actor>::CHECKPOINT;
                };
                (Some(checkpoint), quote!(::core::result::Result<(), __mobula::__private::Failure>))
            }
            _ => (None, outcome),
        };
        let leaf = self.leaf.then(|| {
            quote!(
                const LEAF: ::core::primitive::bool = true;
            )
        });
        quote! {
            struct #marker {}

            impl __mobula::__private::Callable for #marker {
                type Args = (#(#elements,)*);
                type Outputs = #outputs;
                const NAME: &'static ::core::primitive::str = #name;
                // Which function this is, the same on every rank of one program.
                const PATH: &'static ::core::primitive::str = ::core::concat!(
                    ::core::module_path!(), #at, ::core::file!(), ":", ::core::line!(), ":", ::core::column!()
                );
                const SIGNATURE: &'static ::core::primitive::str = #signature;
                const KIND: __mobula::__private::FunctionKind = __mobula::__private::FunctionKind::#kind;
                #checkpoint
                #leaf

                #[inline]
                fn checked() -> ::core::option::Option<&'static __mobula::__private::CheckedTypes> {
                    static CHECKED: __mobula::__private::CheckedTypes = __mobula::__private::CheckedTypes::new();
                    ::core::option::Option::Some(&CHECKED)
                }

                fn invoke(#arguments: Self::Args, #state: &mut __mobula::__private::ActorState) -> #outcome {
                    #body
                }
            }

            __mobula::__private::inventory::submit! { __mobula::__private::Function::of::<#marker>() }
        }
    }

    /// The locals that hold the arguments, one each, and what turns them, parts of the list `arguments`, into values
    /// and references.
    pub fn taken(&self, arguments: &Ident) -> (Vec<Ident>, TokenStream) {
        let locals: Vec<Ident> = (0..self.params.len()).map(|index| local(&format!("argument_{index}"))).collect();
        let gathered = self.params.iter().zip(&locals).filter_map(|(param, local)| {
            let element = param.element.as_ref()?;
            let one = self::local("one");
            Some(quote! {
                let #local = #local.gathered(|#one| (&&__mobula::__private::Own::<#element>::new()).own(#one))?;
            })
        });
        let taken = quote! {
            use __mobula::__private::{OwnByClone as _, OwnBySerde as _};
            let (#(#locals,)*) = #arguments;
            #(#gathered)*
        };
        (locals, taken)
    }

    /// The body that takes the list `arguments` apart and calls `callee` with them, after the `receiver` if any.
    fn call(&self, callee: TokenStream, receiver: Option<&Ident>, arguments: &Ident) -> TokenStream {
        let (locals, taken) = self.taken(arguments);
        let values = self.params.iter().zip(&locals).map(|(Param { object, access, .. }, local)| match access {
            ArgumentAccess::Own => quote!((&&__mobula::__private::Own::<#object>::new()).own(#local)?),
            ArgumentAccess::Borrow => quote!(#local.value()),
        });
        let receiver = receiver.into_iter();
        let called = quote!(#callee(#(#receiver,)* #(#values),*));
        let called = if self.asynchronous { quote!(__mobula::__private::block_on(#called)) } else { called };
        let finished = if self.returns.fallible {
            let (value, error) = (local("value"), local("error"));
            quote! {
                match #called {
                    ::core::result::Result::Ok(#value) => ::core::result::Result::Ok(#value),
                    ::core::result::Result::Err(#error) => {
                        ::core::result::Result::Err((&&&&&__mobula::__private::Explain(&#error)).explain())
                    }
                }
            }
        } else {
            quote!(::core::result::Result::Ok(#called))
        };
        quote! {
            use __mobula::__private::{
                ExplainBoxed as _, ExplainDebug as _, ExplainDisplay as _, ExplainError as _, ExplainOwn as _,
            };
            #taken
            #finished
        }
    }
}

/// A generated local. Its span keeps it apart from the user's locals, its name from the user's constants, to which
/// hygiene does not apply.
pub fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}

/// The signature with the actor's name for `Self`, which means another type in the shim.
pub fn without_self(signature: &Signature, actor: &Ident) -> syn::Result<Signature> {
    syn::parse2(replace_self(signature.to_token_stream(), actor))
}

fn replace_self(tokens: TokenStream, actor: &Ident) -> TokenStream {
    let replaced = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => {
            let mut named = actor.clone();
            named.set_span(ident.span());
            TokenTree::Ident(named)
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), replace_self(group.stream(), actor));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        token => token,
    };
    tokens.into_iter().map(replaced).collect()
}

/// The signature as people write it; the compiler prints tokens apart and breaks long lines.
fn spelled(signature: &Signature) -> String {
    const TOGETHER: [(&str, &str); 8] = [
        (" :: ", "::"),
        (" : ", ": "),
        (" , ", ", "),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("> ,", ">,"),
        ("& ", "&"),
    ];
    let apart = signature.to_token_stream().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    TOGETHER.iter().fold(apart, |text, (from, to)| text.replace(from, to))
}

/// The signature without the invisible groups around what a macro of the user has inserted into it.
fn ungrouped(signature: &Signature) -> Signature {
    struct Ungroup;

    impl VisitMut for Ungroup {
        fn visit_type_mut(&mut self, written: &mut Type) {
            while let Type::Group(group) = written {
                *written = (*group.elem).clone();
            }
            visit_mut::visit_type_mut(self, written);
        }
    }

    let mut signature = signature.clone();
    Ungroup.visit_signature_mut(&mut signature);
    signature
}

/// True if the function is a leaf, which waits for nothing.
fn is_leaf(signature: &Signature, options: &Options) -> syn::Result<bool> {
    let leaf = options.leaf()?;
    match &signature.asyncness {
        Some(token) if leaf => Err(syn::Error::new_spanned(token, "a leaf function does not wait: it cannot be async")),
        _ => Ok(leaf),
    }
}

fn refuse_generics(signature: &Signature, kind: &str) -> syn::Result<()> {
    let generics = &signature.generics;
    if let Some(lifetime) = generics.lifetimes().next() {
        let message = format!("{kind} cannot have lifetimes: take `T` or `&T` and return owned data");
        return Err(syn::Error::new_spanned(lifetime, message));
    }
    let offending = match &generics.where_clause {
        _ if !generics.params.is_empty() => generics.params.to_token_stream(),
        Some(clause) if !clause.predicates.is_empty() => clause.to_token_stream(),
        _ => return Ok(()),
    };
    let message = format!("{kind} cannot be generic: write one for each type, or take an enum of the types");
    Err(syn::Error::new_spanned(offending, message))
}

fn refuse_qualifiers(signature: &Signature, kind: &str) -> syn::Result<()> {
    if let Some(token) = &signature.unsafety {
        let message = format!("{kind} cannot be unsafe: write a safe one around it, as its caller is on another rank");
        return Err(syn::Error::new_spanned(token, message));
    }
    match &signature.variadic {
        Some(variadic) => Err(syn::Error::new_spanned(variadic, format!("{kind} cannot be variadic: take a Vec"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn signature_is_spelled_as_people_write_it() {
        let signature = parse_quote!(fn f(a: &Vec<f64>, b: &[f64]) -> std::io::Result<Vec<Vec<u8>>>);
        let spelled = spelled(&signature).replace("f (", "f(");
        assert_eq!(spelled, "fn f(a: &Vec<f64>, b: &[f64]) -> std::io::Result<Vec<Vec<u8>>>");
    }

    #[test]
    fn borrowed_argument_is_not_copied_and_owned_one_is_moved() {
        let signature = parse_quote!(async fn f(a: u8, b: &u8) -> Result<u8, E>);
        let shape = CallShape::of(&signature, "f".into(), &Options::default(), "a remote function").unwrap();
        let call = shape.call(quote!(f), None, &local("arguments")).to_string().replace(' ', "");
        assert!(call.contains(
            "block_on(f((&&__mobula::__private::Own::<u8>::new()).own(__argument_0)?,__argument_1.value()))"
        ));
        assert!(call.contains("Explain(&__error)"), "{call}");
    }
}
