//! Ends this rank when its launcher has ended.
//!
//! A launcher ends its ranks before it ends. Not all do, and none can when it is killed: then the ranks would go on,
//! and hold the node.

use crate::base::Error;
use crate::base::log::{Level, log};
use crate::boot::{LauncherProcess, launcher_process};
use crate::runtime::Runtime;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::sync::Once;
use std::time::Duration;

/// How long the program has to end by itself, after its waits returned errors.
const GRACE: Duration = Duration::from_secs(2);

/// Watches this process's launcher from now on, if it has one.
pub fn watch_launcher() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Some(launcher) = launcher_process() else { return };
        let pid = i32::try_from(launcher.pid).ok().and_then(Pid::from_raw);
        let Some(process) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return };
        let watch = std::thread::Builder::new().name("mobula-launcher".to_string());
        if let Err(error) = watch.spawn(move || end_with(&launcher, &process)) {
            log(Level::Warn, || format!("no thread watches the launcher: {error}"));
        }
    });
}

fn end_with(launcher: &LauncherProcess, process: &OwnedFd) {
    while poll(&mut [PollFd::new(process, PollFlags::IN)], None).is_err() {
        // A signal interrupted it.
    }
    let Some(runtime) = Runtime::current() else { return };
    let LauncherProcess { pid, name } = launcher;
    let error = Error::fabric(format!(
        "rank {} on {} ends: its launcher ({name}, process {pid}) ended",
        runtime.cluster.rank, runtime.cluster.host
    ));
    log(Level::Error, || error.to_string());
    let _ = runtime.lifecycle.ended_by.set(error);
    runtime.stop();
    std::thread::sleep(GRACE);
    // The program still computes.
    std::process::exit(1);
}
