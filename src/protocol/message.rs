//! The messages.

use crate::base::{Error, ObjectId, Rank, Seat, TaskId, limits};
use crate::protocol::Evidence;
use crate::protocol::actor_message::About;
use crate::protocol::wire::{Bytes, Call, Moved, Run, WireAttachment, WireParcel};
use crate::scheduling::GroupMessage;
use crate::store::{CopyMessage, CountMessage};
use serde::{Deserialize, Serialize};

/// Everything that ranks say to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message<'a> {
    /// Run this.
    #[serde(borrow)]
    Run(Run<'a>),
    /// The same, where it says nothing unusual.
    #[serde(borrow)]
    Call(Call<'a>),
    /// To a task's owner: it is over; its one result, with nothing beside it.
    Return {
        /// The task's number at its owner.
        task: u64,
        /// The result.
        #[serde(borrow)]
        value: Bytes<'a>,
    },
    /// To a task's owner: it is over; its results, in order.
    Done {
        /// The task's number at its owner.
        task: u64,
        /// Its results.
        #[serde(borrow)]
        results: Vec<Result<WireParcel<'a>, Error>>,
    },
    /// To a task's owner: it could not begin here, because its arguments were lost on the way.
    Unbegun {
        /// The task's number at its owner.
        task: u64,
        /// How often it had been passed on.
        hops: u32,
        /// What was lost.
        error: Error,
    },
    /// To an object's owner: send me the value when it is there.
    Fetch {
        /// The object's number at its owner.
        object: u64,
        /// The rank that held the value which the owner named before, and is gone.
        without: Option<Rank>,
    },
    /// From the owner: the value.
    Value {
        /// The object.
        object: ObjectId,
        /// Its value.
        #[serde(borrow)]
        value: Result<WireParcel<'a>, Error>,
    },
    /// Reference counts.
    Count(CountMessage),
    /// Give me work.
    Steal {
        /// Remember me where you have none.
        remember: bool,
    },
    /// Tasks for who has none.
    Loot {
        /// The tasks.
        #[serde(borrow)]
        runs: Vec<Run<'a>>,
        /// How many more went ahead of this, each as a `Run`: they would not have fitted in.
        ahead: u32,
        /// Whether a request was answered; otherwise work came to who was remembered.
        answer: bool,
    },
    /// To who runs a task: nobody wants it any more.
    Cancel {
        /// The task.
        task: TaskId,
    },
    /// To who was told that nobody wants a task: it is over, there or elsewhere.
    Over {
        /// The task.
        task: TaskId,
    },
    /// About an actor.
    Actor {
        /// Which.
        actor: ObjectId,
        /// What.
        #[serde(borrow)]
        about: About<'a>,
    },
    /// To a name's rank: this actor has that name from now on.
    NameSet {
        /// For the answer.
        token: u64,
        /// The name.
        name: String,
        /// The actor's type.
        kind: String,
        /// The handle.
        handle: WireAttachment,
    },
    /// To a name's rank: whose is it?
    NameGet {
        /// For the answer.
        token: u64,
        /// The name.
        name: String,
        /// The actor's type.
        kind: String,
    },
    /// To a name's rank: the actor is gone.
    NameFree {
        /// The name.
        name: String,
        /// The actor.
        actor: ObjectId,
    },
    /// The answer to `NameSet` and `NameGet`.
    Named {
        /// As asked.
        token: u64,
        /// The handle, where one was asked for, or why not.
        handle: Result<Option<WireAttachment>, String>,
    },
    /// Tell me something about you.
    Ask {
        /// For the answer.
        token: u64,
        /// What.
        question: Question,
    },
    /// The answer to `Ask`.
    Answer {
        /// As asked.
        token: u64,
        /// postcard bytes of what the question asks for.
        #[serde(borrow)]
        answer: WireParcel<'a>,
    },
    /// To a driver: a line that a task printed.
    Line {
        /// The task.
        task: String,
        /// The line.
        text: String,
    },
    /// To a driver: a task failed.
    Failed(Error),
    /// The first message of each side over a road that is taken because the one before failed.
    Resume {
        /// Which road of the way between the two is taken from now on, from 0.
        leg: u8,
        /// How many of the receiver's messages the sender was handed over the one before.
        delivered: u64,
    },
    /// About the links of a road that is agreed upon over another one.
    Beside {
        /// For that road.
        #[serde(borrow)]
        words: &'a [u8],
    },
    /// From rank 0, to which every rank is joined: that one is gone.
    Died {
        /// Who.
        rank: Rank,
        /// How it was noticed.
        reason: String,
    },
    /// To the owner of tasks: they were passed on to another rank.
    Moved {
        /// Which.
        tasks: Vec<Moved>,
        /// Where they are now.
        to: Rank,
    },
    /// To another rank of the host: my store is full; let go of blocks of mine that nobody reads there.
    Shed {
        /// How many bytes would help.
        bytes: u64,
    },
    /// To rank 0: this rank's driver is through, or it never had one.
    Leave,
    /// From rank 0: everybody is through.
    Stop,
    /// Placement groups.
    Group(GroupMessage),
    /// To rank 0, which decides: that one is lost to me. Of rank 0 itself, from a rank of its host to all others; or, where it
    /// is merely silent, to some, which then look for themselves.
    Suspect {
        /// Who.
        rank: Rank,
        /// How it was noticed.
        reason: String,
        /// What is known.
        evidence: Evidence,
    },
    /// Are you there?
    Probe {
        /// For the answer; 0 from who asks for itself alone.
        round: u64,
    },
    /// The answer to `Probe`.
    Alive {
        /// As asked.
        round: u64,
    },
    /// Copies of blocks on hosts that need them.
    Copy(CopyMessage),
    /// To who holds blocks of mine by name: my store is full; let go of those whose values you can have made again.
    Reclaim {
        /// Their numbers.
        blocks: Vec<u64>,
    },
    /// The answer to `Reclaim`: these I keep. The others' grants are on their way.
    Keeps {
        /// Their numbers.
        blocks: Vec<u64>,
    },
}

/// What one rank asks another about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// The resources that are free on its host.
    Available,
    /// The failures that it collected.
    Errors,
    /// What it recorded.
    Trace,
    /// Where that place in a placement group of its is, or why nowhere.
    Home(Seat),
    /// Who waits there for what.
    Waits,
    /// What becomes of its object of that number.
    Object(u64),
}

