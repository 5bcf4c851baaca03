//! Values of every kind that ranks send each other, for property tests and for the seeds of the fuzzers.

use crate::base::error::ErrorSource;
use crate::base::{BundleSlot, Error, ObjectId, TaskId};
use crate::protocol::{
    ActorMessage, ActorTarget, BegunWork, BlockAddress, Bytes, CarriedArray, CarriedValue, CompactTask, FailureKind,
    FinishedCall, InfoRequest, LastWork, Message, MovedTask, NameError, RestartPolicy, WireActor, WireAttachment,
    WireCommit, WireOptions, WireTask, WireValue, WorkId,
};
use crate::rpc::{ShortCall, ShortReturn, ShortTarget};
use crate::scheduling::{GroupMessage, ResourceRequest, Totals};
use crate::store::{CopyMessage, CopySource, CountMessage, Holders};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::result::maybe_ok;
use std::time::Duration;

/// Numbers of every encoded length.
pub fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}

fn rank() -> impl Strategy<Value = u32> {
    (any::<u32>(), 0_u32..32).prop_map(|(rank, shift)| rank >> shift)
}

pub fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..12).prop_map(|letters| letters.into_iter().collect())
}

/// Why an error came about, if that is known.
fn source() -> impl Strategy<Value = Option<ErrorSource>> {
    option::of(vec(text(), 1..4).prop_map(ErrorSource::from))
}

fn short_target() -> impl Strategy<Value = ShortTarget> {
    (object(), number()).prop_map(|(actor, caller)| ShortTarget { actor, caller })
}

fn object() -> impl Strategy<Value = ObjectId> {
    (rank(), number()).prop_map(|(owner, number)| ObjectId { owner, number })
}

fn task() -> impl Strategy<Value = TaskId> {
    (rank(), number()).prop_map(|(owner, number)| TaskId { owner, number })
}

fn bundle_slot() -> impl Strategy<Value = BundleSlot> {
    (object(), option::of(any::<u32>())).prop_map(|(group, bundle)| BundleSlot { group, bundle })
}

fn block_address() -> impl Strategy<Value = BlockAddress> {
    (object(), number(), number()).prop_map(|(block, offset, bytes)| BlockAddress { block, offset, bytes })
}

fn copy_source() -> impl Strategy<Value = CopySource> {
    (object(), number()).prop_map(|(block, offset)| CopySource { block, offset })
}

fn copy_message() -> impl Strategy<Value = CopyMessage> {
    let holders = (option::of(number()), vec(rank(), 0..4)).prop_map(|(original, others)| Holders { original, others });
    prop_oneof![
        (copy_source(), number()).prop_map(|(original, bytes)| CopyMessage::Request { original, bytes }),
        object().prop_map(|block| CopyMessage::ShareRequest { block }),
        (object(), number(), maybe_ok(copy_source(), error()))
            .prop_map(|(block, bytes, copy)| CopyMessage::CopyReply { block, bytes, copy }),
        (object(), number(), vec(rank(), 0..4)).prop_map(|(block, bytes, excluded)| CopyMessage::Locate {
            block,
            bytes,
            excluded
        }),
        (object(), maybe_ok(holders, error())).prop_map(|(block, holders)| CopyMessage::Holders { block, holders }),
        object().prop_map(|block| CopyMessage::CopyComplete { block }),
        object().prop_map(|block| CopyMessage::CopyDropped { block }),
        object().prop_map(|block| CopyMessage::Freed { block }),
    ]
}

fn wire_actor() -> impl Strategy<Value = WireActor> {
    let restart_policy =
        (any::<u32>(), any::<bool>()).prop_map(|(retries, checkpoint)| RestartPolicy { retries, checkpoint });
    (object(), rank(), any::<u32>(), option::of(restart_policy), text()).prop_map(
        |(actor, location, incarnation, restart_policy, label)| WireActor {
            actor,
            location,
            incarnation,
            restart_policy,
            label,
        },
    )
}

fn actor_target() -> impl Strategy<Value = ActorTarget> {
    (object(), any::<u32>(), number()).prop_map(|(actor, incarnation, acked_below)| ActorTarget {
        actor,
        incarnation,
        acked_below,
    })
}

fn finished_call() -> impl Strategy<Value = FinishedCall<'static>> {
    (task(), vec(maybe_ok(wire_value(), error()), 0..3)).prop_map(|(call, results)| FinishedCall { call, results })
}

