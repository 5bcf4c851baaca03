//! Evicted copies, fetched from their owner again when they are read.
//!
//! The owner of an object keeps it as long as a reference to it is here. So a copy of its arrays may be evicted from
//! this store without a trace. When it is read then, this rank requests it from the owner once, however many readers
//! there are, and each reader waits as `get` does.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId};
use crate::objects::{ArrayMemory, Links, Pin, Waiter};
use crate::runtime::memory::blocks::OwnMemory;
use crate::runtime::memory::resident_blocks::ResidentBlock;
use crate::runtime::memory::space::may_wait;
use crate::runtime::waiting::WaitEvent;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How often a waiting reader checks whether the owner lives.
const OWNER_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// From which object a block can be fetched again.
#[derive(Default)]
pub struct FetchSource {
    object: Option<(ObjectId, Arc<dyn Links>)>,
    /// Other values than the object need the block: it is no mere copy any more, for good.
    shared: bool,
    /// A request to the owner is pending.
    requested: bool,
    /// The error of the last request, if it failed.
    refusal: Option<Arc<Error>>,
    waiting: Vec<Weak<WaitEvent>>,
}

impl FetchSource {
    /// Returns true if the block can be fetched again.
    pub fn is_known(&self) -> bool {
        self.object.is_some()
    }

    pub fn set_object(&mut self, object: ObjectId, links: &Arc<dyn Links>) {
        if !self.shared {
            self.object = Some((object, links.clone()));
        }
    }

    pub fn share(&mut self) {
        (self.shared, self.object) = (true, None);
    }

    /// The response came: returns the waits to notify.
    fn on_response(&mut self, refusal: Option<Arc<Error>>) -> Vec<Arc<WaitEvent>> {
        (self.requested, self.refusal) = (false, refusal);
        std::mem::take(&mut self.waiting).iter().filter_map(Weak::upgrade).collect()
    }
}

impl ResidentBlock {
    /// Fetches the block from its owner.
    ///
    /// # Errors
    /// The owner's error, its death, or what ends a wait.
    pub fn fetch(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        if !may_wait() {
            return Err(self.object_lost("its copy here was evicted, and cannot be fetched where nothing can wait"));
        }
        loop {
            let Some((object, links)) = lock(&self.state).source.object.clone() else {
                return Err(self.object_lost("its copy here was dropped"));
            };
            self.runtime.block(1, Some(Instant::now() + OWNER_CHECK_INTERVAL), |event| {
                let must_request = {
                    let mut state = lock(&self.state);
                    let must_request = state.memory.is_none() && !state.source.requested;
                    if state.memory.is_some() {
                        event.clone().notify();
                    } else {
                        state.source.waiting.push(Arc::downgrade(event));
                    }
                    if must_request {
                        (state.source.requested, state.source.refusal) = (true, None);
                    }
                    must_request
                };
                if must_request {
                    links.request(object);
                }
            })?;
            if let Some(memory) = self.try_local()? {
                return Ok(memory);
            }
            if let Some(error) = lock(&self.state).source.refusal.clone() {
                return Err((*error).clone());
            }
            if self.runtime.is_dead(object.owner) {
                return Err(self.runtime.death_of(object.owner));
            }
        }
    }

    /// The block was fetched.
    pub fn on_fetched(&self, memory: Arc<dyn ArrayMemory>) {
        // Not under the lock: `PinCell::pin` takes the two locks in the other order.
        let myself = lock(&self.state).weak_self.clone();
        if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
            own.set_pin(myself);
        }
        let waiting = {
            let mut state = lock(&self.state);
            state.memory.get_or_insert(memory);
            state.source.on_response(None)
        };
        waiting.into_iter().for_each(Waiter::notify);
        self.unpin();
    }

    /// The owner responded with an error.
    pub fn on_refused(&self, error: &Arc<Error>) {
        let waiting = lock(&self.state).source.on_response(Some(error.clone()));
        waiting.into_iter().for_each(Waiter::notify);
    }
}
