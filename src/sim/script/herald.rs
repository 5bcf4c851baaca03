//! The first task of work in which actors are known by name: it makes them, and starts bodies that look them up.

use crate::sim::random::mix;
use crate::sim::script::{Asks, Deed, Features, Held, Life, Load, Name, Outcome, Program, Script, Spec};

/// Makes actors with names, starts bodies, waits for all of them. The actors stay.
pub struct Herald<R> {
    seed: u64,
    names: u32,
    children: u32,
    child: Program,
    named: u32,
    started: u32,
    references: Vec<R>,
    digest: u64,
}

impl<R> Herald<R> {
    /// So many names, and so many bodies with so many tasks below each.
    pub fn new(seed: u64, names: u32, (children, budget): (u32, u32), features: Features) -> Herald<R> {
        let child = Program::Wander { budget, features };
        Herald { seed, names, children, child, named: 0, started: 0, references: Vec::new(), digest: seed }
    }
}

impl<R: Held, A: Held> Script<R, A> for Herald<R> {
    fn next(&mut self) -> Deed<R, A> {
        if self.named < self.names {
            let number = self.named;
            self.named += 1;
            let (restarts, retries) = (u32::MAX, u32::MAX);
            let life = match number % 2 {
                0 => Life::Lasting { restarts },
                _ => Life::Echoing { restarts, retries },
            };
            let (seed, name) = (mix(self.seed, u64::from(number)), Some(Name::Shared(number)));
            return Deed::Make { seed, given: Vec::new(), asks: Asks::Nothing, life, name };
        }
        if self.started < self.children {
            self.started += 1;
            let spec = Spec::new(mix(self.seed, u64::from(self.started) << 32), self.child.clone());
            return Deed::Spawn { spec, given: Vec::new(), asks: Asks::Nothing };
        }
        match self.references.pop() {
            Some(reference) => Deed::Get(reference),
            None => Deed::Finish(vec![Load::of(self.digest)]),
        }
    }
    fn keep(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        self.digest = mix(self.digest, outcome.map_or_else(|code| !code, |load| load.digest()));
    }
}
