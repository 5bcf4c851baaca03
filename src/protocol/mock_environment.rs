//! A rank without threads and transports, for tests: the messages that it sends are recorded, the actors that it queues
//! wait.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, Result};
use crate::objects::{AnySlot, ArrayMemory, Attachment, Links};
use crate::protocol::environment::{BlockStore, Environment, Liveness, Messenger, Observer, RankSelection, WorkQueue};
use crate::protocol::{ActorInstance, ActorRef, BlockAddress, Message, Protocol};
use crate::registry::{Options, Runnable, TableEntry};
use crate::scheduling::{Grant, StealState};
use crate::store::CopySource;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

/// Rank `rank` of 4.
#[derive(Clone)]
pub struct MockEnvironment(Arc<MockState>);

struct MockState {
    protocol: Protocol,
    sent: Mutex<Vec<(Rank, Vec<u8>)>>,
    ready: Mutex<Vec<Arc<ActorInstance>>>,
}

impl MockEnvironment {
    pub fn new(rank: Rank) -> MockEnvironment {
        let protocol = Protocol::new(rank, 4, false, StealState::new(rank, 4, 1));
        MockEnvironment(Arc::new(MockState { protocol, sent: Mutex::default(), ready: Mutex::default() }))
    }

    /// The messages sent since the last call: receiver, and debug output of the message.
    pub fn sent(&self) -> Vec<(Rank, String)> {
        let sent = std::mem::take(&mut *lock(&self.0.sent));
        let display =
            |bytes: &Vec<u8>| Message::decode(bytes).map_or_else(|error| error, |message| format!("{message:?}"));
        sent.iter().map(|(to, bytes)| (*to, display(bytes))).collect()
    }

    /// The actors that were queued since the last call.
    pub fn ready(&self) -> Vec<Arc<ActorInstance>> {
        std::mem::take(&mut *lock(&self.0.ready))
    }
}

struct NoLinks;

impl Links for NoLinks {
    fn find(&self, _: ObjectId) -> Option<Arc<dyn AnySlot>> {
        None
    }
    fn on_reference_decoded(&self, _: ObjectId) {}
    fn intern(&self, _: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        slot
    }
    fn request(&self, _: ObjectId) {}
    fn on_dropped(&self, _: ObjectId, _: usize) {}
}

impl Messenger for MockEnvironment {
    fn rank(&self) -> Rank {
        self.0.protocol.rank
    }
    fn size(&self) -> u32 {
        4
    }
    fn is_stopping(&self) -> bool {
        false
    }
    fn send(&self, to: Rank, message: &Message<'_>) {
        crate::protocol::assert_may_send();
        lock(&self.0.sent).push((to, message.encode(Vec::new())));
    }
}

impl Liveness for MockEnvironment {
    fn is_dead(&self, _: Rank) -> bool {
        false
    }
    fn death_error(&self, rank: Rank) -> Error {
        Error::NodeDied { rank, host: String::new(), reason: String::new() }
    }
    fn report_link_failure(&self, _: Rank, _: &str) {}
    fn declare_dead(&self, _: Rank, _: &str) {}
    fn notify_declared_dead(&self, _: Rank) {}
}

impl BlockStore for MockEnvironment {
    fn store_block(&self, _: &[u8]) -> Result<Arc<dyn ArrayMemory>> {
        Err(Error::config("there is no store"))
    }
    fn ensure_in_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
        Ok(Cow::Borrowed(attachments))
    }
    fn address_of(&self, _: &dyn ArrayMemory, _: &dyn Fn() -> u64) -> Option<BlockAddress> {
        None
    }
    fn is_mapped(&self, _: Rank) -> bool {
        false
    }
    fn map_block(&self, _: BlockAddress) -> Result<Arc<dyn ArrayMemory>, &'static str> {
        Err("there is no store")
    }
    fn host_ranks(&self) -> &[Rank] {
        &[]
    }
    fn pull(&self, _: u64, _: u64, _: &[CopySource]) -> Result<()> {
        Ok(())
    }
}

impl RankSelection for MockEnvironment {
    fn select_rank(&self, _: &Options, _: &str) -> Result<Option<Rank>> {
        Ok(None)
    }
    fn locate_bundle(&self, actor: &Arc<ActorRef>, _: &Options, error: &Error) {
        let nowhere = Err(Error::config("there are no placement groups here"));
        self.protocol().actors.owner.on_bundle_located(self, actor, error, nowhere);
    }
    fn try_accept(&self, _: &Arc<dyn Runnable>) -> bool {
        true
    }
    fn has_capacity(&self, _: Rank) -> bool {
        false
    }
}

impl WorkQueue for MockEnvironment {
    fn enqueue(&self, _: Arc<dyn Runnable>) {}
    fn enqueue_actor(&self, instance: Arc<ActorInstance>) {
        lock(&self.0.ready).push(instance);
    }
    fn release_grant(&self, _: Grant, _: i64) {}
    fn surplus(&self) -> usize {
        0
    }
    fn take_tasks_for(&self, _: Rank, _: usize) -> Vec<Arc<dyn Runnable>> {
        Vec::new()
    }
    fn is_idle(&self) -> bool {
        true
    }
    fn idle_workers(&self) -> usize {
        1
    }
    fn has_work(&self) -> bool {
        false
    }
}

impl Observer for MockEnvironment {
    fn report_failure(&self, _: Error) {}
    fn handle_other(&self, _: Rank, _: Message<'_>) {}
    fn on_response(&self, _: u64, _: Result<Vec<u8>>) {}
    fn on_name_reply(&self, _: u64, _: Result<Option<Arc<ActorRef>>, String>) {}
}

impl Environment for MockEnvironment {
    fn protocol(&self) -> &Protocol {
        &self.0.protocol
    }
    fn links(&self) -> Arc<dyn Links> {
        Arc::new(NoLinks)
    }
    fn table_entry(&self, _: u64) -> Option<&'static TableEntry> {
        None
    }
}
