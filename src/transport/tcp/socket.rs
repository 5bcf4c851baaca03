//! One connection's socket: its options, connecting without waiting, and reading fixed lengths during the handshake.
#![allow(unsafe_code)]

use crate::base::limits::NEVER;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, sockopt};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// Bytes that the system may hold for a peer before it sends them. Its own bound is megabytes, behind which a message would
/// wait while a large read is served: three times as long, measured over loopback, for the same bandwidth.
const UNSENT_BYTES: libc::c_int = 256 << 10;

/// Questions to a silent peer before it is given up.
const KEEPALIVE_PROBES: u32 = 4;

/// Begins to connect; the socket is writable when that has ended, well or not.
///
/// # Errors
/// What the system says at once: no route, no descriptor left.
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

/// Whether `connect` has ended.
///
/// # Errors
/// How it failed.
pub fn is_connected(socket: &OwnedFd) -> io::Result<bool> {
    sockopt::socket_error(socket)??;
    match net::getpeername(socket) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What a connection between ranks needs: no delay of small messages, and that a peer which does not answer for `silence`
/// is noticed, whether there is something to send or not.
///
/// # Errors
/// What the system says.
pub fn set_up(socket: &OwnedFd, silence: Duration) -> io::Result<()> {
    sockopt::set_tcp_nodelay(socket, true)?;
    notice_silence(socket, silence)?;
    bound_unsent(socket);
    Ok(())
}

/// The connection breaks when its other host has not answered for `silence`: the kernels ask each other, whatever the
/// processes do. Of a silence without end nothing is noticed.
///
/// # Errors
/// What the system says.
pub fn notice_silence(socket: impl AsFd, silence: Duration) -> io::Result<()> {
    if silence >= NEVER {
        return Ok(());
    }
    let (socket, second) = (socket.as_fd(), Duration::from_secs(1));
    // Questions begin after half of the time and fill the other half; the user timeout ends it on the millisecond, and
    // counts for what was sent and is not acknowledged as well.
    sockopt::set_tcp_keepidle(socket, (silence / 2).max(second))?;
    sockopt::set_tcp_keepintvl(socket, (silence / 2 / KEEPALIVE_PROBES).max(second))?;
    sockopt::set_tcp_keepcnt(socket, KEEPALIVE_PROBES)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_user_timeout(socket, u32::try_from(silence.as_millis()).unwrap_or(u32::MAX).max(1))?;
    Ok(())
}

/// Where the system does not know the option, messages wait longer, and nothing else happens.
fn bound_unsent(socket: &OwnedFd) {
    let bytes = UNSENT_BYTES;
    let length = size_of_val(&bytes) as libc::socklen_t;
    let (socket, option) = (socket.as_raw_fd(), libc::TCP_NOTSENT_LOWAT);
    // SAFETY: an option of an integer, on an open socket; the system reads the integer, a local, during the call.
    unsafe { libc::setsockopt(socket, libc::IPPROTO_TCP, option, (&raw const bytes).cast(), length) };
}

/// Writes as much as the socket takes. No signal comes where the other end is closed.
///
/// # Errors
/// What the system says; `WouldBlock` where it takes nothing now.
pub fn write(socket: &impl AsFd, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut nothing = SendAncillaryBuffer::default();
    match net::sendmsg(socket, slices, &mut nothing, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        // No memory for it in the system now: as if the socket were full.
        Err(Errno::NOBUFS | Errno::NOMEM) => Err(io::ErrorKind::WouldBlock.into()),
        other => Ok(other?),
    }
}

/// Writes a few bytes to a socket that has nothing else to write, so that all of them fit.
///
/// # Errors
/// What the system says, or that they did not fit.
pub fn write_whole(socket: &impl AsFd, bytes: &[u8]) -> io::Result<()> {
    match write(socket, &[IoSlice::new(bytes)])? {
        count if count == bytes.len() => Ok(()),
        count => Err(io::Error::other(format!("{count} of {} bytes were taken", bytes.len()))),
    }
}

/// A fixed number of bytes, as they come.
pub struct Gather<const BYTES: usize> {
    bytes: [u8; BYTES],
    have: usize,
}

impl<const BYTES: usize> Gather<BYTES> {
    /// None yet.
    pub fn new() -> Gather<BYTES> {
        Gather { bytes: [0; BYTES], have: 0 }
    }

    /// Reads what is there, and nothing that comes after; the bytes when there are all.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` where the other end closed.
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
