//! Where blocks are spilled: which folder is usable, and how much of its disk is left to others.
//!
//! A folder in memory (tmpfs, a RAM disk) is not used unasked: spilled blocks would take the memory that they are to
//! free, until the job is killed. So is an overlay over such a folder, as containers have, where this process can see
//! that folder.

use crate::base::config::SpillFolder;
use crate::base::process_limits::file_bytes_max;
use rustix::fs::{Access, access, statfs, statvfs};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Of a disk, 1 in so many bytes is left to others, but at most `LEFT_BYTES_MAX`.
const LEFT_SHARE: u64 = 10;
const LEFT_BYTES_MAX: u64 = 32 << 30;

/// File systems that hold their files in memory, by the magic numbers of statfs(2): tmpfs, ramfs, hugetlbfs.
const IN_MEMORY: [u64; 3] = [0x0102_1994, 0x8584_58f6, 0x9584_58f6];

/// Where a rank spills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpillDisk {
    /// The settings switch it off.
    Off,
    /// Into this folder; it is in memory if the user named one that is.
    Folder { path: PathBuf, is_in_memory: bool },
    /// No folder is usable, for these reasons.
    Nowhere { reasons: String },
}

/// What is found at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FoundFolder {
    OnDisk,
    InMemory,
    ReadOnly,
    NotThere,
}

impl SpillDisk {
    /// As the settings say. A folder that the user named is taken as it is.
    pub fn choose(setting: &SpillFolder) -> SpillDisk {
        match setting {
            SpillFolder::Off => SpillDisk::Off,
            SpillFolder::At(path) => {
                SpillDisk::Folder { path: path.clone(), is_in_memory: look_at(path) == FoundFolder::InMemory }
            }
            SpillFolder::JobDisk => first_usable(SpillFolder::candidates(), look_at),
        }
    }

    /// The folder, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            SpillDisk::Folder { path, .. } => Some(path),
            _ => None,
        }
    }
}

fn first_usable(candidates: Vec<PathBuf>, look_at: impl Fn(&Path) -> FoundFolder) -> SpillDisk {
    let mut reasons = Vec::new();
    for path in candidates {
        reasons.push(match look_at(&path) {
            FoundFolder::OnDisk => return SpillDisk::Folder { path, is_in_memory: false },
            FoundFolder::InMemory => format!("{} is in memory", path.display()),
            FoundFolder::ReadOnly => format!("{} cannot be written", path.display()),
            FoundFolder::NotThere => format!("{} is no folder", path.display()),
        });
    }
    SpillDisk::Nowhere { reasons: reasons.join(", ") }
}

fn look_at(path: &Path) -> FoundFolder {
    let Some(found) = fs::metadata(path).ok().filter(fs::Metadata::is_dir) else { return FoundFolder::NotThere };
    if access(path, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return FoundFolder::ReadOnly;
    }
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let upper = upper_folder(&String::from_utf8_lossy(&mounts), found.dev());
    let is_in_memory =
        is_in_memory(path) || is_ram_disk(found.dev()) || upper.is_some_and(|upper| is_in_memory(&upper));
    if is_in_memory { FoundFolder::InMemory } else { FoundFolder::OnDisk }
}

fn is_in_memory(path: &Path) -> bool {
    statfs(path).is_ok_and(|system| IN_MEMORY.contains(&(system.f_type as u64 & 0xffff_ffff)))
}

/// Where an overlay (overlayfs) that is mounted as this device writes its files; `None` for other devices. `mounts` is
/// the text of `/proc/self/mountinfo`.
fn upper_folder(mounts: &str, device: u64) -> Option<PathBuf> {
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let of_device = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&device))?;
    // After ` - `: the kind of file system, its source, its options.
    let options = of_device.split_once(" - ")?.1.strip_prefix("overlay ")?.split(' ').nth(1)?;
    let upper = options.split(',').find_map(|option| option.strip_prefix("upperdir="))?;
    Some(PathBuf::from(upper.replace("\\040", " ")))
}

