use crate::base::{Error, ObjectId, TaskId};
use crate::protocol::tests::{Double, Effect, MockEnvironment, double, encoded, result_of, wire_task, wire_value};
use crate::protocol::wire::values::MovedTask;
use crate::protocol::{BlockAddress, Bytes, Environment, Liveness, Message, WireAttachment, WireTask};
use crate::registry::{Arg, Callable, Options, Runnable, Task, TaskHeader};
use crate::store::CountMessage;
use std::sync::Arc;

/// Rank 0 with a task that it sent to rank 2, under number 1.
fn with_remote_task() -> (MockEnvironment, Arc<Task<Double>>) {
    let env = MockEnvironment::new(0);
    let task = double(21);
    send(&env, &task, 2);
    (env, task)
}

fn send(env: &MockEnvironment, task: &Arc<Task<Double>>, to: u32) {
    assert!(task.header().claim_waiting());
    env.protocol().tasks.send(env, &(task.clone() as Arc<dyn Runnable>), to, None);
    let sent = env.sent();
    assert!(matches!(sent[..], [(rank, Message::CompactTask(_) | Message::ShortCall(_))] if rank == to), "{sent:?}");
}

fn failure() -> Error {
    Error::config("it failed")
}

fn moved(to: u32, hops: u32) -> Message<'static> {
    Message::TasksMoved { tasks: vec![MovedTask { number: 1, hops }], to }
}

/// The task of rank 3 that arrives on rank 0.
fn arriving(args: &[u8]) -> WireTask<'_> {
    wire_task(TaskId { owner: 3, number: 8 }, Double::ENTRY, None, wire_value(args, Vec::new()))
}

fn args(number: u64) -> Vec<u8> {
    double(number).encode_args(None).expect("a number encodes").bytes
}

#[test]
fn only_the_first_result_counts() {
    let (env, task) = with_remote_task();
    env.receive(2, &Message::Return { task: 1, value: Bytes(&encoded(42)) });
    env.receive(2, &Message::Return { task: 1, value: Bytes(&encoded(43)) });
    env.receive(2, &Message::Done { task: 1, results: vec![Err(failure())] });
    assert_eq!((result_of(&task), env.sent(), env.protocol().tasks.remote.len()), (Some(Ok(42)), Vec::new(), 0));
}

#[test]
fn failure_of_a_remote_task_fails_its_result() {
    let (env, task) = with_remote_task();
    env.receive(2, &Message::Done { task: 1, results: vec![Err(failure())] });
    assert_eq!(result_of(&task), Some(Err(failure())));
}

#[test]
fn missing_and_surplus_results_do_no_harm() {
    let (env, task) = with_remote_task();
    let value = encoded(42);
    let result = || Ok(wire_value(&value, Vec::new()));
    env.receive(2, &Message::Done { task: 1, results: vec![result(), result()] });
    assert_eq!(result_of(&task), Some(Ok(42)));
}

#[test]
fn references_in_results_of_an_unknown_task_are_counted_and_returned() {
    let env = MockEnvironment::new(0);
    let object = ObjectId { owner: 3, number: 4 };
    let results = vec![Ok(wire_value(&[], vec![WireAttachment::Reference(object)]))];
    env.receive(2, &Message::Done { task: 9, results });
    let (borrow, release) = (CountMessage::Borrow { object, from: 2 }, CountMessage::Release { object, grants: 1 });
    assert_eq!(env.sent(), [(3, Message::Count(borrow)), (3, Message::Count(release))]);
    env.receive(2, &Message::Return { task: 9, value: Bytes(&[]) });
    assert_eq!((env.sent(), env.protocol().table_sizes()), (Vec::new(), Vec::new()));
}

#[test]
fn task_that_moved_is_retried_when_the_new_rank_dies() {
    let (env, task) = with_remote_task();
    env.receive(2, &moved(3, 1));
    env.receive(2, &moved(1, 1));
    env.kill(1);
    assert_eq!(env.queued().len(), 0, "a report with no more hops is not news");
    env.kill(3);
    env.run_queued();
    assert_eq!(result_of(&task), Some(Ok(42)));
}

#[test]
fn task_that_moved_to_a_dead_rank_is_retried_at_once() {
    let (env, task) = with_remote_task();
    env.kill(3);
    env.receive(2, &moved(3, 1));
    env.receive(2, &moved(3, 1));
    env.run_queued();
    assert_eq!(result_of(&task), Some(Ok(42)));
    env.receive(2, &moved(3, 2));
    assert_eq!(env.queued().len(), 0, "it has finished");
}

#[test]
fn arriving_task_runs_and_its_result_goes_to_its_owner() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Task(arriving(&args(21))));
    env.run_queued();
    assert_eq!(env.sent(), [(3, Message::Return { task: 8, value: Bytes(&encoded(42)) })]);
}

#[test]
fn task_with_an_unknown_function_fails_at_its_owner() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Task(WireTask { function: 7, ..arriving(&[]) }));
    let sent = env.sent();
    assert!(
        matches!(&sent[..], [(3, Message::Done { task: 8, results })] if results.len() == 1 && results[0].is_err())
    );
    assert_eq!(env.queued().len(), 0);
}

