//! Values of objects between ranks: asked for, sent, left where they are, brought, and made again when they are lost.
//!
//! ```text
//!   Done or Value ---> blocks readable here?  yes: the cell completes
//!                                              no: the value is left where it is (`far`); the cell stays pending
//!   somebody here waits for it     ---> its blocks are brought, then the cell completes
//!   another rank asks for it       ---> it is told where the blocks are, and brings or maps them itself
//!   the rank that holds it is gone ---> its task runs again (`lineage`), or the cell fails by name
//!   ... or has no room for it      ---> it is let go, and its task runs again when somebody wants it (`reclaim`)
//! ```

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank};
use crate::lineage::{Maker, Recipe, Why};
use crate::objects::{AnySlot, ArrayMemory, Attachment, Parcel, Waiter};
use crate::protocol::away::{Results, Sent};
use crate::protocol::blocks::{Pulled, is_far, missing_of};
use crate::protocol::driver::{Driver, Purpose};
use crate::protocol::far::{Asker, Body, FarValue, Piece};
use crate::protocol::{Bytes, Message, Protocol, WireAttachment, WireParcel, WirePlace};
use std::sync::{Arc, Mutex};

impl Protocol {
    /// What came for `slot` from `from`, of which some blocks may have been brought: it completes, or the value is left where it
    /// lies.
    pub(super) fn settle(
        &self,
        driver: &impl Driver,
        (from, pulled): (Rank, &Pulled),
        slot: Option<Arc<dyn AnySlot>>,
        value: Result<WireParcel<'_>, Error>,
        maker: impl FnOnce() -> Option<Maker>,
    ) {
        let wire = match value {
            Ok(wire) => wire,
            Err(error) => return slot.into_iter().for_each(|slot| slot.fail(Arc::new(error.clone()))),
        };
        if self.has_foreign_memory && !missing_of(driver, &wire, pulled).is_empty() {
            return self.leave(driver, from, slot, &wire, maker());
        }
        let opened = self.opened(driver, &wire, from, pulled);
        let Some(slot) = slot else { return };
        match opened {
            Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
            Err(error) => slot.fail(Arc::new(error)),
        }
    }

    /// Leaves a value where it lies, and sees to those who wait for it.
    fn leave(
        &self,
        driver: &impl Driver,
        from: Rank,
        slot: Option<Arc<dyn AnySlot>>,
        wire: &WireParcel<'_>,
        maker: Option<Maker>,
    ) {
        // Everything that it names is counted, whatever becomes of it.
        let spilled = wire.spilled.map(|place| self.references.import_far(driver, place, from));
        let piece = |wire: &WireAttachment| match wire {
            WireAttachment::Array(place) if is_far(driver, place) => {
                Ok(Piece::Far(self.references.import_far(driver, *place, from)))
            }
            wire => {
                let one = self.references.import(driver, std::slice::from_ref(wire), from, &Pulled::default());
                one.map(|mut one| Piece::Here(one.remove(0)))
            }
        };
        let pieces: Vec<Result<Piece, Error>> = wire.attachments.iter().map(piece).collect();
        // A copy that made room for others is brought again into a cell that is complete.
        let comes_again = |slot: &Arc<dyn AnySlot>| slot.remote_id().is_some() && slot.core().packed().is_some();
        let Some(slot) = slot.filter(|slot| !slot.core().is_complete() || comes_again(slot)) else { return };
        let pieces: Vec<Piece> = match pieces.into_iter().collect() {
            Ok(pieces) => pieces,
            Err(error) => return slot.fail(Arc::new(error)),
        };
        let body = Body { from, bytes: wire.bytes.0.to_vec(), spilled, pieces };
        let value = Arc::new(FarValue::new(&self.far, &slot, body, maker));
        // Who waits for an element of a list is not known here: the list is brought at once.
        if slot.core().is_complete() || slot.is_list() {
            return self.bring(driver, &value);
        }
        let (wanted, askers) = self.far.leave(&slot, &value);
        // Who borrowed it asked for it because somebody there waits.
        if wanted || slot.remote_id().is_some() {
            self.bring(driver, &value);
        }
        askers.iter().for_each(|asker| self.answer(driver, &slot, &value, &**asker));
    }

    /// Somebody here waits for the value of `slot`: where it was left elsewhere, it is brought.
    pub fn want(&self, driver: &impl Driver, slot: &Arc<dyn AnySlot>) {
        if !self.has_foreign_memory || slot.core().is_complete() {
            return;
        }
        if let Some(value) = self.far.want(slot) {
            self.bring(driver, &value);
        }
    }

