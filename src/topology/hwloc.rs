//! The topology that hwloc reports, and pinning through it.

use super::description::{Core, Device, DeviceKind, Numa, Topology};
use super::error::TopologyError;
use super::{bind, kernel};
use crate::base::cgroup::memory_limit_bytes;
use crate::base::host::host_name;
use hwlocality::Topology as Loaded;
use hwlocality::cpu::{binding::CpuBindingFlags, cpuset::CpuSet};
use hwlocality::object::TopologyObject;
use hwlocality::object::attributes::{ObjectAttributes, PCIDeviceAttributes};
use hwlocality::object::types::ObjectType;
use hwlocality::topology::builder::{TopologyBuilder, TypeFilter};
#[cfg(test)]
use std::path::Path;
#[cfg(test)]
use std::sync::Arc;
use std::sync::OnceLock;

/// This host, loaded once: [`bind()`] needs it on every worker's thread.
fn this_host() -> Result<&'static Loaded, TopologyError> {
    static LOADED: OnceLock<Result<Loaded, TopologyError>> = OnceLock::new();
    LOADED.get_or_init(|| load(Loaded::builder(), false)).as_ref().map_err(Clone::clone)
}

pub(super) fn discover(with_devices: bool) -> Result<Topology, TopologyError> {
    if with_devices { load(Loaded::builder(), true).map(|loaded| read(&loaded)) } else { this_host().map(read) }
}

/// Reads the file itself: hwlocality's `from_xml_file` panics if it does not exist.
#[cfg(test)]
pub(super) fn from_xml_file(path: &Path) -> Result<Topology, TopologyError> {
    let at_path = |source| TopologyError::Description { path: path.display().to_string(), source };
    let text = std::fs::read_to_string(path).map_err(|error| at_path(Arc::new(error)))?;
    let builder = Loaded::builder().from_xml(&text).map_err(|error| at_path(Arc::new(error)))?;
    load(builder, true).map(|loaded| read(&loaded))
}

#[cfg(test)]
pub(super) fn from_synthetic(description: &str) -> Result<Topology, TopologyError> {
    let builder = Loaded::builder().from_synthetic(description).map_err(TopologyError::hwloc)?;
    load(builder, true).map(|loaded| read(&loaded))
}

/// Pins the calling thread. With a topology of another host hwloc would return success and do nothing, so that is an
/// error.
pub(super) fn bind(cpus: &[u32]) -> Result<(), TopologyError> {
    let host = this_host()?;
    if !host.is_this_system() {
        return Err(TopologyError::OtherHost);
    }
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(*cpu as usize);
    }
    if set.is_empty() || !host.cpuset().includes(&set) {
        return Err(TopologyError::NotAllowed);
    }
    host.bind_cpu(&set, CpuBindingFlags::THREAD).map_err(TopologyError::hwloc)
}

/// Caches are left out: reading them takes most of the time of loading, and nothing here uses them.
fn load(builder: TopologyBuilder, with_devices: bool) -> Result<Loaded, TopologyError> {
    let io = if with_devices { TypeFilter::KeepImportant } else { TypeFilter::KeepNone };
    let builder = builder
        .with_cpu_cache_type_filter(TypeFilter::KeepNone)
        .map_err(TopologyError::hwloc)?
        .with_io_type_filter(io)
        .map_err(TopologyError::hwloc)?;
    builder.build().map_err(TopologyError::hwloc)
}

/// Copies out what the runtime uses; for this host, the kernel adds what hwloc does not know of the job.
fn read(host: &Loaded) -> Topology {
    let mut numa: Vec<Numa> = host.objects_with_type(ObjectType::NUMANode).filter_map(numa_of).collect();
    numa.sort_by_key(|node| node.id);
    let mut topology = Topology {
        hostname: host_name(),
        packages: host.objects_with_type(ObjectType::Package).len().max(1) as u32,
        memory_bytes: host.root_object().total_memory(),
        memory_limit_bytes: None,
        numa,
        cores: cores_of(host),
        allowed: cpus_of(host.root_object()),
        devices: host.io_objects().filter_map(device_of).collect(),
    };
    if host.is_this_system() {
        let mine = bind::allowed_cpus();
        topology.allowed.retain(|cpu| mine.contains(cpu));
        topology.memory_bytes = kernel::memory_bytes().unwrap_or(topology.memory_bytes);
        topology.memory_limit_bytes = memory_limit_bytes();
    }
    topology
}

fn numa_of(node: &TopologyObject) -> Option<Numa> {
    let memory_bytes = match node.attributes() {
        Some(ObjectAttributes::NUMANode(attributes)) => attributes.local_memory().map_or(0, |bytes| bytes.get()),
        _ => 0,
    };
    Some(Numa { id: node.os_index()? as u32, memory_bytes, cpus: cpus_of(node) })
}

/// Cores in hwloc's order, which follows the tree; logical CPUs where the system hides its cores, as some guests do.
fn cores_of(host: &Loaded) -> Vec<Core> {
    let kind = match host.objects_with_type(ObjectType::Core).len() {
        0 => ObjectType::PU,
        _ => ObjectType::Core,
    };
    let core = |(id, core): (usize, &TopologyObject)| Core {
        id: id as u32,
        package: core.first_ancestor_with_type(ObjectType::Package).map_or(0, |package| package.logical_index() as u32),
        numa: nodes_of(core).first().copied(),
        pus: cpus_of(core),
    };
    host.objects_with_type(kind).enumerate().map(core).collect()
}

