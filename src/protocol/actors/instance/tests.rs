use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::encode;
use crate::protocol::tests::{Add, Effect, MockEnvironment, New, about, encoded, wire_task, wire_value};
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget, FinishedCall};
use crate::protocol::{BlockAddress, Bytes, Environment, Liveness, Message, WireAttachment, WireOptions, WireTask};
use crate::registry::Callable;
use crate::rpc::{ShortCall, ShortReturn, ShortTarget};

const ACTOR: ObjectId = ObjectId { owner: 0, number: 5 };

/// The constructor, as rank 0 sends it to rank 1.
fn constructor(max_restarts: u32, name: Option<&str>) -> WireTask<'static> {
    let options =
        WireOptions { max_restarts: Some(max_restarts), name: name.map(str::to_string), ..WireOptions::default() };
    let task = wire_task(
        TaskId { owner: 0, number: 1 },
        New::ENTRY,
        Some(ActorTarget::of(ACTOR)),
        wire_value(no_arguments(), Vec::new()),
    );
    WireTask { options: Some(options), ..task }
}

/// Rank 1 with the actor.
fn constructed(max_restarts: u32, name: Option<&str>) -> MockEnvironment {
    let env = MockEnvironment::new(1);
    env.receive(0, &Message::Task(constructor(max_restarts, name)));
    assert_eq!(env.run_actors(), 0);
    env.sent();
    env
}

fn no_arguments() -> &'static [u8] {
    encode(&()).expect("nothing encodes").bytes.leak()
}

/// Call `number` of rank 3.
fn call(number: u64, acked_below: u64) -> Message<'static> {
    let target = ActorTarget { actor: ACTOR, incarnation: 0, acked_below };
    let task = TaskId { owner: 3, number };
    Message::of_task(wire_task(task, Add::ENTRY, Some(target), wire_value(no_arguments(), Vec::new())), 3)
}

fn returned(task: u64, value: u64) -> (Rank, Message<'static>) {
    (3, Message::Return { task, value: Bytes(encoded(value).leak()) })
}

fn kill(reason: &str, forget: bool) -> Message<'static> {
    about(ACTOR, ActorMessage::Kill { reason: reason.to_string(), forget })
}

fn died(actor: &str, reason: &str) -> Error {
    Error::ActorDied { actor: actor.to_string(), reason: reason.to_string() }
}

fn remembered(env: &MockEnvironment) -> usize {
    env.protocol().actors.instance.remembered()
}

#[test]
fn call_that_overtakes_the_constructor_runs_after_it() {
    let env = MockEnvironment::new(1);
    env.receive(3, &call(1, 1));
    assert_eq!(env.run_actors(), 0);
    env.receive(0, &Message::Task(constructor(0, None)));
    assert_eq!(env.run_actors(), 1);
    let sent = env.sent();
    assert!(sent.contains(&returned(1, 1)), "{sent:?}");
}

#[test]
fn call_of_an_actor_whose_owner_died_unknown_here_is_refused() {
    let env = MockEnvironment::new(1);
    env.kill(0);
    env.receive(3, &call(1, 1));
    let reason = format!("it ended with the rank that owned it: {}", env.death_error(0));
    let results = vec![Err(died(&ACTOR.to_string(), &reason))];
    assert_eq!(env.sent(), [(3, Message::Done { task: 1, results })]);
    assert_eq!(remembered(&env), 0);
}

#[test]
fn ended_actor_is_remembered_until_its_last_handle_is_dropped() {
    let env = constructed(0, None);
    env.receive(0, &kill("it was killed", false));
    env.receive(3, &call(1, 1));
    let refused = Message::Done { task: 1, results: vec![Err(died("Count", "it was killed"))] };
    assert_eq!(env.sent(), [(3, refused)]);
    assert_eq!(remembered(&env), 1);
    env.receive(0, &kill("its last handle was dropped", true));
    env.receive(0, &kill("its last handle was dropped", true));
    assert_eq!(remembered(&env), 0);
}

#[test]
fn second_kill_changes_nothing_and_the_first_reason_stays() {
    let env = constructed(1, None);
    env.receive(0, &kill("first", false));
    let ended = about(ACTOR, ActorMessage::Ended { incarnation: 0, error: died("Count", "first") });
    assert_eq!(env.sent(), [(0, ended)]);
    env.receive(0, &kill("second", false));
    assert_eq!(env.sent(), []);
    env.receive(3, &call(1, 1));
    let refused = Message::Done { task: 1, results: vec![Err(died("Count", "first"))] };
    assert_eq!(env.sent(), [(3, refused)]);
}

