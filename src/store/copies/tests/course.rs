//! How a play goes on: deaths and the news of them, one event after the other in random order, or in rounds.

use super::play::{Fate, Sim};
use crate::base::Rank;
use std::collections::BTreeMap;

impl Sim {
    pub fn kill(&mut self, rank: Rank) {
        self.at(rank).dead = true;
        self.used.retain(|(user, _)| *user != rank);
        // Messages that it will not read: what covered them is returned by who sent them.
        let unread = |fate: &&Fate| fate.asker == rank && fate.told.is_none() && fate.sender != fate.block.owner;
        let covers: Vec<_> = self.fates.iter().filter(unread).map(|fate| (fate.block, fate.sender)).collect();
        covers.into_iter().for_each(|(block, sender)| self.release(block, sender));
        let others = (0..self.ranks.len() as Rank).filter(|other| *other != rank);
        self.news.extend(others.map(|other| (other, rank)));
        self.settle();
    }

    fn learn(&mut self, place: usize) {
        let (rank, dead) = self.news.swap_remove(place);
        if self.ranks[rank as usize].dead {
            return;
        }
        self.at(rank).knows_dead.insert(dead);
        let view = self.view(rank);
        let actions = self.at(rank).copies.lost(dead, |(_, sender)| *sender == dead, &view);
        for fate in self.fates.iter_mut().filter(|fate| fate.asker == rank && fate.sender == dead) {
            // Its message was forgotten with its sender.
            fate.told.get_or_insert(false);
        }
        self.at(rank).whereabouts.lost(dead);
        let numbers: Vec<u64> = self.at(rank).exported.keys().copied().collect();
        for number in numbers {
            let forgotten = {
                let exported = &mut self.at(rank).exported;
                let grants = &mut exported.get_mut(&number).unwrap().1;
                grants.remove(&dead);
                if grants.is_empty() { exported.remove(&number) } else { None }
            };
            drop(forgotten);
        }
        self.act(rank, actions);
        self.settle();
    }

    pub fn step(&mut self) -> bool {
        let ready: Vec<(Rank, Rank)> =
            self.wires.iter().filter(|(_, wires)| !wires.is_empty()).map(|(pair, _)| *pair).collect();
        let choices = ready.len() + self.reads.len() + self.news.len();
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

    /// Everything goes on until nothing does; then nobody waits, and when nobody uses anything, nothing is left.
    pub fn finish(&mut self) {
        while self.step() {}
        for fate in &self.fates {
            let alive = !self.ranks[fate.asker as usize].dead;
            assert!(!alive || fate.told.is_some(), "rank {} waits for ever for {}", fate.asker, fate.block);
        }
        self.used.clear();
        self.originals.clear();
        self.settle();
        while self.step() {}
        for (rank, state) in self.ranks.iter_mut().enumerate().filter(|(_, state)| !state.dead) {
            assert!(state.exported.is_empty(), "rank {rank} keeps {:?}", state.exported.keys());
            assert!(state.whereabouts.is_empty(), "rank {rank} knows holders of what is gone");
            assert_eq!(state.copies.kept_bytes, 0, "rank {rank} keeps copies of what is gone");
        }
    }

    /// All messages, then all reads, until nothing goes on; how many times there were reads.
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
            for place in (0..self.reads.len()).rev() {
                self.end_read(place);
            }
        }
    }
}
