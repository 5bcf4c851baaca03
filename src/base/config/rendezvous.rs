//! Settings of the rendezvous, from text.

use super::Config;
use crate::base::{Error, Result};
use std::fmt;
use std::path::PathBuf;

/// The rendezvous of ranks that no launcher connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendezvous {
    /// Rank 0 listens at this port of its host.
    Address {
        /// Name or address, without brackets.
        host: String,
        /// From 1.
        port: u16,
    },
    /// Rank 0 writes the address at which it listens into this file.
    File(PathBuf),
}

impl Rendezvous {
    /// `host:port`, `[v6]:port`, or a path, which has a slash.
    pub(super) fn parse(text: &str) -> Option<Rendezvous> {
        if text.contains('/') {
            return Some(Rendezvous::File(PathBuf::from(text)));
        }
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|inner| inner.contains(':'))?,
            // An IPv6 address without brackets: the end of the address is ambiguous.
            None if host.contains(':') => return None,
            None => host,
        };
        (!host.is_empty()).then(|| Rendezvous::Address { host: host.to_string(), port })
    }
}

impl fmt::Display for Rendezvous {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rendezvous::Address { host, port } if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Rendezvous::Address { host, port } => write!(formatter, "{host}:{port}"),
            Rendezvous::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// The ports that a rank may listen on, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// From 1.
    pub first: u16,
    /// Not below the first.
    pub last: u16,
}

impl Ports {
    pub(super) fn parse(text: &str) -> Option<Ports> {
        let (first, last) = text.split_once('-')?;
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first > 0 && first <= last).then_some(Ports { first, last })
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

/// Source of the secret that ranks prove to each other. Never displays the secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// This text.
    Text(String),
    /// What this file holds.
    File(PathBuf),
}

impl SecretSource {
    pub(super) fn parse(text: &str) -> Option<SecretSource> {
        match text.strip_prefix('@') {
            Some("") => None,
            Some(path) => Some(SecretSource::File(PathBuf::from(path))),
            None => (!text.is_empty()).then(|| SecretSource::Text(text.to_string())),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Text(_) => formatter.write_str("given"),
            SecretSource::File(path) => write!(formatter, "@{}", path.display()),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Refuses contradictory settings of rank, size and rendezvous.
pub(super) fn check(config: &Config) -> Result<()> {
    if config.rendezvous.is_none() && (config.rank.is_some() || config.size.is_some()) {
        return Err(Error::config(
            "MOBULA_RANK and MOBULA_SIZE number this process when MOBULA_RENDEZVOUS names the address where the ranks \
             meet, and that is not set: set it to host:port or to the path of a file, or unset both",
        ));
    }
    match (config.rank, config.size) {
        (Some(rank), Some(size)) if rank >= size => Err(Error::config(format!(
            "MOBULA_RANK={rank} is none of MOBULA_SIZE={size} ranks, which are numbered from 0 to {}",
            size - 1
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendezvous_is_an_address_or_a_file() {
        let address = |host: &str, port| Some(Rendezvous::Address { host: host.to_string(), port });
        assert_eq!(Rendezvous::parse("n1:5000"), address("n1", 5000));
        assert_eq!(Rendezvous::parse("[fd00::1]:5000"), address("fd00::1", 5000));
        assert_eq!(Rendezvous::parse("./meet"), Some(Rendezvous::File("./meet".into())));
        for wrong in ["n1", "n1:", ":5000", "n1:0", "n1:65536", "fd00::1:5000", "[n1]:5000", "[fd00::1:5000", ""] {
            assert_eq!(Rendezvous::parse(wrong), None, "{wrong}");
        }
        for text in ["n1:5000", "[fd00::1]:5000", "/tmp/meet"] {
            assert_eq!(Rendezvous::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn ports_are_a_range() {
        assert_eq!(Ports::parse("20000-20999"), Some(Ports { first: 20_000, last: 20_999 }));
        assert_eq!(Ports::parse("7-7"), Some(Ports { first: 7, last: 7 }));
        for wrong in ["20000", "9-8", "0-8", "1-65536", "a-b", ""] {
            assert_eq!(Ports::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rank_below_size_with_rendezvous_is_accepted() {
        let config = |rank, size, rendezvous: Option<&str>| {
            let rendezvous = rendezvous.map(|text| Rendezvous::parse(text).unwrap());
            check(&Config { rank, size, rendezvous, ..Config::default() }).map_err(|error| error.to_string())
        };
        assert_eq!(config(Some(3), Some(4), Some("n1:1")), Ok(()));
        assert!(config(Some(4), Some(4), Some("n1:1")).unwrap_err().contains("MOBULA_RANK=4 is none"));
        assert!(config(Some(0), Some(4), None).unwrap_err().contains("MOBULA_RENDEZVOUS"));
    }
}
