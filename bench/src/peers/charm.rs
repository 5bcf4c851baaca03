//! The peers in Charm++, where `CHARM_ROOT` names a build of it: Converse's messages, and entry methods. `charmc`
//! builds them and `charmrun` starts them, as two processes of this host.

use super::{
    CORES, INSTALL_MPI, LAUNCHER_SETTINGS, LAUNCHER_VARIABLES, built_once, folder, installation, number, on_one_host,
    printed, without,
};
use crate::cpus;
use crate::failure::{Failure, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program of `bench/peers`.
pub struct Program {
    name: &'static str,
    /// As `charmc` names it.
    language: &'static str,
    text: &'static str,
    /// The declarations that `charmc` generates code from.
    interface: Option<&'static str>,
}

/// Messages to handlers.
pub const CONVERSE: Program =
    Program { name: "converse", language: "converse++", text: include_str!("../../peers/converse.C"), interface: None };

/// Calls of entry methods of a group.
pub const ENTRY_METHODS: Program = Program {
    name: "entry",
    language: "charm++",
    text: include_str!("../../peers/entry.C"),
    interface: Some(include_str!("../../peers/entry.ci")),
};

impl Program {
    /// Microseconds of a round trip of eight bytes.
    ///
    /// # Errors
    /// `Failure::Usage` without an installation, `Failure::Program` where the peer cannot be built or run.
    pub fn round_trip_us(&self, rounds: u32) -> Result<f64> {
        self.run("roundtrip", rounds)
    }

    /// Millions of requests of eight bytes a second, with responses of as many, in batches of 10,000.
    ///
    /// # Errors
    /// As `round_trip_us`.
    pub fn requests_a_us(&self, batches: u32) -> Result<f64> {
        self.run("requests", batches)
    }

    fn run(&self, mode: &str, count: u32) -> Result<f64> {
        on_one_host(self.name)?;
        let root = installation("CHARM_ROOT", env::var_os("CHARM_ROOT"))?;
        let peer = built_once(self.name, || self.build(&root))?;
        let charmrun = tool(&root, "charmrun");
        let mut command = without(LAUNCHER_VARIABLES, &charmrun);
        command.envs(LAUNCHER_SETTINGS.iter().copied());
        // With `++quiet` a program of Converse prints nothing at all.
        command.args(["+p2", "++local"]).arg(&peer).args([mode, &count.to_string()]);
        let output = cpus::on_all(|| command.stdin(Stdio::null()).output());
        let output = output.map_err(|error| failed(&charmrun, &format!("{error}; {INSTALL_MPI}")))?;
        number(self.name, last_number(&printed(&charmrun, &output)?))
    }

    /// Builds it in a folder of its own, for what `charmc` writes beside it, and moves it beside this program.
    fn build(&self, root: &Path) -> Result<PathBuf> {
        let built = folder()?.join(self.name);
        let work = built.with_extension(format!("{}.charmc", std::process::id()));
        let outcome = self.build_in(root, &work, &built);
        // The folder is this process's own; one that stays costs a few files.
        let _ = fs::remove_dir_all(&work);
        outcome.map(|()| built)
    }

    fn build_in(&self, root: &Path, work: &Path, built: &Path) -> Result<()> {
        let fail = |error: std::io::Error| Failure::File { path: work.to_path_buf(), reason: error.to_string() };
        fs::create_dir_all(work).map_err(fail)?;
        let (source, interface) = (format!("{}.C", self.name), format!("{}.ci", self.name));
        fs::write(work.join(&source), [CORES, self.text].join("\n")).map_err(fail)?;
        if let Some(text) = self.interface {
            fs::write(work.join(&interface), text).map_err(fail)?;
            charmc(root, work, &[&interface])?;
        }
        charmc(root, work, &["-O3", "-language", self.language, &source, "-o", self.name])?;
        fs::rename(work.join(self.name), built).map_err(fail)
    }
}

/// Runs `charmc` in a folder.
fn charmc(root: &Path, work: &Path, arguments: &[&str]) -> Result<()> {
    let charmc = tool(root, "charmc");
    let output = Command::new(&charmc).args(arguments).current_dir(work).stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| failed(&charmc, &format!("{error}; CHARM_ROOT is to name a build of Charm++")))?;
    printed(&charmc, &output).map(|_| ())
}

fn tool(root: &Path, name: &str) -> String {
    root.join("bin").join(name).to_string_lossy().into_owned()
}

fn failed(program: &str, reason: &str) -> Failure {
    Failure::Program { program: program.to_string(), reason: reason.to_string() }
}

/// The last line that is a number, else all of it: `charmrun`, and Charm++ at its start and end, may print lines of
/// their own.
fn last_number(text: &str) -> &str {
    text.lines().rev().find(|line| line.trim().parse::<f64>().is_ok()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_among_lines_of_the_launcher() {
        let text =
            "\nRunning as 2 OS processes: ./entry\nConverse/Charm++ Commit ID: v8\n1.234000\n[0] End of program\n";
        assert_eq!(last_number(text), "1.234000");
        assert_eq!(last_number("no number\n"), "no number\n");
    }

    #[test]
    fn a_variable_that_names_no_build_says_so() {
        let failure = CONVERSE.build(Path::new("/no/charm")).unwrap_err().to_string();
        assert!(failure.contains("/no/charm/bin/charmc") && failure.contains("CHARM_ROOT"), "{failure}");
    }
}
