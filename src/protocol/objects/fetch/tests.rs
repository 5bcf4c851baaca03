use crate::base::{Error, ObjectId, Rank};
use crate::lineage::{Lineage, Producer};
use crate::objects::{AnySlot, Attachment, ObjectRef, Value, decode, encode};
use crate::protocol::environment::{BlockStore, Environment};
use crate::protocol::objects::Objects;
use crate::protocol::objects::attachments::{export_attachments, import_attachments};
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::tests::{Double, MockEnvironment, double, encoded, wire_value};
use crate::protocol::{BlockAddress, Message, WireAttachment};
use crate::registry::{Callable, Options, Runnable};
use crate::store::{CopyMessage, CopySource, CountMessage, Holders, cache_rank};
use std::sync::Arc;

/// An object of rank 2, which is on the other host.
const OBJECT: ObjectId = ObjectId { owner: 2, number: 1 };
/// A length up to which the cache rank reads a block without asking its owner, and one above it.
const SMALL: u64 = 512 << 10;
const LARGE: u64 = 2 << 20;

/// A block of rank 2 whose cache rank on the host of ranks 0 and 1 is rank 0, or rank 1.
fn block(is_cached_here: bool, bytes: u64) -> BlockAddress {
    let blocks = (10..).map(|number| ObjectId { owner: 2, number });
    let mut blocks = blocks.filter(|block| (cache_rank(*block, 0..2) == Some(0)) == is_cached_here);
    BlockAddress { block: blocks.next().expect("each rank caches some blocks"), offset: 64, bytes }
}

/// Rank 0 with a reference to `OBJECT` that rank 2 sent.
fn borrowed() -> (MockEnvironment, ObjectRef<u64>) {
    let env = MockEnvironment::new(0);
    let attachments = import_attachments(&env, &[WireAttachment::Reference(OBJECT)], 2, &FetchedBlocks::default());
    let reference =
        decode(&encode(&0u32).expect("an index encodes").bytes, attachments.expect("a reference can be imported"))
            .expect("a reference decodes");
    (env, reference)
}

/// The value 7 with an array in that block.
fn value(address: BlockAddress) -> Message<'static> {
    let value = wire_value(encoded(7).leak(), vec![WireAttachment::Array(address)]);
    Message::Value { object: OBJECT, value: Ok(value) }
}

fn objects(env: &MockEnvironment) -> &Objects {
    &env.protocol().objects
}

/// The reads that were started end: those of `bytes` bytes arrive.
fn end_reads(env: &MockEnvironment, outcome: Result<(), Error>) -> usize {
    let pulls = env.pulls();
    for (token, bytes, _) in &pulls {
        let memory = outcome.clone().and_then(|()| env.store_block(&vec![0; *bytes as usize]));
        // The second time, the read is not known any more.
        objects(env).copies.on_pulled(env, *token, memory.clone());
        objects(env).copies.on_pulled(env, *token, memory);
        assert_eq!(env.protocol().check(), Ok(()));
    }
    pulls.len()
}

fn number(reference: &ObjectRef<u64>) -> Option<u64> {
    Some(*reference.ready()?.ok()?)
}

fn failure(slot: &dyn AnySlot) -> String {
    slot.core().failure().map_or_else(String::new, |error| error.to_string())
}

fn copy(message: CopyMessage) -> Message<'static> {
    Message::Copy(message)
}

fn release(object: ObjectId, grants: u64) -> (Rank, Message<'static>) {
    (object.owner, Message::Count(CountMessage::Release { object, grants }))
}

/// An own object of rank 0, which `rank` holds and requests.
fn requested_by(env: &MockEnvironment, rank: Rank) -> (Arc<Value<u64>>, u64) {
    let slot = Value::<u64>::pending();
    let reference = [Attachment::Slot(slot.clone())];
    let sent = export_attachments(env, &reference, rank, 0);
    let Ok([WireAttachment::Reference(id)]) = sent.as_deref() else { panic!("{sent:?}") };
    (slot, id.number)
}

/// The result of an own task is in that block of rank 2.
fn leave_unfetched(env: &MockEnvironment, slot: &Arc<Value<u64>>, address: BlockAddress, producer: Option<Producer>) {
    let result = wire_value(encoded(7).leak(), vec![WireAttachment::Array(address)]);
    let slot: Arc<dyn AnySlot> = slot.clone();
    objects(env).resolve(env, (2, &FetchedBlocks::default()), Some(slot), Ok(result), || producer);
    assert_eq!(env.protocol().check(), Ok(()));
}

