//! The cores of a task that requested several CPUs, near to those of its worker. Pure.
//!
//! ```text
//!   8 cores on 2 memory nodes         0 1 2 3   4 5 6 7
//!   2 CPUs, worker of core 1          x x . .   . . . .
//!   2 more, worker of core 0          . . x x   . . . .    cores 0 and 1 are in use
//!   4 more, worker of core 2          . . . .   x x x x    the other node has more free ones
//!   4 more, worker of core 3          x x x x   . . . .    every core is in use: the nearest
//! ```

use super::placement::RankCores;

/// The `count` of a rank's cores for a task whose worker is on the core `at`, as indices; all if there are fewer.
///
/// Cores in less use come first: `load` has, by core, how many use it. Then those of the rank's share, then those of
/// the worker's memory node, then the nearest run of `count` cores, so that tasks of one size lie side by side.
pub fn near(rank: &RankCores, load: &[u32], at: usize, count: usize) -> Vec<usize> {
    let RankCores { cores, shared, .. } = rank;
    let node = cores.get(at).and_then(|core| core.numa);
    let run = |core: usize| core / count.max(1);
    let mut order: Vec<usize> = (0..cores.len()).collect();
    order.sort_by_key(|core| {
        let used = load.get(*core).copied().unwrap_or_default();
        (used, core >= shared, cores[*core].numa != node, run(*core).abs_diff(run(at)), *core)
    });
    order.truncate(count);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::super::placement::tests::host;
    use super::*;

    fn of_host(packages: u32, nodes: u32, cores: u32) -> RankCores {
        let host = host(packages, nodes, cores, 1);
        RankCores::of(&host, std::slice::from_ref(&host.allowed), 0, 1)
    }

    /// What tasks get one after the other, each given by its worker's core and its count.
    fn in_turn(cores: &RankCores, tasks: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let mut load = vec![0; cores.cores.len()];
        let mut take = |(at, count): &(usize, usize)| {
            let taken = near(cores, &load, *at, *count);
            taken.iter().for_each(|core| load[*core] += 1);
            taken
        };
        tasks.iter().map(&mut take).collect()
    }

    #[test]
    fn example_of_module_doc_holds() {
        let taken = in_turn(&of_host(1, 2, 4), &[(1, 2), (0, 2), (2, 4), (3, 4)]);
        assert_eq!(taken, [vec![0, 1], vec![2, 3], vec![4, 5, 6, 7], vec![0, 1, 2, 3]]);
    }

    #[test]
    fn task_gets_the_cores_around_its_worker_on_one_memory_node() {
        let cores = of_host(2, 2, 4);
        for at in 0..16 {
            for count in 1..=4 {
                let taken = near(&cores, &[], at, count);
                assert_eq!(taken.len(), count);
                assert!(taken.contains(&at) || 4 % count != 0, "{at} {count}: {taken:?}");
                assert!(taken.iter().all(|core| core / 4 == at / 4), "{at} {count}: {taken:?}");
            }
        }
        assert_eq!(near(&cores, &[], 5, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(near(&cores, &[], 9, 6), [6, 7, 8, 9, 10, 11], "the whole node, and the nearest beside it");
    }

    #[test]
    fn tasks_of_neighbouring_workers_share_no_core_while_cores_suffice() {
        // The first workers that sleep are woken first.
        let tasks: Vec<(usize, usize)> = (0..8).map(|worker| (worker, 8)).collect();
        let mut taken: Vec<usize> = in_turn(&of_host(2, 2, 16), &tasks).concat();
        taken.sort();
        assert_eq!(taken, (0..64).collect::<Vec<_>>());
    }

    #[cfg(feature = "hwloc")]
    #[test]
    fn task_on_a_node_of_two_sockets_lies_on_one_memory_node() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/node-2x64-4numa-4gpu.xml");
        let host = super::super::Topology::from_xml_file(path).unwrap();
        let cores = RankCores::of(&host, std::slice::from_ref(&host.allowed), 0, 64);
        let tasks: Vec<(usize, usize)> = (0..cores.cores.len() / 8).map(|worker| (worker, 8)).collect();
        for taken in in_turn(&cores, &tasks) {
            assert!(taken.iter().all(|core| cores.cores[*core].numa == cores.cores[taken[0]].numa), "{taken:?}");
            assert_eq!(taken.last().map(|last| last - taken[0]), Some(7), "side by side");
        }
    }

    #[test]
    fn cores_in_use_come_last() {
        let cores = of_host(1, 1, 4);
        assert_eq!(near(&cores, &[1, 0, 0, 0], 0, 3), [1, 2, 3]);
        assert_eq!(near(&cores, &[2, 1, 1, 2], 3, 2), [1, 2]);
    }

    #[test]
    fn cores_of_the_share_come_before_those_of_other_ranks() {
        let host = host(1, 1, 8, 1);
        let cores = RankCores::of(&host, &[host.allowed.clone(), host.allowed.clone()], 1, 4);
        for at in 0..4 {
            for count in 1..=4 {
                assert!(near(&cores, &[], at, count).iter().all(|core| *core < 4), "{at} {count}");
            }
        }
        assert_eq!(near(&cores, &[1, 1, 1, 1], 0, 4), [4, 5, 6, 7], "which the other rank leaves idle");
    }

    #[test]
    fn more_cpus_than_cores_are_all_cores() {
        assert_eq!(near(&of_host(1, 1, 3), &[], 2, 70), [0, 1, 2]);
        assert_eq!(near(&RankCores::default(), &[], 0, 2), [0; 0]);
        assert_eq!(near(&of_host(1, 1, 3), &[], 9, 2).len(), 2, "a core that is not there");
    }
}
