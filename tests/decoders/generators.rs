//! Values of every kind that ranks send each other, for property tests and for the seeds of the fuzzers.

use super::parcel::Nested;
use super::tcp_frame::Whole;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::{Error, ObjectId, Seat, TaskId};
use crate::boot::rendezvous::frame;
use crate::objects::{Array, ArrayMemory, ObjectRef, Value};
use crate::protocol::{About, Bytes, Call, Run, Target, Terms, WireActor, WireCommit, WireFinished, WireParcel};
use crate::protocol::{Evidence, Message, Moved, Question, WireAttachment, WireOptions, WirePlace};
use crate::scheduling::{GroupMessage, Request, Totals};
use crate::store::{CopyMessage, CountMessage, Holders, Source};
use crate::transport::tcp::frame::{Header, Kind, REASON_BYTES_MAX, REQUEST_BYTES};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::result::maybe_ok;
use std::sync::Arc;
use std::time::Duration;

/// Numbers of every length that they can have when written.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}

fn rank() -> impl Strategy<Value = u32> {
    (any::<u32>(), 0_u32..32).prop_map(|(rank, shift)| rank >> shift)
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..12).prop_map(|letters| letters.into_iter().collect())
}

fn object() -> impl Strategy<Value = ObjectId> {
    (rank(), number()).prop_map(|(owner, number)| ObjectId { owner, number })
}

fn task() -> impl Strategy<Value = TaskId> {
    (rank(), number()).prop_map(|(owner, number)| TaskId { owner, number })
}

fn seat() -> impl Strategy<Value = Seat> {
    (object(), option::of(any::<u32>())).prop_map(|(group, bundle)| Seat { group, bundle })
}

fn place() -> impl Strategy<Value = WirePlace> {
    (object(), number(), number()).prop_map(|(block, offset, bytes)| WirePlace { block, offset, bytes })
}

fn source() -> impl Strategy<Value = Source> {
    (object(), number()).prop_map(|(block, offset)| Source { block, offset })
}

fn copy() -> impl Strategy<Value = CopyMessage> {
    let holders = (option::of(number()), vec(rank(), 0..4)).prop_map(|(original, others)| Holders { original, others });
    prop_oneof![
        (source(), number()).prop_map(|(original, bytes)| CopyMessage::Want { original, bytes }),
        object().prop_map(|block| CopyMessage::Share { block }),
        (object(), number(), maybe_ok(source(), error())).prop_map(|(block, bytes, copy)| CopyMessage::Have {
            block,
            bytes,
            copy
        }),
        (object(), number(), vec(rank(), 0..4)).prop_map(|(block, bytes, without)| CopyMessage::Where {
            block,
            bytes,
            without
        }),
        (object(), maybe_ok(holders, error())).prop_map(|(block, holders)| CopyMessage::Holders { block, holders }),
        object().prop_map(|block| CopyMessage::Holds { block }),
        object().prop_map(|block| CopyMessage::Left { block }),
        object().prop_map(|block| CopyMessage::Gone { block }),
    ]
}

fn wire_actor() -> impl Strategy<Value = WireActor> {
    let terms = (any::<u32>(), any::<bool>()).prop_map(|(retries, checkpoint)| Terms { retries, checkpoint });
    (object(), rank(), any::<u32>(), option::of(terms), text())
        .prop_map(|(actor, home, incarnation, terms, label)| WireActor { actor, home, incarnation, terms, label })
}

fn target() -> impl Strategy<Value = Target> {
    (object(), any::<u32>(), number()).prop_map(|(actor, incarnation, heard_below)| Target {
        actor,
        incarnation,
        heard_below,
    })
}

fn finished() -> impl Strategy<Value = WireFinished<'static>> {
    (task(), vec(maybe_ok(wire_parcel(), error()), 0..3)).prop_map(|(call, results)| WireFinished { call, results })
}

