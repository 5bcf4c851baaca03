use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::tests::{Double, Effect, MockEnvironment, result_of, wire_value};
use crate::protocol::{Bytes, Environment, Liveness, Message, WorkId};
use crate::registry::{Arg, Options, Runnable, Task, TaskHeader};
use crate::store::CountMessage;
use std::sync::Arc;

fn drain(dead: Rank, round: u64, more: bool) -> Message<'static> {
    Message::Count(CountMessage::DrainRequest { dead, round, more })
}

fn ack(round: u64) -> Message<'static> {
    Message::Count(CountMessage::DrainAck { round })
}

fn lost(dead: Rank) -> Message<'static> {
    Message::Count(CountMessage::BorrowerLost { dead })
}

fn done(dead: Rank) -> Message<'static> {
    Message::Count(CountMessage::DrainDone { dead })
}

/// Rank 0 with a task on rank 2, under number 1, with that many retries.
fn with_remote_task(retries: u32) -> (MockEnvironment, Arc<Task<Double>>) {
    let env = MockEnvironment::new(0);
    let options = Options { max_retries: Some(retries), ..Options::default() };
    let task = Task::<Double>::new(TaskHeader::new(Some(Box::new(options)), 0), (Arg::Value(21),));
    assert!(task.header().claim_waiting());
    env.protocol().tasks.send(&env, &(task.clone() as Arc<dyn Runnable>), 2, None);
    assert_eq!(env.sent().len(), 1);
    (env, task)
}

fn not_started(hops: u32) -> Message<'static> {
    let error = Error::ObjectLost { object: "o3.1".to_string(), reason: "its rank died".to_string() };
    Message::TaskNotStarted { task: 1, hops, error }
}

#[test]
fn drain_request_about_a_rank_not_known_to_be_dead_declares_it_dead() {
    let env = MockEnvironment::new(1);
    env.receive(0, &drain(2, 4, false));
    assert_eq!((env.effects(), env.sent()), (vec![Effect::DeclaredDead(2)], vec![(0, ack(4))]));
    env.receive(0, &drain(2, 4, false));
    assert_eq!((env.effects(), env.sent()), (Vec::new(), vec![(0, ack(4))]), "the same again");
}

#[test]
fn drain_requests_of_one_round_get_one_reply() {
    let env = MockEnvironment::new(1);
    env.receive(0, &drain(2, 4, true));
    assert_eq!(env.sent(), []);
    env.receive(0, &drain(3, 4, false));
    assert_eq!(env.sent(), [(0, ack(4))]);
}

#[test]
fn drain_request_about_the_receiver_or_the_sender_does_nothing() {
    let env = MockEnvironment::new(1);
    for dead in [0, 1] {
        env.receive(0, &drain(dead, 4, false));
        env.receive(0, &lost(dead));
    }
    assert_eq!((env.effects(), env.sent()), (Vec::new(), Vec::new()));
}

#[test]
fn drain_is_acknowledged_only_when_no_message_of_the_dead_rank_is_processed() {
    let env = MockEnvironment::new(1);
    let sender = env.protocol().inbound.sequence.sender(2);
    sender.begin_processing();
    env.receive(0, &drain(2, 4, false));
    assert_eq!(env.sent(), []);
    sender.end_processing();
    env.protocol().recovery.process_pending_drains(&env);
    assert_eq!(env.sent(), [(0, ack(4))]);
    env.protocol().recovery.process_pending_drains(&env);
    assert_eq!(env.sent(), []);
}

#[test]
fn question_about_a_drained_rank_is_answered_at_once() {
    let env = MockEnvironment::new(0);
    env.receive(1, &lost(2));
    // Rank 0 now drains: the requester is told when the others have replied.
    assert_eq!(env.effects(), [Effect::DeclaredDead(2)]);
    assert_eq!(env.sent(), [(1, drain(2, 1, false)), (3, drain(2, 1, false))]);
    env.receive(1, &ack(1));
    env.receive(1, &ack(1));
    env.receive(3, &ack(7));
    assert_eq!(env.sent(), [], "twice from one rank, and of another round");
    env.receive(3, &ack(1));
    assert_eq!(env.sent(), [(1, done(2))]);
    env.receive(3, &lost(2));
    assert_eq!(env.sent(), [(3, done(2))], "after the round");
}

#[test]
fn death_during_a_round_begins_it_again_with_both_ranks() {
    let env = MockEnvironment::new(0);
    env.receive(1, &lost(2));
    env.sent();
    env.kill(3);
    assert_eq!(env.sent(), [(1, drain(2, 2, true)), (1, drain(3, 2, false))]);
    env.receive(1, &ack(1));
    assert_eq!(env.sent(), [], "of the round before");
    env.receive(1, &ack(2));
    assert_eq!(env.sent(), [(1, done(2))]);
}