#[test]
fn constructor_that_arrives_after_the_kill_does_not_run_and_frees_its_name() {
    let env = MockEnvironment::new(1);
    env.receive(0, &kill("it was killed", false));
    env.receive(0, &Message::Task(constructor(0, Some("n"))));
    assert_eq!((env.run_actors(), env.ready().len()), (0, 0));
    let directory = env.protocol().names.directory_rank(&env, "n");
    let freed = Message::NameFree { name: "n".to_string(), actor: ACTOR };
    let failed = Message::Done { task: 1, results: vec![Err(died("an actor", "it was killed"))] };
    assert_eq!(env.sent(), [(directory, freed), (0, failed)]);
}

#[test]
fn last_kill_of_an_unknown_actor_leaves_no_trace() {
    let env = MockEnvironment::new(1);
    env.receive(0, &kill("its last handle was dropped", true));
    assert_eq!((remembered(&env), env.sent()), (0, Vec::new()));
}

#[test]
fn result_is_released_after_the_commit_ack_and_a_call_runs_once() {
    let env = constructed(1, None);
    env.receive(3, &call(1, 1));
    env.receive(3, &call(1, 1));
    env.receive(3, &call(2, 1));
    assert_eq!(env.run_actors(), 2, "a call that arrived twice runs once");
    let is_commit = |message: &Message<'_>, number: u64| {
        let Message::Actor { message: ActorMessage::Commit(commit), .. } = message else { return false };
        commit.sequence == number
    };
    let sent = env.sent();
    assert!(sent.len() == 1 && sent[0].0 == 0 && is_commit(&sent[0].1, 1), "the second one waits: {sent:?}");
    let ack = |incarnation, sequence| about(ACTOR, ActorMessage::CommitAck { incarnation, sequence });
    env.receive(0, &ack(7, 1));
    env.receive(0, &ack(0, 2));
    env.receive(2, &ack(0, 1));
    assert_eq!(env.sent(), [], "another incarnation's, another commit's, of another rank than the owner");
    env.receive(0, &ack(0, 1));
    let sent = env.sent();
    assert!(sent.len() == 2 && sent[0] == returned(1, 1) && sent[1].0 == 0 && is_commit(&sent[1].1, 2), "{sent:?}");
    env.receive(0, &ack(0, 1));
    assert_eq!(env.sent(), [], "the same again");
    // A caller without the result retries the call: the result is sent again, and the call does not run again.
    env.receive(3, &call(1, 1));
    assert_eq!((env.run_actors(), env.sent()), (0, vec![returned(1, 1)]));
    // The caller has acknowledged the result: neither happens.
    env.receive(3, &about(ACTOR, ActorMessage::ResultsAck { acked_below: 2 }));
    env.receive(3, &call(1, 1));
    assert_eq!((env.run_actors(), env.sent()), (0, Vec::new()));
}

#[test]
fn acknowledgements_about_an_unknown_actor_change_nothing() {
    let env = MockEnvironment::new(1);
    env.receive(3, &about(ACTOR, ActorMessage::ResultsAck { acked_below: 2 }));
    env.receive(0, &about(ACTOR, ActorMessage::CommitAck { incarnation: 0, sequence: 1 }));
    assert_eq!((remembered(&env), env.sent()), (0, Vec::new()));
}

#[test]
fn call_that_ran_in_an_earlier_incarnation_does_not_run_again() {
    let env = MockEnvironment::new(1);
    let value = encoded(9);
    let finished = |number| {
        let results = vec![Ok(wire_value(&value, Vec::new()))];
        about(
            ACTOR,
            ActorMessage::FinishedCalls { calls: vec![FinishedCall { call: TaskId { owner: 3, number }, results }] },
        )
    };
    env.receive(0, &finished(1));
    env.receive(2, &finished(2));
    env.receive(0, &Message::Task(constructor(1, None)));
    env.receive(3, &call(1, 1));
    env.receive(3, &call(2, 1));
    assert_eq!(env.run_actors(), 1, "only the owner's report of a finished call counts");
    assert!(env.sent().contains(&returned(1, 9)));
}

#[test]
fn name_is_verified_only_while_the_actor_has_it() {
    let env = constructed(0, Some("n"));
    let verify = |name: &str| about(ACTOR, ActorMessage::VerifyName { name: name.to_string() });
    let free = |name: &str| (2, Message::NameFree { name: name.to_string(), actor: ACTOR });
    env.receive(2, &verify("n"));
    assert_eq!(env.sent(), []);
    env.receive(2, &verify("other"));
    assert_eq!(env.sent(), [free("other")]);
    env.receive(0, &kill("it was killed", false));
    env.sent();
    env.receive(2, &verify("n"));
    assert_eq!(env.sent(), [free("n")]);
    let unknown = MockEnvironment::new(1);
    unknown.receive(2, &verify("n"));
    assert_eq!((unknown.sent(), remembered(&unknown)), (vec![free("n")], 0));
}

