use crate::base::{ObjectId, Rank};
use crate::protocol::tests::{Effect, MockEnvironment, about};
use crate::protocol::wire::actor_message::{ActorMessage, WireActor};
use crate::protocol::{Environment, Message, NameError, WireAttachment};
use crate::store::CountMessage;

const ONE: ObjectId = ObjectId { owner: 3, number: 1 };
const OTHER: ObjectId = ObjectId { owner: 3, number: 2 };

/// The handle of an actor without restarts, which runs on `location`.
fn handle(actor: ObjectId, location: Rank) -> WireAttachment {
    let label = "Count \"n\"".to_string();
    WireAttachment::Actor(WireActor { actor, location, incarnation: 0, restart_policy: None, label })
}

fn set(token: u64, actor: ObjectId, location: Rank) -> Message<'static> {
    Message::NameSet { token, name: "n".to_string(), kind: "Count".to_string(), handle: handle(actor, location) }
}

fn get(token: u64, name: &str, kind: &str) -> Message<'static> {
    Message::NameGet { token, name: name.to_string(), kind: kind.to_string() }
}

fn free(actor: ObjectId) -> Message<'static> {
    Message::NameFree { name: "n".to_string(), actor }
}

/// Why a request about a name is refused.
fn refusal(sent: Vec<(Rank, Message<'static>)>) -> (Rank, u64, String) {
    match sent.into_iter().find(|(_, message)| !matches!(message, Message::Count(_))) {
        Some((to, Message::NameReply { token, handle: Err(refusal) })) => (to, token, refusal.to_string()),
        other => panic!("no refusal: {other:?}"),
    }
}

/// Rank 1 as the directory of a name that rank 3 gave to an actor on rank 2.
fn with_name() -> MockEnvironment {
    let env = MockEnvironment::new(1);
    env.receive(3, &set(7, ONE, 2));
    assert_eq!(env.sent(), [(3, Message::NameReply { token: 7, handle: Ok(None) })]);
    env
}

#[test]
fn name_that_is_set_twice_for_one_actor_stays_and_another_actor_is_refused() {
    let env = with_name();
    env.receive(3, &set(8, ONE, 2));
    assert_eq!(env.sent(), [(3, Message::NameReply { token: 8, handle: Ok(None) })]);
    env.receive(3, &set(9, OTHER, 2));
    assert_eq!(refusal(env.sent()), (3, 9, "the name \"n\" belongs to another actor".to_string()));
    assert_eq!(env.protocol().names.named_actors(), [("n".to_string(), ONE)]);
}

#[test]
fn registration_without_token_gets_no_reply() {
    let env = with_name();
    env.receive(3, &set(0, ONE, 2));
    env.receive(3, &set(0, OTHER, 2));
    let sent = env.sent();
    assert!(sent.iter().all(|(_, message)| matches!(message, Message::Count(_))), "only grants return: {sent:?}");
    assert_eq!(env.protocol().names.named_actors(), [("n".to_string(), ONE)]);
}

#[test]
fn name_of_something_that_is_no_actor_is_refused() {
    let env = MockEnvironment::new(1);
    let handle = WireAttachment::Reference(ONE);
    env.receive(3, &Message::NameSet { token: 7, name: "n".to_string(), kind: "Count".to_string(), handle });
    assert_eq!(refusal(env.sent()), (3, 7, "the attachment is no handle".to_string()));
    assert_eq!(env.protocol().names.len(), 0);
}

#[test]
fn look_up_gets_a_handle_or_the_reason() {
    let env = with_name();
    env.receive(0, &get(5, "n", "Count"));
    assert_eq!(env.sent(), [(0, Message::NameReply { token: 5, handle: Ok(Some(handle(ONE, 2))) })]);
    env.receive(0, &get(6, "other", "Count"));
    assert_eq!(refusal(env.sent()), (0, 6, "no actor has the name \"other\"".to_string()));
    env.receive(0, &get(7, "n", "Other"));
    assert_eq!(refusal(env.sent()), (0, 7, "the actor named \"n\" is a Count, not a Other".to_string()));
    env.receive(1, &get(8, "n", "Count"));
    assert_eq!((env.sent(), env.effects()), (Vec::new(), vec![Effect::NameReply(8, Ok(Some(ONE)))]), "its own");
}

#[test]
fn name_is_freed_by_its_actor_only_and_may_be_freed_twice() {
    let env = with_name();
    env.receive(3, &free(OTHER));
    assert_eq!(env.protocol().names.len(), 1);
    env.receive(3, &free(ONE));
    env.receive(3, &free(ONE));
    assert_eq!(env.protocol().names.len(), 0);
    let release = CountMessage::Release { object: ONE, grants: 1 };
    assert_eq!(env.sent(), [(3, Message::Count(release))], "the directory's handle is dropped");
}

#[test]
fn reply_reaches_the_requester_with_the_actor_or_the_reason() {
    let env = MockEnvironment::new(0);
    env.receive(1, &Message::NameReply { token: 5, handle: Ok(Some(handle(ONE, 2))) });
    env.receive(1, &Message::NameReply { token: 6, handle: Ok(None) });
    assert_eq!(env.effects(), [Effect::NameReply(5, Ok(Some(ONE))), Effect::NameReply(6, Ok(None))]);
    env.receive(1, &Message::NameReply { token: 7, handle: Ok(Some(WireAttachment::Reference(ONE))) });
    assert_eq!(env.effects(), [Effect::NameReply(7, Err(NameError::NoHandle))]);
}

#[test]
fn death_of_the_location_frees_the_name() {
    let env = with_name();
    env.kill(0);
    assert_eq!(env.protocol().names.len(), 1);
    env.kill(2);
    assert_eq!(env.protocol().names.len(), 0);
}

#[test]
fn death_of_the_owner_makes_the_directory_verify_the_name() {
    let env = with_name();
    env.kill(3);
    assert_eq!(env.sent(), [(2, about(ONE, ActorMessage::VerifyName { name: "n".to_string() }))]);
    assert_eq!(env.protocol().names.len(), 1);
    env.receive(2, &free(ONE));
    assert_eq!(env.protocol().names.len(), 0);
}
