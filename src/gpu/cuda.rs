//! The CUDA driver, opened at run time.
#![allow(unsafe_code)]

use super::{Gpu, GpuError};
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;
use std::ffi::{CStr, c_char};

/// The devices that the driver reports.
pub(super) fn devices() -> Result<Vec<Gpu>, GpuError> {
    // SAFETY: opens libcuda if it is there, which runs its initialisers, as linking it would have; nothing else is
    // running in it yet, and it is never closed while in use: cudarc opens it once more for good.
    if !unsafe { sys::is_culib_present() } {
        return Err(GpuError::NoLibrary);
    }
    let count = result::init().and_then(|()| result::device::get_count()).map_err(refusal)?;
    (0..count).map(|ordinal| device(ordinal).map_err(refusal)).collect()
}

fn device(ordinal: i32) -> Result<Gpu, DriverError> {
    let device = result::device::get(ordinal)?;
    // SAFETY: `device` was just returned by the driver.
    let memory_bytes = unsafe { result::device::total_mem(device)? } as u64;
    Ok(Gpu { ordinal: ordinal as u32, name: result::device::get_name(device)?, memory_bytes, pci: pci_of(device)? })
}

/// The driver writes upper-case hexadecimal, hwloc and the kernel lower-case: this returns lower-case.
fn pci_of(device: sys::CUdevice) -> Result<String, DriverError> {
    let mut text: [c_char; 32] = [0; 32];
    // SAFETY: the driver writes at most the length it is told, with a closing zero, into `text`, which is that long.
    unsafe { sys::cuDeviceGetPCIBusId(text.as_mut_ptr(), text.len() as i32, device) }.result()?;
    // SAFETY: `text` was zeroed and the driver closed what it wrote with a zero.
    let text = unsafe { CStr::from_ptr(text.as_ptr()) };
    Ok(text.to_string_lossy().to_ascii_lowercase())
}

fn refusal(error: DriverError) -> GpuError {
    let text = error.error_string().map(|text| text.to_string_lossy().into_owned());
    GpuError::Driver { reason: text.unwrap_or_else(|_| format!("{:?}", error.0)) }
}