#[test]
fn unnamed_actor_ends_with_its_owner_and_its_calls_are_refused() {
    let env = constructed(1, None);
    env.receive(3, &call(1, 1));
    env.kill(0);
    let results = vec![Err(died("Count", &env.death_error(0).to_string()))];
    assert_eq!(env.sent(), [(3, Message::Done { task: 1, results })]);
    assert_eq!(remembered(&env), 0);
}

#[test]
fn named_actor_continues_after_its_owner_and_releases_its_results() {
    let env = constructed(1, Some("n"));
    env.receive(3, &call(1, 1));
    assert_eq!(env.run_actors(), 1);
    env.sent();
    env.kill(0);
    let sent = env.sent();
    assert!(sent.contains(&returned(1, 1)), "{sent:?}");
    env.receive(3, &call(2, 1));
    assert_eq!((env.run_actors(), env.sent()), (1, vec![returned(2, 2)]), "without a commit");
}

#[test]
fn constructor_whose_arguments_are_lost_ends_the_actor() {
    let env = MockEnvironment::new(1);
    // The block belongs to this rank, which does not know it.
    let block = BlockAddress { block: ObjectId { owner: 1, number: 77 }, offset: 0, bytes: 8 };
    let args = wire_value(&[], vec![WireAttachment::Array(block)]);
    env.receive(0, &Message::Task(WireTask { args, ..constructor(1, None) }));
    let sent = env.sent();
    assert!(
        matches!(
            &sent[..],
            [
                (0, Message::Actor { message: ActorMessage::Ended { incarnation: 0, .. }, .. }),
                (0, Message::TaskNotStarted { task: 1, hops: 0, .. })
            ]
        ),
        "{sent:?}"
    );
    env.receive(3, &call(1, 1));
    let sent = env.sent();
    assert!(matches!(&sent[..], [(3, Message::Done { task: 1, .. })]), "{sent:?}");
}

#[test]
fn constructor_whose_arguments_do_not_decode_ends_the_actor() {
    let env = MockEnvironment::new(1);
    let args = wire_value(&[1, 2, 3], Vec::new());
    env.receive(0, &Message::Task(WireTask { args, ..constructor(1, None) }));
    let sent = env.sent();
    assert!(
        matches!(
            &sent[..],
            [(0, Message::Actor { message: ActorMessage::Ended { .. }, .. }), (0, Message::Done { task: 1, .. })]
        ),
        "{sent:?}"
    );
    assert_eq!(env.effects(), Vec::<Effect>::new());
}

fn short_call(number: u64, args: &[u8]) -> Message<'_> {
    let target = Some(ShortTarget { actor: ACTOR, caller: 0 });
    Message::ShortCall(ShortCall { number: 1 << 63 | number, function: Add::ENTRY.key, recorded: 0, target, args })
}

fn short_return(number: u64, value: u64) -> (Rank, Message<'static>) {
    let value = value.to_ne_bytes().to_vec().leak();
    (3, Message::ShortReturn(ShortReturn { number: 1 << 63 | number, value }))
}

#[test]
fn short_and_general_calls_of_one_caller_keep_their_order() {
    let env = constructed(0, None);
    env.receive(3, &call(1, 0));
    env.receive(3, &short_call(2, &[]));
    env.receive(3, &call(3, 0));
    assert_eq!(env.run_actors(), 3);
    assert_eq!(env.sent(), [returned(1, 1), short_return(2, 2), returned(3, 3)]);
}

#[test]
fn short_call_of_an_actor_that_ended_is_refused() {
    let env = constructed(0, None);
    env.receive(0, &kill("it was killed", false));
    env.receive(3, &short_call(1, &[]));
    let results = vec![Err(died("Count", "it was killed"))];
    assert_eq!(env.sent(), [(3, Message::Done { task: 1 << 63 | 1, results })]);
}

#[test]
fn short_call_with_other_arguments_or_of_no_method_is_refused() {
    let env = constructed(0, None);
    env.receive(3, &short_call(1, &[1]));
    let Message::ShortCall(call) = short_call(2, &[]) else { unreachable!("it is one") };
    env.receive(3, &Message::ShortCall(ShortCall { function: New::ENTRY.key, ..call }));
    env.receive(3, &Message::ShortCall(ShortCall { function: Add::ENTRY.key, target: None, ..call }));
    let sent = env.sent();
    assert!(sent.len() == 3 && sent.iter().all(|(_, message)| matches!(message, Message::Done { .. })), "{sent:?}");
    assert_eq!(env.run_actors(), 0);
}
