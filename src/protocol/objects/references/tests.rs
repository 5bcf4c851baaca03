use super::{ExportPin, References};
use crate::base::{ObjectId, Rank};
use crate::objects::{ObjectRef, Value, decode, encode};
use crate::protocol::objects::value_encoding::{decode_value, encode_value};
use crate::protocol::tests::{MockEnvironment, wire_value};
use crate::protocol::{BlockAddress, BlockStore, Environment, Liveness, Message, WireAttachment};
use crate::store::CountMessage;
use std::sync::Arc;

/// An object of rank 0.
const OBJECT: ObjectId = ObjectId { owner: 0, number: 4 };

fn references(env: &MockEnvironment) -> &References {
    &env.protocol().objects.references
}

fn count(message: CountMessage) -> Message<'static> {
    Message::Count(message)
}

fn release(object: ObjectId, grants: u64) -> Message<'static> {
    count(CountMessage::Release { object, grants })
}

fn borrow(object: ObjectId, from: Rank) -> Message<'static> {
    count(CountMessage::Borrow { object, from })
}

fn unpin(object: ObjectId, by: Rank) -> Message<'static> {
    count(CountMessage::Unpin { object, by })
}

/// A reference to `object` in a message of `from`, decoded.
fn receive(env: &MockEnvironment, object: ObjectId, from: Rank) -> ObjectRef<u64> {
    // A reference is the index of its attachment.
    let bytes = encode(&ObjectRef::new(Value::ready(1u64))).expect("a reference encodes").bytes;
    let wire = wire_value(&bytes, vec![WireAttachment::Reference(object)]);
    let serialized = decode_value(env, &wire, from, &Default::default()).expect("nothing is missing").into_serialized();
    decode(&serialized.bytes, serialized.attachments).expect("it is a reference")
}

/// Sends the reference to `to`; returns the object's id.
fn send(env: &MockEnvironment, reference: &ObjectRef<u64>, to: Rank) -> ObjectId {
    let serialized = encode(reference).expect("a reference encodes");
    match encode_value(env, &serialized, to, 1_000).expect("it is small").attachments[..] {
        [WireAttachment::Reference(id) | WireAttachment::Carried(id, _)] => id,
        ref other => panic!("no reference: {other:?}"),
    }
}

fn own(value: u64) -> ObjectRef<u64> {
    ObjectRef::new(Value::ready(value))
}

fn is_held_elsewhere(env: &MockEnvironment, id: ObjectId) -> bool {
    references(env).own_slot(id.number).is_some()
}

#[test]
fn object_is_kept_until_every_grant_is_released() {
    let env = MockEnvironment::new(0);
    let object = send(&env, &own(1), 1);
    assert!(is_held_elsewhere(&env, object));
    env.receive(2, &release(object, 1));
    assert!(is_held_elsewhere(&env, object), "of a rank that has no grant");
    env.receive(2, &borrow(object, 1));
    assert_eq!(env.sent(), [(1, unpin(object, 2))], "the Release of rank 2 overtook its Borrow");
    env.receive(1, &release(object, 1));
    assert!(!is_held_elsewhere(&env, object));
    env.receive(1, &release(object, 1));
    assert_eq!((env.sent(), env.protocol().table_sizes()), (Vec::new(), Vec::new()), "the same again");
}

#[test]
fn object_that_is_sent_again_keeps_its_number_and_counts_again() {
    let env = MockEnvironment::new(0);
    let reference = own(1);
    let object = send(&env, &reference, 1);
    assert_eq!(send(&env, &reference, 1), object);
    env.receive(1, &release(object, 1));
    assert!(is_held_elsewhere(&env, object));
    env.receive(1, &release(object, 1));
    assert!(!is_held_elsewhere(&env, object));
}

#[test]
fn borrow_of_another_rank_s_object_is_ignored() {
    let env = MockEnvironment::new(1);
    env.receive(2, &borrow(OBJECT, 3));
    env.receive(2, &unpin(OBJECT, 3));
    env.receive(2, &release(OBJECT, 1));
    assert_eq!((env.sent(), env.protocol().table_sizes()), (Vec::new(), Vec::new()));
}

