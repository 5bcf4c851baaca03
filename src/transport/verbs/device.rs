//! An opened device: its limits, and its protection domain.
#![allow(unsafe_code)]

use super::error::VerbsError;
use rdma_sys as verbs;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// The limits of a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceLimits {
    /// Bytes of the largest registration.
    pub registered_bytes_max: u64,
    /// Queue pairs.
    pub queue_pairs: u32,
    /// Requests of a shared receive queue.
    pub receives: u32,
    /// Entries of a completion queue.
    pub completions: u32,
    /// Reads by one peer that the device serves at once.
    pub reads_served: u8,
    /// Reads from one peer that the device has in flight at once.
    pub reads_initiated: u8,
}

/// The attributes of a port.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// InfiniBand's local address.
    pub lid: u16,
    /// The largest packet in use, as verbs encodes it.
    pub mtu: u8,
    /// Bytes of the largest single transfer.
    pub transfer_bytes_max: u32,
}

/// A device and its protection domain; closed when everything created with it was dropped.
#[derive(Debug)]
pub struct VerbsDevice {
    context: NonNull<verbs::ibv_context>,
    domain: NonNull<verbs::ibv_pd>,
    name: String,
}

// SAFETY: libibverbs is thread-safe; the exceptions that its man pages name do not occur here.
unsafe impl Send for VerbsDevice {}
// SAFETY: as above.
unsafe impl Sync for VerbsDevice {}

impl VerbsDevice {
    /// Opens the device named `name`.
    ///
    /// # Errors
    /// Why it cannot be opened, in one line for the banner.
    pub fn open(name: &str) -> Result<VerbsDevice, VerbsError> {
        // SAFETY: a device of the list. An opened device survives the list.
        let opened = find_device(|found, device| (found == name).then(|| unsafe { verbs::ibv_open_device(device) }))?;
        let context = opened.ok_or_else(|| VerbsError::NoProvider { device: name.to_string() })?;
        let advice = "cannot be opened (/dev/infiniband/uverbs* must be open to this user)";
        let context = NonNull::new(context).ok_or_else(|| device_error(name, advice, io::Error::last_os_error()))?;
        // SAFETY: `context` is open.
        let domain = unsafe { verbs::ibv_alloc_pd(context.as_ptr()) };
        let Some(domain) = NonNull::new(domain) else {
            let error = device_error(name, "gives no protection domain", io::Error::last_os_error());
            // SAFETY: opened above and used by nothing.
            unsafe { verbs::ibv_close_device(context.as_ptr()) };
            return Err(error);
        };
        Ok(VerbsDevice { context, domain, name: name.to_string() })
    }

    /// The error of a call that returned `code`; 0 is none.
    pub(super) fn check(&self, code: i32, fault: &str) -> Result<(), VerbsError> {
        if code == 0 { Ok(()) } else { Err(device_error(&self.name, fault, failure(code))) }
    }

