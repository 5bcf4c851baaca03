//! How far a rank is between its start and its end.

use crate::base::Error;
use crate::base::sync::{AtomicBool, Ordering};
use crate::runtime::lifecycle::shutdown::Shutdown;
use std::sync::OnceLock;
use std::thread::{Thread, ThreadId};

/// How far a rank is between its start and its end.
pub struct Lifecycle {
    stopping: AtomicBool,
    /// The rank has no more threads and sends nothing; arrays of its store may still be read.
    pub(super) ended: AtomicBool,
    /// Which ranks are ready for shutdown.
    pub shutdown: Shutdown,
    /// The thread that waits for the shutdown.
    pub(super) shutdown_thread: OnceLock<Thread>,
    /// The thread that started the rank.
    init_thread: ThreadId,
    /// Why the cluster ended for this rank, if rank 0 died, or the others declared this rank dead.
    pub ended_by: OnceLock<Error>,
}

impl Lifecycle {
    /// Of a cluster of `size` ranks that starts.
    pub fn new(size: u32) -> Lifecycle {
        Lifecycle {
            stopping: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            shutdown: Shutdown::new(size),
            shutdown_thread: OnceLock::new(),
            init_thread: std::thread::current().id(),
            ended_by: OnceLock::new(),
        }
    }

    /// True if the shutdown has begun.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// True on the thread that started the rank: the driver's own.
    pub fn is_init_thread(&self) -> bool {
        self.init_thread == std::thread::current().id()
    }

    /// The shutdown begins.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.shutdown_thread.get() {
            thread.unpark();
        }
    }

    /// True once the rank sends nothing any more; arrays of its store may still be read.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// True if this rank's driver has finished.
    pub fn driver_has_finished(&self) -> bool {
        self.shutdown_thread.get().is_some()
    }

    /// The error of a wait that the end of the cluster cuts short.
    pub fn end_reason(&self) -> Error {
        let otherwise = || Error::config("the cluster was shut down while something was waited for");
        self.ended_by.get().cloned().unwrap_or_else(otherwise)
    }
}