    /// Where the bytes of an object's value lie, where it was left: the owners of its blocks, and bytes.
    pub fn whereabouts(&self, slot: &dyn AnySlot) -> Vec<(Rank, u64)> {
        if !self.has_foreign_memory || slot.core().is_complete() {
            return Vec::new();
        }
        let places = self.far.find(slot).map_or_else(Vec::new, |value| value.places());
        places.iter().map(|place| (place.block.owner, place.bytes)).collect()
    }

    /// Begins to bring a value here, where that has not begun.
    fn bring(&self, driver: &impl Driver, value: &Arc<FarValue>) {
        if let Some(gone) = dead_holder(driver, value) {
            return self.recover(driver, value, &driver.death_of(gone));
        }
        if self.far.begin(value).is_some() {
            self.bring_on(driver, value);
        }
    }

    /// Asks for the blocks that are missing; without any, completes the cell.
    fn bring_on(&self, driver: &impl Driver, value: &Arc<FarValue>) {
        let Some(body) = value.body() else {
            self.far.end(lock(&value.bringing).token);
            return self.make_again(driver, value);
        };
        let (token, missing, failure) = {
            let mut bringing = lock(&value.bringing);
            let failure = bringing.pulled.values().find_map(|memory| memory.as_ref().err().cloned());
            let missing = missing_of(driver, &wire_of(&body), &bringing.pulled);
            bringing.missing = missing.len();
            (bringing.token, missing, failure)
        };
        if let Some(error) = failure {
            self.far.end(token);
            return self.recover(driver, value, &error);
        }
        if missing.is_empty() {
            self.far.end(token);
            return self.arrived(driver, value, &body);
        }
        for (place, shared) in missing {
            self.fetch(driver, place, shared, Purpose::Value(token));
        }
    }

    /// A block of a value that is being brought came, or will not.
    pub(super) fn block_came(
        &self,
        driver: &impl Driver,
        token: u64,
        block: ObjectId,
        memory: Result<Arc<dyn ArrayMemory>, Error>,
    ) {
        let Some(value) = self.far.brought(token) else { return };
        let left = {
            let mut bringing = lock(&value.bringing);
            bringing.pulled.insert(block, memory);
            bringing.missing = bringing.missing.saturating_sub(1);
            bringing.missing
        };
        if left == 0 {
            self.bring_on(driver, &value);
        }
    }

    /// Every block is here: the cell completes.
    fn arrived(&self, driver: &impl Driver, value: &Arc<FarValue>, body: &Body) {
        let Some(slot) = value.slot.upgrade() else { return };
        let pulled = std::mem::take(&mut lock(&value.bringing).pulled);
        let memory_of = |block: ObjectId| match pulled.get(&block) {
            Some(memory) => memory.clone(),
            None => Err(Error::ObjectLost { object: block.to_string(), reason: "it was not brought".to_string() }),
        };
        let beside = body.pieces.iter().map(|piece| match piece {
            Piece::Here(attachment) => Ok(attachment.clone()),
            Piece::Far(block) => memory_of(block.place.block).map(Attachment::Array),
        });
        let parcel = beside.collect::<Result<Vec<_>, Error>>().and_then(|beside| match &body.spilled {
            None => Ok(Parcel { bytes: body.bytes.clone(), attachments: beside }),
            Some(block) => {
                let memory = memory_of(block.place.block)?;
                self.unfolded(driver, block.place, memory.bytes(), beside, (body.from, &pulled))
            }
        });
        match parcel {
            Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
            Err(error) => slot.fail(Arc::new(error)),
        }
    }

    /// A value cannot be had where it was left: it is asked for again, or made again, or fails.
    fn recover(&self, driver: &impl Driver, value: &Arc<FarValue>, error: &Error) {
        let Some(slot) = value.slot.upgrade() else { return };
        self.far.take_out(value);
        if let Some(id) = slot.remote_id() {
            // That a rank cannot be read may be seen before it is known to be gone.
            return match dead_holder(driver, value).or_else(|| unread(value).filter(|rank| *rank != id.owner)) {
                // Its owner may have it made again.
                Some(gone) if !driver.is_dead(id.owner) => {
                    driver.send(id.owner, &Message::Fetch { object: id.number, without: Some(gone) });
                }
                _ => slot.fail(Arc::new(error.clone())),
            };
        }
        if matches!(error, Error::StoreFull { .. }) {
            // Made again, it would have no room here either.
            return slot.fail(Arc::new(error.clone()));
        }
        let remake = |maker| self.remake_into(driver, maker, slot.clone(), Why::Lost);
        if !value.maker.as_ref().is_some_and(remake) {
            slot.fail(Arc::new(lost_without_recipe(&slot, value.maker.is_some(), error)));
        }
    }