fn producer() -> Producer {
    let task = double(21);
    task.header().claim();
    let args = task.encode_args(None).expect("arguments encode");
    let call = (Double::ENTRY, Some(Box::new(Options::default())), 0, true);
    let lineage = Lineage::new(call, &args, 3, |_| None).expect("the lineage is small");
    Producer { lineage: Arc::new(lineage), index: 0 }
}

/// How many tasks were started again since the last call: they are sent to rank 3.
fn restarted(env: &MockEnvironment) -> usize {
    let is_task = |message: &Message<'_>| matches!(message, Message::Task(_) | Message::CompactTask(_));
    env.sent().iter().filter(|(to, message)| *to == 3 && is_task(message)).count()
}

#[test]
fn value_that_arrives_twice_is_fetched_once_and_completes_its_promise() {
    let (env, reference) = borrowed();
    env.receive(2, &value(block(true, SMALL)));
    env.receive(2, &value(block(true, SMALL)));
    assert_eq!(number(&reference), None);
    assert_eq!(end_reads(&env, Ok(())), 1);
    assert_eq!(number(&reference), Some(7));
    env.receive(2, &value(block(true, SMALL)));
    assert_eq!(env.pulls(), []);
    env.sent();
    drop(reference);
    assert_eq!(env.sent(), [release(OBJECT, 1)]);
}

#[test]
fn value_of_an_unknown_object_is_dropped_and_its_grants_are_returned() {
    let env = MockEnvironment::new(0);
    let address = block(true, SMALL);
    env.receive(2, &value(address));
    assert_eq!((env.sent(), env.pulls()), (vec![release(address.block, 1)], Vec::new()));
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn error_of_the_owner_fails_the_promise_for_good() {
    let (env, reference) = borrowed();
    let error = Error::ObjectLost { object: OBJECT.to_string(), reason: "test".to_string() };
    env.receive(2, &Message::Value { object: OBJECT, value: Err(error) });
    assert!(failure(&*reference.any()).contains("test"));
    env.receive(2, &value(block(true, SMALL)));
    assert!(env.pulls().is_empty() && number(&reference).is_none());
}

#[test]
fn read_that_fails_is_requested_again_from_the_owner_or_fails_the_promise() {
    let (env, reference) = borrowed();
    let address = BlockAddress { block: ObjectId { owner: 3, number: 10 }, offset: 0, bytes: 1 };
    env.receive(2, &value(address));
    let lost = Error::ObjectLost { object: "a block".to_string(), reason: "test".to_string() };
    env.sent();
    assert_eq!(end_reads(&env, Err(lost.clone())), 1);
    // Its owner can have it computed again without rank 3.
    assert_eq!(env.sent()[0], (2, Message::Fetch { object: OBJECT.number, without: Some(3) }));
    assert!(!reference.is_ready());
    env.receive(2, &value(block(true, SMALL)));
    assert_eq!(end_reads(&env, Err(lost)), 1);
    assert!(failure(&*reference.any()).contains("test"));
}

#[test]
fn death_of_the_owner_fails_a_value_that_is_being_fetched() {
    let (env, reference) = borrowed();
    env.receive(2, &value(block(true, LARGE)));
    assert!(matches!(&env.sent()[..], [(2, Message::Copy(CopyMessage::Locate { .. }))]));
    env.kill(2);
    assert!(failure(&*reference.any()).contains("rank 2"));
    assert_eq!(env.pulls(), []);
}

#[test]
fn fetch_of_an_unknown_object_is_answered_with_an_error() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Fetch { object: 9, without: None });
    let sent = env.sent();
    assert!(matches!(&sent[..], [(2, Message::Value { value: Err(Error::ObjectLost { .. }), .. })]), "{sent:?}");
}

#[test]
fn each_fetch_gets_one_reply_before_and_after_the_promise_completes() {
    let env = MockEnvironment::new(0);
    let (slot, number) = requested_by(&env, 2);
    let fetch = Message::Fetch { object: number, without: None };
    let reply = |to| {
        let value = Ok(wire_value(encoded(3).leak(), Vec::new()));
        (to, Message::Value { object: ObjectId { owner: 0, number }, value })
    };
    env.receive(2, &fetch);
    env.receive(2, &fetch);
    env.receive(3, &fetch);
    assert_eq!(env.sent(), []);
    slot.complete_with(&encoded(3), Vec::new());
    let mut sent = env.sent();
    sent.sort_by_key(|(to, _)| *to);
    assert_eq!(sent, [reply(2), reply(2), reply(3)]);
    env.receive(2, &fetch);
    assert_eq!(env.sent(), [reply(2)]);
}

