//! The folder for arrays that do not fit into the store.

use super::Config;
use std::fmt;
use std::path::{Path, PathBuf};

/// The folder for spilled arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpillFolder {
    /// The job's local disk, as the system's own variables name it.
    JobDisk,
    /// This one.
    At(PathBuf),
    /// None: they stay in memory.
    Off,
}

/// Variables that name the job's local disk, best first.
const VARIABLES: [&str; 2] = ["SLURM_TMPDIR", "TMPDIR"];

impl SpillFolder {
    /// The folder of that path, or `off`.
    pub(super) fn named(path: PathBuf) -> SpillFolder {
        if path == Path::new("off") { SpillFolder::Off } else { SpillFolder::At(path) }
    }

    /// False for a relative path: ranks may have different working directories.
    pub(super) fn is_valid(&self) -> bool {
        !matches!(self, SpillFolder::At(path) if path.is_relative())
    }

    fn path(&self) -> Option<PathBuf> {
        match self {
            SpillFolder::Off => None,
            SpillFolder::At(path) => Some(path.clone()),
            SpillFolder::JobDisk => {
                let named = VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from);
                let folder = named.into_iter().find(|path| path.is_absolute());
                Some(folder.unwrap_or_else(|| PathBuf::from("/tmp")))
            }
        }
    }
}

impl fmt::Display for SpillFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => path.display().fmt(formatter),
            None => formatter.write_str("off"),
        }
    }
}

impl Config {
    /// The folder for arrays that do not fit into the store, if spilling is allowed.
    pub(crate) fn spill_base(&self) -> Option<PathBuf> {
        self.spill.path()
    }

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
        assert_eq!((SpillFolder::Off.path(), SpillFolder::Off.to_string()), (None, "off".to_string()));
        assert!(SpillFolder::JobDisk.path().is_some_and(|path| path.is_absolute()));
    }
}