fn about() -> impl Strategy<Value = About<'static>> {
    let commit = (any::<u32>(), number(), wire_parcel(), vec(finished(), 0..3), vec((rank(), number()), 0..3))
        .prop_map(|(incarnation, sequence, state, finished, heard)| WireCommit {
            incarnation,
            sequence,
            state,
            finished,
            heard,
        });
    prop_oneof![
        (text(), any::<bool>()).prop_map(|(reason, last)| About::Kill { reason, last }),
        any::<u32>().prop_map(|incarnation| About::Where { incarnation }),
        (any::<u32>(), maybe_ok(rank(), error())).prop_map(|(incarnation, home)| About::Lives { incarnation, home }),
        (any::<u32>(), error()).prop_map(|(incarnation, error)| About::Ended { incarnation, error }),
        commit.prop_map(About::Commit),
        (any::<u32>(), number()).prop_map(|(incarnation, sequence)| About::Kept { incarnation, sequence }),
        vec(finished(), 0..3).prop_map(|calls| About::Finished { calls }),
        number().prop_map(|below| About::Heard { below }),
        text().prop_map(|name| About::Bears { name }),
    ]
}

pub fn attachment() -> impl Strategy<Value = WireAttachment> {
    prop_oneof![
        place().prop_map(WireAttachment::Array),
        object().prop_map(WireAttachment::Reference),
        wire_actor().prop_map(WireAttachment::Actor),
    ]
}

/// Bytes that live as long as the test: messages borrow theirs.
fn bytes() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..40).prop_map(|bytes| &*bytes.leak())
}

fn wire_parcel() -> impl Strategy<Value = WireParcel<'static>> {
    (bytes(), option::of(place()), vec(attachment(), 0..4)).prop_map(|(bytes, spilled, attachments)| WireParcel {
        bytes: Bytes(bytes),
        spilled,
        attachments,
    })
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
        text().prop_map(|message| Error::Config { message }),
        text().prop_map(|message| Error::Fabric { message }),
    ]
}

/// Amounts that are equal to themselves.
fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![any::<u32>().prop_map(f64::from), prop::num::f64::NORMAL]
}

fn options() -> impl Strategy<Value = WireOptions> {
    let resources = vec((text(), amount()), 0..3);
    let numbers = (option::of(any::<u32>()), option::of(seat()));
    (option::of(amount()), option::of(amount()), resources, option::of(text()), numbers).prop_map(
        |(num_cpus, num_gpus, resources, name, (max_restarts, seat))| WireOptions {
            num_cpus,
            num_gpus,
            resources,
            name,
            seat,
            max_restarts,
        },
    )
}

