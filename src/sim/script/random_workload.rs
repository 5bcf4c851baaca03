//! A random script: it starts tasks, puts values, waits, calls actors, passes references on inside of values, drops
//! them.

use crate::sim::random::{Random, mix};
use crate::sim::script::named_actor::NamedActorUse;
use crate::sim::script::{
    Features, Given, Life, Load, Name, Op, Program, Script, ScriptOptions, ScriptRef, Spec, ValueOutcome, digest_of,
};

/// References that a script holds, at most: any more are dropped.
const REFERENCES_MAX: usize = 12;

/// Steps of a script beyond ten, at most.
const STEPS_MORE_MAX: u32 = 30;

/// Handles that a script holds, at most.
const ACTORS_MAX: usize = 4;

/// Bytes of an array, at most.
const ARRAY_BYTES_MAX: u64 = 4_096;

/// Bytes of a large one, at most: most of these are copied once to a host.
const LARGE_BYTES_MAX: u64 = 1 << 20;

/// The random script.
pub struct RandomWorkload<R, A> {
    random: Random,
    features: Features,
    /// Tasks that it may still start, with all that those start.
    budget: u32,
    steps: u32,
    returns: u8,
    /// A digest of everything that it received, in order.
    digest: u64,
    references: Vec<R>,
    actors: Vec<A>,
    /// What to do with the references that the current op produces.
    reference_use: ReferenceUse,
    /// A failure that it received and passes on.
    failed: Option<u64>,
    /// The use of an actor of its own that has a name.
    named_actor: Option<Box<NamedActorUse<R, A>>>,
    /// How many names it has registered.
    names_given: u32,
}

/// Names that a `Broadcast` registers.
pub const SHARED_NAMES: u32 = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum ReferenceUse {
    Keep,
    Drop,
    Cancel,
}

impl<R: ScriptRef, A: ScriptRef> RandomWorkload<R, A> {
    /// A script that has digested its arguments already, and holds what is in them.
    pub fn new(
        spec: &Spec,
        budget: u32,
        features: Features,
        digest: u64,
        arguments: Vec<Load<R, A>>,
    ) -> RandomWorkload<R, A> {
        let mut random = Random::new(spec.seed);
        // A script that may start many tasks takes more steps.
        let steps = 2 + random.below(9) as u32 + (budget / 4).min(STEPS_MORE_MAX);
        let mut random_workload = RandomWorkload {
            random,
            features,
            budget,
            steps,
            returns: spec.returns,
            digest,
            references: Vec::new(),
            actors: Vec::new(),
            reference_use: ReferenceUse::Keep,
            failed: None,
            named_actor: None,
            names_given: 0,
        };
        arguments.into_iter().for_each(|load| random_workload.absorb(load));
        random_workload
    }

    fn absorb(&mut self, load: Load<R, A>) {
        self.references.extend(load.references);
        self.references.truncate(REFERENCES_MAX);
        self.actors.extend(load.actors);
        self.actors.truncate(ACTORS_MAX);
    }

    fn has(&self, feature: Features) -> bool {
        self.features.have(feature)
    }

    fn compute(&mut self) -> Op<R, A> {
        Op::Compute(self.random.exponential(5_000.0) as u64)
    }

    /// A value: a number of its own, and with `nested` some of what this script holds.
    fn load(&mut self, nested: bool) -> Load<R, A> {
        let mut load = Load::of(mix(self.digest, self.random.number()));
        if nested {
            load.references = self.references.iter().filter(|_| self.random.chance(300)).cloned().collect();
            load.actors = self.actors.iter().filter(|_| self.random.chance(300)).cloned().collect();
        }
        if self.has(Features::ARRAYS) && self.random.chance(200) {
            let most = if self.random.chance(300) { LARGE_BYTES_MAX } else { ARRAY_BYTES_MAX };
            load.array_bytes = self.random.below(most) as u32;
        }
        load
    }

    fn given(&mut self) -> Vec<Given<R, A>> {
        let (count, nested) = (self.random.below(4), self.has(Features::NESTED));
        let given = (0..count).map(|_| match !self.references.is_empty() && self.random.chance(400) {
            true => Given::Reference(self.references[self.random.index(self.references.len())].clone()),
            false => Given::Value(self.load(nested)),
        });
        given.collect()
    }

    fn task_options(&mut self) -> ScriptOptions {
        match self.random.below(8) {
            0 if self.has(Features::PLACED) => ScriptOptions::Rank(self.random.below(64) as u32),
            1 => ScriptOptions::Spread,
            2 if self.has(Features::NOT_RETRIED) => ScriptOptions::NoRetry,
            _ => ScriptOptions::Default,
        }
    }

    fn spawn(&mut self) -> Op<R, A> {
        let below = self.random.below(u64::from(self.budget) / 2 + 1).min(u64::from(self.budget) - 1) as u32;
        self.budget -= below + 1;
        let program = Program::RandomWorkload { budget: below, features: self.features };
        let returns = if self.has(Features::PAIRS) && self.random.chance(200) { 2 } else { 1 };
        let spec = Spec { seed: self.random.number(), returns, program };
        let (given, task_options) = (self.given(), self.task_options());
        self.reference_use = match self.random.below(10) {
            0 if self.has(Features::CANCELLED) => ReferenceUse::Cancel,
            1 if self.has(Features::CANCELLED) => ReferenceUse::Drop,
            _ => ReferenceUse::Keep,
        };
        Op::Spawn { spec, given, task_options }
    }

