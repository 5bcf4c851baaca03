//! Words: private metaphors stay out of the code, the documents and what users read; an invariant has one name; two
//! types of different modules have two names; a line of source fits the page.

use crate::scan::{blanked, type_names};
use crate::{code_of, root, shown, sources};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Parts of identifiers, and words in comments, texts and documents, that this project once gave a meaning of its own.
/// Each has a term of the field instead; `docs/design.md` lists those under "Terms".
const BANNED: &[&str] = &[
    "bearer",
    "bereft",
    "consoled",
    "detour",
    "detours",
    "distrust",
    "doomed",
    "errand",
    "gravity",
    "heed",
    "heeds",
    "herald",
    "knock",
    "latch",
    "loot",
    "mourn",
    "mourned",
    "mourning",
    "oracle",
    "orphaned",
    "parcel",
    "parcels",
    "road",
    "roads",
    "roomless",
    "salvage",
    "sentry",
    "stillborn",
    "unbegun",
    "untold",
    "verdict",
    "verdicts",
    "vigil",
    "wander",
    "whereabouts",
];

/// Parts of identifiers that are ordinary English in a sentence and were private terms as names.
const BANNED_NAMES: &[&str] = &[
    "afar", "agenda", "away", "bury", "deed", "errands", "feat", "heard", "home", "hungry", "keeper", "made", "mate",
    "nudge", "parting", "room", "said", "say", "seat", "seats", "starved", "thieving", "told", "unwanted", "whom",
];

/// Types of one name in several modules that are one idea.
const SHARED_TYPE_NAMES: &[&str] = &[
    "Error",   // a crate's or module's own error
    "Options", // the arguments of one command, the options of one macro
    "Result",  // of a module's own error
];

/// Columns of a line, at most; rustfmt's width.
const LINE_COLUMNS_MAX: usize = 120;

#[test]
fn private_metaphors_stay_out_of_names_texts_and_documents() {
    let mut faults = Vec::new();
    for file in rust_sources() {
        let (text, code) = (fs::read_to_string(&file).unwrap(), code_of(&file));
        let prose = text.lines().zip(code.lines()).map(|(line, code)| prose_of(line, code));
        for (number, (code, prose)) in code.lines().zip(prose).enumerate() {
            let names = parts(code).filter(|part| BANNED.contains(&&**part) || BANNED_NAMES.contains(&&**part));
            let words = parts(&prose).filter(|part| BANNED.contains(&&**part));
            let mut found: Vec<String> = names.chain(words).collect();
            found.dedup();
            faults.extend(found.iter().map(|word| format!("{}:{}: {word}", shown(&file), number + 1)));
        }
    }
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        // The tables of CHANGELOG.md show the former names of what was renamed.
        let names_the_past = |line: &str| file.ends_with("CHANGELOG.md") && line.starts_with('|');
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !names_the_past(line)) {
            let words = parts(line).filter(|part| BANNED.contains(&&**part));
            faults.extend(words.map(|word| format!("{}:{}: {word}", shown(&file), number + 1)));
        }
    }
    crate::report(faults);
}

#[test]
fn each_invariant_carries_the_name_of_its_module_and_is_defined_once() {
    let (mut defined, mut cited, mut faults) = (BTreeMap::<String, String>::new(), Vec::new(), Vec::new());
    for file in sources(&root().join("src")) {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let at = format!("{}:{}", shown(&file), number + 1);
            let definition = line.trim_start().strip_prefix("//! - ").and_then(|item| item.split_once(':'));
            if let Some((name, _)) = definition.filter(|(name, _)| is_invariant(name) || is_bare_invariant(name)) {
                if is_bare_invariant(name) {
                    faults.push(format!("{at}: {name} does not carry its module's name"));
                }
                if let Some(first) = defined.insert(name.to_string(), at.clone()) {
                    faults.push(format!("{at}: {name} is defined at {first} too"));
                }
            }
            let citations = line.split(['(', ')', ',', ' ', '"', ';', ':']).filter(|word| is_invariant(word));
            cited.extend(citations.map(|name| (name.to_string(), at.clone())));
        }
    }
    let unknown = cited.iter().filter(|(name, _)| !defined.contains_key(name));
    faults.extend(unknown.map(|(name, at)| format!("{at}: {name} is defined nowhere")));
    crate::report(faults);
}

