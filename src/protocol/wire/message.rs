//! The messages that ranks send to each other.

use crate::base::{BundleSlot, Error, ObjectId, Rank, TaskId, limits};
use crate::protocol::wire::actor_message::ActorMessage;
use crate::protocol::wire::last_work::LastWork;
use crate::protocol::wire::values::{Bytes, CompactTask, MovedTask, WireAttachment, WireTask, WireValue};
use crate::protocol::{FailureKind, NameError};
use crate::rpc::{ShortCall, ShortReturn, is_short_message};
use crate::scheduling::GroupMessage;
use crate::store::{CopyMessage, CountMessage};
use serde::{Deserialize, Serialize};

/// Every message between ranks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message<'a> {
    /// To the rank that is to run it: a task.
    #[serde(borrow)]
    Task(WireTask<'a>),
    /// The same, in the short form of a task with default options and no attachments.
    #[serde(borrow)]
    CompactTask(CompactTask<'a>),
    /// To a task's owner: the task finished, with one result that has no attachments.
    Return {
        /// The task's number at its owner.
        task: u64,
        /// The result.
        #[serde(borrow)]
        value: Bytes<'a>,
    },
    /// To a task's owner: the task finished, with its results in order.
    Done {
        /// The task's number at its owner.
        task: u64,
        /// Its results.
        #[serde(borrow)]
        results: Vec<Result<WireValue<'a>, Error>>,
    },
    /// To a task's owner: the task could not start on the sender, because its arguments were lost on the way.
    TaskNotStarted {
        /// The task's number at its owner.
        task: u64,
        /// How often the task had been forwarded.
        hops: u32,
        /// What was lost.
        error: Error,
    },
    /// To an object's owner: send the value once it is complete.
    Fetch {
        /// The object's number at its owner.
        object: u64,
        /// The rank, now dead, that stored the value according to the owner's last reply.
        without: Option<Rank>,
    },
    /// From an object's owner: its value.
    Value {
        /// The object.
        object: ObjectId,
        /// Its value.
        #[serde(borrow)]
        value: Result<WireValue<'a>, Error>,
    },
    /// A part of a message that is longer than a transport takes.
    Fragment {
        /// Another number for each message of the sender.
        number: u64,
        /// True if no more parts of the message follow.
        is_last: bool,
        /// The next bytes of the message.
        #[serde(borrow)]
        bytes: Bytes<'a>,
    },
    /// Reference counts.
    Count(CountMessage),
    /// Request for tasks.
    Steal {
        /// True if the receiver is to remember the sender as idle where it has no task to give.
        remember: bool,
    },
    /// Tasks for an idle rank.
    StealReply {
        /// The tasks.
        #[serde(borrow)]
        tasks: Vec<WireTask<'a>>,
        /// How many more tasks were sent before this message, each as a `Task`, because they did not fit into it.
        sent_ahead: u32,
        /// True if this answers a `Steal`; false if the receiver was remembered as idle and work appeared.
        is_response: bool,
    },
    /// To the rank that runs a task: the task was cancelled.
    Cancel {
        /// The task.
        task: TaskId,
    },
    /// To a rank that got `Cancel`: the task finished, there or elsewhere, so that the rank can forget it.
    TaskFinished {
        /// The task.
        task: TaskId,
    },
    /// About an actor.
    Actor {
        /// The actor.
        actor: ObjectId,
        /// The message.
        #[serde(borrow)]
        message: ActorMessage<'a>,
    },
    /// To a name's directory rank: this actor has that name from now on.
    NameSet {
        /// Repeated in the reply.
        token: u64,
        /// The name.
        name: String,
        /// The actor's type.
        kind: String,
        /// The handle.
        handle: WireAttachment,
    },
    /// To a name's directory rank: which actor has the name?
    NameGet {
        /// Repeated in the reply.
        token: u64,
        /// The name.
        name: String,
        /// The actor's type.
        kind: String,
    },
    /// To a name's directory rank: the actor ended.
    NameFree {
        /// The name.
        name: String,
        /// The actor.
        actor: ObjectId,
    },
    /// The reply to `NameSet` and `NameGet`.
    NameReply {
        /// The token of the request.
        token: u64,
        /// The handle where one was requested, or why there is none.
        handle: Result<Option<WireAttachment>, NameError>,
    },
    /// Request for information about the receiver.
    Request {
        /// Repeated in the response.
        token: u64,
        /// What is requested.
        request: InfoRequest,
    },
    /// The response to `Request`.
    Response {
        /// The token of the request.
        token: u64,
        /// postcard bytes of what was requested.
        #[serde(borrow)]
        response: WireValue<'a>,
    },
    /// To a driver: a line that a task printed.
    Line {
        /// The task.
        task: String,
        /// The line.
        text: String,
        /// It ends with a carriage return: the next one is printed over it.
        is_overprinted: bool,
    },
    /// To a driver: a task failed, and why.
    Failed(Error),
    /// The first message of each side over the transport that replaces a failed one.
    Resume {
        /// Which transport of the route between the two ranks is used from now on, counted from 0.
        transport_index: u8,
        /// How many of the receiver's messages the failed transport delivered to the sender.
        delivered: u64,
    },
    /// Control channel: one transport's link set-up, sent over another transport.
    Control {
        /// For that transport to decode.
        #[serde(borrow)]
        bytes: &'a [u8],
    },
    /// From rank 0, which is connected to every rank: a rank is dead.
    Died {
        /// The dead rank.
        rank: Rank,
        /// How the failure was noticed.
        reason: String,
        /// What its process ran when it ended.
        last_work: LastWork,
    },
    /// To the owner of tasks: they were forwarded to another rank.
    TasksMoved {
        /// The tasks.
        tasks: Vec<MovedTask>,
        /// Where they are now.
        to: Rank,
    },
    /// To another rank of the host: the sender's store is full; release its blocks that have no reader there.
    EvictRequest {
        /// How many bytes are needed.
        bytes: u64,
    },
    /// To rank 0: this rank's driver has finished, or the rank has none.
    ShutdownReady,
    /// From rank 0: every rank is ready to stop.
    Shutdown,
    /// Placement groups.
    Group(GroupMessage),
    /// To rank 0, which decides: the sender suspects a rank. Where the suspect is rank 0 itself, this goes from a rank
    /// of its host to all others; or, where rank 0 only failed to respond, to some ranks, which then probe it
    /// themselves.
    Suspect {
        /// The suspected rank.
        rank: Rank,
        /// How the failure was noticed.
        reason: String,
        /// The kind of failure.
        kind: FailureKind,
        /// What its process ran when it ended.
        last_work: LastWork,
    },
    /// Request for a sign of life.
    Probe {
        /// Repeated in `Alive`; 0 for a probe on the sender's own account, outside arbitration.
        round: u64,
    },
    /// The answer to `Probe`.
    Alive {
        /// The round of the probe.
        round: u64,
    },
    /// Copies of blocks on hosts that need them.
    Copy(CopyMessage),
    /// To a rank that holds blocks of the sender by reference: the sender's store is full; release the blocks whose
    /// values can be reconstructed.
    Reclaim {
        /// Their numbers.
        blocks: Vec<u64>,
    },
    /// The reply to `Reclaim`: the blocks that the sender retains. The grants of the others follow.
    ReclaimRefused {
        /// Their numbers.
        blocks: Vec<u64>,
    },
    /// To the rank that is to run it: a task, by the short path. This message and the next have layouts of their own,
    /// and stand last: serde numbers the variants before a skipped one only.
    #[serde(skip)]
    ShortCall(ShortCall<'a>),
    /// To a task's owner: the task finished, with one plain result.
    #[serde(skip)]
    ShortReturn(ShortReturn<'a>),
}

/// What a rank can request of another rank about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InfoRequest {
    /// The free resources of its host.
    Available,
    /// The failures that it has collected.
    Errors,
    /// How many failures it has counted.
    ErrorCount,
    /// Its recorded trace.
    Trace,
    /// The location of that slot in one of its placement groups, or why there is none.
    Location(BundleSlot),
    /// Its blocked fibers, and what each waits for.
    Waiters,
    /// The state of its object with that number.
    Object(u64),
}

/// Why bytes of a peer are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// They are too many.
    #[error("{0} bytes are more than a message has")]
    TooLong(usize),
    /// They do not decode.
    #[error(transparent)]
    Malformed(#[from] postcard::Error),
    /// They are a call of the short path, or its result, that is cut or too long.
    #[error("a short call or its result has the wrong length: {0} bytes")]
    Short(usize),
    /// Bytes follow the message.
    #[error("{0} bytes are left after the message")]
    BytesLeft(usize),
    /// The message names a rank that the cluster does not have.
    #[error("it names rank {rank} of a cluster of {size}")]
    UnknownRank {
        /// The rank.
        rank: Rank,
        /// The size of the cluster.
        size: u32,
    },
}

impl<'a> Message<'a> {
    /// The message for a task that `sender` sends, in the shorter form where that is possible.
    pub fn of_task(task: WireTask<'a>, sender: Rank) -> Message<'a> {
        CompactTask::try_from_task(&task, sender).map_or(Message::Task(task), Message::CompactTask)
    }

    /// Calls `send` with the encoded message, if it is one of the short path.
    #[inline]
    pub fn with_short<R>(&self, send: impl FnOnce(&[u8]) -> R) -> Option<R> {
        match self {
            Message::ShortCall(call) => Some(send(call.encode().as_slice())),
            Message::ShortReturn(answer) => Some(send(answer.encode().as_slice())),
            _ => None,
        }
    }

    /// Appends the encoded message to `out`.
    pub fn encode(&self, mut out: Vec<u8>) -> Vec<u8> {
        if self.with_short(|bytes| out.extend_from_slice(bytes)).is_some() {
            return out;
        }
        match postcard::to_extend(self, out) {
            Ok(out) => out,
            Err(error) => unreachable!("a message is plain data and always encodes: {error}"),
        }
    }

    /// The highest rank that the message names: it must be a rank of the cluster (PROTOCOL-2). The ranks in a spilled
    /// value are checked when the value is decoded.
    pub fn highest_rank(&self) -> Rank {
        match self {
            Message::CompactTask(task) => task.actor.map_or(0, |target| target.actor.owner),
            Message::ShortCall(call) => call.target.map_or(0, |target| target.actor.owner),
            Message::Task(task) => task.highest_rank(),
            Message::StealReply { tasks, .. } => tasks.iter().map(WireTask::highest_rank).max().unwrap_or_default(),
            Message::Done { results, .. } => {
                results.iter().flatten().map(WireValue::highest_rank).max().unwrap_or_default()
            }
            Message::Value { object, value } => {
                object.owner.max(value.as_ref().map_or(0, |value| value.highest_rank()))
            }
            Message::Count(count) => count.highest_rank(),
            Message::Copy(copy) => copy.highest_rank(),
            Message::Cancel { task } | Message::TaskFinished { task } => task.owner,
            Message::Actor { actor, message } => actor.owner.max(message.highest_rank()),
            Message::NameFree { actor, .. } => actor.owner,
            Message::NameSet { handle, .. } => handle.highest_rank(),
            Message::NameReply { handle: Ok(Some(handle)), .. } => handle.highest_rank(),
            Message::Response { response, .. } => response.highest_rank(),
            Message::Died { rank, last_work, .. } | Message::Suspect { rank, last_work, .. } => {
                last_work.highest_rank().max(*rank)
            }
            Message::Fetch { without, .. } => without.unwrap_or_default(),
            Message::TasksMoved { to, .. } => *to,
            Message::Request { request: InfoRequest::Location(bundle_slot), .. } => bundle_slot.group.owner,
            _ => 0,
        }
    }

    /// True if it is about links: then it is not deferred behind messages that wait for a block to be fetched.
    pub fn is_link_control(&self) -> bool {
        use Message::{Alive, Control, Died, Probe, Resume, Suspect};
        matches!(self, Resume { .. } | Control { .. } | Died { .. } | Suspect { .. } | Probe { .. } | Alive { .. })
    }

    /// Decodes a message (PROTOCOL-1).
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Message<'a>, InvalidMessage> {
        if is_short_message(bytes) {
            let call = ShortCall::decode(bytes).map(Message::ShortCall);
            let message = call.or_else(|| ShortReturn::decode(bytes).map(Message::ShortReturn));
            return message.ok_or(InvalidMessage::Short(bytes.len()));
        }
        if bytes.len() > limits::FRAGMENTED_BYTES_MAX {
            return Err(InvalidMessage::TooLong(bytes.len()));
        }
        match postcard::take_from_bytes(bytes)? {
            (message, []) => Ok(message),
            (_, rest) => Err(InvalidMessage::BytesLeft(rest.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire::actor_message::WireActor;
    use crate::protocol::wire::values::WireOptions;

    #[test]
    fn message_decodes_to_what_was_encoded() {
        let message = Message::Task(WireTask {
            task: TaskId { owner: 3, number: 9 },
            function: u64::MAX,
            caller: 0,
            number: 0,
            actor: None,
            stealable: true,
            hops: 2,
            options: Some(WireOptions { num_cpus: Some(0.5), ..WireOptions::default() }),
            args: WireValue {
                bytes: Bytes(b"arguments"),
                spilled: None,
                attachments: vec![WireAttachment::Reference(ObjectId { owner: 1, number: 2 })],
            },
        });
        let bytes = message.encode(Vec::new());
        assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn plain_task_has_a_compact_form_with_the_same_content() {
        let task = TaskId { owner: 3, number: 9 };
        let args = WireValue { bytes: Bytes(b"arguments"), spilled: None, attachments: Vec::new() };
        let plain = WireTask {
            task,
            function: 7,
            caller: 1,
            number: 2,
            actor: None,
            stealable: false,
            hops: 0,
            options: None,
            args,
        };
        let Message::CompactTask(call) = Message::of_task(plain.clone(), 3) else { panic!("it is plain") };
        assert_eq!(call.expand(3), plain);
        let attachments = vec![WireAttachment::Reference(ObjectId { owner: 1, number: 2 })];
        let args = WireValue { attachments, ..plain.args.clone() };
        let unusual = [
            WireTask { stealable: true, ..plain.clone() },
            WireTask { hops: 1, ..plain.clone() },
            WireTask { options: Some(WireOptions::default()), ..plain.clone() },
            WireTask { args, ..plain.clone() },
        ];
        assert!(unusual.into_iter().all(|task| matches!(Message::of_task(task, 3), Message::Task(_))));
        assert!(matches!(Message::of_task(plain, 4), Message::Task(_)), "it is owned by another rank");
    }

    #[test]
    fn highest_rank_covers_every_field() {
        let actor = ObjectId { owner: 1, number: 2 };
        let handle = WireActor { actor, location: 7, incarnation: 0, restart_policy: None, label: String::new() };
        let attachments = vec![WireAttachment::Actor(handle)];
        let value = WireValue { bytes: Bytes(b""), spilled: None, attachments };
        assert_eq!(Message::Done { task: 1, results: vec![Ok(value.clone())] }.highest_rank(), 7);
        let object = ObjectId { owner: 9, number: 2 };
        assert_eq!(Message::Value { object, value: Ok(value) }.highest_rank(), 9);
        let borrow = CountMessage::Borrow { object: ObjectId { owner: 2, number: 2 }, from: 5 };
        assert_eq!(Message::Count(borrow).highest_rank(), 5);
        assert_eq!(Message::Shutdown.highest_rank(), 0);
    }

    #[test]
    fn random_bytes_are_rejected_without_panic() {
        let mut random = fastrand::Rng::with_seed(1);
        for length in 0..2_000usize {
            let bytes: Vec<u8> = (0..length % 64).map(|_| random.u8(..)).collect();
            if let Ok(message) = Message::decode(&bytes) {
                assert!(message.encode(Vec::new()).len() <= bytes.len() + 64);
            }
        }
        assert!(Message::decode(&[]).is_err());
        let mut long = Message::Shutdown.encode(Vec::new());
        long.push(0);
        assert!(Message::decode(&long).is_err());
    }
}
