//! The end of a driver's process by `exit`, which drops nothing: the cluster ends as if its driver had returned.
//!
//! This holds where all other ranks serve. Where other ranks are drivers too, they may wait for this one in ways of
//! their own: then the process ends as it does without this, and the rank is dead for the others.
//!
//! The session of a running cluster is kept here. A rank that serves takes it: its process ends only when the cluster
//! ends, and if a task of it calls `exit`, the rank is dead for the others.
#![allow(unsafe_code)]

use crate::base::forked::is_forked;
use crate::base::panic::catch;
use crate::base::sync::{Ordering, lock};
use crate::runtime::lifecycle::session::Session;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, Once};
use std::time::Duration;

/// How long a driver that exits at once waits for the others to serve.
const SERVE_TIME: Duration = Duration::from_secs(2);

static IS_EXITING: AtomicBool = AtomicBool::new(false);
static SESSION: Mutex<Option<Session>> = Mutex::new(None);

/// Keeps the session of a cluster that runs from now on, and ends it at `exit`.
pub fn end_at_exit(session: Session) {
    static ONCE: Once = Once::new();
    *lock(&SESSION) = Some(session);
    ONCE.call_once(|| {
        // SAFETY: the handler has the C calling convention, takes nothing, and lives as long as the process.
        unsafe { libc::atexit(on_exit) };
    });
}

/// The session that `end_at_exit` keeps, which then does not end at `exit`. A forked child has none: it is the rank's.
pub fn take_session() -> Option<Session> {
    if is_forked() {
        return None;
    }
    lock(&SESSION).take()
}

/// True once the process exits with a cluster that runs.
pub fn is_exiting() -> bool {
    IS_EXITING.load(Ordering::Relaxed)
}

extern "C" fn on_exit() {
    // A panic must not leave a C function.
    let _ = catch(|| {
        let Some(session) = take_session() else { return };
        IS_EXITING.store(true, Ordering::Relaxed);
        // On another thread: this one's thread-local values are destroyed already.
        let ended = std::thread::Builder::new().name("mobula-exit".to_string()).spawn(|| end(session));
        let _ = ended.map(std::thread::JoinHandle::join);
    });
}

fn end(session: Session) {
    if session.all_others_serve(SERVE_TIME) {
        drop(session);
    } else {
        std::mem::forget(session);
    }
}
