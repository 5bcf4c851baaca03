//! A rank's way to its device: which one, which port, which address.

use super::card::VerbsCard;
use super::choice::{LinkLayer, choose, choose_gid};
use super::device::{Abilities, Device};
use super::queue_pair::READS_UNDER_WAY;
use super::registration::RegisteredRegion;
use super::sysfs::{CLASS, candidates, gids};
use super::{choice::Candidate, probe};
use crate::memory::{Region, RegionNumber};
use std::path::Path;
use std::sync::Arc;

/// An open device and the port of it that this rank uses.
#[derive(Debug)]
pub struct VerbsEndpoint {
    pub(super) device: Arc<Device>,
    pub(super) abilities: Abilities,
    pub(super) card: VerbsCard,
    pub(super) gid_index: u8,
    pub(super) transfer_bytes_max: u32,
    /// What peers may read, by number.
    pub(super) registered: Vec<(RegionNumber, RegisteredRegion)>,
}

impl VerbsEndpoint {
    /// Opens the port that `interface` names, else the one that is nearest to `numa` and the fastest of those.
    ///
    /// # Errors
    /// One line for the banner: no library, no device, no link, no permission.
    pub fn open(numa: Option<u32>, interface: Option<&str>) -> Result<VerbsEndpoint, String> {
        probe::probe()?;
        let candidates = candidates(Path::new(CLASS));
        VerbsEndpoint::open_port(choose(&candidates, numa, interface)?)
    }

    /// Opens the first port of the device of that name.
    ///
    /// # Errors
    /// As `open`.
    #[cfg(test)]
    pub fn open_named(device: &str) -> Result<VerbsEndpoint, String> {
        probe::probe()?;
        let found = candidates(Path::new(CLASS)).into_iter().find(|candidate| candidate.device == device);
        VerbsEndpoint::open_port(&found.ok_or_else(|| format!("there is no RDMA device {device}"))?)
    }

    fn open_port(chosen: &Candidate) -> Result<VerbsEndpoint, String> {
        let device = Arc::new(Device::open(&chosen.device)?);
        let (abilities, port) = (device.abilities()?, device.port(chosen.port)?);
        let gids = gids(Path::new(CLASS), &chosen.device, chosen.port);
        let gid = choose_gid(&gids);
        if gid.is_none() && chosen.link_layer == LinkLayer::Ethernet {
            return Err(format!("{} port {} has no address: is its network up?", chosen.device, chosen.port));
        }
        let card = VerbsCard {
            device: chosen.device.clone(),
            port: chosen.port,
            link_layer: chosen.link_layer,
            lid: port.lid,
            gid: gid.map_or([0; 16], |gid| gid.raw),
            mtu: port.mtu,
            reads_served: abilities.reads_served.min(READS_UNDER_WAY),
        };
        let gid_index = gid.map_or(0, |gid| gid.index);
        let transfer_bytes_max = port.transfer_bytes_max;
        Ok(VerbsEndpoint { device, abilities, card, gid_index, transfer_bytes_max, registered: Vec::new() })
    }

    /// Registers memory that peers may read, before the road is laid: a rank that cannot has no road over verbs.
    ///
    /// # Errors
    /// What the device or the limits of this process refuse.
    pub fn register(&mut self, region: &Region) -> Result<(), String> {
        let registered = RegisteredRegion::new(&self.device, region, self.abilities.registered_bytes_max)?;
        self.registered.push((region.number(), registered));
        Ok(())
    }

    /// What the peers need to know.
    pub fn card(&self) -> VerbsCard {
        self.card.clone()
    }

    /// For the banner: the device, its port and link.
    pub fn describe(&self) -> String {
        let card = &self.card;
        format!("{} port {} ({:?}, packets of {} bytes)", card.device, card.port, card.link_layer, 128 << card.mtu)
    }
}
