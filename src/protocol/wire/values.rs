//! Values and tasks in wire form.

use crate::base::{BundleSlot, ObjectId, Rank, TaskId};
use crate::protocol::wire::actor_message::{ActorTarget, WireActor};
use crate::registry::{Options, Placement};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, encoded as one byte string.
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

/// The address of a block in some rank's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockAddress {
    /// The block; its owner's store holds it.
    pub block: ObjectId,
    /// Bytes from the start of the store.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// The value of an object that travels with a reference to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedValue {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The arrays that the bytes name.
    pub arrays: Vec<CarriedArray>,
}

/// An array of a value that travels with a reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CarriedArray {
    /// Its bytes, of which the receiver makes a block of its own.
    Bytes(Vec<u8>),
    /// Its memory, counted as that of a `WireAttachment::Array` is.
    Block(BlockAddress),
}

/// What accompanies the bytes of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WireAttachment {
    /// An array's memory.
    Array(BlockAddress),
    /// A reference.
    Reference(ObjectId),
    /// An actor's handle.
    Actor(WireActor),
    /// A reference, and the object's value.
    Carried(ObjectId, CarriedValue),
}

impl WireAttachment {
    /// The highest rank that the attachment names.
    pub fn highest_rank(&self) -> Rank {
        match self {
            WireAttachment::Array(address) => address.block.owner,
            WireAttachment::Reference(object) => object.owner,
            WireAttachment::Carried(object, value) => {
                let owners = value.arrays.iter().filter_map(|array| match array {
                    CarriedArray::Block(address) => Some(address.block.owner),
                    CarriedArray::Bytes(_) => None,
                });
                owners.fold(object.owner, Rank::max)
            }
            WireAttachment::Actor(handle) => handle.highest_rank(),
        }
    }
}

/// A value in wire form: bytes, inline or in a block of the sender's store, and attachments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireValue<'a> {
    /// The bytes, where they are few enough to be inline.
    #[serde(borrow)]
    pub bytes: Bytes<'a>,
    /// The block otherwise: it holds bytes and attachments, encoded as a `WireValue`.
    pub spilled: Option<BlockAddress>,
    /// The attachments that are in the message.
    pub attachments: Vec<WireAttachment>,
}

impl WireValue<'_> {
    /// Its encoded length.
    pub fn encoded_bytes(&self) -> usize {
        encoded_bytes(self)
    }

    /// The highest rank that the value names.
    pub fn highest_rank(&self) -> Rank {
        let spilled = self.spilled.map_or(0, |address| address.block.owner);
        self.attachments.iter().map(WireAttachment::highest_rank).fold(spilled, Rank::max)
    }
}

fn encoded_bytes(part: &impl Serialize) -> usize {
    match postcard::serialize_with_flavor(part, postcard::ser_flavors::Size::default()) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("a message is plain data and always encodes: {error}"),
    }
}

/// The resources that a task requests, where they are not the default of one CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WireOptions {
    /// CPUs.
    pub num_cpus: Option<f64>,
    /// GPUs.
    pub num_gpus: Option<f64>,
    /// Other resources.
    pub resources: Vec<(String, f64)>,
    /// The task's or actor's name.
    pub name: Option<String>,
    /// Its slot in a placement group.
    pub bundle_slot: Option<BundleSlot>,
    /// How often the actor is restarted.
    pub max_restarts: Option<u32>,
}

impl From<&Options> for WireOptions {
    fn from(options: &Options) -> WireOptions {
        WireOptions {
            num_cpus: options.num_cpus,
            num_gpus: options.num_gpus,
            resources: options.resources.clone(),
            name: options.name.clone(),
            bundle_slot: options.bundle_slot(),
            max_restarts: options.max_restarts,
        }
    }
}

impl From<WireOptions> for Options {
    fn from(WireOptions { num_cpus, num_gpus, resources, name, bundle_slot, max_restarts }: WireOptions) -> Options {
        let place = bundle_slot.map_or(Placement::Auto, |slot| Placement::InGroup(slot.into()));
        Options { num_cpus, num_gpus, resources, name, place, max_restarts, ..Options::default() }
    }
}

/// A task, sent to the rank that runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireTask<'a> {
    /// Its id; the owner in it gets the results.
    pub task: TaskId,
    /// The function's key in the table.
    pub function: u64,
    /// The task that submitted it: it determines the order of an actor's calls.
    pub caller: u64,
    /// Its number in traces, 0 where it is not recorded.
    pub number: u64,
    /// The actor, for constructors and methods.
    pub actor: Option<ActorTarget>,
    /// True if the receiver may forward it to a stealer.
    pub stealable: bool,
    /// How often it was forwarded or retried before.
    pub hops: u32,
    /// The resources and options that differ from the default.
    pub options: Option<WireOptions>,
    /// Its arguments.
    #[serde(borrow)]
    pub args: WireValue<'a>,
}

impl WireTask<'_> {
    /// The highest rank that the task names.
    pub fn highest_rank(&self) -> Rank {
        let actor = self.actor.map_or(0, |target| target.actor.owner);
        let bundle_slot = self.options.as_ref().and_then(|options| options.bundle_slot);
        let group = bundle_slot.map_or(0, |bundle_slot| bundle_slot.group.owner);
        self.task.owner.max(actor).max(group).max(self.args.highest_rank())
    }

    /// Its encoded length as part of a message.
    pub fn encoded_bytes(&self) -> usize {
        encoded_bytes(self)
    }
}

/// A `WireTask` in fewer bytes: for a task that its owner sends with default options and no attachments, as most are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactTask<'a> {
    /// Its number at its owner, which is the sender.
    pub task: u64,
    /// As in `WireTask`. A key's bytes are uniformly distributed, so a varint would save nothing.
    #[serde(with = "postcard::fixint::le")]
    pub function: u64,
    /// As in `WireTask`.
    pub caller: u64,
    /// As in `WireTask`.
    pub number: u64,
    /// As in `WireTask`.
    pub actor: Option<ActorTarget>,
    /// Its arguments.
    #[serde(borrow)]
    pub args: Bytes<'a>,
}

impl<'a> CompactTask<'a> {
    /// The short form of `task`, if it has one when `sender` sends it.
    pub fn try_from_task(task: &WireTask<'a>, sender: Rank) -> Option<CompactTask<'a>> {
        let WireTask { task, function, caller, number, actor, stealable, hops, options, args } = task;
        let plain = task.owner == sender && !stealable && *hops == 0 && options.is_none();
        let alone = args.spilled.is_none() && args.attachments.is_empty();
        let (task, function, caller) = (task.number, *function, *caller);
        (plain && alone).then_some(CompactTask {
            task,
            function,
            caller,
            number: *number,
            actor: *actor,
            args: args.bytes,
        })
    }

    /// The full form.
    pub fn expand(self, sender: Rank) -> WireTask<'a> {
        let CompactTask { task, function, caller, number, actor, args } = self;
        let task = TaskId { owner: sender, number: task };
        let args = WireValue { bytes: args, spilled: None, attachments: Vec::new() };
        WireTask { task, function, caller, number, actor, stealable: false, hops: 0, options: None, args }
    }
}

/// A task that was forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedTask {
    /// Its number at its owner.
    pub number: u64,
    /// How often it was forwarded: messages of several ranks about one task may arrive out of order.
    pub hops: u32,
}