    /// A value that was let go is wanted: it is made again, once.
    fn make_again(&self, driver: &impl Driver, value: &Arc<FarValue>) {
        let Some(slot) = value.slot.upgrade() else { return };
        if !value.begin_again() {
            return;
        }
        self.far.take_out(value);
        let remake = |maker| self.remake_into(driver, maker, slot.clone(), Why::LetGo);
        if !value.maker.as_ref().is_some_and(remake) {
            let object = ObjectId { owner: self.rank, number: slot.core().number() }.to_string();
            let reason = "it made room for others, and its arguments cannot be read any more".to_string();
            slot.fail(Arc::new(Error::ObjectLost { object, reason }));
        }
    }

    /// A rank is gone: what it held and somebody waits for is made again; the rest when somebody wants it.
    pub(super) fn recover_all_at(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        for value in self.far.wanted_at(rank) {
            self.far.end(lock(&value.bringing).token);
            self.recover(driver, &value, error);
        }
    }

    /// How result `index` of a task can be made again.
    pub(super) fn maker_of(&self, sent: &Sent, index: usize) -> Option<Maker> {
        if let Some(again) = &sent.recipe {
            return Some(Maker { recipe: again.clone(), index });
        }
        let Results::Of(task) = &sent.results else { return None };
        let (header, args) = (task.header(), sent.args.as_ref()?);
        let made = (header.entry?, header.options.clone(), header.caller, header.stealable);
        let maker_of = |slot: &Arc<dyn AnySlot>| self.far.find(&**slot).and_then(|value| value.maker.clone());
        Recipe::new(made, args, sent.retries, maker_of).map(|recipe| Maker { recipe: Arc::new(recipe), index })
    }

    /// Somebody wants one of this rank's objects, not from `without`, which is gone.
    pub(super) fn on_fetch<D: Driver>(&self, driver: &D, from: Rank, number: u64, without: Option<Rank>) {
        let Some(slot) = self.references.own_slot(number) else {
            let object = ObjectId { owner: self.rank, number };
            let reason = "its owner does not know it any more".to_string();
            let error = Error::ObjectLost { object: object.to_string(), reason };
            return driver.send(from, &Message::Value { object, value: Err(error) });
        };
        let asker =
            Arc::new(AskedBy { driver: driver.clone(), slot: Mutex::new(Some(slot.clone())), number, rank: from });
        if self.has_foreign_memory && !slot.core().is_complete() {
            let asking: Arc<dyn Asker> = asker.clone();
            if let Some(value) = self.far.ask(&*slot, &asking) {
                match without.filter(|gone| value.lies_at(*gone)) {
                    // This rank will hear of it, and have the value made again.
                    Some(gone) if driver.is_dead(gone) => self.recover(driver, &value, &driver.death_of(gone)),
                    Some(gone) => self.remake_unread(driver, &value, &*asking, gone),
                    None => self.answer(driver, &slot, &value, &*asking),
                }
            }
        }
        slot.core().when_complete(asker);
    }

    /// Who asked cannot read the value of `gone`, which lives as far as this rank knows: others may have read it. So it is made
    /// again where that can be, and otherwise who asked alone does not get it.
    fn remake_unread(&self, driver: &impl Driver, value: &Arc<FarValue>, asker: &dyn Asker, gone: Rank) {
        let object = ObjectId { owner: self.rank, number: asker.number() };
        let reason = format!("rank {} cannot read it from the store of rank {gone}", asker.rank());
        let error = Error::ObjectLost { object: object.to_string(), reason };
        if value.maker.is_some() {
            return self.recover(driver, value, &error);
        }
        if let Some(slot) = asker.take() {
            self.far.forget_asker(slot.address(), |other| std::ptr::addr_eq(other, asker));
            driver.send(asker.rank(), &Message::Value { object, value: Err(error) });
        }
    }

