//! Chooses the device, port and address that a rank uses, and the time-outs of its queue pairs. Pure functions.

use super::error::VerbsError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The link that a port is plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkLayer {
    /// Addressed by LID.
    InfiniBand,
    /// RoCE: addressed by GID.
    Ethernet,
}

/// A port that a rank may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidatePort {
    /// The device's name.
    pub device: String,
    /// Which of its ports, from 1.
    pub port: u8,
    /// True if the link is up.
    pub active: bool,
    /// The NUMA node of the device, if the system knows it.
    pub numa: Option<u32>,
    /// Gigabits a second.
    pub speed: u32,
    /// What it is plugged into.
    pub link_layer: LinkLayer,
    /// The network interfaces of the same port.
    pub interfaces: Vec<String>,
}

/// The port for a rank on NUMA node `numa`. Only active ports count. The order of preference: the port that `interface`
/// names (as a device or a network interface), ports on `numa`, faster ports, then by name, so that ranks agree.
///
/// # Errors
/// Why there is no port, in one line for the banner.
pub fn choose<'a>(
    candidates: &'a [CandidatePort],
    numa: Option<u32>,
    interface: Option<&str>,
) -> Result<&'a CandidatePort, VerbsError> {
    if candidates.is_empty() {
        return Err(VerbsError::NoDevice);
    }
    let near = |candidate: &CandidatePort| numa.is_some() && candidate.numa == numa;
    let named = |candidate: &CandidatePort| {
        interface.is_some_and(|name| candidate.device == name || candidate.interfaces.iter().any(|own| own == name))
    };
    let order = |candidate: &&CandidatePort| {
        (
            !named(candidate),
            !near(candidate),
            std::cmp::Reverse(candidate.speed),
            candidate.device.clone(),
            candidate.port,
        )
    };
    candidates.iter().filter(|candidate| candidate.active).min_by_key(order).ok_or_else(|| {
        let ports: Vec<String> =
            candidates.iter().map(|candidate| format!("{} port {}", candidate.device, candidate.port)).collect();
        VerbsError::NoLinkUp { ports }
    })
}

/// An address of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gid {
    /// Its index in the port's table.
    pub index: u8,
    /// The address.
    pub raw: [u8; 16],
    /// Its type as the system names it: `IB/RoCE v1`, `RoCE v2`.
    pub kind: String,
}

/// The address to use. The order of preference: RoCE v2 with an IPv4 address, which routers and switches handle best,
/// RoCE v2 with a global IPv6 address, RoCE v2 with a link-local address, then the first of the rest. InfiniBand has
/// one type.
pub fn choose_gid(gids: &[Gid]) -> Option<&Gid> {
    let rank = |gid: &&Gid| {
        let mapped = gid.raw[..10] == [0; 10] && gid.raw[10..12] == [0xff, 0xff];
        let link_local = gid.raw[0] == 0xfe && gid.raw[1] & 0xc0 == 0x80;
        let kind = match (gid.kind.contains("v2"), mapped, link_local) {
            (true, true, _) => 0,
            (true, false, false) => 1,
            (true, false, true) => 2,
            (false, ..) => 3,
        };
        (kind, gid.index)
    };
    gids.iter().filter(|gid| gid.raw != [0; 16]).min_by_key(rank)
}

/// Times that a device retransmits a packet that is not acknowledged.
pub const RETRIES: u8 = 7;

/// The time-out code of a device: it waits 4.096 us times two to the power of this before it retransmits. A device may
/// wait four times as long; the code is chosen so that after [`RETRIES`] it has given up within `peer_timeout`.
pub fn timeout_code(peer_timeout: Duration) -> u8 {
    let unit = Duration::from_nanos(4096) * 4 * (u32::from(RETRIES) + 1);
    let fits = |code: &u8| unit.saturating_mul(1 << code) <= peer_timeout;
    // Below 12, 17 ms, a busy host would look like a dead one; above 20 it is 137 s and more.
    (12..=20).rev().find(fits).unwrap_or(12)
}

