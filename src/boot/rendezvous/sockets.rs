//! Socket calls that the standard library lacks: waiting for many sockets, longer backlogs, more descriptors.
#![allow(unsafe_code)]

use std::io::{Error, ErrorKind, Result};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Events taken from the kernel by one call.
const EVENTS: usize = 256;

/// Connections that the kernel queues for a listener until they are accepted; fewer if `somaxconn` is less.
const BACKLOG: i32 = 4096;

/// Waits for many sockets at once, at a cost that does not grow with the idle ones (epoll).
pub struct Epoll(OwnedFd);

/// The readiness of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadySocket {
    /// As given to [`Epoll::add`].
    pub token: u64,
    /// A read returns at once, if only to report that the peer has closed.
    pub readable: bool,
    /// A write returns at once.
    pub writable: bool,
}

impl Epoll {
    pub fn new() -> Result<Epoll> {
        // SAFETY: the call returns a new descriptor or fails.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: a new descriptor, owned by nothing else.
        Ok(Epoll(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches for readability. A socket is removed by closing it.
    pub fn add(&self, socket: impl AsFd, token: u64) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, socket.as_fd(), libc::EPOLLIN, token)
    }

    /// Watches for the peer's hang-up, reported once as readability; data is ignored.
    pub fn add_hangup(&self, socket: impl AsFd, token: u64) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, socket.as_fd(), libc::EPOLLRDHUP | libc::EPOLLONESHOT, token)
    }

    /// Sets whether a socket that was added is also watched for writability.
    pub fn watch_writable(&self, socket: impl AsFd, token: u64, writing: bool) -> Result<()> {
        let interest = libc::EPOLLIN | if writing { libc::EPOLLOUT } else { 0 };
        self.control(libc::EPOLL_CTL_MOD, socket.as_fd(), interest, token)
    }

    /// Stops watching a socket.
    pub fn remove(&self, socket: impl AsFd) -> Result<()> {
        self.control(libc::EPOLL_CTL_DEL, socket.as_fd(), 0, 0)
    }

    fn control(&self, operation: i32, socket: BorrowedFd<'_>, interest: i32, token: u64) -> Result<()> {
        let mut event = libc::epoll_event { events: interest as u32, u64: token };
        // SAFETY: both descriptors are open, and the event is read before the call returns.
        checked(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, socket.as_raw_fd(), &mut event) }).map(drop)
    }

    /// Sleeps until a socket is ready or `until` has come; without limit if that is `None`.
    pub fn wait(&self, until: Option<Instant>) -> Result<Vec<ReadySocket>> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let milliseconds = until.map_or(-1, |until| {
            // Rounded up: a wait that ends too early would be repeated without sleeping.
            let left = until.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
            i32::try_from(left.as_millis()).unwrap_or(i32::MAX)
        });
        // SAFETY: `events` has as many entries as the call may write.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), EVENTS as i32, milliseconds) };
        let count = match checked(count) {
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            count => count?,
        };
        let events = events.iter().take(count as usize);
        let has = |event: &libc::epoll_event, bits: i32| event.events & bits as u32 != 0;
        // An error or a hang-up is reported by the next operation.
        let broken = libc::EPOLLERR | libc::EPOLLHUP | libc::EPOLLRDHUP;
        Ok(events
            .map(|event| ReadySocket {
                token: event.u64,
                readable: has(event, libc::EPOLLIN | broken),
                writable: has(event, libc::EPOLLOUT | broken),
            })
            .collect())
    }
}

/// Sets a backlog long enough for all ranks to connect at once.
pub fn set_backlog(listener: &TcpListener) -> Result<()> {
    // SAFETY: an open socket that listens already; listening again only changes the backlog.
    checked(unsafe { libc::listen(listener.as_raw_fd(), BACKLOG) }).map(drop)
}

/// Raises the limit of open descriptors by `more`, if the hard limit allows it.
pub fn allow_descriptors(more: u64) -> Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes the limit.
    checked(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    // The descriptors already open are far fewer than this.
    let needed = more + 512;
    if limit.rlim_cur >= needed {
        return Ok(());
    }
    if limit.rlim_max < needed {
        let text = format!("{needed} open files are needed and {} are allowed: raise ulimit -n", limit.rlim_max);
        return Err(Error::other(text));
    }
    limit.rlim_cur = needed;
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
    fn wait_reports_readable_and_writable_sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        set_backlog(&listener).unwrap();
        let watch = Epoll::new().unwrap();
        watch.add(&listener, 7).unwrap();
        assert_eq!(watch.wait(Some(Instant::now())).unwrap(), []);
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        crate::transport::tcp::set_peer_timeout(&client, Duration::from_secs(30)).unwrap();
        assert_eq!(watch.wait(None).unwrap(), [ReadySocket { token: 7, readable: true, writable: false }]);
        let (mut server, _) = listener.accept().unwrap();
        watch.remove(&listener).unwrap();
        watch.add(&server, 8).unwrap();
        watch.watch_writable(&server, 8, true).unwrap();
        assert_eq!(watch.wait(None).unwrap(), [ReadySocket { token: 8, readable: false, writable: true }]);
        watch.watch_writable(&server, 8, false).unwrap();
        client.write_all(b"x").unwrap();
        assert_eq!(watch.wait(None).unwrap(), [ReadySocket { token: 8, readable: true, writable: false }]);
        let mut byte = [0];
        server.read_exact(&mut byte).unwrap();
        drop(client);
        assert!(watch.wait(None).unwrap()[0].readable, "a hang-up is reported as readable");
    }

    #[test]
    fn more_descriptors_than_allowed_is_an_error_with_the_command() {
        allow_descriptors(1).unwrap();
        assert!(allow_descriptors(1 << 40).unwrap_err().to_string().contains("ulimit -n"));
    }
}
