//! What a task costs in C, beside the same in Rust: in instructions, and in time. The numbers are not kept, and
//! `make instructions` leaves them out.

use super::callgrind::{self, Counted};
use super::program::{self, Build, Program};
use super::turns::Pace;
use crate::case::{Bar, Case, Run, case};
use crate::failure::Result;
use crate::peers;

/// Of a task in C, of one in Rust.
const RATIO_MAX: f64 = 1.3;

/// Nanoseconds of a call that only reads.
const GETTER_NS_MAX: f64 = 20.0;

/// Rounds of a count, and of a time: a thousand operations each.
const ROUNDS: u32 = 10;
const TIMED_ROUNDS: u32 = 500;

/// The array that is read in place.
const ARRAY_BYTES: u64 = 1 << 30;

/// A store that has room for it.
const STORE: &str = "1500M";

/// Every case.
pub fn cases() -> Vec<Case> {
    let in_c = |name: &str, path: &'static str, rust: &'static str, ranks: usize, rank: usize| {
        case(format!("{name} (with C)"), "instr.", move |_| count(path, ranks, rank))
            .peer("Rust", move |_| count(rust, ranks, rank))
            .bar(Bar::RatioAtMost(RATIO_MAX))
            .repeat_at_most(1)
    };
    let getter = |name: &str, path: &'static str| {
        case(format!("{name} (with C)"), "ns", move |run| time(path, run)).bar(Bar::AtMost(GETTER_NS_MAX))
    };
    vec![
        in_c("C task of two doubles, batch", "c", "rust", 1, 0),
        in_c("C task called from Rust, batch", "rust-to-c", "rust", 1, 0),
        in_c("C task of two doubles, remote, caller", "remote-c", "remote-rust", 2, 0),
        in_c("C task of two doubles, remote, callee", "remote-c", "remote-rust", 2, 1),
        in_c("C task called from Rust, remote, caller", "remote-rust-to-c", "remote-rust", 2, 0),
        in_c("C task called from Rust, remote, callee", "remote-rust-to-c", "remote-rust", 2, 1),
        case("C task of two doubles, time (with C)", "ns", |run| time("c", run))
            .peer("Rust", |run| time("rust", run))
            .bar(Bar::RatioAtMost(RATIO_MAX)),
        getter("mobula_rank", "rank"),
        getter("mobula_arg", "arg"),
        getter("mobula_get and mobula_release", "get"),
        case("page faults of mobula_get of 1 GiB (with C)", "faults", |_| {
            let mut command = command(Build::Default)?;
            command.args(["copies", &ARRAY_BYTES.to_string()]).env("MOBULA_STORE_BYTES", STORE);
            peers::number("copies", &peers::output(&mut command)?)
        })
        .bar(Bar::AtMost(0.0))
        .repeat_at_most(1),
    ]
}

fn count(path: &'static str, ranks: usize, rank: usize) -> Result<f64> {
    let pace = if ranks > 1 { Pace::InTurns } else { Pace::Together };
    let (program, build, traced) = (Program::WithC, Build::Default, false);
    callgrind::an_operation(Counted { program, path, rounds: ROUNDS, ranks, pace, build, traced }, rank)
}

/// Nanoseconds of an operation, on one worker.
fn time(path: &'static str, run: &Run) -> Result<f64> {
    let mut command = command(Build::Default)?;
    command.args([path, &run.rounds(TIMED_ROUNDS).to_string(), "time"]);
    peers::number(path, &peers::output(command.env("MOBULA_WORKERS", "1"))?)
}

fn command(build: Build) -> Result<std::process::Command> {
    Ok(peers::outside_of_launchers(&program::built(Program::WithC, build)?.display().to_string()))
}
