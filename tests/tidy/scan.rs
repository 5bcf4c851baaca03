//! Just enough of Rust's lexical rules to find names and unsafe blocks in a source, and to pass over text and comments.

/// Lines between an unsafe block and the `SAFETY:` comment above it, at most.
const SAFETY_LINES_MAX: usize = 8;

/// Lines (from 1) of unsafe blocks and impls that no `SAFETY:` stands above.
pub fn unexplained<'a>(text: &'a str, code: &'a str) -> impl Iterator<Item = usize> + 'a {
    let lines: Vec<&str> = text.lines().collect();
    unsafes(code, &["{", "impl"]).filter(move |line| {
        let above = &lines[line.saturating_sub(1 + SAFETY_LINES_MAX)..*line];
        !above.iter().any(|line| line.contains("SAFETY:"))
    })
}

/// Lines of each `unsafe` that one of `openings` follows.
pub fn unsafes<'a>(code: &'a str, openings: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    let follows = |end: usize| openings.iter().any(|opening| code[end..].trim_start().starts_with(opening));
    let found = words(code).filter(move |(start, word)| *word == "unsafe" && follows(start + word.len()));
    found.map(|(start, _)| line_of(code, start))
}

/// What follows `crate::` in code, each with its line; the first name of each branch of a group.
pub fn roots_named(code: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (start, word) in words(code) {
        let after = code[start + word.len()..].trim_start();
        if word != "crate" || code[..start].ends_with('$') || !after.starts_with("::") {
            continue;
        }
        let path = after[2..].trim_start();
        let line = line_of(code, start);
        match path.strip_prefix('{') {
            Some(group) => names.extend(branches(group).into_iter().map(|name| (line, name))),
            None => names.extend(words(path).next().map(|(_, name)| (line, name.to_string()))),
        }
    }
    names
}

/// Types that code defines at the top of a file.
pub fn type_names(code: &str) -> Vec<String> {
    let at_the_margin = code.lines().filter(|line| line.starts_with(char::is_alphabetic));
    let defined = at_the_margin.filter_map(|line| {
        let mut words = words(line)
            .map(|(_, word)| word)
            .skip_while(|word| ["pub", "crate", "super", "in", "unsafe"].contains(word));
        matches!(words.next(), Some("struct" | "enum" | "trait" | "union" | "type")).then(|| words.next()).flatten()
    });
    defined.map(str::to_string).collect()
}

/// The first name of each branch of a `use` group, given what follows its opening brace.
fn branches(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut expects) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            _ if expects && is_word(letter) => {
                names.extend(words(&group[at..]).next().map(|(_, name)| name.to_string()));
                expects = false;
            }
            _ => {}
        }
    }
    names
}

fn is_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// Identifiers and keywords, each with where it starts.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let parts = code.split(|letter| !is_word(letter)).filter(|word| !word.is_empty());
    parts.map(move |word| (word.as_ptr() as usize - code.as_ptr() as usize, word))
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The code alone: comments and literals blanked, every line kept in its place.
pub fn blanked(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (skipped, kept) = match literal_or_comment(rest, code.chars().last()) {
            0 => (first.len_utf8(), true),
            length => (length, false),
        };
        let text = &rest[..skipped];
        code.extend(text.chars().map(|letter| if kept || letter == '\n' { letter } else { ' ' }));
        rest = &rest[skipped..];
    }
    code
}

/// Bytes of the comment or literal that `rest` begins with; 0 where it begins with neither.
fn literal_or_comment(rest: &str, before: Option<char>) -> usize {
    let to = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return to(rest.find('\n'));
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    // A quote opens a letter ('x', '\n') or names a lifetime ('a).
    if rest.starts_with('\'') {
        let mut letters = rest.chars().skip(1);
        let (first, second) = (letters.next(), letters.next());
        return if first == Some('\\') || second == Some('\'') { quoted(rest, '\'') } else { 0 };
    }
    let raw = rest.strip_prefix('r').filter(|_| !before.is_some_and(|letter| is_word(letter) && letter != 'b'));
    let Some(raw) = raw else { return 0 };
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    if !raw[hashes..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let body = 1 + hashes + 1;
    to(rest[body..].find(&close).map(|end| body + end + close.len()))
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest[at..];
        let step = match here {
            _ if here.starts_with("/*") => (1, 2),
            _ if here.starts_with("*/") => (-1, 2),
            _ => (0, here.chars().next().map_or(1, char::len_utf8)),
        };
        (depth, at) = (depth + step.0, at + step.1);
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanning_a_source_finds_names_and_skips_text() {
        let source = r##"
            use crate::{memory::Block, scheduling, base::{Error, ids}}; // crate::comment
            fn f<'a>(x: &'a str) { "crate::text"; r#"crate::"raw""#; '"'; crate :: runtime::go(); $crate::api::x() }
            /* crate::block /* nested */ crate::still */ unsafe { }
        "##;
        let code = blanked(source);
        let names: Vec<String> = roots_named(&code).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["memory", "scheduling", "base", "runtime"]);
        assert_eq!(code.lines().count(), source.lines().count());
        assert_eq!(unexplained(source, &code).collect::<Vec<_>>(), [4]);
        let explained = "// SAFETY: nothing happens\nunsafe { }";
        assert_eq!(unexplained(explained, &blanked(explained)).count(), 0);
    }
}
