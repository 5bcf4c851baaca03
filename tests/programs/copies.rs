//! Arrays that other hosts need: each crosses once to a host. What was brought is in the lines that `MOBULA_LOG=debug` gives.
//!
//! `copies many`: ten tasks on the last host ask for one array of 64 MiB; `copies all`: every rank asks for one;
//! `copies lose`: of two ranks of the last host that ask for several one dies meanwhile; `copies time BYTES COUNT`: what one
//! rank of another host takes to get an array, for people.

use mobula::prelude::*;
use std::time::Instant;

const LARGE_BYTES: usize = 64 << 20;

/// Where a number stands in an array, so that a byte that is out of place shows.
fn pattern(place: usize) -> u8 {
    (place ^ (place >> 8) ^ (place >> 16)) as u8
}

fn made(bytes: usize) -> Vec<u8> {
    (0..bytes).map(pattern).collect()
}

#[mobula::remote]
fn is_right(array: &[u8], asker: u32) -> bool {
    let _ = asker;
    array.iter().enumerate().all(|(place, byte)| *byte == pattern(place))
}

#[mobula::remote]
fn ends(array: &[u8]) -> (u8, u8) {
    (array[0], array[array.len() - 1])
}

/// Ranks that are asked, and how often each.
fn ask(ranks: &[u32], times: u32) -> mobula::Result<()> {
    let array = mobula::put_array(&made(LARGE_BYTES))?;
    let answers: Vec<ObjectRef<bool>> = (0..times)
        .flat_map(|time| ranks.iter().map(move |rank| (*rank, time)))
        .map(|(rank, time)| is_right::on(rank).remote(&array, time))
        .collect();
    for answer in &answers {
        assert!(*answer.get()?, "an array came with other bytes than it was made with");
    }
    println!("right in {} tasks", answers.len());
    Ok(())
}

#[mobula::remote(max_retries = 0)]
fn die() {
    let own = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-KILL", &own]).status();
    unreachable!("the process is gone");
}

/// The second of two ranks dies while both bring arrays, each some of them for both.
fn lose(ranks: &[u32]) -> mobula::Result<()> {
    let arrays: Vec<_> = (0..6).map(|_| mobula::put_array(&made(LARGE_BYTES / 4))).collect::<Result<_, _>>()?;
    let ask = |rank: u32| -> Vec<ObjectRef<bool>> {
        arrays.iter().map(|array| is_right::on(rank).remote(array, rank)).collect()
    };
    let (answers, lost) = (ask(ranks[0]), ask(ranks[1]));
    let death = die::on(ranks[1]).remote();
    assert!(death.get().is_err());
    drop(lost);
    for answer in answers.iter().chain(&ask(ranks[0])) {
        assert!(*answer.get()?, "an array came with other bytes than it was made with");
    }
    println!("right without rank {}", ranks[1]);
    Ok(())
}

fn time(rank: u32, bytes: usize, count: usize) -> mobula::Result<()> {
    let mut took = Vec::new();
    for round in 0..count + 3 {
        let array = mobula::put_array(&made(bytes))?;
        let began = Instant::now();
        assert_eq!(*ends::on(rank).remote(&array).get()?, (pattern(0), pattern(bytes - 1)));
        if round >= 3 {
            took.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    took.sort_by(f64::total_cmp);
    println!("{bytes} bytes: median {:.1} us, best {:.1} us of {count}", took[count / 2], took[0]);
    Ok(())
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let nodes = mobula::nodes();
    let last: Vec<u32> = nodes.last().map(|node| node.ranks().to_vec()).unwrap_or_default();
    let others: Vec<u32> = nodes.iter().flat_map(|node| node.ranks().to_vec()).filter(|rank| *rank > 0).collect();
    match words[..] {
        ["many"] => ask(&last, 10u32.div_ceil(last.len().max(1) as u32)),
        ["all"] => ask(&others, 1),
        ["lose"] => lose(&last),
        ["time", bytes, count] => {
            let number = |word: &str| word.parse().expect("a number");
            time(last[0], number(bytes), number(count))
        }
        _ => panic!("copies many | all | lose | time BYTES COUNT"),
    }
}
