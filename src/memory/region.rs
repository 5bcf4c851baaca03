//! Memory of this rank that transports may reach, and what kind of memory it is.

use crate::memory::Arena;
use std::any::Any;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A region's number within its rank: the store is 0, device memory has the numbers after it.
pub type RegionNumber = u16;

/// The region of a rank's store.
pub const STORE: RegionNumber = 0;

/// A range of memory that is registered once with each transport that can reach it.
#[derive(Clone, Debug)]
pub enum Region {
    /// The rank's store, in the host's memory.
    Host(Arc<Arena>),
    /// Memory of a GPU. Code that registers one comes with the work on GPUs; the verbs transport accepts it.
    #[allow(dead_code)]
    Cuda(Arc<CudaRegion>),
}

/// A range of a GPU's memory. No CPU reads it through a pointer: transports without a device of their own refuse it.
#[allow(dead_code)]
#[derive(Debug)]
pub struct CudaRegion {
    /// Its number within this rank, not [`STORE`].
    pub number: RegionNumber,
    /// The GPU's ordinal.
    pub device: u32,
    /// Where it begins in the device's address space.
    pub address: u64,
    /// Its length.
    pub bytes: u64,
    /// The range as a dmabuf, where the GPU driver exports one; else the device must accept the address
    /// (nvidia_peermem).
    pub dmabuf: Option<OwnedFd>,
    /// Keeps the allocation alive while it is registered anywhere.
    pub owner: Box<dyn MemoryOwner>,
}

/// The owner of a device's allocation.
pub trait MemoryOwner: Any + Send + Sync + std::fmt::Debug {}
impl<T: Any + Send + Sync + std::fmt::Debug> MemoryOwner for T {}

/// The region is memory of a GPU, and the transport reaches memory of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it reaches host memory only, not that of GPU {gpu}")]
pub struct DeviceMemory {
    /// The GPU's ordinal.
    pub gpu: u32,
}

#[cfg_attr(not(feature = "verbs"), allow(dead_code))]
impl Region {
    /// Its number within its rank.
    pub fn number(&self) -> RegionNumber {
        match self {
            Region::Host(_) => STORE,
            Region::Cuda(region) => region.number,
        }
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Region::Host(arena) => arena.bytes(),
            Region::Cuda(region) => region.bytes,
        }
    }

    /// The store, for transports whose reads the CPU serves.
    ///
    /// # Errors
    /// Why the CPU cannot serve it.
    pub fn on_host(&self) -> Result<&Arc<Arena>, DeviceMemory> {
        match self {
            Region::Host(arena) => Ok(arena),
            Region::Cuda(region) => Err(DeviceMemory { gpu: region.device }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;

    #[test]
    fn region_reports_number_size_and_kind_of_memory() {
        let store = Region::Host(Arena::create(1 << 21, Pages::Plain).expect("made"));
        assert_eq!((store.number(), store.bytes()), (STORE, 1 << 21));
        assert!(store.on_host().is_ok());
        let device =
            CudaRegion { number: 1, device: 3, address: 1 << 40, bytes: 4096, dmabuf: None, owner: Box::new(()) };
        let device = Region::Cuda(Arc::new(device));
        assert_eq!((device.number(), device.bytes()), (1, 4096));
        assert!(device.on_host().unwrap_err().to_string().contains("GPU 3"));
    }
}
