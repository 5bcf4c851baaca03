//! The sequential run: the results of every task when each runs to its end where it is started.

use crate::sim::actor_model::ActorModel;
use crate::sim::script::{Given, Load, Op, Script, Spec, TAKEN, ValueOutcome, begin};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Index of a value or an actor in the list of all.
type Index = usize;
type Item = ValueOutcome<Index, Index>;

/// The state of a sequential run.
#[derive(Default)]
struct ReferenceModel {
    items: Vec<Item>,
    /// An actor whose constructor failed is its failure.
    actors: Vec<Result<ActorModel<Index, Index>, u64>>,
    /// The named actors.
    names: FxHashMap<String, Index>,
    callers: u64,
    tasks: u64,
    compute_ns: Vec<u64>,
    spawned_max: u64,
}

/// The outcome of a sequential run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceAnswer {
    /// The results of the first task: a digest of each, or the code of its failure.
    pub results: Vec<Result<u64, u64>>,
    /// Tasks that ran, the first included.
    pub tasks: u64,
    /// Nanoseconds that each computed, in the order in which they ended.
    pub compute_ns: Vec<u64>,
    /// Tasks that one script started, at most.
    pub spawned_max: u64,
}

/// Runs `spec` and everything that it starts.
pub fn reference_answer(spec: &Spec) -> ReferenceAnswer {
    let mut model = ReferenceModel::default();
    let results = model.run(spec, Vec::new());
    let results = results.into_iter().map(|item| item.map(|load| load.digest())).collect();
    ReferenceAnswer { results, tasks: model.tasks, compute_ns: model.compute_ns, spawned_max: model.spawned_max }
}

impl ReferenceAnswer {
    /// Nanoseconds that all of them computed.
    pub fn total_compute_ns(&self) -> u64 {
        self.compute_ns.iter().sum()
    }

    /// No run with so many workers takes less: all compute time, shared by all, or the longest task.
    pub fn lower_bound_ns(&self, workers: usize) -> u64 {
        let longest_ns = self.compute_ns.iter().copied().max().unwrap_or_default();
        (self.total_compute_ns() / workers as u64).max(longest_ns)
    }

    /// The time of so many workers that draw from one queue which costs nothing. A scheduler that does not know the
    /// lengths of tasks does better only by luck: the longest may be the last.
    pub fn one_queue_ns(&self, workers: usize) -> u64 {
        let mut free_at_ns: BinaryHeap<Reverse<u64>> = std::iter::repeat_n(Reverse(0), workers).collect();
        for compute_ns in &self.compute_ns {
            if let Some(mut first) = free_at_ns.peek_mut() {
                first.0 += compute_ns;
            }
        }
        free_at_ns.into_iter().map(|Reverse(at_ns)| at_ns).max().unwrap_or_default()
    }
}

impl ReferenceModel {
    fn run(&mut self, spec: &Spec, arguments: Vec<Load<Index, Index>>) -> Vec<Item> {
        self.tasks += 1;
        self.callers += 1;
        let caller = self.callers;
        let mut script = begin::<Index, Index>(spec, arguments);
        let (mut total_compute_ns, mut spawned) = (0, 0);
        let items = loop {
            match script.next() {
                Op::Compute(ns) => total_compute_ns += ns,
                Op::Finish(loads) => break loads.into_iter().map(Ok).collect(),
                Op::Fail(code) => break vec![Err(code); usize::from(spec.returns)],
                op => {
                    spawned += u64::from(matches!(op, Op::Spawn { .. }));
                    self.perform(op, caller, &mut *script);
                }
            }
        };
        self.spawned_max = self.spawned_max.max(spawned);
        self.compute_ns.push(total_compute_ns);
        items
    }