#[test]
fn requesters_of_an_unfetched_value_get_its_addresses_and_this_rank_fetches_it_only_for_itself() {
    let env = MockEnvironment::new(0);
    let (slot, number) = requested_by(&env, 3);
    let address = block(true, SMALL);
    let fetch = Message::Fetch { object: number, without: None };
    env.receive(3, &fetch);
    leave_unfetched(&env, &slot, address, None);
    env.receive(3, &fetch);
    let wire = Ok(wire_value(encoded(7).leak(), vec![WireAttachment::Array(address)]));
    let reply = (3, Message::Value { object: ObjectId { owner: 0, number }, value: wire });
    assert_eq!(env.sent(), [reply.clone(), reply]);
    assert_eq!(env.pulls(), []);
    // Needed twice here, it is fetched once.
    let local: Arc<dyn AnySlot> = slot.clone();
    objects(&env).request(&env, &local);
    objects(&env).request(&env, &local);
    assert_eq!(end_reads(&env, Ok(())), 1);
    assert!(slot.core().is_complete());
}

#[test]
fn released_value_is_computed_again_once() {
    let env = MockEnvironment::new(0);
    env.select(3);
    let (slot, address) = (Value::<u64>::pending(), block(true, SMALL));
    leave_unfetched(&env, &slot, address, Some(producer()));
    let reclaim = Message::Reclaim { blocks: vec![address.block.number] };
    env.receive(2, &reclaim);
    assert_eq!(env.sent(), [release(address.block, 1)]);
    // Its grants are returned: there is nothing that could be refused.
    env.receive(2, &reclaim);
    assert_eq!(env.sent(), []);
    let local: Arc<dyn AnySlot> = slot.clone();
    objects(&env).request(&env, &local);
    objects(&env).request(&env, &local);
    assert_eq!((restarted(&env), env.pulls().len()), (1, 0));
    assert_eq!(env.protocol().check(), Ok(()));
}

#[test]
fn needed_value_is_not_released() {
    let env = MockEnvironment::new(0);
    let (slot, address) = (Value::<u64>::pending(), block(true, SMALL));
    let local: Arc<dyn AnySlot> = slot.clone();
    objects(&env).request(&env, &local);
    leave_unfetched(&env, &slot, address, Some(producer()));
    let blocks = vec![address.block.number];
    env.receive(2, &Message::Reclaim { blocks: blocks.clone() });
    assert_eq!(env.sent(), [(2, Message::ReclaimRefused { blocks })]);
    assert_eq!(end_reads(&env, Ok(())), 1);
    assert!(slot.core().is_complete());
}

#[test]
fn value_that_died_with_its_holder_is_computed_again_when_it_is_needed() {
    let env = MockEnvironment::new(0);
    env.select(3);
    let (needed, unneeded) = (Value::<u64>::pending(), Value::<u64>::pending());
    let local: Arc<dyn AnySlot> = needed.clone();
    objects(&env).request(&env, &local);
    leave_unfetched(&env, &needed, block(true, LARGE), Some(producer()));
    leave_unfetched(&env, &unneeded, block(false, LARGE), Some(producer()));
    env.kill(2);
    assert_eq!(restarted(&env), 1);
    let local: Arc<dyn AnySlot> = unneeded.clone();
    objects(&env).request(&env, &local);
    assert_eq!(restarted(&env), 1);
    assert!(!needed.core().is_complete() && !unneeded.core().is_complete());
}

#[test]
fn value_without_lineage_is_lost_with_its_holder() {
    let env = MockEnvironment::new(0);
    let slot = Value::<u64>::pending();
    leave_unfetched(&env, &slot, block(true, SMALL), None);
    env.kill(2);
    assert!(!slot.core().is_complete(), "nothing needs it");
    let local: Arc<dyn AnySlot> = slot.clone();
    objects(&env).request(&env, &local);
    assert!(failure(&*slot).contains("it cannot be made again"), "{}", failure(&*slot));
}

#[test]
fn requester_that_cannot_read_a_value_gets_an_error_if_there_is_no_lineage() {
    let env = MockEnvironment::new(0);
    let (slot, number) = requested_by(&env, 3);
    leave_unfetched(&env, &slot, block(true, SMALL), None);
    env.receive(3, &Message::Fetch { object: number, without: Some(2) });
    let sent = env.sent();
    assert!(matches!(&sent[..], [(3, Message::Value { value: Err(Error::ObjectLost { .. }), .. })]), "{sent:?}");
    assert!(!slot.core().is_complete());
}

