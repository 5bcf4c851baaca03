//! What came from other ranks: decoded, completed with what lies on other hosts, and acted upon.
//!
//! A message that names blocks which are not mapped here is held, with everything its sender sent after it, until the
//! blocks have been brought here: so the order of a pair of ranks (F1) holds for what the messages do as well.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::log::{Level, say};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::object::{AnySlot, ArrayMemory, Parcel, Waiter, panic_text};
use crate::protocol::driver::Driver;
use crate::protocol::references::Pulled;
use crate::protocol::{Bytes, Message, Protocol, Run, WireAttachment, WireParcel, WirePlace};
use crate::registry::{Header, Kind, Options};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// Messages of one peer that wait for blocks from elsewhere; there is one only while there are such messages.
#[derive(Default)]
struct Held {
    messages: VecDeque<Vec<u8>>,
    /// Blocks still to come for the first of them.
    missing: usize,
    pulled: Pulled,
}

/// What is held, by sender.
#[derive(Default)]
pub struct HeldByRank {
    held: Mutex<FxHashMap<Rank, Held>>,
    /// How many senders there are, for those who only want to know whether there is any.
    senders: AtomicUsize,
}

impl HeldByRank {
    /// Keeps the message where others of that sender are kept; hands it back where none are.
    fn keep_behind(&self, from: Rank, bytes: &[u8]) -> bool {
        if self.senders.load(Ordering::Acquire) == 0 {
            return false;
        }
        match lock(&self.held).get_mut(&from) {
            Some(held) => {
                held.messages.push_back(bytes.to_vec());
                true
            }
            None => false,
        }
    }

    /// Keeps the first message of a sender.
    fn keep(&self, from: Rank, bytes: &[u8]) {
        let mut held = lock(&self.held);
        held.entry(from).or_default().messages.push_back(bytes.to_vec());
        self.senders.store(held.len(), Ordering::Release);
    }

    /// The first message of a sender where nothing is missing for it any more, with the blocks that were brought.
    fn next(&self, from: Rank) -> Option<(Vec<u8>, Pulled)> {
        let mut held = lock(&self.held);
        let entry = held.get_mut(&from).filter(|entry| entry.missing == 0)?;
        let bytes = entry.messages.front()?.clone();
        Some((bytes, entry.pulled.clone()))
    }

    /// So many blocks are missing for the first message of a sender.
    fn miss(&self, from: Rank, blocks: usize) {
        if let Some(held) = lock(&self.held).get_mut(&from) {
            held.missing = blocks;
        }
    }

    /// A block came, or will not.
    fn came(&self, from: Rank, block: ObjectId, outcome: Result<Arc<dyn ArrayMemory>, Error>) {
        if let Some(held) = lock(&self.held).get_mut(&from) {
            held.missing = held.missing.saturating_sub(1);
            held.pulled.insert(block, outcome);
        }
    }

    /// The first message of a sender has been acted upon.
    fn done(&self, from: Rank) {
        let mut held = lock(&self.held);
        let Some(entry) = held.get_mut(&from) else { return };
        entry.messages.pop_front();
        let _dropped_outside_of_the_lock = std::mem::take(&mut entry.pulled);
        if entry.messages.is_empty() {
            held.remove(&from);
            self.senders.store(held.len(), Ordering::Release);
        }
        drop(held);
    }

    /// Forgets what is held of a rank that is gone.
    pub fn lost(&self, from: Rank) {
        let mut held = lock(&self.held);
        let _dropped_outside_of_the_lock = held.remove(&from);
        self.senders.store(held.len(), Ordering::Release);
        drop(held);
    }
}

impl Protocol {
    /// Bytes came from `from`.
    pub fn receive(&self, driver: &impl Driver, from: Rank, bytes: &[u8]) {
        if driver.is_dead(from) {
            return;
        }
        let Some(message) = self.decoded(from, bytes) else { return };
        if message.is_about_roads() {
            return self.act(driver, from, message, &Pulled::default());
        }
        // Of a peer whose store is mapped, nothing is ever held, unless it passes on blocks of a third.
        if self.held.keep_behind(from, bytes) {
            return;
        }
        if self.all_here(driver, &message) {
            self.act(driver, from, message, &Pulled::default());
        } else {
            self.held.keep(from, bytes);
            self.go_on(driver, from);
        }
    }