    fn get(&mut self) -> Op<R, A> {
        let index = self.random.index(self.references.len());
        let stays = self.random.chance(500);
        Op::Get(if stays { self.references[index].clone() } else { self.references.swap_remove(index) })
    }

    fn call(&mut self) -> Op<R, A> {
        let actor = self.actors[self.random.index(self.actors.len())].clone();
        Op::Call { actor, given: self.given() }
    }

    fn make(&mut self) -> Op<R, A> {
        let task_options = match self.has(Features::PLACED) && self.random.chance(300) {
            true => ScriptOptions::Rank(self.random.below(64) as u32),
            false => ScriptOptions::Default,
        };
        let life = self.life();
        Op::CreateActor { seed: self.random.number(), given: self.given(), task_options, life, name: None }
    }

    /// An actor's life. If nothing may be lost for good, its restarts have no limit. A call that fails may have run: a
    /// call of an actor with a state is retried until it succeeds.
    fn life(&mut self) -> Life {
        if self.has(Features::ACTORS) && !(self.has(Features::RESTARTED) && self.random.chance(600)) {
            return Life::NotRestarted;
        }
        let times =
            |random: &mut Random, few: u32| if random.chance(500) { u32::MAX } else { few + random.below(2) as u32 };
        let mut restarts = times(&mut self.random, 1);
        let mut retries = times(&mut self.random, 0);
        if !self.features.can_lose_work() {
            (restarts, retries) = (u32::MAX, u32::MAX);
        }
        if self.random.chance(600) { Life::Checkpointed { restarts } } else { Life::Stateless { restarts, retries } }
    }

    /// Begins to use an actor that has a name.
    fn name(&mut self) -> Op<R, A> {
        let (life, first, seed) = (self.life(), self.names_given, self.random.number());
        self.names_given += 2;
        self.named_actor = Some(Box::new(NamedActorUse::new(seed, first, life)));
        self.next()
    }

    fn makes_actors(&self) -> bool {
        self.has(Features::ACTORS) || self.has(Features::RESTARTED)
    }

    fn step(&mut self) -> Op<R, A> {
        let has_references = !self.references.is_empty();
        match self.random.below(20) {
            0..7 if self.budget > 0 => self.spawn(),
            0..8 => Op::Put(self.load(true)),
            8..12 if has_references => self.get(),
            12..14 if has_references => {
                drop(self.references.swap_remove(self.random.index(self.references.len())));
                self.compute()
            }
            14 if self.makes_actors() && self.actors.len() < ACTORS_MAX => self.make(),
            15 if !self.actors.is_empty() => {
                drop(self.actors.swap_remove(self.random.index(self.actors.len())));
                self.compute()
            }
            16..19 if !self.actors.is_empty() => self.call(),
            16 if self.has(Features::SHARED) => {
                Op::LookUpActor(Name::Shared(self.random.below(SHARED_NAMES.into()) as u32))
            }
            19 if self.has(Features::NAMES) => self.name(),
            _ => self.compute(),
        }
    }

    fn finish(&mut self) -> Op<R, A> {
        if self.has(Features::FAILURES) && self.random.chance(60) {
            return Op::Fail(self.digest | 1);
        }
        let nested = self.has(Features::RETURNED_REFERENCES);
        let loads = (0..self.returns).map(|_| self.load(nested)).collect();
        self.references.clear();
        self.actors.clear();
        Op::Finish(loads)
    }
}

impl<R: ScriptRef, A: ScriptRef> Script<R, A> for RandomWorkload<R, A> {
    fn next(&mut self) -> Op<R, A> {
        if let Some(named_actor) = &mut self.named_actor {
            match named_actor.next() {
                Op::Finish(loads) => {
                    self.digest = loads.iter().fold(self.digest, |seen, load| mix(seen, load.number));
                    self.named_actor = None;
                }
                op => return op,
            }
        }
        if let Some(failed) = self.failed {
            return Op::Fail(failed);
        }
        if self.reference_use == ReferenceUse::Cancel {
            self.reference_use = ReferenceUse::Keep;
            if let Some(reference) = self.references.pop() {
                return Op::Cancel(reference);
            }
        }
        if self.steps > 0 {
            self.steps -= 1;
            return self.step();
        }
        // Most scripts wait for what they started.
        let waits = !self.references.is_empty() && self.random.chance(700);
        if waits { self.get() } else { self.finish() }
    }
    fn on_references(&mut self, mut references: Vec<R>) {
        if let Some(named_actor) = &mut self.named_actor {
            return named_actor.on_references(references);
        }
        match self.reference_use {
            ReferenceUse::Keep => {
                self.references.append(&mut references);
                self.references.truncate(REFERENCES_MAX);
            }
            ReferenceUse::Drop => self.reference_use = ReferenceUse::Keep,
            // Cancelled by the next op. It is the newest of those held.
            ReferenceUse::Cancel => self.references.extend(references.pop()),
        }
    }
    fn on_actor(&mut self, actor: A) {
        if let Some(named_actor) = &mut self.named_actor {
            return named_actor.on_actor(actor);
        }
        self.actors.push(actor);
        self.actors.truncate(ACTORS_MAX);
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        if let Some(named_actor) = &mut self.named_actor {
            return named_actor.on_value(outcome);
        }
        self.digest = mix(self.digest, digest_of(&outcome));
        match outcome {
            Ok(load) => self.absorb(load),
            Err(code) => self.failed = self.random.chance(500).then_some(code).or(self.failed),
        }
    }
}
