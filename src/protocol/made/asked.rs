//! What others ask of an actor's owner: that it ends, and where it is.

use super::Entry;
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank};
use crate::protocol::actor_message::About;
use crate::protocol::driver::Driver;
use crate::protocol::handles::LAST_DROPPED;
use crate::protocol::{Message, Protocol};

impl Protocol {
    /// Somebody ends an actor: the one that this rank would start again, or one that lives here.
    pub(in crate::protocol) fn on_kill(&self, driver: &impl Driver, id: ObjectId, reason: &str, last: bool) {
        let home = {
            let mut made = lock(&self.made.0);
            let entry = made.get_mut(&id).filter(|entry| entry.restart.is_some() || entry.ended.is_some());
            entry.map(|entry| {
                let error = Error::ActorDied { actor: entry.label.clone(), reason: reason.to_string() };
                entry.ended.get_or_insert(error);
                entry.home
            })
        };
        match home {
            // It does as it is told, and says so.
            Some(home) if home != self.rank => {
                let about = About::Kill { reason: reason.to_string(), last };
                driver.send(home, &Message::Actor { actor: id, about });
            }
            _ => self.actors.kill(driver, id, reason, last),
        }
    }

    /// Somebody asks where an actor of this rank lives, because that incarnation's home is gone.
    pub(in crate::protocol) fn on_where(&self, driver: &impl Driver, from: Rank, id: ObjectId, known: u32) {
        // Dropped after the lock, as what is had of an entry.
        let handle = self.references.find_actor(id);
        let answer = {
            let mut made = lock(&self.made.0);
            match made.get_mut(&id) {
                Some(Entry { ended: Some(error), incarnation, .. }) => Some((*incarnation, Err(error.clone()))),
                Some(Entry { restart: Some(restart), home, incarnation, .. }) => {
                    if *incarnation > known && !restart.placing {
                        Some((*incarnation, Ok(*home)))
                    } else {
                        restart.askers.push(from);
                        None
                    }
                }
                // It has its name, whose keeper knows that its home is gone, and is not built yet.
                None if handle.is_some() => {
                    lock(&self.made.1).entry(id).or_default().push(from);
                    None
                }
                _ => Some((known, Err(Error::ActorDied { actor: id.to_string(), reason: LAST_DROPPED.to_string() }))),
            }
        };
        if let Some((incarnation, home)) = answer {
            driver.send(from, &Message::Actor { actor: id, about: About::Lives { incarnation, home } });
        }
    }
}
