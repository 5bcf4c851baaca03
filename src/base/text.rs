//! Texts of users, cut to what the runtime keeps and sends of them.

/// The text, cut at a character to at most `bytes_max` bytes; a mark says how long it was.
pub fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let mark = cut_mark(text.len());
        let kept = (0..=bytes_max.saturating_sub(mark.len())).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(kept.unwrap_or_default());
        text.push_str(&mark);
    }
    text
}

/// A text of a peer as one line of at most `bytes_max` bytes: control characters are escaped.
pub fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars() {
        if line.len() > bytes_max {
            break;
        }
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
    cut(line, bytes_max)
}

/// What stands behind a text of so many bytes that was cut.
pub fn cut_mark(bytes: usize) -> String {
    format!(" ... (cut: {bytes} bytes)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_peer_is_one_line_within_the_bound() {
        assert_eq!(one_line("its link\tfailed", 100), "its link\\tfailed");
        assert_eq!(one_line("\u{1b}[31m\n", 100), "\\u{1b}[31m\\n");
        let long = one_line(&"\n".repeat(1 << 20), 100);
        assert!(long.len() <= 100 && long.contains("cut"), "{long}");
    }

    #[test]
    fn text_at_the_bound_is_kept_and_a_longer_one_is_cut_at_a_character() {
        assert_eq!(cut("x".repeat(100), 100), "x".repeat(100));
        let long = cut("\u{e9}".repeat(51), 100);
        assert_eq!(long, format!("{} ... (cut: 102 bytes)", "\u{e9}".repeat(39)));
        assert!(long.len() <= 100);
    }
}
