//! Values and tasks as messages carry them.

use crate::base::{ObjectId, Rank, Seat, TaskId};
use crate::protocol::actor_message::{Target, WireActor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, written whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de [u8]>::deserialize(deserializer).map(Bytes)
    }
}

/// Where a block of some rank's store lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WirePlace {
    /// The block; its owner's store holds it.
    pub block: ObjectId,
    /// Bytes from the start of the store.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What travels beside the bytes of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WireAttachment {
    /// An array's memory.
    Array(WirePlace),
    /// A reference.
    Reference(ObjectId),
    /// An actor's handle.
    Actor(WireActor),
}

impl WireAttachment {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        match self {
            WireAttachment::Array(place) => place.block.owner,
            WireAttachment::Reference(object) => object.owner,
            WireAttachment::Actor(handle) => handle.highest_rank(),
        }
    }
}

/// A value as bytes, here or in a block of the sender's store, with what travels beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireParcel<'a> {
    /// The bytes, where they are few.
    #[serde(borrow)]
    pub bytes: Bytes<'a>,
    /// Where they are, otherwise: a block that holds attachments and bytes, itself a `WireParcel`.
    pub spilled: Option<WirePlace>,
    /// What travels beside.
    pub attachments: Vec<WireAttachment>,
}

impl WireParcel<'_> {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        let spilled = self.spilled.map_or(0, |place| place.block.owner);
        self.attachments.iter().map(WireAttachment::highest_rank).fold(spilled, Rank::max)
    }
}

/// What a task asks for, where that is not the default of one CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WireOptions {
    /// CPUs.
    pub num_cpus: Option<f64>,
    /// GPUs.
    pub num_gpus: Option<f64>,
    /// Others.
    pub resources: Vec<(String, f64)>,
    /// The task's or actor's name.
    pub name: Option<String>,
    /// Its place in a placement group.
    pub seat: Option<Seat>,
    /// How often the actor is started again.
    pub max_restarts: Option<u32>,
}

/// A task on its way to the rank that runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run<'a> {
    /// Its name; its owner gets the results.
    pub task: TaskId,
    /// The function, by its key in the table.
    pub function: u64,
    /// The task that made it, for the order of an actor's calls.
    pub caller: u64,
    /// Its number in pictures, 0 where it is not recorded.
    pub number: u64,
    /// The actor, for constructors and methods.
    pub actor: Option<Target>,
    /// Whether the rank may pass it on to a thief.
    pub stealable: bool,
    /// How often it was passed on or started again before.
    pub hops: u32,
    /// What it asks for.
    pub options: Option<WireOptions>,
    /// Its arguments.
    #[serde(borrow)]
    pub args: WireParcel<'a>,
}

impl Run<'_> {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        let actor = self.actor.map_or(0, |target| target.actor.owner);
        let seat = self.options.as_ref().and_then(|options| options.seat);
        let group = seat.map_or(0, |seat| seat.group.owner);
        self.task.owner.max(actor).max(group).max(self.args.highest_rank())
    }

    /// Its length as part of a message.
    pub fn encoded_bytes(&self) -> usize {
        match postcard::serialize_with_flavor(self, postcard::ser_flavors::Size::default()) {
            Ok(bytes) => bytes,
            Err(error) => unreachable!("a message is plain data and always encodes: {error}"),
        }
    }
}

/// A task of its sender that asks for nothing unusual and has nothing beside its arguments: most are. A `Run` in fewer bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call<'a> {
    /// Its number at its owner, the sender.
    pub task: u64,
    /// As in `Run`. Its bytes are evenly spread: none can be saved.
    #[serde(with = "postcard::fixint::le")]
    pub function: u64,
    /// As in `Run`.
    pub caller: u64,
    /// As in `Run`.
    pub number: u64,
    /// As in `Run`.
    pub actor: Option<Target>,
    /// Its arguments.
    #[serde(borrow)]
    pub args: Bytes<'a>,
}

impl<'a> Call<'a> {
    /// What `run` says, where that is so when `sender` sends it.
    pub fn of(run: &Run<'a>, sender: Rank) -> Option<Call<'a>> {
        let Run { task, function, caller, number, actor, stealable, hops, options, args } = run;
        let plain = task.owner == sender && !stealable && *hops == 0 && options.is_none();
        let alone = args.spilled.is_none() && args.attachments.is_empty();
        let (task, function, caller) = (task.number, *function, *caller);
        (plain && alone).then_some(Call { task, function, caller, number: *number, actor: *actor, args: args.bytes })
    }

    /// The same in full.
    pub fn run(self, sender: Rank) -> Run<'a> {
        let Call { task, function, caller, number, actor, args } = self;
        let task = TaskId { owner: sender, number: task };
        let args = WireParcel { bytes: args, spilled: None, attachments: Vec::new() };
        Run { task, function, caller, number, actor, stealable: false, hops: 0, options: None, args }
    }
}

/// A task that was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Its number at its owner.
    pub number: u64,
    /// How often it was passed on: words of several ranks may come in another order than they were said.
    pub hops: u32,
}
