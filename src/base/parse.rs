//! Values of settings, from text and as text.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

/// True if a number can be an amount of a resource.
pub(crate) fn is_amount(amount: f64) -> bool {
    (0.0..=1e9).contains(&amount)
}

/// True if a number can be an amount of memory, in bytes: like all amounts it is counted in ten-thousandths.
pub(crate) fn is_memory(bytes: f64) -> bool {
    (0.0..=8e14).contains(&bytes)
}

/// Bytes with an optional binary suffix K, M, G or T (`KiB`, `MB` and the like are taken as the same).
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    let number: f64 = digits.trim().parse().ok()?;
    let bytes = number * (1u64 << shift) as f64;
    (bytes.is_finite() && bytes >= 0.0 && bytes < 2f64.powi(62)).then_some(bytes as u64)
}

/// A setting that is chosen at the start where it is not set.
pub(crate) fn auto<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| "auto".to_string(), T::to_string)
}

/// The name of an enum's variant.
pub(crate) fn lower_case<T: Debug>(value: &T) -> String {
    format!("{value:?}").to_lowercase()
}

/// A number of any type.
pub(crate) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// Whole seconds.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    number(text).map(Duration::from_secs)
}

/// Whole seconds.
pub(crate) fn show_seconds(duration: &Duration) -> String {
    duration.as_secs().to_string()
}

/// `Custom=2,Licence=0.5`, in addition to what the program named.
pub(crate) fn parse_resources(named: &BTreeMap<String, f64>, text: &str) -> Option<BTreeMap<String, f64>> {
    let mut resources = named.clone();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (name, amount) = pair.split_once('=')?;
        resources.insert(name.trim().to_string(), number(amount.trim())?);
    }
    Some(resources)
}

/// As `parse_resources` takes them.
pub(crate) fn show_resources(resources: &BTreeMap<String, f64>) -> String {
    let pairs: Vec<String> = resources.iter().map(|(name, amount)| format!("{name}={amount}")).collect();
    if pairs.is_empty() { "none".to_string() } else { pairs.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_with_binary_suffix_are_parsed() {
        assert_eq!(bytes("4G"), Some(4 << 30));
        assert_eq!(bytes("1.5KiB"), Some(1536));
        assert_eq!(bytes("12"), Some(12));
        assert_eq!(bytes("4X"), None);
        assert_eq!(bytes("-1"), None);
    }
}
