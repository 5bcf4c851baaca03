//! A text that rank 0 gives to the ranks of its user on its host, over a socket in the abstract namespace.
//!
//! Such a socket has no file: no folder need be common or writable, and nothing is left when rank 0 is killed. It is
//! the same in all mount, PID, UTS, IPC and user namespaces, and another one in each network namespace. Every process
//! of the host may connect or take the name first, so each end checks the user of the other (`SO_PEERCRED`).

use super::LocateError;
use super::private::{self, peer_user};
use crate::base::log::{Level, log};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Error, ErrorKind, PipeWriter, Read, Result, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long rank 0, once it has accepted a connection, may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a caller waits in the queue before the next try to accept it, if that fails.
const RETRY_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Longer than any text that is offered; the rest is not read.
const TEXT_BYTES_MAX: u64 = 64 << 10;

/// An offer that stands until it is dropped.
pub struct Offer {
    /// Closing it ends the thread.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Offer {
    /// Offers the text under this name, to processes of this user.
    ///
    /// # Errors
    /// `AddrInUse` with its holder if the name is taken, or what the system reports.
    pub fn open(name: &str, text: String) -> Result<Offer> {
        let address = SocketAddr::from_abstract_name(name)?;
        let listener = UnixListener::bind_addr(&address).map_err(|error| {
            let holder = UnixStream::connect_addr(&address).and_then(|end| peer_user(&end));
            match (error.kind(), holder) {
                (ErrorKind::AddrInUse, Ok(user)) => {
                    Error::new(ErrorKind::AddrInUse, format!("a process of user {user} holds the socket @{name}"))
                }
                _ => error,
            }
        })?;
        listener.set_nonblocking(true)?;
        let (stopped, stop) = std::io::pipe()?;
        let serve = move || {
            loop {
                let mut ends = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&stopped, PollFlags::IN)];
                if poll(&mut ends, None).is_ok() && !ends[1].revents().is_empty() {
                    return;
                }
                match listener.accept() {
                    Ok((stream, _)) => answer(stream, &text).unwrap_or_else(|error| {
                        log(Level::Debug, || {
                            format!("a process that asked where rank 0 listens got no answer: {error}")
                        });
                    }),
                    // It has gone again.
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => {}
                    // This process has no descriptor left: the caller waits in the queue until it has one.
                    Err(_) => {
                        let _ = poll(&mut [PollFd::new(&stopped, PollFlags::IN)], Some(&RETRY_INTERVAL));
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("mobula-offer".to_string()).spawn(serve)?;
        Ok(Offer { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A short text fits into the socket's buffer: writing it does not wait for the reader.
fn answer(mut stream: UnixStream, text: &str) -> Result<()> {
    check_peer(&stream)?;
    stream.set_nonblocking(true)?;
    stream.write_all(text.as_bytes())
}

/// The text that a process of this user offers under this name.
///
/// # Errors
/// `NotOffered` if none does so far; `File` with what the system reports, or if the socket is another user's.
pub fn take(name: &str) -> std::result::Result<String, LocateError> {
    let take = || {
        let stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
        check_peer(&stream)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let mut text = String::new();
        stream.take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    };
    take().map_err(|error: Error| match error.kind() {
        ErrorKind::ConnectionRefused => LocateError::NotOffered,
        _ => LocateError::File(error),
    })
}

fn check_peer(stream: &UnixStream) -> Result<()> {
    let (user, me) = (peer_user(stream)?, private::user());
    if user == me {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::PermissionDenied,
        format!("the process at the other end belongs to user {user}, and this one to user {me}: it is not trusted"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tcp::handshake::Secret;

    fn unused_name() -> String {
        format!("mobula-test-{}", private::hex(&Secret::random().bytes()[..8]))
    }

    #[test]
    fn offered_text_is_taken_until_the_offer_ends() {
        let name = unused_name();
        assert!(matches!(take(&name), Err(LocateError::NotOffered)));
        let offer = Offer::open(&name, "where rank 0 listens".to_string()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(take(&name).unwrap(), "where rank 0 listens"));
            }
        });
        let error = Offer::open(&name, String::new()).err().unwrap();
        assert!(error.to_string().contains(&format!("user {} holds", private::user())), "{error}");
        drop(offer);
        assert!(matches!(take(&name), Err(LocateError::NotOffered)));
        drop(Offer::open(&name, String::new()).unwrap());
    }

    #[test]
    fn connection_that_asks_nothing_delays_no_other() {
        let name = unused_name();
        let _offer = Offer::open(&name, "text".to_string()).unwrap();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _silent: Vec<UnixStream> = (0..20).map(|_| UnixStream::connect_addr(&address).unwrap()).collect();
        assert_eq!(take(&name).unwrap(), "text");
    }
}
