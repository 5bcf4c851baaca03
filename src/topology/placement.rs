//! The CPUs of each worker of each rank. Pure: every rank of a host computes the same plan from the same input.
//!
//! ```text
//!   8 cores of 2 hardware threads    rank 0          rank 1          rank 2
//!   bound by the launcher to CPUs    0-7             0-7             8-15
//!   share                            cores 0,1       cores 2,3       cores 4,5,6,7     0 and 1 were bound alike
//!   plan of 2 workers                0-1  2-3        4-5  6-7        8-9  10-11
//!   plan of 4 workers                0  2  1  3      4  6  5  7      8-9  10-11  12-13  14-15
//! ```

use super::description::{Core, Topology};

/// A core or hardware thread, on which a worker is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerPlacement {
    /// Logical CPUs on which the worker may run.
    pub cpus: Vec<u32>,
    /// The memory node next to them.
    pub numa: Option<u32>,
}

/// The cores of rank `me`, each with the CPUs that the rank may use.
///
/// `bound` holds, for each rank of this host in the same order everywhere, the CPUs that the launcher bound it to.
/// Ranks bound alike (unbound ones are all bound to the whole host) divide the cores into runs of neighbours, so that a
/// rank stays on as few memory nodes as possible. With more ranks than cores, neighbours share a core. Bindings that
/// overlap only in part are left as the launcher set them.
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

/// The cores of a rank: a worker is pinned to one of them, and a task of several CPUs may use several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankCores {
    /// Those of the rank's share: whole cores if there are enough for its workers, else the first hardware thread of
    /// each, then the further ones. Behind them, likewise, the other cores to which the rank was bound: those of the
    /// ranks bound alike. Empty if the host's cores are unknown.
    pub cores: Vec<WorkerPlacement>,
    /// How many of them are the rank's share.
    pub shared: usize,
    /// How many workers are pinned to the share.
    pub workers: usize,
}

impl RankCores {
    /// The cores of rank `me` with that many workers; `bound` as for `share`.
    pub fn of(topology: &Topology, bound: &[Vec<u32>], me: usize, workers: usize) -> RankCores {
        let own = share(topology, bound, me);
        let cpus = bound.get(me).unwrap_or(&topology.allowed);
        let is_own = |core: &Core| own.iter().any(|own| own.id == core.id);
        let others: Vec<Core> =
            topology.cores.iter().filter(|core| !is_own(core)).filter_map(|core| within(core, cpus)).collect();
        let placements = if workers <= own.len() { whole_cores } else { hardware_threads };
        let mut cores = placements(&own);
        let shared = cores.len();
        cores.extend(placements(&others));
        RankCores { cores, shared, workers }
    }

    /// The core of that worker, by index: each has its own while there are free ones, then from the start again. `None`
    /// if no core is known.
    pub fn of_worker(&self, worker: usize) -> Option<usize> {
        worker.checked_rem(self.shared)
    }
}

fn whole_cores(cores: &[Core]) -> Vec<WorkerPlacement> {
    cores.iter().map(|core| WorkerPlacement { cpus: core.pus.clone(), numa: core.numa }).collect()
}

/// The first hardware thread of every core, then the second of every core that has one, and so on.
fn hardware_threads(cores: &[Core]) -> Vec<WorkerPlacement> {
    let rounds = cores.iter().map(|core| core.pus.len()).max().unwrap_or(0);
    let mut placements = Vec::new();
    for round in 0..rounds {
        let having = cores.iter().filter_map(|core| Some((core.pus.get(round)?, core.numa)));
        placements.extend(having.map(|(cpu, numa)| WorkerPlacement { cpus: vec![*cpu], numa }));
    }
    placements
}

