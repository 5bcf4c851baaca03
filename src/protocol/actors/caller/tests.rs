use crate::base::{Error, ObjectId, Rank};
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::tests::{Add, Effect, MockEnvironment, about, encoded};
use crate::protocol::wire::actor_message::{ActorMessage, RestartPolicy, WireActor};
use crate::protocol::{Bytes, CompactTask, Environment, Liveness, Message};
use crate::registry::{Callable, Outputs, Single, Task, TaskHeader};
use crate::rpc::{ShortCall, ShortReturn, ShortTarget};
use crate::store::CountMessage;
use std::sync::Arc;

const ACTOR: ObjectId = ObjectId { owner: 0, number: 5 };

fn wire(location: Rank, incarnation: u32, retries: u32) -> WireActor {
    let restart_policy = Some(RestartPolicy { retries, checkpoint: false });
    WireActor { actor: ACTOR, location, incarnation, restart_policy, label: "Count".to_string() }
}

/// Rank 1 with a handle of the actor, which runs on rank 2; its calls are retried that often.
fn with_handle(retries: u32) -> (MockEnvironment, Arc<ActorRef>) {
    let env = MockEnvironment::new(1);
    let actor = ActorRef::import(&env, &wire(2, 0, retries), 0).expect("it is alive");
    assert_eq!(env.sent(), []);
    (env, actor)
}

fn call(env: &MockEnvironment, actor: &Arc<ActorRef>) -> Arc<Task<Add>> {
    let task = Task::<Add>::new(TaskHeader::new(None, 0), ());
    assert!(actor.restart_policy.is_some());
    actor.submit(env, task.clone());
    task
}

fn result(task: &Arc<Task<Add>>) -> Option<Result<u64, Error>> {
    <Single<u64> as Outputs>::refs(task)
        .ready()
        .map(|result| result.map(|number| *number).map_err(|error| (*error).clone()))
}

/// The calls among the messages: receiver, number, incarnation.
fn calls(env: &MockEnvironment) -> Vec<(Rank, u64, u32)> {
    let call = |(to, message): (Rank, Message<'static>)| match message {
        Message::CompactTask(CompactTask { task, actor: Some(target), .. }) => (to, task, target.incarnation),
        other => panic!("no call: {other:?}"),
    };
    env.sent().into_iter().map(call).collect()
}

fn reply(incarnation: u32, location: Result<Rank, Error>) -> Message<'static> {
    about(ACTOR, ActorMessage::LocationReply { incarnation, location })
}

fn request(incarnation: u32) -> (Rank, Message<'static>) {
    (0, about(ACTOR, ActorMessage::LocationRequest { incarnation }))
}

fn died(reason: &str) -> Error {
    Error::ActorDied { actor: "Count".to_string(), reason: reason.to_string() }
}

#[test]
fn result_completes_the_call_once() {
    let (env, actor) = with_handle(0);
    let task = call(&env, &actor);
    assert_eq!(calls(&env), [(2, 1, 0)]);
    env.receive(2, &Message::Return { task: 1, value: Bytes(&encoded(3)) });
    env.receive(2, &Message::Return { task: 1, value: Bytes(&encoded(4)) });
    assert_eq!((result(&task), env.sent()), (Some(Ok(3)), Vec::new()));
}

#[test]
fn calls_wait_while_the_location_is_unknown_and_are_sent_in_order() {
    let (env, actor) = with_handle(1);
    let _first = call(&env, &actor);
    assert_eq!(calls(&env), [(2, 1, 0)]);
    env.kill(2);
    assert_eq!(env.sent(), [request(0)], "once");
    let _second = call(&env, &actor);
    assert_eq!(env.sent(), []);
    env.receive(3, &reply(1, Ok(3)));
    env.receive(0, &reply(0, Ok(3)));
    assert_eq!(env.sent(), [], "from another rank than the owner, of an old incarnation");
    env.receive(0, &reply(1, Ok(3)));
    assert_eq!(calls(&env), [(3, 1, 1), (3, 2, 1)]);
    env.receive(0, &reply(1, Ok(3)));
    assert_eq!(env.sent(), [], "the same again");
}

#[test]
fn call_without_retries_fails_once_the_new_location_is_known() {
    let (env, actor) = with_handle(0);
    let (in_flight, waits) = (call(&env, &actor), {
        env.sent();
        env.kill(2);
        env.sent();
        call(&env, &actor)
    });
    assert_eq!(result(&in_flight), None);
    env.receive(0, &reply(1, Ok(3)));
    assert!(matches!(result(&in_flight), Some(Err(Error::ActorDied { .. }))));
    assert_eq!((calls(&env), result(&waits)), (vec![(3, 2, 1)], None), "it was never sent");
    assert!(matches!(env.effects()[..], [Effect::Failure(Error::ActorDied { .. })]));
}

#[test]
fn end_of_the_actor_fails_its_calls_and_later_ones() {
    let (env, actor) = with_handle(9);
    let task = call(&env, &actor);
    env.sent();
    env.receive(0, &reply(0, Err(died("it ended"))));
    assert_eq!(result(&task), Some(Err(died("it ended"))));
    env.receive(0, &reply(1, Ok(3)));
    let later = call(&env, &actor);
    assert_eq!((result(&later), env.sent()), (Some(Err(died("it ended"))), Vec::new()));
}

