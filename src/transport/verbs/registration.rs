//! Memory that the device may reach: registered once, and kept until its key is gone.
#![allow(unsafe_code)]

use super::device::Device;
use super::regions::{RegionKeys, chunk_bytes};
use crate::base::config::Pages;
use crate::memory::{Region, Segment};
use rdma_sys as verbs;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::Arc;

/// A key for a range of memory; gives the key back on drop. Its owner keeps the memory.
#[derive(Debug)]
struct Key {
    registration: NonNull<verbs::ibv_mr>,
    _device: Arc<Device>,
}

// SAFETY: only read, and freed once; libibverbs is thread-safe.
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

impl Key {
    fn local(&self) -> u32 {
        // SAFETY: the registration lives as long as `self`.
        unsafe { self.registration.as_ref() }.lkey
    }

    fn remote(&self) -> u32 {
        // SAFETY: as in `local`.
        unsafe { self.registration.as_ref() }.rkey
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: registered in this file, freed once.
        unsafe { verbs::ibv_dereg_mr(self.registration.as_ptr()) };
    }
}

/// Who else than this process's own device may use a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Nobody,
    Peers,
}

/// Where a range lies.
enum Range<'a> {
    Address(u64),
    Dmabuf { file: &'a std::os::fd::OwnedFd, offset: u64, address: u64 },
}

fn register(device: &Arc<Device>, range: &Range<'_>, bytes: usize, readers: Readers) -> io::Result<Key> {
    let mut access = verbs::ibv_access_flags::IBV_ACCESS_LOCAL_WRITE.0;
    if readers == Readers::Peers {
        access |= verbs::ibv_access_flags::IBV_ACCESS_REMOTE_READ.0;
    }
    let registration = match *range {
        // SAFETY: the caller's range is mapped for as long as it keeps the key: both are in one owner, key first.
        Range::Address(address) => unsafe {
            let start = std::ptr::with_exposed_provenance_mut(address as usize);
            verbs::ibv_reg_mr(device.domain(), start, bytes, access as i32)
        },
        // SAFETY: an open file and plain numbers; the kernel keeps the buffer that the file stands for.
        Range::Dmabuf { file, offset, address } => unsafe {
            verbs::ibv_reg_dmabuf_mr(device.domain(), offset, bytes, address, file.as_raw_fd(), access as i32)
        },
    };
    let registration = NonNull::new(registration).ok_or_else(io::Error::last_os_error)?;
    Ok(Key { registration, _device: device.clone() })
}

/// A region that this rank's device and, with the keys, its peers' devices can reach.
#[derive(Debug)]
pub struct RegisteredRegion {
    keys: Vec<Key>,
    chunk_bytes: u64,
    address: u64,
    // After the keys: memory outlives its keys.
    region: Region,
}

impl RegisteredRegion {
    /// Pins the whole region, in as many pieces as the device needs.
    ///
    /// # Errors
    /// What could not be registered, and what to do about it.
    pub fn new(device: &Arc<Device>, region: &Region, registered_bytes_max: u64) -> Result<RegisteredRegion, String> {
        let bytes = region.bytes();
        let address = match region {
            Region::Host(arena) => {
                // Pinning would bring the pages in as well, and where there are too few of them end the process.
                if !arena.populate_all() {
                    return Err(format!("no memory to pin the store of {bytes} bytes: lower MOBULA_STORE_BYTES"));
                }
                arena.address().as_ptr().expose_provenance() as u64
            }
            Region::Cuda(cuda) => cuda.address,
        };
        let chunk = chunk_bytes(bytes, registered_bytes_max);
        let mut keys = Vec::new();
        let mut start = 0;
        while start < bytes {
            let length = chunk.min(bytes - start);
            let range = match region {
                Region::Cuda(cuda) if cuda.dmabuf.is_some() => Range::Dmabuf {
                    file: cuda.dmabuf.as_ref().expect("looked at above"),
                    offset: start,
                    address: address + start,
                },
                _ => Range::Address(address + start),
            };
            let key = register(device, &range, length as usize, Readers::Peers);
            keys.push(key.map_err(|error| refusal(device, region, length, &error))?);
            start += length;
        }
        Ok(RegisteredRegion { keys, chunk_bytes: chunk, address, region: region.clone() })
    }

    /// The keys for this rank's own device.
    pub fn local(&self) -> RegionKeys {
        self.keys_by(Key::local)
    }

    /// The keys for peers.
    pub fn remote(&self) -> RegionKeys {
        self.keys_by(Key::remote)
    }

