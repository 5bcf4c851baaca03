use crate::base::{Error, TaskId};
use crate::protocol::tests::{Add, Double, Effect, MockEnvironment, encoded, result_of};
use crate::protocol::{Bytes, Environment, Liveness, Message};
use crate::registry::{Arg, Callable, Options, Placement, Runnable, Task, TaskHeader};
use crate::rpc::{PlainBytes, ShortCall, ShortReturn};
use std::sync::Arc;

const NUMBER: u64 = 1 << 63;

/// Rank 0 with a call that it sent to rank 2.
fn with_short_call() -> (MockEnvironment, Arc<Task<Double>>) {
    let env = MockEnvironment::new(0);
    let task = placed(21, Options::default());
    send(&env, &task);
    let args = &21u64.to_ne_bytes()[..];
    let call = ShortCall { number: NUMBER, function: Double::ENTRY.key, recorded: 0, target: None, args };
    assert_eq!(env.sent(), [(2, Message::ShortCall(call))]);
    (env, task)
}

fn placed(number: u64, options: Options) -> Arc<Task<Double>> {
    let options = Options { place: Placement::Rank(2), ..options };
    Task::new(TaskHeader::new(Some(Box::new(options)), 0), (Arg::Value(number),))
}

fn send(env: &MockEnvironment, task: &Arc<Task<Double>>) {
    assert!(task.header().claim_waiting());
    env.protocol().tasks.send(env, &(task.clone() as Arc<dyn Runnable>), 2, None);
}

fn returned(number: u64, value: &[u8]) -> Message<'_> {
    Message::ShortReturn(ShortReturn { number, value })
}

fn called(function: u64, args: &[u8]) -> Message<'_> {
    Message::ShortCall(ShortCall { number: NUMBER | 7, function, recorded: 0, target: None, args })
}

#[test]
fn only_the_first_result_counts() {
    let (env, task) = with_short_call();
    env.receive(2, &returned(NUMBER, &42u64.to_ne_bytes()));
    env.receive(2, &returned(NUMBER, &43u64.to_ne_bytes()));
    env.receive(2, &returned(NUMBER | 99, &44u64.to_ne_bytes()));
    env.receive(2, &Message::Return { task: NUMBER, value: Bytes(&encoded(45)) });
    assert_eq!((result_of(&task), env.sent(), env.protocol().tasks.remote.len()), (Some(Ok(42)), Vec::new(), 0));
}

#[test]
fn general_result_answers_a_short_call() {
    let (env, task) = with_short_call();
    env.receive(2, &Message::Return { task: NUMBER, value: Bytes(&encoded(42)) });
    assert_eq!((result_of(&task), env.protocol().tasks.remote.len()), (Some(Ok(42)), 0));
    let (env, task) = with_short_call();
    let error = Error::config("it failed");
    env.receive(2, &Message::Done { task: NUMBER, results: vec![Err(error.clone())] });
    assert_eq!((result_of(&task), env.protocol().tasks.remote.len()), (Some(Err(error)), 0));
}

#[test]
fn result_of_another_length_is_a_named_error() {
    for value in [&[][..], &[1, 2, 3], &[0; 9]] {
        let (env, task) = with_short_call();
        env.receive(2, &returned(NUMBER, value));
        let error = result_of(&task).and_then(Result::err).expect("it failed").to_string();
        let expected = format!("{} bytes of rank 2 are not the result of double", value.len());
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn death_of_the_rank_fails_the_call() {
    let (env, task) = with_short_call();
    env.kill(2);
    assert_eq!(result_of(&task), Some(Err(env.death_error(2))));
    assert_eq!((env.effects(), env.protocol().tasks.remote.len()), (vec![Effect::Failure(env.death_error(2))], 0));
    let task = placed(21, Options::default());
    send(&env, &task);
    assert_eq!(result_of(&task), Some(Err(env.death_error(2))), "also if it is dead already");
}

#[test]
fn cancelled_call_is_cancelled_there_and_its_result_comes_too_late() {
    let (env, task) = with_short_call();
    let id = TaskId { owner: 0, number: NUMBER };
    env.protocol().tasks.cancel(&env, task.clone());
    assert_eq!(env.sent(), [(2, Message::Cancel { task: id })]);
    env.receive(2, &returned(NUMBER, &42u64.to_ne_bytes()));
    assert_eq!((env.sent(), env.protocol().tasks.remote.len()), (vec![(2, Message::TaskFinished { task: id })], 0));
    assert!(matches!(result_of(&task), Some(Err(Error::Cancelled { .. }))));
}

#[test]
fn short_call_that_arrives_runs_and_is_answered() {
    let env = MockEnvironment::new(0);
    env.receive(3, &called(Double::ENTRY.key, &21u64.to_ne_bytes()));
    env.run_queued();
    assert_eq!(env.sent(), [(3, returned(NUMBER | 7, &42u64.to_ne_bytes()))]);
}

#[test]
fn what_is_no_call_of_a_function_is_answered_with_a_named_error() {
    let env = MockEnvironment::new(0);
    for (function, args, why) in [
        (Double::ENTRY.key, &[1, 2, 3][..], "3 bytes of rank 3 are not the arguments of double"),
        (Double::ENTRY.key, &[0; 16], "16 bytes of rank 3 are not the arguments of double"),
        (Add::ENTRY.key, &[0; 8], "8 bytes of rank 3 are not the arguments of"),
        (7, &[0; 8], "rank 0 has no function with the key 0x7"),
    ] {
        env.receive(3, &called(function, args));
        let sent = env.sent();
        let [(3, Message::Done { task, results })] = &sent[..] else { panic!("{sent:?}") };
        let [Err(error)] = &results[..] else { panic!("{results:?}") };
        assert!(*task == NUMBER | 7 && error.to_string().contains(why), "{error}");
    }
    assert!(env.queued().is_empty());
}

#[test]
fn what_needs_more_than_the_short_path_takes_the_general_one() {
    let env = MockEnvironment::new(0);
    let retried = placed(1, Options { retry_on_error: Some(true), ..Options::default() });
    let named = placed(1, Options { name: Some("one".to_string()), ..Options::default() });
    let many = placed(1, Options { num_returns: Some(1), ..Options::default() });
    let anywhere = Task::<Double>::new(TaskHeader::new(None, 0), (Arg::Value(1),));
    for task in [retried, named, many, anywhere] {
        send(&env, &task);
        let sent = env.sent();
        assert!(matches!(sent[..], [(2, Message::CompactTask(_) | Message::Task(_))]), "{sent:?}");
    }
    assert!(PlainBytes::new().push(&()), "a function without a result is one of numbers too");
}
