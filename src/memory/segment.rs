//! Memory that processes of one user on one host can map: an unnamed, sealed file in memory.
#![allow(unsafe_code)]

use crate::base::config::Pages;
use crate::base::error::{Error, Result};
use crate::base::process_limits;
use crate::base::sync::{AtomicI64, AtomicU32};
use crate::memory::pages::{self, HUGE_PAGE_BYTES, PageKind};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, memfd_create};
use rustix::io::retry_on_intr;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::ptr::{self, NonNull};

/// What another process of the same user on the same host needs to map a segment.
///
/// The segment has no name that could be guessed or left behind: it is reached through its creator's open file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHandle {
    /// The process that created it, alive while others open it.
    pub pid: u32,
    /// Its file descriptor in that process.
    pub fd: i32,
    /// The file's inode: distinguishes a reused descriptor number from the original.
    pub inode: u64,
    /// Its size.
    pub bytes: u64,
    /// The pages it has, so that every process maps it alike.
    pub pages: PageKind,
}

/// What a process may do with a segment that it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Read and write it.
    Write,
}

/// A type that may be viewed in memory that other processes change at any time.
///
/// # Safety
/// Every bit pattern is a value of it, and all of its bytes are inside atomics.
pub(super) unsafe trait Shared {}

// SAFETY: integers in atomics have no invalid bit pattern.
unsafe impl Shared for AtomicI64 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU32 {}

/// A mapped segment; unmapped on drop. A mapping survives its creator.
///
/// Core dumps leave it out: each rank of a host maps the stores of all, and would write all of them.
#[derive(Debug)]
pub struct Segment {
    base: NonNull<u8>,
    /// The mapped length: `handle.bytes` rounded up to whole pages of its kind.
    mapped_bytes: usize,
    /// How many words it has for `cells`: none where it was opened for reading only.
    cells: usize,
    access: Access,
    handle: SegmentHandle,
    /// The file of the handle; only the creator keeps it.
    file: Option<File>,
}

// SAFETY: the mapping belongs to no thread; its contents are reached through atomics, or through types (`Block`,
// `RingProducer`, `Consumer`) that each ensure their own exclusion.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

impl Segment {
    /// Creates a segment of `bytes` zeros with the best pages that `pages` allows. `name` is for `/proc` only.
    ///
    /// No page is touched. Huge pages from the pool are reserved here, so that a shortage is an error here.
    ///
    /// # Errors
    /// `Error::Config` where the pool of huge pages is too small and `pages` requires it, or the system is out of
    /// memory or files.
    pub fn create(name: &str, bytes: usize, pages: Pages) -> Result<Segment> {
        let mut tried = Vec::new();
        for kind in pages::candidates(pages, bytes) {
            match Segment::create_with(name, bytes, kind) {
                Ok(segment) => return Ok(segment),
                Err(error) => tried.push(format!("{kind}: {error}")),
            }
        }
        let needed = bytes.div_ceil(HUGE_PAGE_BYTES);
        Err(Error::config(match pages {
            Pages::Hugetlb => format!(
                "{name} of {bytes} bytes needs {needed} huge pages of 2 MiB and {} are free: raise \
                 vm.nr_hugepages by {needed} for each rank of the host, make the store smaller \
                 (MOBULA_STORE_BYTES), or let it fall back (MOBULA_PAGES=auto)",
                pages::hugepages_free()
            ),
            _ => format!(
                "no memory for {name} of {bytes} bytes ({}): make the store smaller (MOBULA_STORE_BYTES) or raise \
                 the limit{}",
                tried.join("; "),
                process_limits::in_force()
            ),
        }))
    }

    fn create_with(name: &str, bytes: usize, kind: PageKind) -> io::Result<Segment> {
        let bytes = bytes.next_multiple_of(granule(kind)).max(granule(kind));
        // A file in memory is a file: the kernel would end the process by SIGXFSZ.
        if let Some(limit) = process_limits::file_bytes_max().filter(|limit| *limit < bytes as u64) {
            return Err(io::Error::other(format!("a file may have {limit} bytes (ulimit -f)")));
        }
        let file = memory_file(name, kind)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.set_len(bytes as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let handle = SegmentHandle {
            pid: std::process::id(),
            fd: file.as_raw_fd(),
            inode: file.metadata()?.ino(),
            bytes: bytes as u64,
            pages: kind,
        };
        Segment::map(file, handle, Access::Write, true)
    }

    /// Maps the segment of another process of this user on this host, or of this one.
    ///
    /// # Errors
    /// `Error::Fabric` where that process or its file is not visible, or does not match the handle.
    pub fn open(handle: &SegmentHandle, access: Access) -> Result<Segment> {
        let path = format!("/proc/{}/fd/{}", handle.pid, handle.fd);
        OpenOptions::new()
            .read(true)
            .write(access == Access::Write)
            .open(&path)
            .and_then(|file| {
                verify(&file, handle)?;
                Segment::map(file, handle.clone(), access, false)
            })
            .map_err(|error| {
                Error::fabric(format!(
                    "the memory of process {} cannot be shared ({path}: {error}). Ranks of one host must run as one \
                     user and see each other's processes: start them in one container or with the host's pid \
                     namespace, or set MOBULA_FABRIC=mpi",
                    handle.pid
                ))
                .caused_by(&error)
            })
    }

    fn map(file: File, handle: SegmentHandle, access: Access, keep_file: bool) -> io::Result<Segment> {
        let mapped_bytes =
            usize::try_from(handle.bytes).map_err(io::Error::other)?.next_multiple_of(granule(handle.pages));
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
        };
        // SAFETY: a new mapping at an address of the kernel's choice; no MAP_NORESERVE, so that hugetlb pages are
        // reserved here and a shortage is an error here.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), mapped_bytes, protection, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: advice on the mapping just created; where it is refused, core dumps are larger.
        unsafe { libc::madvise(base, mapped_bytes, libc::MADV_DONTDUMP) };
        if handle.pages == PageKind::Transparent {
            // SAFETY: advice on the mapping just created; without effect where it is refused.
            unsafe { libc::madvise(base, mapped_bytes, libc::MADV_HUGEPAGE) };
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        let cells = if access == Access::Write { handle.bytes as usize / size_of::<AtomicI64>() } else { 0 };
        Ok(Segment { base, mapped_bytes, cells, access, handle, file: keep_file.then_some(file) })
    }

    /// What other processes need to open it, while its creator is alive and keeps it.
    pub fn handle(&self) -> SegmentHandle {
        self.handle.clone()
    }

    /// Its size; at least the requested bytes, in whole pages of its kind.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.handle.bytes as usize
    }

