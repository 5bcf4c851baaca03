//! A name that a generated type would take from another item of the user's module.
//!
//! The compiler's own error, that a name is defined twice, cannot say how to rename what the user has not written. The
//! macro sees only its own item, so it reads the source file for others. What it does not find there (items that
//! another macro writes, imports, files that it cannot read) the compiler still refuses.

use proc_macro2::Ident;
use syn::{Attribute, Item};

/// Types whose name every module can use.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

/// Refuses a generated type of this name, if the name is taken in the module of the item `beside`, the user's own.
/// `rename` is what the user writes instead.
pub fn refuse_taken(name: &Ident, beside: &Ident, rename: &str) -> syn::Result<()> {
    let shown = name.to_string();
    let by = match PRIMITIVES.contains(&shown.as_str()) {
        true => Some(format!("the primitive type `{shown}`")),
        false => source(name).and_then(|text| taken_by(&text, &shown, &beside.to_string())),
    };
    let Some(by) = by else { return Ok(()) };
    let message = format!("this attribute makes a type `{shown}`, but {by} has that name: write {rename}");
    Err(syn::Error::new(name.span(), message))
}

/// The text of the file that holds the name.
fn source(name: &Ident) -> Option<String> {
    if !proc_macro::is_available() {
        return None; // in unit tests
    }
    std::fs::read_to_string(name.span().unwrap().local_file()?).ok()
}

/// What has the name in a module of this text that also has the function or type `beside`.
fn taken_by(text: &str, name: &str, beside: &str) -> Option<String> {
    // Nearly always the name is not taken, and parsing takes long.
    let keywords = ["mod", "struct", "enum", "union", "trait", "type"];
    let possible = keywords.iter().any(|keyword| {
        let item = format!("{keyword} {name}");
        text.match_indices(&item).any(|(at, _)| {
            let next = text[at + item.len()..].chars().next();
            !next.is_some_and(|next| next == '_' || next.is_alphanumeric())
        })
    });
    if !possible {
        return None;
    }
    in_module(&syn::parse_file(text).ok()?.items, name, beside)
}

fn in_module(items: &[Item], name: &str, beside: &str) -> Option<String> {
    let holds_it = items.iter().any(|item| match item {
        Item::Fn(item) => item.sig.ident == beside,
        other => named_type(other).is_some_and(|(_, kind, ident)| kind != "mod" && ident == beside && beside != name),
    });
    let taken = items.iter().filter(|_| holds_it).find_map(|item| {
        let (attributes, kind, ident) = named_type(item)?;
        (ident == name && always_there(attributes)).then(|| format!("`{kind} {name}` of this module"))
    });
    taken.or_else(|| {
        items.iter().find_map(|item| match item {
            Item::Mod(module) => in_module(&module.content.as_ref()?.1, name, beside),
            _ => None,
        })
    })
}

/// The attributes, the keyword and the name of an item whose name is that of a type.
fn named_type(item: &Item) -> Option<(&[Attribute], &'static str, &Ident)> {
    Some(match item {
        Item::Mod(item) => (&item.attrs, "mod", &item.ident),
        Item::Struct(item) => (&item.attrs, "struct", &item.ident),
        Item::Enum(item) => (&item.attrs, "enum", &item.ident),
        Item::Union(item) => (&item.attrs, "union", &item.ident),
        Item::Trait(item) => (&item.attrs, "trait", &item.ident),
        Item::TraitAlias(item) => (&item.attrs, "trait", &item.ident),
        Item::Type(item) => (&item.attrs, "type", &item.ident),
        _ => return None,
    })
}

/// False if the item may be absent from this build.
fn always_there(attributes: &[Attribute]) -> bool {
    !attributes.iter().any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_of_the_same_name_and_module_takes_the_name() {
        let taken = |text: &str| taken_by(text, "solve", "solve");
        for kind in
            ["mod solve {}", "struct solve;", "enum solve {}", "trait solve {}", "type solve = u8;", "mod solve;"]
        {
            let keyword = kind.split(' ').next().unwrap();
            let expected = format!("`{keyword} solve` of this module");
            assert_eq!(taken(&format!("{kind} fn solve() {{}}")).as_deref(), Some(expected.as_str()));
            assert_eq!(taken(&format!("mod a {{ {kind} fn solve() {{}} }}")).as_deref(), Some(expected.as_str()));
            assert_eq!(taken(&format!("#[cfg(x)] {kind} fn solve() {{}}")), None);
            assert_eq!(taken(&format!("mod a {{ {kind} }} fn solve() {{}}")), None);
        }
        assert_eq!(taken("mod solver {} const X: u8 = 0; fn solve() {}"), None);
    }

    #[test]
    fn primitive_type_keeps_its_name() {
        let name: Ident = syn::parse_quote!(u32);
        let message = refuse_taken(&name, &name, "name = x").expect_err("refused").to_string();
        assert_eq!(
            message,
            "this attribute makes a type `u32`, but the primitive type `u32` has that name: write name = x"
        );
    }
}
