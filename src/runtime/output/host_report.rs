//! The report of `mobula info` on a host, without a cluster.

use crate::memory;
use crate::topology::{DeviceKind, Topology};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a host has for a cluster: what [`host_report`](crate::host_report) returns. `Display` prints each heading
/// flush, with its rows indented below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// In the order in which they are printed.
    pub sections: Vec<ReportSection>,
}

/// One section of a [`HostReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSection {
    /// `host`, `topology`, `network devices`, `pages`, `transports`, `launcher` or `GPUs`.
    pub heading: String,
    /// One line of text for each thing found, or the reason why there is none.
    pub rows: Vec<String>,
}

impl fmt::Display for HostReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.sections.iter().flat_map(|section| {
            [section.heading.clone()].into_iter().chain(section.rows.iter().map(|row| format!("  {row}")))
        });
        formatter.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Reports on the host of the calling process, with or without a cluster: topology, pages, transports found and why the
/// others are not, launcher, GPUs. The command `mobula info` prints it.
///
/// ```
/// let report = mobula::host_report();
/// let transports = report.sections.iter().find(|section| section.heading == "transports").unwrap();
/// assert!(transports.rows[0].starts_with("shm: yes"));
/// println!("{report}");
/// ```
pub fn host_report() -> HostReport {
    let mut report = HostReport::default();
    let mut section = |heading: &str, rows: Vec<String>| {
        report.sections.push(ReportSection { heading: heading.to_string(), rows });
    };
    match Topology::discover_with_devices() {
        Ok(topology) => {
            section("host", vec![topology.hostname.clone()]);
            let mut lines = vec![format!(
                "{} packages, {} NUMA nodes, {} cores, {} logical CPUs of which this process may use {}",
                topology.packages,
                topology.numa.len(),
                topology.cores.len(),
                topology.cores.iter().map(|core| core.pus.len()).sum::<usize>(),
                topology.allowed.len()
            )];
            lines.push(format!(
                "{} MiB of memory, {} MiB usable by this process",
                topology.memory_bytes >> 20,
                topology.usable_memory_bytes() >> 20
            ));
            section("topology", lines);
            let nics = topology.devices.iter().filter(|device| device.kind == DeviceKind::Nic);
            let nics: Vec<String> = nics
                .map(|device| {
                    let numa = device.numa.map_or("unknown".to_string(), |numa| numa.to_string());
                    format!("{} ({}, NUMA {numa})", device.name, device.pci)
                })
                .collect();
            // The kernel's own description of the host, for builds without hwloc, has no devices.
            let none =
                if cfg!(feature = "hwloc") { "none on PCI" } else { "not listed: this is a build without hwloc" };
            section("network devices", if nics.is_empty() { vec![none.to_string()] } else { nics });
        }
        Err(error) => section("topology", vec![format!("unknown: {error}")]),
    }
    section(
        "pages",
        vec![
            format!("hugetlb: {} free pages of {} KiB", memory::hugepages_free(), memory::HUGE_PAGE_BYTES >> 10),
            format!(
                "transparent huge pages for shared memory: {}",
                if memory::transparent_for_shared() {
                    "on request"
                } else {
                    "off (see /sys/kernel/mm/transparent_hugepage/shmem_enabled)"
                }
            ),
        ],
    );
    let verbs = match crate::transport::verbs::open(None, None) {
        Ok(port) => format!("verbs: yes, by {}", port.describe()),
        Err(reason) => format!("verbs: no ({reason})"),
    };
    let mpi = if cfg!(feature = "mpi") {
        "mpi: yes, when mpirun or srun --mpi starts the ranks"
    } else {
        "mpi: no (built without the feature `mpi`)"
    };
    let tcp = "tcp: yes, between hosts where MPI did not start the ranks, or does not let threads call it";
    section(
        "transports",
        vec!["shm: yes, between the ranks of a host".to_string(), mpi.to_string(), verbs, tcp.to_string()],
    );
    let variables = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "SLURM_JOB_ID"];
    let seen: Vec<String> =
        variables.iter().filter_map(|name| std::env::var(name).ok().map(|value| format!("{name}={value}"))).collect();
    section("launcher", vec![if seen.is_empty() { "none".to_string() } else { seen.join(", ") }]);
    let gpus = match crate::gpu::discover() {
        Ok(gpus) if gpus.is_empty() => vec!["none".to_string()],
        Ok(gpus) => gpus
            .iter()
            .map(|gpu| format!("{}: {} ({}, {} MiB)", gpu.ordinal, gpu.name, gpu.pci, gpu.memory_bytes >> 20))
            .collect(),
        Err(reason) => vec![format!("none ({reason})")],
    };
    section("GPUs", gpus);
    report
}
