//! Of which other ranks this one awaits something: of those it has to notice that they stand still.
//!
//! | what | awaited of |
//! |---|---|
//! | results of a task that is elsewhere | where it is, and who passed it on to there |
//! | the answer to an actor's call | its home; while it has none, its owner, which finds one |
//! | that results of an actor with checkpoints may be shown | its owner |
//! | a value | its owner |
//! | a block | who was asked for it, and who lends it |
//! | the answer to a thief | whom it asked |
//!
//! What a rank awaits of itself through others is those others' matter: each of them awaits it of the next. Rests that
//! nobody waits for, such as grants on their way back, are not counted.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::Protocol;
use std::collections::BTreeSet;

impl Protocol {
    /// The ranks among those that `concerns` names of which something is awaited here. Looks at everything that is under
    /// way: for now and then.
    pub fn awaited(&self, concerns: &impl Fn(Rank) -> bool) -> BTreeSet<Rank> {
        let mut awaited = BTreeSet::new();
        let mut note = |rank| awaited.extend([rank]);
        self.away.awaited(&mut note);
        self.references.awaited(concerns, &mut note);
        self.copies.awaited(&mut note);
        self.actors.awaited(&mut note);
        self.thieving.awaited().into_iter().for_each(&mut note);
        let actors = self.references.actors_of_others().into_iter().chain(self.made.known());
        for actor in actors.filter(|actor| actor.terms.is_some()) {
            let route = lock(&actor.route);
            if route.awaits() {
                note(if route.is_moving() { actor.id.owner } else { route.home().0 });
            }
        }
        awaited.retain(|rank| *rank != self.rank && concerns(*rank));
        awaited
    }

    /// How much has come from a rank: another number whenever something more has.
    pub fn heard_of(&self, rank: Rank) -> u32 {
        self.arrivals.heard_of(rank)
    }
}
