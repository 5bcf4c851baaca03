//! Ranks that are hosts of their own, and stand still or are gone with all that lies there. Nobody beside them notices.

use crate::Outcome;
use crate::victims::{arrive, await_arrivals, process_of, signal, soon, stay, stop};
use mobula::prelude::*;

/// Numbers of an array: so many that it is left where it was made.
const NUMBERS: usize = 32 << 10;

/// The rank that stands still.
const STILL: u32 = 2;

#[mobula::remote]
fn stays() -> u32 {
    stay("stays")
}

/// What rank 1 awaits of the one that stands still: why it does not come.
#[mobula::remote]
fn awaits(rank: u32) -> String {
    stays::on(rank).remote().get().expect_err("it stays for ever").to_string()
}

/// Where it is retried, it ends at once.
#[mobula::remote]
fn avoids(rank: u32) -> u32 {
    if mobula::context().rank() == rank { stay("avoids") } else { mobula::context().rank() }
}

#[mobula::remote]
fn put_there() -> mobula::Result<ObjectRef<Vec<u64>>> {
    mobula::put(vec![1; NUMBERS])
}

/// Adds up; started again where its rank is gone.
struct Sum {
    value: u64,
}

#[mobula::actor(checkpoint, max_restarts = 3, max_task_retries = 3)]
impl Sum {
    pub fn new() -> Self {
        Sum { value: 0 }
    }
    pub fn add(&mut self, amount: u64) -> u64 {
        self.value += amount;
        self.value
    }
    fn save(&self) -> u64 {
        self.value
    }
    fn restore(value: u64) -> Self {
        Sum { value }
    }
}

fn names_it(error: &str) -> bool {
    error.contains(&format!("rank {STILL} on host"))
}

/// What is awaited of a rank that stands still, alone on its host, is done elsewhere or fails by name, whoever awaits it.
pub fn given_up() -> Outcome {
    let process = process_of(STILL)?;
    let sum = Sum::options().place(Placement::Rank(STILL)).remote();
    assert_eq!(*sum.add(5).get()?, 5);
    let value = (*put_there::on(STILL).remote().get()?).clone();
    let (mine, of_another) = (stays::on(STILL).remote(), awaits::on(1).remote(STILL));
    let moved: Vec<_> = (0..6).map(|_| avoids::options().place(Placement::Spread).remote(STILL)).collect();
    await_arrivals("stays", 2);
    await_arrivals("avoids", 1);
    println!("stops rank {STILL}");
    stop(process);
    assert_eq!(*sum.add(7).get()?, 12, "its state was kept");
    for reference in &moved {
        assert_ne!(*reference.get()?, STILL);
    }
    for error in [mine.get().expect_err("it stays").to_string(), (*of_another.get()?).clone()] {
        assert!(names_it(&error), "{error}");
    }
    let error = value.get().expect_err("its owner is gone").to_string();
    assert!(names_it(&error), "{error}");
    signal("CONT", process);
    soon("it ends itself", || !std::path::Path::new(&format!("/proc/{process}/exe")).exists());
    Ok(())
}

#[mobula::remote]
fn computes(milliseconds: u64) -> u32 {
    let begun = std::time::Instant::now();
    arrive("computes");
    while begun.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
    mobula::context().rank()
}

/// Who computes, for longer than a rank may stand still, answers all the same.
pub fn busy() -> Outcome {
    let computing: Vec<_> = (0..4u32).map(|rank| computes::on(rank).remote(5000u64)).collect();
    for (rank, computed) in computing.iter().enumerate() {
        assert_eq!(*computed.get()?, rank as u32);
    }
    assert_eq!(mobula::nodes().len(), 4);
    Ok(())
}

/// Segments with data of their own that TCP has sent in this network namespace.
fn segments_sent() -> Option<u64> {
    let counters = std::fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = counters.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|name| name == "TCPOrigDataSent")?;
    values.split_whitespace().nth(place)?.parse().ok()
}

/// References, an actor and an array are elsewhere, and nobody waits for anything: nothing is said, for three times as long as
/// a rank may stand still.
pub fn quiet() -> Outcome {
    let sum = Sum::options().place(Placement::Rank(STILL)).remote();
    assert_eq!(*sum.add(5).get()?, 5);
    let unread = (*put_there::on(1).remote().get()?).clone();
    let left = made::on(3).remote(1u64);
    await_arrivals("made", 1);
    std::thread::sleep(Duration::from_secs(1)); // until what is on its way has come
    let before = segments_sent().ok_or("no counter of segments")?;
    std::thread::sleep(Duration::from_secs(3)); // how long nothing is to be said
    let sent = segments_sent().ok_or("no counter of segments")? - before;
    assert_eq!(sent, 0, "segments that were sent while nobody waited");
    assert_eq!((unread.get()?.len(), left.get()?.len()), (NUMBERS, NUMBERS));
    assert!(segments_sent() > Some(before), "and the counter counts");
    Ok(())
}

