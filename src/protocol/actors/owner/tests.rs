use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::tests::{MockEnvironment, New, about, encoded, wire_value};
use crate::protocol::wire::actor_message::{ActorMessage, FinishedCall, RestartPolicy, WireActor, WireCommit};
use crate::protocol::{Environment, Liveness, Message, WireTask, WorkId};
use crate::registry::{Options, Task, TaskHeader};
use std::sync::Arc;

const ACTOR: ObjectId = ObjectId { owner: 0, number: 5 };

/// Rank 0 with an actor that it owns, on rank 2, which is restarted `restarts` times.
fn created(restarts: u32, name: Option<&str>) -> (MockEnvironment, Arc<ActorRef>) {
    let env = MockEnvironment::new(0);
    let policy = RestartPolicy { retries: 0, checkpoint: true };
    let wire = WireActor {
        actor: ACTOR,
        location: 2,
        incarnation: 0,
        restart_policy: (restarts > 0).then_some(policy),
        label: "Count".to_string(),
    };
    let actor = ActorRef::new(&env, wire);
    let options = Options { name: name.map(str::to_string), max_restarts: Some(restarts), ..Options::default() };
    let task = Task::<New>::new(TaskHeader::new(Some(Box::new(options)), 0), ());
    let name = name.map(|name| (name.to_string(), "Count".to_string()));
    env.protocol().actors.owner.create(&env, &actor, name, task);
    let sent = env.sent();
    assert!(matches!(&sent[..], [(2, message)] if is_constructor(message, 0)), "{sent:?}");
    (env, actor)
}

fn is_constructor(message: &Message<'_>, incarnation: u32) -> bool {
    let target = match message {
        Message::Task(WireTask { actor, .. }) => *actor,
        Message::CompactTask(task) => task.actor,
        _ => None,
    };
    target.is_some_and(|target| (target.actor, target.incarnation) == (ACTOR, incarnation))
}

fn request(incarnation: u32) -> Message<'static> {
    about(ACTOR, ActorMessage::LocationRequest { incarnation })
}

fn reply(to: Rank, incarnation: u32, location: Result<Rank, Error>) -> (Rank, Message<'static>) {
    (to, about(ACTOR, ActorMessage::LocationReply { incarnation, location }))
}

fn died(reason: &str) -> Error {
    Error::ActorDied { actor: "Count".to_string(), reason: reason.to_string() }
}