impl<'a> Message<'a> {
    /// A task on its way from `sender`, in as few bytes as it takes.
    pub fn of_run(run: Run<'a>, sender: Rank) -> Message<'a> {
        Call::of(&run, sender).map_or(Message::Run(run), Message::Call)
    }

    /// Writes the message at the end of `out`.
    pub fn encode(&self, out: Vec<u8>) -> Vec<u8> {
        match postcard::to_extend(self, out) {
            Ok(out) => out,
            Err(error) => unreachable!("a message is plain data and always encodes: {error}"),
        }
    }

    /// The highest rank that the message names: it must be one of the cluster's (P2). What a spilled parcel names is seen when
    /// it is opened.
    pub fn highest_rank(&self) -> Rank {
        match self {
            Message::Call(call) => call.actor.map_or(0, |target| target.actor.owner),
            Message::Run(run) => run.highest_rank(),
            Message::Loot { runs, .. } => runs.iter().map(Run::highest_rank).max().unwrap_or_default(),
            Message::Done { results, .. } => {
                results.iter().flatten().map(WireParcel::highest_rank).max().unwrap_or_default()
            }
            Message::Value { object, value } => {
                object.owner.max(value.as_ref().map_or(0, |value| value.highest_rank()))
            }
            Message::Count(count) => count.highest_rank(),
            Message::Copy(copy) => copy.highest_rank(),
            Message::Cancel { task } | Message::Over { task } => task.owner,
            Message::Actor { actor, about } => actor.owner.max(about.highest_rank()),
            Message::NameFree { actor, .. } => actor.owner,
            Message::NameSet { handle, .. } => handle.highest_rank(),
            Message::Named { handle: Ok(Some(handle)), .. } => handle.highest_rank(),
            Message::Answer { answer, .. } => answer.highest_rank(),
            Message::Died { rank, .. } | Message::Suspect { rank, .. } => *rank,
            Message::Fetch { without, .. } => without.unwrap_or_default(),
            Message::Moved { to, .. } => *to,
            Message::Ask { question: Question::Home(seat), .. } => seat.group.owner,
            _ => 0,
        }
    }

    /// Whether it is about the roads themselves: it is not held back behind messages that wait for a road to bring something.
    pub fn is_about_roads(&self) -> bool {
        use Message::{Alive, Beside, Died, Probe, Resume, Suspect};
        matches!(self, Resume { .. } | Beside { .. } | Died { .. } | Suspect { .. } | Probe { .. } | Alive { .. })
    }

    /// Reads a message (P1).
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Message<'a>, String> {
        if bytes.len() > limits::MESSAGE_BYTES_MAX {
            return Err(format!("{} bytes are more than a message has", bytes.len()));
        }
        match postcard::take_from_bytes(bytes) {
            Ok((message, [])) => Ok(message),
            Ok((_, rest)) => Err(format!("{} bytes are left after the message", rest.len())),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::actor_message::WireActor;
    use crate::protocol::wire::WireOptions;

    #[test]
    fn a_message_comes_back() {
        let message = Message::Run(Run {
            task: TaskId { owner: 3, number: 9 },
            function: u64::MAX,
            caller: 0,
            number: 0,
            actor: None,
            stealable: true,
            hops: 2,
            options: Some(WireOptions { num_cpus: Some(0.5), ..WireOptions::default() }),
            args: WireParcel {
                bytes: Bytes(b"arguments"),
                spilled: None,
                attachments: vec![WireAttachment::Reference(ObjectId { owner: 1, number: 2 })],
            },
        });
        let bytes = message.encode(Vec::new());
        assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn a_plain_task_is_short_and_says_the_same() {
        let task = TaskId { owner: 3, number: 9 };
        let args = WireParcel { bytes: Bytes(b"arguments"), spilled: None, attachments: Vec::new() };
        let plain = Run {
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
        let Message::Call(call) = Message::of_run(plain.clone(), 3) else { panic!("it is plain") };
        assert_eq!(call.run(3), plain);
        let attachments = vec![WireAttachment::Reference(ObjectId { owner: 1, number: 2 })];
        let args = WireParcel { attachments, ..plain.args.clone() };
        let unusual = [
            Run { stealable: true, ..plain.clone() },
            Run { hops: 1, ..plain.clone() },
            Run { options: Some(WireOptions::default()), ..plain.clone() },
            Run { args, ..plain.clone() },
        ];
        assert!(unusual.into_iter().all(|run| matches!(Message::of_run(run, 3), Message::Run(_))));
        assert!(matches!(Message::of_run(plain, 4), Message::Run(_)), "it is another rank's");
    }

    #[test]
    fn every_rank_that_a_message_names_is_seen() {
        let actor = ObjectId { owner: 1, number: 2 };
        let handle = WireActor { actor, home: 7, incarnation: 0, terms: None, label: String::new() };
        let attachments = vec![WireAttachment::Actor(handle)];
        let parcel = WireParcel { bytes: Bytes(b""), spilled: None, attachments };
        assert_eq!(Message::Done { task: 1, results: vec![Ok(parcel.clone())] }.highest_rank(), 7);
        let object = ObjectId { owner: 9, number: 2 };
        assert_eq!(Message::Value { object, value: Ok(parcel) }.highest_rank(), 9);
        let borrow = CountMessage::Borrow { object: ObjectId { owner: 2, number: 2 }, from: 5 };
        assert_eq!(Message::Count(borrow).highest_rank(), 5);
        assert_eq!(Message::Stop.highest_rank(), 0);
    }

    #[test]
    fn bytes_that_are_no_message_are_refused_and_never_panic() {
        let mut random = 1u64;
        for length in 0..2_000usize {
            let bytes: Vec<u8> = (0..length % 64)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (random >> 56) as u8
                })
                .collect();
            if let Ok(message) = Message::decode(&bytes) {
                assert!(message.encode(Vec::new()).len() <= bytes.len() + 64);
            }
        }
        assert!(Message::decode(&[]).is_err());
        let mut long = Message::Stop.encode(Vec::new());
        long.push(0);
        assert!(Message::decode(&long).is_err());
    }
}
