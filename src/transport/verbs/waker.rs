//! What a rank sleeps on: the device's completions, and what other threads of the rank leave for its poller.
//!
//! Who sleeps and who leaves something must not miss each other:
//!
//! ```text
//! sleeper: armed = true; look for notices; sleep         other thread: leave a notice; if armed was true, ring
//! ```
//!
//! Each writes its own before it reads the other's, and both operations of each are `SeqCst`: at least one of them
//! sees what the other wrote, so that the sleeper finds the notice or is rung.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, Ordering};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// One descriptor for both.
#[derive(Debug)]
pub struct Waker {
    both: OwnedFd,
    bell: OwnedFd,
    armed: AtomicBool,
}

impl Waker {
    /// Wakes for `device`, which is open as long as the waker is used.
    ///
    /// # Errors
    /// What the system did not give.
    pub fn new(device: BorrowedFd<'_>) -> io::Result<Waker> {
        // SAFETY: plain numbers; what comes back is checked, and owned by nobody else.
        let (bell, both) = unsafe {
            let bell = opened(libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC))?;
            (bell, opened(libc::epoll_create1(libc::EPOLL_CLOEXEC))?)
        };
        for watched in [device.as_raw_fd(), bell.as_raw_fd()] {
            let mut interest = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            // SAFETY: open descriptors and a filled request.
            if unsafe { libc::epoll_ctl(both.as_raw_fd(), libc::EPOLL_CTL_ADD, watched, &mut interest) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Waker { both, bell, armed: AtomicBool::new(false) })
    }

    /// Readable when the device or another thread has something.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.both.as_fd()
    }

    /// From now on `ring` rings. Look for notices after it.
    pub fn arm(&self) {
        let mut count = 0_u64;
        // SAFETY: eight bytes of a local; a bell that nobody rang says so without waiting.
        unsafe { libc::read(self.bell.as_raw_fd(), (&raw mut count).cast(), 8) };
        // SeqCst: see above; pairs with the load in `ring`.
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Something was left, before this call and by a `SeqCst` store.
    pub fn ring(&self) {
        // SeqCst: see above; pairs with the store in `arm`.
        if self.armed.swap(false, Ordering::SeqCst) {
            let one = 1_u64;
            // SAFETY: eight bytes of a local; the count cannot overflow, because it is rung once for each `arm`.
            unsafe { libc::write(self.bell.as_raw_fd(), (&raw const one).cast(), 8) };
        }
    }
}

/// # Safety
/// The descriptor is the caller's alone, or negative.
unsafe fn opened(descriptor: i32) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as the caller says.
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
    fn the_bell_rings_once_for_each_time_it_is_armed() {
        let (device, mut far_end) = std::io::pipe().expect("a pipe");
        let waker = Waker::new(device.as_fd()).expect("made");
        waker.ring();
        assert!(!readable(&waker), "nobody sleeps");
        waker.arm();
        assert!(!readable(&waker));
        waker.ring();
        waker.ring();
        assert!(readable(&waker));
        waker.arm();
        assert!(!readable(&waker), "arming empties it");
        std::io::Write::write_all(&mut far_end, b"!").expect("written");
        assert!(readable(&waker), "the device has something");
    }
}
