use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::tests::{Add, Double, Effect, MockEnvironment, double, wire_task, wire_value};
use crate::protocol::wire::values::Bytes;
use crate::protocol::{
    BlockAddress, BlockStore, Environment, FailureKind, LastWork, Message, SendSequence, UNNUMBERED_HEADER,
    WireAttachment,
};
use crate::registry::{Callable, Runnable};
use crate::rpc::{ShortCall, ShortTarget};

/// Sends to rank 0 as rank `from` does, with numbers.
struct Sender(Rank, SendSequence);

impl Sender {
    fn message(&mut self, message: &Message<'_>) -> Vec<u8> {
        message.encode(self.1.next(|| 0).to_vec())
    }
}

fn sender(from: Rank) -> Sender {
    Sender(from, SendSequence::default())
}

fn cancel(number: u64) -> Message<'static> {
    Message::Cancel { task: TaskId { owner: 2, number } }
}

fn cancelled(env: &MockEnvironment) -> usize {
    env.protocol().tasks.cancelled.len()
}

/// A task of rank 2 with an array in a block of `owner`.
fn task_with_array(number: u64, owner: Rank) -> Message<'static> {
    let block = BlockAddress { block: ObjectId { owner, number: 5 }, offset: 0, bytes: 64 };
    let args: &[u8] = double(1).encode_args(None).expect("a number encodes").bytes.leak();
    let args = wire_value(args, vec![WireAttachment::Array(block)]);
    Message::Task(wire_task(TaskId { owner: 2, number }, Double::ENTRY, None, args))
}

/// The read that was started is done, or failed.
fn finish_read(env: &MockEnvironment, is_there: bool) {
    let pulls = env.pulls();
    let [(token, bytes, _)] = pulls[..] else { panic!("one read: {pulls:?}") };
    let lost = Error::ObjectLost { object: "o2.5".to_string(), reason: "its rank died".to_string() };
    let memory = if is_there { env.store_block(&vec![0; bytes as usize]) } else { Err(lost) };
    env.protocol().objects.copies.on_pulled(env, token, memory);
}

#[test]
fn message_that_comes_twice_takes_effect_once_and_a_gap_ends_the_link() {
    let env = MockEnvironment::new(0);
    let mut sender = sender(2);
    let [first, second, _lost, fourth] = [1, 2, 3, 4].map(|number| sender.message(&cancel(number)));
    env.protocol().receive(&env, sender.0, &first);
    env.protocol().receive(&env, sender.0, &second);
    env.protocol().receive(&env, sender.0, &first);
    assert_eq!((cancelled(&env), env.effects()), (2, Vec::new()));
    env.protocol().receive(&env, sender.0, &fourth);
    assert_eq!((cancelled(&env), env.effects()), (2, vec![Effect::LinkFailure(2)]));
}

#[test]
fn fragments_that_are_refused_end_the_link() {
    let env = MockEnvironment::new(0);
    let inner = Message::Fragment { number: 2, is_last: true, bytes: Bytes(b"x") }.encode(Vec::new());
    env.receive(2, &Message::Fragment { number: 1, is_last: true, bytes: Bytes(&inner) });
    assert_eq!(env.effects(), [Effect::LinkFailure(2)]);
    let inner = cancel(1).encode(Vec::new());
    env.receive(3, &Message::Fragment { number: 1, is_last: true, bytes: Bytes(&inner) });
    assert_eq!((cancelled(&env), env.effects()), (1, Vec::new()), "of another rank");
}

#[test]
fn bytes_that_are_no_message_are_dropped() {
    let env = MockEnvironment::new(0);
    let mut sender = sender(2);
    env.protocol().receive(&env, 2, &[1]);
    let mut garbage = sender.message(&Message::Shutdown);
    garbage.extend([1, 2, 3]);
    env.protocol().receive(&env, 2, &garbage);
    assert_eq!(env.effects(), []);
    env.protocol().receive(&env, 2, &sender.message(&cancel(1)));
    assert_eq!(cancelled(&env), 1, "the next message is handled");
}

#[test]
fn message_that_names_no_rank_of_the_cluster_is_dropped() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::Cancel { task: TaskId { owner: 4, number: 1 } });
    env.receive(2, &Message::TasksMoved { tasks: Vec::new(), to: 9 });
    assert_eq!((cancelled(&env), env.effects()), (0, Vec::new()));
}

#[test]
fn message_of_a_dead_rank_has_no_effect_and_its_sender_is_notified() {
    let env = MockEnvironment::new(0);
    let mut sender = sender(2);
    env.kill_unnoticed(2);
    env.protocol().receive(&env, 2, &sender.message(&cancel(1)));
    assert_eq!((cancelled(&env), env.effects()), (0, vec![Effect::NotifiedDead(2)]));
}