#[test]
fn types_of_different_modules_have_different_names() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for file in sources(&root().join("src")).iter().filter(|file| !is_test(file)) {
        for name in type_names(&without_tests(&fs::read_to_string(file).unwrap())) {
            places.entry(name).or_default().push(shown(file));
        }
    }
    let twice = places.iter().filter(|(name, files)| files.len() > 1 && !SHARED_TYPE_NAMES.contains(&name.as_str()));
    crate::report(twice.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect());
}

#[test]
fn lines_of_source_fit_the_page() {
    let mut faults = Vec::new();
    for file in rust_sources() {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let columns = line.chars().count();
            if columns > LINE_COLUMNS_MAX {
                faults.push(format!("{}:{}: {columns} columns", shown(&file), number + 1));
            }
        }
    }
    crate::report(faults);
}

/// Every Rust source but this file, whose lists hold the words themselves.
fn rust_sources() -> impl Iterator<Item = PathBuf> {
    let folders = ["src", "native", "bench", "tests", "examples"].into_iter();
    folders.flat_map(|folder| sources(&root().join(folder))).filter(|file| !file.ends_with("tests/tidy/words.rs"))
}

fn documents() -> Vec<PathBuf> {
    let root = root();
    let top = crate::entries(&root).into_iter();
    let below = ["docs", "docs/guide"].into_iter().flat_map(move |folder| crate::entries(&root.join(folder)));
    top.chain(below).filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// What of a line is comment or text: the line with its code blanked.
fn prose_of(line: &str, code: &str) -> String {
    line.chars()
        .zip(code.chars().chain(std::iter::repeat(' ')))
        .map(|(all, code)| if all == code { ' ' } else { all })
        .collect()
}

/// The parts of the identifiers and words in `text`, in lower case: `ActorHome` and `actor_home` are `actor` and
/// `home`.
fn parts(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphabetic())
        .filter(|word| !word.is_empty())
        .flat_map(humps)
        .map(|part| part.to_lowercase())
}

/// Splits before each capital that follows a small letter.
fn humps(word: &str) -> Vec<&str> {
    let mut starts = vec![0];
    let mut small = false;
    for (at, letter) in word.char_indices() {
        if small && letter.is_uppercase() {
            starts.push(at);
        }
        small = letter.is_lowercase();
    }
    starts.push(word.len());
    starts.windows(2).map(|pair| &word[pair[0]..pair[1]]).collect()
}

/// `RING-1`.
fn is_invariant(word: &str) -> bool {
    let Some((name, number)) = word.rsplit_once('-') else { return false };
    let is_name = name.len() > 2 && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '-');
    is_name
        && !number.is_empty()
        && number.len() < 3
        && number.chars().all(|digit| digit.is_ascii_digit())
        && name != "MPI"
        && name != "SHA"
}

/// `R1`.
fn is_bare_invariant(word: &str) -> bool {
    let digits = word.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
    word.len() - digits.len() == 1 && !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
}

fn is_test(file: &Path) -> bool {
    let name = shown(file);
    ["/tests/", "/loom", "tests.rs", "/conformance"].iter().any(|part| name.contains(part))
}

fn without_tests(text: &str) -> String {
    blanked(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text))
}

#[test]
fn names_split_into_their_parts() {
    assert_eq!(
        parts("fn heard_below(home: ActorHome2)").collect::<Vec<_>>(),
        ["fn", "heard", "below", "home", "actor", "home"]
    );
    assert!(is_invariant("RING-1") && !is_invariant("MPI-3") && !is_invariant("1-2"));
    assert!(is_bare_invariant("R1") && !is_bare_invariant("RING-1"));
}
