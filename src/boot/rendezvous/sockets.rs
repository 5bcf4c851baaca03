//! What the standard library does not say of sockets: waiting for many at once, room for many connections.
#![allow(unsafe_code)]

use std::io::{Error, ErrorKind, Result};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Events taken from the kernel at once.
const EVENTS: usize = 256;

/// Connections that the kernel keeps for a listener until they are accepted; it takes less where `somaxconn` is less.
const BACKLOG: i32 = 4096;

/// Waits for many sockets at once, at a cost that does not grow with those that are silent (epoll).
pub struct Watch(OwnedFd);

/// What a socket is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// As given to [`Watch::add`].
    pub token: u64,
    /// A read returns at once, if only to say that the other end is gone.
    pub readable: bool,
    /// A write returns at once.
    pub writable: bool,
}

impl Watch {
    pub fn new() -> Result<Watch> {
        // SAFETY: the call makes a descriptor or fails.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: just made, and nobody else's.
        Ok(Watch(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches for something to read. A socket is taken out by closing it.
    pub fn add(&self, socket: impl AsFd, token: u64) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, socket.as_fd(), libc::EPOLLIN, token)
    }

    /// Watches for the other end's end, which is told once as something to read; not for what it says.
    pub fn add_end(&self, socket: impl AsFd, token: u64) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, socket.as_fd(), libc::EPOLLRDHUP | libc::EPOLLONESHOT, token)
    }

    /// Watches a socket that was added for room to write too, or no longer.
    pub fn set_writing(&self, socket: impl AsFd, token: u64, writing: bool) -> Result<()> {
        let interest = libc::EPOLLIN | if writing { libc::EPOLLOUT } else { 0 };
        self.control(libc::EPOLL_CTL_MOD, socket.as_fd(), interest, token)
    }

    /// Watches a socket that was added no longer.
    pub fn remove(&self, socket: impl AsFd) -> Result<()> {
        self.control(libc::EPOLL_CTL_DEL, socket.as_fd(), 0, 0)
    }

    fn control(&self, operation: i32, socket: BorrowedFd<'_>, interest: i32, token: u64) -> Result<()> {
        let mut event = libc::epoll_event { events: interest as u32, u64: token };
        // SAFETY: both descriptors are open, and the event is read before the call returns.
        checked(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, socket.as_raw_fd(), &mut event) }).map(drop)
    }

    /// Sleeps until a socket is ready or `until` has come; without end where there is none.
    pub fn wait(&self, until: Option<Instant>) -> Result<Vec<Ready>> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let milliseconds = until.map_or(-1, |until| {
            // Rounded up: a wait that ends before its time would be repeated without sleeping.
            let left = until.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
            i32::try_from(left.as_millis()).unwrap_or(i32::MAX)
        });
        // SAFETY: `events` has room for as many as are asked for.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), EVENTS as i32, milliseconds) };
        let count = match checked(count) {
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            count => count?,
        };
        let events = events.iter().take(count as usize);
        let has = |event: &libc::epoll_event, bits: i32| event.events & bits as u32 != 0;
        // An error or a hang-up shows in whatever is done next.
        let broken = libc::EPOLLERR | libc::EPOLLHUP | libc::EPOLLRDHUP;
        Ok(events
            .map(|event| Ready {
                token: event.u64,
                readable: has(event, libc::EPOLLIN | broken),
                writable: has(event, libc::EPOLLOUT | broken),
            })
            .collect())
    }
}

/// Room for all ranks to come at once.
pub fn widen(listener: &TcpListener) -> Result<()> {
    // SAFETY: an open socket that listens already; to listen again changes the backlog alone.
    checked(unsafe { libc::listen(listener.as_raw_fd(), BACKLOG) }).map(drop)
}

/// Lets this process have so many descriptors open more, where its user may.
pub fn allow_descriptors(more: u64) -> Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes the limit.
    checked(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    // What is open already is far less than this.
    let wanted = more + 512;
    if limit.rlim_cur >= wanted {
        return Ok(());
    }
    if limit.rlim_max < wanted {
        let text = format!("{wanted} open files are needed and {} are allowed: raise ulimit -n", limit.rlim_max);
        return Err(Error::other(text));
    }
    limit.rlim_cur = wanted;
    // SAFETY: the call reads the limit.
    checked(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }).map(drop)
}

fn checked(code: i32) -> Result<i32> {
    if code < 0 { Err(Error::last_os_error()) } else { Ok(code) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    #[test]
    fn a_watch_tells_which_socket_is_ready_for_what() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        widen(&listener).unwrap();
        let watch = Watch::new().unwrap();
        watch.add(&listener, 7).unwrap();
        assert_eq!(watch.wait(Some(Instant::now())).unwrap(), []);
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        crate::transport::tcp::notice_silence(&client, Duration::from_secs(30)).unwrap();
        assert_eq!(watch.wait(None).unwrap(), [Ready { token: 7, readable: true, writable: false }]);
        let (mut server, _) = listener.accept().unwrap();
        watch.remove(&listener).unwrap();
        watch.add(&server, 8).unwrap();
        watch.set_writing(&server, 8, true).unwrap();
        assert_eq!(watch.wait(None).unwrap(), [Ready { token: 8, readable: false, writable: true }]);
        watch.set_writing(&server, 8, false).unwrap();
        client.write_all(b"x").unwrap();
        assert_eq!(watch.wait(None).unwrap(), [Ready { token: 8, readable: true, writable: false }]);
        let mut byte = [0];
        server.read_exact(&mut byte).unwrap();
        drop(client);
        assert!(watch.wait(None).unwrap()[0].readable, "the end shows as something to read");
    }

    #[test]
    fn more_descriptors_than_allowed_are_refused_with_the_command() {
        allow_descriptors(1).unwrap();
        assert!(allow_descriptors(1 << 40).unwrap_err().to_string().contains("ulimit -n"));
    }
}
