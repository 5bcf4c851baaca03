//! Requests of other ranks for values of this rank's objects.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::{ObjectId, Rank};
use crate::objects::{AnySlot, Waiter};
use crate::protocol::Message;
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::objects::unfetched::Requester;
use crate::protocol::objects::value_encoding::encode_value;
use std::sync::{Arc, Mutex};

/// A rank's request for a value: the value is sent once it is complete, or its addresses once it is known to be
/// unfetched.
pub(in crate::protocol) struct FetchRequest<D> {
    pub(in crate::protocol) env: D,
    /// The requested object, until the reply. The request is in the promise's list of waiters, so a permanent reference
    /// would be a cycle.
    pub(in crate::protocol) slot: Mutex<Option<Arc<dyn AnySlot>>>,
    pub(in crate::protocol) number: u64,
    pub(in crate::protocol) rank: Rank,
}

impl<D: Environment> Requester for FetchRequest<D> {
    fn rank(&self) -> Rank {
        self.rank
    }
    fn take(&self) -> Option<Arc<dyn AnySlot>> {
        lock(&self.slot).take()
    }
    fn number(&self) -> u64 {
        self.number
    }
}

impl<D: Environment> Waiter for FetchRequest<D> {
    fn notify(self: Arc<Self>) {
        let Some(slot) = self.take() else { return };
        let (env, to) = (&self.env, self.rank);
        let protocol = env.protocol();
        if protocol.objects.has_unmapped_stores {
            protocol.objects.unfetched.remove_requester(slot.address(), |requester| {
                requester.rank() == to && requester.number() == self.number
            });
        }
        let object = ObjectId { owner: env.rank(), number: self.number };
        let value = match &slot.encode() {
            Ok(serialized) => match encode_value(env, serialized, to, INLINE_BYTES_MAX) {
                Ok(wire) => return env.send(to, &Message::Value { object, value: Ok(wire) }),
                Err(error) => Err(error.clone()),
            },
            Err(error) => Err(error.clone()),
        };
        env.send(to, &Message::Value { object, value });
    }
}
