//! What a rank's protocol requires of its surroundings: narrow traits, each for one kind of effect, and their sum.
//!
//! The protocol decides and the environment executes: the runtime, with threads, transports and memory, or the
//! simulator. No method blocks or runs user code. A function that does not reach other parts of the protocol takes only
//! the traits that it needs.

use crate::base::{Error, Rank, Result, TaskId};
use crate::lineage::Blame;
use crate::objects::{ArrayMemory, Attachment, Links, StoreRun};
use crate::protocol::{ActorInstance, ActorRef, BlockAddress, Message, NameError, Protocol, WorkId};
use crate::registry::{Options, Runnable, TableEntry};
use crate::rpc::PlainBytes;
use crate::scheduling::Grant;
use crate::store::CopySource;
use std::borrow::Cow;
use std::sync::Arc;

/// Messages to other ranks.
pub trait Messenger {
    /// This rank.
    fn rank(&self) -> Rank;
    /// How many ranks there are.
    fn size(&self) -> u32;
    /// True once shutdown has begun: what is dropped from now on need not send messages.
    fn is_stopping(&self) -> bool;
    /// Sends a message. Messages to one peer keep the order of the calls (TRANSPORT-1). A message to a dead rank is
    /// discarded.
    fn send(&self, to: Rank, message: &Message<'_>);
}

/// Which ranks are alive, as far as this rank knows.
pub trait Liveness {
    /// True if that rank was declared dead.
    fn is_dead(&self, rank: Rank) -> bool;
    /// The error of an operation that needs a dead rank.
    fn death_error(&self, rank: Rank) -> Error;
    /// What part a task or actor had in the end of a dead rank's process.
    fn blame(&self, _dead: Rank, _work: WorkId) -> Blame {
        Blame::None
    }
    /// The link to that rank is broken: membership arbitration has to decide which of the two ranks is dead.
    fn report_link_failure(&self, rank: Rank, reason: &str);
    /// Declares a rank dead here too, because another rank was told that it is dead.
    fn declare_dead(&self, rank: Rank, reason: &str);
    /// Tells a rank that was declared dead and still sends messages that it was declared dead.
    fn notify_declared_dead(&self, rank: Rank);
}

/// The stores of this rank and of the others of its host, and reads from those of other hosts.
pub trait BlockStore {
    /// Stores what `write` writes, which is all of so many bytes, in a new block of this rank's store.
    ///
    /// # Errors
    /// `StoreFull`.
    fn write_block(&self, bytes: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<Arc<dyn ArrayMemory>>;
    /// Stores these bytes in a new block of this rank's store.
    ///
    /// # Errors
    /// `StoreFull`.
    fn store_block(&self, bytes: &[u8]) -> Result<Arc<dyn ArrayMemory>> {
        self.write_block(bytes.len(), &mut |block| block.copy_from_slice(bytes))
    }
    /// Stores these bytes if there is free space: nothing is evicted, and nothing waits.
    fn try_store_block(&self, bytes: &[u8]) -> Option<Arc<dyn ArrayMemory>> {
        self.store_block(bytes).ok()
    }
    /// What copies long runs of bytes of a value that is being encoded into this rank's store.
    fn store_run(&self) -> Option<StoreRun> {
        None
    }
    /// The attachments of a value, with every array in a store that other ranks can read.
    ///
    /// # Errors
    /// `StoreFull`, or why an array is not available.
    fn ensure_in_store<'a>(&self, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>>;
    /// The address of memory in a store. A block of this rank that has no number yet gets one from `fresh`.
    fn address_of(&self, memory: &dyn ArrayMemory, fresh: &dyn Fn() -> u64) -> Option<BlockAddress>;
    /// True if that rank's store is mapped into this process.
    fn is_mapped(&self, rank: Rank) -> bool;
    /// Maps a block in the store of another rank of this host.
    ///
    /// # Errors
    /// Why there is none.
    fn map_block(&self, address: BlockAddress) -> Result<Arc<dyn ArrayMemory>, &'static str>;
    /// The ranks of this host, this one included.
    fn host_ranks(&self) -> &[Rank];
    /// Reads `bytes` from any of `sources`, which hold the same bytes on other hosts, into a new block of this rank's
    /// store, then calls `HostCopies::on_pulled` with the token. The read may first have to wait for free space.
    ///
    /// # Errors
    /// `StoreFull`, where the store can never have enough free space.
    fn pull(&self, token: u64, bytes: u64, sources: &[CopySource]) -> Result<()>;
    /// Makes tasks that wait for free space in this rank's store try again: other ranks refused to release what they
    /// were asked for.
    fn wake_space_waiters(&self) {}
}

/// Which rank is to run a task or an actor.
pub trait RankSelection {
    /// The rank where options send a task; `None` for any rank with free capacity.
    ///
    /// # Errors
    /// `Unschedulable` and the like.
    fn select_rank(&self, options: &Options, name: &str) -> Result<Option<Rank>>;
    /// A living rank for a task or actor that may have ended its last one: none of `excluded`, on a host that can meet
    /// its options. `None` if there is no such rank.
    fn select_rank_without(&self, _options: Option<&Options>, _excluded: [Rank; 2]) -> Option<Rank> {
        None
    }
    /// Finds the bundle slot in which an actor is to be restarted after that error, which may take a while: `None` if
    /// `Protocol::on_bundle_located` is called then.
    fn locate_bundle(&self, _actor: &Arc<ActorRef>, _options: &Options, _error: &Error) -> Option<Result<Rank>> {
        Some(Err(Error::config("there are no placement groups here")))
    }
    /// True if a task may run on this rank; where not, it has been forwarded or failed.
    fn try_accept(&self, _task: &Arc<dyn Runnable>) -> bool {
        true
    }
    /// True if that rank's host has capacity for one more task, as far as this rank can see.
    fn has_capacity(&self, _rank: Rank) -> bool {
        true
    }
}

/// What this rank has to run, and its workers.
pub trait WorkQueue {
    /// Queues a task whose arguments are complete.
    fn enqueue(&self, task: Arc<dyn Runnable>);
    /// Runs the function of a call that `id` names at once, if it is a leaf function, and writes its plain value.
    /// `None` if it is to run as a task.
    fn run_leaf(
        &self,
        _id: TaskId,
        _entry: &'static TableEntry,
        _args: &[u8],
        _value: &mut PlainBytes,
    ) -> Option<Result<()>> {
        None
    }
    /// Queues an actor that has something to run.
    fn enqueue_actor(&self, instance: Arc<ActorInstance>);
    /// Releases the grant of an actor that ended, and its CPUs.
    fn release_grant(&self, _grant: Grant, _cpu: i64) {}
    /// How many tasks here could run elsewhere.
    fn surplus(&self) -> usize;
    /// Claims up to `count` tasks that `stealer` can run, the oldest first.
    fn take_tasks_for(&self, stealer: Rank, count: usize) -> Vec<Arc<dyn Runnable>>;
    /// True if a worker is idle and no task is queued.
    fn is_idle(&self) -> bool;
    /// How many workers are idle: each takes the next task that it finds here.
    fn idle_workers(&self) -> usize;
    /// True if a task or actor is queued here.
    fn has_work(&self) -> bool;
}

/// What concerns neither tasks nor objects nor actors.
pub trait Observer {
    /// Reports a task's failure to the driver.
    fn report_failure(&self, error: Error);
    /// Handles a message that concerns neither tasks nor objects nor actors.
    fn handle_other(&self, from: Rank, message: Message<'_>);
    /// Handles the response to a request of this rank.
    fn on_response(&self, token: u64, response: Result<Vec<u8>>);
    /// Handles the reply to a name request.
    fn on_name_reply(&self, token: u64, outcome: Result<Option<Arc<ActorRef>>, NameError>);
}

/// The effects of a rank's protocol, and the way from one of its parts to the others.
pub trait Environment:
    Messenger + Liveness + BlockStore + RankSelection + WorkQueue + Observer + Clone + Send + Sync + 'static
{
    /// The protocol of this rank.
    fn protocol(&self) -> &Protocol;
    /// The links that references to other ranks' objects use: always the same value.
    fn links(&self) -> Arc<dyn Links>;
    /// The function with that key.
    fn table_entry(&self, key: u64) -> Option<&'static TableEntry>;
}
