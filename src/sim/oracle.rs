//! The sequential run: what every task yields when each is run to its end where it is started.

use crate::sim::ledger::Ledger;
use crate::sim::script::{Deed, Given, Load, Outcome, Script, Spec, TAKEN, begin};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A value or an actor of the sequential run, by its place in the list of all.
type Place = usize;
type Item = Outcome<Place, Place>;

/// What a sequential run knows.
#[derive(Default)]
struct Oracle {
    items: Vec<Item>,
    /// An actor whose constructor failed is its failure.
    actors: Vec<Result<Ledger<Place, Place>, u64>>,
    /// The bearers of names.
    names: FxHashMap<String, Place>,
    callers: u64,
    tasks: u64,
    burns_ns: Vec<u64>,
    most_spawned: u64,
}

/// What a sequential run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The results of the first task: a digest of each, or the code of its failure.
    pub results: Vec<Result<u64, u64>>,
    /// Tasks that ran, the first included.
    pub tasks: u64,
    /// Nanoseconds that each computed, in the order in which they ended.
    pub burns_ns: Vec<u64>,
    /// Tasks that one script started, at most.
    pub most_spawned: u64,
}

/// Runs `spec` and everything that it starts.
pub fn answer(spec: &Spec) -> Answer {
    let mut oracle = Oracle::default();
    let results = oracle.run(spec, Vec::new());
    let results = results.into_iter().map(|item| item.map(|load| load.digest())).collect();
    Answer { results, tasks: oracle.tasks, burns_ns: oracle.burns_ns, most_spawned: oracle.most_spawned }
}

impl Answer {
    /// Nanoseconds that all of them computed.
    pub fn burnt_ns(&self) -> u64 {
        self.burns_ns.iter().sum()
    }

    /// No run of so many workers takes less: all that is computed, shared by all, or the longest task.
    pub fn least_ns(&self, workers: usize) -> u64 {
        let longest_ns = self.burns_ns.iter().copied().max().unwrap_or_default();
        (self.burnt_ns() / workers as u64).max(longest_ns)
    }

    /// What so many workers take that draw from one queue which costs nothing. Nobody who does not know how long a task
    /// will be does better, but by luck: the longest may be the last.
    pub fn one_queue_ns(&self, workers: usize) -> u64 {
        let mut free_at_ns: BinaryHeap<Reverse<u64>> = std::iter::repeat_n(Reverse(0), workers).collect();
        for burn_ns in &self.burns_ns {
            if let Some(mut first) = free_at_ns.peek_mut() {
                first.0 += burn_ns;
            }
        }
        free_at_ns.into_iter().map(|Reverse(at_ns)| at_ns).max().unwrap_or_default()
    }
}

impl Oracle {
    fn run(&mut self, spec: &Spec, arguments: Vec<Load<Place, Place>>) -> Vec<Item> {
        self.tasks += 1;
        self.callers += 1;
        let caller = self.callers;
        let mut script = begin::<Place, Place>(spec, arguments);
        let (mut burnt_ns, mut spawned) = (0, 0);
        let items = loop {
            match script.next() {
                Deed::Burn(ns) => burnt_ns += ns,
                Deed::Finish(loads) => break loads.into_iter().map(Ok).collect(),
                Deed::Fail(code) => break vec![Err(code); usize::from(spec.returns)],
                deed => {
                    spawned += u64::from(matches!(deed, Deed::Spawn { .. }));
                    self.perform(deed, caller, &mut *script);
                }
            }
        };
        self.most_spawned = self.most_spawned.max(spawned);
        self.burns_ns.push(burnt_ns);
        items
    }

