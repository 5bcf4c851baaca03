//! Files of blocks that have no room in memory: reserved before they are written, read through a mapping.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Mappings begin at multiples of this in their file: the largest page size of the machines we know.
const PAGE_BYTES: u64 = 64 << 10;

/// A range of a file, mapped for reading; unmapped on drop. It stays readable when the file's name is gone.
pub struct FileMap {
    base: NonNull<u8>,
    mapped_bytes: usize,
    /// Where the range begins in the mapping.
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
    /// Where the file is shorter than that, or the system gives no mapping.
    pub fn open(file: &File, offset: u64, length: usize) -> io::Result<FileMap> {
        let there = file.metadata()?.len();
        if offset.checked_add(length as u64).is_none_or(|end| end > there) {
            return Err(io::Error::other(format!(
                "its file was cut to {there} bytes, and {length} at {offset} are wanted"
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

    /// The bytes. The caller knows that nobody writes that range of the file any more.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: in the mapping, which lives as long as `self`; nobody writes there, which the caller knows.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(self.start), self.length) }
    }
}

impl Drop for FileMap {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `open`, whole; every slice of it borrows `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.mapped_bytes) };
    }
}

/// Makes sure that a file can have `bytes` from `offset` on before any is written, where its file system can say so.
///
/// # Errors
/// Where there is no room for them.
pub fn reserve_file(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    allocate(file, 0, offset, bytes)
}

/// Gives the disk back what lies between: whole pages of the range are zeros from then on, where the file system can do that.
pub fn punch_file(file: &File, offset: u64, bytes: u64) {
    let begin = offset.next_multiple_of(PAGE_BYTES);
    let length = (offset + bytes).saturating_sub(begin) / PAGE_BYTES * PAGE_BYTES;
    if length > 0 {
        // Where it cannot, the room comes back with the file.
        let _ = allocate(file, libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE, begin, length);
    }
}

fn allocate(file: &File, mode: libc::c_int, offset: u64, bytes: u64) -> io::Result<()> {
    loop {
        // SAFETY: fallocate on an open file with integer arguments.
        if unsafe { libc::fallocate(file.as_raw_fd(), mode, offset as libc::off_t, bytes as libc::off_t) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            // What cannot be asked for beforehand is an error of the write.
            Some(libc::EOPNOTSUPP | libc::ENOSYS) => return Ok(()),
            _ => return Err(error),
        }
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
    fn a_range_of_a_file_without_a_name_is_read_where_it_lies() {
        let bytes: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
        let file = file_of(&bytes);
        let map = FileMap::open(&file, 70_016, 100_000).unwrap();
        drop(file);
        assert_eq!(map.as_slice(), &bytes[70_016..170_016]);
        assert!(map.as_slice().as_ptr().addr().is_multiple_of(64));
    }

    #[test]
    fn a_file_that_was_cut_is_an_error_before_it_is_touched() {
        let file = file_of(&[1; 100]);
        assert!(FileMap::open(&file, 0, 101).err().unwrap().to_string().contains("cut to 100 bytes"));
        assert!(FileMap::open(&file, u64::MAX, 1).is_err());
    }

    #[test]
    fn more_than_any_disk_has_is_refused() {
        let file = file_of(&[]);
        assert!(reserve_file(&file, 0, 1 << 62).is_err());
        assert!(reserve_file(&file, 0, 4096).is_ok());
    }

    #[test]
    fn what_is_punched_out_leaves_its_neighbours() {
        let file = file_of(&[7; 300_000]);
        punch_file(&file, 1_000, 200_000);
        let map = FileMap::open(&file, 0, 300_000).unwrap();
        assert!(map.as_slice()[..1_000].iter().chain(&map.as_slice()[201_000..]).all(|byte| *byte == 7));
    }
}
