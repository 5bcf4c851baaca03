//! The descriptor on which a rank sleeps: it wakes for the device's completions and for events that other threads queue
//! for the poller.
//!
//! The sleeper and a thread that queues an event must not miss each other:
//!
//! ```text
//! sleeper: armed = true; look for events; sleep         other thread: queue an event; if armed was true, notify
//! ```
//!
//! Each writes its own variable before it reads the other's, and both operations of each are `SeqCst`: at least one of
//! them sees what the other wrote, so that the sleeper finds the event or is notified.

use crate::base::sync::{AtomicBool, Ordering};
use crate::transport::epoll::{EpollSet, Interest, Watched};
use std::io;
use std::os::fd::BorrowedFd;

/// One descriptor for both.
#[derive(Debug)]
pub struct Waker {
    epoll: EpollSet,
    armed: AtomicBool,
}

impl Waker {
    /// A waker for `device`, a descriptor that stays open as long as the waker is used.
    ///
    /// # Errors
    /// What the system refused.
    pub fn new(device: BorrowedFd<'_>) -> io::Result<Waker> {
        let epoll = EpollSet::new()?;
        epoll.add(device, Watched::Device, Interest::Read)?;
        Ok(Waker { epoll, armed: AtomicBool::new(false) })
    }

    /// Becomes readable when the device or another thread has something for the poller.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.descriptor()
    }

    /// From now on `notify` wakes. The caller looks for queued events after this.
    pub fn arm(&self) {
        self.epoll.clear_wake();
        // SeqCst: see above; pairs with the load in `notify`.
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Wakes an armed sleeper. The event was queued before this call, by a `SeqCst` store.
    pub fn notify(&self) {
        // SeqCst: see above; pairs with the store in `arm`.
        if self.armed.swap(false, Ordering::SeqCst) {
            self.epoll.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn readable(waker: &Waker) -> bool {
        !waker.epoll.is_quiet()
    }

    #[test]
    fn notify_wakes_once_for_each_arm() {
        let (device, mut device_end) = std::io::pipe().expect("a pipe");
        let waker = Waker::new(device.as_fd()).expect("created");
        waker.notify();
        assert!(!readable(&waker), "it is not armed");
        waker.arm();
        assert!(!readable(&waker));
        waker.notify();
        waker.notify();
        assert!(readable(&waker));
        waker.arm();
        assert!(!readable(&waker), "arming empties it");
        std::io::Write::write_all(&mut device_end, b"!").expect("written");
        assert!(readable(&waker), "the device has something");
    }
}
