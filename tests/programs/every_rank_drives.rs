//! SPMD: every rank runs the body as its own driver; the ranks meet in a named actor.

use mobula::prelude::*;
use std::time::{Duration, Instant};

#[mobula::remote]
fn rank() -> u32 {
    mobula::context().rank()
}

#[mobula::remote]
fn total(values: &[u64], scale: u64) -> u64 {
    scale * values.iter().sum::<u64>()
}

/// The ranks that have signed.
struct Register {
    ranks: Vec<u32>,
}

#[mobula::actor]
impl Register {
    /// No rank yet.
    pub fn new() -> Self {
        Register { ranks: Vec::new() }
    }
    /// Adds a rank; returns how many have signed.
    pub fn sign(&mut self, rank: u32) -> usize {
        self.ranks.push(rank);
        self.ranks.len()
    }
    /// The ranks that have signed, in order.
    pub fn signed(&self) -> Vec<u32> {
        self.ranks.clone()
    }
}

/// Polls until there is an answer, which depends on other ranks.
fn until<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = poll() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[mobula::main(spmd)]
fn main() -> mobula::Result<()> {
    let here = mobula::context().rank();
    let ranks: Vec<u32> = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect();

    // Each rank runs its own tasks on all ranks, on its own arrays.
    let array = mobula::put_array(&vec![u64::from(here) + 1; 10_000])?;
    for other in &ranks {
        assert_eq!(*rank::on(*other).remote().get()?, *other);
        assert_eq!(*total::on(*other).remote(&array, 2u64).get()?, 20_000 * (u64::from(here) + 1));
    }
    let anywhere: Vec<ObjectRef<u64>> = (0..500u64).map(|scale| total::remote(&array, scale)).collect();
    for (scale, sum) in mobula::get_all(&anywhere)?.iter().enumerate() {
        assert_eq!(**sum, scale as u64 * 10_000 * (u64::from(here) + 1));
    }

    // One rank creates the actor, all find it.
    let register = if here == 0 {
        Register::options().name("register").remote()
    } else {
        until("rank 0 creates the actor", || mobula::get_actor::<Register>("register").ok())
    };
    register.sign(here).get()?;
    let mut signed = until("all ranks sign", || {
        let signed = register.signed().get().ok()?;
        (signed.len() == ranks.len()).then(|| signed.to_vec())
    });
    signed.sort_unstable();
    assert_eq!(signed, ranks);
    println!("ok: rank {here} of {}", ranks.len());
    Ok(())
}
