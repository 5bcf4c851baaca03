//! A host as data.

use super::error::TopologyError;
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// A host: its cores, memory and devices, and the part of them that this process may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// The host's name, as the kernel gives it.
    pub hostname: String,
    /// Sockets.
    pub packages: u32,
    /// Memory of the host, bytes.
    pub memory_bytes: u64,
    /// The limit of the job's cgroup, if there is one, bytes.
    pub memory_limit_bytes: Option<u64>,
    /// Memory nodes, by id.
    pub numa: Vec<Numa>,
    /// Cores, neighbours side by side: by package, then by memory node.
    pub cores: Vec<Core>,
    /// Logical CPUs on which the thread that discovered the topology may run, ascending.
    pub allowed: Vec<u32>,
    /// Network adapters and GPUs; empty unless requested.
    pub devices: Vec<Device>,
}

/// A memory node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numa {
    /// The kernel's number of it.
    pub id: u32,
    /// Its memory, bytes.
    pub memory_bytes: u64,
    /// Logical CPUs next to it, ascending; none for memory without CPUs.
    pub cpus: Vec<u32>,
}

/// A core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// Its index in [`Topology::cores`].
    pub id: u32,
    /// The socket it is on.
    pub package: u32,
    /// The memory node next to it.
    pub numa: Option<u32>,
    /// Its logical CPUs (hardware threads), ascending.
    pub pus: Vec<u32>,
}

/// The kind of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// A network adapter.
    Nic,
    /// A GPU or another accelerator.
    Gpu,
}

/// A PCI device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its name in the system, `mlx5_0` or `cuda0`; PCI's name if it has none.
    pub name: String,
    /// Its address, `0000:17:00.0`.
    pub pci: String,
    /// The memory node next to it, if there is just one.
    pub numa: Option<u32>,
}

impl Topology {
    /// This host, without its devices. Meant for every start: a few milliseconds.
    ///
    /// # Errors
    /// `Error::Config` if neither hwloc nor the kernel reports the host's cores.
    pub fn discover() -> Result<Topology> {
        super::discoverer::discover(false).map_err(undiscovered)
    }

    /// This host with its network adapters and GPUs; reads the PCI bus, so takes longer.
    ///
    /// # Errors
    /// As [`Topology::discover`].
    pub fn discover_with_devices() -> Result<Topology> {
        super::discoverer::discover(true).map_err(undiscovered)
    }

    /// The host that an XML file of `lstopo` describes, devices included.
    ///
    /// # Errors
    /// `Error::Config` if the file is not such a description.
    #[cfg(all(test, feature = "hwloc"))]
    pub fn from_xml_file(path: impl AsRef<std::path::Path>) -> Result<Topology> {
        super::hwloc::from_xml_file(path.as_ref()).map_err(Error::from)
    }

    /// Bytes of memory that the job may use of this host.
    pub fn usable_memory_bytes(&self) -> u64 {
        self.memory_limit_bytes.unwrap_or(u64::MAX).min(self.memory_bytes)
    }

    /// How many cores `cpus` touch.
    pub fn cores_among(&self, cpus: &[u32]) -> usize {
        self.cores.iter().filter(|core| core.pus.iter().any(|pu| cpus.contains(pu))).count()
    }
}

fn undiscovered(reason: TopologyError) -> Error {
    Error::config(format!(
        "the cores of this host could not be found: {reason}; set MOBULA_PIN=0 and MOBULA_WORKERS to start without them"
    ))
    .caused_by(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_of_this_host_finds_cores_memory_and_a_name() {
        let topology = Topology::discover().unwrap();
        assert!(!topology.hostname.is_empty());
        assert!(!topology.cores.is_empty() && topology.packages >= 1);
        assert!(topology.memory_bytes > 1 << 20);
        assert!(topology.usable_memory_bytes() <= topology.memory_bytes);
        assert!(!topology.allowed.is_empty());
        assert!(topology.devices.is_empty(), "devices are found only when requested");
        assert!(topology.cores_among(&topology.allowed) >= 1);
    }

    #[test]
    fn discovery_with_devices_finds_the_same_cores() {
        let (plain, full) = (Topology::discover().unwrap(), Topology::discover_with_devices().unwrap());
        assert_eq!(plain.cores, full.cores);
        assert_eq!(plain.numa, full.numa);
    }
}