/// PCI's base classes: 02 network, 03 display, 0b processor, 12 accelerator.
fn device_of(object: &TopologyObject) -> Option<Device> {
    let Some(ObjectAttributes::PCIDevice(address)) = object.attributes() else { return None };
    let kind = match address.class_id() >> 8 {
        0x02 => DeviceKind::Nic,
        0x03 | 0x0b | 0x12 => DeviceKind::Gpu,
        _ => return None,
    };
    let nodes = object.first_non_io_ancestor().map(nodes_of).unwrap_or_default();
    Some(Device {
        kind,
        name: name_of(object, address),
        pci: format!(
            "{:04x}:{:02x}:{:02x}.{:x}",
            address.domain(),
            address.bus_id(),
            address.bus_device(),
            address.function()
        ),
        numa: (nodes.len() == 1).then(|| nodes[0]),
    })
}

/// The names that the system gives the device (one adapter can be `mlx5_0` and `ib0`), or else those of PCI's tables.
fn name_of(object: &TopologyObject, address: &PCIDeviceAttributes) -> String {
    let mut names: Vec<String> = Vec::new();
    for child in object.io_children().filter(|child| child.object_type() == ObjectType::OSDevice) {
        names.extend(child.name().map(|name| name.to_string_lossy().into_owned()));
    }
    if names.is_empty() {
        let texts = ["PCIVendor", "PCIDevice"].into_iter().filter_map(|key| object.info(key));
        names.extend(texts.map(|text| text.to_string_lossy().into_owned()));
    }
    if names.is_empty() {
        return format!("PCI {:04x}:{:04x}", address.vendor_id(), address.device_id());
    }
    names.join(" ")
}

fn cpus_of(object: &TopologyObject) -> Vec<u32> {
    object.cpuset().map(|set| set.iter_set().map(|bit| usize::from(bit) as u32).collect()).unwrap_or_default()
}

fn nodes_of(object: &TopologyObject) -> Vec<u32> {
    object.nodeset().map(|set| set.iter_set().map(|bit| usize::from(bit) as u32).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synthetic_host_is_read_completely() {
        let host = from_synthetic("pack:2 group:2 [numa(memory=68719476736)] core:4 pu:2").unwrap();
        assert_eq!((host.packages, host.numa.len(), host.cores.len(), host.allowed.len()), (2, 4, 16, 32));
        assert_eq!(host.memory_bytes, 4 * 68_719_476_736);
        assert_eq!(host.numa[3], Numa { id: 3, memory_bytes: 68_719_476_736, cpus: (24..32).collect() });
        assert_eq!(host.cores[9], Core { id: 9, package: 1, numa: Some(2), pus: vec![18, 19] });
        assert_eq!(host.memory_limit_bytes, None, "another host's limit is not this one's");
    }

    #[test]
    fn gpu_node_lists_each_device_with_its_memory_node() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/node-2x64-4numa-4gpu.xml");
        let host = from_xml_file(&path).unwrap();
        assert_eq!((host.packages, host.numa.len(), host.cores.len(), host.allowed.len()), (2, 4, 128, 256));
        let of = |kind| -> Vec<(&str, &str, Option<u32>)> {
            let devices = host.devices.iter().filter(|device| device.kind == kind);
            devices.map(|device| (device.name.as_str(), device.pci.as_str(), device.numa)).collect()
        };
        let nics = of(DeviceKind::Nic);
        let gpus = of(DeviceKind::Gpu);
        assert_eq!(nics.len(), 4);
        assert_eq!(gpus.len(), 4);
        assert_eq!(nics[0], ("mlx5_0", "0000:17:00.0", Some(0)));
        assert_eq!(gpus[3], ("cuda3", "0000:c5:00.0", Some(3)));
    }

    #[test]
    fn invalid_description_returns_error() {
        assert!(from_synthetic("two sockets, please").is_err());
        assert!(from_xml_file(Path::new("Cargo.toml")).is_err());
        assert!(from_xml_file(Path::new("no such file")).is_err());
    }

    #[test]
    fn sysfs_discovery_equals_hwloc_discovery() {
        let (hwloc, kernel) = (discover(false).unwrap(), super::super::sysfs::discover(false).unwrap());
        // hwloc leaves out cores that the job may not use, so compare the others.
        let usable = |host: &Topology| -> Vec<Vec<u32>> {
            let mine = |core: &Core| core.pus.iter().all(|pu| hwloc.allowed.contains(pu));
            let mut cores: Vec<_> = host.cores.iter().filter(|core| mine(core)).map(|core| core.pus.clone()).collect();
            cores.sort();
            cores
        };
        assert_eq!(usable(&hwloc), usable(&kernel));
        assert_eq!(hwloc.allowed, kernel.allowed);
        assert_eq!((hwloc.memory_bytes, hwloc.packages), (kernel.memory_bytes, kernel.packages));
        assert_eq!(hwloc.hostname, kernel.hostname);
    }
}
