//! What a rank's protocol asks of what drives it.

use crate::base::{Error, Rank, Result};
use crate::objects::{ArrayMemory, Attachment, Links};
use crate::protocol::{ActorHome, ActorRef, Message, Protocol, WirePlace};
use crate::registry::{Options, Runnable, TableEntry};
use crate::scheduling::Grant;
use crate::store::Source;
use std::borrow::Cow;
use std::sync::Arc;

/// What a block is brought here for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The first of the messages that are held of that rank.
    Message(Rank),
    /// A value that was left where it lies, by the number of its bringing.
    Value(u64),
}

/// What drives a rank's protocol: the node, with threads, roads and memory, or a simulator with neither.
///
/// The protocol decides; a driver does as it is asked, and neither waits nor runs user code inside of these calls.
pub trait Driver: Clone + Send + Sync + 'static {
    /// The protocol that is driven.
    fn protocol(&self) -> &Protocol;
    /// This rank.
    fn rank(&self) -> Rank;
    /// How many ranks there are.
    fn size(&self) -> u32;
    /// Whether the end has begun: what is dropped now needs no message any more.
    fn stopping(&self) -> bool;
    /// Sends a message; to one peer in the order of the calls (F1). To a rank that is gone, nothing happens.
    fn send(&self, to: Rank, message: &Message<'_>);
    /// Whether that rank was declared gone.
    fn is_dead(&self, rank: Rank) -> bool;
    /// The error of what needs a rank that is gone.
    fn death_of(&self, rank: Rank) -> Error;
    /// The pair with that rank is broken: it is to be decided who is gone.
    fn lost_touch(&self, rank: Rank, reason: &str);
    /// Another rank was told that this one is gone: it is to be declared gone here too.
    fn give_up(&self, rank: Rank, reason: &str);
    /// A rank that was declared gone said something: it is to hear that it was.
    fn refuse_dead(&self, rank: Rank);
    /// Tells the driver process of a failure.
    fn report(&self, error: Error);
    /// A message that is about something else than tasks, objects and actors.
    fn other(&self, from: Rank, message: Message<'_>);
    /// The answer to a question of this rank.
    fn answered(&self, token: u64, answer: Result<Vec<u8>>);

    /// The links that references of other ranks use: always the same ones.
    fn links(&self) -> Arc<dyn Links>;
    /// The function with that key.
    fn entry(&self, key: u64) -> Option<&'static TableEntry>;

    /// A block of this rank's store with these bytes.
    ///
    /// # Errors
    /// `StoreFull`.
    fn store(&self, bytes: &[u8]) -> Result<Arc<dyn ArrayMemory>>;
    /// What travels beside a value, with every array where other ranks can read it.
    ///
    /// # Errors
    /// `StoreFull`, or why an array cannot be had.
    fn in_the_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>>;
    /// Where memory of a store lies, and its name: one of this rank's gets `fresh` as its number where it has none yet.
    fn place_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<WirePlace>;
    /// Whether the store of that rank can be read here as memory.
    fn is_mapped(&self, rank: Rank) -> bool;
    /// The memory of a block in the store of another rank of this host.
    ///
    /// # Errors
    /// Why there is none.
    fn map(&self, place: WirePlace) -> Result<Arc<dyn ArrayMemory>, &'static str>;
    /// The ranks of this host, itself among them.
    fn host_ranks(&self) -> &[Rank];
    /// Reads `bytes` from other hosts' stores, each source the same bytes, into a block of this rank's own: `Protocol::pulled`
    /// is told, with the same token. It may have to wait for room first.
    ///
    /// # Errors
    /// `StoreFull`, where there never will be room.
    fn pull(&self, token: u64, bytes: u64, sources: &[Source]) -> Result<()>;

    /// Who waits for room in this rank's store looks again: what others were asked to give back, they keep.
    fn room_may_have_grown(&self) {}

    /// Where options send a task: a rank, or `None` for wherever there is room.
    ///
    /// # Errors
    /// `Unschedulable` and the like.
    fn place(&self, options: &Options, name: &str) -> Result<Option<Rank>>;
    /// Finds where the place in a placement group is from now on in which an actor is to be started again because of that error.
    /// That may take a while: `Protocol::seated` is told.
    fn find_seat(&self, actor: &Arc<ActorRef>, options: &Options, error: &Error);
    /// Whether a task may run on this rank; where not, it has been sent on, or failed.
    fn takes(&self, task: &Arc<dyn Runnable>) -> bool;
    /// A task whose arguments are there may run here.
    fn enqueue(&self, task: Arc<dyn Runnable>);
    /// An actor has something to run.
    fn enqueue_actor(&self, home: Arc<ActorHome>);
    /// An actor that is gone held this, and so many CPUs.
    fn give_back(&self, grant: Grant, cpu: i64);
    /// The answer to a question about a name.
    fn named(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, String>);

    /// How many tasks here could go elsewhere.
    fn surplus(&self) -> usize;
    /// Whether that rank's host has room for one more task, as far as this rank can see.
    fn has_room(&self, rank: Rank) -> bool;
    /// Up to `count` tasks that `thief` can run, claimed, the oldest first.
    fn take_for(&self, thief: Rank, count: usize) -> Vec<Arc<dyn Runnable>>;
    /// Whether a worker has nothing to do and nothing is queued.
    fn rests(&self) -> bool;
    /// How many workers have nothing to do: each takes the next task that it sees here.
    fn resting(&self) -> usize;
    /// Whether anything is queued here.
    fn has_work(&self) -> bool;
}
