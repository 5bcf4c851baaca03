//! The blocks that packed values need: where each is, and how those that nobody reads leave a full store.
//!
//! ```text
//!   resident: the block, in this store or in that of another rank of the host    read by whoever holds it beside this
//!   on disk:  a copy of it                                                       kept once written: it never changes
//!   source:   the object that it is a copy of, whose owner has it too            see `fetches`
//! ```
//! At least one of the three is there. Moving a block is dropping what is resident: that gives its room back where nobody else
//! holds it, and disturbs nobody where somebody does (O5). So nothing here needs to know readers exactly.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, Keeper, Links};
use crate::protocol::Lent;
use crate::runtime::Runtime;
use crate::runtime::fetches::Source;
use crate::runtime::memory::{OwnMemory, PeerMemory};
use crate::runtime::spill::{OnDisk, SpilledMemory};
use crate::store::{Candidate, Class, Exit, choose};
use std::sync::{Arc, Mutex, Weak};

/// A block, for as long as a packed value needs it.
pub struct Holding {
    pub(super) runtime: &'static Runtime,
    /// The type of the first value that needed it.
    kind: &'static str,
    last_use: AtomicU64,
    pub(super) place: Mutex<Place>,
}

pub(super) struct Place {
    pub(super) resident: Option<Arc<dyn ArrayMemory>>,
    on_disk: Option<Arc<OnDisk>>,
    mapped: Weak<SpilledMemory>,
    pub(super) source: Source,
    pub(super) myself: Weak<Holding>,
}

impl Holding {
    /// What keeps `memory` for packed values, the first of which is of type `kind`.
    pub(super) fn new(runtime: &'static Runtime, memory: Arc<dyn ArrayMemory>, kind: &'static str) -> Arc<Holding> {
        let holding = Arc::new_cyclic(|myself| Holding {
            runtime,
            kind,
            last_use: AtomicU64::new(runtime.holdings.now()),
            place: Mutex::new(Place {
                resident: Some(memory),
                on_disk: None,
                mapped: Weak::new(),
                source: Source::default(),
                myself: myself.clone(),
            }),
        });
        runtime.holdings.add(&holding);
        runtime.room.may_have_grown();
        holding
    }

    /// What could leave the store of `home` here and now: nothing where somebody reads it, or it is not there.
    fn candidate(&self, home: Rank) -> Option<Candidate> {
        let place = lock(&self.place);
        let memory = place.resident.as_ref().filter(|memory| Arc::strong_count(memory) == 1)?;
        let bytes = bytes_in(memory, self.runtime.rank, home)?;
        let class = match &place.on_disk {
            _ if place.source.is_known() => Class::Copy,
            Some(_) => Class::OnDisk,
            None => Class::Original,
        };
        Some(Candidate { bytes, last_use: self.last_use.load(Ordering::Relaxed), class })
    }

    /// Gives the memory up where it can be had again and nobody reads it; what is to be dropped.
    fn leave(&self) -> Option<Arc<dyn ArrayMemory>> {
        let mut place = lock(&self.place);
        if place.on_disk.is_none() && !place.source.is_known() {
            return None;
        }
        place.resident.take_if(|memory| Arc::strong_count(memory) == 1)
    }

    fn resident(&self) -> Option<Arc<dyn ArrayMemory>> {
        lock(&self.place).resident.clone()
    }

    /// Where the block is in memory: it, and whether anybody reads it.
    pub(super) fn reading(&self) -> Option<(Arc<dyn ArrayMemory>, bool)> {
        let place = lock(&self.place);
        let memory = place.resident.clone()?;
        let readers = Arc::strong_count(&memory) > 2;
        Some((memory, readers))
    }

    /// The type of the first value that needed it.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    fn written(&self, on_disk: Arc<OnDisk>) {
        lock(&self.place).on_disk.get_or_insert(on_disk);
    }

    /// The block in memory again: `bring` makes it of its bytes, where it is not there.
    ///
    /// # Errors
    /// What `bring` says.
    pub(super) fn bring_back(
        &self,
        bring: impl FnOnce() -> Result<Arc<dyn ArrayMemory>, Error>,
    ) -> Result<Arc<dyn ArrayMemory>, Error> {
        if let Some(memory) = self.resident() {
            return Ok(memory);
        }
        // Not under the lock: room may have to be waited for.
        let memory = bring()?;
        Ok(lock(&self.place).resident.get_or_insert(memory).clone())
    }
}

impl Holding {
    /// Another value needs the block: it does not go with the object that it is a copy of.
    pub(super) fn share(&self) {
        lock(&self.place).source.share();
    }

    /// The block as it is here; `None` where it must be fetched.
    pub(super) fn at_hand(&self) -> Result<Option<Arc<dyn ArrayMemory>>, Error> {
        let mut place = lock(&self.place);
        if let Some(memory) = &place.resident {
            return Ok(Some(memory.clone()));
        }
        if let Some(mapped) = place.mapped.upgrade() {
            return Ok(Some(mapped));
        }
        let Some(on_disk) = &place.on_disk else { return Ok(None) };
        let mapped = on_disk.open(&place.myself).map_err(|error| self.lost(&error.to_string()))?;
        place.mapped = Arc::downgrade(&mapped);
        Ok(Some(mapped))
    }

    pub(super) fn lost(&self, reason: &str) -> Error {
        Error::ObjectLost { object: self.kind.to_string(), reason: reason.to_string() }
    }

    fn touch(&self) {
        self.last_use.store(self.runtime.holdings.now(), Ordering::Relaxed);
    }
}