fn commit(incarnation: u32, sequence: u64, state: &[u8], finished: Vec<FinishedCall<'static>>) -> Message<'static> {
    let state = wire_value(state.to_vec().leak(), Vec::new());
    about(ACTOR, ActorMessage::Commit(WireCommit { incarnation, sequence, state, finished, acked: Vec::new() }))
}

#[test]
fn location_request_for_an_unknown_actor_is_answered_with_its_end() {
    let env = MockEnvironment::new(0);
    env.receive(3, &request(2));
    let error = Error::ActorDied { actor: ACTOR.to_string(), reason: "its last handle was dropped".to_string() };
    assert_eq!(env.sent(), [reply(3, 2, Err(error))]);
}

#[test]
fn location_request_waits_until_the_actor_is_restarted() {
    let (env, _actor) = created(1, None);
    env.receive(3, &request(0));
    assert_eq!(env.sent(), [], "the requester noticed the death first");
    env.select(1);
    env.kill(2);
    let sent = env.sent();
    assert!(is_constructor(&sent[0].1, 1) && sent[0].0 == 1, "{sent:?}");
    assert_eq!(sent[1..], [reply(3, 1, Ok(1))]);
    env.receive(3, &request(0));
    assert_eq!(env.sent(), [reply(3, 1, Ok(1))], "asked again");
}

#[test]
fn death_of_the_location_beyond_max_restarts_ends_the_actor() {
    let (env, _actor) = created(1, None);
    env.select(1);
    env.kill(2);
    env.receive(3, &request(1));
    env.sent();
    env.kill(1);
    let reason = format!("{}; it was started again once, as max_restarts says", env.death_error(1));
    assert_eq!(env.sent(), [reply(3, 1, Err(died(&reason)))]);
    env.receive(3, &request(1));
    assert_eq!(env.sent(), [reply(3, 1, Err(died(&reason)))], "also a later request");
}

#[test]
fn actor_that_ran_when_its_rank_died_is_kept_from_rank_0_and_its_owner() {
    let (env, _actor) = created(9, None);
    env.select(0);
    env.kill_running(2, &[WorkId::Actor(ACTOR)], false);
    let sent = env.sent();
    assert!(matches!(&sent[..], [(1, message)] if is_constructor(message, 1)), "{sent:?}");
    env.kill_running(1, &[WorkId::Actor(ACTOR)], true);
    let sent = env.sent();
    assert!(matches!(&sent[..], [(3, message)] if is_constructor(message, 2)), "{sent:?}");
    env.kill_running(3, &[WorkId::Actor(ACTOR)], true);
    env.receive(1, &request(2));
    assert!(env.queued().is_empty() && env.ready().is_empty(), "it is not created here");
}

#[test]
fn idle_actor_of_a_dead_rank_is_created_where_its_options_direct_it() {
    let (env, actor) = created(9, None);
    env.select(0);
    env.kill_running(2, &[], false);
    assert_eq!(actor.location(), 0);
}

#[test]
fn death_of_another_rank_does_not_move_the_actor() {
    let (env, actor) = created(1, None);
    env.kill(3);
    assert_eq!((env.sent(), actor.location()), (Vec::new(), 2));
}

#[test]
fn only_the_current_incarnation_on_its_location_ends_the_actor() {
    let (env, _actor) = created(1, None);
    let ended = |incarnation| about(ACTOR, ActorMessage::Ended { incarnation, error: died("it ended") });
    env.receive(3, &request(0));
    env.receive(1, &ended(0));
    env.receive(2, &ended(1));
    assert_eq!(env.sent(), [], "of another rank, of another incarnation");
    env.receive(2, &ended(0));
    assert_eq!(env.sent(), [reply(3, 0, Err(died("it ended")))]);
    env.receive(2, &ended(0));
    assert_eq!(env.sent(), [], "the same again");
}

#[test]
fn commit_is_acknowledged_once_and_only_to_the_current_incarnation() {
    let (env, _actor) = created(1, None);
    let state = encoded(7);
    let ack = |sequence| (2, about(ACTOR, ActorMessage::CommitAck { incarnation: 0, sequence }));
    env.receive(1, &commit(0, 1, &state, Vec::new()));
    env.receive(2, &commit(1, 1, &state, Vec::new()));
    assert_eq!(env.sent(), [], "of another rank, of another incarnation");
    env.receive(2, &commit(0, 2, &state, Vec::new()));
    assert_eq!(env.sent(), [ack(2)]);
    env.receive(2, &commit(0, 2, &state, Vec::new()));
    env.receive(2, &commit(0, 1, &state, Vec::new()));
    assert_eq!(env.sent(), [], "the same again, an older one");
}

#[test]
fn restarted_actor_gets_the_saved_state_and_the_finished_calls() {
    let (env, _actor) = created(1, None);
    let results = || vec![Ok(wire_value(encoded(1).leak(), Vec::new()))];
    let finished = |number| FinishedCall { call: TaskId { owner: 3, number }, results: results() };
    env.receive(2, &commit(0, 1, &encoded(1), vec![finished(1)]));
    env.sent();
    env.select(1);
    env.kill(2);
    let sent = env.sent();
    let calls = about(ACTOR, ActorMessage::FinishedCalls { calls: vec![finished(1)] });
    assert_eq!(sent[0], (1, calls), "before the constructor");
    assert!(matches!(&sent[1], (1, Message::Task(task)) if task.args.bytes.0 == encoded(1)), "{sent:?}");
    // The new location numbers its commits from 1.
    env.receive(1, &commit(1, 1, &encoded(2), Vec::new()));
    assert_eq!(env.sent(), [(1, about(ACTOR, ActorMessage::CommitAck { incarnation: 1, sequence: 1 }))]);
}

#[test]
fn kill_goes_to_the_location_and_a_location_request_gets_its_reason() {
    let (env, _actor) = created(1, None);
    let kill = about(ACTOR, ActorMessage::Kill { reason: "it was killed".to_string(), forget: false });
    env.receive(3, &kill);
    assert_eq!(env.sent(), [(2, kill.clone())]);
    env.receive(3, &kill);
    assert_eq!(env.sent(), [(2, kill)], "the same again");
    env.receive(1, &request(0));
    assert_eq!(env.sent(), [reply(1, 0, Err(died("it was killed")))]);
    env.kill(2);
    assert_eq!(env.sent(), [], "it is not restarted");
}

#[test]
fn kill_of_an_unknown_actor_is_remembered_for_calls_that_overtake_the_constructor() {
    let env = MockEnvironment::new(0);
    let id = ObjectId { owner: 1, number: 9 };
    env.receive(1, &about(id, ActorMessage::Kill { reason: "it was killed".to_string(), forget: false }));
    assert_eq!((env.sent(), env.protocol().actors.instance.remembered()), (Vec::new(), 1));
}

#[test]
fn name_of_an_actor_without_restarts_is_freed_when_its_location_dies() {
    let (env, _actor) = created(0, Some("n"));
    env.kill(2);
    let directory = env.protocol().names.directory_rank(&env, "n");
    assert_eq!(env.sent(), [(directory, Message::NameFree { name: "n".to_string(), actor: ACTOR })]);
    env.protocol().actors.owner.free_name(&env, ACTOR);
    assert_eq!(env.sent(), [], "a second time");
}

#[test]
fn name_is_registered_again_when_its_directory_rank_dies() {
    // The first directory rank of the name is a rank without the actor.
    let (env, name) = (0..)
        .map(|number| format!("n{number}"))
        .find_map(|name| {
            let env = MockEnvironment::new(0);
            (env.protocol().names.directory_rank(&env, &name) == 3).then_some((env, name))
        })
        .expect("a hash is somewhere");
    drop(env);
    let (env, _actor) = created(1, Some(&name));
    env.kill(3);
    assert!(env.protocol().names.get(&name, "Count").is_ok(), "rank 0 comes after rank 3");
    env.kill(1);
    assert_eq!(env.sent(), [], "rank 1 was not the directory rank");
}
