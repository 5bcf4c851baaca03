//! One connection's socket: its options, non-blocking connect, and reads of fixed length during the handshake.
#![allow(unsafe_code)]

use crate::base::limits::NEVER;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, sockopt};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// Bytes that the system may hold for a peer before it sends them. Its own bound is megabytes, behind which a message
/// would wait while a large read is served: three times as long, measured over loopback, for the same bandwidth.
const UNSENT_BYTES: libc::c_int = 256 << 10;

/// Connections that wait to be accepted: all ranks of a job may connect at once. The system may keep fewer (somaxconn).
const BACKLOG: i32 = 4096;

/// Probes to an unresponsive peer before the connection fails.
const KEEPALIVE_PROBES: u32 = 4;

/// Lengthens the queue of connections that wait to be accepted, which the standard library requests shorter.
///
/// # Errors
/// An error of the system.
pub fn set_backlog(listener: impl AsFd) -> io::Result<()> {
    Ok(net::listen(listener, BACKLOG)?)
}

/// Begins to connect; the socket becomes writable when that has succeeded or failed.
///
/// # Errors
/// An immediate error of the system: no route, no descriptor left.
pub fn connect(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// Returns true if the connection is established.
///
/// # Errors
/// How `connect` failed.
pub fn is_connected(socket: &OwnedFd) -> io::Result<bool> {
    sockopt::socket_error(socket)??;
    match net::getpeername(socket) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sets the options of a connection between ranks: no delay of small messages, and an error when the peer does not
/// respond for `peer_timeout`, also while there is nothing to send.
///
/// # Errors
/// An error of the system.
pub fn configure(socket: &OwnedFd, peer_timeout: Duration) -> io::Result<()> {
    sockopt::set_tcp_nodelay(socket, true)?;
    set_peer_timeout(socket, peer_timeout)?;
    bound_unsent(socket);
    Ok(())
}

/// Makes the connection fail when the other host has not responded for `peer_timeout`: the kernels probe each other,
/// whatever the processes do. With a time-out of `NEVER` no failure is detected.
///
/// # Errors
/// An error of the system.
pub fn set_peer_timeout(socket: impl AsFd, peer_timeout: Duration) -> io::Result<()> {
    if peer_timeout >= NEVER {
        return Ok(());
    }
    let (socket, second) = (socket.as_fd(), Duration::from_secs(1));
    // Probes begin after half of the time and fill the other half; the user timeout ends it to the millisecond, and
    // also applies to data that was sent and is not acknowledged.
    sockopt::set_tcp_keepidle(socket, (peer_timeout / 2).max(second))?;
    sockopt::set_tcp_keepintvl(socket, (peer_timeout / 2 / KEEPALIVE_PROBES).max(second))?;
    sockopt::set_tcp_keepcnt(socket, KEEPALIVE_PROBES)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_user_timeout(socket, u32::try_from(peer_timeout.as_millis()).unwrap_or(u32::MAX).max(1))?;
    Ok(())
}

/// Where the system does not know the option, messages wait longer, with no other effect.
fn bound_unsent(socket: &OwnedFd) {
    let bytes = UNSENT_BYTES;
    let length = size_of_val(&bytes) as libc::socklen_t;
    let (socket, option) = (socket.as_raw_fd(), libc::TCP_NOTSENT_LOWAT);
    // SAFETY: an option of an integer, on an open socket; the system reads the integer, a local, during the call.
    unsafe { libc::setsockopt(socket, libc::IPPROTO_TCP, option, (&raw const bytes).cast(), length) };
}

/// Writes as much as the socket takes. Raises no signal where the other end is closed.
///
/// # Errors
/// An error of the system; `WouldBlock` where it takes nothing now.
pub fn write(socket: &impl AsFd, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut nothing = SendAncillaryBuffer::default();
    match net::sendmsg(socket, slices, &mut nothing, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        // The system has no memory for it now: treated as a full socket.
        Err(Errno::NOBUFS | Errno::NOMEM) => Err(io::ErrorKind::WouldBlock.into()),
        other => Ok(other?),
    }
}

/// Writes a few bytes to a socket that has nothing else to write, so that all of them fit.
///
/// # Errors
/// An error of the system, or that they did not fit.
pub fn write_whole(socket: &impl AsFd, bytes: &[u8]) -> io::Result<()> {
    match write(socket, &[IoSlice::new(bytes)])? {
        count if count == bytes.len() => Ok(()),
        count => Err(io::Error::other(format!("{count} of {} bytes were taken", bytes.len()))),
    }
}

/// A fixed number of bytes, gathered as they arrive.
pub struct FixedRead<const BYTES: usize> {
    bytes: [u8; BYTES],
    have: usize,
}

impl<const BYTES: usize> FixedRead<BYTES> {
    /// With no bytes yet.
    pub fn new() -> FixedRead<BYTES> {
        FixedRead { bytes: [0; BYTES], have: 0 }
    }

    /// Reads available bytes up to the fixed number; returns them once all have arrived.
    ///
    /// # Errors
    /// An error of the system; `UnexpectedEof` where the other end closed.
    pub fn read(&mut self, socket: &impl AsFd) -> io::Result<Option<[u8; BYTES]>> {
        while self.have < BYTES {
            match rustix::io::read(socket, &mut self.bytes[self.have..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.have += count,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(self.bytes))
    }
}
