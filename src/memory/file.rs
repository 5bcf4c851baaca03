//! Files of blocks for which memory has no space: reserved before they are written, read through a mapping.
#![allow(unsafe_code)]

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, retry_on_intr};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Mappings begin at multiples of this in their file: the largest page size of the supported machines.
const PAGE_BYTES: u64 = 64 << 10;

/// A range of a file, mapped for reading; unmapped on drop. It stays readable after the file is unlinked.
pub struct FileMap {
    base: NonNull<u8>,
    mapped_bytes: usize,
    /// Offset of the range in the mapping.
    start: usize,
    length: usize,
}

// SAFETY: memory that is only read; the mapping belongs to no thread.
unsafe impl Send for FileMap {}
// SAFETY: as above.
unsafe impl Sync for FileMap {}

impl FileMap {
    /// Maps `length` bytes, not zero, of `file` from `offset` on.
    ///
    /// # Errors
    /// Where the file is shorter than that, or the system refuses the mapping.
    pub fn open(file: &File, offset: u64, length: usize) -> io::Result<FileMap> {
        let there = file.metadata()?.len();
        if offset.checked_add(length as u64).is_none_or(|end| end > there) {
            return Err(io::Error::other(format!(
                "its file was cut to {there} bytes, and {length} at {offset} are needed"
            )));
        }
        let begin = offset - offset % PAGE_BYTES;
        let start = (offset - begin) as usize;
        let mapped_bytes = start + length;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                mapped_bytes,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                begin as libc::off_t,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(FileMap { base, mapped_bytes, start, length })
    }

    /// The bytes. The caller guarantees that no process writes that range of the file any more.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: in the mapping, which lives as long as `self`; no process writes there, as the caller guarantees.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(self.start), self.length) }
    }
}

impl Drop for FileMap {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `open`, whole; every slice of it borrows `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.mapped_bytes) };
    }
}

/// Reserves `bytes` of a file from `offset` on before any is written, where its file system supports it.
///
/// # Errors
/// Where there is no space for them.
pub fn reserve_file(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    allocate(file, FallocateFlags::empty(), offset, bytes)
}

/// Returns the range to the disk: whole pages of it are zeros from then on, where the file system supports that.
pub fn punch_file(file: &File, offset: u64, bytes: u64) {
    let begin = offset.next_multiple_of(PAGE_BYTES);
    let length = (offset + bytes).saturating_sub(begin) / PAGE_BYTES * PAGE_BYTES;
    if length > 0 {
        // Where it does not, the space is freed with the file.
        let _ = allocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, begin, length);
    }
}

fn allocate(file: &File, mode: FallocateFlags, offset: u64, bytes: u64) -> io::Result<()> {
    match retry_on_intr(|| fallocate(file, mode, offset, bytes)) {
        // Where the space cannot be reserved, a shortage is an error of the write.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        outcome => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("mobula-file-{}-{bytes:p}", std::process::id()));
        let mut file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn range_of_unlinked_file_is_read_through_its_mapping() {
        let bytes: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
        let file = file_of(&bytes);
        let map = FileMap::open(&file, 70_016, 100_000).unwrap();
        drop(file);
        assert_eq!(map.as_slice(), &bytes[70_016..170_016]);
        assert!(map.as_slice().as_ptr().addr().is_multiple_of(64));
    }

    #[test]
    fn opening_a_truncated_file_is_an_error() {
        let file = file_of(&[1; 100]);
        assert!(FileMap::open(&file, 0, 101).err().unwrap().to_string().contains("cut to 100 bytes"));
        assert!(FileMap::open(&file, u64::MAX, 1).is_err());
    }

    #[test]
    fn reserving_more_than_the_disk_has_is_refused() {
        let file = file_of(&[]);
        assert!(reserve_file(&file, 0, 1 << 62).is_err());
        assert!(reserve_file(&file, 0, 4096).is_ok());
    }

    #[test]
    fn punching_a_hole_leaves_bytes_around_it_unchanged() {
        let file = file_of(&[7; 300_000]);
        punch_file(&file, 1_000, 200_000);
        let map = FileMap::open(&file, 0, 300_000).unwrap();
        assert!(map.as_slice()[..1_000].iter().chain(&map.as_slice()[201_000..]).all(|byte| *byte == 7));
    }
}
