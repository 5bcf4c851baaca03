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
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, Ordering};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// One descriptor for both.
#[derive(Debug)]
pub struct Waker {
    epoll: OwnedFd,
    eventfd: OwnedFd,
    armed: AtomicBool,
}

impl Waker {
    /// A waker for `device`, a descriptor that stays open as long as the waker is used.
    ///
    /// # Errors
    /// What the system refused.
    pub fn new(device: BorrowedFd<'_>) -> io::Result<Waker> {
        // SAFETY: plain numbers; the result is checked, and owned by nothing else.
        let (eventfd, epoll) = unsafe {
            let eventfd = opened(libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC))?;
            (eventfd, opened(libc::epoll_create1(libc::EPOLL_CLOEXEC))?)
        };
        for watched in [device.as_raw_fd(), eventfd.as_raw_fd()] {
            let mut interest = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            // SAFETY: open descriptors and a filled request.
            if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, watched, &mut interest) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Waker { epoll, eventfd, armed: AtomicBool::new(false) })
    }

    /// Becomes readable when the device or another thread has something for the poller.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// From now on `notify` wakes. The caller looks for queued events after this.
    pub fn arm(&self) {
        let mut count = 0_u64;
        // SAFETY: eight bytes of a local; reading an eventfd of count 0 fails without blocking.
        unsafe { libc::read(self.eventfd.as_raw_fd(), (&raw mut count).cast(), 8) };
        // SeqCst: see above; pairs with the load in `notify`.
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Wakes an armed sleeper. The event was queued before this call, by a `SeqCst` store.
    pub fn notify(&self) {
        // SeqCst: see above; pairs with the store in `arm`.
        if self.armed.swap(false, Ordering::SeqCst) {
            let one = 1_u64;
            // SAFETY: eight bytes of a local; the count cannot overflow, because it is raised once for each `arm`.
            unsafe { libc::write(self.eventfd.as_raw_fd(), (&raw const one).cast(), 8) };
        }
    }
}

/// # Safety
/// The descriptor is the caller's alone, or negative.
unsafe fn opened(descriptor: i32) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller promises it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(waker: &Waker) -> bool {
        let mut entry = libc::pollfd { fd: waker.descriptor().as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, which is exclusively ours.
        unsafe { libc::poll(&mut entry, 1, 0) == 1 }
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
