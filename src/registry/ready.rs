//! Tasks that wait for references: each is itself what its references notify, and the last one launches it.

use crate::base::sync::Ordering;
use crate::objects::Waiter;
use crate::registry::function::Callable;
use crate::registry::task::{Runnable, Task};
use std::sync::{Arc, OnceLock};

/// Launches a task whose references are complete.
pub type LaunchReady = fn(Arc<dyn Runnable>);

static LAUNCH_READY: OnceLock<LaunchReady> = OnceLock::new();

/// Tasks of this process that waited for references are launched by that function. The first call decides.
pub fn launch_ready_by(launch: LaunchReady) {
    let _ = LAUNCH_READY.set(launch);
}

impl<C: Callable> Waiter for Task<C> {
    fn notify(self: Arc<Self>) {
        if self.header().missing.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(launch) = LAUNCH_READY.get()
        {
            launch(self);
        }
    }
}