    /// Tells who asked where the value lies; what only this rank can read is brought here first.
    fn answer(&self, driver: &impl Driver, slot: &Arc<dyn AnySlot>, value: &Arc<FarValue>, asker: &dyn Asker) {
        // Who asked is told when it was made again.
        let Some(body) = value.body() else { return self.make_again(driver, value) };
        let gone = dead_holder(driver, value).is_some();
        if gone || body.spilled.is_some() && body.pieces.is_empty() {
            // The block may name what only this rank was given.
            self.want(driver, slot);
            return self.bring(driver, value);
        }
        let taken = asker.take();
        self.far.forget_asker(slot.address(), |other| std::ptr::addr_eq(other, asker));
        if taken.is_none() {
            return;
        }
        let (to, object) = (asker.rank(), ObjectId { owner: self.rank, number: asker.number() });
        let pieces = body.pieces.iter().map(|piece| match piece {
            Piece::Far(block) => Ok(WireAttachment::Array(self.references.export_far(driver, block, to))),
            Piece::Here(attachment) => {
                let one = self.references.export(driver, std::slice::from_ref(attachment), to);
                one.map(|mut one| one.remove(0))
            }
        });
        let attachments: Result<Vec<_>, Error> = pieces.collect();
        let spilled = body.spilled.as_ref().map(|block| self.references.export_far(driver, block, to));
        let value = attachments.map(|attachments| WireParcel { bytes: Bytes(&body.bytes), spilled, attachments });
        driver.send(to, &Message::Value { object, value });
    }
}

/// The rank of whose store a part of the value could not be read, where it was that store's fault.
fn unread(value: &FarValue) -> Option<Rank> {
    let bringing = lock(&value.bringing);
    let failed = bringing.pulled.iter().filter(|(_, memory)| {
        memory.as_ref().is_err_and(|error| !matches!(error, Error::StoreFull { .. } | Error::MemoryLimit { .. }))
    });
    failed.map(|(block, _)| block.owner).min()
}

fn lost_without_recipe(slot: &Arc<dyn AnySlot>, had_recipe: bool, error: &Error) -> Error {
    let object = ObjectId { owner: 0, number: slot.core().number() };
    let why = if had_recipe {
        "its task was started again as often as max_retries allows"
    } else {
        "it cannot be made again: it was put, or its task may not be retried, or its arguments are too large to keep"
    };
    Error::ObjectLost { object: object.to_string(), reason: format!("{error}; {why}") }
}

/// A rank that is gone and held some of the value.
fn dead_holder(driver: &impl Driver, value: &FarValue) -> Option<Rank> {
    value.places().iter().map(|place| place.block.owner).find(|rank| driver.is_dead(*rank))
}

/// The value as it came.
fn wire_of(value: &Body) -> WireParcel<'_> {
    let far = value.pieces.iter().filter_map(|piece| match piece {
        Piece::Far(block) => Some(WireAttachment::Array(block.place)),
        Piece::Here(_) => None,
    });
    let spilled: Option<WirePlace> = value.spilled.as_ref().map(|block| block.place);
    WireParcel { bytes: Bytes(&value.bytes), spilled, attachments: far.collect() }
}

/// A rank that asked for a value: it is sent when it is there, or it is told where it was left.
struct AskedBy<D> {
    driver: D,
    /// What it asked for, until it is answered: this hangs in the cell, which would hold itself otherwise.
    slot: Mutex<Option<Arc<dyn AnySlot>>>,
    number: u64,
    rank: Rank,
}

impl<D: Driver> Asker for AskedBy<D> {
    fn rank(&self) -> Rank {
        self.rank
    }
    fn take(&self) -> Option<Arc<dyn AnySlot>> {
        lock(&self.slot).take()
    }
    fn number(&self) -> u64 {
        self.number
    }
}

impl<D: Driver> Waiter for AskedBy<D> {
    fn ready(self: Arc<Self>) {
        let Some(slot) = self.take() else { return };
        let (driver, to) = (&self.driver, self.rank);
        let protocol = driver.protocol();
        if protocol.has_foreign_memory {
            protocol.far.forget_asker(slot.address(), |asker| asker.rank() == to && asker.number() == self.number);
        }
        let object = ObjectId { owner: driver.rank(), number: self.number };
        let value = match &slot.encode() {
            Ok(parcel) => match protocol.sealed(driver, parcel, to, INLINE_BYTES_MAX) {
                Ok(wire) => return driver.send(to, &Message::Value { object, value: Ok(wire) }),
                Err(error) => Err(error.clone()),
            },
            Err(error) => Err(error.clone()),
        };
        driver.send(to, &Message::Value { object, value });
    }
}