#[test]
fn task_of_a_dead_rank_is_retried_and_its_late_results_are_discarded() {
    let (env, task) = with_remote_task(1);
    env.kill(3);
    assert_eq!(env.queued().len(), 0, "it was not there");
    env.kill(2);
    env.receive(1, &Message::Return { task: 9, value: Bytes(&[]) });
    env.run_queued();
    assert_eq!((result_of(&task), env.effects()), (Some(Ok(42)), Vec::new()));
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn task_without_retries_fails_when_its_rank_dies() {
    let (env, task) = with_remote_task(0);
    env.kill(2);
    assert_eq!(result_of(&task), Some(Err(env.death_error(2))));
    assert_eq!((env.effects(), env.queued().len()), (vec![Effect::Failure(env.death_error(2))], 0));
}

#[test]
fn retry_goes_to_the_rank_that_the_options_select() {
    let (env, _task) = with_remote_task(1);
    env.select(1);
    env.kill(2);
    let sent = env.sent();
    assert!(matches!(&sent[..], [(1, Message::Task(task))] if task.task == TaskId { owner: 0, number: 1 }), "{sent:?}");
}

#[test]
fn task_that_could_not_start_is_retried_until_its_retries_are_used() {
    let (env, task) = with_remote_task(1);
    env.receive(2, &not_started(0));
    assert_eq!(env.queued().len(), 1);
    env.receive(2, &not_started(0));
    assert_eq!((env.queued().len(), result_of(&task)), (0, None), "the same again, with old hops");
    env.receive(2, &not_started(1));
    assert!(matches!(result_of(&task), Some(Err(Error::ObjectLost { .. }))));
    env.receive(2, &not_started(2));
    assert_eq!((env.effects().len(), env.queued().len()), (1, 0), "it has failed already");
}

#[test]
fn retry_on_error_runs_a_failed_task_again() {
    let env = MockEnvironment::new(0);
    let options = Options { max_retries: Some(1), retry_on_error: Some(true), ..Options::default() };
    let task = Task::<Double>::new(TaskHeader::new(Some(Box::new(options)), 0), (Arg::Value(21),));
    assert!(task.header().claim_waiting());
    env.protocol().tasks.send(&env, &(task.clone() as Arc<dyn Runnable>), 2, None);
    let failed = || {
        let (task, host, message) = ("double".to_string(), "mock".to_string(), "it failed".to_string());
        let error = Error::Task { task, rank: 2, host, pid: 1, message };
        Message::Done { task: 1, results: vec![Err(error)] }
    };
    env.receive(2, &failed());
    assert_eq!((env.queued().len(), result_of(&task)), (1, None));
    env.receive(2, &failed());
    assert!(matches!(result_of(&task), Some(Err(Error::Task { .. }))), "no retry is left");
}

#[test]
fn values_of_unknown_objects_are_discarded() {
    let env = MockEnvironment::new(0);
    let object = ObjectId { owner: 2, number: 3 };
    env.receive(2, &Message::Value { object, value: Ok(wire_value(&[1], Vec::new())) });
    env.receive(2, &Message::Value { object, value: Err(Error::config("it failed")) });
    assert_eq!((env.sent(), env.effects()), (Vec::new(), Vec::new()));
}

/// The task of `with_remote_task`.
fn number_1(owner: Rank) -> WorkId {
    WorkId::Task(TaskId { owner, number: 1 })
}

/// Which rank the task was sent to, in one message since the last call.
fn sent_to(env: &MockEnvironment) -> Rank {
    match &env.sent()[..] {
        [(to, Message::Task(task))] if task.task.number == 1 && !task.stealable => *to,
        sent => panic!("{sent:?}"),
    }
}

#[test]
fn task_that_ended_its_rank_is_kept_from_rank_0_and_fails_after_the_second() {
    let (env, task) = with_remote_task(9);
    env.kill_running(2, &[number_1(0)], true);
    assert_eq!((sent_to(&env), env.queued().len()), (1, 0));
    env.kill_running(1, &[number_1(0)], true);
    let error = result_of(&task).and_then(Result::err).expect("it failed").to_string();
    assert!(error.contains("task double has ended 2 ranks") && error.contains("rank 2 on host mock"), "{error}");
    assert_eq!((env.sent(), env.queued().len(), env.effects().len()), (Vec::new(), 0, 1));
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn suspect_is_started_on_other_ranks_and_here_only_if_none_is_left() {
    let (env, task) = with_remote_task(9);
    let others = [number_1(0), WorkId::Task(TaskId { owner: 0, number: 7 })];
    env.kill_running(2, &others, false);
    assert_eq!(sent_to(&env), 1);
    env.kill_running(1, &others, false);
    assert_eq!(sent_to(&env), 3);
    env.kill_running(3, &others, false);
    env.run_queued();
    assert_eq!(result_of(&task), Some(Ok(42)));
}

#[test]
fn task_that_ran_alone_on_its_rank_is_not_started_here() {
    let (env, task) = with_remote_task(9);
    [1, 3].into_iter().for_each(|rank| env.kill(rank));
    env.kill_running(2, &[number_1(0)], false);
    let error = result_of(&task).and_then(Result::err).expect("it failed").to_string();
    assert!(error.contains("task double ended it, and only ranks are left"), "{error}");
    assert_eq!((env.sent(), env.queued().len()), (Vec::new(), 0));
}

#[test]
fn task_that_had_not_begun_on_the_dead_rank_starts_here() {
    let (env, task) = with_remote_task(9);
    env.kill_running(2, &[WorkId::Task(TaskId { owner: 0, number: 7 })], true);
    env.run_queued();
    assert_eq!(result_of(&task), Some(Ok(42)));
}

#[test]
fn task_without_retries_fails_with_the_error_of_its_rank() {
    let (env, task) = with_remote_task(0);
    env.kill_running(2, &[number_1(0)], true);
    assert_eq!(result_of(&task), Some(Err(env.death_error(2))));
}
