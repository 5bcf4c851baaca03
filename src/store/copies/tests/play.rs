//! Many ranks on many hosts that play out what tables and owners decide, with grants as the counts give them.

use crate::base::{Error, ObjectId, Rank};
use crate::store::Whereabouts;
use crate::store::copies::coming::no_copy;
use crate::store::copies::{Copies, CopyAction, CopyMessage, Holders, Loan, Peers, Source, Way, keeper};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

pub const BYTES: u64 = 2 << 20;

/// Large, middling and small ones: brought as the owner says, by the keeper, by each rank.
pub fn bytes_of(block: ObjectId) -> u64 {
    [BYTES, BYTES / 4, BYTES, BYTES / 64][block.number as usize % 4]
}

/// A block of some rank's store, or a mapping of it on another rank of its host, which has a grant.
pub struct Memory {
    pub id: ObjectId,
    /// What is written there: the number of the block that it is a copy of.
    pub content: u64,
    pub mapped_by: Option<Rank>,
    pub ledger: Arc<Mutex<Ledger>>,
}

/// What memory says when it goes.
#[derive(Default)]
pub struct Ledger {
    pub alive: HashSet<ObjectId>,
    /// Blocks that went, and grants of mappings that went.
    pub gone: Vec<ObjectId>,
    pub unmapped: Vec<(Rank, ObjectId)>,
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
pub type Waiter = (u64, Rank);

pub enum Wire {
    Copy(CopyMessage),
    Release(ObjectId),
}

pub struct SimRank {
    pub copies: Copies<Memory, Waiter>,
    pub whereabouts: Whereabouts,
    /// Blocks that others hold grants of, and how many.
    pub exported: BTreeMap<u64, (Arc<Memory>, BTreeMap<Rank, u64>)>,
    pub next_number: u64,
    /// Deaths that it has heard of.
    pub knows_dead: BTreeSet<Rank>,
    pub dead: bool,
}

pub struct Read {
    pub reader: Rank,
    pub token: u64,
    pub sources: Vec<Source>,
    pub block: u64,
}

/// What became of somebody who waits.
pub struct Fate {
    pub asker: Rank,
    pub sender: Rank,
    pub block: ObjectId,
    pub told: Option<bool>,
}

pub struct Sim {
    pub ranks: Vec<SimRank>,
    pub ranks_per_host: u32,
    pub wires: BTreeMap<(Rank, Rank), VecDeque<Wire>>,
    pub reads: Vec<Read>,
    pub fates: Vec<Fate>,
    pub originals: BTreeMap<ObjectId, Arc<Memory>>,
    /// Memory that tasks use.
    pub used: Vec<(Rank, Arc<Memory>)>,
    /// Deaths that a rank has not heard of.
    pub news: Vec<(Rank, Rank)>,
    pub ledger: Arc<Mutex<Ledger>>,
    pub random: u64,
    pub reads_of_originals: u64,
    pub messages: u64,
}

/// One rank's view of the others.
pub struct View {
    pub me: Rank,
    pub ranks_per_host: u32,
    pub dead: BTreeSet<Rank>,
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
    pub fn new(hosts: u32, ranks_per_host: u32, seed: u64) -> Sim {
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

    pub fn draw(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    pub fn at(&mut self, rank: Rank) -> &mut SimRank {
        &mut self.ranks[rank as usize]
    }

    pub fn view(&self, rank: Rank) -> View {
        let dead = self.ranks[rank as usize].knows_dead.clone();
        View { me: rank, ranks_per_host: self.ranks_per_host, dead }
    }

    pub fn same_host(&self, one: Rank, other: Rank) -> bool {
        one / self.ranks_per_host == other / self.ranks_per_host
    }

    pub fn memory(&mut self, rank: Rank, content: u64) -> Arc<Memory> {
        let number = self.at(rank).next_number;
        self.at(rank).next_number += 1;
        let id = ObjectId { owner: rank, number };
        self.ledger.lock().unwrap().alive.insert(id);
        Arc::new(Memory { id, content, mapped_by: None, ledger: self.ledger.clone() })
    }

    /// An array that a rank makes.
    pub fn make(&mut self, rank: Rank) -> ObjectId {
        let number = self.at(rank).next_number;
        let memory = self.memory(rank, u64::from(rank) << 32 | number);
        let id = memory.id;
        self.originals.insert(id, memory);
        id
    }

    pub fn grant(&mut self, memory: &Arc<Memory>, to: Rank) {
        let id = memory.id;
        // Of a mapping, the grant goes over the owner: the counts see to that, and to what happens in between.
        let Some((_, grants)) = self.ranks[id.owner as usize].exported.get_mut(&id.number) else {
            assert_eq!(memory.mapped_by, None, "a mapping without a grant");
            self.at(id.owner).exported.insert(id.number, (memory.clone(), BTreeMap::from([(to, 1)])));
            return;
        };
        *grants.entry(to).or_default() += 1;
    }

    pub fn release(&mut self, id: ObjectId, from: Rank) {
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
    pub fn settle(&mut self) {
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

    pub fn send(&mut self, from: Rank, to: Rank, wire: Wire) {
        if !self.ranks[from as usize].dead {
            self.messages += u64::from(matches!(wire, Wire::Copy(_)));
            self.wires.entry((from, to)).or_default().push_back(wire);
        }
    }

    /// A task of `asker`, sent by `sender`, needs a block.
    pub fn ask(&mut self, asker: Rank, sender: Rank, block: ObjectId) {
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

    pub fn act(&mut self, rank: Rank, actions: Vec<CopyAction<Memory, Waiter>>) {
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
    pub fn content_of(&self, source: &Source) -> u64 {
        let SimRank { exported, .. } = &self.ranks[source.block.owner as usize];
        exported.get(&source.block.number).map_or(0, |(memory, _)| memory.content)
    }

    pub fn deliver(&mut self, from: Rank, to: Rank) {
        let Some(wire) = self.wires.get_mut(&(from, to)).and_then(VecDeque::pop_front) else { return };
        if self.ranks[to as usize].dead || self.ranks[to as usize].knows_dead.contains(&from) {
            return;
        }
        match wire {
            Wire::Release(id) => self.release(id, from),
            Wire::Copy(message) => self.handle(to, from, message),
        }
    }

    pub fn handle(&mut self, me: Rank, from: Rank, message: CopyMessage) {
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

    pub fn locate(&mut self, me: Rank, from: Rank, block: ObjectId, without: &[Rank]) {
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

    pub fn end_read(&mut self, place: usize) {
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
}
