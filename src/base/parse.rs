//! Values of settings, from text.

/// An amount of something: a number from 0 to a thousand million.
pub(crate) fn amount(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|amount| is_amount(*amount))
}

/// True if a number can be an amount of a resource.
pub(crate) fn is_amount(amount: f64) -> bool {
    (0.0..=1e9).contains(&amount)
}

/// True if a number can be an amount of memory, in bytes: like all amounts it is counted in ten-thousandths.
pub(crate) fn is_memory(bytes: f64) -> bool {
    (0.0..=8e14).contains(&bytes)
}

/// A whole number within bounds.
pub(crate) fn whole(text: &str, least: u64, most: u64) -> Option<u64> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
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
