//! Arrays that other hosts need: each is sent once to a host. `MOBULA_LOG=debug` prints a line for each fetch.
//!
//! `copies many`: ten tasks on the last host request one array of 64 MiB; `copies all`: every rank requests one;
//! `copies lose`: one of two ranks of the last host that request several dies meanwhile; `copies time BYTES COUNT`:
//! prints the time that one rank of another host needs to get an array.

use mobula::prelude::*;
use std::time::Instant;

const LARGE_BYTES: usize = 64 << 20;

/// A byte that depends on its index, so that misplaced bytes are detected.
fn pattern(index: usize) -> u8 {
    (index ^ (index >> 8) ^ (index >> 16)) as u8
}

fn filled(bytes: usize) -> Vec<u8> {
    (0..bytes).map(pattern).collect()
}

#[mobula::remote]
fn is_right(array: &[u8], request: u32) -> bool {
    let _ = request;
    array.iter().enumerate().all(|(index, byte)| *byte == pattern(index))
}

#[mobula::remote]
fn ends(array: &[u8]) -> (u8, u8) {
    (array[0], array[array.len() - 1])
}

/// Runs `times` tasks on each of these ranks, all of which take one array.
fn request(ranks: &[u32], times: u32) -> mobula::Result<()> {
    let array = mobula::put_array(&filled(LARGE_BYTES))?;
    let answers: Vec<ObjectRef<bool>> = (0..times)
        .flat_map(|time| ranks.iter().map(move |rank| (*rank, time)))
        .map(|(rank, time)| is_right::on(rank).remote(&array, time))
        .collect();
    for answer in &answers {
        assert!(*answer.get()?, "an array arrived with wrong bytes");
    }
    println!("right in {} tasks", answers.len());
    Ok(())
}

#[mobula::remote(max_retries = 0)]
fn die() {
    let own = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-KILL", &own]).status();
    unreachable!("the process was killed");
}

/// The second of two ranks dies while both fetch arrays, each of them some for both.
fn lose(ranks: &[u32]) -> mobula::Result<()> {
    let arrays: Vec<_> = (0..6).map(|_| mobula::put_array(&filled(LARGE_BYTES / 4))).collect::<Result<_, _>>()?;
    let request = |rank: u32| -> Vec<ObjectRef<bool>> {
        arrays.iter().map(|array| is_right::on(rank).remote(array, rank)).collect()
    };
    let (answers, lost) = (request(ranks[0]), request(ranks[1]));
    let death = die::on(ranks[1]).remote();
    assert!(death.get().is_err());
    drop(lost);
    for answer in answers.iter().chain(&request(ranks[0])) {
        assert!(*answer.get()?, "an array arrived with wrong bytes");
    }
    println!("right without rank {}", ranks[1]);
    Ok(())
}

fn time(rank: u32, bytes: usize, count: usize) -> mobula::Result<()> {
    let mut took = Vec::new();
    for round in 0..count + 3 {
        let array = mobula::put_array(&filled(bytes))?;
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
        ["many"] => request(&last, 10u32.div_ceil(last.len().max(1) as u32)),
        ["all"] => request(&others, 1),
        ["lose"] => lose(&last),
        ["time", bytes, count] => {
            let number = |word: &str| word.parse().expect("a number");
            time(last[0], number(bytes), number(count))
        }
        _ => panic!("copies many | all | lose | time BYTES COUNT"),
    }
}
