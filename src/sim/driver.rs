//! A simulated rank as what drives its protocol.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank, Result};
use crate::objects::{ArrayMemory, Attachment, Links};
use crate::protocol::{ActorHome, ActorRef, Driver, Message, Protocol, WirePlace};
use crate::registry::{Options, Placement, Runnable, TableEntry};
use crate::scheduling::{Grant, Stealing};
use crate::sim::feats::Feat;
use crate::sim::memory::{PeerMemory, SimMemory};
use crate::sim::task::function;
use crate::sim::world::{Event, Here};
use crate::store::Source;
use std::borrow::Cow;
use std::sync::Arc;

impl Driver for Here {
    fn protocol(&self) -> &Protocol {
        &self.site().protocol
    }
    fn rank(&self) -> Rank {
        self.rank
    }
    fn size(&self) -> u32 {
        self.world.setting.ranks
    }
    fn stopping(&self) -> bool {
        self.site().is_gone()
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        if self.site().is_gone() {
            return;
        }
        if to == self.rank {
            if self.world.setting.aloud {
                println!("{:>9} ns  rank {to} to itself: {message:?}", self.world.now_ns());
            }
            self.protocol().handle(self, to, &message.encode(Vec::new()));
        } else if !self.is_dead(to) {
            self.world.send(self.rank, to, message, || Stealing::my_load(self.site().surplus()));
        }
    }
    fn is_dead(&self, rank: Rank) -> bool {
        self.site().mourns(rank)
    }
    fn death_of(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: "simulated".to_string(), reason: "it died while the cluster ran".to_string() }
    }
    fn lost_touch(&self, rank: Rank, reason: &str) {
        self.world.violated(format!("rank {} lost touch with rank {rank}: {reason}", self.rank));
    }
    fn refuse_dead(&self, rank: Rank) {
        let reason = "it was declared dead before".to_string();
        self.world.send(self.rank, rank, &Message::Died { rank, reason }, || 0);
    }
    fn give_up(&self, rank: Rank, reason: &str) {
        if !self.world.setting.doomed().contains(&rank) {
            self.world.violated(format!("rank {} gives rank {rank} up: {reason}", self.rank));
        }
        self.lost(rank);
    }
    fn report(&self, _: Error) {}
    fn other(&self, from: Rank, message: Message<'_>) {
        match message {
            // Rank 0 alone declares others dead; that this rank is given up, who has been told says.
            Message::Died { rank, .. } if from == 0 || rank == self.rank => self.lost(rank),
            Message::Shed { bytes } => drop(self.shed(from, bytes)),
            other => self.world.violated(format!("rank {} heard {other:?} of rank {from}", self.rank)),
        }
    }
    fn answered(&self, token: u64, _: Result<Vec<u8>>) {
        self.world.violated(format!("rank {} was answered question {token}, which it never asked", self.rank));
    }
    fn links(&self) -> Arc<dyn Links> {
        self.site().links(self)
    }
    fn entry(&self, key: u64) -> Option<&'static TableEntry> {
        function(key)
    }
    fn store(&self, bytes: &[u8]) -> Result<Arc<dyn ArrayMemory>> {
        Ok(self.block(bytes.to_vec(), bytes.len() as u64))
    }
    fn in_the_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Ok(Cow::Owned(self.all_in_the_store(attachments)))
    }
    fn place_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<WirePlace> {
        if let Some(own) = memory.as_any().downcast_ref::<SimMemory>() {
            return Some(own.place(fresh));
        }
        memory.as_any().downcast_ref::<PeerMemory>().map(PeerMemory::place)
    }
    fn is_mapped(&self, rank: Rank) -> bool {
        self.world.setting.weather.share_a_host(self.rank, rank)
    }
    fn map(&self, place: WirePlace) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        if let Some(memory) = self.world.site(place.block.owner).store.mapped(place, self.links(), &self.site().store) {
            return Ok(memory);
        }
        self.too_late(place);
        Err("it was freed")
    }
    fn host_ranks(&self) -> &[Rank] {
        &self.site().host
    }
    fn pull(&self, token: u64, bytes: u64, sources: &[Source]) -> Result<()> {
        if !self.make_room(bytes) && self.world.setting.store.strict {
            self.world.saw(Feat::StoreFull);
            return Err(self.store_full(bytes));
        }
        self.site().store.reserve(bytes);
        self.read(token, bytes, sources.to_vec());
        Ok(())
    }
    fn place(&self, options: &Options, _: &str) -> Result<Option<Rank>> {
        let size = self.size();
        match &options.place {
            Placement::Rank(rank) if self.is_dead(*rank) => Err(self.death_of(*rank)),
            Placement::Rank(rank) => Ok(Some(*rank)),
            Placement::Spread => {
                let first = self.site().spread.fetch_add(1, Ordering::Relaxed) + self.rank;
                Ok((0..size).map(|step| (first + step) % size).find(|rank| !self.is_dead(*rank)))
            }
            _ => Ok(None),
        }
    }
    fn find_seat(&self, actor: &Arc<ActorRef>, _: &Options, error: &Error) {
        let nowhere = Err(Error::config("there are no placement groups here"));
        self.protocol().seated(self, actor, error, nowhere);
    }
    fn takes(&self, _: &Arc<dyn Runnable>) -> bool {
        true
    }
    fn enqueue(&self, task: Arc<dyn Runnable>) {
        let header = task.header();
        let stealable = header.stealable && header.options.as_ref().is_none_or(|options| options.is_free());
        self.site().push(task, stealable);
        self.rouse();
        if stealable && self.protocol().thieving.thieves_wait() {
            self.protocol().feed_thieves(self);
        }
    }
    fn enqueue_actor(&self, home: Arc<ActorHome>) {
        self.site().push_actor(home);
        self.rouse();
    }
    fn give_back(&self, _: Grant, _: i64) {}
    fn named(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, String>) {
        self.named_as(token, outcome);
    }
    fn surplus(&self) -> usize {
        self.site().surplus()
    }
    fn has_room(&self, _: Rank) -> bool {
        true
    }
    fn take_for(&self, _: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        let mut loot = Vec::new();
        while loot.len() < count {
            let Some(task) = self.site().oldest() else { break };
            if task.header().claim() {
                loot.push(task);
            }
        }
        loot
    }
    fn rests(&self) -> bool {
        self.site().rests()
    }
    fn resting(&self) -> usize {
        self.site().free_workers()
    }
    fn has_work(&self) -> bool {
        self.site().has_work()
    }
}