/// The number of links that a rank can have at once, given the limits of the device and the number of ranks.
///
/// `per_link` and `device` are in the same order: queue pairs, receive requests, completions.
pub fn links_max(ranks: u32, most: u32, per_link: [u32; 3], device: [u32; 3]) -> u32 {
    let by_device = per_link.iter().zip(device).map(|(needs, has)| has / needs).min().unwrap_or(0);
    ranks.saturating_sub(1).min(most).min(by_device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(device: &str, active: bool, numa: Option<u32>, speed: u32) -> CandidatePort {
        let interfaces = vec![device.replace("mlx5_", "ib")];
        CandidatePort {
            device: device.into(),
            port: 1,
            active,
            numa,
            speed,
            link_layer: LinkLayer::InfiniBand,
            interfaces,
        }
    }

    #[test]
    fn choose_prefers_near_ports_then_fast_ones() {
        let ports = [
            port("mlx5_0", true, Some(0), 200),
            port("mlx5_1", true, Some(1), 100),
            port("mlx5_2", true, Some(1), 200),
            port("mlx5_3", false, Some(3), 400),
        ];
        let chosen = |numa| choose(&ports, numa, None).expect("one is up").device.as_str();
        assert_eq!(chosen(Some(1)), "mlx5_2");
        assert_eq!(chosen(Some(0)), "mlx5_0");
        assert_eq!(chosen(Some(3)), "mlx5_0", "the near one is down");
        assert_eq!(chosen(None), "mlx5_0");
        let named = |interface| choose(&ports, Some(0), Some(interface)).expect("one is up").device.as_str();
        assert_eq!((named("ib1"), named("mlx5_2"), named("eth0")), ("mlx5_1", "mlx5_2", "mlx5_0"));
    }

    #[test]
    fn choose_without_active_port_returns_the_reason() {
        assert_eq!(choose(&[], None, None).unwrap_err().to_string(), "no RDMA device");
        assert_eq!(
            choose(&[port("mlx5_0", false, None, 100)], None, None).unwrap_err().to_string(),
            "no link is up: mlx5_0 port 1"
        );
    }

    #[test]
    fn choose_gid_prefers_roce_v2_and_ipv4() {
        let gid = |index, first: u8, mapped: bool, kind: &str| {
            let mut raw = [0; 16];
            raw[0] = first;
            raw[15] = 1;
            if mapped {
                raw[10..12].fill(0xff);
            } else if first == 0xfe {
                raw[1] = 0x80;
            }
            Gid { index, raw, kind: kind.into() }
        };
        let mut gids = vec![gid(0, 0xfe, false, "IB/RoCE v1"), gid(1, 0xfe, false, "RoCE v2")];
        let chosen = |gids: &[Gid]| choose_gid(gids).expect("one").index;
        assert_eq!(chosen(&gids), 1);
        gids.push(gid(2, 0x20, false, "RoCE v2"));
        assert_eq!(chosen(&gids), 2);
        gids.extend([gid(3, 0, true, "IB/RoCE v1"), gid(4, 0, true, "RoCE v2"), gid(5, 0, true, "RoCE v2")]);
        assert_eq!(chosen(&gids), 4);
        assert_eq!(choose_gid(&[Gid { index: 0, raw: [0; 16], kind: "RoCE v2".into() }]), None);
    }

    #[test]
    fn timeout_code_keeps_all_retries_within_the_peer_timeout() {
        assert_eq!(timeout_code(Duration::from_secs(10)), 16);
        assert_eq!(timeout_code(Duration::from_millis(10)), 12, "never so short that a busy host is taken for dead");
        assert_eq!(timeout_code(Duration::from_secs(1 << 20)), 20);
    }

    #[test]
    fn links_max_is_bounded_by_the_scarcest_resource() {
        assert_eq!(links_max(4, 1024, [1, 68, 150], [1 << 20, 1 << 20, 32767]), 3);
        assert_eq!(links_max(10_000, 1024, [1, 68, 150], [1 << 20, 1 << 20, 32767]), 218);
        assert_eq!(links_max(10_000, 1024, [1, 68, 150], [1 << 20, 1 << 20, 1 << 22]), 1024);
    }
}
