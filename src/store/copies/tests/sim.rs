//! Many ranks on many hosts that execute the decisions of tables and owners, with grants as the counts give them.

use crate::base::{Error, ObjectId, Rank};
use crate::store::ObjectLocations;
use crate::store::copies::fetch::no_copy;
use crate::store::copies::{
    Copies, CopyAction, CopyMessage, CopySource, FetchRoute, Holders, HostPeers, ServedCopy, cache_rank,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

pub const BYTES: u64 = 2 << 20;

/// Large, medium and small ones: fetched as the owner directs, by the cache rank, by each rank.
pub fn bytes_of(block: ObjectId) -> u64 {
    [BYTES, BYTES / 4, BYTES, BYTES / 64][block.number as usize % 4]
}

/// A block of some rank's store, or a mapping of it on another rank of its host, which has a grant.
pub struct BlockMemory {
    pub id: ObjectId,
    /// The content: the number of the block that it is a copy of.
    pub content: u64,
    pub mapped_by: Option<Rank>,
    pub log: Arc<Mutex<MemoryLog>>,
}

/// Records memory that is dropped.
#[derive(Default)]
pub struct MemoryLog {
    /// The blocks that live, with their content.
    pub alive: HashMap<ObjectId, u64>,
    /// Blocks that were dropped, and grants of mappings that were dropped.
    pub freed: Vec<ObjectId>,
    pub unmapped: Vec<(Rank, ObjectId)>,
}

impl Drop for BlockMemory {
    fn drop(&mut self) {
        let mut log = self.log.lock().unwrap();
        match self.mapped_by {
            Some(rank) => log.unmapped.push((rank, self.id)),
            None => {
                log.alive.remove(&self.id);
                log.freed.push(self.id);
            }
        }
    }
}

/// A waiter: its number, and the rank whose message it is.
pub type CopyWaiter = (u64, Rank);

#[derive(Clone)]
pub enum Packet {
    Copy(CopyMessage),
    Release(ObjectId),
}

pub struct SimRank {
    pub copies: Copies<BlockMemory, CopyWaiter>,
    pub locations: ObjectLocations,
    /// Blocks that others hold grants of, and how many.
    pub exported: BTreeMap<u64, (Arc<BlockMemory>, BTreeMap<Rank, u64>)>,
    pub next_number: u64,
    /// Deaths that it has learned of.
    pub knows_dead: BTreeSet<Rank>,
    pub dead: bool,
}

pub struct PendingRead {
    pub reader: Rank,
    pub token: u64,
    pub sources: Vec<CopySource>,
}

/// The state of a waiter.
pub struct CopyWait {
    pub reader: Rank,
    pub sender: Rank,
    pub block: ObjectId,
    pub outcome: Option<bool>,
}

pub struct CopySim {
    pub ranks: Vec<SimRank>,
    pub ranks_per_host: u32,
    pub wires: BTreeMap<(Rank, Rank), VecDeque<Packet>>,
    pub reads: Vec<PendingRead>,
    pub waits: Vec<CopyWait>,
    pub originals: BTreeMap<ObjectId, Arc<BlockMemory>>,
    /// Memory that tasks use.
    pub used: Vec<(Rank, Arc<BlockMemory>)>,
    /// Deaths that a rank has not learned of.
    pub unlearned_deaths: Vec<(Rank, Rank)>,
    pub log: Arc<Mutex<MemoryLog>>,
    pub random: fastrand::Rng,
    pub reads_of_originals: u64,
    pub messages: u64,
}

/// One rank's view of the others.
pub struct View {
    pub me: Rank,
    pub ranks_per_host: u32,
    pub dead: BTreeSet<Rank>,
}

impl HostPeers for View {
    fn is_dead(&self, rank: Rank) -> bool {
        self.dead.contains(&rank)
    }
    fn death_of(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: "h".to_string(), reason: "test".to_string() }
    }
    fn cache_rank(&self, block: ObjectId) -> Rank {
        let first = self.me / self.ranks_per_host * self.ranks_per_host;
        let alive = (first..first + self.ranks_per_host).filter(|rank| !self.is_dead(*rank));
        cache_rank(block, alive).unwrap_or(self.me)
    }
}