fn actor_message() -> impl Strategy<Value = ActorMessage<'static>> {
    let commit = (any::<u32>(), number(), wire_value(), vec(finished_call(), 0..3), vec((rank(), number()), 0..3))
        .prop_map(|(incarnation, sequence, state, finished, acked)| WireCommit {
            incarnation,
            sequence,
            state,
            finished,
            acked,
        });
    prop_oneof![
        (text(), any::<bool>()).prop_map(|(reason, forget)| ActorMessage::Kill { reason, forget }),
        any::<u32>().prop_map(|incarnation| ActorMessage::LocationRequest { incarnation }),
        (any::<u32>(), maybe_ok(rank(), error()))
            .prop_map(|(incarnation, location)| ActorMessage::LocationReply { incarnation, location }),
        (any::<u32>(), error()).prop_map(|(incarnation, error)| ActorMessage::Ended { incarnation, error }),
        commit.prop_map(ActorMessage::Commit),
        (any::<u32>(), number()).prop_map(|(incarnation, sequence)| ActorMessage::CommitAck { incarnation, sequence }),
        vec(finished_call(), 0..3).prop_map(|calls| ActorMessage::FinishedCalls { calls }),
        number().prop_map(|acked_below| ActorMessage::ResultsAck { acked_below }),
        text().prop_map(|name| ActorMessage::VerifyName { name }),
    ]
}

pub fn attachment() -> impl Strategy<Value = WireAttachment> {
    prop_oneof![
        block_address().prop_map(WireAttachment::Array),
        object().prop_map(WireAttachment::Reference),
        (object(), vec(any::<u8>(), 0..40), vec(carried_array(), 0..3))
            .prop_map(|(object, bytes, arrays)| WireAttachment::Carried(object, CarriedValue { bytes, arrays })),
        wire_actor().prop_map(WireAttachment::Actor),
    ]
}

fn carried_array() -> impl Strategy<Value = CarriedArray> {
    prop_oneof![vec(any::<u8>(), 0..40).prop_map(CarriedArray::Bytes), block_address().prop_map(CarriedArray::Block),]
}

/// Bytes that live as long as the test, because a message borrows its bytes.
fn bytes() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..40).prop_map(|bytes| &*bytes.leak())
}

fn wire_value() -> impl Strategy<Value = WireValue<'static>> {
    (bytes(), option::of(block_address()), vec(attachment(), 0..4))
        .prop_map(|(bytes, spilled, attachments)| WireValue { bytes: Bytes(bytes), spilled, attachments })
}

pub fn error() -> impl Strategy<Value = Error> {
    prop_oneof![
        (text(), rank(), text(), any::<u32>(), text()).prop_map(|(task, rank, host, pid, message)| Error::Task {
            task,
            rank,
            host,
            pid,
            message
        }),
        (number(), 0_u32..1_000_000_000, text())
            .prop_map(|(seconds, nanos, what)| Error::Timeout { waited: Duration::new(seconds, nanos), what }),
        text().prop_map(|task| Error::Cancelled { task }),
        (text(), text()).prop_map(|(actor, reason)| Error::ActorDied { actor, reason }),
        (rank(), text(), text()).prop_map(|(rank, host, reason)| Error::NodeDied { rank, host, reason }),
        (text(), text()).prop_map(|(object, reason)| Error::ObjectLost { object, reason }),
        (number(), number(), number(), rank(), vec(text(), 0..3)).prop_map(
            |(wanted_bytes, used_bytes, store_bytes, rank, holders)| Error::StoreFull {
                wanted_bytes,
                used_bytes,
                store_bytes,
                rank,
                holders
            }
        ),
        (text(), number(), number(), number()).prop_map(|(task, limit_bytes, used_bytes, wanted_bytes)| {
            Error::MemoryLimit { task, limit_bytes, used_bytes, wanted_bytes }
        }),
        (text(), text()).prop_map(|(task, missing)| Error::Unschedulable { task, missing }),
        (text(), source()).prop_map(|(message, source)| Error::Config { message, source }),
        (text(), source()).prop_map(|(message, source)| Error::Fabric { message, source }),
        (text(), text()).prop_map(|(function, mismatch)| Error::Type { function, mismatch }),
    ]
}

/// Amounts that are equal to themselves: no NaN.
fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![any::<u32>().prop_map(f64::from), prop::num::f64::NORMAL]
}

fn options() -> impl Strategy<Value = WireOptions> {
    let resources = vec((text(), amount()), 0..3);
    let numbers = (option::of(any::<u32>()), option::of(bundle_slot()));
    (option::of(amount()), option::of(amount()), resources, option::of(text()), numbers).prop_map(
        |(num_cpus, num_gpus, resources, name, (max_restarts, bundle_slot))| WireOptions {
            num_cpus,
            num_gpus,
            resources,
            name,
            bundle_slot,
            max_restarts,
        },
    )
}

