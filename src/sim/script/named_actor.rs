//! A script that uses an actor of its own by name: the name resolves to it, no other actor gets the name, and the name
//! is free when the actor has died.

use crate::sim::random::{Random, mix};
use crate::sim::script::{
    Given, Life, Load, Name, Op, Script, ScriptOptions, ScriptRef, TAKEN, ValueOutcome, digest_of,
};
use std::collections::VecDeque;

/// A plan of steps, each of which uses the results of the one before.
pub struct NamedActorUse<R, A> {
    random: Random,
    life: Life,
    plan: VecDeque<NameStep>,
    /// The actor that has the name, and the handle received last.
    named: Option<A>,
    last_met: Option<A>,
    results: Vec<R>,
    digest: u64,
    /// True if the next value must be the failure `TAKEN`.
    expect_taken: bool,
    /// It was not: the named actor has died.
    actor_lost: bool,
}

#[derive(Clone, Copy)]
enum NameStep {
    /// Creates the named actor.
    Make(Name),
    /// Calls the actor whose handle was received last, and waits for the result.
    Call,
    Get,
    Find(Name),
    /// Creates another actor with that name.
    Take(Name),
    KillMet,
    Kill,
    AwaitFree(Name),
}

impl<R: ScriptRef, A: ScriptRef> NamedActorUse<R, A> {
    /// With names of this script from `first` on.
    pub fn new(seed: u64, first: u32, life: Life) -> NamedActorUse<R, A> {
        let mut random = Random::new(seed);
        let mut plan = VecDeque::new();
        // The second round may register a freed name again.
        for round in 0..1 + random.below(2) {
            let name = Name::Own(first + u32::from(round > 0 && random.chance(300)));
            plan.push_back(NameStep::Make(name));
            for _ in 0..random.below(3) {
                plan.extend([NameStep::Call, NameStep::Get]);
            }
            plan.extend([NameStep::Find(name), NameStep::Call, NameStep::Get]);
            if random.chance(500) {
                plan.extend([NameStep::Take(name), NameStep::Call, NameStep::Get, NameStep::KillMet]);
            }
            plan.extend([NameStep::Kill, NameStep::AwaitFree(name)]);
        }
        NamedActorUse {
            random,
            life,
            plan,
            named: None,
            last_met: None,
            results: Vec::new(),
            digest: seed,
            expect_taken: false,
            actor_lost: false,
        }
    }

    fn make(&mut self, name: Name) -> Op<R, A> {
        let (life, task_options) = (self.life, ScriptOptions::Default);
        Op::CreateActor { seed: self.random.number(), given: Vec::new(), task_options, life, name: Some(name) }
    }
}

impl<R: ScriptRef, A: ScriptRef> Script<R, A> for NamedActorUse<R, A> {
    fn next(&mut self) -> Op<R, A> {
        if self.actor_lost {
            return Op::ActorLost;
        }
        match self.plan.pop_front() {
            Some(NameStep::Make(name)) => {
                (self.named, self.last_met) = (None, None);
                self.make(name)
            }
            Some(NameStep::Take(name)) => {
                (self.last_met, self.expect_taken) = (None, true);
                self.make(name)
            }
            Some(NameStep::Find(name)) => Op::LookUpActor(name),
            Some(NameStep::AwaitFree(name)) => Op::AwaitNameFree(name),
            Some(NameStep::KillMet) => self.last_met.take().map_or(Op::Compute(1), Op::Kill),
            Some(NameStep::Kill) => {
                self.last_met = self.last_met.take().filter(|_| self.named.is_none());
                self.named.take().map_or(Op::Compute(1), Op::Kill)
            }
            Some(NameStep::Call) => match self.last_met.clone() {
                Some(actor) => Op::Call { actor, given: vec![Given::Value(Load::of(self.random.number()))] },
                None => Op::Compute(1),
            },
            Some(NameStep::Get) => self.results.pop().map_or(Op::Compute(1), Op::Get),
            None => Op::Finish(vec![Load::of(self.digest)]),
        }
    }
    fn on_references(&mut self, references: Vec<R>) {
        self.results.extend(references);
    }
    fn on_actor(&mut self, actor: A) {
        self.named.get_or_insert_with(|| actor.clone());
        self.last_met = Some(actor);
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.actor_lost = std::mem::take(&mut self.expect_taken) && !matches!(outcome, Err(TAKEN));
        self.digest = mix(self.digest, digest_of(&outcome));
    }
}