    fn decoded<'a>(&self, from: Rank, bytes: &'a [u8]) -> Option<Message<'a>> {
        let checked = Message::decode(bytes).and_then(|message| match message.highest_rank() {
            rank if rank < self.size => Ok(message),
            rank => Err(format!("it names rank {rank} of a cluster of {}", self.size)),
        });
        match checked {
            Ok(message) => Some(message),
            Err(reason) => {
                say(Level::Error, || {
                    format!("rank {} dropped a message of rank {from} that is none: {reason}", self.rank)
                });
                None
            }
        }
    }

    /// Whether every block that the message names can be read here. Most messages name none.
    fn all_here(&self, driver: &impl Driver, message: &Message<'_>) -> bool {
        !self.has_foreign_memory || missing_blocks(driver, message, &Pulled::default()).is_empty()
    }

    /// Acts on what is held from `from`, as far as the blocks are here.
    fn go_on(&self, driver: &impl Driver, from: Rank) {
        while let Some((bytes, pulled)) = self.held.next(from) {
            let Some(message) = self.decoded(from, &bytes) else {
                self.held.done(from);
                continue;
            };
            let missing = missing_blocks(driver, &message, &pulled);
            if missing.is_empty() {
                self.act(driver, from, message, &pulled);
                self.held.done(from);
                continue;
            }
            self.held.miss(from, missing.len());
            for place in missing {
                if let Err(error) = driver.pull(from, place) {
                    self.held.came(from, place.block, Err(error));
                }
            }
        }
    }

    /// A block came for the first held message of `from`.
    pub fn pulled(&self, driver: &impl Driver, from: Rank, id: ObjectId, memory: Result<Arc<dyn ArrayMemory>, String>) {
        let outcome = memory.map_err(|reason| Error::ObjectLost { object: id.to_string(), reason });
        self.held.came(from, id, outcome);
        self.go_on(driver, from);
    }

    /// Acts on a message. A panic in user code below (a `Drop`, a `Deserialize`) is said and goes no further.
    fn act(&self, driver: &impl Driver, from: Rank, message: Message<'_>, pulled: &Pulled) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.act_on(driver, from, message, pulled)));
        if let Err(panic) = outcome {
            say(Level::Error, || {
                format!(
                    "rank {}: user code panicked while a message of rank {from} was handled: {}",
                    self.rank,
                    panic_text(&*panic)
                )
            });
        }
    }

    fn act_on(&self, driver: &impl Driver, from: Rank, message: Message<'_>, pulled: &Pulled) {
        match message {
            Message::Run(run) => self.on_run(driver, from, run, pulled),
            Message::Done { task, results } => self.on_done(driver, from, task, results, pulled),
            Message::Fetch { object } => self.on_fetch(driver, from, object),
            Message::Value { object, value } => self.on_value(driver, from, object, value, pulled),
            Message::Count(count) => self.references.handle(driver, from, count),
            Message::Steal { remember } => self.on_steal(driver, from, remember),
            Message::Loot { tasks, answer } => self.on_loot(driver, tasks, answer),
            Message::Cancel { task } => self.unwanted.insert(task),
            Message::Actor { actor, about } => self.on_about(driver, from, actor, about, pulled),
            Message::NameSet { token, name, kind, handle } => {
                self.on_name_set(driver, from, token, name, kind, &handle);
            }
            Message::NameGet { token, name, kind } => self.on_name_get(driver, from, token, &name, &kind),
            Message::NameFree { name, actor } => self.names.free(&name, actor),
            Message::Named { token, handle } => self.on_named(driver, from, token, handle),
            Message::Answer { token, answer } => {
                let answer = self.opened(driver, &answer, from, pulled).map(|parcel| parcel.bytes);
                driver.answered(token, answer);
            }
            Message::Moved { task, to, hops } => self.on_moved(driver, task, to, hops),
            other => driver.other(from, other),
        }
    }

    /// A value that this rank asked for.
    fn on_value(
        &self,
        driver: &impl Driver,
        from: Rank,
        object: ObjectId,
        value: Result<WireParcel<'_>, Error>,
        pulled: &Pulled,
    ) {
        let value = value.and_then(|wire| self.opened(driver, &wire, from, pulled));
        let Some(slot) = self.references.find(object) else { return };
        match value {
            Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
            Err(error) => slot.fail(Arc::new(error)),
        }
    }

    /// A parcel from the wire: its bytes here, its attachments as this process uses them.
    pub(super) fn opened(
        &self,
        driver: &impl Driver,
        wire: &WireParcel<'_>,
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Parcel, Error> {
        let Some(place) = wire.spilled else {
            let attachments = self.references.import(driver, &wire.attachments, from, pulled)?;
            return Ok(Parcel { bytes: wire.bytes.0.to_vec(), attachments });
        };
        let memory = self.references.import_memory(driver, place, from, pulled)?;
        let inner: WireParcel<'_> = postcard::from_bytes(memory.bytes()).map_err(|error| Error::ObjectLost {
            object: place.block.to_string(),
            reason: format!("the block of a large value does not decode: {error}"),
        })?;
        if inner.highest_rank() >= self.size || inner.spilled.is_some() {
            return Err(Error::ObjectLost {
                object: place.block.to_string(),
                reason: format!("the block of a large value names rank {}", inner.highest_rank()),
            });
        }
        let attachments = self.references.import(driver, &inner.attachments, from, pulled)?;
        Ok(Parcel { bytes: inner.bytes.0.to_vec(), attachments })
    }

    /// A parcel for the wire to `to`: in the message where it takes at most `inline_bytes_max`, else in a block of this
    /// store.
    pub fn sealed<'a>(
        &self,
        driver: &impl Driver,
        parcel: &'a Parcel,
        to: Rank,
        inline_bytes_max: usize,
    ) -> Result<WireParcel<'a>, Error> {
        let attachments = self.references.export(driver, &parcel.attachments, to)?;
        let whole = WireParcel { bytes: Bytes(&parcel.bytes), spilled: None, attachments };
        // An attachment takes at most about forty bytes, its label aside.
        if parcel.bytes.len() + whole.attachments.len() * 64 <= inline_bytes_max {
            return Ok(whole);
        }
        let bytes = postcard::to_allocvec(&whole).map_err(|error| Error::config(error.to_string()))?;
        let memory = driver.store(&bytes)?;
        let place = self.references.export_memory(driver, &memory, to)?;
        Ok(WireParcel { bytes: Bytes(&[]), spilled: Some(place), attachments: Vec::new() })
    }

    /// A task came to be run here.
    fn on_run(&self, driver: &impl Driver, from: Rank, run: Run<'_>, pulled: &Pulled) {
        let args = self.opened(driver, &run.args, from, pulled);
        let options = run.options.map(|wire| {
            Box::new(Options {
                num_cpus: wire.num_cpus,
                num_gpus: wire.num_gpus,
                resources: wire.resources,
                name: wire.name,
                max_restarts: wire.max_restarts,
                ..Options::default()
            })
        });
        let mut header = Header::new(options, run.caller);
        header.origin = Some(run.task);
        (header.stealable, header.hops) = (run.stealable, run.hops);
        self.came_back(run.task, run.hops);
        header.number.store(run.number, Ordering::Relaxed);
        let Some(entry) = driver.entry(run.function) else {
            let error = Error::config(format!("rank {} has no function with the key {:#x}", self.rank, run.function));
            return self.send_failure(driver, run.task, 1, error);
        };
        match args.and_then(|parcel| (entry.decode)(parcel, header)) {
            Err(error) => self.send_failure(driver, run.task, entry.returns, error),
            Ok(task) => match (entry.kind, run.actor) {
                (Kind::New, Some(target)) => self.actors.build(driver, target.actor, target.incarnation, task),
                (Kind::Method, Some(target)) => self.actors.call(driver, target, (from, run.caller), task),
                _ => self.launch_here(driver, task),
            },
        }
    }

    /// A task that went elsewhere is over.
    fn on_done(
        &self,
        driver: &impl Driver,
        from: Rank,
        number: u64,
        results: Vec<Result<WireParcel<'_>, Error>>,
        pulled: &Pulled,
    ) {
        // Also of a task that nobody knows any more, what travels beside the results is counted.
        let results: Vec<_> = results
            .into_iter()
            .map(|result| result.and_then(|wire| self.opened(driver, &wire, from, pulled)))
            .collect();
        let Some(task) = self.away.take(number) else { return };
        self.call_over(driver, number, &task);
        task.header().release_target();
        for (slot, result) in task.slots().into_iter().zip(results) {
            match result {
                Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
                Err(error) => slot.fail(Arc::new(error)),
            }
        }
    }

    /// Somebody wants one of this rank's objects.
    fn on_fetch(&self, driver: &impl Driver, from: Rank, number: u64) {
        match self.references.own_slot(number) {
            Some(slot) => {
                let core = slot.clone();
                core.core().when_complete(Arc::new(SendValue { driver: driver.clone(), slot, number, to: from }));
            }
            None => {
                let object = ObjectId { owner: self.rank, number };
                let error = Error::ObjectLost {
                    object: object.to_string(),
                    reason: "its owner does not know it any more".to_string(),
                };
                driver.send(from, &Message::Value { object, value: Err(error) });
            }
        }
    }
}

