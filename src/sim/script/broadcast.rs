//! The first task of work in which all scripts know the names of actors: it creates the actors, and starts scripts that
//! look them up.

use crate::sim::random::mix;
use crate::sim::script::{
    Features, Life, Load, Name, Op, Program, Script, ScriptOptions, ScriptRef, Spec, ValueOutcome,
};

/// Creates named actors, starts scripts, waits for all of them. The actors stay.
pub struct Broadcast<R> {
    seed: u64,
    names: u32,
    children: u32,
    child: Program,
    named: u32,
    started: u32,
    references: Vec<R>,
    digest: u64,
}

impl<R> Broadcast<R> {
    /// So many names, and so many scripts with so many tasks below each.
    pub fn new(seed: u64, names: u32, (children, budget): (u32, u32), features: Features) -> Broadcast<R> {
        let child = Program::RandomWorkload { budget, features };
        Broadcast { seed, names, children, child, named: 0, started: 0, references: Vec::new(), digest: seed }
    }
}

impl<R: ScriptRef, A: ScriptRef> Script<R, A> for Broadcast<R> {
    fn next(&mut self) -> Op<R, A> {
        if self.named < self.names {
            let number = self.named;
            self.named += 1;
            let (restarts, retries) = (u32::MAX, u32::MAX);
            let life = match number % 2 {
                0 => Life::Checkpointed { restarts },
                _ => Life::Stateless { restarts, retries },
            };
            let (seed, name) = (mix(self.seed, u64::from(number)), Some(Name::Shared(number)));
            return Op::CreateActor { seed, given: Vec::new(), task_options: ScriptOptions::Default, life, name };
        }
        if self.started < self.children {
            self.started += 1;
            let spec = Spec::new(mix(self.seed, u64::from(self.started) << 32), self.child.clone());
            return Op::Spawn { spec, given: Vec::new(), task_options: ScriptOptions::Default };
        }
        match self.references.pop() {
            Some(reference) => Op::Get(reference),
            None => Op::Finish(vec![Load::of(self.digest)]),
        }
    }
    fn on_references(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.digest = mix(self.digest, outcome.map_or_else(|code| !code, |load| load.digest()));
    }
}
