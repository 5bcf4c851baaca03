//! Tells the harness from which revision it is built.

#[path = "src/commit.rs"]
mod commit;

use std::path::Path;
use std::process::Command;

fn main() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-env=MOBULA_BENCH_COMMIT={}", commit::of(&crate_folder.join("..")));
    for path in ["../src", "src", "peers", "measured", "build.rs", "Cargo.toml", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    // What changes with a commit, a checkout, a reset. Outside of a repository there is nothing to watch.
    for name in ["HEAD", "index", "logs/HEAD"] {
        let output = Command::new("git").args(["rev-parse", "--git-path", name]).current_dir(crate_folder).output();
        let Ok(output) = output else { continue };
        let file = String::from_utf8_lossy(&output.stdout).trim().to_string();
        if output.status.success() && crate_folder.join(&file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
}
