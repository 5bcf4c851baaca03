//! Where peers may connect to this rank.

use super::interface::Addresses;
use crate::base::error::{Error, Result};
use crate::base::log::{Level, say};
use serde::{Deserialize, Serialize};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

/// Connections that wait to be accepted: all ranks of a job may come at once. The system may keep fewer (somaxconn).
const BACKLOG: i32 = 4096;

/// What a rank tells the others, so that they can connect to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpCard {
    /// Where it listens, the preferred first.
    pub addresses: Vec<SocketAddr>,
    /// Its host, for people.
    pub host: String,
}

/// Bound, so that peers may connect; nobody is served before [`super::TcpFabric::start`].
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<OwnedFd>,
    card: TcpCard,
}

impl Listener {
    /// Listens on each of `addresses`, on a port of `ports` where there is such a wish.
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
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_string();
        if sockets.is_empty() {
            let wish = ports.map_or_else(String::new, |ports| {
                format!(
                    " on a port of {} to {}: give a range with a free port for every rank of the host",
                    ports.start(),
                    ports.end()
                )
            });
            let failures = if failures.is_empty() { "it has no address".to_string() } else { failures.join("; ") };
            return Err(Error::config(format!("no rank can reach host {host} by TCP ({failures}){wish}")));
        }
        for failure in failures {
            say(Level::Warn, || format!("host {host} does not listen on {failure}"));
        }
        Ok(Listener { sockets, card: TcpCard { addresses: bound, host } })
    }

    /// What to tell the other ranks.
    pub fn card(&self) -> TcpCard {
        self.card.clone()
    }
}

fn listen(address: IpAddr, ports: Option<&RangeInclusive<u16>>) -> io::Result<(OwnedFd, SocketAddr)> {
    let mut last = io::Error::other("an empty range of ports");
    for port in ports.cloned().unwrap_or(0..=0) {
        match TcpListener::bind(SocketAddr::new(address, port)) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                let address = listener.local_addr()?;
                // The library asks for a shorter queue; asking again lengthens it.
                rustix::net::listen(&listener, BACKLOG)?;
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
    fn every_address_gets_a_port_of_the_range() {
        let free = Listener::open(&Addresses::loopback(), None).expect("a free port").card();
        let port = free.addresses[0].port();
        // The listener is closed again: its port is free, as far as anything else on the host lets it be.
        let listener = Listener::open(&Addresses::loopback(), Some(port..=u16::MAX)).expect("a port of the range");
        assert!(listener.card().addresses[0].port() >= port);
        assert!(!listener.card().host.is_empty());
        let taken = listener.card().addresses[0].port();
        let error = Listener::open(&Addresses::loopback(), Some(taken..=taken)).expect_err("taken").to_string();
        assert!(error.contains(&format!("{taken} to {taken}")) && error.contains("127.0.0.1"), "{error}");
    }

    #[test]
    fn an_address_of_another_host_is_left_out() {
        let elsewhere = IpAddr::from(Ipv4Addr::new(192, 0, 2, 1));
        let both = Addresses(vec![elsewhere, Ipv4Addr::LOCALHOST.into()]);
        let card = Listener::open(&both, None).expect("one of them").card();
        assert!(card.addresses.len() == 1 && card.addresses[0].ip().is_loopback());
        assert!(Listener::open(&Addresses(vec![elsewhere]), None).expect_err("none").to_string().contains("192.0.2.1"));
        assert!(Listener::open(&Addresses(vec![]), None).expect_err("none").to_string().contains("no address"));
    }
}
