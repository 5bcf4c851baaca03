//! The options in the parentheses of an attribute: `num_cpus = 4, resources = { "Custom": 1 }, spmd`.

use crate::option_table::{Row, Takes, rows};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, UnOp};

/// An attribute with options.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// On a function.
    Task,
    /// On an impl block.
    Actor,
    /// On a method of an actor.
    Method,
    /// On `main`.
    Main,
}

impl Attribute {
    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            Attribute::Task => "#[mobula::remote]",
            Attribute::Actor => "#[mobula::actor]",
            Attribute::Method => "#[mobula::method]",
            Attribute::Main => "#[mobula::main]",
        }
    }
}

/// The value of `num_returns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnCount {
    /// This many.
    Exactly(usize),
    /// As many as each call says.
    PerCall,
}

/// The options of one attribute.
#[derive(Default)]
pub struct Options {
    /// The builder calls that set them, in the order written: `.num_cpus(4f64).name("x")`.
    pub calls: TokenStream,
    /// `num_returns` and its location, if given.
    pub num_returns: Option<(ReturnCount, Span)>,
    /// The values of the options that only the generated code depends on, if given, by key.
    modes: Vec<(String, Expr)>,
    /// The path to the crate `mobula`, if given.
    pub crate_path: Option<Path>,
    /// The name of the type that is generated, if given.
    pub type_name: Option<Ident>,
}

impl Options {
    /// Parses the options of the attribute.
    pub fn parse(tokens: TokenStream, attribute: Attribute) -> syn::Result<Options> {
        let entries = |input: ParseStream<'_>| {
            let mut options = Options::default();
            let mut given: Vec<Ident> = Vec::new();
            while !input.is_empty() {
                let key = input.call(Ident::parse_any)?;
                let Some(Row { takes, .. }) = rows(attribute).find(|row| key == row.key) else {
                    let (name, known) = (attribute.name(), rows(attribute).map(|row| row.key).collect::<Vec<_>>());
                    let message = format!("{name} has no option `{key}`: the options are {}", known.join(", "));
                    return Err(syn::Error::new_spanned(&key, message));
                };
                if given.contains(&key) {
                    return Err(syn::Error::new_spanned(&key, format!("`{key}` is given twice")));
                }
                options.parse_value(input, &key, *takes, attribute)?;
                given.push(key);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(options)
        };
        entries.parse2(tokens)
    }

    fn parse_value(
        &mut self,
        input: ParseStream<'_>,
        key: &Ident,
        takes: Takes,
        attribute: Attribute,
    ) -> syn::Result<()> {
        let alone = matches!(takes, Takes::Flag | Takes::Mode) && !input.peek(Token![=]);
        if !alone {
            input.parse::<Token![=]>()?;
        }
        let value = match takes {
            Takes::Amounts => {
                self.calls.extend(amounts(input)?);
                return Ok(());
            }
            Takes::Returns => {
                self.num_returns = Some(returns(input)?);
                return Ok(());
            }
            Takes::Path => {
                self.crate_path = Some(path(input)?);
                return Ok(());
            }
            Takes::TypeName => {
                self.type_name = Some(input.parse()?);
                return Ok(());
            }
            Takes::NameOrValue => {
                let value: Expr = input.parse()?;
                if let Some(name) = type_name(&value).filter(|_| attribute == Attribute::Task) {
                    self.type_name = Some(name);
                    return Ok(());
                }
                value.into_token_stream()
            }
            Takes::Amount => as_float(&not_negative(input.parse()?)?),
            Takes::Count => not_negative(input.parse()?)?.into_token_stream(),
            Takes::Flag | Takes::Mode if alone => quote!(true),
            Takes::Flag | Takes::Mode | Takes::Value => input.parse::<Expr>()?.into_token_stream(),
        };
        match takes {
            Takes::Mode => self.modes.push((key.to_string(), syn::parse2(value)?)),
            _ => self.calls.extend(quote!(.#key(#value))),
        }
        Ok(())
    }

    /// True if `checkpoint` is given, alone or as a literal.
    ///
    /// # Errors
    /// If its value is not a literal: the generated code depends on it.
    pub fn checkpoint(&self) -> syn::Result<bool> {
        self.is_given("checkpoint")
    }

    /// As `checkpoint`, for `leaf`.
    ///
    /// # Errors
    /// As `checkpoint`.
    pub fn leaf(&self) -> syn::Result<bool> {
        self.is_given("leaf")
    }

    /// As `checkpoint`, for `c`: C calls the function too.
    ///
    /// # Errors
    /// As `checkpoint`.
    pub fn c(&self) -> syn::Result<bool> {
        self.is_given("c")
    }

    fn mode(&self, key: &str) -> Option<&Expr> {
        self.modes.iter().find(|(given, _)| given == key).map(|(_, value)| value)
    }

    fn is_given(&self, key: &str) -> syn::Result<bool> {
        match self.mode(key) {
            None => Ok(false),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. })) => Ok(literal.value),
            Some(other) => Err(syn::Error::new_spanned(other, format!("write `{key}`, or `{key} = true`"))),
        }
    }

    /// The value of `spmd`, as an expression.
    pub fn spmd(&self) -> TokenStream {
        self.mode("spmd").map_or_else(|| quote!(false), Expr::to_token_stream)
    }
}

/// `facade::mobula`, or the same as a text.
fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    if input.peek(LitStr) {
        input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)
    } else {
        input.call(Path::parse_mod_style)
    }
}

/// The name of a type for a function: as that of a function, and unlike a constant, it has lower case letters.
fn type_name(value: &Expr) -> Option<Ident> {
    let Expr::Path(path) = value else { return None };
    let name = path.path.get_ident()?;
    name.to_string().contains(char::is_lowercase).then(|| name.clone())
}

