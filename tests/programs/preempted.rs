//! Works until the job's preemption signal, and then ends with a partial answer.

use mobula::prelude::*;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static ENDING: AtomicBool = AtomicBool::new(false);

#[mobula::remote]
fn remainder(number: u64) -> u64 {
    number % 1000
}

#[mobula::main(store_bytes = 67_108_864)]
fn main() -> mobula::Result<()> {
    mobula::on_preempt(|preempt| {
        println!("preempted by signal {}, seconds left: {:?}", preempt.signal, preempt.left.map(|left| left.as_secs()));
        ENDING.store(true, Ordering::Relaxed);
    })?;
    println!("resources: {:?}", mobula::cluster_resources());
    let (mut sum, mut numbers) = (0, 0);
    while !ENDING.load(Ordering::Relaxed) {
        let spread = |number| remainder::options().place(Placement::Spread).remote(number);
        let remainders: Vec<ObjectRef<u64>> = (numbers..numbers + 100).map(spread).collect();
        sum += mobula::get_all(&remainders)?.iter().map(|remainder| **remainder).sum::<u64>();
        numbers += 100;
        if numbers == 1000 {
            println!("at work");
            let _ = std::io::stdout().flush();
        }
    }
    assert_eq!(sum, (0..numbers).map(|number| number % 1000).sum());
    println!("ok: a partial answer of {} ranks", mobula::nodes().iter().map(|node| node.ranks().len()).sum::<usize>());
    Ok(())
}
