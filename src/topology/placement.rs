//! Which CPUs each worker of each rank takes. Pure: every rank of a host computes the same picture from the same input.
//!
//! ```text
//!   8 cores of 2 hardware threads    rank 0          rank 1          rank 2
//!   bound by the launcher to CPUs    0-7             0-7             8-15
//!   share                            cores 0,1       cores 2,3       cores 4,5,6,7     0 and 1 were bound alike
//!   plan of 2 workers                0-1  2-3        4-5  6-7        8-9  10-11
//!   plan of 4 workers                0  2  1  3      4  6  5  7      8-9  10-11  12-13  14-15
//! ```

use super::topology::{Core, Topology};

/// Where a worker is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerPlace {
    /// Logical CPUs it may run on; empty where the host's cores are unknown, and it is then left unpinned.
    pub cpus: Vec<u32>,
    /// The memory node next to them.
    pub numa: Option<u32>,
}

/// The cores of rank `me`, each with those of its CPUs that the rank may use.
///
/// `bound` holds, for each rank of this host in the same order everywhere, the CPUs that the launcher bound it to. Ranks
/// bound alike (unbound ones are all bound to the whole host) divide the cores into runs of neighbours, so that a rank
/// stays on as few memory nodes as can be. With more of them than cores, neighbours share a core. Bindings that overlap
/// only in part are left as the launcher made them.
pub fn share(topology: &Topology, bound: &[Vec<u32>], me: usize) -> Vec<Core> {
    let cpus = bound.get(me).unwrap_or(&topology.allowed);
    let cores: Vec<Core> = topology.cores.iter().filter_map(|core| within(core, cpus)).collect();
    let alike = |other: &&Vec<u32>| *other == cpus;
    let ranks = bound.iter().filter(alike).count().max(1);
    let before = bound.iter().take(me).filter(alike).count();

    let first = cores.len() * before / ranks;
    let end = (cores.len() * (before + 1) / ranks).max(first + 1).min(cores.len());
    cores[first..end].to_vec()
}

/// A place for each of the `workers` of rank `me`: a core each while they last, then the cores' further hardware threads,
/// then from the start again.
pub fn plan(topology: &Topology, bound: &[Vec<u32>], me: usize, workers: usize) -> Vec<WorkerPlace> {
    let cores = share(topology, bound, me);
    if cores.is_empty() {
        return vec![WorkerPlace { cpus: Vec::new(), numa: None }; workers];
    }
    let places = if workers <= cores.len() { whole_cores(&cores) } else { hardware_threads(&cores) };
    places.iter().cycle().take(workers).cloned().collect()
}

fn whole_cores(cores: &[Core]) -> Vec<WorkerPlace> {
    cores.iter().map(|core| WorkerPlace { cpus: core.pus.clone(), numa: core.numa }).collect()
}

/// The first hardware thread of every core, then the second of every core that has one, and so on.
fn hardware_threads(cores: &[Core]) -> Vec<WorkerPlace> {
    let rounds = cores.iter().map(|core| core.pus.len()).max().unwrap_or(0);
    let mut places = Vec::new();
    for round in 0..rounds {
        let having = cores.iter().filter_map(|core| Some((core.pus.get(round)?, core.numa)));
        places.extend(having.map(|(cpu, numa)| WorkerPlace { cpus: vec![*cpu], numa }));
    }
    places
}