fn wire_task() -> impl Strategy<Value = WireTask<'static>> {
    let numbers = (any::<u64>(), number(), number(), any::<u32>());
    (task(), numbers, option::of(actor_target()), any::<bool>(), option::of(options()), wire_value()).prop_map(
        |(task, (function, caller, number, hops), actor, stealable, options, args)| WireTask {
            task,
            function,
            caller,
            number,
            actor,
            stealable,
            hops,
            options,
            args,
        },
    )
}

pub fn count_message() -> impl Strategy<Value = CountMessage> {
    prop_oneof![
        (object(), rank()).prop_map(|(object, from)| CountMessage::Borrow { object, from }),
        (object(), rank()).prop_map(|(object, by)| CountMessage::Unpin { object, by }),
        (object(), number()).prop_map(|(object, grants)| CountMessage::Release { object, grants }),
        (rank(), number(), any::<bool>()).prop_map(|(dead, round, more)| CountMessage::DrainRequest {
            dead,
            round,
            more
        }),
        number().prop_map(|round| CountMessage::DrainAck { round }),
        rank().prop_map(|dead| CountMessage::BorrowerLost { dead }),
        rank().prop_map(|dead| CountMessage::DrainDone { dead }),
    ]
}

fn failure_kind() -> impl Strategy<Value = FailureKind> {
    prop::sample::select(&[FailureKind::Link, FailureKind::Process, FailureKind::Timeout])
}

fn last_work() -> impl Strategy<Value = LastWork> {
    let id = prop_oneof![task().prop_map(WorkId::Task), object().prop_map(WorkId::Actor)];
    let work = (option::of(id), number()).prop_map(|(id, function)| BegunWork { id, function });
    let known = (vec(work, 0..4), any::<bool>(), any::<bool>());
    let known =
        known.prop_map(|(begun, is_witnessed, is_complete)| LastWork::Known { begun, is_witnessed, is_complete });
    prop_oneof![Just(LastWork::Uninvolved), Just(LastWork::Unknown), known]
}

pub fn info_request() -> impl Strategy<Value = InfoRequest> {
    prop_oneof![
        prop::sample::select(&[InfoRequest::Available, InfoRequest::Errors, InfoRequest::Trace, InfoRequest::Waiters]),
        Just(InfoRequest::ErrorCount),
        bundle_slot().prop_map(InfoRequest::Location),
        number().prop_map(InfoRequest::Object),
    ]
}

pub fn group_message() -> impl Strategy<Value = GroupMessage> {
    let bundles = vec((any::<u32>(), request()), 0..3);
    prop_oneof![
        (number(), any::<u32>(), bundles).prop_map(|(group, attempt, bundles)| GroupMessage::Reserve {
            group,
            attempt,
            bundles
        }),
        (number(), any::<u32>(), any::<bool>(), totals())
            .prop_map(|(group, attempt, granted, free)| { GroupMessage::Reserved { group, attempt, granted, free } }),
        (number(), any::<u32>()).prop_map(|(group, attempt)| GroupMessage::Commit { group, attempt }),
        (number(), option::of(any::<u32>())).prop_map(|(group, attempt)| GroupMessage::Release { group, attempt }),
        number().prop_map(|group| GroupMessage::Remove { group }),
    ]
}