#[test]
fn block_is_requested_from_its_cache_rank_and_located_if_that_one_refuses() {
    let (env, _reference) = borrowed();
    let address = block(false, LARGE);
    let BlockAddress { block, offset, bytes } = address;
    env.receive(2, &value(address));
    let original = CopySource { block, offset };
    assert_eq!(env.sent(), [(1, copy(CopyMessage::Request { original, bytes }))]);
    let full = CopyMessage::CopyReply { block, bytes: 0, copy: Err(Error::config("it is full")) };
    env.receive(1, &copy(full.clone()));
    assert_eq!(env.sent(), [(2, copy(CopyMessage::Locate { block, bytes, excluded: Vec::new() }))]);
    // In another state, the reply means nothing.
    env.receive(1, &copy(full));
    let holders = Ok(Holders { original: Some(offset), others: Vec::new() });
    env.receive(2, &copy(CopyMessage::Holders { block, holders: holders.clone() }));
    assert_eq!(env.pulls().len(), 1);
    // A second reply brings a second grant, which is returned.
    env.sent();
    env.receive(2, &copy(CopyMessage::Holders { block, holders }));
    assert_eq!(env.pulls(), []);
}

#[test]
fn messages_about_unknown_copies_change_nothing() {
    let env = MockEnvironment::new(0);
    let block = block(true, LARGE).block;
    let source = CopySource { block, offset: 0 };
    for message in [
        CopyMessage::Holders { block, holders: Ok(Holders { original: Some(0), others: vec![3] }) },
        CopyMessage::CopyReply { block, bytes: LARGE, copy: Ok(source) },
    ] {
        for _ in 0..2 {
            env.receive(2, &copy(message.clone()));
            assert_eq!(env.sent(), [release(block, 1)], "its grant is returned");
        }
    }
    for message in [
        CopyMessage::Freed { block },
        CopyMessage::CopyDropped { block: ObjectId { owner: 0, number: 9 } },
        // A rank is not asked to cache a block of its own.
        CopyMessage::Request {
            original: CopySource { block: ObjectId { owner: 0, number: 9 }, offset: 0 },
            bytes: LARGE,
        },
    ] {
        env.receive(2, &copy(message));
    }
    assert_eq!((env.sent(), env.pulls()), (Vec::new(), Vec::new()));
    env.receive(3, &copy(CopyMessage::ShareRequest { block }));
    let sent = env.sent();
    assert!(matches!(&sent[..], [(3, Message::Copy(CopyMessage::CopyReply { copy: Err(_), .. }))]), "{sent:?}");
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn owner_directs_readers_to_copies_and_tells_their_holders_when_the_block_is_freed() {
    let env = MockEnvironment::new(0);
    let unknown = ObjectId { owner: 0, number: 9 };
    env.receive(2, &copy(CopyMessage::Locate { block: unknown, bytes: LARGE, excluded: Vec::new() }));
    let sent = env.sent();
    assert!(matches!(&sent[..], [(2, Message::Copy(CopyMessage::Holders { holders: Err(_), .. }))]), "{sent:?}");
    env.receive(2, &copy(CopyMessage::CopyComplete { block: unknown }));
    assert_eq!(env.sent(), [(2, copy(CopyMessage::Freed { block: unknown }))]);

    let memory = env.store_block(&[0; 100]).expect("there is space");
    let address = objects(&env).references.export_memory(&env, &memory, 2).expect("it is in the store");
    let locate = |excluded| copy(CopyMessage::Locate { block: address.block, bytes: LARGE, excluded });
    let holders = |original, others| {
        copy(CopyMessage::Holders { block: address.block, holders: Ok(Holders { original, others }) })
    };
    env.receive(2, &locate(Vec::new()));
    env.receive(2, &copy(CopyMessage::CopyComplete { block: address.block }));
    env.receive(2, &copy(CopyMessage::CopyComplete { block: address.block }));
    env.receive(3, &locate(Vec::new()));
    env.receive(3, &locate(vec![2]));
    let sent: Vec<_> = env.sent();
    assert_eq!(sent, [(2, holders(Some(0), vec![])), (3, holders(None, vec![2])), (3, holders(Some(0), vec![]))]);
    objects(&env).copies.on_block_freed(&env, address.block.number);
    let mut freed = env.sent();
    freed.sort_by_key(|(to, _)| *to);
    let freed_message = copy(CopyMessage::Freed { block: address.block });
    assert_eq!(freed, [(2, freed_message.clone()), (3, freed_message)]);
    objects(&env).copies.on_block_freed(&env, address.block.number);
    assert_eq!(env.sent(), []);
}