    /// The object that a call created; an error if it created none.
    pub(super) fn created<T>(&self, object: *mut T, fault: &str) -> Result<NonNull<T>, VerbsError> {
        NonNull::new(object).ok_or_else(|| device_error(&self.name, fault, io::Error::last_os_error()))
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The handle, for calls that create objects on the device.
    pub(super) fn context(&self) -> *mut verbs::ibv_context {
        self.context.as_ptr()
    }

    /// The protection domain, for calls that create objects in it.
    pub(super) fn domain(&self) -> *mut verbs::ibv_pd {
        self.domain.as_ptr()
    }

    /// Queries the device's limits.
    ///
    /// # Errors
    /// What the device refused, in one line for the banner.
    pub fn limits(&self) -> Result<DeviceLimits, VerbsError> {
        let mut found = MaybeUninit::<verbs::ibv_device_attr>::zeroed();
        // SAFETY: an open device and space for the answer.
        let code = unsafe { verbs::ibv_query_device(self.context(), found.as_mut_ptr()) };
        self.check(code, "does not report its limits")?;
        // SAFETY: plain integers, zeroed and then filled.
        let found = unsafe { found.assume_init() };
        let count = |value: i32| u32::try_from(value).unwrap_or(0);
        let reads = |value: i32| value.clamp(0, 255) as u8;
        Ok(DeviceLimits {
            registered_bytes_max: found.max_mr_size,
            queue_pairs: count(found.max_qp),
            receives: count(found.max_srq_wr),
            completions: count(found.max_cqe),
            reads_served: reads(found.max_qp_rd_atom),
            reads_initiated: reads(found.max_qp_init_rd_atom),
        })
    }

    /// Queries the attributes of one of its ports.
    ///
    /// # Errors
    /// What the device refused, in one line for the banner.
    pub fn port(&self, port: u8) -> Result<Port, VerbsError> {
        let mut found = MaybeUninit::<verbs::ibv_port_attr>::zeroed();
        // SAFETY: an open device and space for the answer.
        let code = unsafe { verbs::ibv_query_port(self.context(), port, found.as_mut_ptr()) };
        self.check(code, "does not report its port")?;
        // SAFETY: plain integers, zeroed and then filled.
        let found = unsafe { found.assume_init() };
        Ok(Port { lid: found.lid, mtu: found.active_mtu as u8, transfer_bytes_max: found.max_msg_sz.max(4096) })
    }
}

impl Drop for VerbsDevice {
    fn drop(&mut self) {
        // SAFETY: created in `open`, freed once; everything created with them owns a reference to this device, so
        // nothing uses them now.
        unsafe {
            verbs::ibv_dealloc_pd(self.domain.as_ptr());
            verbs::ibv_close_device(self.context.as_ptr());
        }
    }
}

/// Calls `visit` with the RDMA devices of this host and their names until it returns something.
///
/// # Errors
/// Why there is no list of them, in one line for the banner: no library, no device, or no permission.
fn find_device<T>(mut visit: impl FnMut(&str, *mut verbs::ibv_device) -> Option<T>) -> Result<Option<T>, VerbsError> {
    // The library is loaded at the first call; if that fails, the call leaves `count` alone and sets errno.
    let mut count = 0;
    // SAFETY: `count` is a local; the list is checked before use and freed below.
    let list = unsafe { verbs::ibv_get_device_list(&mut count) };
    if list.is_null() {
        return Err(refusal(io::Error::last_os_error()));
    }
    let mut found = None;
    for at in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the list holds `count` devices until it is freed, and a name lives as long as its device.
        let (device, name) = unsafe {
            let device = *list.add(at);
            let name = verbs::ibv_get_device_name(device);
            (device, if name.is_null() { None } else { CStr::from_ptr(name).to_str().ok() })
        };
        found = found.or_else(|| visit(name?, device));
    }
    // SAFETY: from `ibv_get_device_list`, freed once.
    unsafe { verbs::ibv_free_device_list(list) };
    Ok(found)
}

/// Succeeds if this host has an RDMA device.
///
/// # Errors
/// Why there is none, in one line for the banner: no library, no device, or no permission.
pub fn probe() -> Result<(), VerbsError> {
    find_device(|_, _| Some(()))?.ok_or(VerbsError::NoDevice)
}

fn refusal(error: io::Error) -> VerbsError {
    match error.raw_os_error() {
        Some(libc::EOPNOTSUPP) => VerbsError::NoLibrary,
        Some(libc::ENOSYS) => VerbsError::NoDevice,
        Some(libc::EPERM | libc::EACCES) => VerbsError::NoPermission,
        _ => VerbsError::DeviceList(error),
    }
}

fn device_error(device: &str, fault: &str, source: io::Error) -> VerbsError {
    VerbsError::Device { device: device.to_string(), fault: fault.to_string(), source }
}

/// The error of a libibverbs call: some calls return its number, some return -1 and set `errno`.
pub(super) fn failure(code: i32) -> io::Error {
    match code {
        -1 => io::Error::last_os_error(),
        code => io::Error::from_raw_os_error(code.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_finds_a_device_or_returns_the_reason() {
        if let Err(reason) = probe() {
            assert!(!reason.to_string().is_empty());
        }
    }

    #[test]
    fn refusal_maps_each_errno_to_its_text() {
        let line = |code| refusal(io::Error::from_raw_os_error(code)).to_string();
        assert_eq!(line(libc::EOPNOTSUPP), "libibverbs is not installed");
        assert_eq!(line(libc::ENOSYS), "no RDMA device");
        assert!(line(libc::ENOMEM).contains("ibv_get_device_list"));
    }
}
