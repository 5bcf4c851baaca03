//! Many ranks on many hosts, with grants as the counts give them: who reads what is gone, waits for ever, or is told twice?

use super::*;
use crate::store::Whereabouts;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Mutex;

const BYTES: u64 = 2 << 20;

/// Large, middling and small ones: brought as the owner says, by the keeper, by each rank.
fn bytes_of(block: ObjectId) -> u64 {
    [BYTES, BYTES / 4, BYTES, BYTES / 64][block.number as usize % 4]
}

/// A block of some rank's store, or a mapping of it on another rank of its host, which has a grant.
struct Memory {
    id: ObjectId,
    /// What is written there: the number of the block that it is a copy of.
    content: u64,
    mapped_by: Option<Rank>,
    ledger: Arc<Mutex<Ledger>>,
}

/// What memory says when it goes.
#[derive(Default)]
struct Ledger {
    alive: HashSet<ObjectId>,
    /// Blocks that went, and grants of mappings that went.
    gone: Vec<ObjectId>,
    unmapped: Vec<(Rank, ObjectId)>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mut ledger = self.ledger.lock().unwrap();
        match self.mapped_by {
            Some(rank) => ledger.unmapped.push((rank, self.id)),
            None => {
                ledger.alive.remove(&self.id);
                ledger.gone.push(self.id);
            }
        }
    }
}

/// Who waits: its number, and the rank whose message it is.
type Waiter = (u64, Rank);

enum Wire {
    Copy(CopyMessage),
    Release(ObjectId),
}

struct SimRank {
    copies: Copies<Memory, Waiter>,
    whereabouts: Whereabouts,
    /// Blocks that others hold grants of, and how many.
    exported: BTreeMap<u64, (Arc<Memory>, BTreeMap<Rank, u64>)>,
    next_number: u64,
    /// Deaths that it has heard of.
    knows_dead: BTreeSet<Rank>,
    dead: bool,
}

struct Read {
    reader: Rank,
    token: u64,
    sources: Vec<Source>,
    block: u64,
}

/// What became of somebody who waits.
struct Fate {
    asker: Rank,
    sender: Rank,
    block: ObjectId,
    told: Option<bool>,
}

struct Sim {
    ranks: Vec<SimRank>,
    ranks_per_host: u32,
    wires: BTreeMap<(Rank, Rank), VecDeque<Wire>>,
    reads: Vec<Read>,
    fates: Vec<Fate>,
    originals: BTreeMap<ObjectId, Arc<Memory>>,
    /// Memory that tasks use.
    used: Vec<(Rank, Arc<Memory>)>,
    /// Deaths that a rank has not heard of.
    news: Vec<(Rank, Rank)>,
    ledger: Arc<Mutex<Ledger>>,
    random: u64,
    reads_of_originals: u64,
    messages: u64,
}

/// One rank's view of the others.
struct View {
    me: Rank,
    ranks_per_host: u32,
    dead: BTreeSet<Rank>,
}

impl Peers for View {
    fn is_dead(&self, rank: Rank) -> bool {
        self.dead.contains(&rank)
    }
    fn death_of(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: "h".to_string(), reason: "test".to_string() }
    }
    fn keeper_of(&self, block: ObjectId) -> Rank {
        let first = self.me / self.ranks_per_host * self.ranks_per_host;
        let alive = (first..first + self.ranks_per_host).filter(|rank| !self.is_dead(*rank));
        keeper(block, alive).unwrap_or(self.me)
    }
}

