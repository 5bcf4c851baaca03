//! The revision of a folder of sources: of this crate's when it is built (`build.rs`), and of what a suite builds.

use std::path::Path;
use std::process::Command;

/// What programs are built from, in the folder of the project; documents and results do not change them.
const SOURCES: &[&str] = &["src", "bench", "Cargo.toml", "Cargo.lock", ":(exclude)bench/results"];

/// The commit, with `-dirty` where sources differ from it; `unknown` outside of a repository.
pub fn of(project: &Path) -> String {
    // Without optional locks it does not write the index, which would make Cargo run the build script again.
    let git = |words: &[&str]| {
        let output = Command::new("git").arg("--no-optional-locks").args(words).current_dir(project).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_string() };
    let changed = git(&[&["status", "--porcelain", "--"], SOURCES].concat());
    if changed.is_none_or(|changed| !changed.is_empty()) { format!("{commit}-dirty") } else { commit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn changed_sources_are_dirty_and_changed_documents_are_not() {
        let folder = std::env::temp_dir().join(format!("mobula-bench-commit-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(folder.join("bench/results")).unwrap();
        let git = |words: &[&str]| {
            let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
            let status = Command::new("git").args(identity).args(words).current_dir(&folder).status();
            assert!(status.unwrap().success(), "{words:?}");
        };
        git(&["init", "-q"]);
        fs::write(folder.join("src/lib.rs"), "1").unwrap();
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "first"]);
        let clean = of(&folder);
        assert!(clean.len() == 12 && clean.bytes().all(|byte| byte.is_ascii_hexdigit()), "{clean}");
        fs::write(folder.join("README.md"), "2").unwrap();
        fs::write(folder.join("bench/results/new.json"), "2").unwrap();
        assert_eq!(of(&folder), clean);
        fs::write(folder.join("src/lib.rs"), "2").unwrap();
        assert_eq!(of(&folder), format!("{clean}-dirty"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn outside_of_a_repository_it_is_unknown() {
        assert_eq!(of(Path::new("/proc")), "unknown");
    }
}
