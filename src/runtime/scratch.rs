//! A folder of this process on the job's local disk, gone when the process is: by itself at the end, and where it was killed
//! by the next process of the user that looks.
//!
//! ```text
//!   <base>/mobula-spill-<uid>-<job>-<pid>/    0700
//!       lock                                  0600, locked while its process lives: the system lets go of it at its death
//!       1, 2, ..                              0600, blocks
//! ```
//! A lock, and not the process's number, says who lives: numbers are given again. Who makes a folder locks it and then looks
//! whether it is still there; who sweeps removes only what it could lock. So of a folder that is just being made and is swept
//! at that moment, its maker learns, and makes another.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const PREFIX: &str = "mobula-spill";
const LOCK: &str = "lock";

/// Folders that a process tries to make before it gives up: each is one that a sweep took or that was left by a namesake.
const TRIES: u32 = 16;

/// The folder; removed on drop.
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes the folder under `base`. `job` tells the user whose it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn make(base: &Path, job: &str) -> io::Result<Scratch> {
        let process = std::process::id();
        let mut last = None;
        for turn in 0..TRIES {
            let name = match turn {
                0 => format!("{PREFIX}-{}-{job}-{process}", own_uid()?),
                turn => format!("{PREFIX}-{}-{job}-{process}-{turn}", own_uid()?),
            };
            match Scratch::make_at(base.join(name)) {
                Ok(scratch) => return Ok(scratch),
                Err(error) => match error.kind() {
                    io::ErrorKind::AlreadyExists | io::ErrorKind::WouldBlock => last = Some(error),
                    // Swept between two steps, unless the base itself is not there.
                    io::ErrorKind::NotFound if base.is_dir() => last = Some(error),
                    _ => return Err(error),
                },
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("no folder could be made")))
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

    /// A new file in it.
    ///
    /// # Errors
    /// What the system says.
    pub fn file(&self, number: u64) -> io::Result<(PathBuf, File)> {
        let path = self.path.join(number.to_string());
        private_file(&path).map(|file| (path, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Where it cannot be removed now, the next start of a process of this user does it.
        let _ = remove(&self.path);
    }
}

/// Removes what processes of this user left under `base` when they were killed; returns how many folders.
pub fn sweep(base: &Path) -> usize {
    let (Ok(uid), Ok(entries)) = (own_uid(), fs::read_dir(base)) else { return 0 };
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
        // Killed before it made the lock: then there is nothing else in it, and where there is, it stays.
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir(path).is_ok(),
        Err(_) => false,
    }
}

/// Removes a folder, the lock last: who is killed over it leaves what the next one can remove.
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

fn own_uid() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self")?.uid())
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
    fn it_is_private_and_gone_with_its_process() {
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
    fn a_removal_that_was_cut_short_goes_on() {
        let base = Base::new("short");
        let scratch = Scratch::make(&base.0, "7").unwrap();
        // Something that is no file stops it half way; the lock is still there then.
        scratch.file(1).unwrap();
        fs::create_dir(scratch.path.join("2")).unwrap();
        let path = scratch.path.clone();
        drop(scratch);
        assert!(path.join(LOCK).exists());
        fs::remove_dir(path.join("2")).unwrap();
        assert_eq!((sweep(&base.0), base.folders()), (1, 0));
    }

    #[test]
    fn what_the_dead_left_is_swept_and_nothing_else() {
        let base = Base::new("swept");
        let living = Scratch::make(&base.0, "7").unwrap();
        let dead = Scratch::make(&base.0, "7").unwrap();
        dead.file(1).unwrap();
        // The system lets go of the lock of a process that was killed.
        let Scratch { path, _lock } = &dead;
        _lock.unlock().unwrap();
        let unfinished = base.0.join(format!("{PREFIX}-{}-7-1", own_uid().unwrap()));
        fs::create_dir(&unfinished).unwrap();
        let foreign = base.0.join("mobula-spill-x");
        fs::create_dir(&foreign).unwrap();
        std::os::unix::fs::symlink(&foreign, base.0.join(format!("{PREFIX}-{}-7-2", own_uid().unwrap()))).unwrap();
        assert_eq!(sweep(&base.0), 2);
        assert!(!path.exists() && !unfinished.exists() && foreign.exists() && living.path.exists());
    }

    #[test]
    fn a_base_that_is_not_there_or_not_writable_is_an_error() {
        let base = Base::new("absent");
        assert_eq!(Scratch::make(&base.0.join("no"), "7").err().unwrap().kind(), io::ErrorKind::NotFound);
        fs::write(base.0.join("file"), "").unwrap();
        assert!(Scratch::make(&base.0.join("file"), "7").is_err());
        assert_eq!(sweep(&base.0.join("no")), 0);
    }
}