/// Every message. A test finds the variants that have no generator here.
pub fn message() -> impl Strategy<Value = Message<'static>> {
    let plain = prop_oneof![
        (number(), any::<u64>(), number(), number(), option::of(actor_target()), bytes()).prop_map(
            |(task, function, caller, number, actor, args)| {
                Message::CompactTask(CompactTask { task, function, caller, number, actor, args: Bytes(args) })
            }
        ),
        (number(), bytes()).prop_map(|(task, value)| Message::Return { task, value: Bytes(value) }),
        ([number(), number(), number()], option::of(short_target()), bytes())
            .prop_map(|([number, function, recorded], target, args)| {
                ShortCall { number, function, recorded, target, args }
            })
            .prop_map(Message::ShortCall),
        (any::<u64>(), bytes()).prop_map(|(number, value)| Message::ShortReturn(ShortReturn { number, value })),
    ];
    let work = prop_oneof![
        wire_task().prop_map(Message::Task),
        plain,
        (number(), vec(maybe_ok(wire_value(), error()), 0..3))
            .prop_map(|(task, results)| Message::Done { task, results }),
        (number(), option::of(rank())).prop_map(|(object, without)| Message::Fetch { object, without }),
        (object(), maybe_ok(wire_value(), error())).prop_map(|(object, value)| Message::Value { object, value }),
        count_message().prop_map(Message::Count),
        any::<bool>().prop_map(|remember| Message::Steal { remember }),
        (vec(wire_task(), 0..3), any::<u32>(), any::<bool>())
            .prop_map(|(tasks, sent_ahead, is_response)| Message::StealReply { tasks, sent_ahead, is_response }),
        task().prop_map(|task| Message::Cancel { task }),
        task().prop_map(|task| Message::TaskFinished { task }),
        (number(), any::<u32>(), error()).prop_map(|(task, hops, error)| Message::TaskNotStarted { task, hops, error }),
        (vec((number(), any::<u32>()).prop_map(|(number, hops)| MovedTask { number, hops }), 0..3), rank())
            .prop_map(|(tasks, to)| Message::TasksMoved { tasks, to }),
    ];
    let names = prop_oneof![
        (object(), actor_message()).prop_map(|(actor, message)| Message::Actor { actor, message }),
        copy_message().prop_map(Message::Copy),
        (number(), any::<bool>(), bytes()).prop_map(|(number, is_last, bytes)| Message::Fragment {
            number,
            is_last,
            bytes: Bytes(bytes)
        }),
        (number(), text(), text(), attachment()).prop_map(|(token, name, kind, handle)| Message::NameSet {
            token,
            name,
            kind,
            handle
        }),
        (number(), text(), text()).prop_map(|(token, name, kind)| Message::NameGet { token, name, kind }),
        (text(), object()).prop_map(|(name, actor)| Message::NameFree { name, actor }),
        (number(), maybe_ok(option::of(attachment()), name_error()))
            .prop_map(|(token, handle)| Message::NameReply { token, handle }),
        (number(), info_request()).prop_map(|(token, request)| Message::Request { token, request }),
        (number(), wire_value()).prop_map(|(token, response)| Message::Response { token, response }),
        (text(), text(), any::<bool>()).prop_map(|(task, text, is_overprinted)| Message::Line {
            task,
            text,
            is_overprinted
        }),
        error().prop_map(Message::Failed),
    ];
    let ranks = prop_oneof![
        (any::<u8>(), number()).prop_map(|(transport_index, delivered)| Message::Resume { transport_index, delivered }),
        bytes().prop_map(|bytes| Message::Control { bytes }),
        (rank(), text(), last_work()).prop_map(|(rank, reason, last_work)| Message::Died { rank, reason, last_work }),
        (rank(), text(), failure_kind(), last_work()).prop_map(|(rank, reason, kind, last_work)| Message::Suspect {
            rank,
            reason,
            kind,
            last_work
        }),
        number().prop_map(|bytes| Message::EvictRequest { bytes }),
        vec(number(), 0..4).prop_map(|blocks| Message::Reclaim { blocks }),
        vec(number(), 0..4).prop_map(|blocks| Message::ReclaimRefused { blocks }),
        group_message().prop_map(Message::Group),
        number().prop_map(|round| Message::Probe { round }),
        number().prop_map(|round| Message::Alive { round }),
        Just(Message::ShutdownReady),
        Just(Message::Shutdown),
    ];
    prop_oneof![work, names, ranks]
}

/// Names and amounts, sorted; no name occurs twice.
fn name_error() -> impl Strategy<Value = NameError> {
    prop_oneof![
        text().prop_map(|name| NameError::Taken { name }),
        text().prop_map(|name| NameError::Unknown { name }),
        (text(), text(), text()).prop_map(|(name, actual, requested)| NameError::OtherType { name, actual, requested }),
        Just(NameError::NoHandle),
        error().prop_map(NameError::Failed),
    ]
}

fn amounts() -> impl Strategy<Value = Vec<(String, i64)>> {
    proptest::collection::btree_map("[a-z]{1,6}", 0_i64..1 << 40, 0..4)
        .prop_map(|amounts| amounts.into_iter().collect())
}

pub fn totals() -> impl Strategy<Value = Totals> {
    (0_i64..1 << 40, 0_i64..64, amounts()).prop_map(|(cpu, gpu, custom)| Totals {
        cpu,
        gpu: gpu * crate::scheduling::UNIT,
        custom,
    })
}

pub fn request() -> impl Strategy<Value = ResourceRequest> {
    let of_bundle = option::of((bundle_slot(), 0_i64..1 << 40));
    (0_i64..1 << 40, 0_i64..64 * crate::scheduling::UNIT, amounts(), of_bundle)
        .prop_map(|(cpu, gpu, custom, bundle)| ResourceRequest { cpu, gpu, custom, bundle })
}
