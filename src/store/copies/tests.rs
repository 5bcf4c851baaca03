//! Tests that no rank reads a freed block, waits for ever, is notified twice, or leaves something behind; and the cost
//! of a broadcast.

#[path = "tests/sim.rs"]
mod sim;
#[path = "tests/steps.rs"]
mod steps;

use super::*;
use sim::{BYTES, CopySim, Packet, bytes_of};

impl<M: ?Sized, W> Copies<M, W> {
    /// The invariants, between two events: what is cached is counted, each read is known, and a fetch waits for a rank.
    fn check(&self) {
        let mut cached_bytes = 0;
        for (block, entry) in &self.table {
            match entry {
                CopyEntry::Present(copy) => cached_bytes += copy.cached.as_ref().map_or(0, |_| copy.bytes),
                CopyEntry::Fetching(fetch) => match &fetch.stage {
                    FetchStage::CopiesRequested { pending, .. } => {
                        assert!(!pending.is_empty(), "{block} waits for none")
                    }
                    FetchStage::Reading { token, .. } => assert_eq!(self.reading.get(token), Some(block)),
                    FetchStage::CacheRequested(rank) => assert_ne!(*rank, self.me, "COPIES-4"),
                    FetchStage::Locating { .. } => {}
                },
            }
        }
        assert_eq!(cached_bytes, self.cached_bytes);
    }
}

/// This many hosts fetch the same block at once: rounds of reads, reads of the original, messages per host.
fn broadcast(hosts: u32) -> (u32, u64, f64) {
    let mut sim = CopySim::new(hosts + 1, 2, 1);
    let block = sim.create(0);
    for rank in 2..2 * (hosts + 1) {
        for _ in 0..5 {
            sim.request(rank, 0, block);
        }
    }
    let rounds = sim.rounds();
    assert!(sim.waits.iter().all(|wait| wait.outcome == Some(true)));
    let messages = sim.messages as f64 / f64::from(hosts);
    let reads = sim.reads_of_originals;
    sim.finish();
    (rounds, reads, messages)
}

#[test]
fn broadcast_reads_form_a_tree() {
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
fn host_fetches_a_block_once_for_many_tasks() {
    let mut sim = CopySim::new(2, 4, 1);
    let block = sim.create(0);
    for task in 0..40 {
        sim.request(4 + task % 4, 0, block);
    }
    sim.rounds();
    assert_eq!(sim.reads_of_originals, 1);
    // A later request, while the original lives, finds the copy.
    sim.used.clear();
    sim.process_drops();
    sim.request(5, 0, block);
    assert_eq!((sim.rounds(), sim.reads_of_originals), (0, 1));
    sim.finish();
}

fn large(sim: &mut CopySim) -> ObjectId {
    std::iter::repeat_with(|| sim.create(0)).find(|block| bytes_of(*block) == BYTES).unwrap()
}

/// The only rank that needed a block died while the cache rank asked its owner for holders. The owner had no grants
/// left and did not know the block; meanwhile it sent the block's name to the cache rank, whose new waiter got that
/// error.
#[test]
fn waiter_that_joins_after_the_owner_was_asked_gets_the_block() {
    let mut sim = CopySim::new(3, 2, 1);
    let block = large(&mut sim);
    let cache_rank = sim.view(2).cache_rank(block);
    let other = 5 - cache_rank;
    sim.request(other, 4, block);
    sim.deliver(other, cache_rank);
    sim.kill(other);
    sim.deliver(cache_rank, 0);
    sim.request(cache_rank, 0, block);
    sim.rounds();
    assert_eq!(sim.waits[1].outcome, Some(true));
    sim.finish();
}

#[test]
fn unused_copies_are_evicted_first_then_least_recently_used() {
    let mut sim = CopySim::new(2, 1, 1);
    let blocks: Vec<ObjectId> = (0..4).map(|_| large(&mut sim)).collect();
    for block in &blocks {
        sim.request(1, 0, *block);
        sim.rounds();
    }
    // The first is in use, the second was used last.
    sim.used.truncate(1);
    sim.process_drops();
    sim.request(1, 0, blocks[1]);
    sim.used.truncate(1);
    let (freed, actions) = sim.at(1).copies.evict(BYTES + 1);
    sim.perform(1, actions);
    assert_eq!(freed, 2 * BYTES);
    for (block, is_here) in blocks.iter().zip([true, true, false, false]) {
        let before = sim.reads_of_originals;
        sim.request(1, 0, *block);
        sim.rounds();
        assert_eq!(sim.reads_of_originals == before, is_here, "{block}");
    }
    sim.used.truncate(1);
    sim.at(1).copies.set_cache_limit(2 * BYTES);
    let late = large(&mut sim);
    sim.request(1, 0, late);
    sim.rounds();
    assert!(sim.at(1).copies.cached_bytes <= 2 * BYTES);
    sim.finish();
}

#[test]
fn random_reads_evictions_and_deaths_leave_no_waiter_and_no_leak() {
    for seed in 1..1_500 {
        let mut sim = CopySim::new(2 + seed as u32 % 5, 1 + seed as u32 % 3, seed);
        let count = sim.ranks.len();
        let mut blocks = vec![sim.create(0), sim.create((count - 1) as Rank)];
        let mut deaths = seed % 4;
        for _ in 0..150 {
            match sim.draw(24) {
                0..=5 => {
                    let (reader, index) = (sim.draw(count) as Rank, sim.draw(blocks.len()));
                    let block = blocks[index];
                    let sender = if sim.draw(3) == 0 { sim.draw(count) as Rank } else { block.owner };
                    if !sim.same_host(reader, block.owner) && reader != sender {
                        sim.request(reader, sender, block);
                    }
                }
                6 => {
                    let rank = sim.draw(count) as Rank;
                    if !sim.ranks[rank as usize].dead {
                        let (_, actions) = sim.at(rank).copies.evict(BYTES);
                        sim.perform(rank, actions);
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
                    let index = sim.draw(sim.used.len());
                    drop(sim.used.swap_remove(index));
                    sim.process_drops();
                }
                9 => {
                    let rank = sim.draw(count) as Rank;
                    if !sim.ranks[rank as usize].dead {
                        blocks.push(sim.create(rank));
                    }
                }
                10 => {
                    let index = sim.draw(blocks.len());
                    drop(sim.originals.remove(&blocks[index]));
                    sim.process_drops();
                }
                11 => {
                    // A message that is handled twice; not one that brings a grant, or whose reply is expected once.
                    let pairs: Vec<_> = sim.wires.keys().copied().collect();
                    let index = sim.draw(pairs.len().max(1));
                    if let Some((from, to)) = pairs.get(index).copied()
                        && let Some(Packet::Copy(message)) = sim.wires[&(from, to)].front().cloned()
                        && !matches!(
                            message,
                            CopyMessage::CopyReply { .. } | CopyMessage::Holders { .. } | CopyMessage::Locate { .. }
                        )
                    {
                        sim.wires.get_mut(&(from, to)).unwrap().push_front(Packet::Copy(message));
                        sim.deliver(from, to);
                        sim.deliver(from, to);
                    }
                }
                _ => drop(sim.step()),
            }
        }
        println!("seed {seed}");
        sim.finish();
    }
}
