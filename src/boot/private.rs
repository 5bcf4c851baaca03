//! What no other user may have a part in: files that hold a secret, written whole or not at all, and read only if no
//! other user could have written or read them; and the user at the other end of a socket.
#![allow(unsafe_code)]

use crate::transport::tcp::handshake::Secret;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Longer than any file of mobula; the rest is not read.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The permission bits of users other than the owner.
const OTHERS: u32 = 0o077;

/// Reads a file of this user that no other user may read or write.
///
/// # Errors
/// What the system reports, such as `NotFound`; `PermissionDenied` with what to do if it is not private.
pub fn read(path: &Path) -> Result<String> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(refused(format!("{} is not a plain file", path.display())));
    }
    check(path, about.uid(), about.mode())?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Creates the file with this text, for this user alone. An existing file stays as it is.
///
/// # Errors
/// What the system reports.
pub fn create(path: &Path, text: &str) -> Result<()> {
    let draft = Draft::write(path, text)?;
    // Unlike a rename, a link never replaces a file that another rank has created.
    match std::fs::hard_link(&draft.0, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Creates the file with this text, for this user alone, and replaces an older one of this user.
///
/// # Errors
/// What the system reports; `PermissionDenied` if there is a file of another user.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    if let Ok(about) = std::fs::symlink_metadata(path) {
        if !about.is_file() {
            return Err(refused(format!("{} exists and is not a plain file", path.display())));
        }
        check_owner(path, about.uid())?;
    }
    let draft = Draft::write(path, text)?;
    std::fs::rename(&draft.0, path)
}

/// Creates the folder for this user alone, or checks that an existing one is private.
///
/// # Errors
/// What the system reports; `PermissionDenied` with what to do if other users may enter it.
pub fn folder(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let about = std::fs::metadata(path)?;
    check(path, about.uid(), about.mode())
}

/// A temporary file in the same folder; removed on drop, unless it was renamed.
struct Draft(PathBuf);

impl Draft {
    fn write(path: &Path, text: &str) -> Result<Draft> {
        let name = path.file_name().ok_or_else(|| refused(format!("{} names no file", path.display())))?;
        let random = hex(&Secret::random().bytes()[..8]);
        let draft = Draft(path.with_file_name(format!(".{}.{random}", name.to_string_lossy())));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.0)?;
        file.write_all(text.as_bytes())?;
        // Other hosts read it over a network file system: it must be complete there.
        File::sync_all(&file)?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn check(path: &Path, owner: u32, mode: u32) -> Result<()> {
    check_owner(path, owner)?;
    if mode & OTHERS != 0 {
        let right = if mode & libc::S_IFMT == libc::S_IFDIR { "700" } else { "600" };
        return Err(refused(format!(
            "{path} may be entered, read or written by others (mode {:03o}): run chmod {right} {path}, and where \
             others may have read it, remove it instead",
            mode & 0o777,
            path = path.display()
        )));
    }
    Ok(())
}

fn check_owner(path: &Path, owner: u32) -> Result<()> {
    let me = user();
    if owner == me {
        return Ok(());
    }
    Err(refused(format!(
        "{} belongs to user {owner}, and this process to user {me}: it is not trusted",
        path.display()
    )))
}

fn refused(text: String) -> Error {
    Error::new(ErrorKind::PermissionDenied, text)
}

/// The effective user of this process.
pub fn user() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// The effective user of the process at the other end of a Unix socket, when it connected or began to listen; as this
/// process's user namespace numbers it.
///
/// # Errors
/// What the system reports.
pub fn peer_user(stream: &UnixStream) -> Result<u32> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut bytes = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open; the kernel writes at most `bytes` bytes to `peer`, which are numbers.
    let code = unsafe {
        let to = std::ptr::from_mut(&mut peer).cast();
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, to, &mut bytes)
    };
    if code == 0 { Ok(peer.uid) } else { Err(Error::last_os_error()) }
}

/// Bytes as hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from hexadecimal text.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = text.chars().map(|letter| letter.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    (digits.len() == 64).then_some(bytes)?.try_into().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder for one test, removed on drop.
    pub struct Folder(pub PathBuf);

    impl Folder {
        pub fn new() -> Folder {
            let path = std::env::temp_dir().join(format!("mobula-boot-{}", hex(&Secret::random().bytes()[..8])));
            folder(&path).unwrap();
            Folder(path)
        }

        pub fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn first_create_wins_and_leaves_no_draft() {
        let folder = Folder::new();
        let path = folder.0.join("secret");
        create(&path, "first").unwrap();
        create(&path, "second").unwrap();
        assert_eq!(read(&path).unwrap(), "first");
        assert_eq!(folder.names(), ["secret"]);
        replace(&path, "third").unwrap();
        assert_eq!(read(&path).unwrap(), "third");
        assert_eq!(folder.names(), ["secret"]);
    }

    #[test]
    fn concurrent_creates_read_the_same_text() {
        let folder = Folder::new();
        let path = &folder.0.join("secret");
        let texts: Vec<String> = std::thread::scope(|scope| {
            let ranks = (0..8).map(|rank| {
                scope.spawn(move || {
                    create(path, &format!("of rank {rank}")).unwrap();
                    read(path).unwrap()
                })
            });
            let ranks: Vec<_> = ranks.collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        assert!(texts.iter().all(|text| *text == texts[0] && text.starts_with("of rank")), "{texts:?}");
    }

    #[test]
    fn file_others_may_read_is_refused_with_the_command() {
        let folder = Folder::new();
        let path = folder.0.join("secret");
        create(&path, "text").unwrap();
        set_mode(&path, 0o640);
        let error = read(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("chmod 600"), "{error}");
        replace(&path, "new").unwrap();
        assert_eq!(read(&path).unwrap(), "new", "a new file in its place is private");
        set_mode(&folder.0, 0o755);
        assert!(super::folder(&folder.0).unwrap_err().to_string().contains("chmod 700"));
    }

    #[test]
    fn link_folder_and_file_of_another_user_are_refused() {
        let folder = Folder::new();
        let link = folder.0.join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(read(&link).is_err(), "a link may lead anywhere");
        assert!(replace(&link, "text").is_err());
        assert!(read(&folder.0).is_err());
        assert!(check_owner(&link, user() + 1).unwrap_err().to_string().contains("belongs to user"));
    }

    #[test]
    fn hex_comes_back() {
        let bytes = *Secret::random().bytes();
        assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(from_hex(wrong), None);
        }
    }
}