/// The core with only those of its CPUs that are in `cpus`; none where none is.
fn within(core: &Core, cpus: &[u32]) -> Option<Core> {
    let pus: Vec<u32> = core.pus.iter().copied().filter(|pu| cpus.contains(pu)).collect();
    (!pus.is_empty()).then(|| Core { pus, ..core.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host of `packages` x `nodes` memory nodes x `cores` x `threads`, siblings numbered side by side.
    fn host(packages: u32, nodes: u32, cores: u32, threads: u32) -> Topology {
        let core = |id: u32| Core {
            id,
            package: id / (nodes * cores),
            numa: Some(id / cores),
            pus: (id * threads..(id + 1) * threads).collect(),
        };
        let all = packages * nodes * cores;
        Topology {
            hostname: "test".to_string(),
            packages,
            memory_bytes: 1 << 30,
            memory_limit_bytes: None,
            numa: Vec::new(),
            cores: (0..all).map(core).collect(),
            allowed: (0..all * threads).collect(),
            devices: Vec::new(),
        }
    }

    fn cpus(places: &[WorkerPlace]) -> Vec<Vec<u32>> {
        places.iter().map(|place| place.cpus.clone()).collect()
    }

    #[test]
    fn a_rank_alone_takes_every_core_whole() {
        let host = host(2, 2, 4, 2);
        let places = plan(&host, std::slice::from_ref(&host.allowed), 0, 16);
        assert_eq!(cpus(&places), (0..16).map(|core| vec![2 * core, 2 * core + 1]).collect::<Vec<_>>());
        assert_eq!(places[15].numa, Some(3));
    }

    #[test]
    fn unbound_ranks_divide_the_host_each_on_its_own_memory_node() {
        let host = host(2, 2, 4, 2);
        let bound = vec![host.allowed.clone(); 4];
        for rank in 0..4 {
            let places = plan(&host, &bound, rank, 4);
            assert!(places.iter().all(|place| place.numa == Some(rank as u32)), "rank {rank}: {places:?}");
        }
    }

    #[test]
    fn no_core_is_given_twice_while_cores_suffice_and_none_is_left_over() {
        let host = host(1, 2, 5, 1);
        for ranks in 1..=10 {
            let bound = vec![host.allowed.clone(); ranks];
            let mut given: Vec<u32> =
                (0..ranks).flat_map(|rank| share(&host, &bound, rank)).map(|core| core.id).collect();
            given.sort();
            assert_eq!(given, (0..10).collect::<Vec<_>>(), "{ranks} ranks");
        }
    }

    #[test]
    fn more_ranks_than_cores_take_a_core_each_and_share_evenly() {
        let host = host(1, 1, 2, 1);
        let bound = vec![host.allowed.clone(); 5];
        let cores: Vec<_> = (0..5).map(|rank| cpus(&plan(&host, &bound, rank, 1))).collect();
        assert_eq!(cores, [0, 0, 0, 1, 1].map(|cpu| vec![vec![cpu]]));
    }

    #[test]
    fn a_binding_is_kept_to_also_where_it_cuts_a_core() {
        let host = host(1, 1, 4, 2);
        let bound = [vec![0, 1, 2], vec![3], vec![4, 5, 6, 7], vec![4, 5, 6, 7]];
        assert_eq!(cpus(&plan(&host, &bound, 0, 2)), [vec![0, 1], vec![2]]);
        assert_eq!(cpus(&plan(&host, &bound, 1, 1)), [vec![3]]);
        assert_eq!(cpus(&plan(&host, &bound, 2, 1)), [vec![4, 5]]);
        assert_eq!(cpus(&plan(&host, &bound, 3, 1)), [vec![6, 7]]);
    }

    #[test]
    fn siblings_come_last_and_then_it_wraps() {
        let host = host(1, 1, 2, 2);
        let places = plan(&host, std::slice::from_ref(&host.allowed), 0, 6);
        assert_eq!(cpus(&places), [0, 2, 1, 3, 0, 2].map(|cpu| vec![cpu]));
    }

    #[test]
    fn the_picture_above_is_true() {
        let host = host(1, 1, 8, 2);
        let bound: Vec<Vec<u32>> = vec![(0..8).collect(), (0..8).collect(), (8..16).collect()];
        assert_eq!(cpus(&plan(&host, &bound, 1, 2)), [[4, 5], [6, 7]]);
        assert_eq!(cpus(&plan(&host, &bound, 1, 4)), [[4], [6], [5], [7]]);
        assert_eq!(cpus(&plan(&host, &bound, 2, 4)), [[8, 9], [10, 11], [12, 13], [14, 15]]);
    }

    #[test]
    fn cores_of_two_kinds_fill_evenly() {
        let mut host = host(1, 1, 2, 2);
        host.cores[1].pus = vec![2];
        assert_eq!(cpus(&plan(&host, &[vec![0, 1, 2]], 0, 3)), [vec![0], vec![2], vec![1]]);
    }

    #[test]
    fn unknown_cpus_leave_workers_unpinned() {
        let host = host(1, 1, 2, 1);
        let unpinned = WorkerPlace { cpus: vec![], numa: None };
        assert_eq!(plan(&host, &[vec![70]], 0, 2), [unpinned.clone(), unpinned]);
        assert_eq!(plan(&host, &[], 0, 2).len(), 2, "without bindings the thread's own mask counts");
        assert_eq!(cpus(&plan(&host, &[], 0, 2)), [vec![0], vec![1]]);
    }

    #[cfg(feature = "hwloc")]
    #[test]
    fn a_two_socket_gpu_node_gives_each_of_eight_ranks_half_a_memory_node() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/node-2x64-4numa-4gpu.xml");
        let host = Topology::from_xml_file(path).unwrap();
        let bound = vec![host.allowed.clone(); 8];
        for rank in 0..8 {
            let places = plan(&host, &bound, rank, 16);
            assert!(places.iter().all(|place| place.cpus.len() == 2 && place.numa == Some(rank as u32 / 2)));
        }
    }

    #[test]
    fn plans_on_this_host_can_be_carried_out() {
        let host = Topology::discover().unwrap();
        let places = plan(&host, std::slice::from_ref(&host.allowed), 0, host.cores_among(&host.allowed));
        std::thread::scope(|scope| {
            for place in places {
                scope.spawn(move || {
                    super::super::bind_this_thread(&place.cpus).unwrap();
                    assert_eq!(crate::topology::bind::allowed_cpus(), place.cpus);
                });
            }
        });
    }
}
