//! The sockets at which peers connect to this rank.

use super::interface::Addresses;
use super::socket::set_backlog;
use crate::base::error::{Error, Result};
use crate::base::host::host_name;
use crate::base::log::{Level, log};
use serde::{Deserialize, Serialize};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

/// The contact data of a rank, which it sends to the others so that they can connect to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpAddress {
    /// The addresses at which it listens, the preferred first.
    pub socket_addresses: Vec<SocketAddr>,
    /// The name of its host, for messages.
    pub host: String,
}

/// Bound, so that peers may connect; no peer is served before [`super::TcpTransport::start`].
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<OwnedFd>,
    address: TcpAddress,
}

impl Listener {
    /// Listens on each of `addresses`, on a port of `ports` where it is given.
    ///
    /// # Errors
    /// `Error::Config` where it can listen on none of them.
    pub fn open(addresses: &Addresses, ports: Option<RangeInclusive<u16>>) -> Result<Listener> {
        let (mut sockets, mut bound, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        for address in &addresses.0 {
            match listen(*address, ports.as_ref()) {
                Ok((socket, address)) => {
                    sockets.push(socket);
                    bound.push(address);
                }
                Err(error) => failures.push(format!("{address}: {error}")),
            }
        }
        let host = host_name();
        if sockets.is_empty() {
            let hint = ports.map_or_else(String::new, |ports| {
                format!(
                    " on a port of {} to {}: give a range with a free port for every rank of the host",
                    ports.start(),
                    ports.end()
                )
            });
            let failures = if failures.is_empty() { "it has no address".to_string() } else { failures.join("; ") };
            return Err(Error::config(format!("no rank can reach host {host} by TCP ({failures}){hint}")));
        }
        for failure in failures {
            log(Level::Warn, || format!("host {host} does not listen on {failure}"));
        }
        Ok(Listener { sockets, address: TcpAddress { socket_addresses: bound, host } })
    }

    /// The contact data to send to the other ranks.
    pub fn address(&self) -> TcpAddress {
        self.address.clone()
    }
}

fn listen(address: IpAddr, ports: Option<&RangeInclusive<u16>>) -> io::Result<(OwnedFd, SocketAddr)> {
    let mut last = io::Error::other("an empty range of ports");
    for port in ports.cloned().unwrap_or(0..=0) {
        match TcpListener::bind(SocketAddr::new(address, port)) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                let address = listener.local_addr()?;
                set_backlog(&listener)?;
                return Ok((listener.into(), address));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn listening_in_a_port_range_binds_a_port_of_it() {
        let free = Listener::open(&Addresses::loopback(), None).expect("a free port").address();
        let port = free.socket_addresses[0].port();
        // The listener is closed again: its port is free, unless another program on the host takes it.
        let listener = Listener::open(&Addresses::loopback(), Some(port..=u16::MAX)).expect("a port of the range");
        assert!(listener.address().socket_addresses[0].port() >= port);
        assert!(!listener.address().host.is_empty());
        let taken = listener.address().socket_addresses[0].port();
        let error = Listener::open(&Addresses::loopback(), Some(taken..=taken)).expect_err("taken").to_string();
        assert!(error.contains(&format!("{taken} to {taken}")) && error.contains("127.0.0.1"), "{error}");
    }

    #[test]
    fn address_of_another_host_is_skipped() {
        let elsewhere = IpAddr::from(Ipv4Addr::new(192, 0, 2, 1));
        let both = Addresses(vec![elsewhere, Ipv4Addr::LOCALHOST.into()]);
        let address = Listener::open(&both, None).expect("one of them").address();
        assert!(address.socket_addresses.len() == 1 && address.socket_addresses[0].ip().is_loopback());
        assert!(Listener::open(&Addresses(vec![elsewhere]), None).expect_err("none").to_string().contains("192.0.2.1"));
        assert!(Listener::open(&Addresses(vec![]), None).expect_err("none").to_string().contains("no address"));
    }
}
