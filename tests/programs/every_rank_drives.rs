//! SPMD: every rank runs the body and is a driver of its own; they meet in a named actor.

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

/// Who has come by.
struct Guests {
    ranks: Vec<u32>,
}

#[mobula::actor]
impl Guests {
    /// Nobody yet.
    pub fn new() -> Self {
        Guests { ranks: Vec::new() }
    }
    /// Somebody comes by; how many have so far.
    pub fn sign(&mut self, rank: u32) -> usize {
        self.ranks.push(rank);
        self.ranks.len()
    }
    /// Everybody so far, in the order of coming.
    pub fn signed(&self) -> Vec<u32> {
        self.ranks.clone()
    }
}

/// Asks until the answer pleases; whoever makes it true is another rank.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
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

    // Each drives tasks of its own on all others, on arrays of its own.
    let array = mobula::put_array(&vec![u64::from(here) + 1; 10_000])?;
    for other in &ranks {
        assert_eq!(*rank::on(*other).remote().get()?, *other);
        assert_eq!(*total::on(*other).remote(&array, 2u64).get()?, 20_000 * (u64::from(here) + 1));
    }
    let anywhere: Vec<ObjectRef<u64>> = (0..500u64).map(|scale| total::remote(&array, scale)).collect();
    for (scale, sum) in mobula::get_all(&anywhere)?.iter().enumerate() {
        assert_eq!(**sum, scale as u64 * 10_000 * (u64::from(here) + 1));
    }

    // One makes the actor, all find it.
    let guests = if here == 0 {
        Guests::options().name("guests").remote()
    } else {
        until("rank 0 makes the actor", || mobula::get_actor::<Guests>("guests").ok())
    };
    guests.sign(here).get()?;
    let mut signed = until("everybody signs", || {
        let signed = guests.signed().get().ok()?;
        (signed.len() == ranks.len()).then(|| signed.to_vec())
    });
    signed.sort_unstable();
    assert_eq!(signed, ranks);
    println!("ok: rank {here} of {}", ranks.len());
    Ok(())
}