    fn perform(&mut self, deed: Deed<Place, Place>, caller: u64, script: &mut dyn Script<Place, Place>) {
        match deed {
            Deed::Spawn { spec, given, .. } => {
                let items = match self.resolved(given) {
                    Ok(arguments) => self.run(&spec, arguments),
                    Err(code) => vec![Err(code); usize::from(spec.returns)],
                };
                let places = items.into_iter().map(|item| self.keep(item)).collect();
                script.keep(places);
            }
            Deed::Put(load) => script.keep(vec![self.keep(Ok(load))]),
            Deed::Get(place) => script.got(self.items[place].clone()),
            Deed::Make { seed, given, life, name, .. } => {
                let place = self.actors.len();
                let bearer = name.map(|name| *self.names.entry(name.of(caller)).or_insert(place));
                self.actors.push(match bearer {
                    Some(bearer) if bearer != place => Err(TAKEN),
                    _ => self.resolved(given).map(|arguments| Ledger::new(seed, life.echoes(), arguments)),
                });
                script.meet(place);
            }
            Deed::Find(name) => match self.names.get(&name.of(caller)) {
                Some(bearer) => script.meet(*bearer),
                None => unreachable!("scripts look for names that were given"),
            },
            Deed::Kill(actor) => self.names.retain(|_, bearer| *bearer != actor),
            Deed::Call { actor, given } => {
                let arguments = self.resolved(given);
                let item = match &mut self.actors[actor] {
                    Ok(ledger) => arguments.map(|arguments| ledger.call(caller, arguments).unwrap_or(Load::of(0))),
                    // Who calls an actor that is gone hears of that, whatever else is wrong.
                    Err(code) => Err(*code),
                };
                script.keep(vec![self.keep(item)]);
            }
            Deed::Lost => unreachable!("nothing dies in a sequential run"),
            Deed::AwaitFree(_) | Deed::Cancel(_) | Deed::Burn(_) | Deed::Finish(_) | Deed::Fail(_) => {}
        }
    }

    fn keep(&mut self, item: Item) -> Place {
        self.items.push(item);
        self.items.len() - 1
    }

    /// The values of arguments, or the failure that the first of those holds that do.
    fn resolved(&self, given: Vec<Given<Place, Place>>) -> Result<Vec<Load<Place, Place>>, u64> {
        let value = |given| match given {
            Given::Value(load) => Ok(load),
            Given::Reference(place) => Clone::clone(&self.items[place]),
        };
        given.into_iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::script::{Features, Length, Program};

    fn wandering(seed: u64, features: Features) -> Spec {
        Spec::new(seed, Program::Wander { budget: 60, features })
    }

    #[test]
    fn a_seed_has_one_answer_and_others_have_others() {
        let all = Features::choose(|| true);
        let answers: Vec<Answer> = (0..200).map(|seed| answer(&wandering(seed, all))).collect();
        assert_eq!(answers, (0..200).map(|seed| answer(&wandering(seed, all))).collect::<Vec<_>>());
        let mut digests: Vec<_> = answers.iter().map(|answer| answer.results.clone()).collect();
        digests.sort();
        digests.dedup();
        assert!(digests.len() > 190, "{} of 200 differ", digests.len());
        assert!(answers.iter().map(|answer| answer.tasks).max() > Some(30));
        assert!(answers.iter().any(|answer| answer.results[0].is_err()), "some fail on purpose");
    }

    #[test]
    fn the_work_of_a_fan_is_that_of_its_children() {
        let child = Box::new(Program::Leaf(Length::Even { mean_ns: 70 }));
        let answer = answer(&Spec::new(1, Program::Fan { children: 100, placed: false, child }));
        assert_eq!((answer.tasks, answer.burnt_ns(), answer.least_ns(1_000)), (101, 7_000, 70));
        assert_eq!((answer.least_ns(7), answer.one_queue_ns(7)), (1_000, 15 * 70));
        assert_eq!(answer.one_queue_ns(1), 7_000);
    }

    #[test]
    fn a_tree_counts_its_nodes() {
        let length = Length::Even { mean_ns: 1 };
        let answer = answer(&Spec::new(3, Program::Tree { mean_milli: 2_000, depth: 10, length }));
        assert_eq!(answer.results, [Ok(Load::<(), ()>::of(answer.tasks).digest())]);
        assert_eq!(answer.burnt_ns(), answer.tasks);
    }
}
