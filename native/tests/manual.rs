//! The man pages that `native/manual` writes from the headers.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::find_program;
use launcher::rendezvous::TestFolder;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// What only macros of the headers use.
const INTERNAL: [&str; 4] = ["mobula_catches", "mobula_make_arg", "mobula_register_before_main", "MOBULA_CATCHES"];

fn headers() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(PACKAGE).join("include")).expect("the headers");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "h")).collect()
}

/// The name of the function that a line of a header declares.
fn declared(line: &str) -> Option<&str> {
    let is_code = line.starts_with(|first: char| first.is_ascii_lowercase()) && !line.starts_with("typedef");
    let end = line.find('(').filter(|_| is_code)?;
    Some(&line[line[..end].rfind([' ', '*'])? + 1..end])
}

#[test]
fn every_function_of_the_headers_has_a_page_with_its_declaration() {
    let folder = TestFolder::new("manual");
    let mut command = Command::new("awk");
    command.arg("-f").arg(Path::new(PACKAGE).join("manual")).args(["-v", "version=1.2.3"]);
    command.arg("-v").arg(format!("folder={}", folder.0.display())).args(headers());
    let finished = command.output().expect("awk starts");
    assert!(finished.status.success() && finished.stderr.is_empty(), "{}", String::from_utf8_lossy(&finished.stderr));

    let read = |name: &str| {
        std::fs::read_to_string(folder.0.join(name)).unwrap_or_else(|error| panic!("no page {name}: {error}"))
    };
    let mut functions = 0;
    for header in headers() {
        for line in std::fs::read_to_string(&header).expect("a header").lines() {
            let Some(function) = declared(line) else { continue };
            if INTERNAL.contains(&function) {
                continue;
            }
            let page = read(&format!("{function}.3"));
            let page = page.strip_prefix(".so man3/").map_or(page.clone(), |other| read(other.trim()));
            let declaration = line.trim_start_matches("static inline ").trim_end_matches(" {");
            assert!(page.contains(declaration), "{function} of {}:\n{page}", header.display());
            functions += 1;
        }
    }
    assert!(functions >= 40, "only {functions} functions were found");
    let overview = read("mobula.3");
    assert!(overview.contains("mobula 1.2.3") && overview.contains("Conventions"), "{overview}");

    for name in INTERNAL {
        assert!(!folder.0.join(format!("{name}.3")).exists(), "{name} has a page");
    }
    // A page that stands for another is not itself, nor one that is not there.
    for entry in std::fs::read_dir(&folder.0).expect("a folder of our own") {
        let name = entry.expect("it can be read").file_name().into_string().expect("a name in ASCII");
        let page = read(&name);
        let Some(other) = page.strip_prefix(".so man3/") else { continue };
        assert!(other.trim() != name && !read(other.trim()).starts_with(".so "), "{name}: {page}");
    }

    if let Some(groff) = find_program("groff") {
        for entry in std::fs::read_dir(&folder.0).expect("a folder of our own") {
            let page = entry.expect("it can be read").path();
            let text = std::fs::read_to_string(&page).expect("a page");
            let checked = Command::new(&groff).args(["-man", "-ww", "-z", "-Tascii"]).arg(&page).output();
            let warnings = checked.expect("groff starts").stderr;
            let is_clean = warnings.is_empty() || text.starts_with(".so ");
            assert!(is_clean, "{}: {}", page.display(), String::from_utf8_lossy(&warnings));
        }
    }
}
