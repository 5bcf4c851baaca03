//! Ranks that are hosts of their own, and are stopped, or die with all objects stored there. No rank shares their host,
//! so only ranks of other hosts can notice.

use crate::Outcome;
use crate::victims::{arrive, await_arrivals, process_of, signal, soon, stay, stop};
use mobula::prelude::*;

/// Elements of an array: enough that the array stays in its producer's store until it is fetched.
const NUMBERS: usize = 32 << 10;

/// `MOBULA_PEER_TIMEOUT_S` of the test of `quiet`.
const PEER_TIMEOUT: Duration = Duration::from_secs(1);

/// The rank that is stopped.
const STOPPED: u32 = 2;

#[mobula::remote]
fn stays() -> u32 {
    stay("stays")
}

/// Waits for a task on the stopped rank; returns the text of its error.
#[mobula::remote]
fn error_from(rank: u32) -> String {
    stays::on(rank).remote().get().expect_err("it never returns").to_string()
}

/// Never returns on `rank`; a retry on another rank returns at once.
#[mobula::remote]
fn avoids(rank: u32) -> u32 {
    if mobula::context().rank() == rank { stay("avoids") } else { mobula::context().rank() }
}

#[mobula::remote]
fn put_there() -> mobula::Result<ObjectRef<Vec<u64>>> {
    mobula::put(vec![1; NUMBERS])
}

/// Sums numbers; restarted elsewhere if its rank dies.
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

fn names_stopped_rank(error: &str) -> bool {
    error.contains(&format!("rank {STOPPED} on host"))
}

/// Tasks and values that any rank awaits from a stopped rank, alone on its host, run elsewhere or fail with its name.
pub fn silent() -> Outcome {
    let process = process_of(STOPPED)?;
    let sum = Sum::options().place(Placement::Rank(STOPPED)).remote();
    assert_eq!(*sum.add(5).get()?, 5);
    let value = (*put_there::on(STOPPED).remote().get()?).clone();
    let (mine, of_another) = (stays::on(STOPPED).remote(), error_from::on(1).remote(STOPPED));
    let moved: Vec<_> = (0..6).map(|_| avoids::options().place(Placement::Spread).remote(STOPPED)).collect();
    await_arrivals("stays", 2);
    await_arrivals("avoids", 1);
    println!("stops rank {STOPPED}");
    stop(process);
    assert_eq!(*sum.add(7).get()?, 12, "its state was checkpointed");
    for reference in &moved {
        assert_ne!(*reference.get()?, STOPPED);
    }
    for error in [mine.get().expect_err("it never returns").to_string(), (*of_another.get()?).clone()] {
        assert!(names_stopped_rank(&error), "{error}");
    }
    let error = value.get().expect_err("its owner was declared dead").to_string();
    assert!(names_stopped_rank(&error), "{error}");
    signal("CONT", process);
    soon("it ends itself", || !std::path::Path::new(&format!("/proc/{process}/exe")).exists());
    Ok(())
}

#[mobula::remote]
fn computes(milliseconds: u64) -> u32 {
    let started = std::time::Instant::now();
    arrive("computes");
    while started.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
    mobula::context().rank()
}

/// A rank whose task computes for longer than the peer time-out still responds to probes.
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
    let index = names.split_whitespace().position(|name| name == "TCPOrigDataSent")?;
    values.split_whitespace().nth(index)?.parse().ok()
}

/// References, an actor and an array are on other ranks, and no rank waits for anything: once the last messages have
/// arrived, no segment is sent during three peer time-outs. A cluster that sends heartbeats never reaches such a span.
pub fn quiet() -> Outcome {
    let sum = Sum::options().place(Placement::Rank(STOPPED)).remote();
    assert_eq!(*sum.add(5).get()?, 5);
    let unread = (*put_there::on(1).remote().get()?).clone();
    let unfetched = numbers_from::on(3).remote(1u64);
    await_arrivals("numbers", 1);
    let mut before = segments_sent().ok_or("no counter of segments")?;
    soon("a span of three peer time-outs without a segment", || {
        std::thread::sleep(3 * PEER_TIMEOUT); // the span that is measured
        let after = segments_sent().unwrap_or(u64::MAX);
        std::mem::replace(&mut before, after) == after
    });
    assert_eq!((unread.get()?.len(), unfetched.get()?.len()), (NUMBERS, NUMBERS));
    assert!(segments_sent() > Some(before), "the counter counts");
    Ok(())
}