impl Here {
    /// A block was freed before it could be read here. A rank that was given up may meet with that: nobody listens to it.
    fn too_late(&self, place: WirePlace) {
        if !self.world.site(place.block.owner).mourns(self.rank) {
            self.world.violated(format!("rank {} reads {}, which was freed", self.rank, place.block));
        }
    }

    /// Begins to read what all of the sources have, from each its part.
    fn read(&self, token: u64, bytes: u64, sources: Vec<Source>) {
        let part = bytes.div_ceil(sources.len().max(1) as u64);
        let delay_ns = self.world.setting.weather.read_ns(part);
        self.world.later(delay_ns, Event::Pulled { rank: self.rank, token, bytes, sources });
    }

    /// The time that a read takes is over: its bytes are here, unless a source was lost meanwhile.
    pub fn pulled(&self, token: u64, bytes: u64, sources: &[Source]) {
        let is_there = |source: &Source| {
            let owner = source.block.owner;
            !self.world.site(owner).is_gone() && !self.is_dead(owner)
        };
        let living: Vec<Source> = sources.iter().copied().filter(is_there).collect();
        if living.is_empty() {
            self.site().store.unreserve(bytes);
            let Source { block, .. } = sources[0];
            let reason = format!("rank {}, whose store held it, is gone", block.owner);
            let error = Error::ObjectLost { object: block.to_string(), reason };
            return self.protocol().pulled(self, token, Err(error));
        }
        if living.len() < sources.len() {
            // The parts of those that are gone are read from the others.
            return self.read(token, bytes, living);
        }
        self.site().store.unreserve(bytes);
        let memory = self.bytes_of(&living, bytes);
        self.protocol().pulled(self, token, Ok(memory));
    }

    /// What lies at the sources now. What is free by then is read all the same, and holds something else: nobody may see it.
    fn bytes_of(&self, sources: &[Source], bytes: u64) -> Arc<dyn ArrayMemory> {
        let store = &self.site().store;
        let mut found = None;
        for source in sources {
            let lies = self.world.site(source.block.owner).store.read(source.offset);
            if lies.is_none() && self.protocol().references.holds(source.block) {
                self.too_late(WirePlace { block: source.block, offset: source.offset, bytes });
            }
            found = found.or(lies);
        }
        match found {
            Some((bytes, length)) => store.block(bytes, length),
            None => store.block(vec![OVERWRITTEN; bytes.min(OVERWRITTEN_BYTES_MAX) as usize], bytes),
        }
    }
}

/// What lies where a block was freed, and how much of it the simulation has.
const OVERWRITTEN: u8 = 0xee;
const OVERWRITTEN_BYTES_MAX: u64 = 1 << 16;
