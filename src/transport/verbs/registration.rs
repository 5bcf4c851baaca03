//! Memory that the device may access: registered once, and kept until its key is deregistered.
#![allow(unsafe_code)]

use super::device::VerbsDevice;
use super::error::{PinnedMemory, VerbsError};
use super::regions::{RegionKeys, chunk_bytes};
use crate::base::config::Pages;
use crate::memory::{Region, Segment};
use rdma_sys as verbs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

/// A key for a range of memory; deregistered on drop. Its owner keeps the memory.
#[derive(Debug)]
struct MemoryKey {
    registration: NonNull<verbs::ibv_mr>,
    _device: Arc<VerbsDevice>,
}

// SAFETY: only read, and freed once; libibverbs is thread-safe.
unsafe impl Send for MemoryKey {}
// SAFETY: as above.
unsafe impl Sync for MemoryKey {}

impl MemoryKey {
    /// The key for this rank's device, and the one for those of peers.
    fn local_and_remote(&self) -> (u32, u32) {
        // SAFETY: the registration lives as long as `self`.
        let registration = unsafe { self.registration.as_ref() };
        (registration.lkey, registration.rkey)
    }
}

impl Drop for MemoryKey {
    fn drop(&mut self) {
        // SAFETY: registered in this file, freed once.
        unsafe { verbs::ibv_dereg_mr(self.registration.as_ptr()) };
    }
}

/// What a key lets this rank's device do, and what it lets those of peers do.
const LOCAL_ACCESS: u32 = verbs::ibv_access_flags::IBV_ACCESS_LOCAL_WRITE.0;
const PEERS_READ: u32 = LOCAL_ACCESS | verbs::ibv_access_flags::IBV_ACCESS_REMOTE_READ.0;

/// Registers the `bytes` at `address`; those of a GPU by its dmabuf and the offset there, if it has one.
fn register(
    device: &Arc<VerbsDevice>,
    address: u64,
    bytes: u64,
    access: u32,
    dmabuf: Option<(&OwnedFd, u64)>,
) -> io::Result<MemoryKey> {
    let (length, access) = (bytes as usize, access as i32);
    let registration = match dmabuf {
        // SAFETY: the caller's range is mapped for as long as it keeps the key: one struct owns both, and drops the key
        // first.
        None => unsafe {
            let start = std::ptr::with_exposed_provenance_mut(address as usize);
            verbs::ibv_reg_mr(device.domain(), start, length, access)
        },
        // SAFETY: an open file and plain numbers; the kernel keeps the buffer of the file.
        Some((file, offset)) => unsafe {
            verbs::ibv_reg_dmabuf_mr(device.domain(), offset, length, address, file.as_raw_fd(), access)
        },
    };
    let registration = NonNull::new(registration).ok_or_else(io::Error::last_os_error)?;
    Ok(MemoryKey { registration, _device: device.clone() })
}

/// A region that this rank's device can access and, with the keys, its peers' devices too.
#[derive(Debug)]
pub struct RegisteredRegion {
    keys: Vec<MemoryKey>,
    chunk_bytes: u64,
    address: u64,
    // After the keys: the memory must survive its keys.
    region: Region,
}

impl RegisteredRegion {
    /// Pins the whole region, in as many registrations as the device needs.
    ///
    /// # Errors
    /// What could not be registered, and what the user can do.
    pub fn new(
        device: &Arc<VerbsDevice>,
        region: &Region,
        registered_bytes_max: u64,
    ) -> Result<RegisteredRegion, VerbsError> {
        let bytes = region.bytes();
        let (address, dmabuf) = match region {
            Region::Host(arena) => {
                // Pinning would fault the pages in too, and kill the process if there are too few of them.
                if !arena.populate_all() {
                    return Err(VerbsError::StoreNotPopulated { bytes });
                }
                (arena.address().as_ptr().expose_provenance() as u64, None)
            }
            Region::Cuda(cuda) => (cuda.address, cuda.dmabuf.as_ref()),
        };
        let chunk = chunk_bytes(bytes, registered_bytes_max);
        let mut keys = Vec::new();
        let mut start = 0;
        while start < bytes {
            let length = chunk.min(bytes - start);
            let key = register(device, address + start, length, PEERS_READ, dmabuf.map(|file| (file, start)));
            keys.push(key.map_err(|error| registration_error(device, region, length, error))?);
            start += length;
        }
        Ok(RegisteredRegion { keys, chunk_bytes: chunk, address, region: region.clone() })
    }

