//! This rank's end of the transport: the device, port and address that it uses.

use super::address::VerbsAddress;
use super::choice::CandidatePort;
use super::choice::{LinkLayer, choose, choose_gid};
use super::device::{DeviceLimits, VerbsDevice, probe};
use super::error::VerbsError;
use super::queue_pair::READS_UNDER_WAY;
use super::registration::RegisteredRegion;
use super::sysfs::{CLASS, candidates, gids};
use super::transport::VerbsTransport;
use super::{OpenPort, VerbsPeers};
use crate::base::Result;
use crate::base::limits::VERBS_LINKS_MAX;
use crate::memory::{Region, RegionNumber};
use crate::transport::Transport;
use std::path::Path;
use std::sync::Arc;

/// An open device and the port that this rank uses.
#[derive(Debug)]
pub struct VerbsEndpoint {
    pub(super) device: Arc<VerbsDevice>,
    pub(super) limits: DeviceLimits,
    pub(super) address: VerbsAddress,
    pub(super) gid_index: u8,
    pub(super) transfer_bytes_max: u32,
    /// Regions that peers may read, by number.
    pub(super) registered: Vec<(RegionNumber, RegisteredRegion)>,
}

impl VerbsEndpoint {
    /// As [`super::open`].
    ///
    /// # Errors
    /// As [`super::open`].
    pub fn open(numa: Option<u32>, interface: Option<&str>) -> Result<VerbsEndpoint, VerbsError> {
        probe()?;
        let candidates = candidates(Path::new(CLASS));
        VerbsEndpoint::open_port(choose(&candidates, numa, interface)?)
    }

    /// Opens the first port of the device named `device`.
    ///
    /// # Errors
    /// As `open`.
    #[cfg(test)]
    pub fn open_named(device: &str) -> Result<VerbsEndpoint, VerbsError> {
        probe()?;
        let found = candidates(Path::new(CLASS)).into_iter().find(|candidate| candidate.device == device);
        VerbsEndpoint::open_port(&found.ok_or_else(|| VerbsError::UnknownDevice(device.to_string()))?)
    }

    fn open_port(chosen: &CandidatePort) -> Result<VerbsEndpoint, VerbsError> {
        let device = Arc::new(VerbsDevice::open(&chosen.device)?);
        let (limits, port) = (device.limits()?, device.port(chosen.port)?);
        let gids = gids(Path::new(CLASS), &chosen.device, chosen.port);
        let gid = choose_gid(&gids);
        if gid.is_none() && chosen.link_layer == LinkLayer::Ethernet {
            return Err(VerbsError::PortWithoutAddress { device: chosen.device.clone(), port: chosen.port });
        }
        let address = VerbsAddress {
            device: chosen.device.clone(),
            port: chosen.port,
            link_layer: chosen.link_layer,
            lid: port.lid,
            gid: gid.map_or([0; 16], |gid| gid.raw),
            mtu: port.mtu,
            reads_served: limits.reads_served.min(READS_UNDER_WAY),
        };
        let gid_index = gid.map_or(0, |gid| gid.index);
        let transfer_bytes_max = port.transfer_bytes_max;
        Ok(VerbsEndpoint { device, limits, address, gid_index, transfer_bytes_max, registered: Vec::new() })
    }
}

impl OpenPort for VerbsEndpoint {
    fn register(&mut self, region: &Region) -> Result<(), VerbsError> {
        let registered = RegisteredRegion::new(&self.device, region, self.limits.registered_bytes_max)?;
        self.registered.push((region.number(), registered));
        Ok(())
    }

    fn address(&self) -> VerbsAddress {
        self.address.clone()
    }

    fn describe(&self) -> String {
        let address = &self.address;
        format!(
            "{} port {} ({:?}, packets of {} bytes)",
            address.device,
            address.port,
            address.link_layer,
            128 << address.mtu
        )
    }

    fn start(self: Box<Self>, peers: VerbsPeers) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(VerbsTransport::start(*self, peers, VERBS_LINKS_MAX)?))
    }
}
