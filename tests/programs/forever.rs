//! Works until it is interrupted: tasks on every rank, arrays, an actor.

use mobula::prelude::*;

#[mobula::remote]
fn make(count: usize) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(count)?;
    array.as_mut_slice().fill(1);
    Ok(array.seal())
}

#[mobula::remote]
fn total(values: &[u64]) -> u64 {
    values.iter().sum()
}

/// Sums numbers.
struct Sum {
    value: u64,
}

#[mobula::actor]
impl Sum {
    /// Zero.
    pub fn new() -> Self {
        Sum { value: 0 }
    }
    /// Adds `amount`; returns the sum so far.
    pub fn add(&mut self, amount: u64) -> u64 {
        self.value += amount;
        self.value
    }
}

#[mobula::main(store_bytes = 67_108_864)]
fn main() -> mobula::Result<()> {
    let ranks = mobula::nodes().iter().map(|node| node.ranks().len() as u32).sum::<u32>();
    let sum = Sum::options().place(Placement::Rank(ranks - 1)).remote();
    for round in 0u64.. {
        let (producer, consumer) = (round as u32 % ranks, (round as u32 + 1) % ranks);
        let added = sum.add(total::on(consumer).remote(make::on(producer).remote(10_000usize)));
        assert_eq!(*added.get()?, 10_000 * (round + 1));
        if round == 20 {
            println!("at work");
        }
    }
    Ok(())
}
