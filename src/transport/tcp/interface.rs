//! The addresses at which peers reach this host: those of its network interfaces, the fastest first.
//!
//! IP over InfiniBand comes first, then network cards by their speed, then cards of unknown speed. Self-assigned
//! addresses (169.254/16), and bridges of containers and virtual machines, which often have the same address on every
//! host, come last. Loopback counts only where there is nothing else, and a link-local address of IPv6 never: it means
//! nothing without the name of an interface of the reader's own host.
#![allow(unsafe_code)]

use crate::base::{Error, Result};
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Prefixes of the names of bridges and of interfaces of containers and virtual machines.
const VIRTUAL: &[&str] =
    &["docker", "br-", "virbr", "veth", "vnet", "cni", "flannel", "cali", "lxc", "lxd", "podman", "tun", "tap"];

/// ARPHRD_INFINIBAND of `linux/if_arp.h`.
const INFINIBAND: u64 = 32;

/// This host's addresses in order of preference; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub Vec<IpAddr>);

impl Addresses {
    /// Those of this host alone.
    #[cfg(test)]
    pub fn loopback() -> Addresses {
        Addresses(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
    }

    /// Those of the interfaces that are up; only of those that MOBULA_INTERFACE selects, where it is set.
    ///
    /// # Errors
    /// `Error::Config`, with the list of interfaces, where it selects none; `Error::Fabric` where the system lists
    /// none.
    pub fn choose(interface: Option<&str>) -> Result<Addresses> {
        let all = interfaces().map_err(|error| {
            Error::fabric(format!("the network interfaces of this host cannot be listed: {error}")).caused_by(&error)
        })?;
        choose_addresses(all, interface)
    }
}

/// One address of an interface that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interface {
    name: String,
    address: IpAddr,
    infiniband: bool,
    /// Where the card reports it.
    speed_mbit: Option<u64>,
}

/// Lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum AddressClass {
    Infiniband,
    Card,
    SelfAssigned,
    Virtual,
    Loopback,
}

impl Interface {
    fn class(&self) -> AddressClass {
        let self_given = matches!(self.address, IpAddr::V4(address) if address.is_link_local());
        if self.address.is_loopback() || self.name == "lo" {
            AddressClass::Loopback
        } else if VIRTUAL.iter().any(|prefix| self.name.starts_with(prefix)) {
            AddressClass::Virtual
        } else if self_given {
            AddressClass::SelfAssigned
        } else if self.infiniband || self.name.starts_with("ib") {
            AddressClass::Infiniband
        } else {
            AddressClass::Card
        }
    }

    /// True if another host can use the address without an interface name.
    fn is_routable(&self) -> bool {
        !matches!(self.address, IpAddr::V6(address) if address.is_unicast_link_local())
    }

    fn matches(&self, selector: &str) -> bool {
        match subnet(selector) {
            Some((network, bits)) => is_within(self.address, network, bits),
            None => self.name.starts_with(selector),
        }
    }
}

/// The choice among given interfaces, without system calls.
fn choose_addresses(all: Vec<Interface>, selector: Option<&str>) -> Result<Addresses> {
    let mut usable: Vec<&Interface> = all.iter().filter(|interface| interface.is_routable()).collect();
    if let Some(selector) = selector {
        usable.retain(|interface| interface.matches(selector));
        // An exact name wins over names with that prefix: eth1 over eth10.
        if usable.iter().any(|interface| interface.name == selector) {
            usable.retain(|interface| interface.name == selector);
        }
    } else if usable.iter().any(|interface| interface.class() != AddressClass::Loopback) {
        usable.retain(|interface| interface.class() != AddressClass::Loopback);
    }
    if usable.is_empty() {
        return Err(none_fits(&all, selector));
    }
    // The sort is stable: equal interfaces stay in the system's order.
    usable.sort_by_key(|interface| {
        let speed = interface.speed_mbit.unwrap_or(0);
        (interface.class(), std::cmp::Reverse(speed), interface.address.is_ipv6())
    });
    Ok(Addresses(usable.into_iter().map(|interface| interface.address).collect()))
}

fn none_fits(all: &[Interface], selector: Option<&str>) -> Error {
    let there: Vec<String> = all
        .iter()
        .map(|interface| {
            let note = if interface.is_routable() { "" } else { ", which is link-local: other hosts cannot use it" };
            format!("{} ({}{note})", interface.name, interface.address)
        })
        .collect();
    let there = if there.is_empty() { "none".to_string() } else { there.join(", ") };
    match selector {
        Some(selector) => Error::config(format!(
            "MOBULA_INTERFACE={selector} fits no network interface of this host that is up; these are: {there}"
        )),
        None => {
            Error::fabric(format!("no network interface of this host has an address that peers could use: {there}"))
        }
    }
}

/// A network and the length of its prefix; a single address is the network of itself.
fn subnet(text: &str) -> Option<(IpAddr, u32)> {
    let (network, bits) = text.split_once('/').map_or((text, None), |(network, bits)| (network, Some(bits)));
    let network: IpAddr = network.trim_matches(['[', ']']).parse().ok()?;
    let most = if network.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((network, bits))
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let with_length = |address| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((address, length), (network, same)) = (with_length(address), with_length(network));
    length == same && (address ^ network).checked_shr(length - bits).unwrap_or(0) == 0
}

