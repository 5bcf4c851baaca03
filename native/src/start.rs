//! Start and end of the cluster.

use crate::cluster::{need_cluster, refused};
use crate::layout::CConfig;
use crate::options::parse_resources;
use crate::pointers::{optional_text, sized, text};
use crate::status::{Fault, guard, guard_value};
use crate::tasks::registration_failure;
use mobula::{Cluster, Config};
use std::cell::Cell;
use std::ffi::c_char;
use std::mem::ManuallyDrop;

thread_local! {
    /// The cluster that this thread started. Not dropped when the thread ends: the program's end shuts it down.
    static STARTED: Cell<Option<ManuallyDrop<Cluster>>> = const { Cell::new(None) };
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
        reserved: [0; 3],
    };

    /// # Safety
    /// The header's contract.
    unsafe fn to_config(self) -> Result<Config, Fault> {
        if self.reserved != [0; 3] {
            return Err(Fault::invalid("config->reserved is not 0: set config up with MOBULA_CONFIG_INIT"));
        }
        let mut config = Config::default();
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

const RUNS_ALREADY: &str =
    "a cluster runs in this process already: call mobula_shutdown first, or set ignore_reinit to share it";

/// That no task runs on this stack: a thread that waits runs tasks on its own, and they may not end its cluster.
///
/// # Errors
/// `Config` if one does.
fn not_in_task() -> Result<(), Fault> {
    match mobula::__native::current_task() {
        0 => Ok(()),
        _ => Err(refused("it was called in a task: only the program's own thread starts and ends the cluster")),
    }
}

/// Starts a cluster by `init`, unless one runs.
///
/// # Errors
/// Those of the start; `Config` in a task, and while a cluster runs.
///
/// # Safety
/// The header's contract for `config`.
pub unsafe fn start(config: *const CConfig, init: impl FnOnce(Config) -> mobula::Result<Cluster>) -> Result<(), Fault> {
    let given = if config.is_null() {
        CConfig::DEFAULT
    } else {
        // SAFETY: the header's contract.
        unsafe { sized(config, CConfig::DEFAULT, "config") }?
    };
    if let Some(failure) = registration_failure() {
        return Err(refused(&failure));
    }
    // SAFETY: the header's contract.
    let config = unsafe { given.to_config() }?;
    let is_running = || {
        if !mobula::is_initialized() {
            return None;
        }
        Some(if given.ignore_reinit != 0 { Ok(()) } else { Err(refused(RUNS_ALREADY)) })
    };
    if let Some(outcome) = is_running() {
        return outcome;
    }
    not_in_task()?;
    match init(config) {
        Ok(cluster) => STARTED.set(Some(ManuallyDrop::new(cluster))),
        // Another thread may have started one meanwhile.
        Err(error) => return is_running().unwrap_or(Err(Fault::Error(error))),
    }
    Ok(())
}

/// `mobula_init` of the header.
#[unsafe(no_mangle)]
unsafe extern "C" fn mobula_init(config: *const CConfig) -> i32 {
    // SAFETY: the header's contract.
    guard("mobula_init", || unsafe { start(config, mobula::init) })
}

/// The cluster that this thread started.
fn take_cluster() -> Result<Cluster, Fault> {
    need_cluster()?;
    not_in_task()?;
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
