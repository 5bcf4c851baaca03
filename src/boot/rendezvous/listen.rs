//! Where rank 0 listens: at a port that the user gave, at any free one, or at one of a sequence that every rank can work
//! out from the job's secret.

use crate::base::config::Ports;
use crate::transport::tcp::handshake::Secret;
use std::io::{ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// Ports that rank 0 tries where it has no way to say which it got.
pub const CANDIDATES: usize = 16;

/// Below the range that Linux takes the ports of outgoing connections from, so that few are in use.
const SEQUENCE: Ports = Ports { first: 20_000, last: 32_767 };

/// How long a port may be in use by what is just ending: a connection, or the meeting before this one.
const PATIENCE: Duration = Duration::from_secs(2);

/// At one port, of these addresses or of all.
///
/// # Errors
/// As the system says, `AddrInUse` among them.
pub fn at(addresses: &[SocketAddr], port: u16) -> Result<TcpListener> {
    let all = everywhere(port);
    let addresses = if addresses.is_empty() { &all } else { addresses };
    let begun = Instant::now();
    loop {
        match TcpListener::bind(addresses) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            bound => return bound,
        }
    }
}

/// At any port of those that may be listened on.
///
/// # Errors
/// As the system says of the last.
pub fn anywhere(ports: Option<Ports>) -> Result<TcpListener> {
    let Some(Ports { first, last }) = ports else { return TcpListener::bind(&everywhere(0)[..]) };
    let count = u32::from(last - first) + 1;
    // Jobs that begin at different ports seldom get in each other's way.
    let begin = number(&Secret::random()) % count;
    first_of((0..count).map(|step| first + ((begin + step) % count) as u16))
}

/// At the first free one.
///
/// # Errors
/// As the system says of the last.
pub fn first_of(ports: impl IntoIterator<Item = u16>) -> Result<TcpListener> {
    let mut outcome = Err(ErrorKind::AddrInUse.into());
    for port in ports {
        outcome = TcpListener::bind(&everywhere(port)[..]);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// The same ports in the same order for all who hold the secret; each once.
pub fn sequence(secret: &Secret, ports: Option<Ports>) -> Vec<u16> {
    let Ports { first, last } = ports.unwrap_or(SEQUENCE);
    let count = u32::from(last - first) + 1;
    let begin = number(&secret.derive("the first port"));
    let mut sequence: Vec<u16> = Vec::new();
    for step in 0.. {
        if sequence.len() == CANDIDATES.min(count as usize) {
            break;
        }
        // Small ranges are walked through, large ones sampled.
        let at = if count <= 4 * CANDIDATES as u32 {
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

/// Whether one of these addresses is this host's.
pub fn is_here(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|address| TcpListener::bind((address.ip(), 0)).is_ok())
}

fn number(secret: &Secret) -> u32 {
    let [a, b, c, d, ..] = *secret.bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// All addresses of the host: those of IPv4 too where IPv6 takes them in, else those of IPv4 alone.
fn everywhere(port: u16) -> [SocketAddr; 2] {
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
    fn all_who_hold_the_secret_know_the_ports_and_others_do_not() {
        let secret = Secret::from_text("a job's");
        let ports = sequence(&secret, None);
        assert_eq!(ports, sequence(&secret, None));
        assert_ne!(ports, sequence(&Secret::from_text("another's"), None));
        assert_eq!(ports.len(), CANDIDATES);
        assert!(ports.iter().all(|port| (SEQUENCE.first..=SEQUENCE.last).contains(port)));
        let mut once = ports.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), CANDIDATES, "each once: {ports:?}");
    }

    #[test]
    fn a_small_range_is_used_whole() {
        for (first, last) in [(7, 7), (65_530, 65_535), (1, 16), (1, 17), (1, 70), (1, 65_535)] {
            let ports = sequence(&Secret::random(), Some(Ports { first, last }));
            assert_eq!(ports.len(), CANDIDATES.min(usize::from(last - first) + 1));
            assert!(ports.iter().all(|port| (first..=last).contains(port)), "{ports:?}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let taken = anywhere(None).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(first_of([port]).is_err());
        let free = anywhere(None).unwrap().local_addr().unwrap().port();
        assert_eq!(first_of([port, free]).unwrap().local_addr().unwrap().port(), free);
    }

    #[test]
    fn everywhere_is_both_kinds_of_address() {
        let listener = anywhere(None).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(is_here(&[SocketAddr::from(([127, 0, 0, 1], 1))]));
        assert!(!is_here(&[SocketAddr::from(([192, 0, 2, 1], 1))]), "an address of documentation");
    }
}