#[test]
fn all_grants_of_a_received_object_return_in_one_message() {
    let env = MockEnvironment::new(1);
    let first = receive(&env, OBJECT, 0);
    let second = receive(&env, OBJECT, 0);
    assert_eq!(first.any().address(), second.any().address(), "one slot represents it");
    drop(first);
    assert_eq!(env.sent(), []);
    drop(second);
    assert_eq!((env.sent(), env.protocol().table_sizes()), (vec![(0, release(OBJECT, 2))], Vec::new()));
}

#[test]
fn reference_of_a_third_rank_is_reported_to_the_owner() {
    let env = MockEnvironment::new(1);
    let reference = receive(&env, OBJECT, 2);
    assert_eq!(env.sent(), [(0, borrow(OBJECT, 2))]);
    drop(reference);
    assert_eq!(env.sent(), [(0, release(OBJECT, 1))]);
}

#[test]
fn reference_that_is_not_decoded_returns_its_grant() {
    let env = MockEnvironment::new(1);
    let wire = wire_value(&[], vec![WireAttachment::Reference(OBJECT)]);
    drop(decode_value(&env, &wire, 0, &Default::default()).expect("nothing is missing"));
    assert_eq!((env.sent(), env.protocol().table_sizes()), (vec![(0, release(OBJECT, 1))], Vec::new()));
}

#[test]
fn grants_stay_while_another_message_with_the_reference_is_decoded() {
    let env = MockEnvironment::new(1);
    let wire = wire_value(&[], vec![WireAttachment::Reference(OBJECT)]);
    let arriving = decode_value(&env, &wire, 0, &Default::default()).expect("nothing is missing");
    drop(receive(&env, OBJECT, 0));
    assert_eq!(env.sent(), [], "the message that is being decoded needs them");
    drop(arriving);
    assert_eq!(env.sent(), [(0, release(OBJECT, 2))]);
}

#[test]
fn object_that_was_passed_on_is_pinned_until_the_owner_counts_the_receiver() {
    let env = MockEnvironment::new(1);
    let reference = receive(&env, OBJECT, 0);
    assert_eq!((send(&env, &reference, 2), send(&env, &reference, 0)), (OBJECT, OBJECT));
    drop(reference);
    env.receive(0, &unpin(OBJECT, 3));
    assert_eq!(env.sent(), [], "it was never passed on to rank 3, and the owner needs no pin");
    env.receive(0, &unpin(OBJECT, 2));
    assert_eq!(env.sent(), [(0, release(OBJECT, 1))]);
    env.receive(0, &unpin(OBJECT, 2));
    assert_eq!((env.sent(), env.protocol().table_sizes()), (Vec::new(), Vec::new()), "the same again");
}

#[test]
fn pin_for_a_dead_rank_lasts_until_the_owner_has_drained_it() {
    let env = MockEnvironment::new(1);
    let reference = receive(&env, OBJECT, 0);
    send(&env, &reference, 2);
    drop(reference);
    env.kill(2);
    assert_eq!(env.sent(), [(0, count(CountMessage::BorrowerLost { dead: 2 }))]);
    env.receive(3, &count(CountMessage::DrainDone { dead: 2 }));
    env.receive(0, &count(CountMessage::DrainDone { dead: 3 }));
    assert_eq!(env.sent(), [], "of a rank that is not the owner, about another rank");
    env.receive(0, &count(CountMessage::DrainDone { dead: 2 }));
    assert_eq!(env.sent(), [(0, release(OBJECT, 1))]);
}

#[test]
fn grants_of_a_dead_rank_count_until_its_messages_are_drained() {
    let env = MockEnvironment::new(0);
    let object = send(&env, &own(1), 2);
    env.kill(2);
    assert!(is_held_elsewhere(&env, object));
    let request = |round| count(CountMessage::DrainRequest { dead: 2, round, more: false });
    assert_eq!(env.sent(), [(1, request(1)), (3, request(1))]);
    env.receive(1, &count(CountMessage::DrainAck { round: 1 }));
    env.receive(1, &count(CountMessage::DrainAck { round: 1 }));
    env.receive(3, &count(CountMessage::DrainAck { round: 0 }));
    assert!(is_held_elsewhere(&env, object), "rank 3 has not replied");
    env.receive(3, &count(CountMessage::DrainAck { round: 1 }));
    assert!(!is_held_elsewhere(&env, object));
}