#[test]
fn task_whose_arguments_do_not_decode_fails_at_its_owner() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Task(arriving(&[0xff; 3])));
    let sent = env.sent();
    assert!(matches!(&sent[..], [(3, Message::Done { task: 8, results })] if results[0].is_err()), "{sent:?}");
}

#[test]
fn task_whose_arguments_are_lost_is_returned_to_its_owner() {
    let env = MockEnvironment::new(0);
    let block = BlockAddress { block: ObjectId { owner: 0, number: 77 }, offset: 0, bytes: 8 };
    let args = wire_value(&[], vec![WireAttachment::Array(block)]);
    env.receive(2, &Message::Task(WireTask { args, hops: 3, ..arriving(&[]) }));
    let sent = env.sent();
    assert!(matches!(&sent[..], [(3, Message::TaskNotStarted { task: 8, hops: 3, .. })]), "{sent:?}");
}

#[test]
fn task_that_was_forwarded_often_is_not_forwarded_again() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Task(WireTask { hops: 19, ..arriving(&args(1)) }));
    env.receive(2, &Message::Task(WireTask { hops: 20, ..arriving(&args(1)) }));
    let stealable: Vec<bool> = env.queued().iter().map(|task| task.header().stealable).collect();
    assert_eq!(stealable, [true, false]);
}

#[test]
fn own_task_that_returns_completes_here() {
    let (env, task) = with_remote_task();
    let own = WireTask { task: TaskId { owner: 0, number: 1 }, hops: 1, ..arriving(&[]) };
    let args = args(21);
    env.receive(2, &Message::Task(WireTask { args: wire_value(&args, Vec::new()), ..own }));
    env.kill(2);
    assert_eq!(env.sent(), [], "rank 2 does not have it any more");
    env.run_queued();
    assert_eq!(result_of(&task), Some(Ok(42)));
}

#[test]
fn cancelled_task_is_remembered_until_it_finishes_or_its_owner_dies() {
    let env = MockEnvironment::new(0);
    let cancelled = &env.protocol().tasks.cancelled;
    let id = |number| TaskId { owner: 3, number };
    env.receive(3, &Message::TaskFinished { task: id(1) });
    env.receive(3, &Message::Cancel { task: id(1) });
    env.receive(3, &Message::Cancel { task: id(1) });
    env.receive(3, &Message::Cancel { task: id(2) });
    assert!(cancelled.contains(Some(id(1))) && !cancelled.contains(Some(id(3))) && !cancelled.contains(None));
    env.receive(3, &Message::TaskFinished { task: id(1) });
    assert_eq!((cancelled.contains(Some(id(1))), cancelled.len()), (false, 1));
    env.kill(3);
    assert_eq!(cancelled.len(), 0);
}

#[test]
fn cancel_is_sent_to_the_rank_that_has_the_task_and_taken_back_when_it_finishes() {
    let (env, task) = with_remote_task();
    let id = TaskId { owner: 0, number: 1 };
    env.protocol().tasks.cancel(&env, task.clone());
    assert_eq!(env.sent(), [(2, Message::Cancel { task: id })]);
    assert!(matches!(result_of(&task), Some(Err(Error::Cancelled { .. }))));
    env.receive(2, &Message::Return { task: 1, value: Bytes(&encoded(42)) });
    assert_eq!(env.sent(), [(2, Message::TaskFinished { task: id })]);
    assert!(matches!(result_of(&task), Some(Err(Error::Cancelled { .. }))), "the result comes too late");
}

#[test]
fn forwarded_task_is_reported_to_its_owner_before_it_is_sent() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Task(arriving(&args(1))));
    env.receive(2, &Message::Task(arriving(&args(2))));
    env.receive(1, &Message::Steal { remember: false });
    let sent = env.sent();
    let moved = Message::TasksMoved { tasks: vec![MovedTask { number: 8, hops: 1 }], to: 1 };
    assert_eq!(sent[0], (3, moved));
    assert!(matches!(&sent[1..], [(1, Message::StealReply { tasks, .. })] if tasks[0].hops == 1), "{sent:?}");
}

#[test]
fn task_sent_to_a_dead_rank_is_retried() {
    let env = MockEnvironment::new(0);
    env.kill(2);
    let task = double(21);
    assert!(task.header().claim_waiting());
    env.protocol().tasks.send(&env, &(task.clone() as Arc<dyn Runnable>), 2, None);
    env.run_queued();
    assert_eq!((result_of(&task), env.effects()), (Some(Ok(42)), Vec::<Effect>::new()));
}

#[test]
fn task_for_a_certain_rank_fails_with_it() {
    let env = MockEnvironment::new(0);
    let header = TaskHeader::new(
        Some(Box::new(Options { place: crate::registry::Placement::Rank(2), ..Options::default() })),
        0,
    );
    let task = Task::<Double>::new(header, (Arg::Value(21),));
    send(&env, &task, 2);
    env.kill(2);
    assert_eq!(result_of(&task), Some(Err(env.death_error(2))));
    assert_eq!(env.effects(), [Effect::Failure(env.death_error(2))]);
}
