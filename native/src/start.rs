//! Start and end of the cluster.

use crate::layout::CConfig;
use crate::options::parse_resources;
use crate::pointers::{optional_text, sized, text};
use crate::status::{Fault, guard, guard_value};
use crate::tasks::registration_failure;
use mobula::{Cluster, Config, Error};
use std::cell::Cell;
use std::ffi::c_char;
use std::mem::ManuallyDrop;

thread_local! {
    /// The cluster that this thread started. Not dropped when the thread ends: the program's end shuts it down.
    static STARTED: Cell<Option<ManuallyDrop<Cluster>>> = const { Cell::new(None) };
}

/// That the call needs a running cluster.
///
/// # Errors
/// `Config` if none runs.
pub fn need_cluster() -> Result<(), Fault> {
    if mobula::is_initialized() {
        return Ok(());
    }
    Err(refused("no cluster runs in this process: call mobula_init first, and mobula_shutdown last"))
}

fn refused(text: &str) -> Fault {
    Fault::Error(Error::Config { message: text.to_string(), source: None })
}

impl CConfig {
    const DEFAULT: CConfig = CConfig {
        size: size_of::<CConfig>(),
        num_cpus: -1.0,
        num_gpus: -1.0,
        resources: std::ptr::null(),
        store_bytes: 0,
        workers: 0,
        ignore_reinit: 0,
    };

    /// # Safety
    /// The header's contract.
    unsafe fn to_config(self) -> Result<Config, Fault> {
        let mut config = Config::default().ignore_reinit(self.ignore_reinit != 0);
        // Not a number is refused by the start.
        if self.num_cpus.is_nan() || self.num_cpus >= 0.0 {
            config = config.num_cpus(self.num_cpus);
        }
        if self.num_gpus.is_nan() || self.num_gpus >= 0.0 {
            config = config.num_gpus(self.num_gpus);
        }
        if self.store_bytes > 0 {
            config = config.store_bytes(self.store_bytes);
        }
        if let Ok(workers @ 1..) = usize::try_from(self.workers) {
            config = config.workers(workers);
        }
        // SAFETY: the caller's promise.
        if let Some(resources) = unsafe { optional_text(self.resources, "config->resources") }? {
            for (name, amount) in parse_resources(resources, "config->resources")? {
                config = config.resource(name, amount);
            }
        }
        Ok(config)
    }
}

/// `mobula_init` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_init(config: *const CConfig) -> i32 {
    guard("mobula_init", || {
        let given = if config.is_null() {
            CConfig::DEFAULT
        } else {
            // SAFETY: the header's contract.
            unsafe { sized(config, CConfig::DEFAULT, "config") }?
        };
        if let Some(failure) = registration_failure() {
            return Err(refused(&failure));
        }
        if mobula::is_initialized() {
            if given.ignore_reinit != 0 {
                return Ok(());
            }
            return Err(refused(
                "a cluster runs in this process already: call mobula_shutdown first, or set ignore_reinit to share it",
            ));
        }
        // SAFETY: the header's contract.
        let cluster = mobula::init(unsafe { given.to_config() }?)?;
        STARTED.set(Some(ManuallyDrop::new(cluster)));
        Ok(())
    })
}

/// The cluster that this thread started.
fn take_cluster() -> Result<Cluster, Fault> {
    need_cluster()?;
    let started = STARTED.take().map(ManuallyDrop::into_inner);
    started.ok_or_else(|| refused("another thread started the cluster: only that one may end it"))
}

/// `mobula_serve` of the header.
#[unsafe(no_mangle)]
extern "C" fn mobula_serve() -> i32 {
    guard("mobula_serve", || Ok(take_cluster()?.serve()?))
}

/// `mobula_shutdown` of the header.
#[unsafe(no_mangle)]
extern "C" fn mobula_shutdown() -> i32 {
    guard("mobula_shutdown", || Ok(take_cluster()?.shutdown()?))
}

/// `mobula_rank` of the header.
#[unsafe(no_mangle)]
extern "C" fn mobula_rank() -> u32 {
    guard_value(0, || mobula::__native::rank_and_size().map_or(0, |(rank, _)| rank))
}

/// `mobula_size` of the header.
#[unsafe(no_mangle)]
extern "C" fn mobula_size() -> u32 {
    guard_value(0, || mobula::__native::rank_and_size().map_or(0, |(_, size)| size))
}

/// `mobula_is_initialized` of the header.
#[unsafe(no_mangle)]
extern "C" fn mobula_is_initialized() -> bool {
    guard_value(false, mobula::is_initialized)
}

/// `mobula_resource_total` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_resource_total(name: *const c_char) -> f64 {
    // SAFETY: the header's contract.
    let name = unsafe { text(name, "name") };
    guard_value(0.0, || name.map_or(0.0, |name| mobula::cluster_resources().get(name).copied().unwrap_or(0.0)))
}

/// `mobula_resource_available` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_resource_available(name: *const c_char) -> f64 {
    // SAFETY: the header's contract.
    let name = unsafe { text(name, "name") };
    guard_value(0.0, || name.map_or(0.0, |name| mobula::available_resources().get(name).copied().unwrap_or(0.0)))
}