/// True for block devices in memory: `ram0`, `zram0`.
fn is_ram_disk(device: u64) -> bool {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let link = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).unwrap_or_default();
    let name = link.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ["ram", "zram"].iter().any(|kind| {
        name.strip_prefix(kind).is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Refuses a write of `bytes` that would take the share of the disk that is left to others, or make the file of `end`
/// bytes longer than this process may write: that would be a signal which ends it.
///
/// # Errors
/// Which of both.
pub fn check_space(folder: &Path, bytes: u64, end: u64) -> io::Result<()> {
    if let Some(limit) = file_bytes_max().filter(|limit| *limit < end) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("a file may have {limit} bytes (ulimit -f), and {end} are needed"),
        ));
    }
    let disk = statvfs(folder)?;
    let (total, free) = (disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize));
    let left = left_to_others(total);
    if free.saturating_sub(bytes) < left {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            format!("No space left: {free} bytes of its disk are free, and {left} of them are left to others"),
        ));
    }
    Ok(())
}

/// A file system that does not say its size leaves nothing.
fn left_to_others(total: u64) -> u64 {
    (total / LEFT_SHARE).min(LEFT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_folder_on_a_disk_is_used_and_the_others_are_reasons() {
        use FoundFolder::{InMemory, NotThere, OnDisk, ReadOnly};
        let of = |found: [FoundFolder; 3]| {
            let names: Vec<PathBuf> = ["/0", "/1", "/2"].map(PathBuf::from).to_vec();
            first_usable(names, |path| found[path.display().to_string()[1..].parse::<usize>().unwrap()])
        };
        let at = |path: &str| SpillDisk::Folder { path: path.into(), is_in_memory: false };
        assert_eq!(of([OnDisk, OnDisk, OnDisk]), at("/0"));
        assert_eq!(of([InMemory, OnDisk, OnDisk]), at("/1"));
        assert_eq!(of([NotThere, ReadOnly, OnDisk]), at("/2"));
        let reasons = "/0 is no folder, /1 is in memory, /2 cannot be written".to_string();
        assert_eq!(of([NotThere, InMemory, ReadOnly]), SpillDisk::Nowhere { reasons });
        assert_eq!(first_usable(Vec::new(), |_| OnDisk), SpillDisk::Nowhere { reasons: String::new() });
    }

    #[test]
    fn folders_of_this_system_are_recognized() {
        assert_eq!(look_at(Path::new("/no such folder")), FoundFolder::NotThere);
        assert_eq!(look_at(Path::new("/proc/self/status")), FoundFolder::NotThere);
        if Path::new("/dev/shm").is_dir() {
            assert_eq!(look_at(Path::new("/dev/shm")), FoundFolder::InMemory);
        }
    }

    #[test]
    fn upper_folder_of_an_overlay_is_found_by_its_device() {
        let mounts = "22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n\
            40 22 0:35 / /m rw master:1 - overlay overlay rw,lowerdir=/l,upperdir=/a\\040b/u,workdir=/w\n\
            41 22 0:36 / /r ro - overlay overlay ro,lowerdir=/l:/k\n";
        let upper = |major, minor| upper_folder(mounts, rustix::fs::makedev(major, minor));
        assert_eq!(upper(0, 35), Some(PathBuf::from("/a b/u")));
        assert_eq!([upper(0, 36), upper(254, 0), upper(1, 1)], [None, None, None]);
    }

    #[test]
    fn share_of_the_disk_is_left_to_others() {
        assert_eq!(left_to_others(1000), 100);
        assert_eq!(left_to_others(1 << 50), LEFT_BYTES_MAX);
        assert_eq!(left_to_others(0), 0);
        let error = check_space(&std::env::temp_dir(), u64::MAX, 0).unwrap_err().to_string();
        assert!(error.contains("left to others"), "{error}");
        assert!(check_space(Path::new("/no such folder"), 1, 1).is_err());
    }
}
