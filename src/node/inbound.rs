//! What came from other ranks: decoded, completed with what lies on other hosts, and acted upon.
//!
//! A message that names blocks which are not mapped here is held, with everything its sender sent after it, until the
//! blocks have been brought here: so the order of a pair of ranks (F1) holds for what the messages do as well.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::log::{Level, say};
use crate::base::sync::{Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::mem::Block;
use crate::node::Node;
use crate::node::memory::OwnMemory;
use crate::node::references::Pulled;
use crate::object::{Parcel, Waiter, panic_text};
use crate::protocol::{Bytes, Message, Question, Run, WireAttachment, WireParcel, WirePlace};
use crate::registry::{Header, Kind, Options, functions};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// Messages of one peer that wait for blocks from elsewhere.
#[derive(Default)]
pub struct Held {
    messages: VecDeque<Vec<u8>>,
    /// Blocks still to come for the first of them.
    missing: usize,
    pulled: Pulled,
}

/// By rank: what is held.
pub type HeldByRank = Vec<Mutex<Held>>;

impl Node {
    /// Bytes came from `from`.
    pub fn receive(&'static self, from: Rank, bytes: &[u8]) {
        if self.is_dead(from) {
            return;
        }
        let Some(message) = self.decoded(from, bytes) else { return };
        if message.is_about_roads() {
            return self.act(from, message, &Pulled::default());
        }
        // Of a peer whose store is mapped, nothing is ever held, unless it passes on blocks of a third.
        let mut held = lock(&self.held[from as usize]);
        if !held.messages.is_empty() {
            held.messages.push_back(bytes.to_vec());
            return;
        }
        drop(held);
        if self.all_here(&message) {
            self.act(from, message, &Pulled::default());
        } else {
            lock(&self.held[from as usize]).messages.push_back(bytes.to_vec());
            self.go_on(from);
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
    fn all_here(&self, message: &Message<'_>) -> bool {
        !self.has_foreign_memory || missing_blocks(self, message, &Pulled::default()).is_empty()
    }

    /// Acts on what is held from `from`, as far as the blocks are here.
    fn go_on(&'static self, from: Rank) {
        loop {
            let mut held = lock(&self.held[from as usize]);
            if held.missing > 0 {
                return;
            }
            let Some(bytes) = held.messages.front().cloned() else { return };
            let Some(message) = self.decoded(from, &bytes) else {
                held.messages.pop_front();
                continue;
            };
            let missing = missing_blocks(self, &message, &held.pulled);
            if missing.is_empty() {
                let pulled = std::mem::take(&mut held.pulled);
                drop(held);
                self.act(from, message, &pulled);
                lock(&self.held[from as usize]).messages.pop_front();
                continue;
            }
            held.missing = missing.len();
            let mut failed = Vec::new();
            let mut started = Vec::new();
            for place in missing {
                match self.allocate_now(place.bytes as usize) {
                    Ok(block) => started.push((place, block)),
                    Err(error) => failed.push((place, error)),
                }
            }
            held.missing -= failed.len();
            for (place, error) in failed {
                held.pulled.insert(place.block, Err(error));
            }
            drop(held);
            for (place, block) in started {
                self.pull(place.block.owner, place.offset, block, from, place.block);
            }
        }
    }

    /// A block came for the first held message of `from`.
    pub fn pulled(&'static self, from: Rank, id: ObjectId, block: Result<Block, String>) {
        let outcome = match block {
            Ok(block) => Ok(Arc::new(OwnMemory::new(block)) as Arc<dyn crate::object::ArrayMemory>),
            Err(reason) => Err(Error::ObjectLost { object: id.to_string(), reason }),
        };
        let mut held = lock(&self.held[from as usize]);
        held.missing = held.missing.saturating_sub(1);
        held.pulled.insert(id, outcome);
        drop(held);
        self.go_on(from);
    }

    /// Acts on a message. A panic in user code below (a `Drop`, a `Deserialize`) is said and goes no further.
    fn act(&'static self, from: Rank, message: Message<'_>, pulled: &Pulled) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.act_on(from, message, pulled)));
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

    fn act_on(&'static self, from: Rank, message: Message<'_>, pulled: &Pulled) {
        match message {
            Message::Run(run) => self.on_run(from, run, pulled),
            Message::Done { task, results } => self.on_done(from, task, results, pulled),
            Message::Fetch { object } => self.on_fetch(from, object),
            Message::Value { object, value } => {
                let value = value.and_then(|wire| self.opened(&wire, from, pulled));
                if let Some(slot) = self.references.find(object) {
                    match value {
                        Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
                        Err(error) => slot.fail(Arc::new(error)),
                    }
                }
            }
            Message::Count(count) => self.references.handle(self, from, count),
            Message::Steal { remember } => self.on_steal(from, remember),
            Message::Loot { tasks, answer } => self.on_loot(tasks, answer),
            Message::Cancel { task } => self.unwanted.insert(task),
            Message::Kill { actor, reason } => self.actors.kill(self, actor, &reason),
            Message::NameSet { token, name, kind, handle } => self.on_name_set(from, token, name, kind, &handle),
            Message::NameGet { token, name, kind } => self.on_name_get(from, token, &name, &kind),
            Message::NameFree { name, actor } => self.actors.name_free(&name, actor),
            Message::Named { token, handle } => self.on_named(from, token, handle),
            Message::Ask { token, question } => self.on_ask(from, token, question),
            Message::Answer { token, answer } => {
                let answer = self.opened(&answer, from, pulled).map(|parcel| parcel.bytes);
                self.questions.answer(token, answer);
            }
            Message::Line { task, text } => self.reports.print_line(self, from, &task, &text),
            Message::Failed(error) => self.reports.failed(self, error),
            Message::Beside { words } => self.roads.heard_beside(from, words),
            Message::Resume { leg, delivered } => self.on_resume(from, leg, delivered),
            // Rank 0 alone declares others dead.
            Message::Died { rank, reason } if from == 0 => self.lost(rank, &reason),
            Message::Died { .. } => {}
            Message::Moved { task, to, hops } => self.on_moved(task, to, hops),
            Message::Shed { bytes } => self.on_shed(from, bytes),
            Message::Leave => self.on_leave(from),
            Message::Stop => self.stop(),
        }
    }

    /// A parcel from the wire: its bytes here, its attachments as this process uses them.
    fn opened(&'static self, wire: &WireParcel<'_>, from: Rank, pulled: &Pulled) -> Result<Parcel, Error> {
        let Some(place) = wire.spilled else {
            let attachments = self.references.import(self, &wire.attachments, from, pulled)?;
            return Ok(Parcel { bytes: wire.bytes.0.to_vec(), attachments });
        };
        let memory = self.references.import_memory(self, place, from, pulled)?;
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
        let attachments = self.references.import(self, &inner.attachments, from, pulled)?;
        Ok(Parcel { bytes: inner.bytes.0.to_vec(), attachments })
    }

    /// A parcel for the wire to `to`: in the message where it takes at most `inline_bytes_max`, else in a block of this
    /// store.
    pub fn sealed<'a>(
        &'static self,
        parcel: &'a Parcel,
        to: Rank,
        inline_bytes_max: usize,
    ) -> Result<WireParcel<'a>, Error> {
        let attachments = self.references.export(&self.in_the_store(&parcel.attachments)?, to)?;
        let whole = WireParcel { bytes: Bytes(&parcel.bytes), spilled: None, attachments };
        // An attachment takes at most about forty bytes, its label aside.
        if parcel.bytes.len() + whole.attachments.len() * 64 <= inline_bytes_max {
            return Ok(whole);
        }
        let bytes = postcard::to_allocvec(&whole).map_err(|error| Error::config(error.to_string()))?;
        let mut block = self.allocate(bytes.len())?;
        block.as_mut_slice()[..bytes.len()].copy_from_slice(&bytes);
        let memory: Arc<dyn crate::object::ArrayMemory> = Arc::new(OwnMemory::new(block));
        let place = self.references.export_memory(&memory, to)?;
        Ok(WireParcel { bytes: Bytes(&[]), spilled: Some(place), attachments: Vec::new() })
    }

    /// A task came to be run here.
    fn on_run(&'static self, from: Rank, run: Run<'_>, pulled: &Pulled) {
        let args = self.opened(&run.args, from, pulled);
        let options = run.options.map(|wire| {
            Box::new(Options {
                num_cpus: wire.num_cpus,
                num_gpus: wire.num_gpus,
                resources: wire.resources,
                name: wire.name,
                ..Options::default()
            })
        });
        let mut header = Header::new(options, run.caller);
        header.origin = Some(run.task);
        (header.stealable, header.hops) = (run.stealable, run.hops);
        self.came_back(run.task, run.hops);
        header.number.store(run.number, Ordering::Relaxed);
        let Some(entry) = functions().get(run.function) else {
            let error = Error::config(format!("rank {} has no function with the key {:#x}", self.rank, run.function));
            return self.send_failure(run.task, 1, error);
        };
        match args.and_then(|parcel| (entry.decode)(parcel, header)) {
            Err(error) => self.send_failure(run.task, entry.returns, error),
            Ok(task) => match (entry.kind, run.actor) {
                (Kind::New, Some(actor)) => self.actors.build(self, actor, task),
                (Kind::Method, Some(actor)) => self.actors.call(self, actor, (from, run.caller), task),
                _ => self.launch_here(task),
            },
        }
    }

    /// A task that went elsewhere is over.
    fn on_done(&'static self, from: Rank, task: u64, results: Vec<Result<WireParcel<'_>, Error>>, pulled: &Pulled) {
        // Also of a task that nobody knows any more, what travels beside the results is counted.
        let results: Vec<_> =
            results.into_iter().map(|result| result.and_then(|wire| self.opened(&wire, from, pulled))).collect();
        let Some(task) = self.away.take(task) else { return };
        task.header().release_target();
        for (slot, result) in task.slots().into_iter().zip(results) {
            match result {
                Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
                Err(error) => slot.fail(Arc::new(error)),
            }
        }
    }

    /// Somebody wants one of this rank's objects.
    fn on_fetch(&'static self, from: Rank, number: u64) {
        match self.references.own_slot(number) {
            Some(slot) => {
                let core = slot.clone();
                core.core().when_complete(Arc::new(SendValue { node: self, slot, number, to: from }));
            }
            None => {
                let object = ObjectId { owner: self.rank, number };
                let error = Error::ObjectLost {
                    object: object.to_string(),
                    reason: "its owner does not know it any more".to_string(),
                };
                self.send(from, &Message::Value { object, value: Err(error) });
            }
        }
    }

    fn on_ask(&'static self, from: Rank, token: u64, question: Question) {
        let bytes = match question {
            Question::Available => postcard::to_allocvec(&self.table.available()),
            Question::Errors => postcard::to_allocvec(&self.reports.errors()),
            Question::Trace => postcard::to_allocvec(&self.traces.records()),
        };
        let parcel = Parcel { bytes: bytes.unwrap_or_default(), attachments: Vec::new() };
        let answer = self.sealed(&parcel, from, INLINE_BYTES_MAX).unwrap_or_default();
        self.send(from, &Message::Answer { token, answer });
    }
}