/// Only rank 1 awaits something of the one that stands still, by a value: it tells rank 0, which asks, and decides.
pub fn told_by_another() -> Outcome {
    let process = process_of(STILL)?;
    let awaited = awaits::on(1).remote(STILL);
    await_arrivals("stays", 1);
    println!("stops rank {STILL}");
    stop(process);
    let error = (*awaited.get()?).clone();
    assert!(names_it(&error), "{error}");
    signal("CONT", process);
    soon("it ends itself", || !std::path::Path::new(&format!("/proc/{process}/exe")).exists());
    Ok(())
}

#[mobula::remote]
fn reads(never: Vec<ObjectRef<u32>>) -> mobula::Result<u32> {
    arrive("reads");
    Ok(*never[0].get()?)
}

/// Rank 1 awaits a value of this rank, which will be stopped; ranks 2 and 3 await nothing of anybody.
pub fn driver_stands_still() -> Outcome {
    let never = stays::on(3).remote();
    let reads = reads::on(1).remote(vec![never.clone()]);
    await_arrivals("stays", 1);
    await_arrivals("reads", 1);
    println!("stops process {}", std::process::id());
    reads.get()?;
    Ok(())
}

#[mobula::remote]
fn made(seed: u64) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(NUMBERS)?;
    array.as_mut_slice().iter_mut().enumerate().for_each(|(place, number)| *number = seed + place as u64);
    arrive("made");
    Ok(array.seal())
}

#[mobula::remote]
fn doubled(values: &[u64], generation: u32) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(values.len())?;
    array.as_mut_slice().iter_mut().zip(values).for_each(|(number, value)| *number = 2 * value);
    arrive(&format!("generation {generation}"));
    Ok(array.seal())
}

#[mobula::remote(max_retries = 0)]
fn die() {
    signal("KILL", std::process::id());
    stay("dying")
}

/// Arrays in three generations, spread over the hosts and left there; only the last are referred to. The last host is gone
/// with all its ranks: what lay there is made again, and what that was made of, with the right numbers.
pub fn host_is_lost() -> Outcome {
    const CHAINS: usize = 12;
    let nodes = mobula::nodes();
    let doomed = nodes.last().ok_or("no host")?.ranks().to_vec();
    assert!(nodes.len() >= 3 && !doomed.contains(&0), "{doomed:?}");
    let last: Vec<ObjectRef<Array<u64>>> = (0..CHAINS as u64)
        .map(|seed| {
            let first = made::options().place(Placement::Spread).remote(seed);
            let second = doubled::options().place(Placement::Spread).remote(&first, 2u32);
            doubled::options().place(Placement::Spread).remote(&second, 3u32)
        })
        .collect();
    let lie_there = |ranks: Vec<u32>| ranks.iter().filter(|rank| doomed.contains(rank)).count();
    let lost = lie_there(await_arrivals("generation 3", CHAINS));
    let lost_before = lie_there(await_arrivals("generation 2", CHAINS)) + lie_there(await_arrivals("made", CHAINS));
    assert!(lost > 0 && lost_before > 0, "{lost} and {lost_before} arrays lie on the last host");
    let deaths: Vec<_> = doomed.iter().map(|rank| die::on(*rank).remote()).collect();
    for death in &deaths {
        assert!(matches!(death.get(), Err(Error::NodeDied { .. })));
    }
    for (seed, array) in last.iter().enumerate() {
        let array = array.get()?;
        let right = |(place, number): (usize, &u64)| *number == 4 * (seed + place) as u64;
        assert!(array.len() == NUMBERS && array.iter().enumerate().all(right), "the array of chain {seed}");
    }
    let again = await_arrivals("generation 3", CHAINS + lost).len() - CHAINS;
    let before = await_arrivals("generation 2", CHAINS).len() + await_arrivals("made", CHAINS).len() - 2 * CHAINS;
    println!("{again} arrays of the last generation were made again, and {before} of those before");
    assert!(before > 0, "what the lost ones were made of was lost too, or let go");
    Ok(())
}
