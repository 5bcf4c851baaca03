use super::{export_carried, import_carried};
use crate::base::arc_pool::Recycle;
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{AnySlot, Attachment, ObjectRef, PromiseCore, SerializedValue, StoreRun, Value, decode, encode};
use crate::protocol::environment::{BlockStore, Environment};
use crate::protocol::objects::value_encoding::{decode_value, encode_value};
use crate::protocol::tests::{MockEnvironment, encoded, wire_value};
use crate::protocol::{BlockAddress, CarriedArray, CarriedValue, Message, WireAttachment};
use crate::store::CountMessage;
use std::any::Any;
use std::sync::Arc;

/// An object of rank 0.
const OBJECT: ObjectId = ObjectId { owner: 0, number: 4 };

/// The attachment of a reference in a message to `to`.
fn sent(env: &MockEnvironment, reference: &ObjectRef<u64>, to: Rank) -> WireAttachment {
    let serialized = encode(reference).expect("a reference encodes");
    encode_value(env, &serialized, to, 1_000).expect("it is small").attachments.remove(0)
}

/// A reference in a message of `from`, decoded.
fn received(env: &MockEnvironment, attachment: WireAttachment, from: Rank) -> ObjectRef<u64> {
    let bytes = encode(&0u32).expect("an index encodes").bytes;
    let wire = wire_value(&bytes, vec![attachment]);
    let serialized = decode_value(env, &wire, from, &Default::default()).expect("nothing is missing").into_serialized();
    decode(&serialized.bytes, serialized.attachments).expect("it is a reference")
}

fn release(object: ObjectId, grants: u64) -> (Rank, Message<'static>) {
    (object.owner, Message::Count(CountMessage::Release { object, grants }))
}

fn carried(object: ObjectId, value: u64, arrays: Vec<CarriedArray>) -> WireAttachment {
    WireAttachment::Carried(object, CarriedValue { bytes: encoded(value), arrays })
}

/// Of an array that does not travel as bytes.
const LONG: usize = 4 << 10;

/// A complete object whose value names these arrays.
struct WithArrays(Arc<Value<u64>>, Vec<Attachment>);

impl Recycle for WithArrays {}

impl AnySlot for WithArrays {
    fn core(&self) -> &PromiseCore {
        self.0.core()
    }
    fn downcast(self: Arc<Self>, _: &mut dyn Any) {}
    fn encode(&self, _: Option<StoreRun>) -> Result<SerializedValue, Error> {
        Ok(SerializedValue { bytes: encoded(1), attachments: self.1.clone() })
    }
    fn encode_carried(&self) -> Option<SerializedValue> {
        self.encode(None).ok()
    }
    fn complete_with(&self, _: &[u8], _: Vec<Attachment>) {}
}

#[test]
fn value_travels_with_the_first_reference_that_a_rank_gets() {
    let env = MockEnvironment::new(0);
    let pending = Value::<u64>::pending();
    let reference = ObjectRef::new(Value::ready(7u64));
    let WireAttachment::Carried(object, value) = sent(&env, &reference, 1) else { panic!("it is small") };
    assert_eq!(value, CarriedValue { bytes: encoded(7), arrays: Vec::new() });
    assert_eq!(sent(&env, &reference, 1), WireAttachment::Reference(object), "rank 1 has it");
    assert!(matches!(sent(&env, &reference, 2), WireAttachment::Carried(..)), "rank 2 does not, on another host");
    env.receive(1, &release(object, 2).1);
    assert!(matches!(sent(&env, &reference, 1), WireAttachment::Carried(..)), "rank 1 has dropped it");
    assert!(matches!(sent(&env, &ObjectRef::new(pending), 1), WireAttachment::Reference(_)), "there is no value yet");
    env.kill_unnoticed(3);
    assert!(matches!(sent(&env, &reference, 3), WireAttachment::Reference(_)), "it is dead: nothing is counted");
}

#[test]
fn values_take_no_more_space_than_there_is() {
    let env = MockEnvironment::new(0);
    let text = ObjectRef::new(Value::ready("x".repeat(1_500)));
    let references = vec![text.clone(), ObjectRef::new(Value::ready("x".repeat(1_500))), text];
    let serialized = encode(&references).expect("references encode");
    let kinds = |to: Rank| {
        let sent = encode_value(&env, &serialized, to, 2_000).expect("there is space");
        let is_carried = |attachment: &WireAttachment| matches!(attachment, WireAttachment::Carried(..));
        (sent.spilled.is_some(), sent.attachments.iter().map(is_carried).collect::<Vec<_>>())
    };
    assert_eq!(kinds(2), (false, vec![true, false, false]), "rank 2 would have to fetch a block");
    assert_eq!(kinds(1), (true, vec![]), "rank 1 reads the block in place");
    let long = ObjectRef::new(Value::ready("x".repeat(3_000)));
    let serialized = encode(&long).expect("a reference encodes");
    let sent = encode_value(&env, &serialized, 1, 10_000).expect("it is small");
    assert!(matches!(sent.attachments[..], [WireAttachment::Reference(_)]));
}

#[test]
fn received_value_is_there_without_a_question() {
    let env = MockEnvironment::new(1);
    let reference = received(&env, carried(OBJECT, 7, Vec::new()), 0);
    assert!(reference.ready().is_some_and(|value| value.is_ok_and(|value| *value == 7)));
    reference.any().request();
    let again = received(&env, WireAttachment::Reference(OBJECT), 0);
    assert_eq!(again.any().address(), reference.any().address(), "one slot represents it");
    assert_eq!(env.sent(), []);
    drop((reference, again));
    assert_eq!((env.sent(), env.protocol().table_sizes()), (vec![release(OBJECT, 2)], Vec::new()));
}

