//! The other ranks from which this rank awaits something, and whose failure it therefore has to notice.
//!
//! | what | awaited from |
//! |---|---|
//! | results of a task on another rank | the rank that has it, and the one that forwarded it there |
//! | the results of an actor's call | the actor's location; while it has none, its owner, which finds one |
//! | permission to release results of an actor with checkpoints | its owner |
//! | a value | its owner |
//! | a block | the rank that was asked for it, and the rank that serves it |
//! | the reply to a steal request | the rank that was asked |
//!
//! A rank does not monitor waits that return to itself through other ranks: each intermediate rank monitors the next
//! one. What no fiber waits for, such as grants on their way back, is not counted.

use crate::base::Rank;
use crate::protocol::Protocol;
use crate::protocol::locks::lock;
use std::collections::BTreeSet;

impl Protocol {
    /// The ranks for which `concerns` is true and from which this rank awaits something. Examines everything in flight:
    /// not for frequent use.
    pub fn awaited(&self, concerns: &impl Fn(Rank) -> bool) -> BTreeSet<Rank> {
        let mut awaited = BTreeSet::new();
        let mut visit = |rank| awaited.extend([rank]);
        self.tasks.remote.awaited(&mut visit);
        self.objects.references.awaited(concerns, &mut visit);
        self.objects.copies.awaited(&mut visit);
        self.actors.instance.awaited(&mut visit);
        self.stealing.awaited().into_iter().for_each(&mut visit);
        let actors = self.objects.references.actors_of_others().into_iter().chain(self.actors.owner.handles());
        for actor in actors.filter(|actor| actor.restart_policy.is_some()) {
            let route = lock(&actor.route);
            if route.has_pending_calls() {
                visit(if route.is_moving() { actor.id.owner } else { route.location().0 });
            }
        }
        awaited.retain(|rank| *rank != self.rank && concerns(*rank));
        awaited
    }

    /// A number that changes with every message received from that rank.
    pub fn receive_count(&self, rank: Rank) -> u32 {
        self.inbound.sequence.receive_count(rank)
    }
}