    /// The pages it has.
    pub fn page_kind(&self) -> PageKind {
        self.handle.pages
    }

    /// The whole segment as shared atomics.
    ///
    /// # Panics
    /// Where the segment was opened for reading only.
    #[inline]
    pub fn cells(&self) -> &[AtomicI64] {
        assert!(self.cells > 0, "atomics in a segment that was opened for reading only");
        // SAFETY: so many words lie in the mapping, which is writable as there are any and lives as long as `self`; the
        // base is page-aligned, and any bytes are an atomic.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().cast(), self.cells) }
    }

    /// One `T` at `offset`. Panics where it is out of bounds, misaligned, or the segment is not writable.
    pub(super) fn view<T: Shared>(&self, offset: usize) -> &T {
        &self.views(offset, 1)[0]
    }

    #[inline]
    fn views<T: Shared>(&self, offset: usize, count: usize) -> &[T] {
        assert!(self.access == Access::Write, "atomics in a segment that was opened for reading only");
        assert!(offset.is_multiple_of(align_of::<T>()), "a view at an offset that does not suit its alignment");
        let start = self.range(offset, count * size_of::<T>()).expect("a view within the segment");
        // SAFETY: the range lies in the mapping, which lives as long as `self`; the base is page-aligned, so the
        // offset's alignment is the address's; `Shared` guarantees that any bytes are a `T` and all of them atomics.
        unsafe { std::slice::from_raw_parts(start.as_ptr().cast(), count) }
    }

    /// Its address in this process, for devices, which use addresses.
    #[cfg_attr(not(feature = "verbs"), allow(dead_code))]
    pub fn address(&self) -> NonNull<u8> {
        self.base
    }

    /// The address of `offset`; `None` where the `length` bytes from there are not all inside.
    #[inline]
    pub(super) fn range(&self, offset: usize, length: usize) -> Option<NonNull<u8>> {
        let end = offset.checked_add(length)?;
        // SAFETY: `offset <= end <= bytes() <= mapped_bytes`, so the address is in or at the end of the mapping.
        (end <= self.bytes()).then(|| unsafe { self.base.add(offset) })
    }

    /// Populates the pages of a range, zeroed on first touch, so that no access can fail.
    ///
    /// The range is in whole pages of the segment's kind. `Err` where there is no memory for all of it.
    pub(super) fn populate(&self, offset: usize, length: usize) -> io::Result<()> {
        let start = self.range(offset, length).ok_or_else(|| io::Error::other("outside the segment"))?;
        loop {
            // SAFETY: populating touches no byte's value; the range is in the mapping.
            if unsafe { libc::madvise(start.as_ptr().cast(), length, libc::MADV_POPULATE_WRITE) } == 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            match (error.raw_os_error(), &self.file) {
                (Some(libc::EINTR | libc::EAGAIN), _) => {}
                // Before Linux 5.14 there is no such advice: the file's blocks can be reserved instead.
                (Some(libc::EINVAL), Some(file)) => {
                    let reserve = || fallocate(file, FallocateFlags::empty(), offset as u64, length as u64);
                    return Ok(retry_on_intr(reserve)?);
                }
                _ => return Err(error),
            }
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: the mapping created in `map`, whole; every reference into it borrows or keeps `self`.
        let unmapped = unsafe { libc::munmap(self.base.as_ptr().cast(), self.mapped_bytes) };
        debug_assert_eq!(unmapped, 0, "a length that is not in whole pages leaks the mapping");
    }
}

/// The granularity of segments of a kind: a partial page at the end would never be huge.
fn granule(kind: PageKind) -> usize {
    match kind {
        PageKind::Hugetlb | PageKind::Transparent => HUGE_PAGE_BYTES,
        PageKind::Plain => 4096,
    }
}

fn memory_file(name: &str, kind: PageKind) -> io::Result<File> {
    let huge = MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB;
    let huge = if kind == PageKind::Hugetlb { huge } else { MemfdFlags::empty() };
    Ok(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | huge)?.into())
}

/// Checks that an opened file is the one of the handle, and cannot be truncated under a reader (MEMORY-1).
fn verify(file: &File, handle: &SegmentHandle) -> io::Result<()> {
    let found = file.metadata()?;
    if (found.ino(), found.len()) != (handle.inode, handle.bytes) {
        return Err(io::Error::other(format!(
            "inode {} of {} bytes is there, not inode {} of {} bytes",
            found.ino(),
            found.len(),
            handle.inode,
            handle.bytes
        )));
    }
    if !fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SealFlags::SHRINK)) {
        return Err(io::Error::other("it is not sealed against shrinking"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