fn run() -> impl Strategy<Value = Run<'static>> {
    let numbers = (any::<u64>(), number(), number(), any::<u32>());
    (task(), numbers, option::of(target()), any::<bool>(), option::of(options()), wire_parcel()).prop_map(
        |(task, (function, caller, number, hops), actor, stealable, options, args)| Run {
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

pub fn count() -> impl Strategy<Value = CountMessage> {
    prop_oneof![
        (object(), rank()).prop_map(|(object, from)| CountMessage::Borrow { object, from }),
        (object(), rank()).prop_map(|(object, by)| CountMessage::Unpin { object, by }),
        (object(), number()).prop_map(|(object, grants)| CountMessage::Release { object, grants }),
        (rank(), number(), any::<bool>()).prop_map(|(gone, round, more)| CountMessage::Mourn { gone, round, more }),
        number().prop_map(|round| CountMessage::Mourned { round }),
        rank().prop_map(|gone| CountMessage::Bereft { gone }),
        rank().prop_map(|gone| CountMessage::Consoled { gone }),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop::sample::select(&[Evidence::Road, Evidence::Process, Evidence::Silence])
}

pub fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        prop::sample::select(&[Question::Available, Question::Errors, Question::Trace, Question::Waits]),
        seat().prop_map(Question::Home),
        number().prop_map(Question::Object),
    ]
}

pub fn group() -> impl Strategy<Value = GroupMessage> {
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

/// Every message; a variant without a generator here is found by a test.
pub fn message() -> impl Strategy<Value = Message<'static>> {
    let plain = prop_oneof![
        (number(), any::<u64>(), number(), number(), option::of(target()), bytes()).prop_map(
            |(task, function, caller, number, actor, args)| {
                Message::Call(Call { task, function, caller, number, actor, args: Bytes(args) })
            }
        ),
        (number(), bytes()).prop_map(|(task, value)| Message::Return { task, value: Bytes(value) }),
    ];
    let work = prop_oneof![
        run().prop_map(Message::Run),
        plain,
        (number(), vec(maybe_ok(wire_parcel(), error()), 0..3))
            .prop_map(|(task, results)| Message::Done { task, results }),
        (number(), option::of(rank())).prop_map(|(object, without)| Message::Fetch { object, without }),
        (object(), maybe_ok(wire_parcel(), error())).prop_map(|(object, value)| Message::Value { object, value }),
        count().prop_map(Message::Count),
        any::<bool>().prop_map(|remember| Message::Steal { remember }),
        (vec(run(), 0..3), any::<u32>(), any::<bool>()).prop_map(|(runs, ahead, answer)| Message::Loot {
            runs,
            ahead,
            answer
        }),
        task().prop_map(|task| Message::Cancel { task }),
        task().prop_map(|task| Message::Over { task }),
        (number(), any::<u32>(), error()).prop_map(|(task, hops, error)| Message::Unbegun { task, hops, error }),
        (vec((number(), any::<u32>()).prop_map(|(number, hops)| Moved { number, hops }), 0..3), rank())
            .prop_map(|(tasks, to)| Message::Moved { tasks, to }),
    ];
    let names = prop_oneof![
        (object(), about()).prop_map(|(actor, about)| Message::Actor { actor, about }),
        copy().prop_map(Message::Copy),
        (number(), text(), text(), attachment()).prop_map(|(token, name, kind, handle)| Message::NameSet {
            token,
            name,
            kind,
            handle
        }),
        (number(), text(), text()).prop_map(|(token, name, kind)| Message::NameGet { token, name, kind }),
        (text(), object()).prop_map(|(name, actor)| Message::NameFree { name, actor }),
        (number(), maybe_ok(option::of(attachment()), text()))
            .prop_map(|(token, handle)| Message::Named { token, handle }),
        (number(), question()).prop_map(|(token, question)| Message::Ask { token, question }),
        (number(), wire_parcel()).prop_map(|(token, answer)| Message::Answer { token, answer }),
        (text(), text()).prop_map(|(task, text)| Message::Line { task, text }),
        error().prop_map(Message::Failed),
    ];
    let ranks = prop_oneof![
        (any::<u8>(), number()).prop_map(|(leg, delivered)| Message::Resume { leg, delivered }),
        bytes().prop_map(|words| Message::Beside { words }),
        (rank(), text()).prop_map(|(rank, reason)| Message::Died { rank, reason }),
        (rank(), text(), evidence()).prop_map(|(rank, reason, evidence)| Message::Suspect { rank, reason, evidence }),
        number().prop_map(|bytes| Message::Shed { bytes }),
        vec(number(), 0..4).prop_map(|blocks| Message::Reclaim { blocks }),
        vec(number(), 0..4).prop_map(|blocks| Message::Keeps { blocks }),
        group().prop_map(Message::Group),
        number().prop_map(|round| Message::Probe { round }),
        number().prop_map(|round| Message::Alive { round }),
        Just(Message::Leave),
        Just(Message::Stop),
    ];
    prop_oneof![work, names, ranks]
}

/// A frame of any kind that may stand in a peer's stream.
pub fn tcp_frame() -> impl Strategy<Value = Whole> {
    let body = |longest| vec(any::<u8>(), 0..=longest);
    let of = |kind, body: Vec<u8>| (Header::new(kind, body.len()), body);
    let frame = prop_oneof![
        body(300).prop_map(move |body| of(Kind::Message, body)),
        body(MESSAGE_BYTES_MAX).prop_map(move |body| of(Kind::Message, body)),
        body(5000).prop_map(move |body| of(Kind::ReadData, body)),
        body(REASON_BYTES_MAX).prop_map(move |body| of(Kind::ReadRefused, body)),
        vec(any::<u8>(), REQUEST_BYTES).prop_map(move |body| of(Kind::ReadRequest, body)),
        prop::sample::select(&[Kind::Credit, Kind::Goodbye, Kind::Welcome, Kind::Yield])
            .prop_map(move |kind| of(kind, Vec::new())),
    ];
    (frame, any::<u32>(), any::<u32>(), any::<u16>())
        .prop_map(|((header, body), credit, slot, region)| (Header { credit, slot, region, ..header }, body))
}

/// A card that a rank may show.
pub fn card() -> impl Strategy<Value = frame::Card> {
    (any::<u32>(), any::<u32>(), "[a-z0-9.-]{0,64}").prop_map(|(size, pid, host)| frame::Card { size, pid, host })
}

/// What ranks give to an allgather.
pub fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..30), 0..8)
}

