//! A rank without threads and roads, for tests: what it sends is seen, what it is asked to run waits.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, Result};
use crate::objects::{AnySlot, ArrayMemory, Attachment, Links};
use crate::protocol::driver::Driver;
use crate::protocol::{ActorHome, ActorRef, Message, Protocol, WirePlace};
use crate::registry::{Options, Runnable, TableEntry};
use crate::scheduling::{Grant, Stealing};
use crate::store::Source;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

/// Rank `rank` of 4.
#[derive(Clone)]
pub struct Bench(Arc<Parts>);

struct Parts {
    protocol: Protocol,
    sent: Mutex<Vec<(Rank, Vec<u8>)>>,
    ready: Mutex<Vec<Arc<ActorHome>>>,
}

impl Bench {
    pub fn new(rank: Rank) -> Bench {
        let protocol = Protocol::new(rank, 4, false, Stealing::new(rank, 4, 1));
        Bench(Arc::new(Parts { protocol, sent: Mutex::default(), ready: Mutex::default() }))
    }

    /// What was sent since the last look: to whom, and the message as it shows itself.
    pub fn sent(&self) -> Vec<(Rank, String)> {
        let sent = std::mem::take(&mut *lock(&self.0.sent));
        let shown =
            |bytes: &Vec<u8>| Message::decode(bytes).map_or_else(|error| error, |message| format!("{message:?}"));
        sent.iter().map(|(to, bytes)| (*to, shown(bytes))).collect()
    }

    /// The actors that have something to run.
    pub fn ready(&self) -> Vec<Arc<ActorHome>> {
        std::mem::take(&mut *lock(&self.0.ready))
    }
}

struct NoLinks;

impl Links for NoLinks {
    fn find(&self, _: ObjectId) -> Option<Arc<dyn AnySlot>> {
        None
    }
    fn settled(&self, _: ObjectId) {}
    fn adopt(&self, _: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        slot
    }
    fn request(&self, _: ObjectId) {}
    fn released(&self, _: ObjectId, _: usize) {}
}

impl Driver for Bench {
    fn protocol(&self) -> &Protocol {
        &self.0.protocol
    }
    fn rank(&self) -> Rank {
        self.0.protocol.rank
    }
    fn size(&self) -> u32 {
        self.0.protocol.size
    }
    fn stopping(&self) -> bool {
        false
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        lock(&self.0.sent).push((to, message.encode(Vec::new())));
    }
    fn is_dead(&self, _: Rank) -> bool {
        false
    }
    fn death_of(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: String::new(), reason: String::new() }
    }
    fn lost_touch(&self, _: Rank, _: &str) {}
    fn give_up(&self, _: Rank, _: &str) {}
    fn refuse_dead(&self, _: Rank) {}
    fn report(&self, _: Error) {}
    fn other(&self, _: Rank, _: Message<'_>) {}
    fn answered(&self, _: u64, _: Result<Vec<u8>>) {}
    fn links(&self) -> Arc<dyn Links> {
        Arc::new(NoLinks)
    }
    fn entry(&self, _: u64) -> Option<&'static TableEntry> {
        None
    }
    fn store(&self, _: &[u8]) -> Result<Arc<dyn ArrayMemory>> {
        Err(Error::config("there is no store"))
    }
    fn in_the_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Ok(Cow::Borrowed(attachments))
    }
    fn place_of(&self, _: &dyn ArrayMemory, _: &dyn Fn() -> u64) -> Option<WirePlace> {
        None
    }
    fn is_mapped(&self, _: Rank) -> bool {
        false
    }
    fn map(&self, _: WirePlace) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        Err("there is no store")
    }
    fn host_ranks(&self) -> &[Rank] {
        &[]
    }
    fn pull(&self, _: u64, _: u64, _: &[Source]) -> Result<()> {
        Ok(())
    }
    fn place(&self, _: &Options, _: &str) -> Result<Option<Rank>> {
        Ok(None)
    }
    fn find_seat(&self, actor: &Arc<ActorRef>, _: &Options, error: &Error) {
        let nowhere = Err(Error::config("there are no placement groups here"));
        self.protocol().seated(self, actor, error, nowhere);
    }
    fn takes(&self, _: &Arc<dyn Runnable>) -> bool {
        true
    }
    fn enqueue(&self, _: Arc<dyn Runnable>) {}
    fn enqueue_actor(&self, home: Arc<ActorHome>) {
        lock(&self.0.ready).push(home);
    }
    fn give_back(&self, _: Grant, _: i64) {}
    fn named(&self, _: u64, _: Result<Option<Arc<ActorRef>>, String>) {}
    fn surplus(&self) -> usize {
        0
    }
    fn has_room(&self, _: Rank) -> bool {
        false
    }
    fn take_for(&self, _: Rank, _: usize) -> Vec<Arc<dyn Runnable>> {
        Vec::new()
    }
    fn rests(&self) -> bool {
        true
    }
    fn resting(&self) -> usize {
        1
    }
    fn has_work(&self) -> bool {
        false
    }
}
