//! Arrays that other hosts need: each is sent once to a host, and a broadcast forms a tree.

use crate::lab;
use crate::launch_mode::LaunchMode;
use crate::launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use crate::launcher::{Finished, example};
use std::time::Duration;

/// The fetches that a run logged: the reading rank, and the ranks that served it.
fn fetches(finished: &Finished) -> Vec<(u32, Vec<u32>)> {
    let line = |line: &str| {
        let (reader, what) = line.split_once("mobula: rank ")?.1.split_once(" fetches 67108864 bytes of ")?;
        let sources = what.split_once(" from ")?.1.split(", ");
        let sources = sources.map(|source| source.trim().trim_start_matches("rank ").parse());
        Some((reader.parse().ok()?, sources.collect::<Result<_, _>>().ok()?))
    };
    finished.output.lines().filter_map(line).collect()
}

fn on_hosts(mode: &str) -> Option<Finished> {
    let lab = lab::shared()?;
    let launch = LaunchMode::Tcp.srun(&lab, &example("copies")).env("MOBULA_LOG", "debug").arg(mode);
    Some(launch.limit(Duration::from_secs(120)).run())
}

#[test]
fn array_for_ten_tasks_of_a_host_is_fetched_once() {
    let Some(finished) = on_hosts("many") else { return };
    let finished = finished.succeeded().printed(&["right in 10 tasks"]);
    let fetches = fetches(&finished);
    assert_eq!(fetches.len(), 1, "{fetches:?}");
    assert!(fetches[0].0 >= 4 && fetches[0].1 == [0], "{fetches:?}");
}

#[test]
fn array_for_all_ranks_is_fetched_once_per_host() {
    let Some(finished) = on_hosts("all") else { return };
    let finished = finished.succeeded().printed(&["right in 5 tasks"]);
    let mut hosts: Vec<u32> = fetches(&finished).iter().map(|(reader, _)| reader / 2).collect();
    hosts.sort_unstable();
    assert_eq!(hosts, [1, 2], "ranks 0 and 1 read it in place");
}

#[test]
fn arrays_arrive_although_a_fetching_rank_dies() {
    let Some(finished) = on_hosts("lose") else { return };
    finished.printed(&["right without rank 5"]);
}

/// Seven ranks that share no memory count as seven hosts: two of them read the original, the others read their copies.
#[test]
fn broadcast_reads_the_original_at_most_twice() {
    let (ranks, folder) = (7, TestFolder::new("copies"));
    let launch =
        launch_ranks(&example("copies"), &all_ranks(ranks), ranks, &folder.meeting_file().display().to_string());
    let launch = launch.env("MOBULA_FABRIC", "tcp").env("MOBULA_LOG", "debug").arg("all");
    let finished = launch.limit(Duration::from_secs(120)).run().succeeded().printed(&["right in 6 tasks"]);
    let fetches = fetches(&finished);
    assert_eq!(fetches.len(), 6, "{fetches:?}");
    let originals = fetches.iter().filter(|(_, sources)| sources.contains(&0)).count();
    assert!((1..=2).contains(&originals), "{fetches:?}");
}
