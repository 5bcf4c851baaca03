//! Scripts of a known shape: what each does next follows from its program and from how many ops it has done.

use crate::sim::random::{Random, mix};
use crate::sim::script::{
    Given, Length, Life, Load, Name, Op, Program, Script, ScriptOptions, ScriptRef, Spec, ValueOutcome, digest_of,
};

/// How long a script pauses after the last block was requested.
const PAUSE_NS: u64 = 1_000_000;

/// A script of any program but the random one.
pub struct Shaped<R> {
    spec: Spec,
    /// Ops that it has done.
    step: u32,
    /// Children of a node of a tree.
    branches: u32,
    references: Vec<R>,
    /// Its result.
    number: u64,
}

impl<R> Shaped<R> {
    /// The script of that spec; `seen` is the digest of its seed and arguments.
    pub fn new(spec: &Spec, seen: u64) -> Shaped<R> {
        let (branches, number) = match spec.program {
            Program::Leaf(_) | Program::Block { .. } => (0, seen),
            Program::Tree { depth: 0, .. } => (0, 1),
            Program::Tree { mean_milli, .. } => (children(spec.seed, mean_milli), 1),
            Program::Broadcast { .. } => (0, spec.seed),
            _ => (0, 0),
        };
        Shaped { spec: spec.clone(), step: 0, branches, references: Vec::new(), number }
    }
}

/// Geometrically distributed, as in the trees T1 and T3 of UTS: many nodes have none, a few have dozens.
fn children(seed: u64, mean_milli: u32) -> u32 {
    let mean = f64::from(mean_milli) / 1_000.0;
    let draw = 1.0 - Random::of(seed, 0x7472_6565).fraction();
    (draw.ln() / (mean / (1.0 + mean)).ln()) as u32
}

fn spawn<R, A>(seed: u64, program: Program, given: Vec<R>, task_options: ScriptOptions) -> Option<Op<R, A>> {
    let given = given.into_iter().map(Given::Reference).collect();
    Some(Op::Spawn { spec: Spec::new(seed, program), given, task_options })
}

impl<R: ScriptRef, A: ScriptRef> Script<R, A> for Shaped<R> {
    fn next(&mut self) -> Op<R, A> {
        let Shaped { spec: Spec { seed, program, .. }, step, references, .. } = self;
        let done = std::mem::replace(step, *step + 1);
        let seed_of = |index: u64| mix(*seed, index);
        let free = ScriptOptions::Default;
        // References stay until the end, unless they are popped.
        let get = |references: &[R], index: u32| references.get(index as usize).cloned().map(Op::Get);
        let op = match program {
            Program::Leaf(length) => (done == 0).then(|| Op::Compute(length.compute_ns(*seed))),
            Program::Block { .. } => (done == 0).then_some(Op::Compute(0)),
            Program::Fan { children, placed, child } if done < *children => {
                let task_options = if *placed { ScriptOptions::Rank(done) } else { free };
                spawn(seed_of(done.into()), (**child).clone(), Vec::new(), task_options)
            }
            Program::Fan { children, .. } => get(references, done - *children),
            Program::Rounds { width, rounds, child } => {
                let (round, position) = (done / (*width + 2), done % (*width + 2));
                let seed = seed_of(u64::from(*rounds - round) << 32 | u64::from(position + 1));
                if round == *rounds {
                    None
                } else if position < *width {
                    spawn(seed, (**child).clone(), Vec::new(), free)
                } else if position == *width {
                    spawn(seed, Program::Leaf(Length::Even { mean_ns: 0 }), std::mem::take(references), free)
                } else {
                    references.pop().map(Op::Get)
                }
            }
            Program::Near { blocks, bytes, .. } if done < *blocks => {
                spawn(seed_of(done.into()), Program::Block { bytes: *bytes }, Vec::new(), ScriptOptions::Rank(done))
            }
            // By then the locations of the blocks are known: waiting for the blocks would fetch them.
            Program::Near { blocks, .. } if done == *blocks => Some(Op::Compute(PAUSE_NS)),
            Program::Near { blocks, uses, length, .. } => {
                let (index, used) = (done - 1, *blocks * *uses);
                if index < *blocks + used {
                    let block = references[(index % *blocks) as usize].clone();
                    spawn(seed_of(index.into()), Program::Leaf(*length), vec![block], free)
                } else {
                    get(references, index - used)
                }
            }
            Program::Tree { length, .. } if done == 0 => Some(Op::Compute(length.compute_ns(*seed))),
            Program::Tree { mean_milli, depth, length } if done <= self.branches => {
                let child = Program::Tree { mean_milli: *mean_milli, depth: *depth - 1, length: *length };
                spawn(seed_of(u64::from(done - 1)), child, Vec::new(), free)
            }
            Program::Broadcast { names, .. } if done < *names => {
                let (restarts, retries) = (u32::MAX, u32::MAX);
                let life = match done % 2 {
                    0 => Life::Checkpointed { restarts },
                    _ => Life::Stateless { restarts, retries },
                };
                let (seed, name) = (seed_of(done.into()), Some(Name::Shared(done)));
                Some(Op::CreateActor { seed, given: Vec::new(), task_options: free, life, name })
            }
            Program::Broadcast { names, children, budget, features } if done < *names + *children => {
                let child = Program::RandomWorkload { budget: *budget, features: *features };
                spawn(seed_of(u64::from(done - *names + 1) << 32), child, Vec::new(), free)
            }
            // The newest first: those are still in this rank's own queue.
            Program::Tree { .. } | Program::Broadcast { .. } => references.pop().map(Op::Get),
            Program::RandomWorkload { .. } => unreachable!("it has no known shape"),
        };
        op.unwrap_or_else(|| {
            let array_bytes = if let Program::Block { bytes } = program { *bytes } else { 0 };
            Op::Finish(vec![Load { array_bytes, ..Load::of(self.number) }])
        })
    }
    fn on_references(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.number = match self.spec.program {
            Program::Broadcast { .. } => mix(self.number, digest_of(&outcome)),
            _ => self.number.wrapping_add(outcome.map_or(0, |load| load.number)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_the_mean_number_of_children() {
        let all: u64 = (0..100_000).map(|seed| u64::from(children(seed, 3_000))).sum();
        assert!((290_000..310_000).contains(&all), "{all}");
        assert!((0..100_000).any(|seed| children(seed, 3_000) > 30));
    }
}