    fn perform(&mut self, op: Op<Index, Index>, caller: u64, script: &mut dyn Script<Index, Index>) {
        match op {
            Op::Spawn { spec, given, .. } => {
                let items = match self.resolved(given) {
                    Ok(arguments) => self.run(&spec, arguments),
                    Err(code) => vec![Err(code); usize::from(spec.returns)],
                };
                let indices = items.into_iter().map(|item| self.push(item)).collect();
                script.on_references(indices);
            }
            Op::Put(load) => script.on_references(vec![self.push(Ok(load))]),
            Op::Get(index) => script.on_value(self.items[index].clone()),
            Op::CreateActor { seed, given, life, name, .. } => {
                let index = self.actors.len();
                let named = name.map(|name| *self.names.entry(name.of(caller)).or_insert(index));
                self.actors.push(match named {
                    Some(named) if named != index => Err(TAKEN),
                    _ => self.resolved(given).map(|arguments| ActorModel::new(seed, life.is_stateless(), arguments)),
                });
                script.on_actor(index);
            }
            Op::LookUpActor(name) => match self.names.get(&name.of(caller)) {
                Some(named) => script.on_actor(*named),
                None => unreachable!("scripts look for names that were registered"),
            },
            Op::Kill(actor) => self.names.retain(|_, named| *named != actor),
            Op::Call { actor, given } => {
                let arguments = self.resolved(given);
                let item = match &mut self.actors[actor] {
                    Ok(model) => arguments.map(|arguments| model.call(caller, arguments).unwrap_or(Load::of(0))),
                    // A call of a dead actor fails with the actor's error, even if an argument failed too.
                    Err(code) => Err(*code),
                };
                script.on_references(vec![self.push(item)]);
            }
            Op::ActorLost => unreachable!("nothing dies in a sequential run"),
            Op::AwaitNameFree(_) | Op::Cancel(_) | Op::Compute(_) | Op::Finish(_) | Op::Fail(_) => {}
        }
    }

    fn push(&mut self, item: Item) -> Index {
        self.items.push(item);
        self.items.len() - 1
    }

    /// The values of arguments, or the failure of the first argument that failed.
    fn resolved(&self, given: Vec<Given<Index, Index>>) -> Result<Vec<Load<Index, Index>>, u64> {
        let value = |given| match given {
            Given::Value(load) => Ok(load),
            Given::Reference(index) => Clone::clone(&self.items[index]),
        };
        given.into_iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::script::{Features, Length, Program};

    fn random_spec(seed: u64, features: Features) -> Spec {
        Spec::new(seed, Program::RandomWorkload { budget: 60, features })
    }

    #[test]
    fn a_seed_has_one_answer_and_seeds_differ() {
        let all = Features::choose(|| true);
        let answers: Vec<ReferenceAnswer> = (0..200).map(|seed| reference_answer(&random_spec(seed, all))).collect();
        assert_eq!(answers, (0..200).map(|seed| reference_answer(&random_spec(seed, all))).collect::<Vec<_>>());
        let mut digests: Vec<_> = answers.iter().map(|answer| answer.results.clone()).collect();
        digests.sort();
        digests.dedup();
        assert!(digests.len() > 190, "{} of 200 differ", digests.len());
        assert!(answers.iter().map(|answer| answer.tasks).max() > Some(30));
        assert!(answers.iter().any(|answer| answer.results[0].is_err()), "some fail on purpose");
    }

    #[test]
    fn the_compute_time_of_a_fan_is_that_of_its_children() {
        let child = Box::new(Program::Leaf(Length::Even { mean_ns: 70 }));
        let answer = reference_answer(&Spec::new(1, Program::Fan { children: 100, placed: false, child }));
        assert_eq!((answer.tasks, answer.total_compute_ns(), answer.lower_bound_ns(1_000)), (101, 7_000, 70));
        assert_eq!((answer.lower_bound_ns(7), answer.one_queue_ns(7)), (1_000, 15 * 70));
        assert_eq!(answer.one_queue_ns(1), 7_000);
    }

    #[test]
    fn a_tree_counts_its_nodes() {
        let length = Length::Even { mean_ns: 1 };
        let answer = reference_answer(&Spec::new(3, Program::Tree { mean_milli: 2_000, depth: 10, length }));
        assert_eq!(answer.results, [Ok(Load::<(), ()>::of(answer.tasks).digest())]);
        assert_eq!(answer.total_compute_ns(), answer.tasks);
    }
}
