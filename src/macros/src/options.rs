//! The options in the parentheses of an attribute: `num_cpus = 4, resources = { "Custom": 1 }, spmd`.

use crate::option_table::{Row, Takes, rows};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token, UnOp};

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
    fn name(self) -> &'static str {
        match self {
            Attribute::Task => "#[mobula::remote]",
            Attribute::Actor => "#[mobula::actor]",
            Attribute::Method => "#[mobula::method]",
            Attribute::Main => "#[mobula::main]",
        }
    }
}

/// One key with its value.
struct KeyValue {
    key: Ident,
    value: OptionValue,
}

enum OptionValue {
    Amount(Expr),
    Amounts(Vec<(LitStr, Expr)>),
    Plain(Expr),
    Alone,
    Returns { count: ReturnCount, span: Span },
}

/// The value of `num_returns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnCount {
    /// This many.
    Exactly(usize),
    /// As many as each call says.
    PerCall,
}

/// The options of one attribute, in the order written.
pub struct Options {
    given: Vec<KeyValue>,
}

impl Options {
    /// The options of an item that has no attribute.
    pub fn none() -> Options {
        Options { given: Vec::new() }
    }

    /// Parses the options of the attribute.
    pub fn parse(tokens: TokenStream, attribute: Attribute) -> syn::Result<Options> {
        let entries = |input: ParseStream<'_>| {
            let mut given: Vec<KeyValue> = Vec::new();
            while !input.is_empty() {
                let one = KeyValue::parse(input, attribute)?;
                if given.iter().any(|other| other.key == one.key) {
                    return Err(syn::Error::new_spanned(&one.key, format!("`{}` is given twice", one.key)));
                }
                given.push(one);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(Options { given })
        };
        entries.parse2(tokens)
    }

    /// The builder calls that set all of these except those that are not builder methods: `.num_cpus(4f64).name("x")`.
    pub fn builder_calls(&self) -> TokenStream {
        let built = |given: &&KeyValue| given.key != "spmd" && given.key != "checkpoint";
        self.given.iter().filter(built).map(KeyValue::builder_calls).collect()
    }

    /// `num_returns` and its location, if given.
    pub fn num_returns(&self) -> Option<(ReturnCount, Span)> {
        self.given.iter().find_map(|given| match given.value {
            OptionValue::Returns { count, span } => Some((count, span)),
            _ => None,
        })
    }

    /// True if `checkpoint` is given, alone or as a literal.
    ///
    /// # Errors
    /// If its value is not a literal: the generated code depends on it.
    pub fn checkpoint(&self) -> syn::Result<bool> {
        match self.given.iter().find(|given| given.key == "checkpoint").map(|given| &given.value) {
            None => Ok(false),
            Some(OptionValue::Plain(Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. }))) => Ok(literal.value),
            Some(OptionValue::Plain(other)) => {
                Err(syn::Error::new_spanned(other, "write `checkpoint`, or `checkpoint = true`"))
            }
            Some(_) => Ok(true),
        }
    }

    /// The value of `spmd`, as an expression.
    pub fn spmd(&self) -> TokenStream {
        match self.given.iter().find(|given| given.key == "spmd").map(|given| &given.value) {
            None => quote!(false),
            Some(OptionValue::Plain(expression)) => quote!(#expression),
            Some(_) => quote!(true),
        }
    }
}

impl KeyValue {
    fn parse(input: ParseStream<'_>, attribute: Attribute) -> syn::Result<KeyValue> {
        let key = input.call(Ident::parse_any)?;
        let Some(Row { takes, .. }) = rows(attribute).find(|row| key == row.key) else {
            let known: Vec<&str> = rows(attribute).map(|row| row.key).collect();
            let message = format!("{} has no option `{key}`: the options are {}", attribute.name(), known.join(", "));
            return Err(syn::Error::new_spanned(&key, message));
        };
        if *takes == Takes::Flag && !input.peek(Token![=]) {
            return Ok(KeyValue { key, value: OptionValue::Alone });
        }
        input.parse::<Token![=]>()?;
        let value = match takes {
            Takes::Amount => OptionValue::Amount(not_negative(input.parse()?)?),
            Takes::Amounts => OptionValue::Amounts(amounts(input)?),
            Takes::Count => OptionValue::Plain(not_negative(input.parse()?)?),
            Takes::Flag | Takes::Value => OptionValue::Plain(input.parse()?),
            Takes::Returns => returns(input)?,
        };
        Ok(KeyValue { key, value })
    }

    fn builder_calls(&self) -> TokenStream {
        let KeyValue { key, value } = self;
        match value {
            OptionValue::Amount(expression) => {
                let amount = as_float(expression);
                quote!(.#key(#amount))
            }
            OptionValue::Amounts(entries) => entries
                .iter()
                .map(|(name, expression)| {
                    let amount = as_float(expression);
                    quote!(.resource(#name, #amount))
                })
                .collect(),
            OptionValue::Plain(expression) => quote!(.#key(#expression)),
            OptionValue::Alone => quote!(.#key(true)),
            OptionValue::Returns { .. } => TokenStream::new(),
        }
    }
}

/// `3` or `"many"`
fn returns(input: ParseStream<'_>) -> syn::Result<OptionValue> {
    let count = match input.parse::<Lit>()? {
        Lit::Int(number) => (ReturnCount::Exactly(number.base10_parse()?), number.span()),
        Lit::Str(text) if text.value() == "many" => (ReturnCount::PerCall, text.span()),
        other => return Err(syn::Error::new_spanned(other, "num_returns is a number, or \"many\"")),
    };
    Ok(OptionValue::Returns { count: count.0, span: count.1 })
}

/// `{ "Custom": 1, "Licence": 0.5 }`
fn amounts(input: ParseStream<'_>) -> syn::Result<Vec<(LitStr, Expr)>> {
    let entries;
    syn::braced!(entries in input);
    let entry = |input: ParseStream<'_>| {
        let name: LitStr = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok((name, not_negative(input.parse()?)?))
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
        Options::parse(tokens, attribute).unwrap().builder_calls().to_string().replace(' ', "")
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
        assert_eq!(options.num_returns().unwrap().0, ReturnCount::Exactly(3));
        assert_eq!(options.builder_calls().to_string().replace(' ', ""), r#".name("x")"#);
        let options = Options::parse(quote!(spmd, workers = 2), Attribute::Main).unwrap();
        assert_eq!(options.spmd().to_string(), "true");
        assert_eq!(options.builder_calls().to_string().replace(' ', ""), ".workers(2)");
        assert_eq!(Options::none().spmd().to_string(), "false");
        let options = Options::parse(quote!(checkpoint, max_restarts = 2), Attribute::Actor).unwrap();
        assert!(options.checkpoint().unwrap() && !Options::none().checkpoint().unwrap());
        assert_eq!(options.builder_calls().to_string().replace(' ', ""), ".max_restarts(2)");
        assert!(!Options::parse(quote!(checkpoint = false), Attribute::Actor).unwrap().checkpoint().unwrap());
        assert!(Options::parse(quote!(checkpoint = KEEP), Attribute::Actor).unwrap().checkpoint().is_err());
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
