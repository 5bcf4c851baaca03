//! The GPUs of this host, or why there are none.
//!
//! Owns: the CUDA driver's handle, opened at run time. Never: decides which task gets which GPU, touches a device's
//! memory yet.
//!
//! Discovery has not been run with a real device so far: tests cover the builds and hosts without one.
//!
//! Invariants:
//! - GPU-1: a host without a driver costs one failed `dlopen` and no panic.
//! - GPU-2: nothing calls the driver before `discover` does; if there is a GPU, its start can take hundreds of
//!   milliseconds.

#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod error;

pub use device::{Gpu, discover};
pub use error::GpuError;

#[cfg(feature = "cuda")]
use cuda as driver;

/// Replaces the driver in builds without CUDA.
#[cfg(not(feature = "cuda"))]
mod driver {
    pub(super) fn devices() -> Result<Vec<super::Gpu>, super::GpuError> {
        Err(super::GpuError::NotBuilt)
    }
}
