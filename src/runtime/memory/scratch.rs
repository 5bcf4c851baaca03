//! A folder of this process on the job's local disk. The process removes it at its end; if it was killed, the next
//! process of the user that sweeps removes it.
//!
//! ```text
//!   <base>/mobula-spill-<uid>-<job>-<pid>/    0700
//!       lock                                  0600, locked while its process lives: the system unlocks it at its death
//!       1, 2, ..                              0600, blocks
//! ```
//! The lock, and not the process's number, tells if the process lives: numbers are used again. A process that creates a
//! folder locks it and then checks that it is still there; a process that sweeps removes only folders that it could
//! lock. So if a folder is swept while it is being created, its creator notices, and creates another.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const PREFIX: &str = "mobula-spill";
const LOCK: &str = "lock";

/// Folders that a process tries to create before it gives up: each was swept, or was left by a process of the same
/// number.
const TRIES: u32 = 16;

/// The folder; removed on drop.
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Creates the folder under `base`. `job` tells the user to which job it belongs.
    ///
    /// # Errors
    /// The system's.
    pub fn make(base: &Path, job: &str) -> io::Result<Scratch> {
        let process = std::process::id();
        let mut last = None;
        for attempt in 0..TRIES {
            let name = match attempt {
                0 => format!("{PREFIX}-{}-{job}-{process}", own_uid()),
                attempt => format!("{PREFIX}-{}-{job}-{process}-{attempt}", own_uid()),
            };
            match Scratch::make_at(base.join(name)) {
                Ok(scratch) => return Ok(scratch),
                Err(error) => match error.kind() {
                    io::ErrorKind::AlreadyExists | io::ErrorKind::WouldBlock => last = Some(error),
                    // Swept between two steps, unless the base itself does not exist.
                    io::ErrorKind::NotFound if base.is_dir() => last = Some(error),
                    _ => return Err(error),
                },
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("no folder could be created")))
    }

    fn make_at(path: PathBuf) -> io::Result<Scratch> {
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock = private_file(&path.join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        if fs::metadata(path.join(LOCK))?.ino() != lock.metadata()?.ino() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Scratch { path, _lock: lock })
    }

    /// Creates a file in it.
    ///
    /// # Errors
    /// The system's.
    pub fn file(&self, number: u64) -> io::Result<(PathBuf, File)> {
        let path = self.path.join(number.to_string());
        private_file(&path).map(|file| (path, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If it cannot be removed now, the next process of this user removes it at its start.
        let _ = remove(&self.path);
    }
}

/// Removes what processes of this user left under `base` when they were killed; returns how many folders.
pub fn sweep(base: &Path) -> usize {
    let Ok(entries) = fs::read_dir(base) else { return 0 };
    let uid = own_uid();
    let own = format!("{PREFIX}-{uid}-");
    let left = |entry: &fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(&own))
            && fs::symlink_metadata(entry.path()).is_ok_and(|found| found.is_dir() && found.uid() == uid)
    };
    entries.flatten().filter(left).filter(|entry| remove_dead(&entry.path())).count()
}

fn remove_dead(path: &Path) -> bool {
    let lock = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path.join(LOCK));
    match lock {
        Ok(lock) => lock.try_lock().is_ok() && remove(path).is_ok(),
        // Killed before it created the lock: then the folder is empty; if it is not, it stays.
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir(path).is_ok(),
        Err(_) => false,
    }
}

/// Removes a folder, the lock last: if the process is killed meanwhile, the next one can remove what is left.
fn remove(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() != LOCK {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(path.join(LOCK))?;
    fs::remove_dir(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Base(PathBuf);

    impl Base {
        fn new(name: &str) -> Base {
            let path = std::env::temp_dir().join(format!("mobula-scratch-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Base(path)
        }
        fn folders(&self) -> usize {
            fs::read_dir(&self.0).unwrap().count()
        }
    }

    impl Drop for Base {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn folder_is_private_and_dropping_it_removes_it() {
        let base = Base::new("private");
        let scratch = Scratch::make(&base.0, "7").unwrap();
        let (path, _file) = scratch.file(1).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert!(path.parent().unwrap().to_str().unwrap().ends_with(&format!("-7-{}", std::process::id())));
        assert_eq!(sweep(&base.0), 0, "its process lives");
        drop(scratch);
        assert_eq!(base.folders(), 0);
    }

    #[test]
    fn interrupted_removal_is_completed_by_next_sweep() {
        let base = Base::new("short");
        let scratch = Scratch::make(&base.0, "7").unwrap();
        // An entry that is no file stops it half way; the lock is still there then.
        scratch.file(1).unwrap();
        fs::create_dir(scratch.path.join("2")).unwrap();
        let path = scratch.path.clone();
        drop(scratch);
        assert!(path.join(LOCK).exists());
        fs::remove_dir(path.join("2")).unwrap();
        assert_eq!((sweep(&base.0), base.folders()), (1, 0));
    }

    #[test]
    fn sweep_removes_folders_of_killed_processes_only() {
        let base = Base::new("swept");
        let live = Scratch::make(&base.0, "7").unwrap();
        let dead = Scratch::make(&base.0, "7").unwrap();
        dead.file(1).unwrap();
        // The system unlocks the file of a process that was killed.
        let Scratch { path, _lock } = &dead;
        _lock.unlock().unwrap();
        let unfinished = base.0.join(format!("{PREFIX}-{}-7-1", own_uid()));
        fs::create_dir(&unfinished).unwrap();
        let unrelated = base.0.join("mobula-spill-x");
        fs::create_dir(&unrelated).unwrap();
        std::os::unix::fs::symlink(&unrelated, base.0.join(format!("{PREFIX}-{}-7-2", own_uid()))).unwrap();
        assert_eq!(sweep(&base.0), 2);
        assert!(!path.exists() && !unfinished.exists() && unrelated.exists() && live.path.exists());
    }

    #[test]
    fn missing_or_unwritable_base_returns_error() {
        let base = Base::new("absent");
        assert_eq!(Scratch::make(&base.0.join("no"), "7").err().unwrap().kind(), io::ErrorKind::NotFound);
        fs::write(base.0.join("file"), "").unwrap();
        assert!(Scratch::make(&base.0.join("file"), "7").is_err());
        assert_eq!(sweep(&base.0.join("no")), 0);
    }
}
