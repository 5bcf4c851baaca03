//! The port at which rank 0 listens: one that the user configured, any free one, or one of a sequence that every rank
//! derives from the job's secret.

use crate::base::config::Ports;
use crate::transport::tcp::handshake::Secret;
use std::io::{ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// Ports that rank 0 tries if it cannot send the others its port.
pub const CANDIDATE_PORTS: usize = 16;

/// Below the range from which Linux takes ports of outgoing connections, so that few are in use.
const DEFAULT_PORTS: Ports = Ports { first: 20_000, last: 32_767 };

/// How long a port may stay in use by something that is ending: a connection, or the previous meeting.
const IN_USE_TIMEOUT: Duration = Duration::from_secs(2);

/// Listens at one port, of these addresses or of all.
///
/// # Errors
/// What the system reports, such as `AddrInUse`.
pub fn bind_at(addresses: &[SocketAddr], port: u16) -> Result<TcpListener> {
    let all = any_address(port);
    let addresses = if addresses.is_empty() { &all } else { addresses };
    let begun = Instant::now();
    loop {
        match TcpListener::bind(addresses) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < IN_USE_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            bound => return bound,
        }
    }
}

/// Listens at any of the configured ports.
///
/// # Errors
/// What the system reports for the last port tried.
pub fn bind_any(ports: Option<Ports>) -> Result<TcpListener> {
    let Some(Ports { first, last }) = ports else { return TcpListener::bind(&any_address(0)[..]) };
    let count = u32::from(last - first) + 1;
    // Jobs that start at different ports seldom collide.
    let begin = number(&Secret::random()) % count;
    bind_first_free((0..count).map(|step| first + ((begin + step) % count) as u16))
}

/// Listens at the first free port.
///
/// # Errors
/// What the system reports for the last port tried.
pub fn bind_first_free(ports: impl IntoIterator<Item = u16>) -> Result<TcpListener> {
    let mut outcome = Err(ErrorKind::AddrInUse.into());
    for port in ports {
        outcome = TcpListener::bind(&any_address(port)[..]);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Distinct ports, the same in the same order for all ranks that hold the secret.
pub fn port_sequence(secret: &Secret, ports: Option<Ports>) -> Vec<u16> {
    let Ports { first, last } = ports.unwrap_or(DEFAULT_PORTS);
    let count = u32::from(last - first) + 1;
    let begin = number(&secret.derive("the first port"));
    let mut sequence: Vec<u16> = Vec::new();
    for step in 0.. {
        if sequence.len() == CANDIDATE_PORTS.min(count as usize) {
            break;
        }
        // A small range is traversed, a large one sampled.
        let at = if count <= 4 * CANDIDATE_PORTS as u32 {
            begin.wrapping_add(step)
        } else {
            number(&secret.derive(&format!("port {step}")))
        };
        let port = first + (at % count) as u16;
        if !sequence.contains(&port) {
            sequence.push(port);
        }
    }
    sequence
}

/// True if one of these addresses belongs to this host.
pub fn is_local(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|address| TcpListener::bind((address.ip(), 0)).is_ok())
}

fn number(secret: &Secret) -> u32 {
    let [a, b, c, d, ..] = *secret.bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// All addresses of the host: IPv6 and IPv4 if an IPv6 socket accepts both, else IPv4 only.
fn any_address(port: u16) -> [SocketAddr; 2] {
    let six = SocketAddr::from((IpAddr::V6(Ipv6Addr::UNSPECIFIED), port));
    let four = SocketAddr::from((IpAddr::V4(Ipv4Addr::UNSPECIFIED), port));
    let apart = std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only").is_ok_and(|text| text.trim() != "0");
    if apart { [four, six] } else { [six, four] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn port_sequence_depends_on_the_secret() {
        let secret = Secret::from_text("a job's");
        let ports = port_sequence(&secret, None);
        assert_eq!(ports, port_sequence(&secret, None));
        assert_ne!(ports, port_sequence(&Secret::from_text("another's"), None));
        assert_eq!(ports.len(), CANDIDATE_PORTS);
        assert!(ports.iter().all(|port| (DEFAULT_PORTS.first..=DEFAULT_PORTS.last).contains(port)));
        let mut once = ports.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), CANDIDATE_PORTS, "each once: {ports:?}");
    }

    #[test]
    fn port_sequence_uses_a_small_range_whole() {
        for (first, last) in [(7, 7), (65_530, 65_535), (1, 16), (1, 17), (1, 70), (1, 65_535)] {
            let ports = port_sequence(&Secret::random(), Some(Ports { first, last }));
            assert_eq!(ports.len(), CANDIDATE_PORTS.min(usize::from(last - first) + 1));
            assert!(ports.iter().all(|port| (first..=last).contains(port)), "{ports:?}");
        }
    }

    #[test]
    fn bind_first_free_skips_a_port_in_use() {
        let taken = bind_any(None).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(bind_first_free([port]).is_err());
        let free = bind_any(None).unwrap().local_addr().unwrap().port();
        assert_eq!(bind_first_free([port, free]).unwrap().local_addr().unwrap().port(), free);
    }

    #[test]
    fn listener_at_any_address_accepts_ipv4() {
        let listener = bind_any(None).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(is_local(&[SocketAddr::from(([127, 0, 0, 1], 1))]));
        assert!(!is_local(&[SocketAddr::from(([192, 0, 2, 1], 1))]), "an address reserved for documentation");
    }
}