/// A frame of any kind between a rank and rank 0.
pub fn rendezvous_frame() -> impl Strategy<Value = frame::Frame> {
    use frame::Kind::{Barrier, Card, Failed, Gather, Met, Taken};
    let payload = prop_oneof![
        card().prop_map(|card| (Card, card.encode())),
        parts().prop_map(|parts| (Gather, frame::join(&parts))),
        vec(any::<u8>(), 0..3000).prop_map(|bytes| (Gather, bytes)),
        text().prop_map(|why| (Failed, why.into_bytes())),
        prop::sample::select(&[Taken, Met, Barrier]).prop_map(|kind| (kind, Vec::new())),
    ];
    (payload, any::<u32>()).prop_map(|((kind, payload), round)| frame::Frame { kind, round, payload })
}

fn array<T: bytemuck::Pod>(length: usize) -> Array<T> {
    let memory: Arc<dyn ArrayMemory> = Arc::new(super::parcel::Bytes([3; 64], 64));
    Array::over(memory, length).expect("it fits")
}

/// A value that holds references and arrays at several depths. The attachments lie as the target has them: of each that the
/// first four are, it knows the kind.
pub fn nested() -> impl Strategy<Value = Nested> {
    let shape = (text(), option::of(0..=16_usize), option::of(number()), option::of(0..=2_usize), option::of(number()));
    let leaf = shape.prop_map(|(name, array_length, reference, blocks, of_references)| Nested {
        name,
        array: array_length.map(array),
        reference: reference.map(|value| ObjectRef::new(Value::ready(value))),
        inside: Vec::new(),
        by_number: blocks.map(|length| (7, array(length))).into_iter().collect(),
        of_references: of_references
            .map(|value| ObjectRef::new(Value::ready(vec![ObjectRef::new(Value::ready(value))]))),
    });
    let leaf = leaf.boxed();
    (leaf.clone(), vec(leaf, 0..3)).prop_map(|(outer, inside)| Nested { inside, ..outer })
}

/// Names and amounts, no name twice, sorted.
fn amounts() -> impl Strategy<Value = Vec<(String, i64)>> {
    proptest::collection::btree_map("[a-z]{1,6}", 0_i64..1 << 40, 0..4)
        .prop_map(|amounts| amounts.into_iter().collect())
}

/// What a host has.
pub fn totals() -> impl Strategy<Value = Totals> {
    (0_i64..1 << 40, 0_i64..64, amounts()).prop_map(|(cpu, gpu, custom)| Totals {
        cpu,
        gpu: gpu * crate::scheduling::UNIT,
        custom,
    })
}

/// What a task asks for.
pub fn request() -> impl Strategy<Value = Request> {
    let of_bundle = option::of((seat(), 0_i64..1 << 40));
    (0_i64..1 << 40, 0_i64..64 * crate::scheduling::UNIT, amounts(), of_bundle)
        .prop_map(|(cpu, gpu, custom, seat)| Request { cpu, gpu, custom, seat })
}
