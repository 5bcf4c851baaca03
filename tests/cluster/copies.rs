//! Arrays that other hosts need: each crosses once to a host, and a broadcast goes as a tree.

use crate::lab;
use crate::launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use crate::launcher::{Finished, example};
use crate::way::Way;
use std::time::Duration;

/// The lines of a run that say what was brought: to which rank, and from which.
fn brought(finished: &Finished) -> Vec<(u32, Vec<u32>)> {
    let line = |line: &str| {
        let (reader, what) = line.split_once("mobula: rank ")?.1.split_once(" brings 67108864 bytes of ")?;
        let sources = what.split_once(" from ")?.1.split(", ");
        let sources = sources.map(|source| source.trim().trim_start_matches("rank ").parse());
        Some((reader.parse().ok()?, sources.collect::<Result<_, _>>().ok()?))
    };
    finished.output.lines().filter_map(line).collect()
}

fn on_hosts(mode: &str) -> Option<Finished> {
    let lab = lab::shared()?;
    let launch = Way::Tcp.srun(&lab, &example("copies")).env("MOBULA_LOG", "debug").arg(mode);
    Some(launch.limit(Duration::from_secs(120)).run())
}

#[test]
fn ten_tasks_of_a_host_bring_an_array_once() {
    let Some(finished) = on_hosts("many") else { return };
    let finished = finished.succeeded().printed(&["right in 10 tasks"]);
    let brought = brought(&finished);
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert!(brought[0].0 >= 4 && brought[0].1 == [0], "{brought:?}");
}

#[test]
fn every_host_brings_an_array_once() {
    let Some(finished) = on_hosts("all") else { return };
    let finished = finished.succeeded().printed(&["right in 5 tasks"]);
    let mut hosts: Vec<u32> = brought(&finished).iter().map(|(reader, _)| reader / 2).collect();
    hosts.sort_unstable();
    assert_eq!(hosts, [1, 2], "ranks 0 and 1 read it where it lies");
}

#[test]
fn arrays_come_though_a_rank_dies_that_was_to_bring_them() {
    let Some(finished) = on_hosts("lose") else { return };
    finished.printed(&["right without rank 5"]);
}

/// Seven ranks that share no memory are as many hosts: two of them read the original, the others what those have.
#[test]
fn a_broadcast_reads_the_original_twice() {
    let (ranks, folder) = (7, TestFolder::new("copies"));
    let launch = launch_ranks(&example("copies"), &all_ranks(ranks), ranks, &folder.meeting_file().display().to_string());
    let launch = launch.env("MOBULA_FABRIC", "tcp").env("MOBULA_LOG", "debug").arg("all");
    let finished = launch.limit(Duration::from_secs(120)).run().succeeded().printed(&["right in 6 tasks"]);
    let brought = brought(&finished);
    assert_eq!(brought.len(), 6, "{brought:?}");
    let originals = brought.iter().filter(|(_, sources)| sources.contains(&0)).count();
    assert!((1..=2).contains(&originals), "{brought:?}");
}
