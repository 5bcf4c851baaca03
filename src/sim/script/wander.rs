//! A random body: it starts tasks, puts values, waits, calls actors, passes references on inside of values, drops them.

use crate::sim::random::{Random, mix};
use crate::sim::script::naming::Naming;
use crate::sim::script::{Asks, Deed, Features, Given, Held, Life, Load, Name, Outcome, Program, Script, Spec};

/// References that a body holds, at most: what it meets beyond is dropped.
const REFERENCES_MAX: usize = 12;

/// Steps that a body makes beyond ten, at most.
const STEPS_MORE_MAX: u32 = 30;

/// Handles that a body holds, at most.
const ACTORS_MAX: usize = 4;

/// Bytes of an array, at most.
const ARRAY_BYTES_MAX: u64 = 4_096;

/// Bytes of a large one, at most: most of these come once to a host.
const LARGE_BYTES_MAX: u64 = 1 << 20;

/// The random body.
pub struct Wander<R, A> {
    random: Random,
    features: Features,
    /// Tasks that it may still start, with all that those start.
    budget: u32,
    steps: u32,
    returns: u8,
    /// Everything that it saw, in order.
    digest: u64,
    references: Vec<R>,
    actors: Vec<A>,
    /// What is to be done with the references that the deed under way makes.
    next: Fate,
    /// A failure that it met and passes on.
    failed: Option<u64>,
    /// What it does with an actor of its own that has a name.
    naming: Option<Box<Naming<R, A>>>,
    /// Names that it gave.
    named: u32,
}

/// Names that a herald gives.
pub const SHARED_NAMES: u32 = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
    Cancelled,
}

impl<R: Held, A: Held> Wander<R, A> {
    /// Has seen its arguments already, and holds what is in them.
    pub fn new(spec: &Spec, budget: u32, features: Features, digest: u64, arguments: Vec<Load<R, A>>) -> Wander<R, A> {
        let mut random = Random::new(spec.seed);
        // Who may start many tasks takes its time to do so.
        let steps = 2 + random.below(9) as u32 + (budget / 4).min(STEPS_MORE_MAX);
        let (references, actors, returns) = (Vec::new(), Vec::new(), spec.returns);
        let (next, failed, naming, named) = (Fate::Kept, None, None, 0);
        let mut wander = Wander {
            random,
            features,
            budget,
            steps,
            returns,
            digest,
            references,
            actors,
            next,
            failed,
            naming,
            named,
        };
        arguments.into_iter().for_each(|load| wander.take_up(load));
        wander
    }

    fn take_up(&mut self, load: Load<R, A>) {
        self.references.extend(load.references);
        self.references.truncate(REFERENCES_MAX);
        self.actors.extend(load.actors);
        self.actors.truncate(ACTORS_MAX);
    }

    fn has(&self, feature: Features) -> bool {
        self.features.have(feature)
    }

    fn burn(&mut self) -> Deed<R, A> {
        Deed::Burn(self.random.exponential(5_000.0) as u64)
    }