impl Sim {
    fn new(hosts: u32, ranks_per_host: u32, seed: u64) -> Sim {
        let rank = |rank| SimRank {
            copies: Copies::new(rank),
            whereabouts: Whereabouts::new(rank),
            exported: BTreeMap::new(),
            next_number: 2,
            knows_dead: BTreeSet::new(),
            dead: false,
        };
        Sim {
            ranks: (0..hosts * ranks_per_host).map(rank).collect(),
            ranks_per_host,
            wires: BTreeMap::new(),
            reads: Vec::new(),
            fates: Vec::new(),
            originals: BTreeMap::new(),
            used: Vec::new(),
            news: Vec::new(),
            ledger: Arc::default(),
            random: seed,
            reads_of_originals: 0,
            messages: 0,
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    fn at(&mut self, rank: Rank) -> &mut SimRank {
        &mut self.ranks[rank as usize]
    }

    fn view(&self, rank: Rank) -> View {
        let dead = self.ranks[rank as usize].knows_dead.clone();
        View { me: rank, ranks_per_host: self.ranks_per_host, dead }
    }

    fn same_host(&self, one: Rank, other: Rank) -> bool {
        one / self.ranks_per_host == other / self.ranks_per_host
    }

    fn memory(&mut self, rank: Rank, content: u64) -> Arc<Memory> {
        let number = self.at(rank).next_number;
        self.at(rank).next_number += 1;
        let id = ObjectId { owner: rank, number };
        self.ledger.lock().unwrap().alive.insert(id);
        Arc::new(Memory { id, content, mapped_by: None, ledger: self.ledger.clone() })
    }

    /// An array that a rank makes.
    fn make(&mut self, rank: Rank) -> ObjectId {
        let number = self.at(rank).next_number;
        let memory = self.memory(rank, u64::from(rank) << 32 | number);
        let id = memory.id;
        self.originals.insert(id, memory);
        id
    }

    fn grant(&mut self, memory: &Arc<Memory>, to: Rank) {
        let id = memory.id;
        // Of a mapping, the grant goes over the owner: the counts see to that, and to what happens in between.
        let Some((_, grants)) = self.ranks[id.owner as usize].exported.get_mut(&id.number) else {
            assert_eq!(memory.mapped_by, None, "a mapping without a grant");
            self.at(id.owner).exported.insert(id.number, (memory.clone(), BTreeMap::from([(to, 1)])));
            return;
        };
        *grants.entry(to).or_default() += 1;
    }

    fn release(&mut self, id: ObjectId, from: Rank) {
        let Some((_, grants)) = self.ranks[id.owner as usize].exported.get_mut(&id.number) else { return };
        if let Some(held) = grants.get_mut(&from) {
            *held -= 1;
            if *held == 0 {
                grants.remove(&from);
            }
        }
        if grants.is_empty() {
            let memory = self.at(id.owner).exported.remove(&id.number);
            drop(memory);
        }
        self.settle();
    }

    /// What memory said when it went.
    fn settle(&mut self) {
        loop {
            let (gone, unmapped) = {
                let mut ledger = self.ledger.lock().unwrap();
                (std::mem::take(&mut ledger.gone), std::mem::take(&mut ledger.unmapped))
            };
            if gone.is_empty() && unmapped.is_empty() {
                return;
            }
            for (rank, id) in unmapped {
                self.send(rank, id.owner, Wire::Release(id));
            }
            for id in gone {
                let holders = self.at(id.owner).whereabouts.freed(id.number);
                for holder in holders {
                    self.send(id.owner, holder, Wire::Copy(CopyMessage::Gone { block: id }));
                }
            }
        }
    }

    fn send(&mut self, from: Rank, to: Rank, wire: Wire) {
        if !self.ranks[from as usize].dead {
            self.messages += u64::from(matches!(wire, Wire::Copy(_)));
            self.wires.entry((from, to)).or_default().push_back(wire);
        }
    }

    /// A task of `asker`, sent by `sender`, needs a block.
    fn ask(&mut self, asker: Rank, sender: Rank, block: ObjectId) {
        let Some(original) = self.originals.get(&block).cloned() else { return };
        if [asker, sender, block.owner].iter().any(|rank| self.ranks[*rank as usize].dead) || asker == block.owner {
            return;
        }
        let cover = if sender == block.owner { asker } else { sender };
        self.grant(&original, cover);
        let number = self.fates.len() as u64;
        self.fates.push(Fate { asker, sender, block, told: None });
        let view = self.view(asker);
        let (source, bytes) = (Source { block, offset: 0 }, bytes_of(block));
        let way = if bytes < BYTES / 8 { Way::Alone } else { Way::Keeper(view.keeper_of(block)) };
        if view.is_dead(sender) || view.is_dead(block.owner) {
            // The message was not listened to.
            self.fates[number as usize].told = Some(false);
            return;
        }
        let actions = self.at(asker).copies.want(source, bytes, way, (number, sender), &view);
        self.act(asker, actions);
    }

    fn act(&mut self, rank: Rank, actions: Vec<CopyAction<Memory, Waiter>>) {
        for action in actions {
            match action {
                CopyAction::Send(to, message) => self.send(rank, to, Wire::Copy(message)),
                CopyAction::Lend { to, block, memory } => {
                    assert_eq!(memory.content, u64::from(block.owner) << 32 | block.number);
                    self.grant(&memory, to);
                    let copy = Ok(Source { block: memory.id, offset: 0 });
                    self.send(rank, to, Wire::Copy(CopyMessage::Have { block, bytes: BYTES, copy }));
                }
                CopyAction::Read { token, sources, .. } => {
                    let alive = self.ledger.lock().unwrap().alive.clone();
                    assert!(sources.iter().all(|source| alive.contains(&source.block)), "Y1: a read of what is gone");
                    let original = sources.iter().find(|source| self.originals.contains_key(&source.block));
                    self.reads_of_originals += u64::from(original.is_some());
                    let block = self.content_of(&sources[0]);
                    self.reads.push(Read { reader: rank, token, sources, block });
                }
                CopyAction::Return(block) => self.send(rank, block.owner, Wire::Release(block)),
                CopyAction::Deliver { waiter: (number, sender), block, outcome } => {
                    let fate = &mut self.fates[number as usize];
                    assert!(fate.told.is_none() && fate.block == block, "Y3: told twice");
                    fate.told = Some(outcome.is_ok());
                    let cover = if sender == block.owner { rank } else { sender };
                    match outcome {
                        Ok(memory) => {
                            assert_eq!(memory.content, u64::from(block.owner) << 32 | block.number, "wrong bytes");
                            self.used.push((rank, memory));
                        }
                        Err(error) => {
                            assert!(self.ranks[block.owner as usize].dead, "an error though the owner lives: {error}");
                        }
                    }
                    self.release(block, cover);
                }
                CopyAction::Drop(memory) => drop(memory),
            }
            self.settle();
        }
    }

    /// What is written where a read begins.
    fn content_of(&self, source: &Source) -> u64 {
        let SimRank { exported, .. } = &self.ranks[source.block.owner as usize];
        exported.get(&source.block.number).map_or(0, |(memory, _)| memory.content)
    }

    fn deliver(&mut self, from: Rank, to: Rank) {
        let Some(wire) = self.wires.get_mut(&(from, to)).and_then(VecDeque::pop_front) else { return };
        if self.ranks[to as usize].dead || self.ranks[to as usize].knows_dead.contains(&from) {
            return;
        }
        match wire {
            Wire::Release(id) => self.release(id, from),
            Wire::Copy(message) => self.handle(to, from, message),
        }
    }

    fn handle(&mut self, me: Rank, from: Rank, message: CopyMessage) {
        let view = self.view(me);
        let actions = match message {
            CopyMessage::Want { original, bytes } => self.at(me).copies.wanted(original, bytes, from, &view),
            CopyMessage::Share { block } => self.at(me).copies.shared(block, from, &view),
            CopyMessage::Holders { block, holders } => self.at(me).copies.holders(block, holders, &view),
            CopyMessage::Gone { block } => self.at(me).copies.gone(block),
            CopyMessage::Have { block, copy, .. } => {
                let loan = copy.map(|source| {
                    let content = self.content_of(&source);
                    let (id, ledger) = (source.block, self.ledger.clone());
                    match self.same_host(me, id.owner) {
                        true => Loan::Mapped(Arc::new(Memory { id, content, mapped_by: Some(me), ledger })),
                        false => Loan::Counted(source),
                    }
                });
                self.at(me).copies.have(block, from, loan, &view)
            }
            CopyMessage::Where { block, without, .. } => {
                return self.locate(me, from, block, &without);
            }
            CopyMessage::Holds { block } => {
                let known = self.at(me).exported.contains_key(&block.number);
                if !self.at(me).whereabouts.holds(block.number, from, known) {
                    self.send(me, from, Wire::Copy(CopyMessage::Gone { block }));
                }
                self.at(me).whereabouts.check();
                return;
            }
            CopyMessage::Left { block } => {
                self.at(me).whereabouts.left(block.number, from);
                return;
            }
        };
        self.act(me, actions);
    }

    fn locate(&mut self, me: Rank, from: Rank, block: ObjectId, without: &[Rank]) {
        let memory = self.at(me).exported.get(&block.number).map(|(memory, _)| memory.clone());
        let holders = match &memory {
            None => Err(no_copy(block, me)),
            Some(memory) => {
                let in_parts = self.draw(2) == 0;
                let mut others = self.at(me).whereabouts.locate(block.number, from, in_parts, without);
                let original = others.contains(&me).then_some(0);
                others.retain(|rank| *rank != me);
                if original.is_some() {
                    self.grant(memory, from);
                }
                Ok(Holders { original, others })
            }
        };
        drop(memory);
        self.send(me, from, Wire::Copy(CopyMessage::Holders { block, holders }));
    }

    fn end_read(&mut self, place: usize) {
        let Read { reader, token, sources, block } = self.reads.swap_remove(place);
        if self.ranks[reader as usize].dead {
            return;
        }
        let reachable = sources.iter().any(|source| !self.ranks[source.block.owner as usize].dead);
        let alive = self.ledger.lock().unwrap().alive.clone();
        // A read that nobody waits for any more may find anything: what it brings is thrown away.
        let whole = sources.iter().all(|source| alive.contains(&source.block));
        let outcome = if reachable {
            Ok(self.memory(reader, if whole { block } else { u64::MAX }))
        } else {
            Err(Error::ObjectLost { object: String::new(), reason: "its holder is gone".to_string() })
        };
        let view = self.view(reader);
        let actions = self.at(reader).copies.read_done(token, outcome, &view);
        self.act(reader, actions);
    }

    fn kill(&mut self, rank: Rank) {
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

    fn step(&mut self) -> bool {
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
    fn finish(&mut self) {
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
    fn rounds(&mut self) -> u32 {
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
