use crate::base::{Rank, TaskId};
use crate::protocol::tests::{Double, MockEnvironment, double, wire_task, wire_value};
use crate::protocol::{Environment, Message};
use crate::registry::{Callable, Runnable};

fn reply(tasks: usize, is_response: bool) -> Message<'static> {
    let args: &[u8] = double(1).encode_args(None).expect("a number encodes").bytes.leak();
    let task = |number| wire_task(TaskId { owner: 3, number }, Double::ENTRY, None, wire_value(args, Vec::new()));
    Message::StealReply { tasks: (0..tasks as u64).map(task).collect(), sent_ahead: 0, is_response }
}

/// Queues tasks on the rank.
fn queue(env: &MockEnvironment, tasks: usize) {
    (0..tasks as u64).for_each(|number| env.protocol().tasks.launch_here(env, double(number)));
}

/// How many tasks each message brings to whom.
fn replies(env: &MockEnvironment) -> Vec<(Rank, usize, bool)> {
    let reply = |(to, message)| match message {
        Message::StealReply { tasks, is_response, .. } => (to, tasks.len(), is_response),
        other => panic!("no reply: {other:?}"),
    };
    env.sent().into_iter().map(reply).collect()
}

#[test]
fn request_to_a_rank_without_work_gets_an_empty_reply() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Steal { remember: false });
    assert_eq!(replies(&env), [(2, 0, true)]);
    queue(&env, 4);
    env.protocol().stealing.serve_stealers(&env);
    assert_eq!(replies(&env), [], "it did not ask to be remembered");
}

#[test]
fn request_gets_half_of_what_the_own_workers_leave() {
    let env = MockEnvironment::new(0);
    queue(&env, 1);
    env.receive(2, &Message::Steal { remember: false });
    assert_eq!(replies(&env), [(2, 0, true)], "the last task is for the own worker");
    queue(&env, 4);
    env.receive(2, &Message::Steal { remember: false });
    assert_eq!(replies(&env), [(2, 2, true)]);
    assert_eq!(env.protocol().tasks.remote.len(), 2);
}

#[test]
fn rank_that_asked_twice_to_be_remembered_gets_work_once() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Steal { remember: true });
    env.receive(2, &Message::Steal { remember: true });
    assert_eq!(replies(&env), [(2, 0, true), (2, 0, true)]);
    assert!(env.protocol().stealing.has_stealers());
    queue(&env, 3);
    env.protocol().stealing.serve_stealers(&env);
    env.protocol().stealing.serve_stealers(&env);
    assert_eq!(replies(&env), [(2, 1, false)]);
    assert!(!env.protocol().stealing.has_stealers());
}

#[test]
fn dead_rank_is_not_remembered() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Steal { remember: true });
    env.kill(2);
    assert!(!env.protocol().stealing.has_stealers());
}

#[test]
fn one_request_is_in_flight_until_its_reply_or_the_death_of_its_receiver() {
    let env = MockEnvironment::new(0);
    let stealing = &env.protocol().stealing;
    env.set_idle();
    stealing.request_work(&env);
    let sent = env.sent();
    let [(first, Message::Steal { .. })] = sent[..] else { panic!("{sent:?}") };
    assert_eq!(stealing.awaited(), Some(first));
    stealing.request_work(&env);
    assert_eq!(env.sent(), []);
    env.receive(first, &reply(0, true));
    let sent = env.sent();
    let [(second, Message::Steal { .. })] = sent[..] else { panic!("{sent:?}") };
    env.kill(second);
    let sent = env.sent();
    assert!(matches!(sent[..], [(third, Message::Steal { .. })] if third != second), "{sent:?}");
}

#[test]
fn reply_with_tasks_queues_them_and_requests_no_more() {
    let env = MockEnvironment::new(0);
    env.set_idle();
    env.protocol().stealing.request_work(&env);
    let victim = env.protocol().stealing.awaited().expect("it is idle");
    env.sent();
    env.receive(victim, &reply(2, true));
    assert_eq!((env.sent(), env.queued().len(), env.protocol().stealing.awaited()), (Vec::new(), 2, None));
}

#[test]
fn reply_without_a_request_changes_nothing() {
    let env = MockEnvironment::new(0);
    env.receive(2, &reply(0, true));
    assert_eq!((env.sent(), env.protocol().stealing.awaited()), (Vec::new(), None));
}

#[test]
fn work_that_comes_without_a_request_leaves_the_request_in_flight() {
    let env = MockEnvironment::new(0);
    env.set_idle();
    env.protocol().stealing.request_work(&env);
    let victim = env.protocol().stealing.awaited();
    env.sent();
    env.receive(2, &reply(1, false));
    assert_eq!((env.queued().len(), env.protocol().stealing.awaited()), (1, victim));
}

#[test]
fn load_of_a_dead_rank_is_not_recorded() {
    let env = MockEnvironment::new(0);
    env.protocol().stealing.on_load(2, 3);
    assert_eq!(env.protocol().stealing.queued_on(2), 4);
    env.kill(2);
    env.protocol().stealing.on_load(2, 3);
    assert_eq!(env.protocol().stealing.queued_on(2), 0);
}
