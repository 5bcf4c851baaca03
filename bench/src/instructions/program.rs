//! Building the counted programs.

use crate::failure::{Failure, Result};
use crate::peers;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A program whose paths are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// In Rust.
    Rust,
    /// In Rust, with a part in C.
    WithC,
}

impl Program {
    /// The folder of its source.
    fn folder(self) -> &'static str {
        match self {
            Program::Rust => "measured",
            Program::WithC => "measured-native",
        }
    }
}

/// How the program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    /// As `cargo build --release` builds a user's crate: no link-time optimization, 16 codegen units.
    Default,
    /// With what this project's own profile sets.
    ThinLto,
}

impl fmt::Display for Build {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Build::Default => "default",
            Build::ThinLto => "thin LTO",
        })
    }
}

impl Build {
    /// Cargo's variables for it.
    fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Build::Default => &[],
            Build::ThinLto => &[("CARGO_PROFILE_RELEASE_LTO", "thin"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "4")],
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Build::Default => "measured",
            Build::ThinLto => "measured-thin-lto",
        }
    }
}

/// The program, which is built unless this process has done so.
///
/// # Errors
/// `Failure::Program` with the compiler's first error, `Failure::File` if its folder cannot be written.
pub fn built(program: Program, build: Build) -> Result<PathBuf> {
    static BUILT: Mutex<BTreeMap<(Program, Build), Result<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry((program, build)).or_insert_with(|| compile(program, build)).clone()
}

/// The folder of this crate, with which the program and its lock file are.
fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn compile(program: Program, build: Build) -> Result<PathBuf> {
    let target = peers::folder()?.join(build.folder());
    let package = source().join(program.folder());
    // The versions that this project is tested with: else a new one of a dependency's would change the counts.
    let lock = package.join("Cargo.lock");
    fs::copy(source().join("../Cargo.lock"), &lock)
        .map_err(|error| Failure::File { path: lock, reason: error.to_string() })?;
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What someone set for other builds must not change this one.
    let of_builds = |name: &str| name.starts_with("CARGO_PROFILE_") || name.ends_with("RUSTFLAGS");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_builds)) {
        command.env_remove(name);
    }
    command.envs(build.environment().iter().copied());
    command.args(["build", "--release", "--quiet", "--manifest-path"]).arg(package.join("Cargo.toml"));
    command.arg("--target-dir").arg(&target);
    peers::output(&mut command)?;
    Ok(target.join(format!("release/mobula-{}", program.folder())))
}

/// The versions of what the counts depend on: the compiler and valgrind.
pub fn tools() -> String {
    let version = |program: String| {
        let text = peers::output(Command::new(program).arg("--version")).unwrap_or_default();
        text.trim().to_string()
    };
    format!("{}, {}", version("rustc".to_string()), version(peers::valgrind()))
}