#[test]
fn value_that_does_not_decode_is_an_error_of_its_object() {
    let env = MockEnvironment::new(1);
    let value = CarriedValue { bytes: vec![255; 5], arrays: Vec::new() };
    let reference = received(&env, WireAttachment::Carried(OBJECT, value), 0);
    assert!(reference.any().core().failure().is_some());
}

#[test]
fn arrays_of_a_value_are_counted_on_both_sides() {
    let (owner, reader) = (MockEnvironment::new(0), MockEnvironment::new(1));
    let array = Attachment::Array(owner.store_block(&[0; LONG]).expect("there is space"));
    let slot = WithArrays(Value::ready(1u64), vec![array]);
    let value = export_carried(&owner, &slot, 1, &mut 1_000).expect("both ranks map the array's store");
    let [CarriedArray::Block(BlockAddress { block, .. })] = value.arrays[..] else { panic!("{value:?}") };
    drop(slot);
    assert!(owner.protocol().objects.references.own_memory(block.number).is_some(), "rank 1 reads it");
    let received = import_carried(&reader, &value, 0).expect("its store is mapped");
    assert_eq!((received.bytes, received.attachments.len(), reader.sent()), (encoded(1), 1, Vec::new()));
    drop(received.attachments);
    assert_eq!(reader.sent(), [release(block, 1)]);
    owner.receive(1, &release(block, 1).1);
    assert_eq!((owner.protocol().table_sizes(), reader.protocol().table_sizes()), (Vec::new(), Vec::new()));
}

#[test]
fn short_array_travels_as_bytes_to_every_host_and_counts_nothing() {
    let (owner, reader) = (MockEnvironment::new(0), MockEnvironment::new(2));
    let array = Attachment::Array(owner.store_block(&[7; 1024]).expect("there is space"));
    let slot = WithArrays(Value::ready(1u64), vec![array.clone()]);
    let value = export_carried(&owner, &slot, 2, &mut 2_000).expect("it is short");
    assert_eq!(value.arrays, [CarriedArray::Bytes(vec![7; 1024])]);
    assert_eq!((export_carried(&owner, &slot, 2, &mut 1_000), owner.protocol().table_sizes()), (None, Vec::new()));
    let received = import_carried(&reader, &value, 0).expect("there is space");
    let [Attachment::Array(memory)] = &received.attachments[..] else { panic!("it has one array") };
    assert_eq!((memory.bytes(), reader.sent(), reader.protocol().table_sizes()), (&[7; 1024][..], vec![], vec![]));
    let three = WithArrays(Value::ready(1u64), vec![array; 3]);
    assert_eq!(export_carried(&owner, &three, 2, &mut 9_000), None, "together they are long");
}

#[test]
fn array_that_the_receiver_cannot_map_does_not_travel_and_is_not_counted() {
    let env = MockEnvironment::new(0);
    let own = Attachment::Array(env.store_block(&[0; LONG]).expect("there is space"));
    let reference = Attachment::Slot(Value::ready(1u64));
    let slot = |attachments| WithArrays(Value::ready(1u64), attachments);
    assert_eq!(export_carried(&env, &slot(vec![own.clone()]), 2, &mut 1_000), None, "rank 2 is on another host");
    assert_eq!(export_carried(&env, &slot(vec![own.clone(), reference]), 1, &mut 1_000), None, "it names an object");
    assert_eq!(export_carried(&env, &slot(vec![own]), 1, &mut 30), None, "there is no space");
    assert_eq!(env.protocol().table_sizes(), Vec::new());
    // A peer that sends such a value gets its grants back, and is asked for the value.
    let far = BlockAddress { block: ObjectId { owner: 2, number: 9 }, offset: 0, bytes: 64 };
    let arrays = vec![CarriedArray::Block(far)];
    let reference = received(&env, carried(ObjectId { owner: 2, number: 5 }, 7, arrays), 2);
    assert!(!reference.is_ready());
    assert_eq!(env.sent(), [release(far.block, 1)]);
}

#[test]
fn value_that_nothing_decodes_returns_its_grants() {
    let env = MockEnvironment::new(1);
    let block = BlockAddress { block: ObjectId { owner: 0, number: 9 }, offset: 0, bytes: 64 };
    let value = wire_value(&[], vec![carried(OBJECT, 7, vec![CarriedArray::Block(block)])]);
    let received = decode_value(&env, &value, 0, &Default::default()).expect("nothing is missing");
    assert_eq!(env.sent(), []);
    drop(received);
    let mut sent = env.sent();
    sent.sort_by_key(|(_, message)| format!("{message:?}"));
    assert_eq!((sent, env.protocol().table_sizes()), (vec![release(OBJECT, 1), release(block.block, 1)], Vec::new()));
}

#[test]
fn value_that_comes_with_one_of_this_rank_s_objects_is_dropped() {
    let env = MockEnvironment::new(0);
    let reference = ObjectRef::new(Value::ready(7u64));
    let WireAttachment::Carried(object, _) = sent(&env, &reference, 1) else { panic!("it is small") };
    let own = received(&env, carried(object, 8, Vec::new()), 1);
    assert_eq!(own.any().address(), reference.any().address());
    assert!(own.ready().is_some_and(|value| value.is_ok_and(|value| *value == 7)));
}
