//! Lists the RDMA devices of this host.
#![cfg_attr(feature = "verbs", allow(unsafe_code))]

use super::error::VerbsError;

/// The names of the RDMA devices of this host, or why there are none.
///
/// # Errors
/// Why there are none, in one line for the banner: no library, no device, or no permission.
#[cfg(feature = "verbs")]
pub fn probe() -> Result<Vec<String>, VerbsError> {
    use std::ffi::CStr;

    // The library is loaded at the first call; if that fails, the call leaves `count` alone and sets errno.
    let mut count = 0;
    // SAFETY: `count` is a local; the list is checked before use and freed below.
    let list = unsafe { rdma_sys::ibv_get_device_list(&mut count) };
    if list.is_null() {
        return Err(refusal(std::io::Error::last_os_error()));
    }
    // SAFETY: the list holds `count` devices until it is freed, and a name lives as long as its device.
    let names: Vec<String> = (0..usize::try_from(count).unwrap_or(0))
        .map(|at| unsafe { rdma_sys::ibv_get_device_name(*list.add(at)) })
        .filter(|name| !name.is_null())
        .map(|name| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
        .collect();
    // SAFETY: from `ibv_get_device_list`, freed once; the names were copied.
    unsafe { rdma_sys::ibv_free_device_list(list) };
    if names.is_empty() { Err(VerbsError::NoDevice) } else { Ok(names) }
}

/// Fails: this build has no verbs.
///
/// # Errors
/// Always.
#[cfg(not(feature = "verbs"))]
pub fn probe() -> Result<Vec<String>, VerbsError> {
    Err(VerbsError::NotBuilt)
}

#[cfg(feature = "verbs")]
pub(super) fn refusal(error: std::io::Error) -> VerbsError {
    match error.raw_os_error() {
        Some(libc::EOPNOTSUPP) => VerbsError::NoLibrary,
        Some(libc::ENOSYS) => VerbsError::NoDevice,
        Some(libc::EPERM | libc::EACCES) => VerbsError::NoPermission,
        _ => VerbsError::DeviceList(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_returns_device_names_or_the_reason() {
        match probe() {
            Ok(names) => assert!(!names.is_empty() && names.iter().all(|name| !name.is_empty())),
            Err(reason) => assert!(!reason.to_string().is_empty()),
        }
    }

    #[cfg(feature = "verbs")]
    #[test]
    fn refusal_maps_each_errno_to_its_text() {
        let line = |code| refusal(std::io::Error::from_raw_os_error(code)).to_string();
        assert_eq!(line(libc::EOPNOTSUPP), "libibverbs is not installed");
        assert_eq!(line(libc::ENOSYS), "no RDMA device");
        assert!(line(libc::ENOMEM).contains("ibv_get_device_list"));
    }
}
