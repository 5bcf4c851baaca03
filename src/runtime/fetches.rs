//! Copies that made room for others, fetched from their owner again by who reads them.
//!
//! An object that another rank owns is kept there as long as a reference to it is here. So a copy of its arrays may leave this
//! store without a trace. Who wants to read one then asks the owner once, however many ask here, and waits as `get` does.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId};
use crate::objects::{ArrayMemory, Keeper, Links, Waiter};
use crate::runtime::event::Event;
use crate::runtime::holdings::Holding;
use crate::runtime::memory::OwnMemory;
use crate::runtime::room::may_wait;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How often who waits looks whether the owner is still there.
const LOOK: Duration = Duration::from_millis(250);

/// Where a block can be had again.
#[derive(Default)]
pub struct Source {
    object: Option<(ObjectId, Arc<dyn Links>)>,
    /// Values that need the block beside the object: it is no mere copy any more, for good.
    shared: bool,
    /// The owner was asked and has not answered.
    asked: bool,
    /// Its last answer, where that was none.
    refusal: Option<Arc<Error>>,
    waiting: Vec<Weak<Event>>,
}

impl Source {
    /// Whether nothing is lost with the block.
    pub(super) fn is_known(&self) -> bool {
        self.object.is_some()
    }

    pub(super) fn know(&mut self, object: ObjectId, links: &Arc<dyn Links>) {
        if !self.shared {
            self.object = Some((object, links.clone()));
        }
    }

    pub(super) fn share(&mut self) {
        (self.shared, self.object) = (true, None);
    }

    /// The question is answered: who waited for it is told.
    fn answered(&mut self, refusal: Option<Arc<Error>>) -> Vec<Arc<Event>> {
        (self.asked, self.refusal) = (false, refusal);
        std::mem::take(&mut self.waiting).iter().filter_map(Weak::upgrade).collect()
    }
}

impl Holding {
    /// The block from its owner.
    ///
    /// # Errors
    /// What the owner says, that it is gone, or what ends a wait.
    pub(super) fn fetch(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        if !may_wait() {
            return Err(self.lost("its copy here made room for others, and cannot be fetched where nothing can wait"));
        }
        loop {
            let Some((object, links)) = lock(&self.place).source.object.clone() else {
                return Err(self.lost("its copy here is gone"));
            };
            self.runtime.block(1, Some(Instant::now() + LOOK), |event| {
                let ask = {
                    let mut place = lock(&self.place);
                    let ask = place.resident.is_none() && !place.source.asked;
                    if place.resident.is_some() {
                        event.clone().ready();
                    } else {
                        place.source.waiting.push(Arc::downgrade(event));
                    }
                    if ask {
                        (place.source.asked, place.source.refusal) = (true, None);
                    }
                    ask
                };
                if ask {
                    links.request(object);
                }
            })?;
            if let Some(memory) = self.at_hand()? {
                return Ok(memory);
            }
            if let Some(error) = lock(&self.place).source.refusal.clone() {
                return Err((*error).clone());
            }
            if self.runtime.is_dead(object.owner) {
                return Err(self.runtime.death_of(object.owner));
            }
        }
    }

    /// The block came again.
    pub(super) fn refilled(&self, memory: Arc<dyn ArrayMemory>) {
        // Not under the lock: who asks a block for its holding takes the two the other way round.
        let myself = lock(&self.place).myself.clone();
        if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
            own.held_by(myself);
        }
        let waiting = {
            let mut place = lock(&self.place);
            place.resident.get_or_insert(memory);
            place.source.answered(None)
        };
        waiting.into_iter().for_each(Waiter::ready);
        self.closed();
    }

    /// The owner has no more of it than this error.
    pub(super) fn refused(&self, error: &Arc<Error>) {
        let waiting = lock(&self.place).source.answered(Some(error.clone()));
        waiting.into_iter().for_each(Waiter::ready);
    }
}