/// Sends a value when it is there.
struct SendValue<D> {
    driver: D,
    slot: Arc<dyn AnySlot>,
    number: u64,
    to: Rank,
}

impl<D: Driver> Waiter for SendValue<D> {
    fn ready(self: Arc<Self>) {
        let (driver, to) = (&self.driver, self.to);
        let object = ObjectId { owner: driver.rank(), number: self.number };
        let value = match &self.slot.encode() {
            Ok(parcel) => match driver.protocol().sealed(driver, parcel, to, INLINE_BYTES_MAX) {
                Ok(wire) => return driver.send(to, &Message::Value { object, value: Ok(wire) }),
                Err(error) => Err(error.clone()),
            },
            Err(error) => Err(error.clone()),
        };
        driver.send(to, &Message::Value { object, value });
    }
}

/// The blocks that a message names, that are neither mapped here nor in `pulled`.
fn missing_blocks(driver: &impl Driver, message: &Message<'_>, pulled: &Pulled) -> Vec<WirePlace> {
    let mut places = Vec::new();
    let mut look = |parcel: &WireParcel<'_>| {
        let needed = |place: &WirePlace| {
            place.block.owner != driver.rank()
                && !pulled.contains_key(&place.block)
                && !driver.is_mapped(place.block.owner)
        };
        let mut arrays = |attachments: &[WireAttachment]| {
            for attachment in attachments {
                if let WireAttachment::Array(place) = attachment
                    && needed(place)
                    && !places.contains(place)
                {
                    places.push(*place);
                }
            }
        };
        arrays(&parcel.attachments);
        let Some(spilled) = parcel.spilled else { return };
        // A spilled parcel shows what it names only once it is here itself.
        let inner = pulled.get(&spilled.block).and_then(|memory| memory.as_ref().ok());
        if let Some(memory) = inner {
            if let Ok(inner) = postcard::from_bytes::<WireParcel<'_>>(memory.bytes()) {
                arrays(&inner.attachments);
            }
        } else if driver.is_mapped(spilled.block.owner) {
            let memory = driver.map(spilled).ok();
            let inner = memory.as_ref().map(|memory| postcard::from_bytes::<WireParcel<'_>>(memory.bytes()));
            if let Some(Ok(inner)) = inner {
                arrays(&inner.attachments);
            }
        } else if needed(&spilled) && !places.contains(&spilled) {
            places.push(spilled);
        }
    };
    match message {
        Message::Run(run) => look(&run.args),
        Message::Done { results, .. } => results.iter().flatten().for_each(look),
        Message::Value { value: Ok(value), .. } => look(value),
        Message::Answer { answer, .. } => look(answer),
        Message::Actor { about, .. } => about.parcels().into_iter().for_each(look),
        _ => {}
    }
    places
}
