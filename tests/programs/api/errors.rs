//! Errors: which task failed, where and why, at every `get` of a dependent result.

use crate::actors::Counter;
use crate::cases::{Cases, Outcome, soon};
use crate::start::{host_of, last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;
use std::fmt;
use std::io::Write;

#[mobula::remote]
fn panics(number: u64) -> u64 {
    panic!("number {number} is not available")
}

#[mobula::remote]
fn panics_with_a_number() -> u64 {
    std::panic::panic_any(42i32)
}

#[mobula::remote]
fn divides(a: u64, b: u64) -> u64 {
    a / b
}

/// An error of the user's own.
#[derive(Debug)]
struct Shortage {
    litres: u32,
}

impl fmt::Display for Shortage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} litres are missing", self.litres)
    }
}

#[mobula::remote]
fn pours(litres: u32) -> Result<u64, Shortage> {
    Err(Shortage { litres })
}

#[mobula::remote]
fn reads(path: &str) -> std::io::Result<u64> {
    Ok(std::fs::read(path)?.len() as u64)
}

#[mobula::remote]
fn pid() -> u32 {
    std::process::id()
}

#[mobula::remote]
fn increments(value: u64) -> u64 {
    value + 1
}

/// Gets the reference itself, and returns the result or its error.
#[mobula::remote]
fn fetches(inner: Vec<ObjectRef<u64>>) -> mobula::Result<u64> {
    Ok(*inner[0].get()?)
}

#[mobula::remote(num_returns = 2)]
fn splits(value: u64) -> (u64, u64) {
    (value, value)
}

#[mobula::remote]
fn prints(number: u32) -> u32 {
    println!("a line of task number {number}");
    // One write: a launcher may put the lines of other ranks between the pieces that `eprintln!` writes.
    let line = format!("an error line of task number {number}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
    number
}

pub fn run(cases: &mut Cases) {
    cases.case("a panic says which task, rank, host and process", panic_named);
    cases.case("a panic of the standard library, and one without a text", other_panics);
    cases.case("an Err has its Display text", err_named);
    cases.case("an error passes unchanged to dependent tasks", passed_on);
    cases.case("an error passes through a task that gets it", passed_through);
    cases.case("an error passes into actors' calls and several results", passed_into_calls);
    cases.case("an error has the name that the call's options set", renamed);
    cases.case("the text of an error has all its parts", displayed);
    cases.case("error_info lists them all", listed);
    cases.case("the cluster works after all these errors", works);
    cases.case("a task's lines reach the driver", printed);
}

fn panic_named() -> Outcome {
    for expected in ranks() {
        let process = *pid::on(expected).remote().get()?;
        match panics::on(expected).remote(u64::from(expected) + 500).get() {
            Err(Error::Task { task, rank, host, pid, message }) => {
                assert_eq!((task.as_str(), rank, pid), ("panics", expected, process));
                assert_eq!(host, host_of(expected));
                assert!(message.contains(&format!("number {} is not available", expected + 500)), "{message}");
                assert!(message.contains("errors.rs"), "the location of the panic: {message}");
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

fn message<T: fmt::Debug>(outcome: mobula::Result<T>) -> String {
    match outcome {
        Err(Error::Task { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

fn other_panics() -> Outcome {
    for rank in [0, last_rank()] {
        let text = message(divides::on(rank).remote(1u64, 0u64).get());
        assert!(text.contains("divide by zero"), "{text}");
        assert!(!message(panics_with_a_number::on(rank).remote().get()).is_empty());
    }
    Ok(())
}

fn err_named() -> Outcome {
    for expected in ranks() {
        match pours::on(expected).remote(7u32).get() {
            Err(Error::Task { task, rank, message, .. }) => {
                assert_eq!((task.as_str(), rank, message.as_str()), ("pours", expected, "7 litres are missing"));
            }
            other => panic!("{other:?}"),
        }
    }
    let text = message(reads::remote("/nowhere/at/all").get());
    assert!(text.contains("No such file"), "{text}");
    Ok(())
}

fn passed_on() -> Outcome {
    let failed = panics::on(last_rank()).remote(1u64);
    let first = failed.get().expect_err("it panics");
    let mut last = increments::remote(&failed);
    for rank in ranks() {
        last = increments::on(rank).remote(&last);
    }
    assert_eq!(last.get().expect_err("its input failed"), first);
    assert_eq!(mobula::get_all(&[last]).map(|_| ()).expect_err("it fails"), first);
    assert_eq!(failed.get().expect_err("it stays failed"), first);
    Ok(())
}

fn passed_through() -> Outcome {
    for rank in ranks() {
        let failed = panics::on(last_rank()).remote(2u64);
        let error = fetches::on(rank).remote(vec![failed.clone()]).get().expect_err("it gets a failure");
        assert_eq!(error, failed.get().expect_err("it panics"));
    }
    Ok(())
}

fn passed_into_calls() -> Outcome {
    let failed = pours::remote(3u32);
    let error = failed.get().expect_err("it fails");
    let counter = Counter::on(last_rank()).remote(0u64);
    assert_eq!(counter.add(&failed).get().expect_err("its argument failed"), error);
    assert_eq!(*counter.increment().get()?, 1, "a call whose argument failed did not run");
    let (left, right) = splits::on(last_rank()).remote(&failed);
    assert_eq!((left.get().expect_err("both"), right.get().expect_err("both")), (error.clone(), error));
    Ok(())
}

fn renamed() -> Outcome {
    match pours::options().name("watering").remote(1u32).get() {
        Err(Error::Task { task, .. }) => assert_eq!(task, "watering"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn displayed() -> Outcome {
    let rank = last_rank();
    let (process, host) = (*pid::on(rank).remote().get()?, host_of(rank));
    let text = pours::on(rank).remote(9u32).get().expect_err("it fails").to_string();
    for part in
        ["pours", "9 litres are missing", &format!("rank={rank}"), &format!("host={host}"), &format!("pid={process}")]
    {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    Ok(())
}

fn listed() -> Outcome {
    let failed: Vec<ObjectRef<u64>> =
        ranks().into_iter().map(|rank| panics::on(rank).remote(9000 + u64::from(rank))).collect();
    for one in &failed {
        assert!(one.get().is_err());
    }
    for rank in ranks() {
        let text = format!("number {} is not", 9000 + rank);
        soon("error_info lists it", || mobula::error_info().iter().any(|error| error.to_string().contains(&text)));
        let times = mobula::error_info().iter().filter(|error| error.to_string().contains(&text)).count();
        assert_eq!(times, 1, "one failure, listed {times} times");
    }
    Ok(())
}

fn works() -> Outcome {
    for rank in ranks() {
        assert_eq!(*increments::on(rank).remote(1u64).get()?, 2);
    }
    Ok(())
}

fn printed() -> Outcome {
    // The test that started this program looks for the lines.
    for rank in ranks() {
        assert_eq!(*prints::on(rank).remote(rank).get()?, rank);
    }
    Ok(())
}