/// Sends a value when it is there.
struct SendValue {
    node: &'static Node,
    slot: Arc<dyn crate::object::AnySlot>,
    number: u64,
    to: Rank,
}

impl Waiter for SendValue {
    fn ready(self: Arc<Self>) {
        let object = ObjectId { owner: self.node.rank, number: self.number };
        let value = match &self.slot.encode() {
            Ok(parcel) => match self.node.sealed(parcel, self.to, INLINE_BYTES_MAX) {
                Ok(wire) => return self.node.send(self.to, &Message::Value { object, value: Ok(wire) }),
                Err(error) => Err(error.clone()),
            },
            Err(error) => Err(error.clone()),
        };
        self.node.send(self.to, &Message::Value { object, value });
    }
}

/// The blocks that a message names, that are neither mapped here nor in `pulled`.
fn missing_blocks(node: &Node, message: &Message<'_>, pulled: &Pulled) -> Vec<WirePlace> {
    let mut places = Vec::new();
    let mut look = |parcel: &WireParcel<'_>| {
        let needed = |place: &WirePlace| {
            place.block.owner != node.rank
                && !pulled.contains_key(&place.block)
                && node.references.arena_of(place.block.owner).is_none()
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
        } else if let Some(arena) = node.references.arena_of(spilled.block.owner) {
            let bytes = arena.slice(spilled.offset, spilled.bytes as usize);
            if let Some(Ok(inner)) = bytes.map(postcard::from_bytes::<WireParcel<'_>>) {
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
        _ => {}
    }
    places
}
