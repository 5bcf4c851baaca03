//! Where actors in placement groups live: asked of the group's owner, also when their bundle has to be reserved anew.

use crate::base::{Error, Rank, Result, Seat};
use crate::protocol::{ActorRef, Question, request_of_actor};
use crate::registry::{Options, Placement};
use crate::runtime::Runtime;
use crate::runtime::groups::gone;
use crate::runtime::placing::check_amounts;
use crate::runtime::room::acting;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two questions where a place is that is being reserved: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];

impl Runtime {
    /// Where an actor for that place goes. Waits until the group is ready, and while the bundle of a rank that died is reserved
    /// anew.
    ///
    /// # Errors
    /// Where the group can never be, or is gone.
    pub(super) fn home_for_actor(&'static self, options: &Options, seat: Seat, label: &str) -> Result<Rank> {
        check_amounts(options, label)?;
        let Placement::InGroup(place) = &options.place else { return Ok(self.rank) };
        if let Some(group) = &place.group {
            group.request();
            while !group.core().is_complete() {
                self.block(1, None, |event| group.core().when_complete(event.clone()))?;
            }
            if let Some(error) = group.core().failure() {
                return Err((*error).clone());
            }
        }
        let asked = request_of_actor(options);
        let mut pause = PAUSES[0];
        loop {
            let found = match self.group_owner(seat)? {
                None => self.home_of_seat(seat),
                Some(owner) => self.ask(owner, Question::Home(seat))?,
            };
            match found {
                Ok(Some(rank)) if rank < self.size && !self.is_dead(rank) => return Ok(rank),
                // Where it names a rank that is gone, its owner will hear of that too.
                Ok(_) => self.block(1, Some(Instant::now() + pause), |_| {})?,
                Err(reason) => return Err(gone(label, seat, &format!("{reason} ({} asked for)", asked.shown()))),
            }
            pause = (2 * pause).min(PAUSES[1]);
        }
    }

    /// Finds where an actor's place is from now on, on a thread that is there only for that, and says so to the protocol.
    pub(super) fn find_home_of(&'static self, actor: &Arc<ActorRef>, options: &Options, error: &Error) {
        let (looked_for, wanted, reason) = (actor.clone(), options.clone(), error.clone());
        let look = move || {
            let home = match wanted.seat() {
                Some(seat) => self.home_for_actor(&wanted, seat, &looked_for.label),
                None => Ok(self.rank),
            };
            acting(|| self.protocol.seated(&self, &looked_for, &reason, home));
        };
        if let Err(failure) = std::thread::Builder::new().name(format!("mobula-{}-seat", self.rank)).spawn(look) {
            let home = Err(Error::config(format!("no thread can look for its place: {failure}")));
            self.protocol.seated(&self, actor, error, home);
        }
    }
}
