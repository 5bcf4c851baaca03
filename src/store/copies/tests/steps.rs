//! The steps of the simulation: deaths and their detection, one event after the other in random order, or in rounds.

use super::sim::{CopySim, CopyWait};
use crate::base::Rank;
use std::collections::BTreeMap;

impl CopySim {
    pub fn kill(&mut self, rank: Rank) {
        self.at(rank).dead = true;
        self.used.retain(|(user, _)| *user != rank);
        // Messages that it will not read: their sender returns the grants that covered them.
        let unread =
            |wait: &&CopyWait| wait.reader == rank && wait.outcome.is_none() && wait.sender != wait.block.owner;
        let covers: Vec<_> = self.waits.iter().filter(unread).map(|wait| (wait.block, wait.sender)).collect();
        covers.into_iter().for_each(|(block, sender)| self.release(block, sender));
        let others = (0..self.ranks.len() as Rank).filter(|other| *other != rank);
        self.unlearned_deaths.extend(others.map(|other| (other, rank)));
        self.release_drained_grants();
    }

    fn learn(&mut self, index: usize) {
        let (rank, dead) = self.unlearned_deaths.swap_remove(index);
        if self.ranks[rank as usize].dead {
            return;
        }
        self.at(rank).knows_dead.insert(dead);
        let view = self.view(rank);
        let actions = self.at(rank).copies.on_rank_failed(dead, |(_, sender)| *sender == dead, &view);
        for wait in self.waits.iter_mut().filter(|wait| wait.reader == rank && wait.sender == dead) {
            // Its message was discarded with its sender.
            wait.outcome.get_or_insert(false);
        }
        self.at(rank).locations.on_rank_failed(dead);
        self.release_drained_grants();
        self.perform(rank, actions);
        self.process_drops();
    }

    /// Owners drop the grants of a dead rank once every living rank has learned of the death: until then a rank may
    /// still read under a grant of the dead one that came with a message from it (`store::counts`).
    fn release_drained_grants(&mut self) {
        let unlearned = &self.unlearned_deaths;
        let is_drained =
            |dead: Rank| !unlearned.iter().any(|(rank, other)| *other == dead && !self.ranks[*rank as usize].dead);
        let drained: Vec<Rank> =
            (0..self.ranks.len() as Rank).filter(|rank| self.ranks[*rank as usize].dead && is_drained(*rank)).collect();
        let mut forgotten = Vec::new();
        for rank in self.ranks.iter_mut().filter(|rank| !rank.dead) {
            for (_, grants) in rank.exported.values_mut() {
                grants.retain(|holder, _| !drained.contains(holder));
            }
            let (unread, read): (BTreeMap<_, _>, _) =
                std::mem::take(&mut rank.exported).into_iter().partition(|(_, (_, grants))| grants.is_empty());
            rank.exported = read;
            forgotten.push(unread);
        }
        drop(forgotten);
        self.process_drops();
    }

    pub fn step(&mut self) -> bool {
        let ready: Vec<(Rank, Rank)> =
            self.wires.iter().filter(|(_, wires)| !wires.is_empty()).map(|(pair, _)| *pair).collect();
        let choices = ready.len() + self.reads.len() + self.unlearned_deaths.len();
        if choices == 0 {
            return false;
        }
        let choice = self.draw(choices);
        if choice < ready.len() {
            self.deliver(ready[choice].0, ready[choice].1);
        } else if choice < ready.len() + self.reads.len() {
            self.end_read(choice - ready.len());
        } else {
            self.learn(choice - ready.len() - self.reads.len());
        }
        true
    }

    /// Runs until nothing can happen; then there is no waiter left, and when nothing is in use, nothing is left.
    pub fn finish(&mut self) {
        while self.step() {}
        for wait in &self.waits {
            let alive = !self.ranks[wait.reader as usize].dead;
            assert!(!alive || wait.outcome.is_some(), "rank {} waits for ever for {}", wait.reader, wait.block);
        }
        self.used.clear();
        self.originals.clear();
        self.process_drops();
        while self.step() {}
        for (rank, state) in self.ranks.iter_mut().enumerate().filter(|(_, state)| !state.dead) {
            assert!(state.exported.is_empty(), "rank {rank} keeps {:?}", state.exported.keys());
            assert!(state.locations.is_empty(), "rank {rank} knows holders of a freed block");
            assert_eq!(state.copies.cached_bytes, 0, "rank {rank} has copies of a freed block");
        }
    }

    /// All messages, then all reads, until nothing can happen; returns how many times there were reads.
    pub fn rounds(&mut self) -> u32 {
        let mut rounds = 0;
        loop {
            while let Some(pair) = self.wires.iter().find(|(_, wires)| !wires.is_empty()).map(|(pair, _)| *pair) {
                self.deliver(pair.0, pair.1);
                self.wires.retain(|_, wires| !wires.is_empty());
            }
            if self.reads.is_empty() {
                return rounds;
            }
            rounds += 1;
            let mut readers_of: BTreeMap<Rank, u32> = BTreeMap::new();
            for source in self.reads.iter().flat_map(|read| &read.sources) {
                *readers_of.entry(source.block.owner).or_default() += 1;
            }
            assert!(readers_of.values().all(|readers| *readers <= 2), "{readers_of:?}");
            for index in (0..self.reads.len()).rev() {
                self.end_read(index);
            }
        }
    }
}
