//! A user's program with a part in C. `mobula-bench run instructions` counts its instructions:
//! `mobula-measured-native PATH ROUNDS` takes one path, a thousand operations a round, checks the answers, and prints
//! how many operations it did; `mobula-measured-native PATH ROUNDS time` the nanoseconds of one; and
//! `mobula-measured-native copies BYTES` the page faults of a `mobula_get` of that many bytes.

use mobula::prelude::*;
use mobula_capi as _;
use std::cell::Cell;
use std::time::Instant;

/// Operations of a round.
const ROUND: u64 = 1_000;

/// Rounds that warm up: caches, connections, queues.
const WARM_UP: u64 = 5;

/// The rank that is called.
const OTHER: u32 = 1;

unsafe extern "C" {
    fn c_tasks(round: u64, rank: i32);
    fn c_ranks(round: u64);
    fn c_args(round: u64);
    fn c_gets(round: u64);
    fn c_gets_in_place(bytes: u64, before: extern "C" fn(), after: extern "C" fn()) -> i32;
    safe fn mobula_measured_mark();
}

mod in_rust {
    //! The task that the one in C is measured beside.

    #[mobula::remote]
    pub fn add(x: f64, y: f64) -> f64 {
        x + y
    }
}

mobula::c_task!(fn add(f64, f64) -> f64);

fn sums(submit: impl Fn(f64) -> ObjectRef<f64>) -> mobula::Result<()> {
    let results: Vec<ObjectRef<f64>> = (0..ROUND).map(|number| submit(number as f64)).collect();
    for (result, expected) in results.iter().zip(1..) {
        assert_eq!(*result.get()?, f64::from(expected));
    }
    Ok(())
}

fn round(path: &str) -> mobula::Result<()> {
    match path {
        "rust" => return sums(|number| in_rust::add::remote(number, 1.0)),
        "remote-rust" => return sums(|number| in_rust::add::on(OTHER).remote(number, 1.0)),
        "rust-to-c" => return sums(|number| add::remote(number, 1.0)),
        "remote-rust-to-c" => return sums(|number| add::on(OTHER).remote(number, 1.0)),
        // SAFETY: they call mobula only, in a running cluster; here and below.
        "c" => unsafe { c_tasks(ROUND, -1) },
        "remote-c" => unsafe { c_tasks(ROUND, OTHER as i32) },
        "rank" => unsafe { c_ranks(ROUND) },
        "arg" => unsafe { c_args(ROUND) },
        "get" => unsafe { c_gets(ROUND) },
        _ => panic!("there is no path {path}"),
    }
    Ok(())
}

#[mobula::remote]
fn mark() {
    mobula_measured_mark();
}

/// Takes a path, to warm up and then so many rounds that are counted; returns the nanoseconds that those took. It is a
/// task, so that the only worker runs all of it.
#[mobula::remote]
fn take(path: String, rounds: u64) -> mobula::Result<u64> {
    for _ in 0..WARM_UP {
        round(&path)?;
    }
    let ranks = mobula::nodes().iter().map(|node| node.ranks().len() as u32).sum();
    mark_on_every_rank(ranks)?;
    let start = Instant::now();
    for _ in 0..rounds {
        round(&path)?;
    }
    let time = start.elapsed();
    mark_on_every_rank(ranks)?;
    Ok(time.as_nanos() as u64)
}

fn mark_on_every_rank(ranks: u32) -> mobula::Result<()> {
    for other in 1..ranks {
        mark::on(other).remote().get()?;
    }
    mobula_measured_mark();
    Ok(())
}

thread_local! {
    static FAULTS: Cell<u64> = const { Cell::new(0) };
}

/// Page faults of this process so far, without input or output.
fn faults() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let after_name = text.rsplit_once(')').expect("the name ends").1;
    after_name.split_whitespace().nth(7).expect("minflt").parse().expect("a number")
}

extern "C" fn before() {
    faults(); // what reading them takes is there then
    FAULTS.set(faults());
}

extern "C" fn after() {
    FAULTS.set(faults() - FAULTS.get());
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["copies", bytes] => {
            let bytes = bytes.parse().expect("BYTES is a number");
            // SAFETY: it calls mobula, and the two functions.
            assert_eq!(unsafe { c_gets_in_place(bytes, before, after) }, 1, "it was copied");
            println!("{}", FAULTS.get());
        }
        [path, rounds] => {
            let rounds: u64 = rounds.parse().expect("ROUNDS is a number");
            take::on(0).remote(path.to_string(), rounds).get()?;
            println!("{}", rounds * ROUND);
        }
        [path, rounds, "time"] => {
            let rounds: u64 = rounds.parse().expect("ROUNDS is a number");
            let time = *take::on(0).remote(path.to_string(), rounds).get()?;
            println!("{}", time as f64 / (rounds * ROUND) as f64);
        }
        _ => panic!("usage: mobula-measured-native PATH ROUNDS [time]"),
    }
    Ok(())
}
