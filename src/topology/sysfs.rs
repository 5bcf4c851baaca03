//! The topology that the kernel reports in `/sys` and `/proc`, for builds without hwloc.

use super::description::{Core, Numa, Topology};
use super::error::TopologyError;
use super::{bind, kernel};
use crate::base::cgroup::memory_limit_bytes;
use crate::base::host::host_name;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

pub(super) fn discover(_with_devices: bool) -> Result<Topology, TopologyError> {
    let allowed = bind::allowed_cpus();
    let system = Path::new("/sys/devices/system");
    let numa = numa_under(system);
    let mut cores = cores_under(system, &numa);
    if cores.is_empty() {
        // A sandbox without /sys: each CPU that the thread may use counts as a core.
        cores = allowed.iter().map(|cpu| Core { id: 0, package: 0, numa: None, pus: vec![*cpu] }).collect();
        number(&mut cores);
    }
    let packages: BTreeSet<u32> = cores.iter().map(|core| core.package).collect();
    Ok(Topology {
        hostname: host_name(),
        packages: packages.len() as u32,
        memory_bytes: kernel::memory_bytes()?,
        memory_limit_bytes: memory_limit_bytes(),
        numa,
        cores,
        allowed,
        devices: Vec::new(),
    })
}

/// Memory nodes under `node/`, by id; none on a kernel without NUMA.
fn numa_under(system: &Path) -> Vec<Numa> {
    let nodes = system.join("node");
    let node = |id: u32| -> Option<Numa> {
        let node = nodes.join(format!("node{id}"));
        Some(Numa {
            id,
            memory_bytes: kernel::total_bytes(&fs::read_to_string(node.join("meminfo")).ok()?)?,
            cpus: list_in(&node.join("cpulist")).unwrap_or_default(),
        })
    };
    list_in(&nodes.join("online")).unwrap_or_default().into_iter().filter_map(node).collect()
}

/// Cores of the online CPUs, by package, memory node and first CPU.
fn cores_under(system: &Path, numa: &[Numa]) -> Vec<Core> {
    let online = list_in(&system.join("cpu/online")).unwrap_or_default();
    let mut cores: Vec<Core> = Vec::new();
    for cpu in &online {
        let topology = system.join(format!("cpu/cpu{cpu}/topology"));
        let package = fs::read_to_string(topology.join("physical_package_id")).ok();
        // Older kernels have only the file `thread_siblings_list`.
        let siblings = ["core_cpus_list", "thread_siblings_list"].iter().find_map(|name| list_in(&topology.join(name)));
        let mut pus = siblings.unwrap_or_else(|| vec![*cpu]);
        pus.retain(|pu| online.contains(pu));
        if pus.first() == Some(cpu) {
            let package = package.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            let numa = numa.iter().find(|node| node.cpus.contains(cpu)).map(|node| node.id);
            cores.push(Core { id: 0, package, numa, pus });
        }
    }
    cores.sort_by_key(|core| (core.package, core.numa, core.pus[0]));
    number(&mut cores);
    cores
}

fn number(cores: &mut [Core]) {
    for (id, core) in cores.iter_mut().enumerate() {
        core.id = id as u32;
    }
}

fn list_in(path: &Path) -> Option<Vec<u32>> {
    list(fs::read_to_string(path).ok()?.trim())
}

/// The numbers of a kernel list, `0-3,8`; `None` if the text is no such list.
fn list(text: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for range in text.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        numbers.extend(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_list_is_parsed() {
        assert_eq!(list("0-3,8,10-11"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(list(""), Some(vec![]));
        assert_eq!(list("0-x"), None);
    }

    #[test]
    fn host_of_two_nodes_with_an_offline_cpu_is_read() {
        let root = std::env::temp_dir().join(format!("mobula-sysfs-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        // Siblings are n and n + 4, as on most servers; CPU 7 is offline.
        write("cpu/online", "0-6\n");
        for cpu in 0..7 {
            let core = cpu % 4;
            write(&format!("cpu/cpu{cpu}/topology/physical_package_id"), &format!("{}\n", core % 2));
            write(&format!("cpu/cpu{cpu}/topology/thread_siblings_list"), &format!("{core},{}\n", core + 4));
        }
        write("node/online", "0-1\n");
        write("node/node0/cpulist", "0,2,4,6\n");
        write("node/node0/meminfo", "Node 0 MemTotal:       1024 kB\n");
        write("node/node1/cpulist", "1,3,5\n");
        write("node/node1/meminfo", "Node 1 MemTotal:       2048 kB\n");

        let numa = numa_under(&root);
        let cores = cores_under(&root, &numa);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(numa[1], Numa { id: 1, memory_bytes: 2048 * 1024, cpus: vec![1, 3, 5] });
        let core = |id, package, pus: &[u32]| Core { id, package, numa: Some(package), pus: pus.to_vec() };
        assert_eq!(cores, [core(0, 0, &[0, 4]), core(1, 0, &[2, 6]), core(2, 1, &[1, 5]), core(3, 1, &[3])]);
    }
}
