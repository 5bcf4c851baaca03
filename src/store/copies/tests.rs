//! Who reads what is gone, waits for ever, is told twice, or leaves something behind? And what a broadcast costs.

#[path = "tests/course.rs"]
mod course;
#[path = "tests/play.rs"]
mod play;

use super::*;
use play::{BYTES, Sim, Wire, bytes_of};

/// So many hosts want the same block at once: rounds of reads, reads of the original, messages a host.
fn broadcast(hosts: u32) -> (u32, u64, f64) {
    let mut sim = Sim::new(hosts + 1, 2, 1);
    let block = sim.make(0);
    for rank in 2..2 * (hosts + 1) {
        for _ in 0..5 {
            sim.ask(rank, 0, block);
        }
    }
    let rounds = sim.rounds();
    assert!(sim.fates.iter().all(|fate| fate.told == Some(true)));
    let messages = sim.messages as f64 / f64::from(hosts);
    let reads = sim.reads_of_originals;
    sim.finish();
    (rounds, reads, messages)
}

#[test]
fn a_broadcast_goes_as_a_tree() {
    // 2 + 4 + .. + 2^n hosts are served after n rounds.
    assert_eq!(broadcast(2), (1, 2, 5.0));
    let (rounds, reads, messages) = broadcast(64);
    assert_eq!((rounds, reads), (6, 2));
    assert!(messages < 8.0, "{messages} messages a host");
    let (rounds, reads, messages) = broadcast(1_000);
    assert_eq!((rounds, reads), (9, 2));
    assert!(messages < 8.0, "{messages} messages a host");
}

#[test]
fn a_host_brings_a_block_once_however_many_tasks_ask() {
    let mut sim = Sim::new(2, 4, 1);
    let block = sim.make(0);
    for task in 0..40 {
        sim.ask(4 + task % 4, 0, block);
    }
    sim.rounds();
    assert_eq!(sim.reads_of_originals, 1);
    // Whoever asks later, while the original lives, finds the copy.
    sim.used.clear();
    sim.settle();
    sim.ask(5, 0, block);
    assert_eq!((sim.rounds(), sim.reads_of_originals), (0, 1));
    sim.finish();
}

#[test]
fn copies_that_nobody_uses_go_first_and_the_least_recently_used_of_them() {
    let mut sim = Sim::new(2, 1, 1);
    let large = |sim: &mut Sim| std::iter::repeat_with(|| sim.make(0)).find(|block| bytes_of(*block) == BYTES).unwrap();
    let blocks: Vec<ObjectId> = (0..4).map(|_| large(&mut sim)).collect();
    for block in &blocks {
        sim.ask(1, 0, *block);
        sim.rounds();
    }
    // The first is in use, the second was used last.
    sim.used.truncate(1);
    sim.settle();
    sim.ask(1, 0, blocks[1]);
    sim.used.truncate(1);
    let (freed, actions) = sim.at(1).copies.evict(BYTES + 1);
    sim.act(1, actions);
    assert_eq!(freed, 2 * BYTES);
    for (block, is_here) in blocks.iter().zip([true, true, false, false]) {
        let before = sim.reads_of_originals;
        sim.ask(1, 0, *block);
        sim.rounds();
        assert_eq!(sim.reads_of_originals == before, is_here, "{block}");
    }
    sim.used.truncate(1);
    sim.at(1).copies.keep_at_most(2 * BYTES);
    let late = large(&mut sim);
    sim.ask(1, 0, late);
    sim.rounds();
    assert!(sim.at(1).copies.kept_bytes <= 2 * BYTES);
    sim.finish();
}

#[test]
fn random_askers_evictions_and_deaths_leave_nobody_waiting_and_nothing_behind() {
    for seed in 1..1_500 {
        let mut sim = Sim::new(2 + seed as u32 % 5, 1 + seed as u32 % 3, seed);
        let count = sim.ranks.len();
        let mut blocks = vec![sim.make(0), sim.make((count - 1) as Rank)];
        let mut deaths = seed % 4;
        for _ in 0..150 {
            match sim.draw(24) {
                0..=5 => {
                    let (asker, place) = (sim.draw(count) as Rank, sim.draw(blocks.len()));
                    let block = blocks[place];
                    let sender = if sim.draw(3) == 0 { sim.draw(count) as Rank } else { block.owner };
                    if !sim.same_host(asker, block.owner) && asker != sender {
                        sim.ask(asker, sender, block);
                    }
                }
                6 => {
                    let rank = sim.draw(count) as Rank;
                    if !sim.ranks[rank as usize].dead {
                        let (_, actions) = sim.at(rank).copies.evict(BYTES);
                        sim.act(rank, actions);
                    }
                }
                7 if deaths > 0 => {
                    deaths -= 1;
                    let rank = sim.draw(count) as Rank;
                    if !sim.ranks[rank as usize].dead {
                        sim.kill(rank);
                    }
                }
                8 if !sim.used.is_empty() => {
                    let place = sim.draw(sim.used.len());
                    drop(sim.used.swap_remove(place));
                    sim.settle();
                }
                9 => {
                    let rank = sim.draw(count) as Rank;
                    if !sim.ranks[rank as usize].dead {
                        blocks.push(sim.make(rank));
                    }
                }
                10 => {
                    let place = sim.draw(blocks.len());
                    drop(sim.originals.remove(&blocks[place]));
                    sim.settle();
                }
                11 => {
                    // A message that is handled twice.
                    let pairs: Vec<_> = sim.wires.keys().copied().collect();
                    if let Some((from, to)) = pairs.get(sim.random as usize % pairs.len().max(1)).copied()
                        && let Some(Wire::Copy(message)) = sim.wires[&(from, to)].front()
                        && !matches!(message, CopyMessage::Have { .. } | CopyMessage::Holders { .. })
                    {
                        let again = Wire::Copy(message.clone());
                        sim.wires.get_mut(&(from, to)).unwrap().push_front(again);
                    }
                }
                _ => drop(sim.step()),
            }
        }
        println!("seed {seed}");
        sim.finish();
    }
}