/// `3` or `"many"`
fn returns(input: ParseStream<'_>) -> syn::Result<(ReturnCount, Span)> {
    match input.parse::<Lit>()? {
        Lit::Int(number) => Ok((ReturnCount::Exactly(number.base10_parse()?), number.span())),
        Lit::Str(text) if text.value() == "many" => Ok((ReturnCount::PerCall, text.span())),
        other => Err(syn::Error::new_spanned(other, "num_returns is a number, or \"many\"")),
    }
}

/// The builder calls of `{ "Custom": 1, "Licence": 0.5 }`.
fn amounts(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let entries;
    syn::braced!(entries in input);
    let entry = |input: ParseStream<'_>| {
        let name: LitStr = input.parse()?;
        input.parse::<Token![:]>()?;
        let amount = as_float(&not_negative(input.parse()?)?);
        Ok(quote!(.resource(#name, #amount)))
    };
    Ok(entries.parse_terminated(entry, Token![,])?.into_iter().collect())
}

fn not_negative(expression: Expr) -> syn::Result<Expr> {
    match &expression {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Err(syn::Error::new_spanned(&expression, "this is an amount: it cannot be negative"))
        }
        _ => Ok(expression),
    }
}

/// The expression as an `f64`: users write `num_cpus = 4`.
fn as_float(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) if literal.suffix().is_empty() => {
            let float = syn::LitFloat::new(&format!("{}f64", literal.base10_digits()), literal.span());
            quote!(#float)
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => quote!(#expression),
        _ => quote_spanned!(expression.span()=> (#expression) as ::core::primitive::f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(tokens: TokenStream, attribute: Attribute) -> String {
        Options::parse(tokens, attribute).unwrap().calls.to_string().replace(' ', "")
    }

    fn message(tokens: TokenStream, attribute: Attribute) -> String {
        Options::parse(tokens, attribute).err().expect("refused").to_string()
    }

    #[test]
    fn key_becomes_its_builder_call() {
        let tokens = quote!(num_cpus = 4, num_gpus = 0.5, resources = { "Custom": 1, "Licence": 0.5, }, name = "x",);
        let expected = r#".num_cpus(4f64).num_gpus(0.5).resource("Custom",1f64).resource("Licence",0.5).name("x")"#;
        assert_eq!(calls(tokens, Attribute::Task), expected);
        assert_eq!(
            calls(quote!(retry_on_error, max_retries = RETRIES), Attribute::Task),
            ".retry_on_error(true).max_retries(RETRIES)"
        );
        assert_eq!(calls(quote!(num_cpus = CORES), Attribute::Actor), ".num_cpus((CORES)as::core::primitive::f64)");
    }

    #[test]
    fn key_without_builder_method_is_omitted_from_the_calls() {
        let options = Options::parse(quote!(num_returns = 3, name = "x"), Attribute::Task).unwrap();
        assert_eq!(options.num_returns.unwrap().0, ReturnCount::Exactly(3));
        assert_eq!(options.calls.to_string().replace(' ', ""), r#".name("x")"#);
        let options = Options::parse(quote!(spmd, workers = 2), Attribute::Main).unwrap();
        assert_eq!(options.spmd().to_string(), "true");
        assert_eq!(options.calls.to_string().replace(' ', ""), ".workers(2)");
        assert_eq!(Options::default().spmd().to_string(), "false");
        let options = Options::parse(quote!(checkpoint, max_restarts = 2), Attribute::Actor).unwrap();
        assert!(options.checkpoint().unwrap() && !Options::default().checkpoint().unwrap());
        assert_eq!(options.calls.to_string().replace(' ', ""), ".max_restarts(2)");
        let options = Options::parse(quote!(crate = a::b, name = other), Attribute::Task).unwrap();
        assert_eq!(options.crate_path.unwrap().to_token_stream().to_string(), "a :: b");
        assert!(options.type_name.unwrap() == "other" && options.calls.is_empty());
        assert_eq!(calls(quote!(crate = "::hpc", name = NAME), Attribute::Task), ".name(NAME)");
        assert_eq!(calls(quote!(name = name, handle = Other), Attribute::Actor), ".name(name)");
        assert!(!Options::parse(quote!(checkpoint = false), Attribute::Actor).unwrap().checkpoint().unwrap());
        assert!(Options::parse(quote!(checkpoint = KEEP), Attribute::Actor).unwrap().checkpoint().is_err());
        let options = Options::parse(quote!(leaf, name = "x"), Attribute::Task).unwrap();
        assert!(options.leaf().unwrap() && !Options::default().leaf().unwrap());
        assert!(Options::parse(quote!(leaf), Attribute::Actor).is_err());
    }

    #[test]
    fn refusal_says_what_to_write() {
        let unknown = message(quote!(cpus = 4), Attribute::Task);
        assert!(
            unknown.starts_with("#[mobula::remote] has no option `cpus`: the options are num_cpus, num_gpus"),
            "{unknown}"
        );
        assert!(message(quote!(max_restarts = 1), Attribute::Task).contains("no option `max_restarts`"));
        assert!(message(quote!(name = "a", name = "b"), Attribute::Task).contains("given twice"));
        assert!(message(quote!(max_retries = -1), Attribute::Task).contains("cannot be negative"));
        assert!(message(quote!(resources = { "Custom": -1 }), Attribute::Task).contains("cannot be negative"));
        assert!(message(quote!(num_cpus), Attribute::Task).contains("expected `=`"));
        assert!(message(quote!(num_returns = "few"), Attribute::Task).contains("a number, or \"many\""));
    }
}