/// Every address of every interface that is up.
fn interfaces() -> std::io::Result<Vec<Interface>> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the call writes the head of a list that it allocates, or fails.
    if unsafe { libc::getifaddrs(&mut first) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: a node of the list, which lives until freeifaddrs below.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_flags & libc::IFF_UP as u32 == 0 {
            continue;
        }
        // SAFETY: an address of the list is null or a sockaddr as long as its family says.
        let Some(address) = (unsafe { address_of(entry.ifa_addr) }) else { continue };
        // SAFETY: the name is a string that ends in zero and lives as long as the list.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
        let attribute = |file: &str| std::fs::read_to_string(format!("/sys/class/net/{name}/{file}")).ok();
        // A card that is down or virtual reports -1, or nothing.
        let speed_mbit = attribute("speed").and_then(|text| text.trim().parse().ok());
        let infiniband = attribute("type").and_then(|text| text.trim().parse::<u64>().ok()) == Some(INFINIBAND);
        found.push(Interface { name, address, infiniband, speed_mbit });
    }
    // SAFETY: the list is from getifaddrs, is freed once, and no pointer into it is kept.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// # Safety
/// `address` is null, or a sockaddr that is as long as its family says.
unsafe fn address_of(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: null or valid, as the caller promises.
    let family = unsafe { address.as_ref() }?.sa_family;
    match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: of this family, so a sockaddr_in; it may lie unaligned.
            let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from_bits(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: of this family, so a sockaddr_in6; it may lie unaligned.
            let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str, speed_mbit: Option<u64>) -> Interface {
        Interface { name: name.to_string(), address: address.parse().unwrap(), infiniband: false, speed_mbit }
    }

    fn of(all: &[Interface], selector: Option<&str>) -> Vec<String> {
        choose_addresses(all.to_vec(), selector).unwrap().0.iter().map(IpAddr::to_string).collect()
    }

    fn a_node() -> Vec<Interface> {
        vec![
            interface("lo", "127.0.0.1", None),
            interface("docker0", "172.17.0.1", Some(100_000)),
            interface("eth0", "10.0.0.3", Some(1000)),
            interface("eth0", "fe80::3", Some(1000)),
            interface("eth1", "10.1.0.3", Some(25_000)),
            interface("eth10", "10.9.0.3", None),
            interface("usb0", "169.254.3.1", Some(100_000)),
            interface("ib0", "10.2.0.3", Some(10)),
            interface("ib0", "fd00:2::3", Some(10)),
        ]
    }

    #[test]
    fn fastest_interface_comes_first_and_bridges_last() {
        let expected = ["10.2.0.3", "fd00:2::3", "10.1.0.3", "10.0.0.3", "10.9.0.3", "169.254.3.1", "172.17.0.1"];
        assert_eq!(of(&a_node(), None), expected);
        let mut renamed = interface("mlx0", "10.3.0.3", None);
        renamed.infiniband = true;
        assert_eq!(of(&[interface("eth0", "10.0.0.3", Some(400_000)), renamed], None)[0], "10.3.0.3");
    }

    #[test]
    fn loopback_is_chosen_only_without_other_interfaces() {
        assert_eq!(of(&[interface("lo", "127.0.0.1", None), interface("lo", "::1", None)], None), ["127.0.0.1", "::1"]);
        assert_eq!(of(&a_node(), Some("lo")), ["127.0.0.1"]);
    }

    #[test]
    fn host_with_ipv6_only_yields_its_ipv6_address() {
        let all =
            [interface("eth0", "fe80::1", None), interface("eth0", "fd00::1", None), interface("lo", "::1", None)];
        assert_eq!(of(&all, None), ["fd00::1"]);
    }

    #[test]
    fn selector_matches_name_prefix_address_or_subnet() {
        for (selector, expected) in [
            ("eth1", &["10.1.0.3"][..]),
            ("eth", &["10.1.0.3", "10.0.0.3", "10.9.0.3"]),
            ("10.0.0.3", &["10.0.0.3"]),
            ("10.1.0.0/16", &["10.1.0.3"]),
            ("10.0.0.0/13", &["10.2.0.3", "10.1.0.3", "10.0.0.3"]),
            ("fd00:2::/64", &["fd00:2::3"]),
            ("docker0", &["172.17.0.1"]),
        ] {
            assert_eq!(of(&a_node(), Some(selector)), expected, "{selector}");
        }
        assert_eq!(of(&a_node(), Some("0.0.0.0/0")).len(), 7, "all of IPv4, loopback too");
    }

    #[test]
    fn unknown_selector_error_lists_the_interfaces() {
        for selector in ["eth7", "10.77.0.0/16", "10.0.0.0/33", "fe80::3"] {
            let error = choose_addresses(a_node(), Some(selector)).unwrap_err().to_string();
            for part in [selector, "MOBULA_INTERFACE", "ib0 (10.2.0.3)", "eth0 (fe80::3, which is link-local"] {
                assert!(error.contains(part), "{error}");
            }
        }
        assert!(choose_addresses(Vec::new(), None).unwrap_err().to_string().contains("none"));
    }

    #[test]
    fn this_host_yields_an_address() {
        let addresses = Addresses::choose(None).unwrap().0;
        assert!(!addresses.is_empty());
        let all = interfaces().unwrap();
        assert!(addresses.iter().all(|address| all.iter().any(|interface| interface.address == *address)));
        assert!(Addresses::choose(Some("no-such-card")).unwrap_err().to_string().contains(&all[0].name));
    }
}
