//! The addresses of their ports that ranks exchange at start.

use super::choice::LinkLayer;
use super::error::VerbsError;
use serde::{Deserialize, Serialize};

/// A rank's port, as its peers address it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerbsAddress {
    /// The device's name, for errors.
    pub device: String,
    /// Which of its ports, from 1.
    pub port: u8,
    /// What the port is plugged into.
    pub link_layer: LinkLayer,
    /// InfiniBand's local address; 0 on Ethernet.
    pub lid: u16,
    /// The global address.
    pub gid: [u8; 16],
    /// The largest packet, as verbs encodes it: 1 is 256 bytes, 5 is 4096.
    pub mtu: u8,
    /// Reads by one peer that the device serves at once.
    pub reads_served: u8,
}

impl VerbsAddress {
    /// Succeeds if a queue pair can connect this port to `peer`, as far as the two addresses tell.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check_reachable(&self, peer: &VerbsAddress) -> Result<(), VerbsError> {
        if self.link_layer != peer.link_layer {
            return Err(VerbsError::DifferentNetworks {
                device: self.device.clone(),
                link_layer: self.link_layer,
                peer_device: peer.device.clone(),
                peer_link_layer: peer.link_layer,
            });
        }
        if !(1..=5).contains(&peer.mtu) || peer.reads_served == 0 {
            return Err(VerbsError::UnusablePeer { device: peer.device.clone(), fault: "serves no reads" });
        }
        let addressed = peer.gid != [0; 16] || (peer.link_layer == LinkLayer::InfiniBand && peer.lid != 0);
        let unaddressed =
            || VerbsError::UnusablePeer { device: peer.device.clone(), fault: "has no address to send to" };
        addressed.then_some(()).ok_or_else(unaddressed)
    }

    /// The code of the largest packet that both ends accept.
    pub fn mtu_with(&self, peer: &VerbsAddress) -> u8 {
        self.mtu.min(peer.mtu)
    }

    /// True if packets to `peer` need a global address: always on Ethernet, on InfiniBand in another subnet.
    pub fn needs_global_address(&self, peer: &VerbsAddress) -> bool {
        self.link_layer == LinkLayer::Ethernet || self.gid[..8] != peer.gid[..8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_on(link_layer: LinkLayer) -> VerbsAddress {
        let mut gid = [0; 16];
        gid[0] = 0xfe;
        VerbsAddress { device: "mlx5_0".into(), port: 1, link_layer, lid: 3, gid, mtu: 5, reads_served: 16 }
    }

    #[test]
    fn ports_of_one_link_layer_reach_each_other() {
        let (infiniband, ethernet) = (address_on(LinkLayer::InfiniBand), address_on(LinkLayer::Ethernet));
        assert!(infiniband.check_reachable(&infiniband).is_ok() && ethernet.check_reachable(&ethernet).is_ok());
        assert!(infiniband.check_reachable(&ethernet).unwrap_err().to_string().contains("Ethernet"));
        assert!(infiniband.check_reachable(&VerbsAddress { mtu: 9, ..infiniband.clone() }).is_err());
        assert!(ethernet.check_reachable(&VerbsAddress { gid: [0; 16], ..ethernet.clone() }).is_err());
        assert_eq!(infiniband.mtu_with(&VerbsAddress { mtu: 3, ..infiniband.clone() }), 3);
    }

    #[test]
    fn ethernet_and_other_subnets_need_a_global_address() {
        let (infiniband, ethernet) = (address_on(LinkLayer::InfiniBand), address_on(LinkLayer::Ethernet));
        assert!(ethernet.needs_global_address(&ethernet) && !infiniband.needs_global_address(&infiniband));
        let mut other = infiniband.clone();
        other.gid[7] = 1;
        assert!(infiniband.needs_global_address(&other));
    }
}