#[test]
fn load_of_the_sender_is_recorded_when_it_changes() {
    let env = MockEnvironment::new(0);
    let header = SendSequence::default().next(|| 3).to_vec();
    env.protocol().receive(&env, 2, &cancel(1).encode(header));
    assert_eq!(env.protocol().stealing.queued_on(2), 4);
}

#[test]
fn message_of_another_module_goes_to_the_environment() {
    let env = MockEnvironment::new(0);
    env.receive(2, &Message::ShutdownReady);
    assert_eq!(env.effects(), [Effect::Other(2)]);
}

#[test]
fn message_that_lacks_a_block_delays_its_sender_s_next_ones_only() {
    let env = MockEnvironment::new(0);
    env.receive(2, &task_with_array(8, 2));
    env.receive(2, &cancel(1));
    assert_eq!((env.queued().len(), cancelled(&env)), (0, 0));
    env.receive(3, &cancel(2));
    assert_eq!(cancelled(&env), 1, "of another sender");
    let suspect =
        Message::Suspect { rank: 3, reason: String::new(), kind: FailureKind::Link, last_work: LastWork::Unknown };
    let bytes = suspect.encode(UNNUMBERED_HEADER.to_vec());
    env.protocol().receive(&env, 2, &bytes);
    assert_eq!(env.effects(), [Effect::Other(2)], "about links");
    finish_read(&env, true);
    assert_eq!((env.queued().len(), cancelled(&env)), (1, 2));
    env.receive(2, &cancel(3));
    assert_eq!((cancelled(&env), env.protocol().inbound.deferred.len()), (3, 0), "at once");
}

fn short_call(function: u64, args: &[u8], owner: Option<Rank>) -> Message<'_> {
    let target = owner.map(|owner| ShortTarget { actor: ObjectId { owner, number: 5 }, caller: 0 });
    Message::ShortCall(ShortCall { number: 1 << 63, function, recorded: 0, target, args })
}

#[test]
fn short_call_of_an_actor_waits_behind_deferred_messages_and_one_of_a_function_does_not() {
    let env = MockEnvironment::new(0);
    let actors = || env.protocol().actors.instance.remembered();
    env.receive(2, &task_with_array(8, 2));
    env.receive(2, &short_call(Add::ENTRY.key, &[], Some(1)));
    env.receive(2, &short_call(Double::ENTRY.key, &21u64.to_ne_bytes(), None));
    assert_eq!((env.queued().len(), actors()), (1, 0));
    finish_read(&env, true);
    assert_eq!((env.queued().len(), actors()), (1, 1), "the actor is expected now");
}

#[test]
fn short_call_of_an_actor_whose_owner_is_no_rank_is_dropped() {
    let env = MockEnvironment::new(0);
    env.receive(2, &short_call(Add::ENTRY.key, &[], Some(4)));
    assert_eq!((env.protocol().actors.instance.remembered(), env.sent().len(), env.effects()), (0, 0, Vec::new()));
}

#[test]
fn message_whose_block_cannot_be_fetched_is_handled_without_it() {
    let env = MockEnvironment::new(0);
    env.receive(2, &task_with_array(8, 3));
    env.receive(2, &cancel(1));
    finish_read(&env, false);
    let sent = env.sent();
    assert!(sent.iter().any(|(to, message)| *to == 2 && matches!(message, Message::TaskNotStarted { task: 8, .. })));
    assert_eq!((env.queued().len(), cancelled(&env), env.protocol().inbound.deferred.len()), (0, 1, 0));
}

#[test]
fn deferred_messages_of_a_dead_rank_are_forgotten() {
    let env = MockEnvironment::new(0);
    env.receive(2, &task_with_array(8, 2));
    env.receive(2, &cancel(1));
    env.kill(2);
    assert_eq!(env.protocol().inbound.deferred.len(), 0);
    finish_read(&env, true);
    assert_eq!((env.queued().len(), cancelled(&env)), (0, 0));
}

#[test]
fn stolen_tasks_start_one_by_one_when_their_blocks_arrive() {
    let env = MockEnvironment::new(0);
    let Message::Task(lacks_block) = task_with_array(8, 2) else { unreachable!("it is a task") };
    let Message::Task(complete) = task_with_array(9, 1) else { unreachable!("it is a task") };
    let tasks = vec![complete, lacks_block];
    env.receive(2, &Message::StealReply { tasks, sent_ahead: 0, is_response: false });
    assert_eq!(env.queued().len(), 1, "the block of rank 1 is mapped");
    finish_read(&env, true);
    assert_eq!((env.queued().len(), env.protocol().inbound.deferred.len()), (1, 0));
}
