//! The folder for arrays that do not fit into the store.

use super::Config;
use std::fmt;
use std::path::{Path, PathBuf};

/// The folder for spilled arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpillFolder {
    /// The first usable one of those that the system's own variables and customs name.
    JobDisk,
    /// This one.
    At(PathBuf),
    /// None: they stay in memory.
    Off,
}

/// Variables that name the job's local disk, best first.
const VARIABLES: [&str; 2] = ["SLURM_TMPDIR", "TMPDIR"];

/// Folders that every system has, best first; the second is on a disk where the first is in memory.
const FOLDERS: [&str; 2] = ["/tmp", "/var/tmp"];

impl SpillFolder {
    /// The folder of that path, or `off`.
    pub(super) fn named(path: PathBuf) -> SpillFolder {
        if path == Path::new("off") { SpillFolder::Off } else { SpillFolder::At(path) }
    }

    /// False for a relative path: ranks may have different working directories.
    pub(super) fn is_valid(&self) -> bool {
        !matches!(self, SpillFolder::At(path) if path.is_relative())
    }

    /// The folders that may be used unasked, best first.
    pub fn candidates() -> Vec<PathBuf> {
        let named = VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from);
        let mut all: Vec<PathBuf> = Vec::new();
        for folder in named.chain(FOLDERS.map(PathBuf::from)) {
            if folder.is_absolute() && !all.contains(&folder) {
                all.push(folder);
            }
        }
        all
    }
}

impl fmt::Display for SpillFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpillFolder::Off => formatter.write_str("off"),
            SpillFolder::At(path) => path.display().fmt(formatter),
            SpillFolder::JobDisk => {
                let all: Vec<String> =
                    SpillFolder::candidates().iter().map(|folder| folder.display().to_string()).collect();
                write!(formatter, "the first usable of {}", all.join(", "))
            }
        }
    }
}

impl Config {
    /// The job's part of names on disk.
    pub(crate) fn job_label(&self) -> String {
        let job = std::env::var("SLURM_JOB_ID").unwrap_or_default();
        let plain = !job.is_empty() && job.chars().all(|letter| letter.is_ascii_alphanumeric());
        if plain { job } else { "0".to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spill_folder_is_absolute_or_off() {
        assert_eq!(SpillFolder::named("/local".into()), SpillFolder::At("/local".into()));
        assert_eq!(SpillFolder::named("off".into()), SpillFolder::Off);
        assert!(SpillFolder::Off.is_valid() && SpillFolder::named("/local".into()).is_valid());
        assert!(["local", ""].iter().all(|path| !SpillFolder::named(path.into()).is_valid()));
        assert_eq!(SpillFolder::Off.to_string(), "off");
        let candidates = SpillFolder::candidates();
        assert!(candidates.iter().all(|path| path.is_absolute()), "{candidates:?}");
        assert!(candidates.contains(&"/tmp".into()) && candidates.contains(&"/var/tmp".into()), "{candidates:?}");
    }
}