/// The core with only those of its CPUs that are in `cpus`; `None` if there are none.
fn within(core: &Core, cpus: &[u32]) -> Option<Core> {
    let pus: Vec<u32> = core.pus.iter().copied().filter(|pu| cpus.contains(pu)).collect();
    (!pus.is_empty()).then(|| Core { pus, ..core.clone() })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A host of `packages` x `nodes` memory nodes x `cores` x `threads`, siblings numbered side by side.
    pub fn host(packages: u32, nodes: u32, cores: u32, threads: u32) -> Topology {
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

    /// The placement of each worker of rank `me`; none where no core is known.
    fn plan(host: &Topology, bound: &[Vec<u32>], me: usize, workers: usize) -> Vec<WorkerPlacement> {
        let cores = RankCores::of(host, bound, me, workers);
        (0..workers).filter_map(|worker| Some(cores.cores[cores.of_worker(worker)?].clone())).collect()
    }

    fn cpus(placements: &[WorkerPlacement]) -> Vec<Vec<u32>> {
        placements.iter().map(|placement| placement.cpus.clone()).collect()
    }

    #[test]
    fn single_rank_gets_every_whole_core() {
        let host = host(2, 2, 4, 2);
        let placements = plan(&host, std::slice::from_ref(&host.allowed), 0, 16);
        assert_eq!(cpus(&placements), (0..16).map(|core| vec![2 * core, 2 * core + 1]).collect::<Vec<_>>());
        assert_eq!(placements[15].numa, Some(3));
    }

    #[test]
    fn unbound_ranks_divide_the_host_each_on_its_own_memory_node() {
        let host = host(2, 2, 4, 2);
        let bound = vec![host.allowed.clone(); 4];
        for rank in 0..4 {
            let placements = plan(&host, &bound, rank, 4);
            assert!(
                placements.iter().all(|placement| placement.numa == Some(rank as u32)),
                "rank {rank}: {placements:?}"
            );
        }
    }

    #[test]
    fn ranks_up_to_core_count_divide_all_cores_without_overlap() {
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
    fn more_ranks_than_cores_share_cores_evenly() {
        let host = host(1, 1, 2, 1);
        let bound = vec![host.allowed.clone(); 5];
        let cores: Vec<_> = (0..5).map(|rank| cpus(&plan(&host, &bound, rank, 1))).collect();
        assert_eq!(cores, [0, 0, 0, 1, 1].map(|cpu| vec![vec![cpu]]));
    }

    #[test]
    fn binding_that_splits_a_core_is_respected() {
        let host = host(1, 1, 4, 2);
        let bound = [vec![0, 1, 2], vec![3], vec![4, 5, 6, 7], vec![4, 5, 6, 7]];
        assert_eq!(cpus(&plan(&host, &bound, 0, 2)), [vec![0, 1], vec![2]]);
        assert_eq!(cpus(&plan(&host, &bound, 1, 1)), [vec![3]]);
        assert_eq!(cpus(&plan(&host, &bound, 2, 1)), [vec![4, 5]]);
        assert_eq!(cpus(&plan(&host, &bound, 3, 1)), [vec![6, 7]]);
    }

    #[test]
    fn second_hardware_threads_come_last_then_plan_wraps() {
        let host = host(1, 1, 2, 2);
        let placements = plan(&host, std::slice::from_ref(&host.allowed), 0, 6);
        assert_eq!(cpus(&placements), [0, 2, 1, 3, 0, 2].map(|cpu| vec![cpu]));
    }

    #[test]
    fn example_of_module_doc_holds() {
        let host = host(1, 1, 8, 2);
        let bound: Vec<Vec<u32>> = vec![(0..8).collect(), (0..8).collect(), (8..16).collect()];
        assert_eq!(cpus(&plan(&host, &bound, 1, 2)), [[4, 5], [6, 7]]);
        assert_eq!(cpus(&plan(&host, &bound, 1, 4)), [[4], [6], [5], [7]]);
        assert_eq!(cpus(&plan(&host, &bound, 2, 4)), [[8, 9], [10, 11], [12, 13], [14, 15]]);
    }

    #[test]
    fn cores_of_different_thread_counts_are_filled_by_round() {
        let mut host = host(1, 1, 2, 2);
        host.cores[1].pus = vec![2];
        assert_eq!(cpus(&plan(&host, &[vec![0, 1, 2]], 0, 3)), [vec![0], vec![2], vec![1]]);
    }

    #[test]
    fn unknown_cpus_leave_workers_unpinned() {
        let host = host(1, 1, 2, 1);
        assert_eq!(plan(&host, &[vec![70]], 0, 2), []);
        assert_eq!(plan(&host, &[], 0, 2).len(), 2, "without bindings the thread's own mask counts");
        assert_eq!(cpus(&plan(&host, &[], 0, 2)), [vec![0], vec![1]]);
    }

    #[test]
    fn cores_beyond_the_share_are_only_those_the_rank_is_bound_to() {
        let host = host(1, 1, 8, 2);
        let bound: Vec<Vec<u32>> = vec![(0..8).collect(), (0..8).collect(), (8..16).collect()];
        let cpus = |rank: usize, workers: usize| {
            let RankCores { cores, shared, .. } = RankCores::of(&host, &bound, rank, workers);
            (cores.iter().map(|core| core.cpus.clone()).collect::<Vec<_>>(), shared)
        };
        assert_eq!(cpus(1, 2), (vec![vec![4, 5], vec![6, 7], vec![0, 1], vec![2, 3]], 2));
        assert_eq!(cpus(1, 4).0[..4], [[4], [6], [5], [7]]);
        assert_eq!(cpus(1, 4).0[4..], [[0], [2], [1], [3]]);
        assert_eq!(cpus(2, 1), ((4..8).map(|core| vec![2 * core, 2 * core + 1]).collect(), 4));
    }

    #[cfg(feature = "hwloc")]
    #[test]
    fn two_socket_gpu_node_gives_each_of_eight_ranks_half_a_memory_node() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/node-2x64-4numa-4gpu.xml");
        let host = Topology::from_xml_file(path).unwrap();
        let bound = vec![host.allowed.clone(); 8];
        for rank in 0..8 {
            let placements = plan(&host, &bound, rank, 16);
            assert!(
                placements.iter().all(|placement| placement.cpus.len() == 2 && placement.numa == Some(rank as u32 / 2))
            );
        }
    }

    #[test]
    fn plan_of_this_host_can_be_pinned() {
        let host = Topology::discover().unwrap();
        let placements = plan(&host, std::slice::from_ref(&host.allowed), 0, host.cores_among(&host.allowed));
        std::thread::scope(|scope| {
            for placement in placements {
                scope.spawn(move || {
                    super::super::bind_this_thread(&placement.cpus).unwrap();
                    assert_eq!(crate::topology::bind::allowed_cpus(), placement.cpus);
                });
            }
        });
    }
}
