//! What came from other ranks: decoded, completed with what lies on other hosts, and acted upon.
//!
//! A message that names blocks which are not mapped here is held, with everything its sender sent after it, until the
//! blocks have been brought here: so the order of a pair of ranks (F1) holds for what the messages do as well.

use crate::base::log::{Level, say};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, panic_text};
use crate::protocol::actor_message::{About, Target};
use crate::protocol::blocks::{Pulled, missing_blocks};
use crate::protocol::driver::{Driver, Purpose};
use crate::protocol::envelope::Arrival;
use crate::protocol::{Message, Protocol, Run, WireParcel};
use crate::registry::{Header, Kind, Options, Placement};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// How often a task is passed on. A victim keeps what its own workers are about to take (`stealing`), so few come near this; it
/// bounds what ranks can do to each other that pass one to and fro.
const HOPS_MAX: u32 = 20;

/// Messages of one peer that wait for blocks from elsewhere; there is one only while there are such messages.
#[derive(Default)]
struct Held {
    messages: VecDeque<Vec<u8>>,
    /// Blocks still to come for the first of them.
    missing: usize,
    /// A thread acts on the first of them.
    acting: bool,
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

    /// The first message of a sender where nothing is missing for it any more, with the blocks that were brought. Until
    /// `miss` or `done`, nobody else gets it.
    fn next(&self, from: Rank) -> Option<(Vec<u8>, Pulled)> {
        let mut held = lock(&self.held);
        let entry = held.get_mut(&from).filter(|entry| entry.missing == 0 && !entry.acting)?;
        let bytes = entry.messages.front()?.clone();
        entry.acting = true;
        Some((bytes, entry.pulled.clone()))
    }

    /// These messages take the place of the first of a sender's.
    fn instead(&self, from: Rank, messages: Vec<Vec<u8>>) {
        if let Some(held) = lock(&self.held).get_mut(&from) {
            held.acting = false;
            held.messages.pop_front();
            messages.into_iter().rev().for_each(|message| held.messages.push_front(message));
        }
    }

    /// So many blocks are missing for the first message of a sender.
    fn miss(&self, from: Rank, blocks: usize) {
        if let Some(held) = lock(&self.held).get_mut(&from) {
            (held.missing, held.acting) = (blocks, false);
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
        entry.acting = false;
        let _dropped_outside_of_the_lock = std::mem::take(&mut entry.pulled);
        if entry.messages.is_empty() {
            held.remove(&from);
            self.senders.store(held.len(), Ordering::Release);
        }
        drop(held);
    }

    /// How many senders there are.
    pub fn len(&self) -> usize {
        lock(&self.held).len()
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.held))
    }

    /// Forgets what is held of a rank that is gone.
    pub fn lost(&self, from: Rank) {
        let mut held = lock(&self.held);
        let _dropped_outside_of_the_lock = held.remove(&from);
        self.senders.store(held.len(), Ordering::Release);
        drop(held);
    }
}

/// What `Loot` says, in messages of one task each.
fn one_by_one(runs: Vec<Run<'_>>, ahead: u32, answer: bool) -> Vec<Vec<u8>> {
    let ahead = ahead + runs.len() as u32;
    let last = Message::Loot { runs: Vec::new(), ahead, answer };
    runs.into_iter().map(Message::Run).chain([last]).map(|message| message.encode(Vec::new())).collect()
}

impl Protocol {
    /// Bytes came from `from`, in their envelope. Any number of times: what came before is dropped.
    pub fn receive(&self, driver: &impl Driver, from: Rank, bytes: &[u8]) {
        self.heed(driver, from, || match self.arrivals.open(from, bytes) {
            Arrival::New(message, load) => {
                if self.arrivals.is_news(from, load) {
                    self.thieving.heard(from, load);
                }
                self.handle(driver, from, message);
            }
            Arrival::Again => {}
            Arrival::Gap => driver.lost_touch(from, "a message of it is missing, which its road should have brought"),
            Arrival::Torn => {
                say(Level::Error, || format!("rank {} dropped {} bytes of rank {from}", self.rank, bytes.len()));
            }
        });
    }

    /// Acts on what `from` sent, where it lives. While this goes on, no owner is told that it is listened to no more.
    fn heed(&self, driver: &impl Driver, from: Rank, act: impl FnOnce()) {
        self.arrivals.begin(from);
        let lives = !driver.is_dead(from);
        if lives {
            act();
        }
        self.arrivals.end(from);
        if driver.is_dead(from) {
            self.answer_mourners(driver);
        }
        if !lives {
            driver.refuse_dead(from);
        }
    }

    /// A message of a rank that lives, or of this one, without its envelope.
    pub fn handle(&self, driver: &impl Driver, from: Rank, bytes: &[u8]) {
        let Some(message) = self.decoded(from, bytes) else { return };
        // What is said about copies brings what others are held for, perhaps of the same sender.
        if message.is_about_roads() || matches!(message, Message::Copy(_)) {
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
            if let Message::Loot { runs, ahead, answer } = message
                && !runs.is_empty()
            {
                // One by one: the first can begin while blocks of the others are brought.
                self.held.instead(from, one_by_one(runs, ahead, answer));
                continue;
            }
            self.held.miss(from, missing.len());
            for (place, shared) in missing {
                self.fetch(driver, place, shared, Purpose::Message(from));
            }
        }
    }