    /// The keys for this rank's own device.
    pub fn local(&self) -> RegionKeys {
        self.keys_by(|key| key.local_and_remote().0)
    }

    /// The keys for peers.
    pub fn remote(&self) -> RegionKeys {
        self.keys_by(|key| key.local_and_remote().1)
    }

    fn keys_by(&self, of: impl Fn(&MemoryKey) -> u32) -> RegionKeys {
        RegionKeys {
            number: self.region.number(),
            address: self.address,
            bytes: self.region.bytes(),
            chunk_bytes: self.chunk_bytes,
            keys: self.keys.iter().map(of).collect(),
        }
    }
}

/// Buffers for segments, all of one size, which peers cannot read.
#[derive(Debug)]
pub struct Slab {
    key: MemoryKey,
    buffer_bytes: usize,
    // After the key: the memory must survive its key.
    memory: Segment,
}

impl Slab {
    /// Allocates `buffers` buffers of `buffer_bytes`, a multiple of 8. They are shared memory, so that a child process
    /// that the user starts does not cause copy-on-write under the device.
    ///
    /// # Errors
    /// What could not be allocated or pinned, and what the user can do.
    pub fn new(device: &Arc<VerbsDevice>, buffers: usize, buffer_bytes: usize) -> Result<Slab, VerbsError> {
        let bytes = buffers * buffer_bytes;
        let memory = Segment::create("mobula-verbs", bytes, Pages::Plain)?;
        let address = memory.address().as_ptr().expose_provenance() as u64;
        let key = register(device, address, bytes as u64, LOCAL_ACCESS, None)
            .map_err(|error| pin_error(device, PinnedMemory::Messages, bytes as u64, error))?;
        Ok(Slab { key, buffer_bytes, memory })
    }

    /// The key for this rank's device.
    pub fn local_key(&self) -> u32 {
        self.key.local_and_remote().0
    }

    fn start(&self, buffer: usize) -> NonNull<u8> {
        let offset = buffer * self.buffer_bytes;
        assert!(offset + self.buffer_bytes <= self.memory.bytes(), "a buffer beyond the slab");
        // SAFETY: inside the mapping, as just asserted.
        unsafe { self.memory.address().add(offset) }
    }

    /// The address of a buffer, as the device uses it.
    pub fn address_of(&self, buffer: usize) -> u64 {
        self.start(buffer).as_ptr().expose_provenance() as u64
    }

    /// The first `bytes` of a buffer.
    ///
    /// # Safety
    /// Neither the device nor another thread writes into this buffer while the slice lives.
    pub unsafe fn bytes(&self, buffer: usize, bytes: usize) -> &[u8] {
        assert!(bytes <= self.buffer_bytes, "more than a buffer");
        // SAFETY: inside the buffer, which is mapped; the caller excludes writers.
        unsafe { std::slice::from_raw_parts(self.start(buffer).as_ptr(), bytes) }
    }

    /// A whole buffer, to be written.
    ///
    /// # Safety
    /// The device does not write into this buffer, and no other thread accesses it, while the slice lives.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn bytes_mut(&self, buffer: usize) -> &mut [u8] {
        // SAFETY: as in `bytes`; exclusive, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start(buffer).as_ptr(), self.buffer_bytes) }
    }
}

fn registration_error(device: &VerbsDevice, region: &Region, bytes: u64, source: io::Error) -> VerbsError {
    match region {
        Region::Host(_) => pin_error(device, PinnedMemory::Store, bytes, source),
        Region::Cuda(cuda) => VerbsError::GpuMemory { device: device.name().to_string(), gpu: cuda.device, source },
    }
}

fn pin_error(device: &VerbsDevice, of: PinnedMemory, bytes: u64, source: io::Error) -> VerbsError {
    let locked_bytes_max = locked_bytes_max();
    VerbsError::Pin { device: device.name().to_string(), bytes, of, locked_bytes_max, source }
}

/// The limit on locked memory, if there is one.
fn locked_bytes_max() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: space for the answer.
    let code = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    (code == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}