#[test]
fn reference_to_a_dead_rank_or_of_one_is_not_counted() {
    let env = MockEnvironment::new(0);
    let imported = receive(&env, ObjectId { owner: 3, number: 1 }, 3);
    env.kill(2);
    env.kill(3);
    env.sent();
    send(&env, &own(1), 2);
    send(&env, &imported, 1);
    drop(imported);
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn count_message_of_a_dead_rank_is_ignored() {
    let env = MockEnvironment::new(0);
    let object = send(&env, &own(1), 2);
    env.kill(2);
    env.sent();
    env.receive(2, &release(object, 1));
    env.receive(2, &borrow(object, 1));
    assert!(is_held_elsewhere(&env, object));
    assert_eq!(env.sent(), []);
}

#[test]
fn death_of_the_owner_fails_its_objects_here() {
    let env = MockEnvironment::new(1);
    let reference = receive(&env, OBJECT, 0);
    env.kill(2);
    assert!(!reference.is_ready());
    env.kill(0);
    let failure = reference.any().core().failure().map(|error| (*error).clone());
    assert_eq!(failure, Some(env.death_error(0)));
}

#[test]
fn own_object_that_returns_is_the_object_itself() {
    let env = MockEnvironment::new(0);
    let reference = own(1);
    let object = send(&env, &reference, 1);
    let returned = receive(&env, object, 1);
    assert_eq!(returned.any().address(), reference.any().address());
    assert_eq!(env.sent(), []);
}

#[test]
fn block_of_the_host_is_mapped_once_and_its_grants_return_with_it() {
    let env = MockEnvironment::new(1);
    let address = BlockAddress { block: OBJECT, offset: 0, bytes: 64 };
    let import = |from| references(&env).import_memory(&env, address, from, &Default::default());
    let (first, second) = (import(0).expect("it is mapped"), import(0).expect("it is mapped"));
    assert!(Arc::ptr_eq(&first, &second));
    drop(first);
    assert_eq!(env.sent(), []);
    drop(second);
    assert_eq!((env.sent(), env.protocol().table_sizes()), (vec![(0, release(OBJECT, 2))], Vec::new()));
}

#[test]
fn block_that_cannot_be_mapped_is_an_error_and_returns_its_grants() {
    let env = MockEnvironment::new(1);
    let block = ObjectId { owner: 3, number: 1 };
    let address = BlockAddress { block, offset: 0, bytes: 64 };
    assert!(references(&env).import_memory(&env, address, 2, &Default::default()).is_err());
    assert_eq!(env.sent(), [(3, borrow(block, 2)), (3, release(block, 1))]);
    let own = BlockAddress { block: ObjectId { owner: 1, number: 9 }, ..address };
    assert!(references(&env).import_memory(&env, own, 2, &Default::default()).is_err(), "it was freed");
    assert_eq!((env.sent(), env.protocol().table_sizes()), (Vec::new(), Vec::new()));
}

#[test]
fn fetched_block_replaces_the_original_whose_grants_return() {
    let env = MockEnvironment::new(1);
    let block = ObjectId { owner: 3, number: 1 };
    let address = BlockAddress { block, offset: 0, bytes: 64 };
    let copy = env.store_block(&[7; 64]).expect("there is space");
    let fetched = [(block, Ok(copy.clone()))].into_iter().collect();
    let memory = references(&env).import_memory(&env, address, 3, &fetched).expect("it was fetched");
    assert!(Arc::ptr_eq(&memory, &copy));
    assert_eq!(env.sent(), [(3, release(block, 1))]);
}

#[test]
fn block_of_a_dead_rank_is_copied_for_another_host() {
    let env = MockEnvironment::new(1);
    let address = BlockAddress { block: OBJECT, offset: 0, bytes: 64 };
    let memory = references(&env).import_memory(&env, address, 0, &Default::default()).expect("it is mapped");
    let exported = |to| references(&env).export_memory(&env, &memory, to).map(|address| address.block.owner);
    assert_eq!((exported(0), exported(3)), (Ok(0), Ok(0)));
    env.kill(0);
    assert_eq!(exported(3), Ok(1));
}

#[test]
fn pin_of_an_object_is_taken_once() {
    let env = MockEnvironment::new(0);
    let slot = own(1).any();
    let id = ObjectId { owner: 0, number: 1 };
    references(&env).on_sent(&env, id, 1, || ExportPin::Slot(slot.clone()));
    references(&env).on_sent(&env, id, 2, || panic!("it is pinned already"));
    assert!(references(&env).own_slot(1).is_some_and(|known| known.address() == slot.address()));
}
