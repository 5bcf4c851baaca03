//! What a body does with an actor of its own that has a name: it is found by it, nobody else gets it, and it is free when the
//! actor is gone.

use crate::sim::random::{Random, mix};
use crate::sim::script::{Asks, Deed, Given, Held, Life, Load, Name, Outcome, Script, TAKEN};
use std::collections::VecDeque;

/// One thing after the other, each by what is made or met in the one before.
pub struct Naming<R, A> {
    random: Random,
    life: Life,
    plan: VecDeque<Step>,
    /// The bearer of the name, and whom was met last.
    bearer: Option<A>,
    met: Option<A>,
    made: Vec<R>,
    digest: u64,
    /// Whether what comes next must be that the name is taken.
    taken: bool,
    /// It was not: the bearer is gone.
    lost: bool,
}

#[derive(Clone, Copy)]
enum Step {
    /// Makes the bearer.
    Make(Name),
    /// Calls whom was met last, and waits for what that gives.
    Call,
    Get,
    Find(Name),
    /// Makes another of that name.
    Take(Name),
    KillMet,
    Kill,
    AwaitFree(Name),
}

impl<R: Held, A: Held> Naming<R, A> {
    /// With names of this script from `first` on.
    pub fn new(seed: u64, first: u32, life: Life) -> Naming<R, A> {
        let mut random = Random::new(seed);
        let mut plan = VecDeque::new();
        // A name that was free again is given again.
        for round in 0..1 + random.below(2) {
            let name = Name::Own(first + u32::from(round > 0 && random.chance(300)));
            plan.push_back(Step::Make(name));
            for _ in 0..random.below(3) {
                plan.extend([Step::Call, Step::Get]);
            }
            plan.extend([Step::Find(name), Step::Call, Step::Get]);
            if random.chance(500) {
                plan.extend([Step::Take(name), Step::Call, Step::Get, Step::KillMet]);
            }
            plan.extend([Step::Kill, Step::AwaitFree(name)]);
        }
        Naming {
            random,
            life,
            plan,
            bearer: None,
            met: None,
            made: Vec::new(),
            digest: seed,
            taken: false,
            lost: false,
        }
    }

    fn make(&mut self, name: Name) -> Deed<R, A> {
        let (life, asks) = (self.life, Asks::Nothing);
        Deed::Make { seed: self.random.number(), given: Vec::new(), asks, life, name: Some(name) }
    }
}

impl<R: Held, A: Held> Script<R, A> for Naming<R, A> {
    fn next(&mut self) -> Deed<R, A> {
        if self.lost {
            return Deed::Lost;
        }
        match self.plan.pop_front() {
            Some(Step::Make(name)) => {
                (self.bearer, self.met) = (None, None);
                self.make(name)
            }
            Some(Step::Take(name)) => {
                (self.met, self.taken) = (None, true);
                self.make(name)
            }
            Some(Step::Find(name)) => Deed::Find(name),
            Some(Step::AwaitFree(name)) => Deed::AwaitFree(name),
            Some(Step::KillMet) => self.met.take().map_or(Deed::Burn(1), Deed::Kill),
            Some(Step::Kill) => match self.bearer.take() {
                Some(actor) => {
                    self.met = None;
                    Deed::Kill(actor)
                }
                None => Deed::Burn(1),
            },
            Some(Step::Call) => match self.met.clone() {
                Some(actor) => Deed::Call { actor, given: vec![Given::Value(Load::of(self.random.number()))] },
                None => Deed::Burn(1),
            },
            Some(Step::Get) => self.made.pop().map_or(Deed::Burn(1), Deed::Get),
            None => Deed::Finish(vec![Load::of(self.digest)]),
        }
    }
    fn keep(&mut self, references: Vec<R>) {
        self.made.extend(references);
    }
    fn meet(&mut self, actor: A) {
        self.bearer.get_or_insert_with(|| actor.clone());
        self.met = Some(actor);
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        self.lost = std::mem::take(&mut self.taken) && !matches!(outcome, Err(TAKEN));
        self.digest = mix(self.digest, outcome.map_or_else(|code| !code, |load| load.digest()));
    }
}
