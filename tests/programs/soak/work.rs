//! One round of work that uses most of the API, and checks each answer.

use mobula::prelude::*;
use mobula::{Array, Bundle, Error, Strategy};

#[mobula::remote]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[mobula::remote]
fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = (fib::remote(n - 1), fib::remote(n - 2));
    *a.get().expect("it has no reason to fail") + *b.get().expect("it has no reason to fail")
}

#[mobula::remote(max_retries = 0)]
fn fails(number: u64) -> Result<u64, String> {
    if number.is_multiple_of(2) { Err(format!("number {number} is even")) } else { panic!("number {number} is odd") }
}

#[mobula::remote]
fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[mobula::remote]
fn numbers(from: u64, length: usize) -> Vec<u64> {
    (from..).take(length).collect()
}

#[mobula::remote]
fn texts(words: Vec<String>) -> String {
    words.concat()
}

/// Ends soon after what depends on it was submitted.
#[mobula::remote]
fn naps() -> u64 {
    std::thread::sleep(Duration::from_millis(2)); // the work of the task
    1
}

#[mobula::remote]
fn prints(number: u64) {
    println!("a line of round {number}");
}

/// The sum of what a thread each of this task gets.
#[mobula::remote]
fn threads(number: u64) -> u64 {
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..2).map(|add| scope.spawn(move || number + add)).collect();
        spawned.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
    })
}

pub struct Counter {
    value: u64,
}

#[mobula::actor]
impl Counter {
    pub fn new(start: u64) -> Self {
        Counter { value: start }
    }
    pub fn add(&mut self, amount: u64) -> u64 {
        self.value += amount;
        self.value
    }
}

fn right<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) {
    assert!(found == wanted, "{what}: {found:?} instead of {wanted:?}");
}

/// Work whose answer does not depend on a rank that dies.
pub fn survivable_round() -> mobula::Result<()> {
    let sums: Vec<_> = (0..200).map(|number| add::remote(number, 1)).collect();
    right("sums", mobula::get_all(&sums)?.iter().map(|sum| **sum).sum::<u64>(), (1..=200_u64).sum::<u64>());
    right("fib", *fib::remote(12).get()?, 144);
    Ok(())
}

/// Work on each of these ranks, and on those that the scheduler chooses.
pub fn round(round: u64, ranks: &[u32]) -> mobula::Result<()> {
    survivable_round()?;
    let mut chain = add::remote(round, 1);
    for _ in 0..50 {
        chain = add::remote(&chain, 1);
    }
    right("chain", *chain.get()?, round + 51);
    failures(round)?;
    for rank in ranks {
        values(*rank, round)?;
    }
    actors(round, ranks)?;
    group()?;
    right("threads", *threads::remote(round).get()?, 2 * round + 1);
    prints::remote(round).get()?;
    Ok(())
}

fn failures(round: u64) -> mobula::Result<()> {
    let failed: Vec<_> = (0..20).map(|number| fails::remote(round + number)).collect();
    for reference in &failed {
        let Err(Error::Task { .. }) = add::remote(reference, 1).get() else { panic!("a failed argument was accepted") };
    }
    let cancelled = add::remote(naps::remote(), round);
    mobula::cancel(&cancelled);
    match cancelled.get() {
        Err(Error::Cancelled { .. }) => Ok(()),
        // It had begun before it was cancelled.
        other => other.map(drop),
    }
}

fn values(rank: u32, round: u64) -> mobula::Result<()> {
    right("far sum", *add::on(rank).remote(round, 1).get()?, round + 1);
    let length = 1 + (round as usize * 7919) % 100_000;
    let far_numbers = numbers::on(rank).remote(round, length);
    right("numbers", far_numbers.get()?.len(), length);
    let array: ObjectRef<Array<u64>> = mobula::put_array(&vec![1; length])?;
    right("sum of an array", *sum::on(rank).remote(&array).get()?, length as u64);
    let words: Vec<String> = (0..100).map(|word| word.to_string()).collect();
    right("texts", texts::on(rank).remote(words.clone()).get()?.as_str(), &words.concat());
    Ok(())
}

fn actors(round: u64, ranks: &[u32]) -> mobula::Result<()> {
    let counters: Vec<_> =
        ranks.iter().map(|rank| Counter::options().place(Placement::Rank(*rank)).remote(round)).collect();
    for counter in &counters {
        let calls: Vec<_> = (0..10).map(|_| counter.add(1)).collect();
        right("counter", *calls.last().expect("ten calls").get()?, round + 10);
    }
    counters[0].kill();
    Ok(())
}

fn group() -> mobula::Result<()> {
    let group = mobula::placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    right("the group is ready", group.wait(Duration::from_secs(60))?, true);
    right("in a bundle", *add::options().place(Placement::Bundle(&group, 0)).remote(1, 2).get()?, 3);
    group.remove();
    Ok(())
}
