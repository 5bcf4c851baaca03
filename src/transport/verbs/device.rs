//! An opened device: its abilities, and the domain in which memory and queues belong together.
#![allow(unsafe_code)]

use super::probe;
use rdma_sys as verbs;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// What a device can hold and do.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// Bytes that it registers at once.
    pub registered_bytes_max: u64,
    /// Queue pairs.
    pub queue_pairs: u32,
    /// Requests of a shared receive queue.
    pub receives: u32,
    /// Places of a completion queue.
    pub completions: u32,
    /// Reads by one peer that it serves at once.
    pub reads_served: u8,
    /// Reads of one peer that it has under way at once.
    pub reads_asked: u8,
}

/// What a port tells of itself.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// InfiniBand's local address.
    pub lid: u16,
    /// The code of the largest packet in use.
    pub mtu: u8,
    /// Bytes of the largest single transfer.
    pub transfer_bytes_max: u32,
}

/// A device and its protection domain; closed when the last thing made with it is gone.
#[derive(Debug)]
pub struct Device {
    context: NonNull<verbs::ibv_context>,
    domain: NonNull<verbs::ibv_pd>,
    name: String,
}

// SAFETY: libibverbs is thread-safe; what its man pages except, we do not do.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// Opens the device of that name.
    ///
    /// # Errors
    /// One line for the banner.
    pub fn open(name: &str) -> Result<Device, String> {
        let context = open_context(name)?;
        // SAFETY: `context` is open.
        let domain = unsafe { verbs::ibv_alloc_pd(context.as_ptr()) };
        let Some(domain) = NonNull::new(domain) else {
            let error = io::Error::last_os_error();
            // SAFETY: opened above and used by nothing.
            unsafe { verbs::ibv_close_device(context.as_ptr()) };
            return Err(format!("{name} gives no protection domain: {error}"));
        };
        Ok(Device { context, domain, name: name.to_string() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For calls that make something on it.
    pub(super) fn context(&self) -> *mut verbs::ibv_context {
        self.context.as_ptr()
    }

    /// For calls that make something in its domain.
    pub(super) fn domain(&self) -> *mut verbs::ibv_pd {
        self.domain.as_ptr()
    }

    /// What it can hold and do.
    ///
    /// # Errors
    /// One line for the banner.
    pub fn abilities(&self) -> Result<Abilities, String> {
        let mut found = MaybeUninit::<verbs::ibv_device_attr>::zeroed();
        // SAFETY: an open device and room for the answer.
        let code = unsafe { verbs::ibv_query_device(self.context(), found.as_mut_ptr()) };
        if code != 0 {
            return Err(format!("{} does not tell its abilities: {}", self.name, failure(code)));
        }
        // SAFETY: plain integers, zeroed and then filled.
        let found = unsafe { found.assume_init() };
        let count = |value: i32| u32::try_from(value).unwrap_or(0);
        let reads = |value: i32| value.clamp(0, 255) as u8;
        Ok(Abilities {
            registered_bytes_max: found.max_mr_size,
            queue_pairs: count(found.max_qp),
            receives: count(found.max_srq_wr),
            completions: count(found.max_cqe),
            reads_served: reads(found.max_qp_rd_atom),
            reads_asked: reads(found.max_qp_init_rd_atom),
        })
    }

    /// What one of its ports tells.
    ///
    /// # Errors
    /// One line for the banner.
    pub fn port(&self, port: u8) -> Result<Port, String> {
        let mut found = MaybeUninit::<verbs::ibv_port_attr>::zeroed();
        // SAFETY: an open device and room for the answer.
        let code = unsafe { verbs::ibv_query_port(self.context(), port, found.as_mut_ptr()) };
        if code != 0 {
            return Err(format!("{} does not tell of its port {port}: {}", self.name, failure(code)));
        }
        // SAFETY: plain integers, zeroed and then filled.
        let found = unsafe { found.assume_init() };
        Ok(Port { lid: found.lid, mtu: found.active_mtu as u8, transfer_bytes_max: found.max_msg_sz.max(4096) })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: made in `open`, freed once; everything made with them holds this device, so nothing uses them now.
        unsafe {
            verbs::ibv_dealloc_pd(self.domain.as_ptr());
            verbs::ibv_close_device(self.context.as_ptr());
        }
    }
}

fn open_context(name: &str) -> Result<NonNull<verbs::ibv_context>, String> {
    let mut count = 0;
    // SAFETY: `count` is a local; the list is checked before use and freed below.
    let list = unsafe { verbs::ibv_get_device_list(&mut count) };
    if list.is_null() {
        return Err(probe::refusal(io::Error::last_os_error()));
    }
    let mut opened = Err(format!("{name} is not among the devices of libibverbs: is its provider installed?"));
    for at in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the list holds `count` devices until it is freed, and a name lives as long as its device.
        let (device, found) = unsafe {
            let device = *list.add(at);
            let found = verbs::ibv_get_device_name(device);
            (device, if found.is_null() { None } else { CStr::from_ptr(found).to_str().ok() })
        };
        if found == Some(name) {
            // SAFETY: a device of the list. An opened device outlives the list.
            let context = unsafe { verbs::ibv_open_device(device) };
            opened = NonNull::new(context).ok_or_else(|| {
                let error = io::Error::last_os_error();
                format!("{name} cannot be opened: {error}; /dev/infiniband/uverbs* must be open to this user")
            });
        }
    }
    // SAFETY: from `ibv_get_device_list`, freed once.
    unsafe { verbs::ibv_free_device_list(list) };
    opened
}

/// What libibverbs returned, in words; some calls give the error's number, some -1 and `errno`.
pub(super) fn failure(code: i32) -> io::Error {
    match code {
        -1 => io::Error::last_os_error(),
        code => io::Error::from_raw_os_error(code.abs()),
    }
}