impl CopySim {
    pub fn new(hosts: u32, ranks_per_host: u32, seed: u64) -> CopySim {
        let rank = |rank| SimRank {
            copies: Copies::new(rank),
            locations: ObjectLocations::new(rank),
            exported: BTreeMap::new(),
            next_number: 2,
            knows_dead: BTreeSet::new(),
            dead: false,
        };
        CopySim {
            ranks: (0..hosts * ranks_per_host).map(rank).collect(),
            ranks_per_host,
            wires: BTreeMap::new(),
            reads: Vec::new(),
            waits: Vec::new(),
            originals: BTreeMap::new(),
            used: Vec::new(),
            unlearned_deaths: Vec::new(),
            log: Arc::default(),
            random: fastrand::Rng::with_seed(seed),
            reads_of_originals: 0,
            messages: 0,
        }
    }

    pub fn draw(&mut self, below: usize) -> usize {
        self.random.usize(..below)
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

    pub fn memory(&mut self, rank: Rank, content: u64) -> Arc<BlockMemory> {
        let number = self.at(rank).next_number;
        self.at(rank).next_number += 1;
        let id = ObjectId { owner: rank, number };
        self.log.lock().unwrap().alive.insert(id, content);
        Arc::new(BlockMemory { id, content, mapped_by: None, log: self.log.clone() })
    }

    /// An array that a rank creates.
    pub fn create(&mut self, rank: Rank) -> ObjectId {
        let number = self.at(rank).next_number;
        let memory = self.memory(rank, u64::from(rank) << 32 | number);
        let id = memory.id;
        self.originals.insert(id, memory);
        id
    }

    pub fn grant(&mut self, memory: &Arc<BlockMemory>, to: Rank) {
        let id = memory.id;
        // The grant of a mapping goes through the owner: the counts ensure that, and cover the time in between.
        let Some((_, grants)) = self.ranks[id.owner as usize].exported.get_mut(&id.number) else {
            assert_eq!(memory.mapped_by, None, "a mapping excluded a grant");
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
        self.process_drops();
    }

    /// Processes the records of dropped memory.
    pub fn process_drops(&mut self) {
        loop {
            let (freed, unmapped) = {
                let mut log = self.log.lock().unwrap();
                (std::mem::take(&mut log.freed), std::mem::take(&mut log.unmapped))
            };
            if freed.is_empty() && unmapped.is_empty() {
                return;
            }
            for (rank, id) in unmapped {
                self.send(rank, id.owner, Packet::Release(id));
            }
            for id in freed {
                let holders = self.at(id.owner).locations.on_freed(id.number);
                for holder in holders {
                    self.send(id.owner, holder, Packet::Copy(CopyMessage::Freed { block: id }));
                }
            }
        }
    }

    pub fn send(&mut self, from: Rank, to: Rank, wire: Packet) {
        if !self.ranks[from as usize].dead {
            self.messages += u64::from(matches!(wire, Packet::Copy(_)));
            self.wires.entry((from, to)).or_default().push_back(wire);
        }
    }

    /// A task of `reader`, sent by `sender`, needs a block.
    pub fn request(&mut self, reader: Rank, sender: Rank, block: ObjectId) {
        let Some(original) = self.originals.get(&block).cloned() else { return };
        if [reader, sender, block.owner].iter().any(|rank| self.ranks[*rank as usize].dead) || reader == block.owner {
            return;
        }
        let cover = if sender == block.owner { reader } else { sender };
        self.grant(&original, cover);
        let number = self.waits.len() as u64;
        self.waits.push(CopyWait { reader, sender, block, outcome: None });
        let view = self.view(reader);
        let (source, bytes) = (CopySource { block, offset: 0 }, bytes_of(block));
        let route = if bytes < BYTES / 8 { FetchRoute::Direct } else { FetchRoute::Cached(view.cache_rank(block)) };
        if view.is_dead(sender) || view.is_dead(block.owner) {
            // The message was not received.
            self.waits[number as usize].outcome = Some(false);
            return;
        }
        let actions = self.at(reader).copies.fetch(source, bytes, route, (number, sender), &view);
        self.perform(reader, actions);
    }

    pub fn perform(&mut self, rank: Rank, actions: Vec<CopyAction<BlockMemory, CopyWaiter>>) {
        self.at(rank).copies.check();
        for action in actions {
            match action {
                CopyAction::Send(to, message) => self.send(rank, to, Packet::Copy(message)),
                CopyAction::Serve { to, block, memory } => {
                    self.grant(&memory, to);
                    let copy = Ok(CopySource { block: memory.id, offset: 0 });
                    self.send(rank, to, Packet::Copy(CopyMessage::CopyReply { block, bytes: BYTES, copy }));
                }
                CopyAction::Read { token, sources, .. } => {
                    assert!(self.content_of(&sources).is_some(), "COPIES-1: a read of a freed block");
                    let original = sources.iter().find(|source| self.originals.contains_key(&source.block));
                    self.reads_of_originals += u64::from(original.is_some());
                    self.reads.push(PendingRead { reader: rank, token, sources });
                }
                CopyAction::ReleaseGrant(block) => self.send(rank, block.owner, Packet::Release(block)),
                CopyAction::Deliver { waiter: (number, sender), block, outcome } => {
                    let wait = &mut self.waits[number as usize];
                    assert!(wait.outcome.is_none() && wait.block == block, "COPIES-3: notified twice");
                    wait.outcome = Some(outcome.is_ok());
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
            self.process_drops();
        }
    }

    /// The content of blocks that hold the same bytes; `None` if one of them was freed.
    pub fn content_of(&self, sources: &[CopySource]) -> Option<u64> {
        let log = self.log.lock().unwrap();
        let mut contents = sources.iter().map(|source| log.alive.get(&source.block).copied());
        contents.next().flatten().filter(|first| contents.all(|content| content == Some(*first)))
    }

    pub fn deliver(&mut self, from: Rank, to: Rank) {
        match self.wires.get_mut(&(from, to)).and_then(VecDeque::pop_front) {
            Some(_) if self.ranks[to as usize].dead || self.ranks[to as usize].knows_dead.contains(&from) => {}
            Some(Packet::Release(id)) => self.release(id, from),
            Some(Packet::Copy(message)) => self.handle(to, from, message),
            None => {}
        }
    }

    pub fn handle(&mut self, me: Rank, from: Rank, message: CopyMessage) {
        let view = self.view(me);
        let actions = match message {
            CopyMessage::Request { original, bytes } => self.at(me).copies.on_request(original, bytes, from, &view),
            CopyMessage::ShareRequest { block } => self.at(me).copies.on_share_request(block, from, &view),
            CopyMessage::Holders { block, holders } => self.at(me).copies.on_holders(block, holders, &view),
            CopyMessage::Freed { block } => self.at(me).copies.on_freed(block),
            CopyMessage::CopyReply { block, copy, .. } => {
                let reply = copy.map(|source| {
                    let content = self.content_of(&[source]).expect("a copy that is served lives");
                    let (id, log) = (source.block, self.log.clone());
                    match self.same_host(me, id.owner) {
                        true => ServedCopy::Mapped(Arc::new(BlockMemory { id, content, mapped_by: Some(me), log })),
                        false => ServedCopy::Granted(source),
                    }
                });
                self.at(me).copies.on_copy_reply(block, from, reply, &view)
            }
            CopyMessage::Locate { block, excluded, .. } => {
                return self.locate(me, from, block, &excluded);
            }
            CopyMessage::CopyComplete { block } => {
                let known = self.at(me).exported.contains_key(&block.number);
                if !self.at(me).locations.on_copy_complete(block.number, from, known) {
                    self.send(me, from, Packet::Copy(CopyMessage::Freed { block }));
                }
                self.at(me).locations.check();
                return;
            }
            CopyMessage::CopyDropped { block } => {
                self.at(me).locations.on_copy_dropped(block.number, from);
                return;
            }
        };
        self.perform(me, actions);
    }

    pub fn locate(&mut self, me: Rank, from: Rank, block: ObjectId, excluded: &[Rank]) {
        let memory = self.at(me).exported.get(&block.number).map(|(memory, _)| memory.clone());
        let holders = match &memory {
            None => Err(no_copy(block, me)),
            Some(memory) => {
                let in_parts = self.draw(2) == 0;
                let mut others = self.at(me).locations.locate(block.number, from, in_parts, excluded);
                let original = others.contains(&me).then_some(0);
                others.retain(|rank| *rank != me);
                if original.is_some() {
                    self.grant(memory, from);
                }
                Ok(Holders { original, others })
            }
        };
        drop(memory);
        self.send(me, from, Packet::Copy(CopyMessage::Holders { block, holders }));
    }

    pub fn end_read(&mut self, index: usize) {
        let PendingRead { reader, token, sources } = self.reads.swap_remove(index);
        if self.ranks[reader as usize].dead {
            return;
        }
        let reachable = sources.iter().any(|source| !self.ranks[source.block.owner as usize].dead);
        let outcome = if reachable {
            // A read for which no rank waits any more may find anything (COPIES-1).
            Ok(self.memory(reader, self.content_of(&sources).unwrap_or(u64::MAX)))
        } else {
            Err(Error::ObjectLost { object: String::new(), reason: "its holder is dead".to_string() })
        };
        let view = self.view(reader);
        let actions = self.at(reader).copies.on_read_done(token, outcome, &view);
        self.perform(reader, actions);
    }
}