#[test]
fn location_reply_about_an_actor_without_handle_is_ignored() {
    let env = MockEnvironment::new(1);
    env.receive(0, &reply(1, Ok(3)));
    env.receive(0, &reply(1, Err(died("it ended"))));
    assert_eq!((env.sent(), env.effects()), (Vec::new(), Vec::new()));
}

#[test]
fn new_location_that_is_dead_already_is_asked_for_again() {
    let (env, _actor) = with_handle(1);
    env.kill(2);
    env.kill(3);
    assert_eq!(env.sent(), [request(0)]);
    env.receive(0, &reply(1, Ok(3)));
    assert_eq!(env.sent(), [request(1)]);
}

#[test]
fn handle_whose_location_is_dead_requests_the_new_one() {
    let env = MockEnvironment::new(1);
    env.kill(2);
    let actor = ActorRef::import(&env, &wire(2, 0, 0), 0).expect("it is alive");
    assert_eq!(env.sent(), [request(0)]);
    // Another rank knows more.
    let same = ActorRef::import(&env, &wire(3, 1, 0), 3).expect("it is alive");
    assert!(Arc::ptr_eq(&actor, &same) && actor.location() == 3);
    assert_eq!(env.sent(), [(0, Message::Count(CountMessage::Borrow { object: ACTOR, from: 3 }))]);
}

#[test]
fn death_of_the_owner_while_the_location_is_unknown_fails_the_calls() {
    let (env, actor) = with_handle(9);
    let task = call(&env, &actor);
    env.kill(2);
    env.sent();
    env.kill(0);
    let reason = format!("{}; it is not started again, because rank 0, which owns it, is dead", env.death_error(0));
    assert_eq!(result(&task), Some(Err(died(&reason))));
}

#[test]
fn kill_goes_to_the_rank_that_decides() {
    let (env, actor) = with_handle(0);
    let kill = about(ACTOR, ActorMessage::Kill { reason: "it was killed".to_string(), forget: false });
    actor.kill(&env);
    assert_eq!(env.sent(), [(0, kill.clone())], "its owner could restart it");
    env.kill(0);
    actor.kill(&env);
    assert_eq!(env.sent(), [(2, kill.clone())], "its owner is dead");
    let never_restarted = ActorRef::uncounted(WireActor { restart_policy: None, ..wire(3, 0, 0) });
    never_restarted.kill(&env);
    assert_eq!(env.sent(), [(3, kill)]);
}

#[test]
fn last_handle_returns_its_grants() {
    let (env, actor) = with_handle(0);
    let second = ActorRef::import(&env, &wire(2, 0, 0), 0).expect("it is alive");
    drop(actor);
    assert_eq!(env.sent(), []);
    drop(second);
    assert_eq!(env.sent(), [(0, Message::Count(CountMessage::Release { object: ACTOR, grants: 2 }))]);
    assert_eq!(env.protocol().table_sizes(), []);
}

#[test]
fn call_of_an_actor_that_is_never_restarted_is_short_and_keeps_the_handle_until_it_is_answered() {
    let env = MockEnvironment::new(1);
    let wire = WireActor { restart_policy: None, ..wire(2, 0, 0) };
    let actor = ActorRef::import(&env, &wire, 0).expect("it is alive");
    let task = Task::<Add>::new(TaskHeader::new(None, 9), ());
    assert_eq!(actor.submit(&env, task.clone()), Some(2));
    let target = Some(ShortTarget { actor: ACTOR, caller: 9 });
    let number = 1 << 63;
    let call = ShortCall { number, function: Add::ENTRY.key, recorded: 0, target, args: &[] };
    assert_eq!(env.sent(), [(2, Message::ShortCall(call))]);
    let handle = Arc::downgrade(&actor);
    drop(actor);
    assert!(handle.upgrade().is_some(), "the call keeps it");
    env.receive(2, &Message::ShortReturn(ShortReturn { number, value: &7u64.to_ne_bytes() }));
    assert_eq!((result(&task), handle.upgrade().is_none()), (Some(Ok(7)), true));
}

#[test]
fn death_of_the_location_fails_a_short_call() {
    let env = MockEnvironment::new(1);
    let wire = WireActor { restart_policy: None, ..wire(2, 0, 0) };
    let actor = ActorRef::import(&env, &wire, 0).expect("it is alive");
    let task = Task::<Add>::new(TaskHeader::new(None, 0), ());
    actor.submit(&env, task.clone());
    env.kill(2);
    let error = died(&env.death_error(2).to_string());
    assert_eq!((result(&task), env.protocol().tasks.remote.len()), (Some(Err(error.clone())), 0));
    let later = Task::<Add>::new(TaskHeader::new(None, 0), ());
    actor.submit(&env, later.clone());
    assert_eq!(result(&later), Some(Err(error)), "also if it is dead already");
}
