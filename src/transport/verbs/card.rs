//! What the ranks tell each other of their ports when the road is laid.

use super::choice::LinkLayer;
use serde::{Deserialize, Serialize};

/// A rank's port, as its peers address it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerbsCard {
    /// The device's name, for errors.
    pub device: String,
    /// Which of its ports, from 1.
    pub port: u8,
    /// What it is plugged into.
    pub link_layer: LinkLayer,
    /// InfiniBand's local address; 0 on Ethernet.
    pub lid: u16,
    /// The global address.
    pub gid: [u8; 16],
    /// The largest packet, as the code of verbs: 1 is 256 bytes, 5 is 4096.
    pub mtu: u8,
    /// Reads by one peer that it serves at once.
    pub reads_served: u8,
}

impl VerbsCard {
    /// Whether a queue pair can lead from here to `peer`, as far as cards tell.
    ///
    /// # Errors
    /// Why not.
    pub fn reaches(&self, peer: &VerbsCard) -> Result<(), String> {
        if self.link_layer != peer.link_layer {
            return Err(format!(
                "{} is on {:?} and the peer's {} on {:?}",
                self.device, self.link_layer, peer.device, peer.link_layer
            ));
        }
        if !(1..=5).contains(&peer.mtu) || peer.reads_served == 0 {
            return Err(format!("the peer's {} serves no reads", peer.device));
        }
        let addressed = peer.gid != [0; 16] || (peer.link_layer == LinkLayer::InfiniBand && peer.lid != 0);
        if addressed { Ok(()) } else { Err(format!("the peer's {} has no address to send to", peer.device)) }
    }

    /// The code of the largest packet that both ends take.
    pub fn mtu_with(&self, peer: &VerbsCard) -> u8 {
        self.mtu.min(peer.mtu)
    }

    /// Whether packets to `peer` need a global address: always on Ethernet; on InfiniBand in another subnet.
    pub fn needs_global_address(&self, peer: &VerbsCard) -> bool {
        self.link_layer == LinkLayer::Ethernet || self.gid[..8] != peer.gid[..8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(link_layer: LinkLayer) -> VerbsCard {
        let mut gid = [0; 16];
        gid[0] = 0xfe;
        VerbsCard { device: "mlx5_0".into(), port: 1, link_layer, lid: 3, gid, mtu: 5, reads_served: 16 }
    }

    #[test]
    fn cards_of_one_kind_of_link_reach_each_other() {
        let (wide, ether) = (card(LinkLayer::InfiniBand), card(LinkLayer::Ethernet));
        assert!(wide.reaches(&wide).is_ok() && ether.reaches(&ether).is_ok());
        assert!(wide.reaches(&ether).unwrap_err().contains("Ethernet"));
        assert!(wide.reaches(&VerbsCard { mtu: 9, ..wide.clone() }).is_err());
        assert!(ether.reaches(&VerbsCard { gid: [0; 16], ..ether.clone() }).is_err());
        assert_eq!(wide.mtu_with(&VerbsCard { mtu: 3, ..wide.clone() }), 3);
    }

    #[test]
    fn ethernet_and_other_subnets_need_the_global_address() {
        let (wide, ether) = (card(LinkLayer::InfiniBand), card(LinkLayer::Ethernet));
        assert!(ether.needs_global_address(&ether) && !wide.needs_global_address(&wide));
        let mut other = wide.clone();
        other.gid[7] = 1;
        assert!(wide.needs_global_address(&other));
    }
}
