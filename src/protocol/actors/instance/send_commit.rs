//! Commits of an actor with checkpoints, on their way to its owner.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::{Error, ObjectId};
use crate::objects::SerializedValue;
use crate::protocol::Message;
use crate::protocol::actors::instance::commits::Commit;
use crate::protocol::actors::owner::owned_actors::CallResults;
use crate::protocol::actors::retained_values::encode_call;
use crate::protocol::environment::Environment;
use crate::protocol::objects::value_encoding::encode_value;
use crate::protocol::wire::actor_message::{ActorMessage, WireCommit};
use std::sync::Arc;

/// Sends a commit to an actor's owner.
///
/// # Errors
/// Where it does not encode, or does not fit into the store.
pub fn try_send_commit(
    env: &impl Environment,
    id: ObjectId,
    incarnation: u32,
    commit: &Commit<Arc<SerializedValue>, CallResults>,
) -> Result<(), Error> {
    if id.owner == env.rank() {
        // The actor was restarted on its owner's rank: nothing is sent, so no reference is counted.
        let (numbers, calls) = ((incarnation, commit.sequence), commit.finished.clone());
        env.protocol().actors.owner.store_commit(
            env,
            (env.rank(), id),
            numbers,
            (commit.state.clone(), calls),
            &commit.acked,
        );
        return Ok(());
    }
    let values = 1 + commit.finished.iter().map(|(_, results)| results.len()).sum::<usize>();
    let inline_bytes_max = INLINE_BYTES_MAX / values;
    let state = encode_value(env, &commit.state, id.owner, inline_bytes_max)?;
    let finished = commit.finished.iter();
    let finished = finished.map(|(call, results)| encode_call(env, *call, results, id.owner, inline_bytes_max));
    let finished = finished.collect::<Result<Vec<_>, Error>>()?;
    let (sequence, acked) = (commit.sequence, commit.acked.clone());
    let message = ActorMessage::Commit(WireCommit { incarnation, sequence, state, finished, acked });
    env.send(id.owner, &Message::Actor { actor: id, message });
    Ok(())
}