impl Keeper for Holding {
    fn open(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        self.touch();
        match self.at_hand()? {
            Some(memory) => Ok(memory),
            None => self.fetch(),
        }
    }
    fn closed(&self) {
        self.runtime.room.may_have_grown();
    }
    fn is_copy(&self, object: ObjectId, links: &Arc<dyn Links>) {
        lock(&self.place).source.know(object, links);
    }
    fn refill(&self, memory: Arc<dyn ArrayMemory>) {
        self.touch();
        self.refilled(memory);
    }
    fn refuse(&self, error: &Arc<Error>) {
        self.refused(error);
    }
}

/// The bytes that a block takes of the store of `home`; `None` where it lies elsewhere.
fn bytes_in(memory: &Arc<dyn ArrayMemory>, me: Rank, home: Rank) -> Option<u64> {
    let any = memory.as_any();
    match any.downcast_ref::<PeerMemory>() {
        Some(peer) => (peer.id.owner == home).then_some(peer.length),
        None => (me == home && any.is::<OwnMemory>()).then(|| memory.bytes().len() as u64),
    }
}

/// The holdings of a rank.
#[derive(Default)]
pub struct Holdings {
    list: Mutex<List>,
    /// Counts the blocks that came: the clock of their last uses.
    came: AtomicU64,
    /// One thread at a time chooses what leaves.
    choosing: Mutex<()>,
}

#[derive(Default)]
struct List {
    holdings: Vec<Weak<Holding>>,
    /// Length at which those that are gone are taken out: twice what lived at the last time.
    full_at: usize,
}

/// Bytes that leave a store at once, where less is wanted: large writes are what disks are good at, and who asks for room
/// again and again for little should not look through all holdings each time. No more than this part of the store.
const SPILL_BYTES: u64 = 64 << 20;
const SPILLS_A_STORE: u64 = 32;

/// Holdings that a rank lists before it looks for the first time which of them are gone.
const LIST_MIN: usize = 256;

impl Holdings {
    fn now(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    fn add(&self, holding: &Arc<Holding>) {
        let mut list = lock(&self.list);
        if list.holdings.len() >= list.full_at {
            list.holdings.retain(|holding| holding.strong_count() > 0);
            list.full_at = (2 * list.holdings.len()).max(LIST_MIN);
        }
        list.holdings.push(Arc::downgrade(holding));
        // Under the lock: no other thread counts.
        self.came.store(self.now() + 1, Ordering::Relaxed);
    }

    pub(super) fn living(&self) -> Vec<Arc<Holding>> {
        lock(&self.list).holdings.iter().filter_map(Weak::upgrade).collect()
    }
}

/// What left a store, or is about to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shed {
    /// Bytes that are free now.
    pub freed: u64,
    /// Bytes that others were asked to let go of.
    pub asked: u64,
}

impl Runtime {
    /// Lets blocks of `home`'s store that only this rank holds, and nobody reads, leave it, so that `wanted` bytes become free,
    /// which may be fewer. Of this rank's own store, also what others hold and can have made again.
    pub(super) fn shed(&'static self, home: Rank, wanted: u64) -> Shed {
        let _one_at_a_time = lock(&self.holdings.choosing);
        let all = self.holdings.living();
        let (holdings, mut candidates): (Vec<_>, Vec<_>) =
            all.iter().filter_map(|holding| Some((holding, holding.candidate(home)?))).unzip();
        let lent = if home == self.rank { self.protocol.reclaimable(&self) } else { Vec::new() };
        candidates.extend(lent.iter().map(|(_, candidate)| *candidate));
        let at_once = self.arena().map_or(0, |arena| arena.bytes() / SPILLS_A_STORE).min(SPILL_BYTES);
        let chosen = choose(&candidates, wanted.max(at_once), self.spill.is_on());
        let asked: Vec<Lent> = chosen
            .iter()
            .filter_map(|(place, _)| lent.get(place.checked_sub(holdings.len())?))
            .map(|one| one.0)
            .collect();
        self.protocol.reclaim(&self, &asked);
        let to_write: Vec<_> =
            chosen.iter().filter(|(_, exit)| *exit == Exit::Spill).map(|(place, _)| holdings[*place]).collect();
        self.write_out(&to_write);
        let mut freed = 0;
        for holding in chosen.iter().filter_map(|(place, _)| holdings.get(*place)) {
            if let Some(memory) = holding.leave() {
                freed += memory.bytes().len() as u64;
            }
        }
        Shed { freed, asked: asked.iter().map(|lent| lent.bytes).sum() }
    }

    /// Whether any block could leave this store now.
    pub(super) fn can_shed(&'static self) -> bool {
        let may_write = self.spill.works();
        let can = |candidate: Candidate| may_write || candidate.class != Class::Original;
        self.holdings.living().iter().any(|holding| holding.candidate(self.rank).is_some_and(can))
            || !self.protocol.reclaimable(&self).is_empty()
    }

    fn write_out(&self, holdings: &[&Arc<Holding>]) {
        // While a block is written it stays where it is, and can be read.
        let blocks: Vec<_> = holdings.iter().filter_map(|holding| Some((holding, holding.resident()?))).collect();
        if blocks.is_empty() {
            return;
        }
        let memories: Vec<_> = blocks.iter().map(|(_, memory)| memory.clone()).collect();
        if let Some(written) = self.spill.write(&memories) {
            blocks.iter().zip(written).for_each(|((holding, _), on_disk)| holding.written(on_disk));
        }
    }
}