    /// A block came, or will not, for the first of the messages that are held of `from`.
    pub(super) fn came(
        &self,
        driver: &impl Driver,
        from: Rank,
        id: ObjectId,
        memory: Result<Arc<dyn ArrayMemory>, Error>,
    ) {
        self.held.came(from, id, memory);
        self.heed(driver, from, || self.go_on(driver, from));
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
            Message::Call(call) => self.on_run(driver, from, call.run(from), pulled),
            Message::Return { task, value } => self.on_return(driver, task, value.0),
            Message::Done { task, results } => self.on_done(driver, (from, pulled), task, results),
            Message::Unbegun { task, hops, error } => self.on_unbegun(driver, task, hops, &error),
            Message::Fetch { object, without } => self.on_fetch(driver, from, object, without),
            Message::Value { object, value } => self.on_value(driver, from, object, value),
            Message::Copy(copy) => self.on_copy(driver, from, copy),
            Message::Count(count) => self.on_count(driver, from, count),
            Message::Steal { remember } => self.on_steal(driver, from, remember),
            Message::Loot { runs, ahead, answer } => {
                let tasks = runs.len() + ahead as usize;
                runs.into_iter().for_each(|run| self.on_run(driver, from, run, pulled));
                self.on_loot(driver, tasks, answer);
            }
            Message::Cancel { task } => self.unwanted.insert(task),
            Message::Over { task } => self.unwanted.remove(task),
            Message::Actor { actor, about } => self.on_about(driver, from, actor, about, pulled),
            Message::NameSet { token, name, kind, handle } => {
                self.on_name_set(driver, from, token, (name, kind), &handle);
            }
            Message::NameGet { token, name, kind } => self.on_name_get(driver, from, token, &name, &kind),
            Message::NameFree { name, actor } => self.names.free(&name, actor),
            Message::Named { token, handle } => self.on_named(driver, from, token, handle),
            Message::Answer { token, answer } => {
                let answer = self.opened(driver, &answer, from, pulled).map(|parcel| parcel.bytes);
                driver.answered(token, answer);
            }
            Message::Moved { tasks, to } => self.on_moved(driver, from, &tasks, to),
            Message::Reclaim { blocks } => self.on_reclaim(driver, from, blocks),
            Message::Keeps { blocks } => self.on_keeps(driver, &blocks),
            other => driver.other(from, other),
        }
    }

    /// A value that this rank asked for.
    fn on_value(&self, driver: &impl Driver, from: Rank, object: ObjectId, value: Result<WireParcel<'_>, Error>) {
        let slot = self.references.find(object);
        self.settle(driver, (from, &Pulled::default()), slot, value, || None);
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
                place: wire.seat.map_or(Placement::Auto, |seat| Placement::InGroup(seat.into())),
                max_restarts: wire.max_restarts,
                ..Options::default()
            })
        });
        let mut header = Header::new(options, run.caller);
        header.origin = Some(run.task);
        (header.stealable, header.hops) = (run.stealable && run.hops < HOPS_MAX, run.hops);
        self.came_back(run.task, run.hops);
        header.number.store(run.number, Ordering::Relaxed);
        let Some(entry) = driver.entry(run.function) else {
            let error = Error::config(format!("rank {} has no function with the key {:#x}", self.rank, run.function));
            return self.send_failure(driver, run.task, 1, error);
        };
        let args = match args {
            Ok(args) => args,
            Err(error) => {
                // Who sent them is gone, or who stored them: the owner may have them still.
                self.unwanted.remove(run.task);
                if let (Kind::New, Some(target)) = (entry.kind, run.actor) {
                    self.never_built(driver, target, &error);
                }
                let unbegun = Message::Unbegun { task: run.task.number, hops: run.hops, error };
                return driver.send(run.task.owner, &unbegun);
            }
        };
        match (entry.decode)(args, header) {
            Err(error) => {
                if let (Kind::New, Some(target)) = (entry.kind, run.actor) {
                    self.never_built(driver, target, &error);
                }
                self.send_failure(driver, run.task, entry.returns, error);
            }
            Ok(task) => match (entry.kind, run.actor) {
                (Kind::New, Some(target)) => self.actors.build(driver, target.actor, target.incarnation, task),
                (Kind::Method, Some(target)) => self.actors.call(driver, target, (from, run.caller), task),
                _ => self.launch_here(driver, task),
            },
        }
    }

    /// A constructor came that cannot run: calls of its actor would wait for it.
    fn never_built(&self, driver: &impl Driver, target: Target, error: &Error) {
        let reason = format!("its constructor's arguments cannot be had on rank {}: {error}", self.rank);
        self.actors.kill(driver, target.actor, &reason, false);
        // What its home would know of its owner came with the constructor.
        let error = Error::ActorDied { actor: target.actor.to_string(), reason };
        let about = About::Ended { incarnation: target.incarnation, error };
        driver.send(target.actor.owner, &Message::Actor { actor: target.actor, about });
    }

    /// A task that went elsewhere is over.
    fn on_done(
        &self,
        driver: &impl Driver,
        (from, pulled): (Rank, &Pulled),
        number: u64,
        results: Vec<Result<WireParcel<'_>, Error>>,
    ) {
        if self.retried_on_error(driver, number, results.iter().map(|result| result.as_ref().err())) {
            return;
        }
        let sent = self.away.take(number);
        sent.iter().for_each(|sent| self.returned(driver, number, sent));
        let slots = sent.as_ref().map_or_else(Vec::new, |sent| sent.results.slots());
        for (index, result) in results.into_iter().enumerate() {
            // Also of a task that nobody knows any more, what travels beside the results is counted.
            let slot = slots.get(index).cloned().flatten();
            let maker = || sent.as_ref().and_then(|sent| self.maker_of(sent, index));
            self.settle(driver, (from, pulled), slot, result, maker);
        }
    }
}
