//! The path of the crate `mobula` in the user's crate, which may depend on it under another name.
//!
//! Only the head of the output uses it: what follows names the crate [`ALIAS`].

use proc_macro_crate::{Error, FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Path, parse_quote};

/// The name that `mobula` has inside the generated `const _` blocks.
pub const ALIAS: &str = "__mobula";

/// A path to the crate, in the user's crate.
pub struct CratePath(Path);

impl CratePath {
    /// The path that the attribute gives (`crate = facade::mobula`); else the name in Cargo.toml.
    ///
    /// # Errors
    /// If Cargo.toml does not name mobula: only the user knows through which crate it is reached.
    pub fn of(given: Option<&Path>, attribute: &str) -> syn::Result<CratePath> {
        match given {
            Some(path) => Ok(CratePath(path.clone())),
            // Unit tests of the macros expand code of no crate.
            None if !proc_macro::is_available() => Ok(CratePath(parse_quote!(::mobula))),
            None => named(crate_name("mobula"), attribute),
        }
    }

    /// The import with which each generated block begins.
    pub fn import(&self) -> TokenStream {
        let (path, alias) = (&self.0, Ident::new(ALIAS, Span::call_site()));
        quote!(use #path as #alias;)
    }

    /// The path as text, for links in documentation and for attributes.
    pub fn text(&self) -> String {
        self.0.to_token_stream().to_string().replace(' ', "")
    }
}

impl ToTokens for CratePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

fn named(found: Result<FoundCrate, Error>, attribute: &str) -> syn::Result<CratePath> {
    match found {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            Ok(CratePath(parse_quote!(::#name)))
        }
        Err(Error::CrateNotFound { .. }) => Err(syn::Error::new(
            Span::call_site(),
            format!(
                "Cargo.toml does not name mobula among the dependencies of this crate: write by which path it is \
                 reached, as {}(crate = facade::mobula)]",
                attribute.trim_end_matches(']'),
            ),
        )),
        // The crate itself, whose root declares its own name; and builds without Cargo, which have no Cargo.toml.
        Ok(FoundCrate::Itself) | Err(_) => Ok(CratePath(parse_quote!(::mobula))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn crate_is_found_under_the_name_that_it_has() {
        let text = |found| named(found, "#[mobula::remote]").map(|path| path.text());
        assert_eq!(text(Ok(FoundCrate::Name("hpc".into()))).unwrap(), "::hpc");
        assert_eq!(text(Ok(FoundCrate::Itself)).unwrap(), "::mobula");
        assert_eq!(text(Err(Error::CargoManifestDirNotSet)).unwrap(), "::mobula");
        let given: Path = parse_quote!(facade::mobula);
        assert_eq!(CratePath::of(Some(&given), "").unwrap().text(), "facade::mobula");
    }

    #[test]
    fn crate_that_is_reached_through_another_must_be_named() {
        let error = Error::CrateNotFound { crate_name: "mobula".into(), path: PathBuf::from("Cargo.toml") };
        let message = named(Err(error), "#[mobula::actor]").err().expect("refused").to_string();
        assert!(message.ends_with("as #[mobula::actor(crate = facade::mobula)]"), "{message}");
    }
}
