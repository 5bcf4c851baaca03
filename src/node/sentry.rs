//! Waits for roads that only the system can wait for, so that a sleeping rank is rung by them too.
//!
//! A rank sleeps on its bell, which peers of its host ring. TCP and RDMA devices signal through descriptors instead: one
//! thread sleeps on those, and rings. It looks only while the rank sleeps: who polls needs no wake-up.

use crate::base::sync::lock;
use crate::fabric::Fabric;
use crate::mem::Bell;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{PipeReader, PipeWriter};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// The rank is awake.
    Off,
    /// The rank sleeps, or is about to.
    On,
    /// The end.
    Over,
}

struct Shared {
    duty: Mutex<Duty>,
    changed: Condvar,
}

/// The thread, and how it is told.
pub struct Sentry {
    shared: Arc<Shared>,
    /// Dropped to end a wait.
    wake: Mutex<Option<PipeWriter>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sentry {
    /// Over the roads that have a descriptor; `None` where none has.
    pub fn over(roads: &[Arc<dyn Fabric>], bell: &Arc<Bell>) -> Option<Sentry> {
        let roads: Vec<_> = roads.iter().filter(|road| road.wake_fd().is_some()).cloned().collect();
        if roads.is_empty() {
            return None;
        }
        let (ended, wake) = std::io::pipe().ok()?;
        let shared = Arc::new(Shared { duty: Mutex::new(Duty::Off), changed: Condvar::new() });
        let bell = bell.clone();
        let watch = {
            let shared = shared.clone();
            move || stand(&shared, &roads, &ended, &bell)
        };
        let thread = std::thread::Builder::new().name("mobula-sentry".to_string()).spawn(watch).ok()?;
        Some(Sentry { shared, wake: Mutex::new(Some(wake)), thread: Mutex::new(Some(thread)) })
    }

    /// The rank is about to sleep: from now on it is rung.
    pub fn post(&self) {
        let mut duty = lock(&self.shared.duty);
        if *duty == Duty::Off {
            *duty = Duty::On;
            self.shared.changed.notify_one();
        }
    }

    /// Ends the thread; it lets go of the roads.
    pub fn dismiss(&self) {
        *lock(&self.shared.duty) = Duty::Over;
        self.shared.changed.notify_one();
        drop(lock(&self.wake).take());
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

fn stand(shared: &Shared, roads: &[Arc<dyn Fabric>], ended: &PipeReader, bell: &Bell) {
    loop {
        let mut duty = lock(&shared.duty);
        while *duty == Duty::Off {
            duty = shared.changed.wait(duty).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if *duty == Duty::Over {
            return;
        }
        drop(duty);
        let fds = roads.iter().filter_map(|road| road.wake_fd());
        let mut fds: Vec<PollFd<'_>> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        fds.push(PollFd::new(ended, PollFlags::IN));
        // An interrupted wait is one that ended early.
        let _ = poll(&mut fds, None);
        let mut duty = lock(&shared.duty);
        if *duty == Duty::On {
            *duty = Duty::Off;
        }
        drop(duty);
        bell.ring();
    }
}