    /// A value: a number of its own, and with `nested` some of what this body holds.
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
        let count = self.random.below(4);
        let nested = self.has(Features::NESTED);
        let mut given = Vec::new();
        for _ in 0..count {
            let by_reference = !self.references.is_empty() && self.random.chance(400);
            given.push(if by_reference {
                Given::Reference(self.references[self.random.index(self.references.len())].clone())
            } else {
                Given::Value(self.load(nested))
            });
        }
        given
    }

    fn asks(&mut self) -> Asks {
        match self.random.below(8) {
            0 if self.has(Features::PLACES) => Asks::Rank(self.random.below(64) as u32),
            1 => Asks::Spread,
            2 if self.has(Features::FRAGILE) => Asks::OnlyOnce,
            _ => Asks::Nothing,
        }
    }

    fn spawn(&mut self) -> Deed<R, A> {
        let below = self.random.below(u64::from(self.budget) / 2 + 1).min(u64::from(self.budget) - 1) as u32;
        self.budget -= below + 1;
        let program = Program::Wander { budget: below, features: self.features };
        let returns = if self.has(Features::PAIRS) && self.random.chance(200) { 2 } else { 1 };
        let spec = Spec { seed: self.random.number(), returns, program };
        let (given, asks) = (self.given(), self.asks());
        self.next = match self.random.below(10) {
            0 if self.has(Features::STRAYS) => Fate::Cancelled,
            1 if self.has(Features::STRAYS) => Fate::Dropped,
            _ => Fate::Kept,
        };
        Deed::Spawn { spec, given, asks }
    }

    fn get(&mut self) -> Deed<R, A> {
        let place = self.random.index(self.references.len());
        let stays = self.random.chance(500);
        Deed::Get(if stays { self.references[place].clone() } else { self.references.swap_remove(place) })
    }

    fn call(&mut self) -> Deed<R, A> {
        let actor = self.actors[self.random.index(self.actors.len())].clone();
        Deed::Call { actor, given: self.given() }
    }

    fn make(&mut self) -> Deed<R, A> {
        let asks = if self.has(Features::PLACES) && self.random.chance(300) {
            Asks::Rank(self.random.below(64) as u32)
        } else {
            Asks::Nothing
        };
        let life = self.life();
        Deed::Make { seed: self.random.number(), given: self.given(), asks, life, name: None }
    }

    /// An actor's life. Where nothing may be lost for good, it is started again as often as it takes. A call that fails may have
    /// run: one that has a state is called again until it says so.
    fn life(&mut self) -> Life {
        if self.has(Features::ACTORS) && !(self.has(Features::LASTING) && self.random.chance(600)) {
            return Life::Mortal;
        }
        let times =
            |random: &mut Random, few: u32| if random.chance(500) { u32::MAX } else { few + random.below(2) as u32 };
        let mut restarts = times(&mut self.random, 1);
        let mut retries = times(&mut self.random, 0);
        if !self.features.are_mortal() {
            (restarts, retries) = (u32::MAX, u32::MAX);
        }
        if self.random.chance(600) { Life::Lasting { restarts } } else { Life::Echoing { restarts, retries } }
    }

    /// Begins to do things with an actor that has a name.
    fn name(&mut self) -> Deed<R, A> {
        let (life, first, seed) = (self.life(), self.named, self.random.number());
        self.named += 2;
        self.naming = Some(Box::new(Naming::new(seed, first, life)));
        self.next()
    }

    fn makes_actors(&self) -> bool {
        self.has(Features::ACTORS) || self.has(Features::LASTING)
    }

    fn step(&mut self) -> Deed<R, A> {
        let holds = !self.references.is_empty();
        match self.random.below(20) {
            0..7 if self.budget > 0 => self.spawn(),
            0..8 => {
                let load = self.load(true);
                Deed::Put(load)
            }
            8..12 if holds => self.get(),
            12..14 if holds => {
                let place = self.random.index(self.references.len());
                drop(self.references.swap_remove(place));
                self.burn()
            }
            14 if self.makes_actors() && self.actors.len() < ACTORS_MAX => self.make(),
            15 if !self.actors.is_empty() => {
                let place = self.random.index(self.actors.len());
                drop(self.actors.swap_remove(place));
                self.burn()
            }
            16..19 if !self.actors.is_empty() => self.call(),
            16 if self.has(Features::SHARED) => Deed::Find(Name::Shared(self.random.below(SHARED_NAMES.into()) as u32)),
            19 if self.has(Features::NAMES) => self.name(),
            _ => self.burn(),
        }
    }

    fn finish(&mut self) -> Deed<R, A> {
        if self.has(Features::FAILURES) && self.random.chance(60) {
            return Deed::Fail(self.digest | 1);
        }
        let nested = self.has(Features::ESCAPES);
        let loads = (0..self.returns).map(|_| self.load(nested)).collect();
        self.references.clear();
        self.actors.clear();
        Deed::Finish(loads)
    }
}

impl<R: Held, A: Held> Script<R, A> for Wander<R, A> {
    fn next(&mut self) -> Deed<R, A> {
        if let Some(naming) = &mut self.naming {
            match naming.next() {
                Deed::Finish(loads) => {
                    self.digest = loads.iter().fold(self.digest, |seen, load| mix(seen, load.number));
                    self.naming = None;
                }
                deed => return deed,
            }
        }
        if let Some(failed) = self.failed {
            return Deed::Fail(failed);
        }
        if self.next == Fate::Cancelled {
            self.next = Fate::Kept;
            if let Some(reference) = self.references.pop() {
                return Deed::Cancel(reference);
            }
        }
        if self.steps == 0 {
            // Most bodies wait for what they started.
            if !self.references.is_empty() && self.random.chance(700) {
                return self.get();
            }
            return self.finish();
        }
        self.steps -= 1;
        self.step()
    }
    fn keep(&mut self, mut references: Vec<R>) {
        if let Some(naming) = &mut self.naming {
            return naming.keep(references);
        }
        match self.next {
            Fate::Kept => {
                self.references.append(&mut references);
                self.references.truncate(REFERENCES_MAX);
            }
            Fate::Dropped => self.next = Fate::Kept,
            // Cancelled by the next deed. It is the newest, whatever else is held.
            Fate::Cancelled => self.references.extend(references.pop()),
        }
    }
    fn meet(&mut self, actor: A) {
        if let Some(naming) = &mut self.naming {
            return naming.meet(actor);
        }
        self.actors.push(actor);
        self.actors.truncate(ACTORS_MAX);
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        if let Some(naming) = &mut self.naming {
            return naming.got(outcome);
        }
        match outcome {
            Ok(load) => {
                self.digest = mix(self.digest, load.digest());
                self.take_up(load);
            }
            Err(code) => {
                self.digest = mix(self.digest, !code);
                if self.random.chance(500) {
                    self.failed = Some(code);
                }
            }
        }
    }
}
