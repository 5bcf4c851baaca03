use crate::base::ObjectId;
use crate::objects::ArrayMemory;
use crate::protocol::tests::{Double, Effect, MockEnvironment, double, wire_value};
use crate::protocol::{BlockAddress, BlockStore, Environment, Message, WireAttachment};
use crate::registry::{Runnable, Task};
use crate::store::CountMessage;
use std::sync::Arc;

/// A block of rank 2.
const BLOCK: ObjectId = ObjectId { owner: 2, number: 5 };

/// Rank 0 with a block that only rank 2, of another host, holds.
fn with_sent_block() -> (MockEnvironment, u64) {
    let env = MockEnvironment::new(0);
    let memory: Arc<dyn ArrayMemory> = env.store_block(&[0; 64]).expect("there is space");
    let address = env.protocol().objects.references.export_memory(&env, &memory, 2).expect("it is in the store");
    (env, address.block.number)
}

/// Rank 0 with a task whose result lies in `BLOCK`.
fn with_unfetched_result() -> (MockEnvironment, Arc<Task<Double>>) {
    let env = MockEnvironment::new(0);
    let task = double(21);
    assert!(task.header().claim_waiting());
    env.protocol().tasks.send(&env, &(task.clone() as Arc<dyn Runnable>), 2, None);
    let address = BlockAddress { block: BLOCK, offset: 0, bytes: 64 };
    let results = vec![Ok(wire_value(&[], vec![WireAttachment::Array(address)]))];
    env.receive(2, &Message::Done { task: 1, results });
    env.sent();
    (env, task)
}

fn reclaim(number: u64) -> Message<'static> {
    Message::Reclaim { blocks: vec![number] }
}

fn refused(number: u64) -> Message<'static> {
    Message::ReclaimRefused { blocks: vec![number] }
}

fn release(grants: u64) -> Message<'static> {
    Message::Count(CountMessage::Release { object: BLOCK, grants })
}

#[test]
fn block_is_requested_once_until_its_holder_releases_it() {
    let (env, number) = with_sent_block();
    let objects = &env.protocol().objects;
    assert_eq!(objects.reclaim_bytes(&env, 1), 64);
    assert_eq!(env.sent(), [(2, reclaim(number))]);
    assert!(objects.awaits_reclaim());
    assert_eq!((objects.reclaim_bytes(&env, 1), env.sent()), (0, Vec::new()), "it was requested");
    let object = ObjectId { owner: 0, number };
    env.receive(2, &Message::Count(CountMessage::Release { object, grants: 1 }));
    assert!(!objects.awaits_reclaim());
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn refused_block_is_not_requested_again_and_waiting_tasks_try_again() {
    let (env, number) = with_sent_block();
    let objects = &env.protocol().objects;
    objects.reclaim_bytes(&env, 1);
    env.sent();
    env.receive(2, &refused(number));
    assert_eq!((objects.awaits_reclaim(), env.effects()), (false, vec![Effect::SpaceWaitersWoken]));
    env.receive(2, &refused(number));
    assert_eq!((objects.reclaim_bytes(&env, 1), env.sent()), (0, Vec::new()));
}

#[test]
fn refusal_that_nobody_requested_leaves_the_block_reclaimable() {
    let (env, number) = with_sent_block();
    env.receive(2, &refused(number));
    env.receive(2, &refused(77));
    assert_eq!(env.protocol().objects.reclaim_bytes(&env, 1), 64);
}

#[test]
fn block_that_a_rank_of_the_host_may_map_is_not_requested() {
    let env = MockEnvironment::new(0);
    let memory: Arc<dyn ArrayMemory> = env.store_block(&[0; 64]).expect("there is space");
    env.protocol().objects.references.export_memory(&env, &memory, 1).expect("it is in the store");
    drop(memory);
    assert_eq!(env.protocol().objects.reclaim_bytes(&env, 1), 0);
}

#[test]
fn value_that_is_not_needed_is_released_and_its_grants_return() {
    let (env, task) = with_unfetched_result();
    env.receive(2, &reclaim(BLOCK.number));
    assert_eq!(env.sent(), [(2, release(1))], "the release is the reply");
    env.receive(2, &reclaim(BLOCK.number));
    assert_eq!(env.sent(), [], "the same again");
    // Its task runs again once the value is needed.
    let slot = task.only_slot().expect("a task with one result");
    env.protocol().objects.request(&env, &slot);
    assert_eq!((env.queued().len(), slot.core().is_complete()), (1, false));
}

#[test]
fn value_that_is_needed_is_not_released() {
    let (env, task) = with_unfetched_result();
    env.protocol().objects.request(&env, &task.only_slot().expect("a task with one result"));
    env.receive(2, &reclaim(BLOCK.number));
    let sent = env.sent();
    assert!(sent.contains(&(2, refused(BLOCK.number))) && !sent.contains(&(2, release(1))), "{sent:?}");
}

#[test]
fn request_for_a_block_that_is_not_held_gets_no_reply() {
    let (env, _task) = with_unfetched_result();
    env.receive(2, &reclaim(77));
    env.receive(3, &reclaim(BLOCK.number));
    assert_eq!(env.sent(), [], "and neither one of another rank's blocks");
}