    fn keys_by(&self, of: impl Fn(&Key) -> u32) -> RegionKeys {
        RegionKeys {
            number: self.region.number(),
            address: self.address,
            bytes: self.region.bytes(),
            chunk_bytes: self.chunk_bytes,
            keys: self.keys.iter().map(of).collect(),
        }
    }
}

/// Buffers for segments, all of one size, which no peer can read.
#[derive(Debug)]
pub struct Slab {
    key: Key,
    buffer_bytes: usize,
    // After the key: memory outlives its key.
    memory: Segment,
}

impl Slab {
    /// As many buffers of `buffer_bytes`, a multiple of 8. They are shared memory, which a child process that the
    /// user starts does not copy on write from under the device.
    ///
    /// # Errors
    /// What could not be had, and what to do about it.
    pub fn new(device: &Arc<Device>, buffers: usize, buffer_bytes: usize) -> Result<Slab, String> {
        let bytes = buffers * buffer_bytes;
        let memory = Segment::create("mobula-verbs", bytes, Pages::Plain).map_err(|error| error.to_string())?;
        let address = memory.address().as_ptr().expose_provenance() as u64;
        let key = register(device, &Range::Address(address), bytes, Readers::Nobody)
            .map_err(|error| advice(device, &format!("{bytes} bytes for messages"), bytes as u64, &error))?;
        Ok(Slab { key, buffer_bytes, memory })
    }

    /// Its key for this rank's device.
    pub fn local_key(&self) -> u32 {
        self.key.local()
    }

    fn start(&self, buffer: usize) -> NonNull<u8> {
        let offset = buffer * self.buffer_bytes;
        assert!(offset + self.buffer_bytes <= self.memory.bytes(), "a buffer beyond the slab");
        // SAFETY: inside the mapping, as just asserted.
        unsafe { self.memory.address().add(offset) }
    }

    /// The address of a buffer, as the device is told it.
    pub fn address_of(&self, buffer: usize) -> u64 {
        self.start(buffer).as_ptr().expose_provenance() as u64
    }

    /// The first `bytes` of a buffer.
    ///
    /// # Safety
    /// Neither the device nor anybody else writes into this buffer while the slice lives.
    pub unsafe fn bytes(&self, buffer: usize, bytes: usize) -> &[u8] {
        assert!(bytes <= self.buffer_bytes, "more than a buffer");
        // SAFETY: inside the buffer, which is mapped; the caller answers for writers.
        unsafe { std::slice::from_raw_parts(self.start(buffer).as_ptr(), bytes) }
    }

    /// A whole buffer, to be written.
    ///
    /// # Safety
    /// The device does not write into this buffer, and nobody else looks at it, while the slice lives.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn bytes_mut(&self, buffer: usize) -> &mut [u8] {
        // SAFETY: as in `bytes`; exclusive as the caller says.
        unsafe { std::slice::from_raw_parts_mut(self.start(buffer).as_ptr(), self.buffer_bytes) }
    }
}

fn refusal(device: &Device, region: &Region, bytes: u64, error: &io::Error) -> String {
    match region {
        Region::Host(_) => advice(device, &format!("{bytes} bytes of the store"), bytes, error),
        Region::Cuda(cuda) => format!(
            "{} cannot reach the memory of GPU {}: {error}; it needs dmabuf (Linux 5.12, an open GPU driver) or the \
             module nvidia_peermem",
            device.name(),
            cuda.device
        ),
    }
}

/// Why memory could not be pinned, which is mostly the limit on locked memory.
fn advice(device: &Device, what: &str, bytes: u64, error: &io::Error) -> String {
    let refused = format!("{} cannot pin {what}: {error}", device.name());
    match (error.raw_os_error(), locked_bytes_max()) {
        (Some(libc::ENOMEM | libc::EAGAIN | libc::EPERM), Some(limit)) => format!(
            "{refused}. RLIMIT_MEMLOCK is {limit} bytes: raise it (ulimit -l unlimited; LimitMEMLOCK=infinity for \
             slurmd, and PropagateResourceLimitsExcept=MEMLOCK in slurm.conf)"
        ),
        (Some(libc::ENOMEM), None) => format!("{refused}. Lower MOBULA_STORE_BYTES ({bytes} bytes were asked for)"),
        _ => refused,
    }
}

/// The limit on locked memory, where there is one.
fn locked_bytes_max() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: room for the answer.
    let code = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    (code == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}