/// Only rank 1 waits for the stopped rank, for a value: it reports its suspicion to rank 0, which probes and decides.
pub fn suspected_by_another() -> Outcome {
    let process = process_of(STOPPED)?;
    let awaited = error_from::on(1).remote(STOPPED);
    await_arrivals("stays", 1);
    println!("stops rank {STOPPED}");
    stop(process);
    let error = (*awaited.get()?).clone();
    assert!(names_stopped_rank(&error), "{error}");
    signal("CONT", process);
    soon("it ends itself", || !std::path::Path::new(&format!("/proc/{process}/exe")).exists());
    Ok(())
}

#[mobula::remote]
fn reads(never: Vec<ObjectRef<u32>>) -> mobula::Result<u32> {
    arrive("reads");
    Ok(*never[0].get()?)
}

/// Rank 1 waits for a value from this rank, which the test stops; ranks 2 and 3 wait for no rank.
pub fn silent_driver() -> Outcome {
    let never = stays::on(3).remote();
    let reads = reads::on(1).remote(vec![never.clone()]);
    await_arrivals("stays", 1);
    await_arrivals("reads", 1);
    println!("stops process {}", std::process::id());
    reads.get()?;
    Ok(())
}

#[mobula::remote]
fn numbers_from(seed: u64) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(NUMBERS)?;
    array.as_mut_slice().iter_mut().enumerate().for_each(|(index, number)| *number = seed + index as u64);
    arrive("numbers");
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

/// Arrays in three generations, spread over the hosts and not fetched; references to the last generation only. The last
/// host dies with all its ranks: its arrays, and the lost inputs of those, are recomputed with the right numbers.
pub fn host_lost() -> Outcome {
    const CHAINS: usize = 12;
    let nodes = mobula::nodes();
    let dying = nodes.last().ok_or("no host")?.ranks().to_vec();
    assert!(nodes.len() >= 3 && !dying.contains(&0), "{dying:?}");
    let last: Vec<ObjectRef<Array<u64>>> = (0..CHAINS as u64)
        .map(|seed| {
            let first = numbers_from::options().place(Placement::Spread).remote(seed);
            let second = doubled::options().place(Placement::Spread).remote(&first, 2u32);
            doubled::options().place(Placement::Spread).remote(&second, 3u32)
        })
        .collect();
    let stored_there = |ranks: Vec<u32>| ranks.iter().filter(|rank| dying.contains(rank)).count();
    let lost = stored_there(await_arrivals("generation 3", CHAINS));
    let lost_before =
        stored_there(await_arrivals("generation 2", CHAINS)) + stored_there(await_arrivals("numbers", CHAINS));
    assert!(lost > 0 && lost_before > 0, "{lost} and {lost_before} arrays are stored on the last host");
    let deaths: Vec<_> = dying.iter().map(|rank| die::on(*rank).remote()).collect();
    for death in &deaths {
        assert!(matches!(death.get(), Err(Error::NodeDied { .. })));
    }
    let names = |nodes: &[mobula::Node]| -> Vec<String> { nodes.iter().map(|node| node.name().to_string()).collect() };
    assert_eq!(names(&mobula::nodes()), names(&nodes)[..nodes.len() - 1], "the host left with its last rank");
    assert_eq!(mobula::cluster_resources()["CPU"], 10.0 * (nodes.len() - 1) as f64);
    for (seed, array) in last.iter().enumerate() {
        let array = array.get()?;
        let right = |(index, number): (usize, &u64)| *number == 4 * (seed + index) as u64;
        assert!(array.len() == NUMBERS && array.iter().enumerate().all(right), "the array of chain {seed}");
    }
    let again = await_arrivals("generation 3", CHAINS + lost).len() - CHAINS;
    let before = await_arrivals("generation 2", CHAINS).len() + await_arrivals("numbers", CHAINS).len() - 2 * CHAINS;
    println!("{again} arrays of the last generation were recomputed, and {before} of their inputs");
    assert!(before > 0, "inputs of the lost arrays were lost too, or released");
    Ok(())
}
